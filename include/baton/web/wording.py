"""How values read on a page: times, lengths, counts, and links that are safe to follow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

NOTHING: Final = "–"
_STEPS = ((86400, "d"), (3600, "h"), (60, "min"))


def duration(value: timedelta | float | None) -> str:
    """Return a length of time in its two largest units: "3 d 4 h", "12 min", "8 s"."""
    if value is None:
        return NOTHING
    seconds = value.total_seconds() if isinstance(value, timedelta) else float(value)
    sign, seconds = ("-" if seconds < 0 else ""), abs(seconds)
    if seconds < 60:
        return f"{sign}{seconds:.0f} s"
    for place, (size, unit) in enumerate(_STEPS):
        if seconds < size:
            continue
        whole = int(seconds // size)
        below = _STEPS[place + 1 : place + 2]
        rest = [f"{int(seconds % size // small)} {word}" for small, word in below]
        shown = [part for part in rest if not part.startswith("0 ")]
        return sign + " ".join([f"{whole} {unit}", *shown])
    return NOTHING


def ago(at: datetime | None, now: datetime) -> str:
    """Return how long ago something was: "12 min ago", or "in 3 h" for what is still to come."""
    if at is None:
        return NOTHING
    passed = now - at
    if abs(passed) < timedelta(seconds=5):
        return "just now"
    if abs(passed) >= timedelta(days=2):
        # Nobody counts the hours of what is days away; the title has the instant.
        passed = timedelta(days=int(passed / timedelta(days=1)))
    return f"{duration(passed)} ago" if passed >= timedelta(0) else f"in {duration(-passed)}"


def moment(at: datetime | None) -> str:
    """Return an instant as people write it: "2026-11-20 09:00 UTC"."""
    return NOTHING if at is None else f"{at:%Y-%m-%d %H:%M} UTC"


def iso(at: datetime | None) -> str:
    """Return an instant for machines: the `datetime` of a <time>."""
    return "" if at is None else at.isoformat(timespec="seconds")


def count(value: int | None) -> str:
    """Return a whole number with thin gaps between thousands: "12 345"."""
    return NOTHING if value is None else f"{value:,}".replace(",", "\u202f")


def points(milli: int | None, digits: int = 3) -> str:
    """Return thousandths of a point as points: "81.5"; with few `digits` rounded for a list."""
    return NOTHING if milli is None else f"{milli / 1000:.{digits}f}".rstrip("0").rstrip(".")


def share(value: float | None, digits: int = 0) -> str:
    """Return a share of one as per cent: "82 %"."""
    return NOTHING if value is None else f"{100 * value:.{digits}f} %"


def words(name: str | None) -> str:
    """Return an identifier as words: "in_handoff" is "in handoff"."""
    return NOTHING if not name else name.replace("_", " ")


def or_nothing(value: Any) -> Any:
    """Return the value, or a dash where there is none."""
    return NOTHING if value is None or value == "" else value


FILTERS: Final[Mapping[str, Callable[..., Any]]] = {
    "ago": ago,
    "count": count,
    "duration": duration,
    "iso": iso,
    "moment": moment,
    "or_nothing": or_nothing,
    "points": points,
    "share": share,
    "words": words,
}
"""What templates may write behind a bar."""
