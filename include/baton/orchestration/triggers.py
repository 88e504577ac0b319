"""The trigger that wakes `lead_handoff` when a buyer raises a hand in HubSpot.

It carries no lead and decides nothing: it says that there is something to pull. The Dag's own
schedule would find the same a minute later, so a lost, doubled or late event does no harm.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseEventTrigger, TriggerEvent

from baton.errors import BatonError

if TYPE_CHECKING:
    from baton.crm.hubspot import HubSpotGateway

logger = logging.getLogger(__name__)

LOOK_BACK = timedelta(seconds=90)
"""HubSpot's index shows a change late; a change seen before is not reported again."""
LONGEST_PAUSE_SECONDS = 120.0


class HubSpotHandRaiseTrigger(BaseEventTrigger):
    """Polls HubSpot for contacts that changed and reports their number, once for each change.

    Args:
        seconds: pause between two looks. Each look is one search request (5 a second an account).
    """

    def __init__(self, seconds: float = 2.0) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow's base has no types
        self.seconds = seconds

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return how the triggerer makes this trigger anew."""
        path = f"{type(self).__module__}.{type(self).__qualname__}"
        return path, {"seconds": self.seconds}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield an event whenever there is something new; go on, more slowly, after errors."""
        seen: dict[str, datetime] = {}
        pause = self.seconds
        gateway: HubSpotGateway | None = None
        while True:
            try:
                if gateway is None:
                    gateway = await asyncio.to_thread(_gateway)
                fresh = await asyncio.to_thread(_fresh, gateway, seen)
                pause = self.seconds
            except BatonError as error:
                fresh, gateway = 0, None
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
                logger.warning("hand-raise trigger: %s; next look in %.0f s", error, pause)
            # The first look too: what came while no trigger ran must not wait for the schedule.
            if fresh:
                yield TriggerEvent({"changed": fresh})  # type: ignore[no-untyped-call]  # as above
            await asyncio.sleep(pause)


def _gateway() -> HubSpotGateway:
    from baton.crm.hubspot import HubSpotGateway
    from baton.ledger.budget.rate_limits import LedgerRateLimiter
    from baton.ledger.database.engine import ledger_engine
    from baton.orchestration.connections import hubspot_connection
    from baton.settings import Settings

    engine = ledger_engine(Settings.from_environment().database_url)
    return HubSpotGateway(hubspot_connection(), LedgerRateLimiter(engine))


def _fresh(gateway: HubSpotGateway, seen: dict[str, datetime]) -> int:
    """Return how many hand raises are new since the last look, and remember them."""
    now = gateway.server_now()
    raised = gateway.hand_raises(now - LOOK_BACK)
    fresh = [one for one in raised if seen.get(one.id) != one.modified_at]
    seen.update({one.id: one.modified_at for one in fresh})
    for contact in [key for key, at in seen.items() if at < now - 4 * LOOK_BACK]:
        del seen[contact]
    return len(fresh)
