"""What was agreed on the two CRMs themselves: what Baton may write where, and how it shares them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

from pydantic import BeforeValidator

from baton.policy.actions import PolicyModel, read_words
from baton.policy.durations import Duration
from baton.policy.kinds import Length, LengthOrNever

WRITTEN_BACK = (
    "state",
    "band",
    "score",
    "reasons",
    "owner",
    "handoff",
    "decided_at",
    "return_date",
    "disposition",
    "cold_since",
)
"""What Baton can write to HubSpot."""


class WriteBack(PolicyModel):
    """What Baton writes to HubSpot contacts.

    `properties` are Baton's own, by what they hold. The others are shared with people and other
    tools, and written only where asked for: `lifecycle` follows the stages (their
    `hubspot_lifecycle`), `recycled_lifecycle` is where a lead goes that sales gave back, `lead_owner`
    keeps HubSpot's owner that of the handoff, `lead_status` gives the lead status by Baton's state.
    """

    group: str = "Baton"
    properties: Mapping[str, str] = {}
    lifecycle: bool = False
    recycled_lifecycle: str | None = None
    lead_owner: bool = False
    lead_status: Mapping[str, str] = {}


class Duplicates(StrEnum):
    """What happens when a duplicate rule of Salesforce stops a new lead."""

    ADOPT = "adopt"
    ALLOW = "allow"
    ALARM = "alarm"


class SalesforceRules(PolicyModel):
    """How Baton shares Salesforce with people and with HubSpot's own sync.

    `wait_for_native_sync`: how long to wait for the record that HubSpot's sync makes before making
    one; that one is adopted. `duplicates`: what to do when a duplicate rule stops a new lead.
    `handoff_object`: keep a Handoff__c row for each handoff, where the org has that object.
    `no_opportunity_after`: when a converted lead without an opportunity goes back to marketing.
    """

    wait_for_native_sync: LengthOrNever = None
    duplicates: Annotated[Duplicates, BeforeValidator(read_words)] = Duplicates.ADOPT
    handoff_object: bool = True
    no_opportunity_after: Length = Duration(30 * 86400)
