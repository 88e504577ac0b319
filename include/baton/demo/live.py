"""Watching live leads go through Airflow: each handoff as it lands."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine

from baton.leads.states import EffectState
from baton.ledger.database.engine import transaction
from baton.ledger.effects import outbox
from baton.ledger.handoffs import handoffs
from baton.ledger.handoffs.handoffs import HandoffRow
from baton.ledger.leads import persons
from baton.ledger.record import decisions
from baton.ledger.record.decisions import DecisionRow
from baton.settings import Mode

__all__ = ["Landing", "LiveWatch", "Sideways", "live_handoffs", "settled"]

_POLL_S = 0.4
_PAGE = 200
_ASIDE = ("quarantine", "suppress", "hold", "update", "nurture")
_UNSENT = (EffectState.PENDING, EffectState.LEASED, EffectState.WAITING)


@dataclass(frozen=True, slots=True)
class Landing:
    """A handoff whose owner has been told."""

    handoff_id: int
    lead: str
    company: str
    score: str
    band: str
    reason: str
    owner: str
    pool: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Sideways:
    """A live lead that was not handed over, and why; or a second form of one that was."""

    lead: str
    outcome: str
    words: str


Sight = Landing | Sideways


class LiveWatch:
    """Tells every handoff and every other telling decision since `since`, each once."""

    def __init__(
        self, engine: Engine, since: datetime, *, name_of: Callable[[str], str] = lambda key: key
    ) -> None:
        """`name_of` turns an owner's key into the name of a person or queue."""
        self._engine, self._since, self._name_of = engine, since, name_of
        self._landed: set[int] = set()
        self._judged: set[int] = set()
        self.landings: list[Landing] = []

    def until(self, wanted: int, *, timeout_s: float) -> Iterator[Sight]:
        """Yield what happens until `wanted` handoffs have landed or the time is over."""
        end = time.monotonic() + timeout_s
        while len(self.landings) < wanted and time.monotonic() < end:
            fresh = self.look()
            yield from fresh
            if not fresh:
                time.sleep(_POLL_S)

    def look(self) -> list[Sight]:
        """Return what is new, in the order in which it happened."""
        with transaction(self._engine) as conn:
            aside = self._decided(conn)
            landed = self._notified(conn)
        self.landings += landed
        return [*aside, *landed]

    def _decided(self, conn: Connection) -> list[Sight]:
        rows = [
            row
            for row in decisions.since(conn, self._since)
            if row.id not in self._judged and row.outcome in _ASIDE
        ]
        self._judged.update(row.id for row in rows)
        people = persons.people(conn, [row.lead_id for row in rows])
        return [
            Sideways(
                lead=_name(people.get(row.lead_id)),
                outcome=row.outcome,
                words=str(row.result.get("words", "")),
            )
            for row in rows
        ]

    def _notified(self, conn: Connection) -> list[Landing]:
        fresh = [
            row
            for row in live_handoffs(conn, self._since)
            if row.notified_at is not None and row.id not in self._landed
        ]
        if not fresh:
            return []
        self._landed.update(row.id for row in fresh)
        people = persons.people(conn, [row.lead_id for row in fresh])
        hops = handoffs.hops(conn, [row.id for row in fresh])
        found = []
        for row in sorted(fresh, key=lambda one: one.notified_at or one.captured_at):
            person = people.get(row.lead_id)
            decision = decisions.get(conn, row.decision_id) if row.decision_id else None
            hop = hops[row.id][0]
            found.append(
                Landing(
                    handoff_id=row.id,
                    lead=_name(person),
                    company=(person.company_name if person else None) or "company unknown",
                    score=_points(row.score_milli),
                    band=row.band or "",
                    reason=_why(row, decision),
                    owner=self._name_of(hop.owner_key),
                    pool=hop.pool or "",
                    seconds=seconds_to_message(row),
                )
            )
        return found


def live_handoffs(conn: Connection, since: datetime) -> list[HandoffRow]:
    """Return the handoffs decided live since `since`, oldest first."""
    found: list[HandoffRow] = []
    before: int | None = None
    while page := handoffs.page(conn, limit=_PAGE, before_id=before):
        # Ids grow with time within live mode; a history's handoffs end the walk.
        fresh = [row for row in page if row.mode == Mode.LIVE.value and row.decided_at >= since]
        found += fresh
        if not fresh or len(page) < _PAGE:
            break
        before = page[-1].id
    return found[::-1]


def seconds_to_message(row: HandoffRow) -> float:
    """Return the seconds from capture to message; infinite while nobody has been told."""
    if row.notified_at is None:
        return float("inf")
    return (row.notified_at - row.captured_at) / timedelta(seconds=1)


def settled(conn: Connection) -> bool:
    """Tell whether everything that was decided has gone out or cannot go out by itself."""
    return not any(one.state in _UNSENT and one.count for one in outbox.depth(conn))


def _name(person: Any) -> str:
    if person is None:
        return "somebody"
    name = " ".join(part for part in (person.first_name, person.last_name) if part)
    return name or person.company_name or "somebody without a name"


def _points(milli: int | None) -> str:
    """Return points to one decimal, as a person would say them."""
    return "–" if milli is None else f"{milli / 1000:.1f}".removesuffix(".0")


def _why(row: HandoffRow, decision: DecisionRow | None) -> str:
    """Return what brought the lead, then what gave the most points, in the rep's words."""
    cause = str(row.package.get("cause", "")) if row.trigger else ""
    reasons = ((decision.result.get("score") or {}).get("reasons") or []) if decision else []
    best = max(reasons, key=lambda one: int(one["points_milli"]), default=None)
    said = f"{best['say']} (+{_points(int(best['points_milli']))})" if best else ""
    return "; ".join(part for part in (cause, said) if part)
