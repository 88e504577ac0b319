"""What a change is to reach, and what the engine answered to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from baton.decision.decision import Decision, DecisionOutcome


class Goal(StrEnum):
    """What a change is to reach."""

    HIGHER_BAND = "higher_band"
    LOWER_BAND = "lower_band"
    OTHER_OWNER = "other_owner"
    HANDED_OVER = "handed_over"


@dataclass(frozen=True, slots=True)
class Claim:
    """What the engine answered. Without `owner` but with `pool`: somebody of that pool.

    Whose turn it was in a pool, and how much somebody had open, is recorded only where the decision
    asked for it; `certain` tells whether that was enough. `missing`: labels that kept the lead back.
    """

    outcome: DecisionOutcome
    reason_code: str
    words: str
    band: str | None
    total_milli: int | None
    owner: str | None
    pool: str | None
    certain: bool = True
    missing: tuple[str, ...] = ()


def claim_of(decision: Decision, known: Mapping[str, object]) -> Claim:
    """Return what a decision says; `known`: what was consulted and is therefore certain."""
    route = decision.route
    owner = route.owner.key if route and route.owner else None
    pool = route.pool if route else None
    certain = _certain(decision.consulted, known)
    if pool is not None and not certain:
        owner = None
    return Claim(
        decision.outcome,
        str(decision.reason_code),
        decision.words,
        decision.band,
        decision.score.total_milli if decision.score else None,
        owner,
        pool,
        certain,
        tuple(dict.fromkeys(failure.label for failure in decision.failures)),
    )


def _certain(consulted: Mapping[str, object], known: Mapping[str, object]) -> bool:
    """Tell whether everything that a decision read of pools and loads was recorded."""
    for part, read in consulted.items():
        recorded = known.get(part)
        names = set(read) if isinstance(read, Mapping) else set()
        if not names <= (set(recorded) if isinstance(recorded, Mapping) else set()):
            return False
    return True
