"""A lead in a course of events that is only thought of: its history there, where the two part.

As long as both courses agree on a lead nothing is kept of it. What sales answered is taken over
while both have the same handoff, whoever owns it; where only the other course hands a lead off,
nobody knows the answer: the handoff is open for a while, then the lead is marketing's again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from baton.decision.decision import Decision, DecisionOutcome
from baton.leads.history import LeadHistory, OpenHandoff
from baton.leads.states import FINAL_LEAD_STATES, LeadState
from baton.routing.ladder import Owner, OwnerKind

__all__ = ["OtherCourse", "follow", "history_there"]


@dataclass(frozen=True, slots=True)
class OtherCourse:
    """Where a lead stands in the other course.

    `together`: both courses are at the same handoff, or at none. `owners` says by who had it here
    who had it there (None: a queue), `newest` whom the newest handoff of both went to there. What
    follows counts only while the courses are apart: `holder` has a handoff that is open only
    there. `handoffs`: how many more there were there than here.
    """

    together: bool = True
    owners: Mapping[str, str | None] = field(default_factory=dict)
    newest: Owner | None = None
    handoffs: int = 0
    band: str | None = None
    state: LeadState = LeadState.SEEN
    holder: Owner | None = None
    held_until: datetime | None = None
    had_it: tuple[str, ...] = ()
    last_trigger_at: datetime | None = None

    def holds(self, at: datetime) -> bool:
        """Tell whether a handoff is open there that is not open here."""
        open_still = self.held_until is None or at < self.held_until
        return not self.together and self.holder is not None and open_still


def history_there(here: LeadHistory, course: OtherCourse | None, at: datetime) -> LeadHistory:
    """Return a lead's history in the other course, from the one here."""
    if course is None or here.state in FINAL_LEAD_STATES:
        return here
    cycle = max(0, here.cycle + course.handoffs)
    if course.together:
        return replace(
            here,
            band_before=course.band,
            open_handoff=_opened(here, course),
            earlier_owners=_earlier(here, course),
            cycle=cycle,
        )
    is_open = course.holds(at)
    state = course.state
    if course.holder is not None:
        state = LeadState.IN_HANDOFF if is_open else LeadState.NURTURE
    return replace(
        here,
        state=state,
        band_before=course.band,
        open_handoff=OpenHandoff(0, _user(course.holder), 1) if is_open else None,
        earlier_owners=course.had_it,
        cycle=cycle,
        last_disposition=None,
        return_at=None,
        recycles={},
        last_trigger_at=course.last_trigger_at,
    )


def follow(
    course: OtherCourse | None,
    here: Decision,
    there: Decision,
    before: LeadHistory,
    *,
    at: datetime,
    open_for: timedelta | None,
    passing: bool = False,
) -> OtherCourse | None:
    """Return the course after a decision in each; None when both agree again.

    `before` is the history here, `open_for` how long a handoff is assumed to be open that happens
    only there (None: to the end). `passing`: an open handoff was passed on.
    """
    known = course or OtherCourse(
        last_trigger_at=before.last_trigger_at,
        had_it=before.earlier_owners,
        state=before.state,
        band=before.band_before,
    )
    told = there.outcome in (DecisionOutcome.HANDOFF, DecisionOutcome.UPDATE)
    found = replace(
        known,
        band=there.band if there.band is not None else known.band,
        last_trigger_at=there.trigger_at if told and there.trigger_at else known.last_trigger_at,
        state=there.lead_state or known.state,
    )
    owner_here, owner_there = _new_owner(here), _new_owner(there)
    if owner_here and owner_there:
        found = _both(found, owner_here, owner_there)
    elif passing:
        pass  # who found nobody keeps the owner: the courses stay as they are
    elif owner_here:
        found = replace(
            found, together=False, handoffs=known.handoffs - 1, holder=None, held_until=None
        )
    elif owner_there:
        found = replace(
            found,
            together=False,
            handoffs=known.handoffs + 1,
            holder=owner_there,
            held_until=at + open_for if open_for else None,
            had_it=_with(known.had_it, owner_there),
        )
    elif known.holder is None and known.handoffs == 0 and before.open_handoff is None:
        found = replace(found, together=here.lead_state is there.lead_state)
    return None if _agrees(found, here) else found


def _both(course: OtherCourse, here: Owner, there: Owner) -> OtherCourse:
    owners = dict(course.owners)
    if here.kind is OwnerKind.USER:
        owners[here.key] = _user(there)
    return replace(
        course,
        together=True,
        owners={key: to for key, to in owners.items() if key != to},
        newest=there if there != here else None,
        holder=None,
        held_until=None,
        had_it=_with(course.had_it, there),
    )


def _opened(here: LeadHistory, course: OtherCourse) -> OpenHandoff | None:
    opened = here.open_handoff
    if opened is None:
        return None
    if course.newest is not None:
        return replace(opened, owner=_user(course.newest))
    owner = opened.owner
    return replace(opened, owner=course.owners.get(owner, owner) if owner else None)


def _earlier(here: LeadHistory, course: OtherCourse) -> tuple[str, ...]:
    there = [course.owners.get(owner, owner) for owner in here.earlier_owners]
    newest = _user(course.newest) if course.newest else None
    return tuple(dict.fromkeys(owner for owner in (*there, newest) if owner))


def _new_owner(decision: Decision) -> Owner | None:
    """Return who gets the lead by a new handoff, or None."""
    if decision.outcome is not DecisionOutcome.HANDOFF or decision.route is None:
        return None
    return decision.route.owner


def _user(owner: Owner | None) -> str | None:
    return owner.key if owner is not None and owner.kind is OwnerKind.USER else None


def _with(had_it: tuple[str, ...], owner: Owner) -> tuple[str, ...]:
    key = _user(owner)
    return tuple(dict.fromkeys((*had_it, key))) if key else had_it


def _agrees(course: OtherCourse, here: Decision) -> bool:
    same_band = here.band is None or course.band == here.band
    same_owners = not course.owners and course.newest is None
    return course.together and same_owners and course.handoffs == 0 and same_band
