"""Review: what waits for a person, worked through line by line or many at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy import Connection

from baton.ledger.pages import page_review
from baton.ledger.record import admin_actions
from baton.ledger.record.admin_actions import AdminAction
from baton.pipeline.by_hand.admin_actions import carry_out
from baton.pipeline.by_hand.admin_requests import (
    Action,
    ActionKind,
    Done,
    Refused,
    RefusedError,
    Subject,
    SubjectKind,
    checked_reason,
)
from baton.web.access import Visitor
from baton.web.addresses import base_of
from baton.web.pages.lead import new_form
from baton.web.pages.lead_actions import form_name, hand_of
from baton.web.pages.review_lines import ReviewLine, lines_of
from baton.web.site import Site

PAGE: Final = 50
AT_ONCE: Final = 200
"""The most that one form can do."""


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that a tab offers: what it is called, what is asked for, what becomes of it."""

    name: str
    label: str
    kind: ActionKind
    to: str = ""
    about: str = ""


@dataclass(frozen=True, slots=True)
class Tab:
    """One kind of what waits. The first deed is the one that each line offers."""

    key: str
    title: str
    about: str
    empty: str
    subject: SubjectKind
    deeds: tuple[Deed, ...]

    def deed(self, name: str) -> Deed:
        """Return a deed by its name. Raises HTTPException 422."""
        for one in self.deeds:
            if one.name == name:
                return one
        raise HTTPException(422, "Nothing was done: this cannot be done here.")


_RE_CHECK: Final = Deed(
    "re-check", "Re-check", ActionKind.RE_CHECK, about="is read from HubSpot and judged again"
)
_RELEASE: Final = Deed(
    "release", "Let pass", ActionKind.RELEASE, about="is judged by the next run, whatever held it"
)
_TO_MARKETING: Final = Deed(
    "nurture", "Dismiss to marketing", ActionKind.DISMISS, "nurture", "stays with marketing"
)
_NEVER: Final = Deed(
    "suppress",
    "Never hand over",
    ActionKind.DISMISS,
    "suppressed",
    "is not handed over, until it changes in HubSpot",
)

TABS: Final = (
    Tab(
        "quarantine",
        "Quarantine",
        "Leads whose data is not good enough. Mend them in HubSpot; they come back by themselves, or "
        "at once with Re-check.",
        "No lead is in quarantine",
        SubjectKind.LEAD,
        (_RE_CHECK, _TO_MARKETING, _NEVER),
    ),
    Tab(
        "unrouted",
        "Unrouted",
        "Leads that could be handed over, and wait: for somebody who is there, for a rule, or for you.",
        "No lead waits for an owner",
        SubjectKind.LEAD,
        (_RELEASE, _RE_CHECK, _TO_MARKETING),
    ),
    Tab(
        "accounts",
        "Ambiguous accounts",
        "Several accounts in Salesforce fit. Merge or mend them there, then Re-check; or let it pass "
        "without an account.",
        "Every lead's account is clear",
        SubjectKind.LEAD,
        (_RE_CHECK, _RELEASE, _TO_MARKETING),
    ),
    Tab(
        "duplicates",
        "Duplicates",
        "Two contacts that may be one person. Merge them in HubSpot, or say that they are two.",
        "No two contacts look like one person",
        SubjectKind.DUPLICATE,
        (Deed("two", "Two people", ActionKind.DISMISS, about="is noted as two people"),),
    ),
    Tab(
        "overrides",
        "Human edits",
        "What sales changed after Baton wrote it. Their edit stays; look whether the policy should "
        "learn from it.",
        "Sales changed nothing after us",
        SubjectKind.OVERRIDE,
        (Deed("seen", "Seen", ActionKind.DISMISS, about="leaves this list"),),
    ),
    Tab(
        "effects",
        "Failed writes",
        "What could not be written or sent. Mend the cause, then try again; what may have gone out is "
        "looked up first.",
        "Everything went out",
        SubjectKind.EFFECT,
        (
            Deed("retry", "Try again", ActionKind.RETRY, about="goes out with the next delivery"),
            Deed(
                "give-up",
                "Give up",
                ActionKind.DISMISS,
                "superseded",
                "is not tried again; what depends on it goes on",
            ),
        ),
    ),
)
_BY_KEY: Final[Mapping[str, Tab]] = {one.key: one for one in TABS}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewShown:
    """The page: the tabs with how much waits, and one tab's lines."""

    tab: Tab
    counts: Mapping[str, int]
    lines: tuple[ReviewLine, ...]
    more: str
    reasons: tuple[tuple[str, int], ...]
    reason: str


def router(site: Site) -> APIRouter:
    """Return the routes of the page."""
    routes = APIRouter()

    @routes.get("/review", response_class=HTMLResponse)
    def review(
        request: Request,
        tab: str = "",
        before: str = "",
        reason: str = "",
        after: str = "",
        visitor: Visitor = site.reader(),
    ) -> HTMLResponse:
        with site.ledger() as conn:
            shown = look(conn, tab, before=before, reason=reason)
            said = admin_actions.of_one_form(conn, after, limit=AT_ONCE) if after else []
        return site.page(
            request,
            visitor,
            "review.html",
            tabs=TABS,
            shown=shown,
            said=_said(said),
            form=new_form(),
            counted=page_review.COUNTED,
            at_once=AT_ONCE,
        )

    @routes.post("/review/{tab}", response_class=HTMLResponse)
    def act(
        request: Request,
        tab: str,
        chosen: Annotated[list[str] | None, Form()] = None,
        only: Annotated[str, Form()] = "",
        deed: Annotated[str, Form()] = "",
        reason: Annotated[str, Form()] = "",
        form: Annotated[str, Form()] = "",
        confirmed: Annotated[str, Form()] = "",
        visitor: Visitor = site.actor(),
    ) -> Response:
        here = _tab(tab)
        wanted = here.deed(deed) if deed and not only else here.deeds[0]
        values = [only] if only else (chosen or [])
        subjects = _subjects(here, values)
        _check(subjects, reason)
        if len(subjects) > 1 and not confirmed:
            return site.page(
                request,
                visitor,
                "review_sure.html",
                tab=here,
                deed=wanted,
                chosen=values,
                reason=reason,
                form=form_name(form),
            )
        hand = hand_of(site)
        for subject, seen in subjects:
            action = Action(
                kind=wanted.kind,
                subject=subject,
                by=visitor.name,
                reason=reason,
                form=form_name(form),
                seen=seen,
                to=wanted.to,
            )
            outcome = carry_out(site.ledger, hand, action)
            _nothing_recorded(outcome, alone=len(subjects) == 1)
        base = base_of(request)
        return RedirectResponse(f"{base}/review?tab={here.key}&after={form}", 303)

    return routes


def look(conn: Connection, tab: str, *, before: str = "", reason: str = "") -> ReviewShown:
    """Read the page from the ledger; without `tab` the first one where something waits."""
    counts = page_review.counts(conn)
    first = next((one for one in TABS if counts[one.key]), TABS[0])
    here = _tab(tab) if tab else first
    found = _READ[here.key](conn, before, reason[:80])
    lines = tuple(lines_of(one) for one in found[:PAGE])
    asked = {"tab": here.key, "reason": reason, "before": lines[-1].key if lines else ""}
    goes_on = len(found) > PAGE
    return ReviewShown(
        tab=here,
        counts=counts,
        lines=lines,
        more=urlencode({k: v for k, v in asked.items() if v}) if goes_on else "",
        reasons=tuple(page_review.held_reasons(conn)) if here.key == "unrouted" else (),
        reason=reason,
    )


def _tab(key: str) -> Tab:
    found = _BY_KEY.get(key)
    if found is None:
        raise HTTPException(404, "There is no such list to review.")
    return found


def _number(before: str) -> int | None:
    if not before:
        return None
    if not (before.isascii() and before.isdecimal() and len(before) < 19):
        raise HTTPException(422, "The address says something that this page cannot read.")
    return int(before)


def _pair(before: str) -> tuple[int, int] | None:
    first, dash, other = before.partition("-")
    if not before:
        return None
    low, high = _number(first), _number(other)
    if not dash or low is None or high is None:
        raise HTTPException(422, "The address says something that this page cannot read.")
    return low, high


_READ: Final[Mapping[str, Callable[[Connection, str, str], Sequence[Any]]]] = {
    "quarantine": lambda conn, before, _: page_review.quarantined(
        conn, limit=PAGE + 1, before=_number(before)
    ),
    "unrouted": lambda conn, before, reason: page_review.unrouted(
        conn, limit=PAGE + 1, before=_number(before), reason=reason
    ),
    "accounts": lambda conn, before, _: page_review.ambiguous_accounts(
        conn, limit=PAGE + 1, before=_number(before)
    ),
    "duplicates": lambda conn, before, _: page_review.pairs(
        conn, limit=PAGE + 1, before=_pair(before)
    ),
    "overrides": lambda conn, before, _: page_review.overrides(
        conn, limit=PAGE + 1, before=_number(before)
    ),
    "effects": lambda conn, before, _: page_review.failed_effects(
        conn, limit=PAGE + 1, before=_number(before)
    ),
}


def _subjects(tab: Tab, values: Sequence[str]) -> list[tuple[Subject, str]]:
    """Return what was chosen with the version shown, each once. Raises HTTPException 422."""
    found: dict[str, tuple[Subject, str]] = {}
    for value in values[: 2 * AT_ONCE]:
        key, _, seen = value.partition(":")
        if tab.subject is SubjectKind.DUPLICATE:
            pair = _pair(key)
            number, other = pair if pair else (None, None)
        else:
            number, other = _number(key), None
        if number is None:
            raise HTTPException(422, "Nothing was done: the form is not whole. Reload the page.")
        subject = Subject(tab.subject, number, other)
        found[str(subject)] = (subject, seen[:400])
    return list(found.values())


def _check(subjects: Sequence[tuple[Subject, str]], reason: str) -> None:
    """Raise HTTPException 422 where there is nothing to do, too much, or no reason."""
    if not subjects:
        raise HTTPException(422, "Nothing was done: choose at least one line.")
    if len(subjects) > AT_ONCE:
        raise HTTPException(422, f"Nothing was done: at most {AT_ONCE} lines at once.")
    try:
        checked_reason(reason)
    except RefusedError as refusal:
        raise HTTPException(422, f"Nothing was done. {refusal.words}") from None


def _nothing_recorded(outcome: Done | Refused, *, alone: bool) -> None:
    """Raise HTTPException 404 for a single line about nothing that there is."""
    if alone and isinstance(outcome, Refused) and outcome.entry is None:
        raise HTTPException(404, f"Nothing was done. {outcome.words}")


@dataclass(frozen=True, slots=True)
class Said:
    """What a form came to."""

    done: int
    words: tuple[str, ...]
    refused: tuple[AdminAction, ...]


def _said(entries: Sequence[AdminAction]) -> Said | None:
    if not entries:
        return None
    done = [one for one in entries if one.result == "done"]
    return Said(
        len(done),
        tuple(dict.fromkeys(one.words for one in done))[:3],
        tuple(one for one in entries if one.result == "refused"),
    )
