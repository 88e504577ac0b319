"""What happened to a lead, told in words: lines of its timeline, effects, and their errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from baton.ledger.pages.page_lead import Event
from baton.web.wording import points, words

KINDS: Final = {
    "salesforce_record": "Write the record in Salesforce",
    "salesforce_task": "Make the task in Salesforce",
    "slack_message": "Tell the owner in Slack",
    "slack_reminder": "Remind in Slack",
    "hubspot_state": "Write the state back to HubSpot",
    "hubspot_list": "Change lists in HubSpot",
    "salesforce_aside": "Set the task aside in Salesforce",
    "salesforce_restore": "Put a person's value back in Salesforce",
    "hubspot_restore": "Put a person's value back in HubSpot",
    "salesforce_handoff": "Write the Handoff__c row in Salesforce",
}
"""What each kind of effect does."""

SENT: Final = {
    "salesforce_record": "the package and its owner",
    "salesforce_task": "the package as a task",
    "slack_message": "the card",
    "hubspot_state": "state, band, score and owner",
}
"""What each kind of effect sends."""

SIGNS: Final = {
    "mailbox": "the same mailbox",
    "phone_and_name": "the same phone and name",
    "salesforce_record": "the same record in Salesforce",
}
"""By what two contacts are taken for one person."""

HELD_FOR: Final = {
    "ambiguous_account": "several accounts fit",
    "blast_radius": "the run had handed over enough",
    "nobody_available": "nobody is available",
    "no_rule": "no rule says where it goes",
    "drip": "an import waits for its turn",
    "enrichment": "waits for company data",
    "by_hand": "held by a person",
}
"""Why leads are held."""

_ERRORS: Final = {
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": "A validation rule in Salesforce refuses it. Change the "
    "rule or the data, then try again.",
    "REQUIRED_FIELD_MISSING": "Salesforce requires a field that Baton does not fill.",
    "DUPLICATES_DETECTED": "A duplicate rule in Salesforce refuses it.",
    "DUPLICATE_VALUE": "Another record has this key already.",
    "INACTIVE_OWNER_OR_USER": "The owner is no longer active in Salesforce: reassign the lead.",
    "CONVERTED_CONTACT_GONE": "The lead was converted and its contact is gone: restore it.",
    "WAITS_FOR_NATIVE_SYNC": "HubSpot's own sync may still make the record.",
    "OWNER_INACTIVE": "The owner is not active in Salesforce: it went to the next one.",
    "HANDOFF_OBJECT": "Handoff__c or a field of it is missing: run 'baton setup salesforce'.",
    "OWNER_NOT_IN_SALESFORCE": "The owner has no active user in Salesforce: reassign the lead, or "
    "make the user.",
    "INSUFFICIENT_ACCESS_OR_READONLY": "Baton's user may not write this in Salesforce: its "
    "permission set lacks something.",
    "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY": "Baton's user may not see something that this "
    "record points at.",
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": "Salesforce's picklist does not have this value.",
    "INVALID_FIELD": "Salesforce does not know a field: run 'baton setup salesforce'.",
    "STRING_TOO_LONG": "A text is longer than the field in Salesforce.",
    "CANNOT_UPDATE_CONVERTED_LEAD": "The lead has been converted in Salesforce meanwhile.",
    "ENTITY_IS_DELETED": "The record was deleted in Salesforce.",
    "UNABLE_TO_LOCK_ROW": "Somebody else was writing the record; it passes by itself.",
    "REQUEST_LIMIT_EXCEEDED": "Salesforce's daily limit of calls is used up.",
    "NO_RECORD": "The person has no record in Salesforce (any more).",
    "CONTACT_GONE": "HubSpot no longer has this contact.",
    "PROPERTY_DOESNT_EXIST": "HubSpot does not know a property: run 'baton setup hubspot'.",
    "INVALID_OPTION": "HubSpot's property does not have this option.",
    "AuthenticationError": "The connection's credentials are refused.",
    "PermissionDeniedError": "The connection's credentials lack a permission.",
    "AmbiguousOutcomeError": "It was sent, and no answer came: it may or may not be there.",
    "UnavailableError": "The other side did not answer.",
    "RateLimitedError": "The other side asked to slow down.",
    "channel_not_found": "Slack has no such channel, or the app is not in it.",
    "users_not_found": "Slack knows nobody with the owner's address.",
    "NO_RESULT": "No outcome came back.",
}


def error_in_words(code: str | None) -> str:
    """Return what an error means and what mends it; empty where nothing is known of it."""
    return _ERRORS.get(code or "", "")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a timeline. `mark` names its kind for the eye, `by` who did it."""

    at: datetime
    mark: str
    text: str
    detail: str = ""
    by: str = ""
    tone: str = ""


def line_of(event: Event) -> Line:
    """Return an event in words."""
    return _LINES[event.kind](event, event.told)


def _person(told: Mapping[str, Any]) -> str:
    by = str(told.get("by") or "")
    # A worker's name is a host and a process: nobody needs it.
    return "" if not by or by in ("baton", "hubspot") or by.count(":") >= 2 else by


def _day(value: object) -> str:
    return str(value)[:16].replace("T", " ") if value else ""


def _action(event: Event, told: Mapping[str, Any]) -> Line:
    refused = told["result"] == "refused"
    title = f"{words(told['action']).capitalize()}{', refused' if refused else ''}"
    return Line(
        event.at,
        "by hand",
        f"{title}: {told['reason']}",
        str(told["words"]),
        str(told["by"]),
        "warn" if refused else "",
    )


def _disposition(event: Event, told: Mapping[str, Any]) -> Line:
    back = f"; returns {_day(told['return_at'])} UTC" if told.get("return_at") else ""
    text = f"Sales answered: {words(told['outcome'])}, {words(told['code'])}{back}"
    return Line(event.at, "answer", text, str(told.get("words") or ""), _person(told))


def _touch(event: Event, told: Mapping[str, Any]) -> Line:
    text = f"Touched: {words(told['what'])}"
    return Line(
        event.at, "touch", text, f"Evidence of grade {told['grade']}", _person(told), "good"
    )


def _override(event: Event, told: Mapping[str, Any]) -> Line:
    text = f"Sales changed {told['field']}: '{told['ours'] or ''}' to '{told['theirs'] or ''}'"
    return Line(event.at, "edit", text, "A person's edit wins; it stays.", _person(told), "warn")


_CLOCKS: Final = {
    "remind": ("The first touch was nearly due", ""),
    "breach": ("The first touch is late", "bad"),
    "tell_manager": ("The manager was to be told", "bad"),
    "reassign": ("It was time to reassign", "bad"),
}


def _clock(event: Event, told: Mapping[str, Any]) -> Line:
    text, tone = _CLOCKS.get(told["what"], (words(told["what"]), ""))
    return Line(event.at, "clock", text, f"Owner {told['owner']}", "", tone)


_EFFECT_TONES: Final = {
    "done": "good",
    "ambiguous": "warn",
    "waiting": "warn",
    "rejected": "bad",
    "invalid": "bad",
    "dead": "bad",
}


def _effect(event: Event, told: Mapping[str, Any]) -> Line:
    what = KINDS.get(told["what"], words(told["what"]))
    after = "to be tried again" if told["after"] == "pending" else words(told["after"])
    tone = _EFFECT_TONES.get(told["after"], "")
    return Line(event.at, "effect", f"{what}: {after}", "", _person(told), tone)


def _handoff(event: Event, told: Mapping[str, Any]) -> Line:
    if told.get("before") is None:
        return Line(event.at, "handoff", f"Handoff {told['key']} began", "", _person(told))
    text = f"Handoff {told['key']}: {words(told['before'])} to {words(told['after'])}"
    return Line(event.at, "handoff", text, "", _person(told))


def _hop(event: Event, told: Mapping[str, Any]) -> Line:
    kind = "queue " if told["owner_kind"] == "queue" else ""
    pool = f", pool {told['pool']}" if told.get("pool") else ""
    due = f"First touch due by {_day(told['due'])} UTC" if told.get("due") else ""
    text = f"{told['key']}, hop {told['number']}: to {kind}{told['owner']}{pool}"
    return Line(event.at, "hop", text, due)


def _lead(event: Event, told: Mapping[str, Any]) -> Line:
    if told.get("before") is None:
        return Line(event.at, "lead", "First seen", "", _person(told))
    cause = words(str(told["cause"]).replace(":", ": "))
    text = f"Lead: {words(told['before'])} to {words(told['after'])}"
    return Line(event.at, "lead", text, cause.capitalize(), _person(told))


def _decision(event: Event, told: Mapping[str, Any]) -> Line:
    score = f", {points(told['score_milli'])} points" if told.get("score_milli") is not None else ""
    band = f", {told['band']}" if told.get("band") else ""
    text = f"Decided: {words(told['outcome'])}{band}{score}"
    return Line(event.at, "decision", text, f"{str(told.get('words') or '').rstrip('.')}.")


_LINES: Final[Mapping[str, Callable[[Event, Mapping[str, Any]], Line]]] = {
    "action": _action,
    "disposition": _disposition,
    "touch": _touch,
    "override": _override,
    "clock": _clock,
    "effect": _effect,
    "handoff": _handoff,
    "hop": _hop,
    "lead": _lead,
    "decision": _decision,
}
