"""Sync health: each connection, what waits and what failed, and the switch that stops all writes."""

from __future__ import annotations

import uuid
from typing import Annotated, Final

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from baton.errors import SettingsError
from baton.ledger.budget.daily_budget import BudgetTerms
from baton.ledger.pages.page_sync import actions_on
from baton.ledger.record.admin_actions import LONGEST_REASON
from baton.pipeline.by_hand import effects_switch
from baton.pipeline.by_hand.admin_requests import Refused, Why
from baton.pipeline.by_hand.effects_switch import SUBJECT, Asked
from baton.pipeline.today import sync_health
from baton.pipeline.today.morning_words import kind_in_words
from baton.web.access import Visitor
from baton.web.addresses import base_of
from baton.web.site import Site

_STATUS: Final = {Why.STALE: 409, Why.UNFIT: 422}
MOST_ENTRIES: Final = 5


def router(site: Site) -> APIRouter:
    """Return the routes of the page."""
    routes = APIRouter()

    @routes.get("/sync", response_class=HTMLResponse)
    def sync(request: Request, visitor: Visitor = site.reader()) -> HTMLResponse:
        return _page(site, request, visitor)

    @routes.post("/sync/{what}", response_class=HTMLResponse)
    def switch(
        request: Request,
        what: str,
        reason: Annotated[str, Form(max_length=4 * LONGEST_REASON)] = "",
        seen: Annotated[str, Form(max_length=60)] = "",
        form: Annotated[str, Form(max_length=60)] = "",
        visitor: Visitor = site.actor(),
    ) -> Response:
        if what not in ("stop", "resume") or not form:
            return _page(site, request, visitor, refused="That is nothing this page can do.")
        asked = Asked(stop=what == "stop", by=visitor.name, reason=reason, form=form, seen=seen)
        with site.ledger() as conn:
            outcome = effects_switch.switch_effects(conn, asked, at=site.clock.now())
        if isinstance(outcome, Refused):
            status = _STATUS.get(outcome.why, 409)
            return _page(site, request, visitor, refused=outcome.words, status=status)
        base = base_of(request)
        # 303: the browser fetches the page anew, so that a reload sends nothing again.
        return RedirectResponse(f"{base}/sync", 303)

    return routes


def _page(
    site: Site, request: Request, visitor: Visitor, *, refused: str = "", status: int = 0
) -> HTMLResponse:
    now = site.clock.now()
    try:
        settings = site.settings()
        mode, wrong = settings.mode.value, ""
        terms = BudgetTerms(reserve=settings.hot_reserve)
    except SettingsError as error:
        mode, wrong, terms = "unknown", str(error), BudgetTerms()
    with site.ledger() as conn:
        health = sync_health.read(conn, now, terms)
        entries = actions_on(conn, SUBJECT, limit=MOST_ENTRIES)
    return site.page(
        request,
        visitor,
        "sync.html",
        status=status or (422 if refused else 200),
        health=health,
        mode=mode,
        wrong=wrong,
        refused=refused,
        entries=entries,
        form=uuid.uuid4().hex,
        longest=LONGEST_REASON,
        kind=kind_in_words,
    )
