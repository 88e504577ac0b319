"""What happened in the market, for display and for counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that a buyer or a member of staff did."""

    at: datetime
    kind: str
    """For example form, quiz, call, visit, touch, accepted, rejected, converted, won, lost."""
    who: str
    """The buyer's key or the staff member's key; never a name."""
    what: str
    company: str = ""

    def as_json(self) -> dict[str, Any]:
        """For the admin interface; the instant in ISO 8601."""
        return {
            "at": self.at.isoformat(),
            "kind": self.kind,
            "who": self.who,
            "what": self.what,
            "company": self.company,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayedDay:
    """The result of one `Market.play`: the span and how often each kind of event happened."""

    since: datetime
    until: datetime
    counts: Mapping[str, int]
    new_contacts: int

    def as_json(self) -> dict[str, Any]:
        """For the admin interface."""
        return {
            "since": self.since.isoformat(),
            "until": self.until.isoformat(),
            "counts": dict(sorted(self.counts.items())),
            "new_contacts": self.new_contacts,
        }


@dataclass(slots=True)
class Record:
    """Collects the events of one call."""

    events: list[Event] = field(default_factory=list)

    def add(self, event: Event) -> None:
        """Remember an event."""
        self.events.append(event)

    def counts(self) -> dict[str, int]:
        """How many events of each kind there were."""
        return dict(Counter(event.kind for event in self.events))
