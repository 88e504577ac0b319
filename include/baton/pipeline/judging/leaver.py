"""Somebody leaves: no new leads from that day on, and every open handoff goes to somebody else.

Nothing is remembered between two calls: what is still theirs is what is left to do. So a run that
was killed is simply run again, and nobody gets a lead twice.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from sqlalchemy import Connection
from sqlalchemy.engine import Engine

from baton.clock import Clock
from baton.decision.inputs import Handover
from baton.errors import SettingsError
from baton.leads.states import HandoffState
from baton.ledger.database.engine import transaction
from baton.ledger.database.retries import in_transaction
from baton.ledger.handoffs import leavers
from baton.ledger.handoffs.handoffs import OpenTerms
from baton.ledger.handoffs.leavers import OwnedHandoff
from baton.pipeline.active_policy import active_policy
from baton.pipeline.judging.decided import open_book
from baton.pipeline.judging.reassignment import Passed, owner_is_ours, pass_on, read_passings
from baton.pipeline.report import StepReport
from baton.pipeline.versions.agreements import current_roster
from baton.pipeline.versions.roster_versions import RosterEdited, change_roster
from baton.policy.roster import Rep, Roster
from baton.policy.roster_checks import emptied, where_named
from baton.policy.roster_edits import gone, known_pool, known_rep, leaving
from baton.settings import Mode

__all__ = [
    "CHUNK",
    "HandedOver",
    "Leaving",
    "Wish",
    "due_leavers",
    "hand_over",
    "hand_over_due",
    "look_at",
    "mark_leaver",
    "preview",
    "settled_by_manager",
    "wish_of",
]

logger = logging.getLogger(__name__)

CHUNK = 100
"""Handoffs in one transaction: it holds the locks of the pools, so it must be short."""
BECAUSE = "left the company"


class Desk(Protocol):
    """The ledger, a clock and the mode: all that handing over needs; Context has them too."""

    @property
    def engine(self) -> Engine:
        """Return the ledger."""
        ...

    @property
    def clock(self) -> Clock:
        """Return where instants come from."""
        ...

    @property
    def mode(self) -> Mode:
        """Return the mode it runs in."""
        ...


@dataclass(frozen=True, slots=True)
class Leaving:
    """What a person should know before somebody goes.

    `in_policy`: where the policy names them. `emptied`: pools in which nobody is left without them.
    """

    rep: Rep
    day: date
    due: bool
    handoffs: tuple[OwnedHandoff, ...]
    reports: tuple[str, ...]
    in_policy: tuple[str, ...]
    emptied: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wish:
    """A pool or a person that is to be tried first for everything; neither: the policy alone."""

    pool: str | None = None
    person: str | None = None


@dataclass(slots=True)
class HandedOver:
    """What became of a leaver's handoffs. `owner_stays`: keys of those for the manager to settle.

    `by_owner` counts by new owner; `left_over` are keys that nobody and no queue could take.
    """

    rep_key: str
    by_owner: Counter[str] = field(default_factory=Counter)
    owner_stays: list[str] = field(default_factory=list)
    left_over: list[str] = field(default_factory=list)

    @property
    def moved(self) -> int:
        """Return how many found a new owner."""
        return sum(self.by_owner.values())

    def add(self, passed: Passed) -> None:
        """Count one."""
        handoff, hop = passed.passing.handoff, passed.hop
        if hop is None:
            self.left_over.append(handoff.key)
            return
        self.by_owner[hop.owner_key] += 1
        if not owner_is_ours(handoff, passed.passing.hop):
            self.owner_stays.append(handoff.key)


def look_at(conn: Connection, email: str, *, day: date | None, now: datetime) -> Leaving:
    """Return what leaves with somebody on `day` (None: today, or the day recorded already).

    Raises SettingsError for an unknown person, ConfigurationError without policy or roster.
    """
    agreement = active_policy(conn)
    rep = known_rep(agreement.roster, email)
    today = now.astimezone(ZoneInfo(rep.zone)).date()
    chosen = day or rep.left or today
    return Leaving(
        rep=rep,
        day=chosen,
        due=chosen <= today,
        handoffs=tuple(leavers.open_of_owner(conn, rep.key)),
        reports=tuple(one.key for one in agreement.roster.people if one.manager == rep.key),
        in_policy=where_named(agreement.policy, rep.key),
        emptied=emptied(
            agreement.policy, agreement.roster, gone(agreement.roster, rep.key, chosen)
        ),
    )


def wish_of(roster: Roster, text: str | None, leaver: str) -> Wish:
    """Read whom everything is to go to: an e-mail or a pool's name. Raises SettingsError."""
    if text is None:
        return Wish()
    if "@" not in text:
        return Wish(pool=known_pool(roster, text.removeprefix("pool ")).name)
    person = known_rep(roster, text)
    if person.key == leaver:
        raise SettingsError(f"{person.key} is the one who leaves")
    return Wish(person=person.key)


def mark_leaver(
    desk: Desk, leaving_one: Leaving, *, by: str, note: str | None = None
) -> RosterEdited:
    """Record the day; from it on no new leads. Once it has come: inactive and out of every pool."""
    key, day = leaving_one.rep.key, leaving_one.day
    edit = gone if leaving_one.due else leaving
    what = f"{key} leaves on {day}"
    with transaction(desk.engine) as conn:
        return change_roster(
            conn,
            lambda roster: edit(roster, key, day),
            by=by,
            at=desk.clock.now(),
            note=f"{what}: {note}" if note else what,
        )


def hand_over(
    desk: Desk,
    rep_key: str,
    *,
    wish: Wish | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> HandedOver:
    """Give every open handoff of a leaver to somebody else, a chunk to a transaction.

    By the policy's ladder, or first to whom `wish` names. Earlier owners are left out and caps are
    kept; what nobody can take goes to the policy's last queue. Where the owner in Salesforce is not
    ours (a customer, an open opportunity, a converted lead), the new owner gets the task alone.
    The policy's limit of hops does not count here: nobody may stay with somebody who is gone.
    `progress` is told how many of a chunk are done.
    """
    done, last = HandedOver(rep_key), 0
    chosen = wish or Wish()
    handover = Handover(f"{rep_key} {BECAUSE}", pool=chosen.pool, person=chosen.person)

    def next_chunk(conn: Connection) -> tuple[Sequence[OpenTerms], Sequence[Passed]]:
        leavers.lock(conn)
        agreement = active_policy(conn)
        book = open_book(conn, desk, agreement)
        found = leavers.page_of_owner(conn, rep_key, after_id=last, limit=CHUNK)
        passings = read_passings(conn, found)
        return found, pass_on(conn, desk, agreement, passings, book, handover=handover)

    while True:
        ones, passed = in_transaction(desk.engine, next_chunk)
        if not ones:
            return done
        decided = {one.passing.handoff.id for one in passed}
        for one in passed:
            done.add(one)
        done.left_over += [one.handoff.key for one in ones if one.handoff.id not in decided]
        last = ones[-1].handoff.id
        progress(len(ones))


def preview(desk: Desk, leaving_one: Leaving, *, wish: Wish | None = None) -> HandedOver:
    """Return what would become of the first chunk of a leaver's handoffs; nothing is kept."""
    key, chosen = leaving_one.rep.key, wish or Wish()
    done = HandedOver(key)
    handover = Handover(f"{key} {BECAUSE}", pool=chosen.pool, person=chosen.person)
    with desk.engine.connect() as conn, conn.begin() as undone:
        agreement = active_policy(conn)
        without = replace(agreement, roster=gone(agreement.roster, key, leaving_one.day))
        book = open_book(conn, desk, without)
        ones = leavers.page_of_owner(conn, key, limit=CHUNK)
        for one in pass_on(conn, desk, without, read_passings(conn, ones), book, handover=handover):
            done.add(one)
        undone.rollback()
    return done


def due_leavers(conn: Connection, now: datetime) -> Iterator[Rep]:
    """Yield who has left by now and is still in a pool, active, or owner of an open handoff."""
    roster = current_roster(conn)
    members = {member.rep for pool in roster.pools for member in pool.members}
    for rep in roster.people:
        left = rep.left is not None and rep.left <= now.astimezone(ZoneInfo(rep.zone)).date()
        if left and (rep.active or rep.key in members or leavers.count_open(conn, rep.key)):
            yield rep


def hand_over_due(desk: Desk, *, by: str = "baton") -> StepReport:
    """Do for everybody whose last day has come what `mark_leaver` and `hand_over` do."""
    report = StepReport()
    now = desk.clock.now()
    with transaction(desk.engine) as conn:
        due = [look_at(conn, rep.key, day=None, now=now) for rep in due_leavers(conn, now)]
    for one in due:
        mark_leaver(desk, one, by=by)
        done = hand_over(desk, one.rep.key)
        report["leavers"] += 1
        report["handed over"] += done.moved
        report["left over"] += len(done.left_over)
        if done.left_over:
            logger.error("%s open handoffs of a leaver found nobody", len(done.left_over))
    return report


def settled_by_manager(one: OwnedHandoff) -> bool:
    """Tell whether the owner in Salesforce is for a person to change."""
    return not one.change_owner or one.state == HandoffState.CONVERTED.value
