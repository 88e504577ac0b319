"""Forms and what was submitted through them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from crm_sandbox.hubspot.records import instant, milliseconds


@dataclass(frozen=True, slots=True)
class Submission:
    """One submitted form."""

    conversion_id: str
    at: datetime
    values: Mapping[str, str]
    page_url: str

    def to_json(self) -> dict[str, Any]:
        """As the submissions API shows it."""
        return {
            "conversionId": self.conversion_id,
            "submittedAt": milliseconds(self.at),
            "values": [
                {"name": name, "value": value, "objectTypeId": "0-1"}
                for name, value in self.values.items()
            ],
            "pageUrl": self.page_url,
        }


@dataclass(slots=True)
class Form:
    """A form and its submissions, oldest first."""

    guid: str
    name: str
    created_at: datetime
    submissions: list[Submission] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """As the forms API shows it."""
        at = instant(self.created_at)
        return {
            "id": self.guid,
            "name": self.name,
            "createdAt": at,
            "updatedAt": at,
            "archived": False,
            "formType": "hubspot",
            "fieldGroups": [],
            "configuration": {"language": "en"},
            "displayOptions": {},
            "legalConsentOptions": {"type": "none"},
        }


def guid_from(bits: int) -> str:
    """A version 4 UUID made of given random bits."""
    return str(UUID(int=bits, version=4))
