"""HubSpot's rate limits: ten-second burst per token, search per account, daily per account."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo

from crm_sandbox.clock import SandboxClock
from crm_sandbox.hubspot.errors import PortalFault

_WINDOW_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class LimitPlan:
    """How much is allowed; the default is a Professional account's.

    `ten_secondly` calls in any ten seconds per token, `search_per_second` for the whole account,
    `daily` from midnight to midnight in the portal's time zone. `retry_after` seconds are
    announced with a 429 when set (HubSpot usually does not).
    """

    ten_secondly: int = 190
    search_per_second: int = 5
    daily: int = 625_000
    retry_after: int | None = None


@dataclass(slots=True)
class _Window:
    seconds: float
    calls: deque[float] = field(default_factory=deque)

    def used(self, now: float) -> int:
        while self.calls and self.calls[0] <= now - self.seconds:
            self.calls.popleft()
        return len(self.calls)


class Limits:
    """Counts calls and refuses those over a limit.

    Bursts are measured in real time whatever the sandbox clock says. While that clock is
    simulated nothing is refused, because there is no honest rate when time stands still.
    """

    def __init__(
        self,
        clock: SandboxClock,
        zone: tzinfo,
        plan: LimitPlan | None = None,
        *,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        """`timer` gives seconds that only grow."""
        self.plan = plan or LimitPlan()
        self._clock = clock
        self._zone = zone
        self._timer = timer
        self._bursts: dict[str, _Window] = {}
        self._search = _Window(1.0)
        self._day = self._today()
        self.used_today = 0

    def resets_at(self) -> datetime:
        """When the daily count starts again."""
        tomorrow = self._today() + timedelta(days=1)
        return datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=self._zone)

    def _today(self) -> datetime:
        local = self._clock.now().astimezone(self._zone)
        return local.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)

    def admit(self, token: str, *, search: bool, burst: bool) -> None:
        """Count one call, or raise PortalFault 429.

        `search` calls have the search limit instead of the burst limit; `burst` False exempts a
        call from the burst limit altogether.
        """
        now = self._timer()
        self._roll_day()
        window = self._search if search else self._burst(token)
        if not self._clock.simulated:
            self._refuse(window, now, search=search, burst=burst)
        if search or burst:
            window.calls.append(now)
        self.used_today += 1

    def _refuse(self, window: _Window, now: float, *, search: bool, burst: bool) -> None:
        if self.used_today >= self.plan.daily:
            raise rate_fault("DAILY")
        if search and window.used(now) >= self.plan.search_per_second:
            raise rate_fault("SECONDLY")
        if not search and burst and window.used(now) >= self.plan.ten_secondly:
            raise rate_fault("TEN_SECONDLY_ROLLING")

    def _burst(self, token: str) -> _Window:
        return self._bursts.setdefault(token, _Window(_WINDOW_SECONDS))

    def _roll_day(self) -> None:
        today = self._today()
        if today != self._day:
            self._day, self.used_today = today, 0

    def headers(self, token: str) -> dict[str, str]:
        """The rate limit headers of every reply that is not a search."""
        used = self._burst(token).used(self._timer())
        secondly = max(1, self.plan.ten_secondly // 10)
        return {
            "x-hubspot-ratelimit-max": str(self.plan.ten_secondly),
            "x-hubspot-ratelimit-remaining": str(max(0, self.plan.ten_secondly - used)),
            "x-hubspot-ratelimit-interval-milliseconds": "10000",
            "x-hubspot-ratelimit-daily": str(self.plan.daily),
            "x-hubspot-ratelimit-daily-remaining": str(max(0, self.plan.daily - self.used_today)),
            "x-hubspot-ratelimit-secondly": str(secondly),
            "x-hubspot-ratelimit-secondly-remaining": str(secondly),
        }


_POLICIES = {
    "TEN_SECONDLY_ROLLING": "You have reached your ten_secondly_rolling limit.",
    "SECONDLY": "You have reached your secondly limit.",
    "DAILY": "You have reached your daily limit.",
}


def rate_fault(policy: str) -> PortalFault:
    """The 429 of a policy: TEN_SECONDLY_ROLLING, SECONDLY (search) or DAILY."""
    body = {
        "status": "error",
        "message": _POLICIES[policy],
        "errorType": "RATE_LIMIT",
        "policyName": policy,
    }
    if policy == "TEN_SECONDLY_ROLLING":
        body["groupName"] = "publicapi:private-app-api-calls-ten-secondly"
    return PortalFault(429, body)
