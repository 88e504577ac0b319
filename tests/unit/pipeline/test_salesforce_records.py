"""What a Lead is written with: an outcome is cleared where there may be one, and nowhere else."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from baton.ledger.effects.dossiers import HandoffDossier, HopTerms
from baton.ledger.leads.persons import PersonFields
from baton.pipeline.delivery.salesforce_records import OUTCOME, lead_fields

AT = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
HOP = HopTerms(
    number=1, owner_kind="user", owner_key="sofia.ricci@relay.test", pool=None, change_owner=True,
    assigned_at=AT, first_touch_due=AT, terms={},
)  # fmt: skip
DOSSIER = HandoffDossier(
    handoff_id=1, key="H1-1", state="planned", mode="live", captured_at=AT, decided_at=AT,
    band="hot", trigger=None, score_milli=80_000, source=None, package={},
    score={"total_milli": 80_000, "reasons": [{"points_milli": 30_000, "say": "asked {what}"}]},
    lead_id=1, hubspot_id="1", salesforce_lead_id=None, salesforce_contact_id=None,
    person=PersonFields(last_name="Berg", answers={"what": "for a demo"}), hops=(HOP,),
)  # fmt: skip


@pytest.mark.parametrize(
    ("begins", "creating", "cleared"),
    [(True, False, True), (True, True, False), (False, False, False)],
)
def test_an_outcome_is_cleared_where_a_pass_begins_on_a_lead_that_is_there(
    begins: bool, creating: bool, cleared: bool
) -> None:
    fields = lead_fields(DOSSIER, HOP, "H1-1.1", begins=begins, creating=creating)

    assert {name: fields[name] for name in OUTCOME if name in fields} == (
        dict.fromkeys(OUTCOME) if cleared else {}
    )
    assert ("Status" in fields) is begins


def test_score_and_reasons_come_from_the_decision() -> None:
    fields = lead_fields(DOSSIER, HOP, "H1-1.1", begins=True)

    assert fields["Handoff_Score__c"] == 80
    assert fields["Handoff_Reasons__c"] == "+30 asked for a demo"
