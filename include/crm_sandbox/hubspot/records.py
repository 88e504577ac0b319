"""The record every HubSpot object type shares, and how its moments are written."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Version:
    """Values as they were set together: when, by what, and what they were before."""

    at: datetime
    source: str
    values: dict[str, str | None]
    before: dict[str, str | None]


@dataclass(slots=True, eq=False)
class Record:
    """One object of a portal.

    `properties` maps internal names to text; a value that was never set is absent. The mapping is
    replaced, never changed in place, so that a reader may keep an older one.
    """

    id: str
    properties: dict[str, str | None]
    created_at: datetime
    updated_at: datetime
    archived: bool = False
    archived_at: datetime | None = None
    versions: list[Version] = field(default_factory=list, repr=False)
    """Every change after the creation, oldest first."""

    @property
    def number(self) -> int:
        """The id as a number, which is the order in which lists are served."""
        return int(self.id)


def milliseconds(at: datetime) -> int:
    """Milliseconds since 1970 of an aware moment."""
    return int(at.timestamp()) * 1000 + at.microsecond // 1000


def moment(epoch_ms: int) -> datetime:
    """The aware UTC moment of milliseconds since 1970."""
    seconds, rest = divmod(epoch_ms, 1000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest * 1000)


def instant(at: datetime) -> str:
    """ISO 8601 in UTC, without a fraction on a full second and with three digits otherwise."""
    at = at.astimezone(UTC)
    thousandths = at.microsecond // 1000
    head = at.strftime("%Y-%m-%dT%H:%M:%S")
    return f"{head}.{thousandths:03d}Z" if thousandths else f"{head}Z"


_EARLIEST_MS, _LATEST_MS = -62_135_596_800_000, 253_402_300_799_999


def parse_moment(text: str) -> int | None:
    """Epoch milliseconds of ISO 8601 text or of digits that are epoch milliseconds, else None."""
    if text.removeprefix("-").isdecimal():
        epoch = int(text) if len(text) < 20 else _LATEST_MS + 1
        return epoch if _EARLIEST_MS <= epoch <= _LATEST_MS else None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return milliseconds(at if at.tzinfo else at.replace(tzinfo=UTC))
