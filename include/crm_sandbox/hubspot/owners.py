"""Owners: the portal's users to whom records may belong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from crm_sandbox.hubspot.records import instant


@dataclass(frozen=True, slots=True)
class Owner:
    """One owner. `user_id` is another number than the id that records carry."""

    id: str
    email: str
    first: str
    last: str
    user_id: int
    created_at: datetime
    archived: bool = False

    def to_json(self) -> dict[str, Any]:
        """As the owners API shows it; an archived owner has no user id any more."""
        at = instant(self.created_at)
        return {
            "id": self.id,
            "email": self.email,
            "type": "PERSON",
            "firstName": self.first,
            "lastName": self.last,
            "userId": None if self.archived else self.user_id,
            "userIdIncludingInactive": self.user_id,
            "createdAt": at,
            "updatedAt": at,
            "archived": self.archived,
            "teams": [],
        }
