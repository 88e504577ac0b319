"""Team: who is here, how much everybody has, and whether the pools were fair.

Somebody is marked away here in seconds, by the functions behind `baton roster away`.
"""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from baton.errors import PolicyErrors, SettingsError
from baton.ledger.agreements.rosters import StaleRosterError
from baton.ledger.record.admin_actions import LONGEST_REASON
from baton.pipeline.by_hand.admin_requests import RefusedError
from baton.pipeline.by_hand.roster_by_hand import PresenceAsked, Until, change_presence
from baton.web.access import Visitor
from baton.web.addresses import base_of
from baton.web.pages.team_look import look
from baton.web.site import Site
from baton.web.windows import LENGTHS, WindowAsked


def router(site: Site) -> APIRouter:
    """Return the routes of the page."""
    routes = APIRouter()

    @routes.get("/team", response_class=HTMLResponse)
    def team(
        request: Request,
        asked: Annotated[WindowAsked, Depends()],
        person: str = "",
        done: str = "",
        visitor: Visitor = site.reader(),
    ) -> HTMLResponse:
        now = site.clock.now()
        window = asked.window(now)
        with site.ledger() as conn:
            shown = look(conn, now, window)
        return site.page(
            request,
            visitor,
            "team.html",
            shown=shown,
            window=window,
            lengths=LENGTHS,
            chosen=person.lower(),
            done=_DONE.get(done, ""),
            longest=LONGEST_REASON,
        )

    @routes.post("/team/presence", response_model=None)
    def presence(
        request: Request,
        visitor: Visitor = site.actor(),
        person: Annotated[str, Form(max_length=320)] = "",
        until: Annotated[str, Form(max_length=20)] = "",
        day: Annotated[str, Form(max_length=20)] = "",
        reason: Annotated[str, Form(max_length=5000)] = "",
        seen: Annotated[str, Form(max_length=100)] = "",
    ) -> RedirectResponse:
        asked = PresenceAsked(
            person=person.strip(),
            until=_until(until),
            day=day if until == Until.DATE else "",
            reason=reason,
            by=visitor.name,
            seen=seen,
        )
        done = _carried_out(site, asked)
        base = base_of(request)
        return RedirectResponse(f"{base}/team?{urlencode({'done': done})}", status_code=303)

    return routes


_DONE = {
    "away": "Marked away: no new lead goes there until then. Open leads and their clocks stay.",
    "back": "Back: leads go there again from now on.",
    "so": "It is so already: nothing was changed.",
}
_BACK = "back"


def _until(text: str) -> Until | None:
    if text == _BACK:
        return None
    try:
        return Until(text)
    except ValueError:
        raise HTTPException(422, "Say until when: today, tomorrow, or a date.") from None


def _carried_out(site: Site, asked: PresenceAsked) -> str:
    """Do it and return which of _DONE to say. Raises HTTPException 409 or 422 in words."""
    try:
        with site.ledger() as conn:
            edited = change_presence(conn, asked, site.clock.now())
    except StaleRosterError as error:
        raise HTTPException(409, f"Nothing was done: {error}. Look at the team again.") from None
    except RefusedError as refusal:
        raise HTTPException(422, refusal.words) from None
    except (SettingsError, PolicyErrors) as error:
        raise HTTPException(422, f"Nothing was done: {error}.") from None
    if not edited.changes:
        return "so"
    return "back" if asked.until is None else "away"
