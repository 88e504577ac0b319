"""What the columnar engine leaves to `decide`, and that nothing new slips past it unseen."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from baton.decision.column_inputs import is_plain
from baton.decision.columns import NameColumn
from baton.decision.inputs import DecisionInputs
from baton.leads.history import NEW_LEAD, OpenHandoff
from baton.leads.permission import Permissions
from baton.leads.relations import CrmRelations, MatchedBy
from baton.leads.states import LeadState
from baton.leads.verdict import GOOD
from baton.policy.models import Policy

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
PLAIN = DecisionInputs(
    "L1",
    {},
    GOOD,
    CrmRelations(),
    NEW_LEAD,
    NOW,
    NOW,
    permissions=Permissions(True, True, True),
)

# Parts of a policy that the columnar steps read, or that the ladder reads for them.
READ = {
    "fields", "required", "scoring", "bands", "triggers", "permission", "suppress", "customers",
    "route", "pools", "guards", "mail", "meetings", "testers", "imports", "keep_together",
}  # fmt: skip
# Parts that say nothing about outcome, reason, score, band, owner or pool.
AFTERWARDS = {
    "hash", "name", "agreed", "hand_raise_times", "stages", "recommended", "queues", "sla",
    "dispositions", "timers", "calendars", "channels", "quiet_hours", "territories", "segments",
    "product_lines", "deal_sizes", "named_accounts", "company_aliases", "profile", "enrichment",
    "drift", "digest", "work", "commitments", "enablement", "write_back", "salesforce",
}  # fmt: skip


def test_every_part_of_a_policy_is_known_to_the_columnar_engine() -> None:
    """A new part: see whether `column_judgement` must read it, then list it here."""
    assert set(Policy.model_fields) == READ | AFTERWARDS


def test_a_new_lead_is_plain_whatever_its_state_of_waiting_or_band_before() -> None:
    assert is_plain(PLAIN)
    for state in (LeadState.NURTURE, LeadState.QUARANTINED, LeadState.HELD):
        assert is_plain(replace(PLAIN, history=replace(NEW_LEAD, state=state, band_before="hot")))
    assert is_plain(replace(PLAIN, released=("blast_radius",)))


@pytest.mark.parametrize(
    "change",
    [
        {"released": ("ambiguous_account",)},
        {"had_it": ()},
        {"tester": "ada@relay.test"},
        {"colleagues": "ada@relay.test"},
        {"awaiting": ("provider",)},
        {"permissions": None},
        {"relations": CrmRelations(salesforce_lead_owner="ada@relay.test")},
        {"relations": CrmRelations(matched_by=MatchedBy.AMBIGUOUS)},
        {"history": replace(NEW_LEAD, state=LeadState.RECYCLED)},
        {"history": replace(NEW_LEAD, state=LeadState.MERGED)},
        {"history": replace(NEW_LEAD, cycle=1)},
        {"history": replace(NEW_LEAD, last_trigger_at=NOW)},
        {"history": replace(NEW_LEAD, earlier_owners=("ada@relay.test",))},
        {"history": replace(NEW_LEAD, open_handoff=OpenHandoff(1, None, 1))},
    ],
)
def test_whoever_has_a_story_is_decided_on_alone(change: dict[str, Any]) -> None:
    assert not is_plain(replace(PLAIN, **change))


def test_a_column_of_names_counts_and_remembers() -> None:
    column: NameColumn[str] = NameColumn(4)
    column[1] = "ada"
    column[3] = "ada"
    column[2] = "ben"
    assert list(column) == [None, "ada", "ben", "ada"]
    assert column.counts() == {None: 1, "ada": 2, "ben": 1}
    column[3] = None
    assert column[3] is None
