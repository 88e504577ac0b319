"""HubSpot's own properties follow the handoff only as far as the policy and people let them."""

from __future__ import annotations

from pathlib import Path

import pytest

from baton.ledger.effects.dossiers import LeadDossier
from baton.ledger.leads.persons import PersonFields
from baton.pipeline.delivery.lifecycle import shared_values, wanted_stage
from baton.policy.crm_models import WriteBack
from baton.policy.loader import parse_policy, read_bundle
from baton.policy.models import Policy

SHIPPED = Path(__file__).resolve().parents[3] / "include" / "policy"


@pytest.fixture(scope="module")
def policy() -> Policy:
    return parse_policy(read_bundle(SHIPPED))


def lead(state: str, handoff_state: str | None) -> LeadDossier:
    return LeadDossier(
        lead_id=1,
        hubspot_id="1",
        state=state,
        band="hot",
        score_milli=80_000,
        cycle=1,
        decided_at=None,
        score={},
        person=PersonFields(),
        handoff_key="H1-1",
        owner_key="sofia.ricci@relay.test",
        handoff_state=handoff_state,
    )


@pytest.mark.parametrize(
    ("state", "handoff", "current", "wanted"),
    [
        ("in_handoff", "notified", "lead", "marketingqualifiedlead"),
        ("in_handoff", "working", "marketingqualifiedlead", "salesqualifiedlead"),
        ("in_handoff", "converted", "salesqualifiedlead", "opportunity"),
        ("in_handoff", "notified", "opportunity", None),  # people put it further on
        ("recycled", "recycled", "salesqualifiedlead", "lead"),
        ("nurture", "recycled", "opportunity", "lead"),
        ("recycled", "recycled", "customer", None),
        ("recycled", "recycled", "subscriber", None),
        ("disqualified", "disqualified", "salesqualifiedlead", None),
        ("nurture", None, "lead", None),
    ],
)
def test_the_stage_follows_the_handoff(
    policy: Policy, state: str, handoff: str | None, current: str, wanted: str | None
) -> None:
    assert wanted_stage(lead(state, handoff), policy, current) == wanted


def test_nothing_shared_is_written_unless_the_policy_asks_for_it(policy: Policy) -> None:
    silent = policy.model_copy(update={"write_back": WriteBack()})
    asking = policy.model_copy(
        update={
            "write_back": WriteBack(lead_owner=True, lead_status={"in_handoff": "OPEN"}),
        }
    )
    owners = {"sofia.ricci@relay.test": "77"}
    one = lead("in_handoff", "notified")
    assert shared_values(one, silent, {"lifecyclestage": "lead"}, owners) == {}
    assert shared_values(one, asking, {"lifecyclestage": "lead"}, owners) == {
        "hs_lead_status": "OPEN",
        "hubspot_owner_id": "77",
    }
