"""What people do at the worst moment, and what must still stand at the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.faults.catalogue import CREATE_LEAD, UPDATE_RECORD, Case, Edit, Moment
from tests.integration.pipeline.relay import Relay

OTHER = "greg.lawson"
"""To whom a manager gives the lead."""


@dataclass(frozen=True, slots=True)
class Edited:
    """What was changed: fields of a record that must hold these values at the end.

    `sobject` "contacts" is HubSpot's. `binding` is False where the person acted before Baton had
    looked: then what they left is where Baton starts from.
    """

    what: Edit
    sobject: str
    record_id: str
    values: Mapping[str, Any] = field(default_factory=dict)
    binding: bool = True


def edit(relay: Relay, contacts: tuple[str, ...], case: Case) -> Edited | None:
    """Make the case's edit on its last contact that allows it; a fallback where none does."""
    wanted = case.edit or Edit.PROFILE
    for contact in reversed(contacts):
        made = _EDITS[wanted](relay, contact, case)
        if made is not None:
            return made
    for contact in contacts[:1]:
        return _profile(relay, contact, case)
    return None


def _lead_of(relay: Relay, contact: str) -> Mapping[str, Any] | None:
    leads = relay.org.find_all("Lead", Email=relay.email(contact))
    return next((dict(row) for row in leads if not row["IsConverted"]), None)


def _task_of(relay: Relay, contact: str) -> Mapping[str, Any] | None:
    keys = [one["key"] for one in relay.handoffs(contact)]
    ours = [
        dict(task)
        for task in relay.org.rows("Task")
        if (task["Handoff_Key__c"] or "").partition(".")[0] in keys and not task["IsClosed"]
    ]
    return ours[-1] if ours else None


def _owner(relay: Relay, contact: str, case: Case) -> Edited | None:
    lead, theirs = _lead_of(relay, contact), relay.user(OTHER)
    if lead is None or lead["OwnerId"] == theirs:
        return None
    relay.org.update("Lead", lead["Id"], {"OwnerId": theirs}, by=theirs)
    return Edited(Edit.OWNER, "Lead", lead["Id"], {"OwnerId": theirs}, _after_look(lead, case))


def _status(relay: Relay, contact: str, case: Case) -> Edited | None:
    lead = _lead_of(relay, contact)
    if lead is None or not str(lead["OwnerId"]).startswith("005"):
        return None
    values = {"Status": "Working - Contacted"}
    relay.org.update("Lead", lead["Id"], values, by=lead["OwnerId"])
    return Edited(Edit.STATUS, "Lead", lead["Id"], values, _after_look(lead, case))


def _after_look(lead: Mapping[str, Any], case: Case) -> bool:
    """Tell whether Baton had written the record, or looked at it and was about to write."""
    call = case.strikes[0].call.endpoint
    writing = call in (CREATE_LEAD, UPDATE_RECORD) and case.moment is Moment.BEFORE
    return bool(lead["Handoff_Key__c"]) or writing


def _task_done(relay: Relay, contact: str, case: Case) -> Edited | None:
    task = _task_of(relay, contact)
    if task is None:
        return None
    values = {"Status": "Completed"}
    relay.org.update("Task", task["Id"], values, by=task["OwnerId"])
    return Edited(Edit.TASK_DONE, "Task", task["Id"], values)


def _task_words(relay: Relay, contact: str, case: Case) -> Edited | None:
    task = _task_of(relay, contact)
    if task is None:
        return None
    values = {"Subject": "Ring them on Friday"}
    relay.org.update("Task", task["Id"], values, by=task["OwnerId"])
    return Edited(Edit.TASK_WORDS, "Task", task["Id"], values)


def _profile(relay: Relay, contact: str, case: Case) -> Edited | None:
    values = {"jobtitle": "Head of Sales"}
    relay.change(contact, **values)
    return Edited(Edit.PROFILE, "contacts", contact, values)


def _form(relay: Relay, contact: str, case: Case) -> Edited | None:
    relay.submit(contact, "Demo request")
    return Edited(Edit.FORM, "contacts", contact)


_EDITS: Mapping[Edit, Callable[[Relay, str, Case], Edited | None]] = {
    Edit.OWNER: _owner,
    Edit.STATUS: _status,
    Edit.TASK_DONE: _task_done,
    Edit.TASK_WORDS: _task_words,
    Edit.PROFILE: _profile,
    Edit.FORM: _form,
}
