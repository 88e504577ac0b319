"""The decision as a value: what comes out, and how it is stored."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any, Self

from pydantic import TypeAdapter

from baton.decision.canonical import canonical_bytes, hash_of
from baton.decision.package import Package
from baton.leads.states import LeadState
from baton.leads.verdict import Failure
from baton.routing.ladder import Route
from baton.scoring.points import Score
from baton.sla.terms import Terms


class DecisionOutcome(StrEnum):
    """What is to be done with the lead."""

    QUARANTINE = "quarantine"
    SUPPRESS = "suppress"
    NURTURE = "nurture"
    HOLD = "hold"
    HANDOFF = "handoff"
    UPDATE = "update"
    NONE = "none"


class HoldReason(StrEnum):
    """Why a lead waits although it could be handed off; `DecisionInputs.released` takes these."""

    AMBIGUOUS_ACCOUNT = "ambiguous_account"
    BLAST_RADIUS = "blast_radius"
    NOBODY_AVAILABLE = "nobody_available"
    NO_RULE = "no_rule"
    DRIP = "drip"
    ENRICHMENT = "enrichment"


class Origin(StrEnum):
    """Who began it: a buyer who did something, a list that somebody imported, a colleague's test.

    An import has no buyer's clock. A test stands outside figures, loads and the turns of pools.
    """

    BUYER = "buyer"
    IMPORT = "import"
    TEST = "test"


RELEASED_FROM_REST = "rest"
"""Put into `DecisionInputs.released`: a recycled or disqualified lead is to be judged again."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The result on one lead.

    `words` say it in a sentence. `lead_state` is the state it leads to; None: unchanged.
    `trigger` is the strongest that fired, `trigger_at` the newest instant of all that did: once a
    handoff or an update has come of it, it is the next `LeadHistory.last_trigger_at`. `met_at`:
    when the criteria for this handoff were met, where the buyer's clock starts: the newest event,
    or the decision itself for a band or a return. `consulted` is what was read of pools and loads, from which the decision can be
    repeated. No personal data.
    """

    lead_key: str
    outcome: DecisionOutcome
    reason_code: str
    words: str
    lead_state: LeadState | None = None
    score: Score | None = None
    band: str | None = None
    trigger: str | None = None
    trigger_at: datetime | None = None
    met_at: datetime | None = None
    route: Route | None = None
    terms: Terms | None = None
    stage: str | None = None
    package: Package | None = None
    failures: tuple[Failure, ...] = ()
    may_email: bool = True
    may_call: bool = True
    origin: Origin = Origin.BUYER
    consulted: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, object]:
        """Return the decision as plain JSON values."""
        value: dict[str, object] = _adapter().dump_python(self, mode="json")
        return value

    @classmethod
    def from_json(cls, value: Mapping[str, object] | bytes | str) -> Self:
        """Read what `to_json` or `canonical` gave."""
        content = json.loads(value) if isinstance(value, bytes | str) else value
        return _adapter().validate_python(content)  # type: ignore[return-value]  # it is this class

    def canonical(self) -> bytes:
        """Return the decision as canonical JSON."""
        return canonical_bytes(self.to_json())

    @property
    def hash(self) -> str:
        """Return the SHA-256 of the canonical form."""
        return hash_of(self.canonical())


@cache
def _adapter() -> TypeAdapter[Decision]:
    return TypeAdapter(Decision)
