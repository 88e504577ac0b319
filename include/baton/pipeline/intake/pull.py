"""Reading what changed in HubSpot: nothing missed, nothing read twice for nothing.

A window on the last-modified stamp, walked by id inside, overlapping the one before because
HubSpot's index shows changes late. What the ledger has seen with the same stamp is left out before
anything is read in full.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain, islice

from baton.crm.hubspot import Changed, ContactRow
from baton.crm.results import batches
from baton.leads.facts import hand_raise_properties, personal_properties, wanted_properties
from baton.leads.model import LeadSnapshot, captured_at
from baton.ledger.database.engine import transaction
from baton.ledger.leads import leads
from baton.ledger.sources import watermarks
from baton.pipeline.context import Context
from baton.pipeline.intake.ahead import read_ahead
from baton.pipeline.report import StepReport
from baton.policy.fields import FieldObject
from baton.policy.models import Policy

WATERMARK = "hubspot.contacts"
FIRST_LOAD = "hubspot.first_load"
SWEEP = "hubspot.sweep"
FIRST_LOAD_SECONDS = 240.0
"""How long one run may read: less than a task's time limit. The next run goes on."""
GOES_ON = "more is to be read"
OVERLAP = timedelta(minutes=3)
"""HubSpot's index lags by seconds, rarely more (see P3); what was seen before costs one row."""
SWEEP_AFTER = timedelta(minutes=15)
"""The index may lag by more than the overlap: what changed then is looked for once more, later."""
SWEEP_EVERY = timedelta(minutes=10)
"""A sweep costs a call or two of HubSpot's scarcest kind; six an hour are nothing."""
SETTLE = timedelta(seconds=1)
"""HubSpot tells its time in whole seconds: the second that is running is read too, and again."""
CHUNK = 500
"""Leads a transaction: few enough that locks are short, many enough that fixed costs vanish."""

BASE_PROPERTIES = (
    "createdate",
    "lastmodifieddate",
    "associatedcompanyid",
    "hs_merged_object_ids",
    "recent_conversion_date",
    "recent_conversion_event_name",
)
VOLATILE = frozenset({"lastmodifieddate", "hs_lastmodifieddate"})
FURTHER_PERSONAL = frozenset(
    {"mobilephone", "address", "city", "zip", "hs_additional_emails", "hs_linkedin_url"}
)
"""Personal whatever the policy says of them."""


@dataclass(frozen=True, slots=True)
class Window:
    """What one run reads: changes from `since` to `until`. `since` None: everything there is.

    The first load of a large portal takes several runs: `after` is the id it goes on with, and
    `until` stays the instant at which it began. `swept`: since when changes are looked for a second
    time, because HubSpot's index may have shown them late; None: it is not time yet.
    """

    since: datetime | None
    until: datetime
    after: str | None = None
    swept: datetime | None = None

    @property
    def sweep_until(self) -> datetime:
        """Return up to when a sweep looks."""
        return self.until - SWEEP_AFTER


def window(ctx: Context) -> Window:
    """Return the window of this run, from the ledger's watermark to now."""
    with transaction(ctx.engine) as conn:
        mark = watermarks.get_instant(conn, WATERMARK)
        swept = watermarks.get_instant(conn, SWEEP)
        begun = None if mark else watermarks.get(conn, FIRST_LOAD)
    if begun is not None:
        start, _, after = begun.partition("|")
        return Window(None, datetime.fromisoformat(start), after)
    until = ctx.clock.now() if ctx.replays else ctx.hubspot.server_now()
    if mark is None:
        return Window(None, until)
    return Window(mark - OVERLAP, until, swept=None if ctx.replays else _sweep_since(swept, until))


def _sweep_since(swept: datetime | None, until: datetime) -> datetime | None:
    """Return since when to sweep; None until there is something to sweep."""
    since = swept or until - SWEEP_AFTER - SWEEP_EVERY
    return since if until - SWEEP_AFTER - since >= SWEEP_EVERY else None


def move_watermarks(ctx: Context, reading: Window) -> None:
    """Move the watermarks, once what was read is judged and committed.

    Forward only: an overlapping run may have read further. A run that dies before has committed
    what it judged, chunk by chunk; the next one reads the same window and leaves that out.
    """
    with transaction(ctx.engine) as conn:
        watermarks.advance(conn, WATERMARK, reading.until, at=ctx.clock.now())
        if reading.swept is not None:
            watermarks.advance(conn, SWEEP, reading.sweep_until, at=ctx.clock.now())


def changed_snapshots(
    ctx: Context, policy: Policy, reading: Window, report: StepReport
) -> Iterator[Sequence[LeadSnapshot]]:
    """Yield what changed in the window, in chunks, oldest capture first within each.

    A run stops when its time is up and says so in `report`; the next run goes on.

    Raises:
        GatewayError: HubSpot could not be read; the watermark has not moved.
    """
    reader = SnapshotReader(ctx, policy)
    if reading.since is None:
        if reading.after is not None and not ctx.replays:
            # Whoever raises a hand while a large portal is loaded does not wait for its end.
            now = ctx.hubspot.server_now()
            yield from _changed(ctx, reader, (reading.until - OVERLAP, now), report)
        yield from _first_load(ctx, reader, reading, report)
        return
    until = reading.until if ctx.replays else reading.until + SETTLE
    yield from _changed(ctx, reader, (reading.since, until), report)
    if reading.swept is not None:
        span = (reading.swept - SETTLE, reading.sweep_until)
        yield from _changed(ctx, reader, span, report, late=True)


def _changed(
    ctx: Context,
    reader: SnapshotReader,
    span: tuple[datetime, datetime],
    report: StepReport,
    *,
    late: bool = False,
) -> Iterator[Sequence[LeadSnapshot]]:
    """Yield what the index shows as changed within `span` and the ledger has not seen yet.

    `late`: it is looked for a second time, thoroughly; what is found then is counted.
    """
    stop_at = time.monotonic() + FIRST_LOAD_SECONDS
    changes = ctx.hubspot.read_changes(*span, thorough=late).rows
    unseen = _unseen(ctx, changes)
    if late and unseen:
        report["found by the sweep"] += len(unseen)
    if len(unseen) > CHUNK:
        unseen = _hand_raises_first(ctx, reader, unseen, span)
    chunks = batches(unseen, CHUNK)
    for number, snapshots in enumerate(read_ahead(map(reader.read, chunks)), start=1):
        yield snapshots
        if number * CHUNK < len(unseen) and time.monotonic() > stop_at:
            report[GOES_ON] = 1
            return


def _hand_raises_first(
    ctx: Context,
    reader: SnapshotReader,
    unseen: Sequence[Changed],
    span: tuple[datetime, datetime],
) -> list[Changed]:
    """Put those who raised a hand before the many whom a job of HubSpot's or an import changed."""
    raised: set[str] = set()
    for name in reader.hand_raises:
        raised.update(one.id for one in ctx.hubspot.hand_raises(*span, by=name))
    return sorted(unseen, key=lambda one: one.id not in raised)


def _first_load(
    ctx: Context, reader: SnapshotReader, reading: Window, report: StepReport
) -> Iterator[Sequence[LeadSnapshot]]:
    """Yield all contacts in the order of their ids, keeping how far it has come."""
    stop_at = time.monotonic() + FIRST_LOAD_SECONDS
    for next_id, snapshots in read_ahead(reader.all_from(reading.after)):
        yield snapshots
        # Here the chunk has been judged and committed, however far the reading has come.
        reached = f"{reading.until.isoformat()}|{next_id}"
        with transaction(ctx.engine) as conn:
            watermarks.set(conn, FIRST_LOAD, reached, at=ctx.clock.now())
        if time.monotonic() > stop_at:
            report[GOES_ON] = 1
            return


def _unseen(ctx: Context, changes: Sequence[Changed]) -> list[Changed]:
    with transaction(ctx.engine) as conn:
        known = leads.by_hubspot_ids(conn, [one.id for one in changes])
    return [
        one
        for one in changes
        if (row := known.get(one.id)) is None
        or row.last_modified_seen is None
        or row.last_modified_seen < one.modified_at
    ]


def gathered(pages: Iterable[Sequence[ContactRow]], size: int) -> Iterator[list[ContactRow]]:
    """Cut what comes in pages into chunks of `size`."""
    rows = chain.from_iterable(pages)
    while chunk := list(islice(rows, size)):
        yield chunk


class SnapshotReader:
    """Turns HubSpot rows into snapshots, with the facts of their primary companies."""

    def __init__(self, ctx: Context, policy: Policy) -> None:
        self._ctx = ctx
        self.hand_raises = hand_raise_properties(policy)
        contact = set(wanted_properties(policy, FieldObject.CONTACT)) | set(BASE_PROPERTIES)
        self.contact_properties = tuple(sorted(contact))
        self._company_properties = tuple(sorted(wanted_properties(policy, FieldObject.COMPANY)))

    def read(self, changes: Iterable[Changed]) -> list[LeadSnapshot]:
        """Read these contacts in full; who is gone meanwhile is left out."""
        ids = [one.id for one in changes]
        return self.snapshots(
            self._ctx.hubspot.read_contacts(ids, self.contact_properties).found.values()
        )

    def all_from(self, after: str | None) -> Iterator[tuple[int, list[LeadSnapshot]]]:
        """Yield all contacts in the order of their ids, with each chunk the id to go on from."""
        pages = self._ctx.hubspot.list_contacts(self.contact_properties, after=after)
        for rows in gathered(pages, CHUNK):
            yield int(rows[-1].id) + 1, self.snapshots(rows)

    def snapshots(self, rows: Iterable[ContactRow]) -> list[LeadSnapshot]:
        """Return the snapshots of these rows, oldest capture first; one a contact."""
        distinct = {row.id: row for row in rows}
        wanted = {company for row in distinct.values() if (company := _company_of(row))}
        companies = self._ctx.hubspot.read_companies(sorted(wanted), self._company_properties)
        found = [self._snapshot(row, companies) for row in distinct.values()]
        return sorted(found, key=lambda one: (one.captured_at, one.hubspot_id))

    def _snapshot(
        self, row: ContactRow, companies: Mapping[str, Mapping[str, str | None]]
    ) -> LeadSnapshot:
        now = self._ctx.clock.now()
        raised = captured_at(row.properties, self.hand_raises)
        return LeadSnapshot(
            hubspot_id=row.id,
            modified_at=row.modified_at or now,
            seen_at=now,
            # A hand raised in the future is nonsense; the lead is as new as we saw it.
            captured_at=min(raised, now) if raised else now,
            properties=row.properties,
            company=companies.get(_company_of(row) or ""),
            merged_ids=tuple(row.merged_ids),
        )


def _company_of(row: ContactRow) -> str | None:
    return row.properties.get("associatedcompanyid") or None


@dataclass(frozen=True, slots=True)
class Privacy:
    """Which HubSpot properties are personal, and which are no news when they change."""

    personal: frozenset[str]
    ignored: frozenset[str]

    @classmethod
    def of(cls, policy: Policy) -> Privacy:
        """Return what the policy says, and what is personal or an echo of ours anyway."""
        ours = frozenset(policy.write_back.properties.values())
        return cls(personal_properties(policy) | FURTHER_PERSONAL, VOLATILE | ours)
