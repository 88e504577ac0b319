"""From observing to live: leads in flight are taken over as they stand, and nothing is done twice.

An observed handoff was told to nobody. Once its form or region is live it must not stay open as if
somebody had it, so it becomes one of three: adopted, with the owner that Salesforce shows and
without a clock, because sales works it already; handed over now, because nobody has it and it was
captured after we began; ended, because nobody has it and it is from before. A new hand raise of
somebody who was observed or adopted is an ordinary handoff.

Nothing is remembered between two calls: what is still open is what is left to do.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from sqlalchemy import Connection

from baton.decision.inputs import Handover
from baton.leads.states import HandoffState, LeadState
from baton.ledger.database.engine import transaction
from baton.ledger.handoffs import handoffs, observed
from baton.ledger.handoffs.handoffs import HandoffRow, NewHop, OpenTerms
from baton.ledger.handoffs.observed import ObservedHandoff
from baton.ledger.leads import leads
from baton.ledger.leads.leads import LeadRow
from baton.pipeline.active_policy import Agreement, active_policy
from baton.pipeline.context import Context
from baton.pipeline.intake.in_salesforce import Holder, holders_of
from baton.pipeline.judging.decided import open_book
from baton.pipeline.judging.reassignment import pass_on, read_passings
from baton.pipeline.modes import Acting, Modes
from baton.pipeline.report import StepReport
from baton.pipeline.timers import state_change
from baton.policy.models import Policy
from baton.routing.book import PoolBook
from baton.settings import Mode

__all__ = ["Fate", "InFlight", "adopt_in_flight", "end_for_news", "in_flight", "settle"]

logger = logging.getLogger(__name__)

CHUNK = 200
BECAUSE = "nobody has it in Salesforce: handed over with the cut-over"


class Fate(StrEnum):
    """What becomes of a lead in flight."""

    ADOPT = "adopted"
    HAND_OVER = "handed over"
    END = "left with marketing"


@dataclass(frozen=True, slots=True)
class InFlight:
    """An observed handoff whose form or region is live now, who has it, and what becomes of it."""

    observed: ObservedHandoff
    holder: Holder | None
    fate: Fate

    @property
    def why(self) -> str:
        """Say what was found in Salesforce."""
        if self.holder is None:
            return "not in Salesforce"
        if self.holder.kind == "queue":
            return f"in the queue {self.holder.key}"
        return "owned by somebody who is gone" if not self.holder.active else "worked by its owner"


@dataclass(slots=True)
class _Settling:
    """One chunk that is being settled, in one transaction."""

    conn: Connection
    ctx: Context
    agreement: Agreement
    report: StepReport = field(default_factory=StepReport)


def adopt_in_flight(ctx: Context) -> StepReport:
    """Settle every observed handoff whose form or region is live by now.

    Raises:
        ConfigurationError: no policy or roster is active.
        GatewayError: Salesforce could not be asked; what was settled stays settled.
    """
    report = StepReport()
    for some in in_flight(ctx):
        report.update(settle(ctx, some))
    return report


def in_flight(ctx: Context, modes: Modes | None = None) -> Iterator[list[InFlight]]:
    """Yield what is in flight, in chunks, as it would be settled under `modes` (None: the present).

    Raises:
        GatewayError: Salesforce could not be asked.
    """
    after = 0
    while True:
        with transaction(ctx.engine) as conn:
            present = modes or Modes.read(conn, ctx.mode)
            found = observed.still_open(conn, after=after, limit=CHUNK)
        if not found:
            return
        after = found[-1].id
        live = [one for one in found if present.of_scope(one.form, one.territory) is Mode.LIVE]
        if live:
            holders = holders_of(ctx, live)
            yield [_fated(one, holders.get(one.id), present) for one in live]


def _fated(one: ObservedHandoff, holder: Holder | None, modes: Modes) -> InFlight:
    if holder is not None and holder.works_it:
        return InFlight(one, holder, Fate.ADOPT)
    ours = modes.starts_at is None or one.captured_at >= modes.starts_at
    return InFlight(one, holder, Fate.HAND_OVER if ours else Fate.END)


def settle(ctx: Context, found: Sequence[InFlight]) -> StepReport:
    """Settle one chunk in one transaction; what has ended or changed meanwhile is left alone."""
    with transaction(ctx.engine) as conn:
        agreement = active_policy(conn)
        # Pools first, as everybody who assigns, then the handoffs.
        book = open_book(conn, Acting(ctx.clock, Mode.LIVE), agreement)
        present = handoffs.lock_present(conn, [one.observed.id for one in found])
        rows = {one: row for one in present if (row := handoffs.get(conn, one)) is not None}
        still = [one for one in found if _is_untaken(rows.get(one.observed.id))]
        settling = _Settling(conn, ctx, agreement)
        by_fate = {fate: [one for one in still if one.fate is fate] for fate in Fate}
        for one in by_fate[Fate.ADOPT]:
            _adopt(settling, one)
        _end_all(settling, by_fate[Fate.END])
        ours = [rows[one.observed.id] for one in by_fate[Fate.HAND_OVER]]
        _hand_over(settling, ours, book)
    for fate, ones in by_fate.items():
        if ones:
            logger.info("cut-over: %d leads in flight %s", len(ones), fate.value)
    return settling.report


def _is_untaken(row: HandoffRow | None) -> bool:
    return row is not None and row.mode == Mode.OBSERVE and row.adopted_at is None


def _adopt(settling: _Settling, one: InFlight) -> None:
    """Take over the owner that stands in Salesforce: no clock, no task, no message."""
    holder, conn, now = one.holder, settling.conn, settling.ctx.clock.now()
    if holder is None:
        return
    handoffs.add_hop(
        conn,
        one.observed.id,
        NewHop(owner_kind=holder.kind, owner_key=holder.key, assigned_at=now, change_owner=False),
    )
    observed.mark_adopted(conn, one.observed.id, at=now)
    contact = holder.sobject == "Contact"
    leads.set_salesforce_ids(
        conn,
        one.observed.lead_id,
        lead_record=None if contact else holder.record_id,
        contact_record=holder.record_id if contact else None,
    )
    handoffs.advance(conn, one.observed.id, HandoffState.ASSIGNED, at=now, cause="adopted")
    settling.report[Fate.ADOPT.value] += 1


def _end_all(settling: _Settling, ones: Sequence[InFlight]) -> None:
    conn, policy = settling.conn, settling.agreement.policy
    for one in ones:
        _end(conn, policy, one.observed.id, one.observed.lead_id, settling.ctx, cause="cut_over")
        settling.report[Fate.END.value] += 1


def _end(
    conn: Connection, policy: Policy, handoff_id: int, lead_id: int, ctx: Context, *, cause: str
) -> None:
    now = ctx.clock.now()
    handoffs.advance(conn, handoff_id, HandoffState.CANCELLED, at=now, cause=cause)
    change = state_change(policy, lead_id, LeadState.NURTURE, at=now, cause=cause)
    leads.set_states(conn, [change])


def _hand_over(settling: _Settling, rows: Sequence[HandoffRow], book: PoolBook) -> None:
    """Decide anew who gets them, from now on with a clock, a task and a message."""
    if not rows:
        return
    conn = settling.conn
    observed.make_live(conn, [row.id for row in rows])
    hops = handoffs.hops(conn, [row.id for row in rows])
    ones = [
        OpenTerms(handoff=replace(row, mode="live"), hop=hops[row.id][-1], recorded=frozenset())
        for row in rows
    ]
    # Who we would have given it to never had it: they may get it now.
    passings = [replace(one, had_it=()) for one in read_passings(conn, ones)]
    acting = Acting(settling.ctx.clock, Mode.LIVE)
    pass_on(conn, acting, settling.agreement, passings, book, handover=Handover(BECAUSE))
    settling.report[Fate.HAND_OVER.value] += len(passings)


def end_for_news(conn: Connection, ctx: Context, policy: Policy, row: LeadRow) -> LeadRow | None:
    """End the lead's open handoff if it was only observed or adopted; return the lead as it is then.

    None: its open handoff is live, and news go to its owner.
    """
    open_one = handoffs.open_of_leads(conn, [row.id]).get(row.id)
    if open_one is None or open_one.mode != Mode.OBSERVE:
        return None
    _end(conn, policy, open_one.id, row.id, ctx, cause="new_hand_raise")
    return leads.lock_leads(conn, [row.id])[row.id]
