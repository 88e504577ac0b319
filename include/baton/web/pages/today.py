"""Today: what wants a person, each line with one action; or that nothing does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection

from baton.ledger.pages.page_people import names
from baton.ledger.pages.page_today import LateLead
from baton.pipeline.today.morning import Morning, Step, TodayItem, Tone, read
from baton.pipeline.today.morning_items import ON_THE_WAY, items
from baton.web.access import Visitor
from baton.web.site import Site
from baton.web.wording import count

GOOD: Final = "good"


@dataclass(frozen=True, slots=True)
class Link:
    """One step of the chain: its figure today, where to look, and how it stands."""

    step: str
    figure: str
    path: str
    tone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Today:
    """The whole page, as of `at` in the installation's zone."""

    at: datetime
    zone: str
    wanting: tuple[TodayItem, ...]
    knowing: tuple[TodayItem, ...]
    late: tuple[LateLead, ...]
    names: Mapping[str, str]
    open_handoffs: int
    hot_waiting: int
    hot_late: int
    handed_off: int
    touched: int
    touch_median: float | None
    chain: tuple[Link, ...]


def router(site: Site) -> APIRouter:
    """Return the routes of the page."""
    routes = APIRouter()

    # Not `async`: the ledger is read in a thread, so that a slow one does not stop Airflow's API.
    @routes.get("/", response_class=HTMLResponse)
    def today(request: Request, visitor: Visitor = site.reader()) -> HTMLResponse:
        zone = site.settings().timezone
        with site.ledger() as conn:
            seen = look(conn, site.clock.now(), zone)
        return site.page(request, visitor, "today.html", today=seen)

    return routes


def look(conn: Connection, now: datetime, zone: ZoneInfo | None = None) -> Today:
    """Read the page from the ledger; the day begins at midnight in `zone`."""
    local = now.astimezone(zone or UTC)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    morning = read(conn, now, midnight)
    found = items(morning)
    so_far = morning.so_far
    return Today(
        at=local,
        zone=str(zone or "UTC"),
        wanting=tuple(one for one in found if one.tone is not Tone.INFO),
        knowing=tuple(one for one in found if one.tone is Tone.INFO),
        late=morning.late,
        names=names(conn) if morning.late else {},
        open_handoffs=morning.open_handoffs,
        hot_waiting=morning.waits.hot,
        hot_late=morning.waits.hot_late,
        handed_off=so_far.handed_off,
        touched=so_far.touched,
        touch_median=so_far.touch_median,
        chain=_chain(morning, found, midnight),
    )


def _chain(morning: Morning, found: Iterable[TodayItem], midnight: datetime) -> tuple[Link, ...]:
    so_far, agreement = morning.so_far, morning.agreement
    waiting = sum(one.number for one in morning.effects if one.state in ON_THE_WAY)
    since = f"handoffs?since={midnight:%Y-%m-%d}"
    shown = {
        Step.DEFINE: (f"agreed {agreement.policy.agreed.on}" if agreement else "none", "policy"),
        Step.SCORE: (f"{count(so_far.judged)} judged today", "metrics"),
        Step.ROUTE: (f"{count(so_far.handed_off)} handed off today", since),
        Step.NOTIFY: (f"{count(waiting)} to write", "sync"),
        Step.WORK: (f"{count(morning.open_handoffs)} open", "handoffs?state=open"),
        Step.DISPOSITION: (f"{count(so_far.answered)} answered today", "handoffs?state=ended"),
        Step.LEARN: ("all figures", "metrics"),
    }
    worst: dict[Step, Tone] = {}
    for one in found:
        if one.tone is not Tone.INFO:
            worst.setdefault(one.step, one.tone)
    return tuple(
        Link(step.value, figure, path, worst[step].value if step in worst else GOOD)
        for step, (figure, path) in shown.items()
    )
