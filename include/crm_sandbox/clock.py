"""The one clock of a sandbox process: real time, or a simulated moment."""

from __future__ import annotations

from datetime import UTC, datetime


class SandboxClock:
    """Tells every store what time it is.

    While simulated, time stands still at the moment last set; otherwise it is the real time.
    """

    def __init__(self, at: datetime | None = None) -> None:
        """Start in real time, or simulated at `at` (aware)."""
        self._at: datetime | None = None
        if at is not None:
            self.set(at)

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        return self._at if self._at is not None else datetime.now(UTC)

    def set(self, at: datetime) -> None:
        """Simulate: stand still at `at` until set again. Raises ValueError if `at` is naive."""
        if at.tzinfo is None:
            raise ValueError("the sandbox clock needs an aware datetime")
        self._at = at.astimezone(UTC)

    def release(self) -> None:
        """Go back to real time."""
        self._at = None

    @property
    def simulated(self) -> bool:
        """True while the clock stands at a moment that was set."""
        return self._at is not None
