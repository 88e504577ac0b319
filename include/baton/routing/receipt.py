"""The fairness receipt of a pool: what each member got, what was fair, and why the two differ.

Read from the traces of the decisions themselves, so it tells what happened, not what should have.
The lines of a receipt add up: share by weight, less what went by while somebody could not be
picked, plus what others could not take, plus the turn, is what was got.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Missed(StrEnum):
    """Why a member could not be picked for a lead."""

    AWAY = "away"
    HOURS = "hours"
    CAP = "cap"
    BEFORE = "before"
    FIT = "fit"
    LOAD = "load"
    GONE = "gone"
    OTHER = "other"


_BEGINNINGS: tuple[tuple[str, Missed], ...] = (
    ("is away", Missed.AWAY),
    ("is not in hours", Missed.HOURS),
    ("has no working time", Missed.HOURS),
    ("has more open for the weight", Missed.LOAD),
    ("has ", Missed.CAP),
    ("got ", Missed.CAP),
    ("had this lead before", Missed.BEFORE),
    ("fits by", Missed.FIT),
    ("left the company", Missed.GONE),
    ("joins on", Missed.GONE),
    ("is not active", Missed.GONE),
    ("is not in the roster", Missed.GONE),
)
"""How the sentences begin that the ladder writes about a member of a pool (see `ladder`)."""
_NO_REASON = ("is next", "could have been picked", "has a weight of zero")


@dataclass(frozen=True, slots=True)
class PoolTurn:
    """One lead that a pool gave: to whom, by which weights, and what the trace says of the others.

    `notes` are the sentences of the trace that concern the pool (see `notes_of`).
    """

    chosen: str
    weights: Mapping[str, int]
    notes: Sequence[str]


@dataclass(slots=True, kw_only=True)
class MemberReceipt:
    """Of one member, in leads. `by_weight` + `others` + `turn` - all of `missed` == `got`.

    `by_weight`: the share if everybody had always been there. `missed`: what went by, by reason,
    and `times` for how many leads. `others`: gained because others could not be picked. `turn`: the
    rest; while the pool is stable, less than a lead.
    """

    member: str
    got: int = 0
    by_weight: float = 0.0
    others: float = 0.0
    missed: dict[Missed, float] = field(default_factory=dict)
    times: dict[Missed, int] = field(default_factory=dict)

    @property
    def fair(self) -> float:
        """Return what was fair for who was there, in leads."""
        return self.by_weight + self.others - sum(self.missed.values())

    @property
    def turn(self) -> float:
        """Return what was got beyond it."""
        return self.got - self.fair


def notes_of(pool: str, texts: Iterable[str]) -> list[str]:
    """Return the sentences of a route's trace that concern a pool, without its name in front."""
    begins = f"pool {pool}: "
    return [text.removeprefix(begins) for text in texts if text.startswith(begins)]


def receipts(turns: Iterable[PoolTurn]) -> list[MemberReceipt]:
    """Return the receipt of every member that had a weight or got a lead, by e-mail."""
    found: dict[str, MemberReceipt] = {}

    def of(member: str) -> MemberReceipt:
        return found.setdefault(member, MemberReceipt(member=member))

    for turn in turns:
        of(turn.chosen).got += 1
        reasons = _reasons(turn)
        total = sum(turn.weights.values())
        running = {
            member: weight
            for member, weight in turn.weights.items()
            if weight and (member not in reasons or member == turn.chosen)
        }
        there = sum(running.values())
        for member, weight in turn.weights.items():
            if not weight:
                continue
            one, share = of(member), weight / total
            one.by_weight += share
            if member in running:
                one.others += weight / there - share
            else:
                reason = reasons[member]
                one.missed[reason] = one.missed.get(reason, 0.0) + share
                one.times[reason] = one.times.get(reason, 0) + 1
    return [found[member] for member in sorted(found)]


def _reasons(turn: PoolTurn) -> dict[str, Missed]:
    """Return why members could not be picked. Who fits as well as the best is not among them."""
    reasons: dict[str, Missed] = {}
    for note in turn.notes:
        member, _, words = note.partition(" ")
        if member not in turn.weights or words.startswith(_NO_REASON):
            continue
        if words.startswith("fits by") and not words.endswith("somebody fits better"):
            continue
        reasons.setdefault(member, _reason(words))
    return reasons


def _reason(words: str) -> Missed:
    return next((reason for begin, reason in _BEGINNINGS if words.startswith(begin)), Missed.OTHER)
