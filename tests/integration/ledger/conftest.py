"""A small world to fill a ledger with: generated names only."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine

from baton.leads.states import HandoffState, LeadState
from baton.ledger.agreements import policies
from baton.ledger.effects import outbox
from baton.ledger.effects.outbox import NewEffect
from baton.ledger.handoffs import handoffs
from baton.ledger.handoffs.handoffs import HandoffRow, NewHandoff, NewHop
from baton.ledger.intake import seen_leads
from baton.ledger.intake.seen_leads import SeenLead
from baton.ledger.leads import leads
from baton.ledger.leads.leads import LeadRow
from baton.ledger.leads.persons import PersonFields
from baton.ledger.record import batches, decisions
from baton.ledger.record.decisions import NewDecision
from baton.policy.bundle import PolicyBundle

START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
KINDS = ("salesforce_record", "salesforce_task", "slack_message", "hubspot_state")


def minutes(number: float) -> datetime:
    return START + timedelta(minutes=number)


def seen(hubspot_id: str, *, version: int = 1, at: datetime = START, **more: Any) -> SeenLead:
    given: dict[str, Any] = {
        "hubspot_id": hubspot_id,
        "modified_at": at,
        "seen_at": at,
        "captured_at": at,
        "content_hash": f"hash-{hubspot_id}-{version}",
        "content": {"numberofemployees": str(version)},
        "person": PersonFields(email=f"lead{hubspot_id}@buyer.test", first_name="Robin"),
    }
    return SeenLead(**(given | more))


@dataclass
class World:
    """Makes leads, decisions and handoffs with as few words as a test needs."""

    conn: Connection
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1001))

    def lead(self, *, at: datetime = START, **more: Any) -> LeadRow:
        number = str(next(self.numbers))
        return seen_leads.upsert_seen(self.conn, [seen(number, at=at, **more)])[number]

    def policy(self, text: str = "agreed: {}") -> str:
        return policies.store(self.conn, PolicyBundle({"policy.yaml": text}), at=START)

    def decision(self, lead: LeadRow, *, at: datetime = START, **more: Any) -> int:
        given: dict[str, Any] = {
            "lead_id": lead.id,
            "snapshot_hash": lead.last_content_hash or f"hash-{lead.hubspot_id}-1",
            "policy_hash": self.policy(),
            "roster_hash": "roster",
            "decided_at": at,
            "engine_version": "1",
            "position": 0,
            "inputs": {},
            "inputs_hash": "in",
            "result": {},
            "result_hash": "out",
            "outcome": "handoff",
        }
        return decisions.record(self.conn, [NewDecision(**(given | more))])[0]

    def handoff(
        self,
        lead: LeadRow | None = None,
        *,
        at: datetime = START,
        owner: str = "amara@relay.test",
        state: HandoffState = HandoffState.PLANNED,
        kind: str = "user",
        **more: Any,
    ) -> HandoffRow:
        chosen = lead or self.lead(at=at)
        given: dict[str, Any] = {
            "lead_id": chosen.id,
            "mode": "live",
            "captured_at": at,
            "decided_at": at,
            "decision_id": self.decision(chosen, at=at),
            "band": "hot",
            "source": "PAID_SEARCH",
            "hop": NewHop(
                owner_kind=kind,
                owner_key=owner,
                assigned_at=at,
                first_touch_due=at + timedelta(minutes=5),
            ),
        }
        made = handoffs.open_handoff(self.conn, NewHandoff(**(given | more)))
        if state is not HandoffState.PLANNED:
            handoffs.stamp(self.conn, made.id, owner_written_at=at + timedelta(seconds=3))
            handoffs.advance(self.conn, made.id, state, at=at, cause="test", by="test")
        return handoffs.get(self.conn, made.id) or made

    def chain(self, handoff: HandoffRow, *, hop: int = 1, priority: int = 100) -> list[str]:
        """Plan record, task and message for a hop, each after the one before; return the keys."""
        kinds = KINDS[:3]
        keys = [f"{handoff.key}.{hop}.{kind}" for kind in kinds]
        outbox.add(
            self.conn,
            [
                NewEffect(
                    key=key,
                    kind=kind,
                    lead_id=handoff.lead_id,
                    handoff_id=handoff.id,
                    hop=hop,
                    generation=hop,
                    depends_on_key=before,
                    priority=priority,
                )
                for key, kind, before in zip(keys, kinds, [None, *keys], strict=False)
            ],
            at=START,
        )
        return keys

    def batch(self) -> uuid.UUID:
        made = uuid.uuid4()
        batches.create(
            self.conn,
            made,
            kind="lead_handoff",
            mode="live",
            policy_hash=self.policy(),
            roster_hash="roster",
            at=START,
        )
        return made

    def nurture(self, lead: LeadRow, *, at: datetime = START) -> None:
        leads.set_state(
            self.conn,
            lead.id,
            LeadState.NURTURE,
            at=at,
            cause="judged",
            by="test",
            timer_at=at + timedelta(days=90),
            timer_action="cold_flag",
        )


@pytest.fixture
def world(ledger_conn: Connection) -> World:
    return World(ledger_conn)


@pytest.fixture
def commit(ledger_engine: Engine) -> Callable[[Callable[[World], Any]], Any]:
    """Run something on a World in a transaction of its own, and commit it."""
    numbers = itertools.count(1001)

    def run(step: Callable[[World], Any]) -> Any:
        with ledger_engine.begin() as conn:
            return step(World(conn, numbers))

    return run
