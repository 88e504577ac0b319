"""Held leads are let in, best first, as soon as somebody has room for them.

Asking costs one small query while nobody waits. While somebody does, only as many leads are read
and judged again as there is room for, so that thousands may wait at no cost. Who cannot be taken
although there is room (by an earlier owner, say) is tried again some minutes later, and blocks
nobody meanwhile. The deadline of the hold stands: it is never pushed back by trying.
"""

from __future__ import annotations

from sqlalchemy import Connection

from baton.calendars.build import Calendars
from baton.decision.decision import HoldReason
from baton.ledger.leads import backlog
from baton.ledger.leads.backlog import Queue
from baton.pipeline.active_policy import Agreement
from baton.pipeline.context import Context
from baton.pipeline.judging.decided import read_loads
from baton.routing.eligibility import Staffing, room

MOST_AT_ONCE = 100
"""In one run: one reading of HubSpot, and little beside the new leads of that run."""


def let_in(conn: Connection, ctx: Context, agreement: Agreement) -> list[str]:
    """Return the HubSpot ids of held leads for which there is room now, best first."""
    now, policy = ctx.clock.now(), agreement.policy
    queues = backlog.queues(conn, now)
    if not queues:
        return []
    book = read_loads(conn, ctx)
    calendars = Calendars(policy, agreement.roster)
    staffing = Staffing(agreement.roster, calendars, book, now)
    # Half of what the guard lets through in one run is left to the leads that are new.
    left = min(MOST_AT_ONCE, max(1, policy.guards.handoffs_per_run // 2))
    bands = [band.name for band in policy.bands_high_to_low]
    chosen: list[str] = []
    rooms = [(queue, _room(queue, agreement, staffing)) for queue in queues]
    for queue, free in sorted(rooms, key=_turn):
        most = min(left - len(chosen), queue.leads if free is None else free)
        if most > 0:
            chosen += backlog.best(conn, queue, bands=bands, now=now, most=most)
    return chosen


def _turn(asked: tuple[Queue, int | None]) -> tuple[bool, bool]:
    """Order queues: buyers before lists that nobody asked for, known room before unknown.

    Else a long list would take the room that buyers wait for, and a queue that waits for a pool
    which is gone would use up every run.
    """
    queue, free = asked
    return queue.held_for == HoldReason.DRIP, free is None


def _room(queue: Queue, agreement: Agreement, staffing: Staffing) -> int | None:
    """Return how many leads of a queue can be taken now; None: as many as there are."""
    if queue.held_for == HoldReason.DRIP:
        imports = agreement.policy.imports
        return None if imports is None else max(0, imports.a_day - staffing.book.imported)
    kind, _, name = (queue.waits_for or "").partition(" ")
    if kind == "pool":
        pool = agreement.roster.pool(name)
        rule = agreement.policy.pools.get(name)
        return None if pool is None else room(pool, rule, staffing)
    if kind == "person" and staffing.roster.rep(name) is not None:
        if staffing.why_not_there(name) is not None:
            return 0
        return staffing.room_of(name)
    return None
