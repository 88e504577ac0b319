"""The daily allowance of API calls, counted over a rolling day."""

from __future__ import annotations

from datetime import datetime, timedelta

from crm_sandbox.clock import SandboxClock

DAILY_CALLS = 100_000


class ApiQuota:
    """Counts calls by the hour and forgets those older than a day."""

    def __init__(self, clock: SandboxClock, *, limit: int = DAILY_CALLS) -> None:
        """`limit` is the number of calls in 24 hours; it may be changed at any time."""
        self._clock = clock
        self.limit = limit
        self._by_hour: dict[datetime, int] = {}
        self.total = 0

    @property
    def used(self) -> int:
        """Calls in the last 24 hours."""
        oldest = self._hour() - timedelta(hours=24)
        for hour in [one for one in self._by_hour if one <= oldest]:
            del self._by_hour[hour]
        return sum(self._by_hour.values())

    @property
    def exhausted(self) -> bool:
        """True when the next call would be one too many."""
        return self.used >= self.limit

    def count(self, calls: int = 1) -> None:
        """Count calls now; `total` keeps the sum since the start."""
        hour = self._hour()
        self._by_hour[hour] = self._by_hour.get(hour, 0) + calls
        self.total += calls

    def _hour(self) -> datetime:
        return self._clock.now().replace(minute=0, second=0, microsecond=0)
