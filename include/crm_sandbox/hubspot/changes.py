"""What happens to a portal's records, told to whoever listens: the source of webhooks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

NEVER_TOLD = frozenset({"hs_lastmodifieddate", "lastmodifieddate", "num_unique_conversion_events"})
"""Properties that HubSpot lets nobody subscribe to."""


class ChangeKind(StrEnum):
    """What happened, as the second half of HubSpot's subscription type."""

    CREATION = "creation"
    PROPERTY = "propertyChange"
    DELETION = "deletion"
    PRIVACY_DELETION = "privacyDeletion"
    MERGE = "merge"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that happened to one record. `more` holds what the kind of change adds."""

    noun: str
    kind: ChangeKind
    object_id: int
    at: datetime
    source: str
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def subscription_type(self) -> str:
        """HubSpot's name of it, such as contact.creation."""
        return f"{self.noun}.{self.kind}"


def property_changes(
    noun: str,
    object_id: int,
    values: Mapping[str, str | None],
    *,
    at: datetime,
    source: str,
) -> list[Change]:
    """One change a property that somebody may subscribe to."""
    return [
        Change(
            noun,
            ChangeKind.PROPERTY,
            object_id,
            at,
            source,
            {"propertyName": name, "propertyValue": value or ""},
        )
        for name, value in values.items()
        if name not in NEVER_TOLD
    ]
