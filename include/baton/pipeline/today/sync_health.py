"""How the three connections are: read and written when, what waits, what failed, what to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from baton.ledger.budget.daily_budget import BudgetTerms, DailyBudget
from baton.ledger.budget.rate_limits import BucketRow
from baton.ledger.database import migrate
from baton.ledger.effects import switches
from baton.ledger.effects.switches import Switch
from baton.ledger.pages import page_sync, page_today
from baton.ledger.pages.page_sync import Failed
from baton.ledger.pages.page_today import Count, Effects
from baton.ledger.proofs import checks, reconciliation
from baton.ledger.proofs.checks import CheckResult
from baton.ledger.sources import watermarks
from baton.pipeline.api_budget import in_words
from baton.pipeline.by_hand.effects_switch import stopped, version
from baton.pipeline.today.field_troubles import FieldTrouble, field_troubles
from baton.pipeline.today.morning_words import kind_in_words, many, span

LOOK_BACK: Final = timedelta(hours=24)
LOW_BUDGET: Final = 0.2
MOST_FIELDS: Final = 5
_FAILED: Final = ("rejected", "invalid", "dead")
_WAITING: Final = ("pending", "waiting", "leased")


@dataclass(frozen=True, slots=True)
class Terms:
    """What belongs to a connection: its sources, its effects, who reads and writes, and how soon.

    `late`: after so long without a reading somebody should look.
    """

    name: str
    prefix: str
    kinds: tuple[str, ...]
    reader: str
    late: timedelta


CONNECTIONS: Final = (
    Terms(
        "HubSpot",
        "hubspot",
        ("hubspot_state", "hubspot_list", "hubspot_restore"),
        "lead_handoff",
        timedelta(minutes=15),
    ),
    Terms(
        "Salesforce",
        "salesforce",
        (
            "salesforce_record",
            "salesforce_task",
            "salesforce_aside",
            "salesforce_restore",
            "salesforce_handoff",
        ),
        "disposition_sync and crm_reference_sync",
        timedelta(minutes=45),
    ),
    Terms("Slack", "slack", ("slack_message", "slack_reminder"), "", timedelta(days=366)),
)


@dataclass(frozen=True, slots=True)
class Reading:
    """How far one source has been read, and when it was read last."""

    source: str
    read_to: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Budget:
    """One limit of the other side: calls left of those allowed, and when it said so."""

    name: str
    left: int | None
    allowed: int | None
    at: datetime | None
    blocked_until: datetime | None

    @property
    def share(self) -> float | None:
        """Return which share is left."""
        return self.left / self.allowed if self.left is not None and self.allowed else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionHealth:
    """One connection. `troubles` are pairs: what is wrong, and what to do about it."""

    name: str
    pulled_at: datetime | None
    pushed_at: datetime | None
    readings: tuple[Reading, ...]
    budgets: tuple[Budget, ...]
    waiting: int
    waiting_since: datetime | None
    failed: int
    errors: tuple[Failed, ...]
    troubles: tuple[tuple[str, str], ...]

    @property
    def tone(self) -> str:
        """Return "bad" with a trouble, else "good"; "" for one that was never used."""
        if self.troubles:
            return "bad"
        return "good" if self.pulled_at or self.pushed_at else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncHealth:
    """The whole, as of `at`. `version` is what a form on the kill switch is to carry.

    `reconciliation` is how the last comparison of the three systems ended; `differences` are those
    that still want mending, by code.
    """

    at: datetime
    connections: tuple[ConnectionHealth, ...]
    stopped: Switch | None
    version: str
    modes: tuple[Switch, ...]
    quarantined: Count
    effects: tuple[Effects, ...]
    conservation: CheckResult | None
    reconciliation: CheckResult | None
    differences: dict[str, int]
    revision: str | None
    head: str


def read(conn: Connection, now: datetime, terms: BudgetTerms) -> SyncHealth:
    """Read how everything is; `terms` are the installation's own on the day's API calls."""
    effects = tuple(page_today.unsettled_effects(conn))
    marks = watermarks.all_watermarks(conn)
    readings = [Reading(name, value, at) for name, (value, at) in marks.items()]
    done = page_sync.last_done(conn, [kind for one in CONNECTIONS for kind in one.kinds])
    errors = page_sync.failed_since(conn, now - LOOK_BACK)
    buckets = page_sync.buckets(conn)
    days = page_sync.budgets(conn, now)
    stop = stopped(conn)
    fields = field_troubles(conn, now)
    return SyncHealth(
        at=now,
        connections=tuple(
            _with_day(
                _with_fields(
                    _health(one, now, readings, done, effects, errors, buckets, stop is not None),
                    fields,
                ),
                days.get(one.prefix),
                terms,
            )
            for one in CONNECTIONS
        ),
        stopped=stop,
        version=version(conn),
        modes=tuple(one for one in switches.all_switches(conn) if one.name.startswith("mode:")),
        quarantined=page_today.quarantined(conn),
        effects=effects,
        conservation=checks.last(conn, checks.CONSERVATION),
        reconciliation=checks.last(conn, reconciliation.CHECK),
        differences=reconciliation.open_counts(conn),
        revision=migrate.current_revision(conn),
        head=migrate.head(),
    )


def _health(
    terms: Terms,
    now: datetime,
    readings: Iterable[Reading],
    done: dict[str, datetime],
    effects: Iterable[Effects],
    errors: Iterable[Failed],
    buckets: Iterable[BucketRow],
    stop: bool,
) -> ConnectionHealth:
    mine = tuple(one for one in readings if one.source.partition(".")[0] == terms.prefix)
    own = [one for one in effects if one.kind in terms.kinds]
    waiting = [one for one in own if one.state in _WAITING]
    failed = tuple(one for one in errors if one.kind in terms.kinds)
    budgets = tuple(
        Budget(
            one.name.partition(".")[2],
            one.remaining,
            one.allowed,
            one.observed_at,
            one.blocked_until if one.blocked_until and one.blocked_until > now else None,
        )
        for one in buckets
        if one.name.partition(".")[0] == terms.prefix
    )
    found = ConnectionHealth(
        name=terms.name,
        pulled_at=max((one.at for one in mine), default=None),
        pushed_at=max((done[kind] for kind in terms.kinds if kind in done), default=None),
        readings=mine,
        budgets=budgets,
        waiting=sum(one.number for one in waiting),
        waiting_since=min((one.oldest for one in waiting), default=None),
        failed=sum(one.number for one in own if one.state in _FAILED),
        errors=failed,
        troubles=(),
    )
    return _with_troubles(found, terms, now, stop)


def _with_troubles(
    found: ConnectionHealth, terms: Terms, now: datetime, stop: bool
) -> ConnectionHealth:
    told = (*_of_reading(found, terms, now), *_of_writing(found, now, stop), *_of_limits(found))
    return replace(found, troubles=told)


def _of_reading(found: ConnectionHealth, terms: Terms, now: datetime) -> Iterator[tuple[str, str]]:
    if found.pulled_at is not None and now - found.pulled_at > terms.late:
        yield (
            f"Nothing has been read for {span(now - found.pulled_at)}.",
            (
                f"Look in Airflow whether the Dag {terms.reader} is paused or red. If it runs, its log "
                f"says which connection or right is missing; 'baton doctor' checks them all."
            ),
        )


def _of_writing(found: ConnectionHealth, now: datetime, stop: bool) -> Iterator[tuple[str, str]]:
    if found.failed:
        yield (
            f"{many(found.failed, 'write has', 'writes have')} failed for good.",
            (
                "Open Review, tab Failed writes: each names what to mend. Mend it, then retry; or "
                "dismiss what nobody wants any more."
            ),
        )
    since = found.waiting_since
    if not stop and since is not None and now - since > timedelta(minutes=15):
        yield (
            (
                f"{many(found.waiting, 'write waits', 'writes wait')}, the oldest for "
                f"{span(now - since)}."
            ),
            (
                "The Dag lead_handoff delivers every minute: look whether it is paused, red or waits "
                "for a pool. Messages due at night wait on purpose until the quiet hours end."
            ),
        )
    worst = found.errors[0] if found.errors else None
    if worst is not None and worst.outcome == "waiting" and worst.number >= 10:
        yield (
            (
                f"{kind_in_words(worst.kind)} was refused {many(worst.number, 'time', 'times')} since "
                f"yesterday{f' ({worst.code})' if worst.code else ''}."
            ),
            (
                "It is tried again by itself, with growing pauses. If the number grows, look whether "
                "the other side is down, or a token has run out."
            ),
        )


def _of_limits(found: ConnectionHealth) -> Iterator[tuple[str, str]]:
    for one in found.budgets:
        if one.blocked_until is not None:
            yield (
                f"{found.name} asked us to be silent until {one.blocked_until:%H:%M} UTC.",
                (
                    "Nothing to do: everything waits and goes out then. If it happens often, somebody "
                    "else uses the same limit."
                ),
            )


def _with_fields(found: ConnectionHealth, fields: Iterable[FieldTrouble]) -> ConnectionHealth:
    """Put in the fields of this connection that do not serve, each with its mend."""
    mine = [one for one in fields if one.connection == found.name]
    told = tuple((f"{one.words}.", f"{one.mend}.") for one in mine[:MOST_FIELDS])
    if len(mine) > MOST_FIELDS:
        left = many(len(mine) - MOST_FIELDS, "more field does", "more fields do")
        told += ((f"{left} not serve.", "'baton doctor' names each with its mend."),)
    return replace(found, troubles=(*found.troubles, *told))


def _with_day(
    found: ConnectionHealth, day: DailyBudget | None, terms: BudgetTerms
) -> ConnectionHealth:
    """Put in how the day's calls stand: what is left by now, and who waits until when."""
    if day is None:
        return found
    budgets = tuple(
        replace(one, left=max(0, day.remaining)) if one.name == "daily" else one
        for one in found.budgets
    )
    told = (
        (
            f"Only {100 * day.share:.0f} % of today's calls are left. {in_words(day, terms)}.",
            (
                "Find out in the other system who uses them, or buy more. Baton goes on by itself "
                "when calls come back: docs/api-budget.md."
            ),
        ),
    )
    short = day.share < LOW_BUDGET or bool(day.waiting(terms))
    return replace(
        found, budgets=budgets, troubles=(*found.troubles, *told) if short else found.troubles
    )
