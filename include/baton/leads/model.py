"""A lead as it was seen: properties as text, with their source's time and a hash of the content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from baton.leads.values import read_instant

Properties = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class LeadSnapshot:
    """What HubSpot showed of one contact and its primary company at one moment.

    `modified_at` is HubSpot's, `seen_at` ours, `captured_at` the buyer's: when the hand was raised.
    `merged_ids`: contacts that HubSpot has merged into this one.
    """

    hubspot_id: str
    modified_at: datetime
    seen_at: datetime
    captured_at: datetime
    properties: Properties
    company: Properties | None = None
    merged_ids: tuple[str, ...] = ()

    def content_hash(self, ignored: frozenset[str] = frozenset()) -> str:
        """Return the SHA-256 of what was seen, in hex, without the properties in `ignored`.

        Absent, None and empty are the same: HubSpot does not tell them apart either. What Baton
        itself writes, and the instants of reading, belong into `ignored`, so that an echo of a
        write-back is not a change.
        """
        content = {
            "contact": _told(self.properties, ignored),
            "company": _told(self.company or {}, ignored),
            "merged": sorted(self.merged_ids),
        }
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _told(properties: Properties, ignored: frozenset[str]) -> dict[str, str]:
    return {name: value for name, value in properties.items() if value and name not in ignored}


def captured_at(properties: Properties, hand_raises: Iterable[str]) -> datetime | None:
    """Return when the buyer last raised a hand, else when the contact was created.

    `hand_raises` are the HubSpot properties that hold such instants
    (`baton.leads.facts.hand_raise_properties` gives those of a policy). None when nothing in the
    record can be read as an instant; the caller then has only the time at which it saw the lead.
    """
    raised = [read_instant(properties.get(name)) for name in hand_raises]
    known = [at for at in raised if at is not None]
    return max(known) if known else read_instant(properties.get("createdate"))
