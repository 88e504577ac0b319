"""One line of what waits for a person: whom it is about, what is the matter, since when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import singledispatch
from typing import Final

from baton.ledger.leads.judgement_queue import RE_CHECK, RELEASE
from baton.ledger.pages.page_review import (
    WaitingEffect,
    WaitingLead,
    WaitingOverride,
    WaitingPair,
)
from baton.pipeline.by_hand.admin_effect_actions import version_of_try
from baton.pipeline.by_hand.admin_lead_actions import version_of_state
from baton.web.pages.lead_words import HELD_FOR, KINDS, SIGNS, error_in_words
from baton.web.wording import words

_ASKED: Final = (RE_CHECK, RELEASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewLine:
    """One line. `value` is what its form sends: the key, and the version that is shown."""

    key: str
    value: str
    lead_id: int
    name: str
    company: str
    tag: str
    tone: str
    matter: tuple[str, ...]
    note: str
    at: datetime
    until: datetime | None = None
    band: str | None = None
    score_milli: int | None = None
    other_id: int | None = None
    other_name: str = ""
    other_company: str = ""


@singledispatch
def lines_of(one: object) -> ReviewLine:
    """Return one thing that waits as a line."""
    raise TypeError(f"{type(one).__name__} does not wait for anybody")


@lines_of.register
def _lead(one: WaitingLead) -> ReviewLine:
    version = version_of_state(one.state, one.timer_at, one.timer_action)
    held = HELD_FOR.get(one.held_for or "", words(one.held_for)) if one.held_for else ""
    return ReviewLine(
        key=str(one.id),
        value=f"{one.id}:{version}",
        lead_id=one.id,
        name=one.name or "",
        company=one.company or "",
        tag=held,
        tone="warn",
        matter=one.words,
        note=_note(one),
        at=one.state_since,
        until=None if one.timer_action in _ASKED else one.timer_at,
        band=one.band,
        score_milli=one.score_milli,
    )


def _note(one: WaitingLead) -> str:
    if one.timer_action in _ASKED:
        return "somebody asked for it: the next run judges it again"
    return f"waits for {one.waits_for}" if one.waits_for else ""


@lines_of.register
def _pair(one: WaitingPair) -> ReviewLine:
    key = f"{one.lead_id}-{one.other_id}"
    return ReviewLine(
        key=key,
        value=f"{key}:",
        lead_id=one.lead_id,
        name=one.name or "",
        company=one.company or "",
        tag=f"{one.confidence} % sure",
        tone="warn" if one.confidence >= 80 else "",
        matter=tuple(SIGNS.get(sign, words(sign)) for sign in one.signs),
        note="",
        at=one.found_at,
        other_id=one.other_id,
        other_name=one.other_name or "",
        other_company=one.other_company or "",
    )


@lines_of.register
def _override(one: WaitingOverride) -> ReviewLine:
    return ReviewLine(
        key=str(one.id),
        value=f"{one.id}:",
        lead_id=one.lead_id,
        name=one.name or "",
        company=one.company or "",
        tag=one.field,
        tone="",
        matter=(f"{one.ours or '(empty)'} → {one.theirs or '(empty)'}",),
        note=" · ".join(
            filter(None, (one.handoff_key, f"by {one.by_whom}" if one.by_whom else ""))
        ),
        at=one.at,
    )


@lines_of.register
def _effect(one: WaitingEffect) -> ReviewLine:
    error = error_in_words(one.last_error_code)
    raw = one.last_error or one.last_error_code or "no reason was given"
    return ReviewLine(
        key=str(one.id),
        value=f"{one.id}:{version_of_try(one.state, one.fence)}",
        lead_id=one.lead_id,
        name=one.name or "",
        company=one.company or "",
        tag=one.state,
        tone="warn" if one.state == "ambiguous" else "bad",
        matter=(KINDS.get(one.kind, words(one.kind)), error or raw[:300]),
        note=" · ".join(
            filter(None, (one.handoff_key, f"{one.attempts} tries", one.last_error_code))
        ),
        at=one.created_at,
    )
