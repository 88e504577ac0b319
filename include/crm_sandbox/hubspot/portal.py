"""The portal: HubSpot's data and the rules that hold whoever changes it.

The HTTP app and the simulated market both work through this class. The app's writes are `strict`
(values are checked, read-only properties refused, life-cycle stages move forward only); the
market stands for HubSpot itself and may set what HubSpot computes, such as page views.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from crm_sandbox.clock import SandboxClock
from crm_sandbox.hubspot.desk import LOADING, STRICT, Checks, RecordDesk
from crm_sandbox.hubspot.errors import (
    fault,
    invalid,
)
from crm_sandbox.hubspot.forms import Form, Submission, guid_from
from crm_sandbox.hubspot.lists import add_members
from crm_sandbox.hubspot.owners import Owner
from crm_sandbox.hubspot.properties import PropertyDefinition, read_definition
from crm_sandbox.hubspot.records import Record, instant

ALL_SCOPES = frozenset(
    {
        "crm.objects.contacts.read",
        "crm.objects.contacts.write",
        "crm.objects.companies.read",
        "crm.objects.companies.write",
        "crm.objects.owners.read",
        "crm.schemas.contacts.read",
        "crm.schemas.contacts.write",
        "crm.schemas.companies.read",
        "crm.schemas.companies.write",
        "crm.schemas.custom.read",
        "crm.lists.read",
        "crm.lists.write",
        "forms",
        "account-info.security.read",
    }
)
__all__ = ["ALL_SCOPES", "LOADING", "STRICT", "Checks", "Portal", "Record"]


class Portal(RecordDesk):
    """One HubSpot account.

    Object types are named "contacts" and "companies". Every refusal is a PortalFault. Every
    method that changes something takes `at`, the moment of the change (default: the clock's now).
    """

    def __init__(
        self,
        clock: SandboxClock,
        *,
        seed: int = 0,
        search_lag_seconds: float = 0.0,
        portal_id: int = 4400123,
        time_zone: str = "America/New_York",
    ) -> None:
        """Start an empty portal. Search trails every change by `search_lag_seconds`."""
        super().__init__(
            clock,
            seed=seed,
            search_lag_seconds=search_lag_seconds,
            portal_id=portal_id,
            time_zone=time_zone,
        )
        self.token = f"sandbox-hubspot-{self.random.getrandbits(96):024x}"
        self.tokens: dict[str, set[str]] = {self.token: set(ALL_SCOPES)}
        self.forms: dict[str, Form] = {}

    def erase(self, object_type: str, record_id: str) -> None:
        """Forget a record for good, with what was submitted under its e-mail."""
        record = self.get(object_type, record_id)
        super().erase(object_type, record_id)
        email = record.properties.get("email") if record else None
        if email:
            for form in self.forms.values():
                form.submissions[:] = [s for s in form.submissions if _email(s.values) != email]

    def trail_search(
        self, lag_seconds: float, *, jitter_seconds: float = 0.0, seed: int = 0
    ) -> None:
        """Let search trail every later change; with a jitter it sees them in another order."""
        for store in self._stores.values():
            store.index.trail(lag_seconds, jitter_seconds=jitter_seconds, seed=seed)

    # ---- definitions, forms, lists, owners ------------------------------------------------

    def define_property(
        self, object_type: str, definition: Mapping[str, Any], *, at: datetime | None = None
    ) -> PropertyDefinition:
        """Define a custom property from the JSON of the properties API.

        A missing group means the standard one of the type. Raises PortalFault 400 or 409.
        """
        store = self._store(object_type)
        raw = {"groupName": store.kind.group, **definition}
        made = read_definition(raw, at=self._now(at))
        store.add_property(made)
        return made

    def create_form(self, name: str, *, guid: str | None = None, at: datetime | None = None) -> str:
        """Make a form; returns its guid."""
        guid = guid or guid_from(self.random.getrandbits(128))
        if guid in self.forms:
            raise fault(409, f"A form with guid {guid} already exists.", "CONFLICT")
        self.forms[guid] = Form(guid, name, self._now(at))
        return guid

    def submit_form(
        self,
        guid: str,
        values: Mapping[str, str],
        *,
        at: datetime | None = None,
        page_url: str = "",
    ) -> Record:
        """Submit a form: creates or updates the contact of that e-mail and counts the conversion.

        Raises PortalFault: 404 for the form, 400 without an e-mail or for an undefined property.
        """
        form, now = self.forms.get(guid), self._now(at)
        if form is None:
            raise fault(404, f"No form found with guid '{guid}'.", "OBJECT_NOT_FOUND")
        email = _email(values)
        if not email:
            raise invalid("A form submission needs an email.")
        contact = self.find("contacts", "email", email)
        before = contact.properties if contact else {}
        changed = {**values, **self._conversion(form, before, email, now)}
        if not before.get("lifecyclestage"):
            changed.setdefault("lifecyclestage", "lead")
        if contact is None:
            contact = self.create("contacts", changed, at=now, source="FORM")
        else:
            contact = self.update("contacts", contact.id, changed, at=now, source="FORM")
        conversion = guid_from(self.random.getrandbits(128))
        form.submissions.append(Submission(conversion, now, dict(values), page_url))
        return contact

    def _conversion(
        self, form: Form, before: Mapping[str, str | None], email: str, now: datetime
    ) -> dict[str, str | None]:
        known = any(_email(sent.values) == email for sent in form.submissions) if before else False
        changed: dict[str, str | None] = {
            "num_conversion_events": _plus_one(before.get("num_conversion_events")),
            "recent_conversion_date": instant(now),
            "recent_conversion_event_name": form.name,
        }
        if not known:
            unique = before.get("num_unique_conversion_events")
            changed["num_unique_conversion_events"] = _plus_one(unique)
        if not before.get("first_conversion_date"):
            changed["first_conversion_date"] = instant(now)
            changed["first_conversion_event_name"] = form.name
        return changed

    def create_list(self, name: str, *, at: datetime | None = None) -> str:
        """Make a static list of contacts; returns its id."""
        return self.lists.create(name, "0-1", "MANUAL", at=self._now(at)).id

    def list_members(self, list_id: str) -> set[str]:
        """The record ids on a list."""
        return set(self.lists.get(list_id).members)

    def add_to_list(
        self, list_id: str, record_ids: Iterable[str], *, at: datetime | None = None
    ) -> tuple[list[str], list[str]]:
        """Add records to a list; returns the ids newly added and the ids that do not exist."""
        target = self.lists.get(list_id)
        type_name = self.type_name(target.type_id)
        known, missing = [], []
        for record_id in dict.fromkeys(record_ids):
            record = self.get(type_name, record_id)
            if record is None or record.archived:
                missing.append(record_id)
            else:
                known.append(record.id)
        return add_members(target, known, at=self._now(at)), missing

    def add_owner(
        self,
        email: str,
        first: str,
        last: str,
        *,
        archived: bool = False,
        at: datetime | None = None,
    ) -> str:
        """Add an owner; returns the id that records carry."""
        number = 41_629_001 + len(self.owners) * 17
        user_id = 9_586_504 + len(self.owners) * 31
        made = Owner(str(number), email, first, last, user_id, self._now(at), archived)
        self.owners[made.id] = made
        return made.id

    def set_owner_archived(self, owner_id: str, *, archived: bool) -> None:
        """Archive an owner (the user has left), or bring one back."""
        self.owners[owner_id] = replace(self.owners[owner_id], archived=archived)


def _email(values: Mapping[str, str]) -> str:
    return values.get("email", "").strip().lower()


def _plus_one(text: str | None) -> str:
    return str(int(float(text or "0")) + 1)
