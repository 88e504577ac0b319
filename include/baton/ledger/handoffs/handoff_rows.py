"""Handoffs and hops as they are opened and as they are stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from baton.leads.states import HandoffState
from baton.ledger.tables.columns import OPEN_HANDOFF_STATES


@dataclass(frozen=True, slots=True, kw_only=True)
class NewHop:
    """One assignment. `terms` is the SLA it is born with; `owner_key` an e-mail or queue name."""

    owner_kind: str
    owner_key: str
    assigned_at: datetime
    change_owner: bool = True
    pool: str | None = None
    terms: Mapping[str, Any] = field(default_factory=dict)
    first_touch_due: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewHandoff:
    """One passing of the baton, with its first hop. `package` holds no personal data."""

    lead_id: int
    mode: str
    captured_at: datetime
    decided_at: datetime
    hop: NewHop
    decision_id: int | None = None
    seen_at: datetime | None = None
    band: str | None = None
    trigger: str | None = None
    score_milli: int | None = None
    source: str | None = None
    segment: str | None = None
    territory: str | None = None
    origin: str = "buyer"
    account_id: str | None = None
    company_domain: str | None = None
    form: str | None = None
    package: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class HopRow:
    """One hop as stored."""

    id: int
    handoff_id: int
    number: int
    owner_kind: str
    owner_key: str
    pool: str | None
    change_owner: bool
    assigned_at: datetime
    terms: Mapping[str, Any]
    first_touch_due: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoffRow:
    """One handoff as stored. Instants are None until they have happened and are known."""

    id: int
    key: str
    lead_id: int
    cycle: int
    decision_id: int | None
    state: HandoffState
    mode: str
    band: str | None
    trigger: str | None
    score_milli: int | None
    source: str | None
    segment: str | None
    territory: str | None
    captured_at: datetime
    seen_at: datetime | None
    decided_at: datetime
    owner_written_at: datetime | None
    task_written_at: datetime | None
    notified_at: datetime | None
    accepted_at: datetime | None
    first_touch_at: datetime | None
    first_touch_grade: int | None
    disposed_at: datetime | None
    disposition_code: str | None
    meeting_at: datetime | None
    opportunity_at: datetime | None
    closed_at: datetime | None
    outcome: str | None
    amount_cents: int | None
    salesforce_opportunity_id: str | None
    package: Mapping[str, Any]
    origin: str = "buyer"
    form: str | None = None
    adopted_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether the handoff has not ended."""
        return self.state in OPEN_HANDOFF_STATES


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTerms:
    """An open handoff with its present hop, and the clock events already recorded for that hop."""

    handoff: HandoffRow
    hop: HopRow
    recorded: frozenset[str]


def as_handoff(row: Row[Any]) -> HandoffRow:
    """Return a row of the table as the type that callers work with; further columns are ignored."""
    stored = row._asdict()
    values = {each.name: stored[each.name] for each in fields(HandoffRow)}
    return HandoffRow(**{**values, "state": HandoffState(values["state"])})


def as_hop(row: Row[Any], *, prefix: str = "") -> HopRow:
    """Return a row of the table, its columns named with `prefix`, as a hop."""
    stored = row._asdict()
    return HopRow(**{each.name: stored[prefix + each.name] for each in fields(HopRow)})
