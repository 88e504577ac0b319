"""Conservation in three ways: each lead in exactly one state, and HubSpot, ledger, Salesforce agree.

A comparison goes through HubSpot's list of contacts, then through the open handoffs, and then through
the records in Salesforce that bear a handoff's key. It works in
parts: each keeps how far it has come, so that a night's comparison of a large portal is spread over
several runs, and one that dies goes on where it was.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from baton.crm.hubspot import ContactRow
from baton.errors import ConfigurationError
from baton.ledger.database.engine import transaction
from baton.ledger.leads import leads
from baton.ledger.proofs import checks, comparison, conservation, reconciliation
from baton.ledger.proofs.conservation import ConservationReport
from baton.ledger.proofs.reconciliation import CHECK, DEMAND, NIGHTLY, Found, Pass
from baton.ledger.sources import watermarks
from baton.pipeline.active_policy import Agreement, active_policy
from baton.pipeline.context import Context
from baton.pipeline.intake.pull import WATERMARK, SnapshotReader
from baton.pipeline.reconciling.differences import (
    KINDS,
    READING,
    Repair,
    Side,
    codes_of,
    in_words,
    wants_mending,
)
from baton.pipeline.reconciling.hubspot_agreement import HubSpotSide, compare_leads, compare_page
from baton.pipeline.reconciling.keys_agreement import FIRST_OBJECT, compare_keys
from baton.pipeline.reconciling.repairs import Workshop, mend, mend_ledger
from baton.pipeline.reconciling.salesforce_agreement import compare_handoffs
from baton.pipeline.report import StepReport
from baton.policy.models import Policy
from baton.transport import Lane, in_lane

logger = logging.getLogger(__name__)

PART = 500
"""Contacts a part: five calls for the list, and a few more where something differs."""
HANDOFFS = 200
MOST_OF_A_KIND = 10_000
"""Of each kind of difference so many are kept in memory; all of them stand in the ledger."""
NIGHT_SECONDS = 240.0
"""How long one run compares at night: the Dag's other tasks must not wait for long."""
NIGHT_BEGINS = 2
"""The hour, in the zone of the daily digest, from which on a night's comparison is due."""

Progress = Callable[[str], None]


def _silent(_: str) -> None:
    """Say nothing."""


@dataclass(slots=True)
class Comparison:
    """What a comparison saw: how much was compared, what differs, what was mended.

    `found` are differences as they were found, the first MOST_OF_A_KIND of each kind; `counts` tells
    how many there are by code. `ledger` is the check of the ledger alone; None where only a part was looked at.
    """

    contacts: int = 0
    handoffs: int = 0
    found: list[Found] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    mended: StepReport = field(default_factory=StepReport)
    repairs: frozenset[Repair] = frozenset()
    ledger: ConservationReport | None = None
    finished: bool = False

    def take(self, found: Iterable[Found]) -> None:
        """Count differences, and keep them while there is room."""
        for one in found:
            self.counts[one.code] += 1
            if self.counts[one.code] <= MOST_OF_A_KIND:
                self.found.append(one)

    def is_left(self, code: str) -> bool:
        """Tell whether differences of this kind should be otherwise and were not mended."""
        return wants_mending(code) and KINDS[code].repair not in self.repairs

    @property
    def remaining(self) -> list[Found]:
        """Return what was kept of that which is left."""
        return [one for one in self.found if self.is_left(one.code)]

    @property
    def left(self) -> int:
        """Return how many differences are left."""
        return sum(number for code, number in self.counts.items() if self.is_left(code))


@in_lane(Lane.BACKGROUND)
def reconcile_by_night(ctx: Context, *, seconds: float = NIGHT_SECONDS) -> StepReport:
    """Compare the three systems once a night, a part at a time; read what was missed.

    Merges, archived contacts and changes that were missed are followed, as pulling does; what would
    have to be written is listed in the log and in the ledger, and left.

    Raises:
        GatewayError: a CRM could not be read; the next run goes on.
    """
    with transaction(ctx.engine) as conn:
        one = _tonights(conn, active_policy(conn).policy, ctx.clock.now())
    if one is None:
        return StepReport()
    with in_lane(Lane.BACKGROUND):
        done = _work(ctx, one, READING, seconds=seconds)
    for each in done.remaining:
        logger.warning("reconcile: %s; %s", in_words(each), KINDS[each.code].mend)
    report = StepReport({"contacts compared": done.contacts, "handoffs compared": done.handoffs})
    report["differences"] = done.left
    report.update({f"to {name}": count for name, count in done.mended.counts().items()})
    return report


def _tonights(conn: Connection, policy: Policy, now: datetime) -> Pass | None:
    """Return the comparison to go on with, begin it when it is due; None: there is none to do."""
    if watermarks.get(conn, WATERMARK) is None:
        return None  # the first load is going on
    last = reconciliation.last_pass(conn, NIGHTLY)
    if last is not None and last.finished_at is None:
        return last
    zone = ZoneInfo(policy.digest.zone if policy.digest else "UTC")
    local = now.astimezone(zone)
    begins = local.replace(hour=NIGHT_BEGINS, minute=0, second=0, microsecond=0)
    if local < begins or (last is not None and last.started_at >= begins):
        return None
    return reconciliation.begin(conn, NIGHTLY, at=now)


@in_lane(Lane.BACKGROUND)
def reconcile(
    ctx: Context, *, repairs: Collection[Repair] = (), progress: Progress = _silent
) -> Comparison:
    """Compare everything now, to the end; mend what `repairs` names.

    Raises:
        ConfigurationError: no policy is active, or HubSpot has not been read for the first time.
        GatewayError: a CRM could not be read.
    """
    with transaction(ctx.engine) as conn:
        if watermarks.get(conn, WATERMARK) is None:
            msg = "HubSpot has not been read yet: let lead_handoff run, or 'baton run qualify'"
            raise ConfigurationError(msg)
        one = reconciliation.begin(conn, DEMAND, at=ctx.clock.now())
    done = _work(ctx, one, repairs, progress=progress)
    _check_ledger(ctx, done, mending=bool(repairs))
    return done


@in_lane(Lane.BACKGROUND)
def reconcile_leads(
    ctx: Context, lead_ids: Sequence[int], *, repairs: Collection[Repair] = ()
) -> Comparison:
    """Compare single leads.

    Raises:
        ConfigurationError: no policy is active.
        GatewayError: a CRM could not be read.
    """
    with transaction(ctx.engine) as conn:
        agreement = active_policy(conn)
        rows = leads.lock_leads(conn, lead_ids).values()
        handoffs = comparison.open_handoffs_of(conn, lead_ids)
    done = Comparison(repairs=frozenset(repairs))
    parts = _Parts(ctx, agreement.policy)
    found = compare_leads(parts.side, [row.hubspot_id for row in rows])
    found += compare_handoffs(ctx, handoffs)
    done.contacts, done.handoffs = len(rows), len(handoffs)
    _take(ctx, agreement, done, found)
    done.finished = True
    return done


def _check_ledger(ctx: Context, done: Comparison, *, mending: bool) -> None:
    with transaction(ctx.engine) as conn:
        report = conservation.check(conn, now=ctx.clock.now())
        if mending and report.findings:
            done.mended.update(mend_ledger(conn, report.findings, at=ctx.clock.now()))
            report = conservation.check(conn, now=ctx.clock.now())
        checks.record(conn, checks.CONSERVATION, at=report.at, ok=report.ok, findings=report.totals)
    done.ledger = report


def _work(
    ctx: Context,
    one: Pass,
    repairs: Collection[Repair],
    *,
    seconds: float | None = None,
    progress: Progress = _silent,
) -> Comparison:
    """Go on with a comparison until it is finished or the time is up."""
    stop_at = None if seconds is None else time.monotonic() + seconds
    with transaction(ctx.engine) as conn:
        agreement = active_policy(conn)
    done = Comparison(repairs=frozenset(repairs))
    counts = Counter(one.counts)
    for part in _Parts(ctx, agreement.policy).after(one):
        _take(ctx, agreement, done, part.found, seen_in=one.id)
        done.contacts += part.contacts
        done.handoffs += part.handoffs
        counts.update(contacts=part.contacts, handoffs=part.handoffs)
        with transaction(ctx.engine) as conn:
            now = ctx.clock.now()
            moved = reconciliation.advance(
                conn, one, phase=part.phase, reached=part.reached, counts=counts, at=now
            )
            if moved is None:
                return done  # another run goes on with it, and was faster
            one = moved
            if one.phase == "done":
                _finish(conn, one, now)
        progress(
            f"{counts['contacts']} contacts and {counts['handoffs']} handoffs compared,"
            f" {done.counts.total()} differences"
        )
        if stop_at is not None and time.monotonic() > stop_at:
            break
    done.finished = one.phase == "done"
    return done


def _take(
    ctx: Context,
    agreement: Agreement,
    done: Comparison,
    found: list[Found],
    *,
    seen_in: int | None = None,
) -> None:
    """Record what was found, and mend of it what is to be mended."""
    if not found:
        return
    done.take(found)
    with transaction(ctx.engine) as conn:
        reconciliation.record(conn, found, at=ctx.clock.now(), seen_in=seen_in)
    if any(KINDS[each.code].repair in done.repairs for each in found):
        done.mended.update(mend(Workshop.of(ctx, agreement), found, done.repairs))


def _finish(conn: Connection, one: Pass, now: datetime) -> None:
    """Settle what was not found again, and note how it ended."""
    codes = codes_of(Side.HUBSPOT) | codes_of(Side.SALESFORCE)
    reconciliation.settle_unseen(conn, codes, seen_in=one.id, at=now)
    faults = reconciliation.open_counts(conn)
    checks.record(conn, CHECK, at=now, ok=not faults, findings=faults)


@dataclass(frozen=True, slots=True)
class _Part:
    """What a part compared, and where the comparison goes on."""

    phase: str
    reached: str | None
    found: list[Found]
    contacts: int = 0
    handoffs: int = 0


class _Parts:
    """The parts of a comparison, each compared when it is asked for."""

    def __init__(self, ctx: Context, policy: Policy) -> None:
        reader = SnapshotReader(ctx, policy)
        self._ctx = ctx
        self.side = HubSpotSide.of(ctx, policy, reader.contact_properties)

    def after(self, one: Pass) -> Iterator[_Part]:
        """Yield the parts that are left of a comparison."""
        if one.phase == "hubspot":
            yield from self._of_hubspot(one.reached)
        yield from self._of_salesforce(one.reached if one.phase == "salesforce" else None)

    def _of_hubspot(self, reached: str | None) -> Iterator[_Part]:
        begin = None if reached is None else str(int(reached) + 1)
        pages = self._ctx.hubspot.list_contacts(self.side.listed_properties, after=begin)
        for rows, is_last in _grouped(pages):
            for one in compare_page(self.side, rows, after=reached, last=is_last):
                reached = one.reached
                phase = "salesforce" if reached is None else "hubspot"
                yield _Part(phase, reached, one.found, contacts=one.contacts)

    def _of_salesforce(self, reached: str | None) -> Iterator[_Part]:
        if reached is None or reached.isdecimal():
            yield from self._of_handoffs(int(reached or 0))
            reached = None
        yield from self._of_keys(reached)

    def _of_handoffs(self, after: int) -> Iterator[_Part]:
        while True:
            with transaction(self._ctx.engine) as conn:
                group = comparison.open_handoffs_after(conn, after, limit=HANDOFFS)
            found = compare_handoffs(self._ctx, group)
            is_last = len(group) < HANDOFFS
            after = after if is_last else group[-1].id
            reached = FIRST_OBJECT if is_last else str(after)
            yield _Part("salesforce", reached, found, handoffs=len(group))
            if is_last:
                return

    def _of_keys(self, reached: str | None) -> Iterator[_Part]:
        while True:
            page = compare_keys(self._ctx, reached)
            reached = page.goes_on
            if reached is None:
                yield _Part("done", None, page.found)
                return
            yield _Part("salesforce", reached, page.found)


def _grouped(
    pages: Iterable[Sequence[ContactRow]],
) -> Iterator[tuple[list[ContactRow], bool]]:
    """Yield the rows in groups of PART at least; the last one, maybe empty, says that it is."""
    held: list[ContactRow] = []
    for page in pages:
        if len(held) >= PART:
            yield held, False
            held = []
        held += page
    yield held, True
