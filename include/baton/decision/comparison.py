"""Two ways to decide the same leads, compared: who moves from whom to whom, and what it costs.

Pure: takes pairs of compact results one after another and keeps counts only, so memory grows with
the number of owners and hours, not of decisions. "Before" is the way in force, "after" the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from baton.decision.decision import Decision, DecisionOutcome, Origin
from baton.routing.ladder import OwnerKind

__all__ = ["NOBODY", "Comparison", "Pair", "Side", "Tally", "side_of"]

NOBODY = "nobody"
_CAP = ", the cap is "


@dataclass(frozen=True, slots=True)
class Side:
    """What one way made of a lead at one decision.

    `fallback`: it ended in a queue or with the rule that ends the ladder. `capped`: people who
    were passed over because a cap was reached. `due`: when the first touch is due. `assigned_open`
    and `due_open` tell whether the owner works then; None where that is not known.
    """

    outcome: DecisionOutcome
    reason: str
    band: str | None = None
    score_milli: int | None = None
    trigger: str | None = None
    owner: str | None = None
    pool: str | None = None
    rule: str | None = None
    fallback: bool = False
    capped: tuple[str, ...] = ()
    due: datetime | None = None
    assigned_open: bool | None = None
    due_open: bool | None = None
    test: bool = False

    @property
    def handed_off(self) -> bool:
        """Tell whether the lead goes to somebody."""
        return self.outcome is DecisionOutcome.HANDOFF

    @property
    def receiver(self) -> str:
        """Return who gets the lead, or `NOBODY`."""
        return self.owner or NOBODY if self.handed_off else NOBODY


@dataclass(frozen=True, slots=True)
class Pair:
    """One decision of the past, decided both ways. `passing`: an open handoff was passed on."""

    decision_id: int
    lead_key: str
    decided_at: datetime
    before: Side
    after: Side
    passing: bool = False

    @property
    def moved(self) -> bool:
        """Tell whether somebody else gets the lead."""
        return self.before.receiver != self.after.receiver


def side_of(decision: Decision, *, ends_ladder: frozenset[str] = frozenset()) -> Side:
    """Return the compact form of a decision; `ends_ladder` are the ids of the fallback rules."""
    route = decision.route
    owner = route.owner if route else None
    queued = owner is not None and owner.kind is OwnerKind.QUEUE
    terms = decision.terms
    return Side(
        decision.outcome,
        decision.reason_code,
        band=decision.band,
        score_milli=decision.score.total_milli if decision.score else None,
        trigger=decision.trigger,
        owner=owner.key if owner else None,
        pool=route.pool if route else None,
        rule=route.rule_id if route else None,
        fallback=queued or (route is not None and route.rule_id in ends_ladder),
        capped=_capped(decision),
        due=terms.first_touch_due if terms else None,
        test=decision.origin is Origin.TEST,
    )


def _capped(decision: Decision) -> tuple[str, ...]:
    """Return who was passed over for a cap, as the trace tells."""
    steps = decision.route.trace if decision.route else ()
    named = (
        next((word for word in step.text.split() if "@" in word), "")
        for step in steps
        if _CAP in step.text
    )
    return tuple(dict.fromkeys(name for name in named if name))


@dataclass(slots=True)
class Tally:
    """The counts of one way."""

    handoffs: int = 0
    fallback: int = 0
    capped_handoffs: int = 0
    assigned_closed: int = 0
    due_known: int = 0
    due_closed: int = 0
    owners: Counter[str] = field(default_factory=Counter)
    pools: Counter[str] = field(default_factory=Counter)
    caps: Counter[str] = field(default_factory=Counter)
    due_hours: Counter[int] = field(default_factory=Counter)
    due_at_once: Counter[tuple[str, datetime]] = field(default_factory=Counter)
    peak_open: Counter[str] = field(default_factory=Counter)

    def add(self, side: Side) -> None:
        """Count one result."""
        self.caps.update(side.capped)
        self.capped_handoffs += bool(side.capped)
        if not side.handed_off:
            return
        self.handoffs += 1
        self.fallback += side.fallback
        self.owners[side.receiver] += 1
        if side.pool:
            self.pools[side.pool] += 1
        self.assigned_closed += side.assigned_open is False
        if side.due is None:
            return
        self.due_known += 1
        self.due_closed += side.due_open is False
        self.due_hours[side.due.hour] += 1
        self.due_at_once[side.receiver, side.due.replace(minute=0, second=0, microsecond=0)] += 1

    def note_open(self, owner: str, number: int) -> None:
        """Note how many open handoffs somebody has; the most counts."""
        self.peak_open[owner] = max(self.peak_open[owner], number)

    def most_due_in_an_hour(self, owner: str) -> int:
        """Return the most first touches that fall due for somebody within one hour of the clock."""
        return max((n for (who, _), n in self.due_at_once.items() if who == owner), default=0)


@dataclass(slots=True)
class Comparison:
    """Pairs counted, one by one."""

    decisions: int = 0
    changed: int = 0
    moved: int = 0
    gained: int = 0
    lost: int = 0
    passed_on: int = 0
    passed_elsewhere: int = 0
    before: Tally = field(default_factory=Tally)
    after: Tally = field(default_factory=Tally)
    moves: Counter[tuple[str, str]] = field(default_factory=Counter)
    bands: Counter[tuple[str, str]] = field(default_factory=Counter)
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    why_not: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, pair: Pair) -> None:
        """Count one pair."""
        before, after = pair.before, pair.after
        if before.test and after.test:
            return
        self.decisions += 1
        if pair.passing:
            # No new handoff: it would count twice in every volume.
            self.passed_on += 1
            self.passed_elsewhere += pair.moved
            return
        self.before.add(before)
        self.after.add(after)
        self.bands[before.band or "none", after.band or "none"] += 1
        self.outcomes[before.outcome.value, after.outcome.value] += 1
        self.changed += _of_note(before) != _of_note(after)
        if not pair.moved:
            return
        self.moves[before.receiver, after.receiver] += 1
        if before.handed_off and after.handed_off:
            self.moved += 1
        elif after.handed_off:
            self.gained += 1
        else:
            self.lost += 1
            self.why_not[after.outcome.value, after.reason] += 1

    def to_json(self, rep_hours: Mapping[str, Mapping[int, float]] | None = None) -> dict[str, Any]:
        """Return it as plain JSON values; `rep_hours`: working hours by way and hour of the day."""
        return {
            "decisions": self.decisions,
            "decided_otherwise": self.changed,
            "handoffs": {
                "before": self.before.handoffs,
                "after": self.after.handoffs,
                "to_somebody_else": self.moved,
                "only_after": self.gained,
                "only_before": self.lost,
            },
            "passed_on": {"handoffs": self.passed_on, "to_somebody_else": self.passed_elsewhere},
            "moves": [
                {"from": source, "to": target, "handoffs": count}
                for (source, target), count in ordered(self.moves)
            ],
            "owners": self._people(),
            "pools": _both("pool", self.before.pools, self.after.pools),
            "bands": _matrix(self.bands),
            "outcomes": _matrix(self.outcomes),
            "no_longer_handed_off": [
                {"outcome": outcome, "reason": reason, "handoffs": count}
                for (outcome, reason), count in ordered(self.why_not)
            ],
            "fallback": _shares(self.before, self.after, "fallback"),
            "cap_hits": {
                "before": self.before.capped_handoffs,
                "after": self.after.capped_handoffs,
            },
            "clocks": self._clocks(rep_hours or {}),
        }

    def _people(self) -> list[dict[str, Any]]:
        names = {*self.before.owners, *self.after.owners, *self.before.caps, *self.after.caps}
        rows = [
            {
                "owner": name,
                **_change(self.before.owners[name], self.after.owners[name]),
                "cap_hits": _change(self.before.caps[name], self.after.caps[name]),
                "most_open": _change(self.before.peak_open[name], self.after.peak_open[name]),
                "most_due_in_an_hour": _change(
                    self.before.most_due_in_an_hour(name), self.after.most_due_in_an_hour(name)
                ),
            }
            for name in names
        ]
        return sorted(rows, key=lambda row: (-max(row["before"], row["after"]), row["owner"]))

    def _clocks(self, rep_hours: Mapping[str, Mapping[int, float]]) -> dict[str, Any]:
        hours = [
            {
                "hour": hour,
                "due": _change(self.before.due_hours[hour], self.after.due_hours[hour]),
                "working_hours": {
                    way: round(rep_hours.get(way, {}).get(hour, 0.0), 1)
                    for way in ("before", "after")
                },
            }
            for hour in range(24)
        ]
        return {
            "assigned_out_of_hours": _shares(self.before, self.after, "assigned_closed"),
            "due_out_of_hours": _shares(self.before, self.after, "due_closed", of="due_known"),
            "hours_utc": hours,
        }


def ordered(counts: Counter[Any]) -> list[tuple[Any, int]]:
    """Return counts from the most to the least, ties by name: the same counts, the same order."""
    return sorted(counts.items(), key=lambda one: (-one[1], one[0]))


def _of_note(side: Side) -> tuple[object, ...]:
    return side.outcome, side.reason, side.band, side.score_milli, side.trigger, side.receiver


def _change(before: int, after: int) -> dict[str, int]:
    return {"before": before, "after": after}


def _both(name: str, before: Counter[str], after: Counter[str]) -> list[dict[str, Any]]:
    rows = [{name: key, **_change(before[key], after[key])} for key in {*before, *after}]
    return sorted(rows, key=lambda row: (-max(row["before"], row["after"]), row[name]))


def _matrix(counts: Counter[tuple[str, str]]) -> list[dict[str, Any]]:
    return [
        {"before": before, "after": after, "decisions": count}
        for (before, after), count in ordered(counts)
    ]


def _shares(before: Tally, after: Tally, name: str, *, of: str = "handoffs") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for way, tally in (("before", before), ("after", after)):
        count, total = getattr(tally, name), getattr(tally, of)
        found[way] = {"handoffs": count, "share": round(count / total, 4) if total else None}
    return found
