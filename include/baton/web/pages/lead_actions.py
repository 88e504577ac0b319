"""What can be done by hand with a lead or an effect. Every form is sealed and carries what it showed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response

from baton.ledger.effects import effects
from baton.ledger.leads import leads
from baton.ledger.pages.page_lead import timeline
from baton.pipeline.by_hand.admin_actions import carry_out
from baton.pipeline.by_hand.admin_requests import (
    Action,
    ActionKind,
    ByHand,
    Done,
    Refused,
    Subject,
    SubjectKind,
    Why,
)
from baton.web.access import Visitor
from baton.web.addresses import base_of
from baton.web.pages.lead import gone
from baton.web.pages.lead_words import Line, line_of
from baton.web.site import Site

_FORM: Final = re.compile(r"[\w-]{8,64}", re.ASCII)
_LARGEST: Final = 2**62

STATUS: Final[Mapping[Why, int]] = {
    Why.UNFIT: 422,
    Why.UNKNOWN: 404,
    Why.GONE: 410,
    Why.STALE: 409,
    Why.IMPOSSIBLE: 409,
    Why.BUSY: 409,
}
TITLES: Final[Mapping[Why, str]] = {
    Why.UNFIT: "Something is missing",
    Why.UNKNOWN: "There is no such thing",
    Why.GONE: "This lead is gone",
    Why.STALE: "Somebody was quicker",
    Why.IMPOSSIBLE: "That is not possible now",
    Why.BUSY: "One moment",
}


class OnLead(StrEnum):
    """What an address can ask for about a lead."""

    REASSIGN = "reassign"
    HOLD = "hold"
    RELEASE = "release"
    RE_CHECK = "re-check"
    DISMISS = "dismiss"


class OnEffect(StrEnum):
    """What an address can ask for about an effect."""

    RETRY = "retry"
    RELEASE = "release"
    DISMISS = "dismiss"


@dataclass(frozen=True, slots=True)
class Sent:
    """What a form says."""

    reason: Annotated[str, Form()] = ""
    form: Annotated[str, Form()] = ""
    seen: Annotated[str, Form()] = ""
    shown_at: Annotated[str, Form()] = ""
    to: Annotated[str, Form()] = ""
    until: Annotated[str, Form()] = ""

    def action(self, kind: ActionKind, subject: Subject, by: str) -> Action:
        """Return what is asked for. Raises HTTPException 422."""
        return Action(
            kind=kind,
            subject=subject,
            by=by,
            reason=self.reason,
            form=form_name(self.form),
            seen=self.seen[:400],
            to=self.to[:400],
            until=_instant(self.until),
        )


def router(site: Site) -> APIRouter:
    """Return the routes."""
    routes = APIRouter()

    @routes.post("/lead/{lead_id}/{what}")
    def on_lead(
        request: Request,
        lead_id: int,
        what: OnLead,
        sent: Annotated[Sent, Depends()],
        visitor: Visitor = site.actor(),
    ) -> Response:
        kind = ActionKind(what.value.replace("-", "_"))
        subject = Subject(SubjectKind.LEAD, _id(lead_id))
        return _do(site, request, visitor, sent, sent.action(kind, subject, visitor.name))

    @routes.post("/effect/{effect_id}/{what}")
    def on_effect(
        request: Request,
        effect_id: int,
        what: OnEffect,
        sent: Annotated[Sent, Depends()],
        visitor: Visitor = site.actor(),
    ) -> Response:
        subject = Subject(SubjectKind.EFFECT, _id(effect_id))
        action = sent.action(ActionKind(what.value), subject, visitor.name)
        return _do(site, request, visitor, sent, action)

    return routes


def hand_of(site: Site) -> ByHand:
    """Return clock and mode of whoever acts on the pages."""
    return ByHand(site.clock, site.settings().mode)


def form_name(text: str) -> str:
    """Return the name of the form that was sent. Raises HTTPException 422."""
    if not _FORM.fullmatch(text):
        raise HTTPException(422, "Nothing was done: the form is not whole. Reload the page.")
    return text


def _id(number: int) -> int:
    if not 0 < number < _LARGEST:
        raise HTTPException(404, "There is no such lead or effect in the ledger.")
    return number


def _instant(text: str) -> datetime | None:
    """Return an instant as a form gives it: UTC, to the minute."""
    if not text:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M").replace(tzinfo=UTC)
    except ValueError:
        raise HTTPException(422, "A time is written as 2026-11-20T09:00, in UTC.") from None


def _do(site: Site, request: Request, visitor: Visitor, sent: Sent, action: Action) -> Response:
    outcome = carry_out(site.ledger, hand_of(site), action)
    lead_id = _lead_of(site, action.subject)
    if isinstance(outcome, Done):
        base = base_of(request)
        return RedirectResponse(f"{base}/lead/{lead_id}?after={action.form}", 303)
    return _refused(site, request, visitor, sent, outcome, lead_id)


def _lead_of(site: Site, subject: Subject) -> int | None:
    if subject.kind is SubjectKind.LEAD:
        return subject.id
    with site.ledger() as conn:
        found = effects.get(conn, subject.id)
    return found.lead_id if found else None


def _refused(
    site: Site,
    request: Request,
    visitor: Visitor,
    sent: Sent,
    outcome: Refused,
    lead_id: int | None,
) -> Response:
    lines: tuple[Line, ...] = ()
    with site.ledger() as conn:
        row = leads.get(conn, lead_id) if lead_id is not None else None
        if row is not None and outcome.why is Why.STALE:
            events = timeline(conn, row.id, limit=9, since=_shown_at(sent.shown_at))
            lines = tuple(line_of(one) for one in events if one.id != outcome.entry)
    if row is not None and outcome.why is Why.GONE:
        return gone(site, request, visitor, row)
    return site.page(
        request,
        visitor,
        "not_done.html",
        status=STATUS[outcome.why],
        title=TITLES[outcome.why],
        words=outcome.words,
        lines=lines,
        stale=outcome.why is Why.STALE,
        lead_id=row.id if row is not None else None,
        reason=sent.reason[:600],
    )


def _shown_at(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else None
