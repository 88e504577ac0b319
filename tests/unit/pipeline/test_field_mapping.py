"""The policy's fields against what the CRMs have: each message names connection, field and mend."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from baton.connections import HubSpotConnection
from baton.crm.hubspot import PropertyDefinition
from baton.crm.salesforce import FieldDescription, SObjectDescription
from baton.pipeline.intake.field_mapping import check_hubspot_fields, check_salesforce_fields
from baton.policy.bundle import read_bundle
from baton.policy.fields import FieldObject, FieldType
from baton.policy.loader import parse_policy
from baton.policy.models import Policy

POLICY = Path(__file__).resolve().parents[3] / "include" / "policy"
_TYPES = {
    FieldType.INTEGER: "number",
    FieldType.NUMBER: "number",
    FieldType.BOOLEAN: "bool",
    FieldType.DATE: "date",
    FieldType.DATETIME: "datetime",
    FieldType.CHOICE: "enumeration",
}


@dataclass
class Portal:
    """Just the definitions of a portal; `asked` counts the calls."""

    live: dict[str, dict[str, PropertyDefinition]]
    archived: dict[str, dict[str, PropertyDefinition]] = field(default_factory=dict)
    asked: int = 0
    connection: HubSpotConnection = HubSpotConnection("hubspot_emea", "t")  # noqa: RUF009 - frozen

    def property_definitions(self, kind: str, *, archived: bool = False) -> Any:
        self.asked += 1
        return (self.archived if archived else self.live).get(kind, {})


@pytest.fixture(scope="module")
def policy() -> Policy:
    return parse_policy(read_bundle(POLICY))


def defined(name: str, **more: Any) -> PropertyDefinition:
    return PropertyDefinition(name=name, label=name, **more)


@pytest.fixture
def portal(policy: Policy) -> Portal:
    """A portal that has all that the shipped policy names."""
    contacts = {name: defined(name) for name in policy.write_back.properties.values()}
    live = {"contacts": contacts, "companies": {}}
    for one in policy.fields.values():
        if one.hubspot:
            kind = "companies" if one.object is FieldObject.COMPANY else "contacts"
            values = tuple((value, value) for value in one.values)
            made = defined(one.hubspot, type=_TYPES.get(one.type, "string"), options=values)
            known = live[kind].get(one.hubspot)
            live[kind][one.hubspot] = made if known is None else known
    return Portal(live)


def found(portal: Portal, policy: Policy) -> list[str]:
    return [str(one) for one in check_hubspot_fields(portal, policy)]  # type: ignore[arg-type]  # a stub


def test_where_all_is_there_nothing_is_said_and_two_calls_suffice(portal, policy) -> None:
    assert found(portal, policy) == []
    assert portal.asked == 2


def test_a_property_that_is_gone_and_one_that_was_archived(portal, policy) -> None:
    del portal.live["contacts"]["budget_range"]
    portal.archived["companies"] = {"domain": portal.live["companies"].pop("domain")}
    gone, archived = sorted(found(portal, policy))
    assert gone.startswith("hubspot_emea: company property domain is archived")
    assert "reads it as 'Website'" in gone
    assert "Settings > Properties > Archived" in gone
    assert archived.startswith("hubspot_emea: contact property budget_range does not exist")
    assert "reads it as 'Budget range'" in archived
    assert "create it in HubSpot, or correct the field in the policy" in archived


def test_a_type_that_changed_and_values_that_are_none(portal, policy) -> None:
    live = portal.live["contacts"]
    live["quiz_taken_at"] = defined("quiz_taken_at", type="bool")
    live["budget_range"] = defined(
        "budget_range", type="enumeration", options=(("under_10k", "Under 10k"),)
    )
    values, kind = sorted(found(portal, policy))
    assert "budget_range offers no value '10k_50k', '50k_200k', 'over_200k'" in values
    assert "add it to the property's options" in values
    assert "quiz_taken_at has the type bool" in kind
    assert "a datetime; change the field's type in the policy" in kind


def test_properties_of_ours_that_cannot_be_written(portal, policy) -> None:
    live = portal.live["contacts"]
    live["baton_band"] = defined("baton_band", read_only=True)
    portal.archived["contacts"] = {"baton_state": live.pop("baton_state")}
    del live["baton_score"]
    by_name = {text.split()[3]: text for text in found(portal, policy)}
    assert set(by_name) == {"baton_band", "baton_state", "baton_score"}
    assert "is read-only" in by_name["baton_band"]
    assert "write_back in the policy" in by_name["baton_band"]
    assert "restore it" in by_name["baton_state"]
    assert "run 'baton setup hubspot'" in by_name["baton_score"]


@dataclass
class Org:
    """An org whose Lead has these fields."""

    fields: dict[str, FieldDescription]
    connection: HubSpotConnection = HubSpotConnection("salesforce_emea", "t")  # noqa: RUF009 - frozen

    def describe(self, sobject: str) -> SObjectDescription:
        return SObjectDescription(sobject, self.fields)


def test_fields_of_salesforce_that_are_hidden_or_locked(policy) -> None:
    fields = {
        one.salesforce: FieldDescription(one.salesforce, "string", 80, True, True, False, False)
        for one in policy.fields.values()
        if one.salesforce
    }
    assert check_salesforce_fields(Org(fields), policy) == []  # type: ignore[arg-type]  # a stub
    del fields["Industry"]
    fields["Title"] = FieldDescription("Title", "string", 80, False, False, False, False)
    locked, hidden = [str(one) for one in check_salesforce_fields(Org(fields), policy)]  # type: ignore[arg-type]  # a stub
    assert hidden.startswith("salesforce_emea: Lead field Industry is missing, or hidden")
    assert "field-level security" in hidden
    assert locked.startswith("salesforce_emea: Lead field Title cannot be written")
    assert "field-level security" in locked
