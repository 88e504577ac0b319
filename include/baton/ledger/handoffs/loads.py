"""How much everybody was given lately, and who has somebody of a company: what routing looks at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, func, or_, select

from baton.ledger.handoffs.handoff_reads import real
from baton.ledger.tables.columns import OPEN_HANDOFF_STATES, among
from baton.ledger.tables.handoffs import handoff, hop

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)


@dataclass(frozen=True, slots=True)
class GivenLately:
    """Hops by owner within the last hour, day and week, up to and including now; no tests."""

    hour: Mapping[str, int]
    day: Mapping[str, int]
    week: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class CompanyOwner:
    """Who has, or was last given, a lead of a company."""

    lead_id: int
    owner: str
    account_id: str | None
    company_domain: str | None
    decided_at: datetime


def given_lately(conn: Connection, now: datetime, *, observed: bool = True) -> GivenLately:
    """Return what every owner was given within the windows that caps speak of.

    What was adopted they had already: nobody was given it now.
    """

    def within(span: timedelta) -> ColumnElement[int]:
        return func.count().filter(hop.c.assigned_at > now - span)

    query = (
        select(hop.c.owner_key, within(HOUR), within(DAY), func.count())
        .join(handoff, handoff.c.id == hop.c.handoff_id)
        .where(
            hop.c.assigned_at > now - WEEK,
            hop.c.assigned_at <= now,
            handoff.c.origin != "test",
            handoff.c.adopted_at.is_(None),
            real(observed=observed),
        )
        .group_by(hop.c.owner_key)
    )
    rows = [tuple(row) for row in conn.execute(query)]
    hour, day, week = ({row[0]: row[at] for row in rows if row[at]} for at in (1, 2, 3))
    return GivenLately(hour, day, week)


def imported_lately(conn: Connection, now: datetime, *, observed: bool = True) -> int:
    """Return how many imported leads were handed off within the last 24 hours."""
    query = select(func.count()).where(
        handoff.c.origin == "import",
        handoff.c.decided_at > now - DAY,
        handoff.c.decided_at <= now,
        real(observed=observed),
    )
    return int(conn.execute(query).scalar_one())


def company_owners(
    conn: Connection,
    *,
    accounts: Iterable[str],
    domains: Iterable[str],
    since: datetime,
    observed: bool = True,
) -> list[CompanyOwner]:
    """Return who has a lead of these companies, newest first: open, or handed off since then.

    The owner is the person of the newest hop. Queues own nobody's colleagues, tests count for
    nothing.
    """
    last = (
        select(hop.c.handoff_id, func.max(hop.c.number).label("number"))
        .join(handoff, handoff.c.id == hop.c.handoff_id)
        .where(
            or_(among(handoff.c.account_id, accounts), among(handoff.c.company_domain, domains)),
            or_(handoff.c.state.in_(OPEN_HANDOFF_STATES), handoff.c.decided_at >= since),
            handoff.c.origin != "test",
            real(observed=observed),
        )
        .group_by(hop.c.handoff_id)
        .subquery()
    )
    query = (
        select(
            handoff.c.lead_id,
            hop.c.owner_key.label("owner"),
            handoff.c.account_id,
            handoff.c.company_domain,
            handoff.c.decided_at,
        )
        .join(last, last.c.handoff_id == handoff.c.id)
        .join(hop, (hop.c.handoff_id == last.c.handoff_id) & (hop.c.number == last.c.number))
        .where(hop.c.owner_kind == "user")
        .order_by(handoff.c.decided_at.desc(), handoff.c.id.desc())
    )
    return [CompanyOwner(**row._asdict()) for row in conn.execute(query)]
