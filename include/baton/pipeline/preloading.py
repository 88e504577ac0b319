"""What a process that forks others does once, so that each of them need not."""

from __future__ import annotations

from baton.calendars.build import public_holidays
from baton.validation.verdicts import preload


def warm_up() -> None:
    """Load Great Expectations and the holiday tables: together some ten seconds of CPU."""
    preload()
    public_holidays("DE")
