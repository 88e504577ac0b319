"""Contacts that HubSpot no longer shows under their id: merged into another, archived, or erased.

A merge is followed by judging the contact that survived, in whose transaction the leads become one:
whoever had it keeps it, and nobody is told twice. A lead whose contact was archived is not handed
off any more; it is judged again when the contact is restored. What sales is working on is left to
sales: that is a difference for a person to look at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from baton.crm.hubspot import ContactRow, ContactsRead
from baton.leads.model import LeadSnapshot
from baton.leads.states import FINAL_LEAD_STATES, LeadState
from baton.ledger.database.engine import transaction
from baton.ledger.intake import merges
from baton.ledger.leads import leads
from baton.pipeline.context import Context
from baton.pipeline.intake.pull import SnapshotReader
from baton.pipeline.report import StepReport
from baton.pipeline.timers import state_change
from baton.policy.models import Policy

ARCHIVED = "contact archived in HubSpot"
ERASED = "contact erased in HubSpot"
CAUSES = frozenset({ARCHIVED, ERASED})
"""Why a lead is suppressed that would be judged again if its contact came back."""
_MAY_BE_HANDED_OFF = frozenset(
    {
        LeadState.SEEN,
        LeadState.QUARANTINED,
        LeadState.NURTURE,
        LeadState.HELD,
        LeadState.RECYCLED,
    }
)

Judge = Callable[[Sequence[LeadSnapshot]], None]


@dataclass(frozen=True, slots=True)
class Gone:
    """What became of ids: `merged` tells the contact each went into; the others are not there."""

    merged: Mapping[str, ContactRow]
    archived: frozenset[str] = frozenset()
    erased: frozenset[str] = frozenset()


def what_became_of(ctx: Context, read: ContactsRead, properties: Sequence[str]) -> Gone:
    """Tell merged, archived and erased contacts apart, of what was read by id.

    Each claim is checked a second time, for an answer may leave records out that are there.

    Raises GatewayError: HubSpot could not be asked.
    """
    merged = {one: row for one, row in read.found.items() if row.id != one}
    if not read.missing:
        return Gone(merged)
    archived = ctx.hubspot.archived_contacts(read.missing)
    unknown = [one for one in read.missing if one not in archived]
    again = ctx.hubspot.read_contacts(unknown, properties) if unknown else ContactsRead({})
    merged |= {one: row for one, row in again.found.items() if row.id != one}
    return Gone(merged, archived, frozenset(again.missing))


def follow_merges(
    ctx: Context, reader: SnapshotReader, gone: Mapping[str, ContactRow], judge: Judge
) -> StepReport:
    """Make one lead of each contact and those that HubSpot merged into it.

    `gone` tells by the id that is gone the contact which survived, read with all properties.
    """
    report = StepReport()
    if not gone:
        return report
    losers: dict[str, list[str]] = {}
    for one, row in gone.items():
        losers.setdefault(row.id, []).append(one)
    rows = {row.id: row for row in gone.values()}
    told = [
        replace(row, merged_ids=tuple(dict.fromkeys((*row.merged_ids, *losers[row.id]))))
        for row in rows.values()
    ]
    # The survivor may be unknown yet, or changed: judging it takes the others over.
    judge(reader.snapshots(told))
    with transaction(ctx.engine) as conn:
        for winner, ids in losers.items():
            report["merges followed"] += _merge(conn, ctx, winner, ids)
    return report


def _merge(conn: Connection, ctx: Context, winner: str, losers: Sequence[str]) -> int:
    """Merge what judging the survivor has not; return how many leads are now part of it."""
    rows = leads.by_hubspot_ids(conn, [winner, *losers])
    into = rows.get(winner)
    if into is None or into.state in FINAL_LEAD_STATES:
        return 0
    known = [rows[one] for one in losers if one in rows]
    ids = [row.id for row in known if row.state not in FINAL_LEAD_STATES]
    merges.merge_into(conn, into.id, ids, at=ctx.clock.now(), by="hubspot")
    return len(known)


def take_off(ctx: Context, policy: Policy, gone: Gone) -> StepReport:
    """Keep leads from being handed off whose contacts are archived or erased.

    Those that sales has, that are customers, or that nobody would hand off stay as they are.
    """
    report = StepReport()
    for cause, ids in ((ARCHIVED, gone.archived), (ERASED, gone.erased)):
        if ids:
            report[f"{cause.partition(' in ')[0]}"] += _suppress(ctx, policy, ids, cause)
    return report


def _suppress(ctx: Context, policy: Policy, hubspot_ids: Iterable[str], cause: str) -> int:
    now = ctx.clock.now()
    with transaction(ctx.engine) as conn:
        rows = leads.by_hubspot_ids(conn, hubspot_ids).values()
        locked = leads.lock_leads(conn, [row.id for row in rows])
        changes = [
            state_change(policy, row.id, LeadState.SUPPRESSED, at=now, cause=cause, by="hubspot")
            for row in locked.values()
            if row.state in _MAY_BE_HANDED_OFF
        ]
        leads.set_states(conn, changes)
    return len(changes)


def renew_timers(ctx: Context, policy: Policy, hubspot_ids: Iterable[str]) -> None:
    """Give leads in the states that nothing takes off a new timer: they must not block others."""
    now = ctx.clock.now()
    with transaction(ctx.engine) as conn:
        rows = leads.by_hubspot_ids(conn, hubspot_ids).values()
        due = [row for row in rows if row.timer_at is not None and row.timer_at <= now]
        leads.set_states(
            conn,
            [
                state_change(policy, row.id, row.state, at=now, cause="gone from HubSpot")
                for row in due
                if row.state not in FINAL_LEAD_STATES
            ],
        )
