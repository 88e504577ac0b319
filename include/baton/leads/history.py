"""What happened to a lead before: an input of the decision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from baton.leads.identity import Duplicate
from baton.leads.states import LeadState


@dataclass(frozen=True, slots=True)
class OpenHandoff:
    """The handoff that is open: its id, who owns its latest hop, and that hop's number."""

    id: int
    owner: str | None
    hop: int


@dataclass(frozen=True, slots=True)
class LeadHistory:
    """Earlier states, owners and outcomes. Owners are e-mails; `cycle` counts handoffs so far.

    `recycles`: how often in a row each reason code sent the lead back.
    `last_trigger_at`: instant of the newest trigger that has already led to a handoff.
    `duplicates`: other contacts that may be the same person, surest first.
    """

    state: LeadState = LeadState.SEEN
    band_before: str | None = None
    open_handoff: OpenHandoff | None = None
    earlier_owners: tuple[str, ...] = ()
    cycle: int = 0
    last_disposition: str | None = None
    return_at: datetime | None = None
    recycles: Mapping[str, int] = field(default_factory=dict)
    last_trigger_at: datetime | None = None
    duplicates: tuple[Duplicate, ...] = ()


NEW_LEAD = LeadHistory()
