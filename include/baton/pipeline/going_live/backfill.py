"""History and large imports, read by HubSpot's list endpoint apart from the hot lane.

The contacts are divided by their ids into parts that may be read side by side. Each part keeps in
the ledger how far it has come, in the same steps in which it commits what it judged: a part that
dies goes on where it was. Nobody is told of a lead that a backfill hands over; at the end there is
one digest, if the policy says so. The limits on one run count for every part.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from baton.crm.hubspot import ContactRow
from baton.errors import BatonError, SettingsError
from baton.leads.model import LeadSnapshot
from baton.ledger.database.engine import transaction
from baton.ledger.effects import switches
from baton.ledger.handoffs import backfills
from baton.ledger.sources import watermarks
from baton.pipeline.active_policy import active_policy
from baton.pipeline.context import Context
from baton.pipeline.intake.ahead import read_ahead
from baton.pipeline.intake.preparation import Preparation
from baton.pipeline.intake.pull import SnapshotReader, gathered
from baton.pipeline.judging.qualify import judge
from baton.pipeline.modes import Modes
from baton.pipeline.report import StepReport
from baton.policy.agreement_models import BackfillAnnounces
from baton.transport import Lane, in_lane

__all__ = [
    "KIND",
    "Part",
    "Size",
    "announce",
    "parts_left",
    "plan_parts",
    "read_part",
    "read_to_the_end",
    "read_whole_part",
    "size",
]

logger = logging.getLogger(__name__)

KIND = "backfill"
"""The kind of its batches in the ledger."""
SOURCE = "hubspot.backfill."
BEGAN = "hubspot.backfill_began"
PARTS = 4
CHUNK = 500
SECONDS = 480.0
"""How long one call reads a part: less than a task's time limit; the next call goes on."""
GOES_ON = "more is to be read"
_EVERYTHING = "all"


class PartUnfinishedError(BatonError):
    """A task's time was too short for a part: the next try goes on where it is."""


class Size(NamedTuple):
    """How many contacts HubSpot has, and the highest id among them."""

    contacts: int
    highest_id: int


@dataclass(frozen=True, slots=True)
class Part:
    """Contacts with ids from `next_id` to `last_id`; `since` leaves out what changed before."""

    name: str
    next_id: int
    last_id: int
    since: datetime | None = None

    @property
    def done(self) -> bool:
        """Whether all of it was read."""
        return self.next_id > self.last_id

    def text(self) -> str:
        """Return it as the ledger keeps it."""
        since = self.since.isoformat() if self.since else _EVERYTHING
        return f"{self.next_id}|{self.last_id}|{since}"

    @classmethod
    def read(cls, name: str, text: str) -> Part:
        """Return what `text` gave."""
        next_id, last_id, since = text.split("|")
        at = None if since == _EVERYTHING else datetime.fromisoformat(since)
        return cls(name, int(next_id), int(last_id), at)


def size(ctx: Context) -> Size:
    """Ask HubSpot how much there is to read. Raises GatewayError."""
    return Size(*ctx.hubspot.contact_range())


def plan_parts(ctx: Context, since: str | None = None, *, parts: int = PARTS) -> StepReport:
    """Divide what is to be read; one that was begun and did not end goes on instead.

    Returns the number of every part that is still to be read, by its name.

    Raises:
        SettingsError: `since` is no instant.
        GatewayError: HubSpot could not be asked.
    """
    begins = _instant(since)
    with transaction(ctx.engine) as conn:
        left = parts_left(conn)
    if not left:
        left = _divided(size(ctx).highest_id, begins, parts)
        with transaction(ctx.engine) as conn:
            now = ctx.clock.now()
            watermarks.set(conn, BEGAN, now.isoformat(), at=now)
            for one in left:
                watermarks.set(conn, SOURCE + one.name, one.text(), at=now)
    return StepReport({one.name: number for number, one in enumerate(left, start=1)})


def _instant(text: str | None) -> datetime | None:
    from baton.leads.values import read_instant

    if text is None:
        return None
    found = read_instant(text)
    if found is None:
        raise SettingsError(f"since '{text}' is no date; write, for example, 2026-01-31")
    return found


def _divided(highest: int, since: datetime | None, parts: int) -> list[Part]:
    width = highest // parts + 1
    return [
        Part(f"part {number + 1}", number * width + 1, (number + 1) * width, since)
        for number in range(parts)
    ]


def parts_left(conn: Connection) -> list[Part]:
    """Return the parts of a backfill that was begun and has not ended, by name."""
    found = [
        Part.read(source.removeprefix(SOURCE), value)
        for source, (value, _at) in watermarks.all_watermarks(conn).items()
        if source.startswith(SOURCE)
    ]
    return sorted((one for one in found if not one.done), key=lambda one: one.name)


def read_part(ctx: Context, part: Sequence[object]) -> StepReport:
    """Read and judge one part; `part` begins with its name. It may be called again at any time.

    Raises:
        ConfigurationError: no policy or roster is active.
        GatewayError: HubSpot or Salesforce could not be read; what was judged stays judged.
    """
    report, name = StepReport(), str(part[0])
    stop_at = time.monotonic() + SECONDS
    with transaction(ctx.engine) as conn:
        agreement = active_policy(conn)
        kept = watermarks.get(conn, SOURCE + name)
    if kept is None:
        raise SettingsError(f"no backfill was begun that has the part '{name}'")
    now_at = Part.read(name, kept)
    preparation, reader = Preparation(ctx, agreement.policy), SnapshotReader(ctx, agreement.policy)
    with in_lane(Lane.BACKGROUND):
        for next_id, snapshots in read_ahead(_chunks(ctx, reader, now_at)):
            judge(ctx, agreement, preparation, snapshots, report, kind=KIND, announced=False)
            now_at = replace(now_at, next_id=next_id)
            _keep(ctx, now_at)
            if time.monotonic() > stop_at:
                report[GOES_ON] = 1
                return report
    _keep(ctx, replace(now_at, next_id=now_at.last_id + 1))
    return report


def read_whole_part(ctx: Context, part: Sequence[object]) -> StepReport:
    """Read a part to its end, or as far as the time of a task goes; another try goes on there.

    Raises what `read_part` does, and PartUnfinishedError when the time was too short.
    """
    report = read_part(ctx, part)
    if report[GOES_ON]:
        raise PartUnfinishedError(f"{part[0]} is not at its end yet: it goes on where it is")
    return report


def read_to_the_end(ctx: Context, name: str) -> StepReport:
    """Read a part to its end, however long it takes. Raises what `read_part` does."""
    report = read_part(ctx, (name,))
    while report[GOES_ON]:
        del report[GOES_ON]
        report.update(read_part(ctx, (name,)))
    return report


def _keep(ctx: Context, part: Part) -> None:
    with transaction(ctx.engine) as conn:
        watermarks.set(conn, SOURCE + part.name, part.text(), at=ctx.clock.now())


def _chunks(
    ctx: Context, reader: SnapshotReader, part: Part
) -> Iterator[tuple[int, list[LeadSnapshot]]]:
    """Yield what is asked for of a part, some hundred contacts at a time in the order of their ids.

    With each chunk comes the id to go on from once it is judged.
    """
    for rows in gathered(_pages(ctx, reader, part), CHUNK):
        news = [row for row in rows if _is_in(row, part)]
        yield int(rows[-1].id) + 1, reader.snapshots(news)


def _pages(ctx: Context, reader: SnapshotReader, part: Part) -> Iterator[list[ContactRow]]:
    if part.done:
        return
    for page in ctx.hubspot.list_contacts(reader.contact_properties, after=str(part.next_id)):
        inside = [row for row in page if int(row.id) <= part.last_id]
        if inside:
            yield inside
        if len(inside) < len(page):
            return


def _is_in(row: ContactRow, part: Part) -> bool:
    at = row.modified_at
    return part.since is None or at is None or at >= part.since


def announce(ctx: Context) -> StepReport:
    """Send the one digest of the backfill that has just ended, if the policy says so.

    Raises:
        GatewayError: Slack could not be told; again it is looked for before it is sent.
    """
    with transaction(ctx.engine) as conn:
        policy = active_policy(conn).policy
        began = watermarks.get_instant(conn, BEGAN)
        silent = not Modes.read(conn, ctx.mode).anything_live or switches.effects_stopped(conn)
        left = parts_left(conn)
        by_owner = backfills.handed_over(conn, KIND, began) if began else {}
    report = StepReport({"handed over": sum(by_owner.values()), "parts left": len(left)})
    told = policy.guards.backfill_announces is BackfillAnnounces.ONE_DIGEST
    channel = policy.digest.channel if policy.digest else next(iter(policy.channels), None)
    if began is None or left or silent or not told or not by_owner or channel is None:
        return report
    key = f"{KIND}.{began:%Y%m%dT%H%M%S}"
    if ctx.slack.find_by_key(channel, key, began) is None:
        words = _digest(by_owner)
        block: dict[str, object] = {"type": "section", "text": {"type": "mrkdwn", "text": words}}
        ctx.slack.post(channel, words, [block], key=key)
        report["digest sent"] += 1
    return report


def _digest(by_owner: Mapping[str, int]) -> str:
    many = sum(by_owner.values())
    lines = [f"• {owner}: {leads}" for owner, leads in by_owner.items()]
    head = f"*Backfill: {many} {'lead was' if many == 1 else 'leads were'} handed over*"
    return "\n".join([head, *lines, "Nobody was told of single leads: they are in Salesforce."])
