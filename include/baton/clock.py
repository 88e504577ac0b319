"""The one clock. Everything that needs an instant takes a Clock; nothing calls ``datetime.now``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Where instants come from. All instants are aware and in UTC."""

    def now(self) -> datetime:
        """Return the present instant."""
        ...

    def decides_at(self, captured_at: datetime) -> datetime:
        """Return the instant at which a lead captured at `captured_at` counts as decided."""
        ...

    def known_until(self) -> datetime:
        """Return the instant up to which we know what people did: deadlines are judged as of then."""
        ...


class SystemClock:
    """Real time: what is decided now is decided now."""

    def now(self) -> datetime:
        """Return the present instant."""
        return datetime.now(UTC)

    def decides_at(self, captured_at: datetime) -> datetime:
        """Return the present instant, whenever the lead was captured."""
        return self.now()

    def known_until(self) -> datetime:
        """Return the present instant: people act, and we read it at once."""
        return self.now()


@dataclass(slots=True)
class HistoryClock:
    """Past time, set by whoever replays it.

    A replay runs the pipeline once for a stretch of past time (a day, say). A lead captured in
    that stretch is decided `latency` after its capture, as the live system would have done, but
    never later than the end of the stretch. Such handoffs carry the mode ``history``, so the
    assumed latency never enters a measured figure.
    """

    at: datetime
    latency: timedelta = timedelta(seconds=5)
    stretch: timedelta = timedelta(days=1)

    def now(self) -> datetime:
        """Return the end of the stretch that is being replayed."""
        return self.at

    def decides_at(self, captured_at: datetime) -> datetime:
        """Return capture plus latency, at most the end of the stretch."""
        return min(self.at, captured_at + self.latency)

    def known_until(self) -> datetime:
        """Return the end of the stretch before: reps answer this stretch's leads in the next."""
        return self.at - self.stretch
