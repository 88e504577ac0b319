"""How counts, kinds and lengths of time read in the lines of the morning."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

_KINDS = {
    "salesforce_record": "Salesforce record",
    "salesforce_task": "Salesforce task",
    "slack_message": "Slack message",
    "slack_reminder": "Slack reminder",
    "hubspot_state": "HubSpot write-back",
    "hubspot_list": "HubSpot list",
    "salesforce_aside": "Salesforce task set aside",
    "salesforce_restore": "value put back in Salesforce",
    "hubspot_restore": "value put back in HubSpot",
    "salesforce_handoff": "Handoff__c row",
}


def many(number: int, one: str, more: str) -> str:
    """Return "1 lead" or "12 345 leads"."""
    return f"{number:,}".replace(",", "\u202f") + f" {one if number == 1 else more}"


def span(length: timedelta) -> str:
    """Return a length of time in one unit: "12 minutes", "3 hours", "2 days"."""
    minutes = max(0, int(length.total_seconds() // 60))
    if minutes < 1:
        return "less than a minute"
    if minutes < 120:
        return many(minutes, "minute", "minutes")
    if minutes < 48 * 60:
        return many(minutes // 60, "hour", "hours")
    return many(minutes // (24 * 60), "day", "days")


def and_more(names: Sequence[str], most: int = 3) -> str:
    """Return the first few names, and how many more there are."""
    shown = ", ".join(names[:most])
    left = len(names) - most
    return f"{shown} and {left} more" if left > 0 else shown


def kind_in_words(kind: str) -> str:
    """Return the kind of an effect as people call it."""
    return _KINDS.get(kind, kind.replace("_", " "))
