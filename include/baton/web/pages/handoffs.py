"""Handoffs: what is being carried, by whom, and how much time is left.

Every choice but the search stands in the address, so a view can be kept as a bookmark. A search may
name a person; it is sent in the body of a request, which no log holds.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, HTTPException, Request
from fastapi.responses import HTMLResponse, StreamingResponse
from sqlalchemy import Connection

from baton.leads.states import HandoffState
from baton.ledger.pages.page_handoffs import Filters, HandoffListed, counted, every, listed
from baton.ledger.pages.page_people import names
from baton.web.access import Visitor
from baton.web.seals import refuse_other_sites
from baton.web.site import Site
from baton.web.spreadsheets import harmless

PAGE: Final = 50
COUNTED: Final = 10_000
STATES: Final = ("open", "ended", *(state.value for state in HandoffState))

VIEWS: Final[tuple[tuple[str, Mapping[str, str]], ...]] = (
    ("Open", {"state": "open"}),
    ("Late", {"late": "1"}),
    ("Untouched", {"untouched": "1"}),
    ("In a queue", {"untouched": "1", "queued": "1"}),
    ("Hot and open", {"state": "open", "band": "hot"}),
    ("Ended", {"state": "ended"}),
    ("All", {}),
)
"""Views that everybody has; one's own is a bookmark."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the address asks for, as it is written there."""

    state: str = ""
    band: str = ""
    owner: str = ""
    pool: str = ""
    source: str = ""
    origin: str = ""
    late: str = ""
    untouched: str = ""
    queued: str = ""
    since: str = ""
    until: str = ""

    def filters(self) -> Filters:
        """Return what to look for. Raises HTTPException 422 for what makes no sense."""
        if self.state and self.state not in STATES:
            raise HTTPException(422, f"There is no state '{self.state}' of a handoff.")
        since, until = _day(self.since), _day(self.until)
        if since and until and since > until:
            raise HTTPException(422, "The first day lies after the last one.")
        return Filters(
            state=self.state or None,
            band=self.band or None,
            owner=self.owner or None,
            pool=self.pool or None,
            source=self.source or None,
            origin=self.origin or None,
            late=bool(self.late),
            untouched=bool(self.untouched),
            queued=bool(self.queued),
            since=since,
            until=until + timedelta(days=1) if until else None,
        )

    def address(self, **changes: str) -> str:
        """Return the query of an address that asks for this, with `changes`."""
        asked = {each.name: getattr(self, each.name) for each in fields(self)} | changes
        return urlencode({name: value for name, value in asked.items() if value})


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoffsShown:
    """The page: lines, how many there are (None: not counted), and where it goes on.

    `names` of people by key.
    """

    lines: tuple[HandoffListed, ...]
    total: int | None
    more: str
    names: Mapping[str, str]

    @property
    def bands(self) -> tuple[str, ...]:
        """Return the bands to choose from."""
        return tuple(sorted({one.band for one in self.lines if one.band}))


def router(site: Site) -> APIRouter:
    """Return the routes of the page."""
    routes = APIRouter()

    @routes.get("/handoffs", response_class=HTMLResponse)
    def handoffs(
        request: Request,
        asked: Annotated[Asked, Depends()],
        before: int | None = None,
        visitor: Visitor = site.reader(),
    ) -> HTMLResponse:
        now = site.clock.now()
        with site.ledger() as conn:
            shown = look(conn, asked, now, before=before)
        return _page(site, request, visitor, asked=asked, shown=shown, search="")

    @routes.post("/handoffs", response_class=HTMLResponse)
    def search(
        request: Request,
        asked: Annotated[Asked, Depends()],
        search: Annotated[str, Form(max_length=200)] = "",
        visitor: Visitor = site.reader(),
    ) -> HTMLResponse:
        refuse_other_sites(request)
        with site.ledger() as conn:
            shown = look(conn, asked, site.clock.now(), search=search)
        return _page(site, request, visitor, asked=asked, shown=shown, search=search)

    @routes.get("/handoffs.csv")
    def export(
        asked: Annotated[Asked, Depends()], _visitor: Visitor = site.reader()
    ) -> StreamingResponse:
        filters, now = asked.filters(), site.clock.now()
        with site.ledger():
            pass  # a ledger that is away is said before the file begins
        name = f"handoffs-{now:%Y-%m-%d}.csv"
        return StreamingResponse(
            _as_csv(site, filters, now),
            media_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    return routes


def look(
    conn: Connection, asked: Asked, now: datetime, *, before: int | None = None, search: str = ""
) -> HandoffsShown:
    """Read the page from the ledger."""
    filters = asked.filters()
    found = listed(conn, filters, now=now, limit=PAGE + 1, before_id=before, search=search)
    lines = tuple(found[:PAGE])
    first = before is None and not search
    goes_on = len(found) > PAGE and not search
    return HandoffsShown(
        lines=lines,
        total=counted(conn, filters, now=now, most=COUNTED) if first else None,
        more=asked.address(before=str(lines[-1].id)) if goes_on else "",
        names=names(conn),
    )


def _page(
    site: Site, request: Request, visitor: Visitor, *, asked: Asked, shown: Any, search: str
) -> HTMLResponse:
    views = [(name, urlencode(query), asked == replace(Asked(), **query)) for name, query in VIEWS]
    return site.page(
        request,
        visitor,
        "handoffs.html",
        asked=asked,
        shown=shown,
        search=search,
        views=views,
        states=STATES,
        counted=COUNTED,
    )


def _day(text: str) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise HTTPException(422, "A day is written as 2026-11-20.") from None


_COLUMNS: Final = (
    "key",
    "hubspot_id",
    "state",
    "origin",
    "band",
    "trigger",
    "score",
    "source",
    "name",
    "company",
    "owner",
    "pool",
    "hop",
    "decided_at",
    "assigned_at",
    "due",
    "first_touch_at",
    "disposition",
)


def _as_csv(site: Site, filters: Filters, now: datetime) -> Iterator[bytes]:
    """Yield the file a line at a time: a long one is never held as a whole."""
    yield "\ufeff".encode() + _row(_COLUMNS)
    with site.ledger() as conn:
        for one in every(conn, filters, now=now):
            yield _row(
                (
                    one.key,
                    one.hubspot_id,
                    one.state.value,
                    one.origin,
                    one.band,
                    one.trigger,
                    None if one.score_milli is None else one.score_milli / 1000,
                    one.source,
                    one.name,
                    one.company,
                    one.owner_key,
                    one.pool,
                    one.hop,
                    *(_instant(at) for at in (one.decided_at, one.assigned_at, one.due)),
                    _instant(one.first_touch_at),
                    one.disposition_code,
                )
            )


def _row(values: tuple[object, ...]) -> bytes:
    written = io.StringIO(newline="")
    csv.writer(written).writerow([harmless(value) for value in values])
    return written.getvalue().encode()


def _instant(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="seconds")
