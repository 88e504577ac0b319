"""What the page "Today" shows, read from the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection

from baton.ledger import effects, handoffs, leads, persons, watermarks
from baton.ledger.handoffs import HandoffRow
from baton.web.access import Visitor
from baton.web.site import Site

NEWEST = 20
_WAITING = ("pending", "waiting", "leased", "ambiguous")
_FAILED = ("rejected", "invalid", "dead")


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoffLine:
    """One handoff as a reader of the page needs it; no name of a person but the owner's."""

    key: str
    lead_id: int
    company: str
    state: str
    band: str
    cause: str
    score: str
    owner: str
    decided_at: datetime
    seconds_to_notice: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceLine:
    """How far a source has been read. `lag` is the time since it was last read."""

    name: str
    read_to: str
    lag: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Today:
    """The whole page, as of `at`."""

    at: datetime
    leads: Mapping[str, int]
    open_handoffs: int
    effects_waiting: Mapping[str, int]
    effects_failed: Mapping[str, int]
    sources: tuple[SourceLine, ...]
    newest: tuple[HandoffLine, ...]


def router(site: Site) -> APIRouter:
    """Return the routes of the page."""
    routes = APIRouter()

    # Not `async`: the ledger is read in a thread, so that a slow one does not stop Airflow's API.
    @routes.get("/", response_class=HTMLResponse)
    def today(request: Request, visitor: Visitor = site.reader()) -> HTMLResponse:
        with site.ledger() as conn:
            seen = look(conn, site.clock.now())
        return site.page(request, visitor, "today.html", today=seen)

    return routes


def look(conn: Connection, at: datetime) -> Today:
    """Read the page from the ledger."""
    depth = effects.depth(conn)
    found = handoffs.page(conn, limit=NEWEST)
    people = persons.people(conn, [one.lead_id for one in found])
    hops = handoffs.hops(conn, [one.id for one in found])
    return Today(
        at=at,
        leads={state.value: n for state, n in leads.count_by_state(conn).items() if n},
        open_handoffs=sum(handoffs.open_loads(conn).values()),
        effects_waiting=_summed(depth, _WAITING),
        effects_failed=_summed(depth, _FAILED),
        sources=tuple(
            SourceLine(name=name, read_to=value, lag=at - set_at)
            for name, (value, set_at) in watermarks.all_watermarks(conn).items()
        ),
        newest=tuple(
            _line(
                one,
                person.company_name if (person := people.get(one.lead_id)) else None,
                hops[one.id][-1].owner_key if hops.get(one.id) else None,
            )
            for one in found
        ),
    )


def _summed(depth: list[effects.QueueDepth], states: tuple[str, ...]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for one in depth:
        if one.state.value in states:
            counts[one.kind] = counts.get(one.kind, 0) + one.count
    return counts


def _line(one: HandoffRow, company: str | None, owner: str | None) -> HandoffLine:
    notified = one.notified_at
    return HandoffLine(
        key=one.key,
        lead_id=one.lead_id,
        company=company or "–",
        state=one.state.value,
        band=one.band or "–",
        cause=(one.trigger or "score").replace("_", " "),
        score="–" if one.score_milli is None else f"{round(one.score_milli / 1000, 1):g}",
        owner=owner or "–",
        decided_at=one.decided_at,
        seconds_to_notice=(notified - one.captured_at).total_seconds() if notified else None,
    )
