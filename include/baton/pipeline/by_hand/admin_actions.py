"""What people do by hand on the pages: guarded against stale pages, safe twice, recorded.

Everything goes through the same functions of the ledger and the same outbox as what the chain does
by itself; nothing outside is called. A lead that has to be read anew is put before the next run.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from baton.errors import ConfigurationError, IllegalTransitionError, StaleLeaseError
from baton.leads.states import FINAL_LEAD_STATES, LeadState
from baton.ledger.effects import effects
from baton.ledger.handoffs import overrides
from baton.ledger.leads import leads
from baton.ledger.record import admin_actions
from baton.ledger.record.admin_actions import AdminAction, NewAdminAction
from baton.pipeline.by_hand.admin_effect_actions import act_on_effect, version_of_effect
from baton.pipeline.by_hand.admin_item_actions import dismiss_duplicate, dismiss_override
from baton.pipeline.by_hand.admin_lead_actions import (
    act_on_lead,
    open_passing,
    version_of_lead,
)
from baton.pipeline.by_hand.admin_requests import (
    POSSIBLE,
    Action,
    ByHand,
    Done,
    Refused,
    RefusedError,
    Subject,
    SubjectKind,
    Why,
    checked_reason,
)

logger = logging.getLogger(__name__)

__all__ = ["carry_out", "perform", "version"]

MOST_TRIES = 3
_AGAIN: Final = ("40001", "40P01")
"""Two transactions could not be put in an order, or waited for each other."""
_LOCKED: Final = "55P03"
_WAIT: Final = "4s"
"""How long a person waits for what a run holds, before being told to try again."""

Ledger = Callable[[], AbstractContextManager[Connection]]


@dataclass(frozen=True, slots=True)
class _About:
    """What an entry points at besides its subject."""

    lead_id: int | None = None
    handoff_id: int | None = None
    effect_id: int | None = None
    gone: str = ""


def carry_out(ledger: Ledger, hand: ByHand, action: Action) -> Done | Refused:
    """Do what somebody asks for, in a transaction of its own.

    Raises LedgerUnavailableError.
    """
    for left in reversed(range(MOST_TRIES)):
        try:
            with ledger() as conn:
                conn.execute(text(f"SET LOCAL lock_timeout = '{_WAIT}'"))
                return perform(conn, hand, action)
        except DBAPIError as error:
            state = getattr(error.orig, "sqlstate", None)
            if state == _LOCKED or (state in _AGAIN and not left):
                break
            if state not in _AGAIN:
                raise
    with ledger() as conn:
        words = "A run is working on it at this moment. Try again in a few seconds."
        # It points at nothing: the row that it would point at is the one that is held.
        return _refused(conn, hand, action, _About(), RefusedError(Why.BUSY, words))


def perform(conn: Connection, hand: ByHand, action: Action) -> Done | Refused:
    """Do what somebody asks for in the caller's transaction; everything or nothing is done.

    Adds one entry to the record, done or refused, unless what was asked for makes no sense or is
    about nothing that there is.
    """
    subject = str(action.subject)
    try:
        action = _checked(action)
    except RefusedError as refusal:
        return Refused(refusal.words, refusal.why)
    admin_actions.lock(conn, subject)
    before = admin_actions.of_form(conn, action.form, subject)
    if before is not None:
        return _as_before(before)
    about = _about(conn, action.subject)
    if about is None:
        return Refused(f"There is no {subject} in the ledger.", Why.UNKNOWN)
    try:
        with conn.begin_nested():
            words = _act(conn, hand, action, about)
    except RefusedError as refusal:
        return _refused(conn, hand, action, about, refusal)
    except (IllegalTransitionError, StaleLeaseError) as error:
        words = f"It changed a moment ago: {error}."
        return _refused(conn, hand, action, about, RefusedError(Why.STALE, words))
    except ConfigurationError as error:
        return _refused(conn, hand, action, about, RefusedError(Why.IMPOSSIBLE, str(error)))
    entry = admin_actions.record(conn, _entry(hand, action, about, "done", words))
    logger.info("%s of %s by hand, entry %d", action.kind, subject, entry)
    return Done(words, entry)


def _checked(action: Action) -> Action:
    if action.kind not in POSSIBLE[action.subject.kind]:
        raise RefusedError(Why.UNFIT, f"'{action.kind}' cannot be done to {action.subject}.")
    return replace(action, reason=checked_reason(action.reason))


def _act(conn: Connection, hand: ByHand, action: Action, about: _About) -> str:
    if about.gone:
        raise RefusedError(Why.GONE, about.gone)
    return _WAYS[action.subject.kind](conn, hand, action)


def version(conn: Connection, subject: Subject) -> str:
    """Return the state that a form on a subject is to carry; empty where there is no such one."""
    if subject.kind is SubjectKind.LEAD:
        row = leads.get(conn, subject.id)
        return version_of_lead(row, open_passing(conn, row.id)) if row else ""
    if subject.kind is SubjectKind.EFFECT:
        found = effects.get(conn, subject.id)
        return version_of_effect(found) if found else ""
    return ""


def _about(conn: Connection, subject: Subject) -> _About | None:
    """Return what an entry on a subject points at; None where there is no such subject."""
    if subject.kind is SubjectKind.EFFECT:
        found = effects.get(conn, subject.id)
        if found is None:
            return None
        return _About(found.lead_id, found.handoff_id, found.id, _gone(conn, found.lead_id))
    if subject.kind is SubjectKind.OVERRIDE:
        one = overrides.get(conn, subject.id)
        return _About(one.lead_id, one.handoff_id) if one else None
    row = leads.get(conn, subject.id)
    if row is None:
        return None
    passing = open_passing(conn, row.id)
    return _About(row.id, passing.handoff.id if passing else None, None, _gone(conn, row.id))


def _gone(conn: Connection, lead_id: int) -> str:
    row = leads.get(conn, lead_id)
    if row is None or row.state not in FINAL_LEAD_STATES:
        return ""
    if row.state is LeadState.MERGED:
        return f"Lead {lead_id} was merged into lead {row.merged_into} in HubSpot."
    return f"Lead {lead_id} was forgotten: nothing can be done with it any more."


def _as_before(entry: AdminAction) -> Done | Refused:
    if entry.result == "done":
        return Done(entry.words, entry.id, again=True)
    return Refused(entry.words, Why.STALE, entry.id)


def _refused(
    conn: Connection,
    hand: ByHand,
    action: Action,
    about: _About | None,
    refusal: RefusedError,
) -> Refused:
    if refusal.why is Why.UNFIT or about is None:
        return Refused(refusal.words, refusal.why)
    new = _entry(hand, action, about, "refused", refusal.words)
    if admin_actions.of_form(conn, new.form, new.subject) is not None:
        return Refused(refusal.words, refusal.why)
    return Refused(refusal.words, refusal.why, admin_actions.record(conn, new))


def _entry(hand: ByHand, action: Action, about: _About, result: str, words: str) -> NewAdminAction:
    return NewAdminAction(
        at=hand.clock.now(),
        by_whom=action.by,
        action=action.kind.value,
        subject=str(action.subject),
        reason=action.reason,
        form=action.form,
        seen=action.seen,
        result=result,
        words=words,
        lead_id=about.lead_id,
        handoff_id=about.handoff_id,
        effect_id=about.effect_id,
    )


_WAYS: Final[Mapping[SubjectKind, Callable[[Connection, ByHand, Action], str]]] = {
    SubjectKind.LEAD: act_on_lead,
    SubjectKind.EFFECT: act_on_effect,
    SubjectKind.DUPLICATE: dismiss_duplicate,
    SubjectKind.OVERRIDE: dismiss_override,
}
