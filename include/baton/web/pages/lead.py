"""One lead: what the rep got, why, what happened, and what can be done about it by hand."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Final

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy import Connection

from baton.decision.explanation import Passage
from baton.errors import ConfigurationError
from baton.leads.states import LeadState
from baton.ledger.leads import leads
from baton.ledger.leads.leads import LeadRow
from baton.ledger.record import admin_actions
from baton.ledger.record.admin_actions import AdminAction
from baton.pipeline.intake.lead_lookup import Found, find_lead
from baton.pipeline.past.explain import explain_lead, with_names
from baton.pipeline.versions.agreements import current_roster
from baton.web.access import DAG, Visitor
from baton.web.addresses import base_of
from baton.web.pages.lead_look import LeadShown, look, timeline_page
from baton.web.pages.lead_words import HELD_FOR, SIGNS
from baton.web.site import Site

GONE: Final = 410
_LARGEST: Final = 2**62


def router(site: Site) -> APIRouter:
    """Return the routes that show a lead; `lead_actions` has those that change it."""
    routes = APIRouter()

    @routes.get("/lead/by-key/{key}")
    def by_key(request: Request, key: str, _visitor: Visitor = site.reader()) -> Response:
        return _redirect(site, request, key.strip().upper())

    @routes.get("/lead/by-hubspot/{hubspot_id}")
    def by_hubspot(
        request: Request, hubspot_id: str, _visitor: Visitor = site.reader()
    ) -> Response:
        return _redirect(site, request, hubspot_id.strip())

    @routes.get("/lead/{lead_id}", response_class=HTMLResponse)
    def lead(
        request: Request,
        lead_id: int,
        decision: int | None = None,
        after: str = "",
        visitor: Visitor = site.reader(),
    ) -> HTMLResponse:
        now = site.clock.now()
        with site.ledger() as conn:
            shown = look(conn, _id(lead_id), now, decision_id=decision)
            if shown is None:
                raise _unknown(lead_id)
            said = admin_actions.of_one_form(conn, after, limit=1) if after else []
            people = _people(conn)
        if shown.gone:
            return gone(site, request, visitor, shown.row)
        return _page(site, request, visitor, shown, said=said, people=people, now=now)

    @routes.get("/lead/{lead_id}/timeline", response_class=HTMLResponse)
    def older(
        request: Request, lead_id: int, before: str = "", visitor: Visitor = site.reader()
    ) -> HTMLResponse:
        with site.ledger() as conn:
            row = _known(conn, lead_id)
            lines, more = timeline_page(conn, lead_id, before=before)
        template = "lead_timeline_part.html" if _is_part(request) else "lead_timeline.html"
        return site.page(
            request, visitor, template, row=row, lines=lines, more=more, lead_id=lead_id
        )

    @routes.get("/lead/{lead_id}/smallest-change", response_class=HTMLResponse)
    def smallest(
        request: Request,
        lead_id: int,
        decision: int | None = None,
        visitor: Visitor = site.reader(),
    ) -> HTMLResponse:
        with site.ledger() as conn:
            row = _known(conn, lead_id)
            found = _answer(conn, row, decision, None)
        return _answered(site, request, visitor, row, "What would have altered it", found)

    @routes.get("/lead/{lead_id}/why", response_class=HTMLResponse)
    def why_not(
        request: Request,
        lead_id: int,
        rep: str = "",
        decision: int | None = None,
        visitor: Visitor = site.reader(),
    ) -> HTMLResponse:
        with site.ledger() as conn:
            row = _known(conn, lead_id)
            found = _answer(conn, row, decision, rep.strip().lower()[:320])
        return _answered(site, request, visitor, row, "Why a colleague and not I", found)

    return routes


def gone(site: Site, request: Request, visitor: Visitor, row: LeadRow) -> HTMLResponse:
    """Return the page of a lead that was forgotten, or merged into another."""
    merged = row.state is LeadState.MERGED
    return site.page(
        request,
        visitor,
        "lead_gone.html",
        status=GONE,
        row=row,
        other=row.merged_into if merged else None,
    )


def new_form() -> str:
    """Return the name of one form: whatever it asks for is done once."""
    return secrets.token_urlsafe(16)


def _redirect(site: Site, request: Request, text: str) -> Response:
    if "@" in text:
        raise HTTPException(422, "An address may name a lead by a key or an id, never by e-mail.")
    with site.ledger() as conn:
        try:
            found = find_lead(conn, text)
        except ConfigurationError as error:
            raise HTTPException(404, f"{str(error).capitalize()}.") from None
    return RedirectResponse(f"{base_of(request)}/lead/{found.lead_id}", 303)


def _id(lead_id: int) -> int:
    """Return an id that the ledger can look for. Raises HTTPException 404."""
    if not 0 < lead_id < _LARGEST:
        raise _unknown(lead_id)
    return lead_id


def _unknown(lead_id: int) -> HTTPException:
    return HTTPException(404, f"There is no lead {lead_id} in the ledger.")


def _known(conn: Connection, lead_id: int) -> LeadRow:
    row = leads.get(conn, _id(lead_id))
    if row is None:
        raise _unknown(lead_id)
    return row


def _people(conn: Connection) -> tuple[tuple[str, str], ...]:
    try:
        roster = current_roster(conn)
    except ConfigurationError:
        return ()
    return tuple(sorted(((one.key, one.name) for one in roster.people), key=lambda one: one[1]))


def _answer(
    conn: Connection, row: LeadRow, decision_id: int | None, rep: str | None
) -> Passage | None:
    """Return what would have altered a decision, or why a person did not get the lead."""
    found = Found(row.id, row.hubspot_id)
    if rep == "":
        raise HTTPException(422, "Choose a colleague.")
    try:
        told = with_names(conn, explain_lead(conn, found, decision_id=decision_id, rep=rep))
    except ConfigurationError as error:
        return Passage("trouble", "This cannot be explained", (str(error),))
    return told.explanation.passage("changes" if rep is None else "rep")


def _answered(
    site: Site,
    request: Request,
    visitor: Visitor,
    row: LeadRow,
    title: str,
    found: Passage | None,
) -> HTMLResponse:
    template = "lead_answer_part.html" if _is_part(request) else "lead_answer.html"
    return site.page(request, visitor, template, row=row, title=title, found=found)


def _is_part(request: Request) -> bool:
    return request.headers.get("hx-request") == "true"


def _page(
    site: Site,
    request: Request,
    visitor: Visitor,
    shown: LeadShown,
    *,
    said: list[AdminAction],
    people: tuple[tuple[str, str], ...],
    now: datetime,
) -> HTMLResponse:
    mine = [one for one in said if one.lead_id == shown.row.id]
    return site.page(
        request,
        visitor,
        "lead.html",
        lead=shown,
        said=mine[0] if mine else None,
        people=people,
        form=new_form(),
        shown_at=now,
        held_for=HELD_FOR,
        signs=SIGNS,
        dag=DAG,
    )
