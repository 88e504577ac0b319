"""The day's API calls in the pipeline: who may be claimed when they run short, and the words for it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import Connection

from baton.errors import GatewayError
from baton.ledger.budget import rate_limits
from baton.ledger.budget.daily_budget import SYSTEMS, BudgetTerms, DailyBudget, left_in_words
from baton.ledger.database.engine import transaction
from baton.pipeline.context import Context
from baton.transport import Lane

logger = logging.getLogger(__name__)

KEEP_USAGE = timedelta(days=40)
_SPARED = {
    Lane.HOT: "everything",
    Lane.NORMAL: "all but hot leads",
    Lane.BACKGROUND: "backfills and reconciliations",
}


def waits_for_budget(conn: Connection, ctx: Context, kind: str) -> bool:
    """Tell whether only hot leads' effects of this kind may go; says in the log until when."""
    system = kind.partition("_")[0]
    if system not in SYSTEMS:
        return False
    now = ctx.clock.now()
    for budget in rate_limits.daily_budgets(conn, now, [system]):
        if not budget.open_to(Lane.NORMAL, ctx.budget):
            logger.warning("%s: %s", SYSTEMS[system], in_words(budget, ctx.budget))
            return True
    return False


def in_words(budget: DailyBudget, terms: BudgetTerms) -> str:
    """Return how a day's calls stand, who waits because of it, and until when."""
    said = [left_in_words(budget)]
    waiting = budget.waiting(terms)
    if waiting:
        spared = _SPARED[waiting[0]]
        said.append(
            f"{spared} {'wait' if spared.endswith('s') else 'waits'} {until(budget, terms)}"
        )
    elif budget.share < terms.slow_below:
        said.append("what is not hot goes slower, so that they last")
    said.append(f"{budget.our_calls:,} of the last 24 hours' calls were ours")
    return "; ".join(said)


def until(budget: DailyBudget, terms: BudgetTerms) -> str:
    """Return in words when the hottest lane that waits may go again."""
    waiting = budget.waiting(terms)
    opens = budget.opens_at(waiting[0] if waiting else Lane.NORMAL, terms)
    if budget.resets_at is None:
        return f"until {opens:%Y-%m-%d %H:%M} UTC at the latest, as older calls are forgotten"
    zone = budget.zone or "UTC"
    local = opens.astimezone(ZoneInfo(zone))
    there = "" if zone == "UTC" else f" ({local:%H:%M} in {zone})"
    return f"until {opens:%Y-%m-%d %H:%M} UTC{there}"


def shown(budgets: Sequence[DailyBudget], terms: BudgetTerms) -> list[tuple[str, str]]:
    """Return a line a system for `baton status`: its name and how its calls stand."""
    return [(f"{SYSTEMS[one.system]} calls", in_words(one, terms)) for one in budgets]


def learn_zone(ctx: Context) -> None:
    """Ask HubSpot for the portal's zone, at whose midnight its day begins; drop old counts.

    A token that may not read it costs us only exactness: UTC is taken until it may.
    """
    try:
        zone = ctx.hubspot.time_zone()
        ZoneInfo(zone)
    except (GatewayError, ZoneInfoNotFoundError, ValueError) as error:
        logger.info(
            "the portal's zone is not known (%s); its day is taken to begin at 00:00 UTC",
            type(error).__name__,
        )
        zone = None
    with transaction(ctx.engine) as conn:
        if zone is not None:
            rate_limits.set_zone(conn, "hubspot", zone)
        rate_limits.forget_usage(conn, ctx.clock.now() - KEEP_USAGE)
