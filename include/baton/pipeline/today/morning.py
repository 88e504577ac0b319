"""What wants a person today: the lines of the page Today and of the morning's digest.

`read` looks into the ledger, `items` says in words what it found; nothing in them is personal data
of a lead. Each line has one action: where to go for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection

from baton.errors import ConfigurationError, PolicyErrors
from baton.ledger.effects import holds, switches
from baton.ledger.effects.holds import Figures, HeldBatch
from baton.ledger.effects.switches import Switch
from baton.ledger.handoffs import loads
from baton.ledger.handoffs.loads import GivenLately
from baton.ledger.leads import arrivals, drift
from baton.ledger.leads.arrivals import Arrived, Silent
from baton.ledger.leads.drift import WarningRow
from baton.ledger.pages import page_today
from baton.ledger.pages.page_today import Count, Effects, LateLead, OwnerLoad, TodaySoFar, Waits
from baton.ledger.proofs import checks, reconciliation
from baton.ledger.proofs.checks import CheckResult
from baton.ledger.sources import watermarks
from baton.pipeline.active_policy import Agreement, active_policy
from baton.pipeline.intake.pull import WATERMARK
from baton.pipeline.today.field_troubles import FieldTrouble, field_troubles

HOT: Final = ("hot",)
"""Bands that count as hot while no policy says so."""
LOOK_BACK: Final = timedelta(hours=24)
FORMS_BACK: Final = timedelta(days=7)
LEAST_USUAL: Final = 5


class Tone(StrEnum):
    """How much a line wants a person: `bad` now, `warn` today, `info` is only good to know."""

    BAD = "bad"
    WARN = "warn"
    INFO = "info"


class Step(StrEnum):
    """The chain, in its order."""

    DEFINE = "Define"
    SCORE = "Score"
    ROUTE = "Route"
    NOTIFY = "Notify"
    WORK = "Work"
    DISPOSITION = "Disposition"
    LEARN = "Learn"


@dataclass(frozen=True, slots=True, kw_only=True)
class TodayItem:
    """One line. `id` stays the same from look to look; `link` is a path below the pages' base."""

    id: str
    step: Step
    tone: Tone
    title: str
    detail: str = ""
    action: str
    link: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Morning:
    """What the ledger says of today, as of `at`. `agreement` is None where there is none to use."""

    at: datetime
    agreement: Agreement | None
    trouble: str
    waits: Waits
    late: tuple[LateLead, ...]
    owners: tuple[OwnerLoad, ...]
    given: GivenLately
    held: tuple[Count, ...]
    quarantined: Count
    quarantine_reasons: tuple[tuple[str, int], ...]
    effects: tuple[Effects, ...]
    overrides: tuple[Count, ...]
    silent: tuple[Silent, ...]
    forms: tuple[Arrived, ...]
    unreadable: tuple[Arrived, ...]
    drift: tuple[WarningRow, ...]
    stopped: Switch | None
    read_at: datetime | None
    conservation: CheckResult | None
    batches: tuple[tuple[HeldBatch, Figures], ...]
    differences: Mapping[str, int]
    so_far: TodaySoFar
    fields: tuple[FieldTrouble, ...] = ()

    @property
    def open_handoffs(self) -> int:
        """Return how many handoffs are open."""
        return sum(one.handoffs for one in self.owners)


def read(conn: Connection, now: datetime, midnight: datetime) -> Morning:
    """Read what wants a person; `midnight` is when today began."""
    agreement, trouble = _agreement(conn)
    bands = hot_bands(agreement)
    work = page_today.open_work(conn, now, bands)
    quarantined = page_today.quarantined(conn)
    marks = watermarks.all_watermarks(conn)
    stops = {one.name: one for one in switches.all_switches(conn)}
    stop = stops.get(switches.KILL_SWITCH)
    return Morning(
        at=now,
        agreement=agreement,
        trouble=trouble,
        waits=work.waits,
        late=work.late,
        owners=work.owners,
        given=_given(conn, agreement, now),
        held=tuple(page_today.held(conn)),
        quarantined=quarantined,
        quarantine_reasons=tuple(page_today.quarantine_reasons(conn) if quarantined.number else ()),
        effects=tuple(page_today.unsettled_effects(conn)),
        overrides=tuple(page_today.unseen_overrides(conn)),
        silent=tuple(arrivals.silent(conn, now, least=LEAST_USUAL)),
        forms=tuple(arrivals.arrived(conn, "form", since=now - FORMS_BACK)),
        unreadable=tuple(arrivals.arrived(conn, "unreadable", since=now - LOOK_BACK)),
        drift=tuple(drift.warnings_since(conn, now - LOOK_BACK)),
        stopped=stop if stop and stop.value == switches.STOPPED else None,
        read_at=marks[WATERMARK][1] if WATERMARK in marks else None,
        conservation=checks.last(conn, checks.CONSERVATION),
        batches=tuple((one, holds.figures(conn, one.id)) for one in holds.unanswered(conn)),
        differences=reconciliation.open_counts(conn),
        so_far=page_today.so_far(conn, midnight),
        fields=tuple(field_troubles(conn, now)),
    )


def hot_bands(agreement: Agreement | None) -> tuple[str, ...]:
    """Return the bands that count as hot: the policy's highest."""
    if agreement is None or not agreement.policy.bands:
        return HOT
    return (agreement.policy.bands_high_to_low[0].name,)


def _agreement(conn: Connection) -> tuple[Agreement | None, str]:
    try:
        return active_policy(conn), ""
    except ConfigurationError as error:
        return None, str(error)
    except PolicyErrors:
        return None, "the active policy cannot be read by this version of Baton"


def _given(conn: Connection, agreement: Agreement | None, now: datetime) -> GivenLately:
    """Return what everybody was given lately, if anybody has a limit by time."""
    people = agreement.roster.people if agreement else ()
    if not any(rep.cap_hour or rep.cap_day or rep.cap_week for rep in people):
        return GivenLately({}, {}, {})
    return loads.given_lately(conn, now)
