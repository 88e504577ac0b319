"""Setting up HubSpot and checking Salesforce, against the sandbox."""

from __future__ import annotations

import dataclasses

import pytest

from baton.crm.hubspot import PropertyDefinition
from baton.pipeline.delivery.setup import (
    HubSpotPlan,
    RequiredField,
    check_salesforce,
    salesforce_fields,
    setup_hubspot,
)


@pytest.fixture
def plan(unique) -> HubSpotPlan:
    group = unique("baton").replace("-", "_")
    return HubSpotPlan(
        group=group,
        group_label="Baton",
        properties=(
            PropertyDefinition(f"{group}_state", "State", group=group),
            PropertyDefinition(f"{group}_score", "Score", "number", "number", group),
        ),
        lists=(unique("Nurture: later"),),
        reads={"contacts": ("email", "no_such_one"), "companies": ("domain", "nor_this")},
    )


def test_a_dry_run_says_what_it_would_do_and_does_nothing(hubspot, plan) -> None:
    report = setup_hubspot(hubspot, plan, dry_run=True)
    assert len(report.created) == 4
    assert report.present == ()
    assert report.missing == ("contacts property no_such_one", "companies property nor_this")
    assert setup_hubspot(hubspot, plan, dry_run=True) == report
    assert hubspot.find_list(plan.lists[0]) is None


def test_a_second_run_changes_nothing(hubspot, plan) -> None:
    first = setup_hubspot(hubspot, plan)
    hubspot.calls.clear()
    second = setup_hubspot(hubspot, plan)
    assert second.created == ()
    assert set(second.present) == set(first.created)
    assert not [call for call in hubspot.calls if not call.startswith("GET")]


def test_what_differs_is_told_not_changed(hubspot, plan) -> None:
    setup_hubspot(hubspot, plan)
    score = dataclasses.replace(plan.properties[1], type="string", field_type="text")
    report = setup_hubspot(hubspot, dataclasses.replace(plan, properties=(score,)))
    assert report.differing == (f"property {score.name} has the type number instead of string",)
    assert hubspot.property_definitions()[score.name].type == "number"


def test_the_shipped_metadata_has_all_that_is_needed(salesforce) -> None:
    assert check_salesforce(salesforce) == ()


def test_what_salesforce_lacks_is_listed_whole(salesforce) -> None:
    wanted = (
        *salesforce_fields(),
        RequiredField("Lead", "Missing__c", "string"),
        RequiredField("Lead", "Handoff_Band__c", "double"),
        RequiredField("Lead", "Handoff_Key__c", "string", unique=True),
        RequiredField("Lead", "Disposition__c", "picklist", values=("Shelved",), writes=False),
        RequiredField("Nowhere__c", "Name", "string"),
    )
    said = [str(one) for one in check_salesforce(salesforce, wanted)]
    assert len(said) == 5
    assert any("Lead.Missing__c: is missing" in one and "deploy" in one for one in said)
    assert any("type string instead of double" in one for one in said)
    assert any("not a unique external id" in one for one in said)
    assert any("lacks the values Shelved" in one for one in said)
    assert any("Nowhere__c.*" in one for one in said)
