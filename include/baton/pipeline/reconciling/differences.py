"""What HubSpot, the ledger and Salesforce can disagree about: the cause of each, and its repair.

The words are for the person who reads the list. A repair is safe when it only reads, or when it
writes what Baton itself wrote before and nobody has changed since; all others are left to people.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from baton.ledger.proofs.reconciliation import KEPT, Found


class Repair(StrEnum):
    """What mends a difference. `NONE`: a person must."""

    READ = "read and judge it"
    MERGE = "follow the merge"
    TAKE_OFF = "keep it from being handed off"
    JUDGE = "judge it again"
    CORRECT = "correct the ledger's record"
    NOTE = "note what was changed by hand"
    OUTCOME = "read what sales did"
    WRITE_BACK = "write its state to HubSpot again"
    RENEW = "write the handoff's fields again"
    NONE = "a person must look"


READING = frozenset(
    {
        Repair.READ,
        Repair.MERGE,
        Repair.TAKE_OFF,
        Repair.JUDGE,
        Repair.CORRECT,
        Repair.NOTE,
        Repair.OUTCOME,
    }
)
"""These read what was missed and write to the ledger alone; they are done every night."""
WRITING = frozenset({Repair.WRITE_BACK, Repair.RENEW})
"""These plan effects; they are done when somebody asks for it."""


class Side(StrEnum):
    """Which comparison finds it."""

    HUBSPOT = "hubspot"
    SALESFORCE = "salesforce"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of difference, what mends it, and whether Baton may."""

    side: Side
    cause: str
    mend: str
    repair: Repair = Repair.NONE


_FOREIGN = (
    "if the ledger was restored from an older copy, restore a newer one; if another Baton writes to "
    "this org, give each an org of its own; otherwise"
)
KINDS: Mapping[str, Kind] = {
    "contact_unknown": Kind(
        Side.HUBSPOT,
        "the contact is in HubSpot, and the ledger has never seen it",
        "it is read and judged as if it came now",
        Repair.READ,
    ),
    "contact_unread": Kind(
        Side.HUBSPOT,
        "the contact has changed in HubSpot since it was read last",
        "it is read again, and judged if anything in it is news",
        Repair.READ,
    ),
    "contact_merged": Kind(
        Side.HUBSPOT,
        "HubSpot has merged the contact into another one",
        "the two leads become one, which keeps owner and clocks",
        Repair.MERGE,
    ),
    "contact_archived": Kind(
        Side.HUBSPOT,
        "the contact lies in HubSpot's bin, but the lead could be handed off",
        "the lead is suppressed, and judged again if the contact is restored",
        Repair.TAKE_OFF,
    ),
    "contact_erased": Kind(
        Side.HUBSPOT,
        "the contact is gone from HubSpot for good, but the lead could be handed off",
        "the lead is suppressed; if the person asked to be forgotten, forget them here too",
        Repair.TAKE_OFF,
    ),
    "contact_gone_in_handoff": Kind(
        Side.HUBSPOT,
        "the contact is gone from HubSpot while sales is working on it",
        "restore the contact in HubSpot (Contacts > Actions > Restore), or have the owner give an "
        "outcome in Salesforce",
    ),
    "contact_restored": Kind(
        Side.HUBSPOT,
        "the contact was gone from HubSpot and is back",
        "it is judged again",
        Repair.JUDGE,
    ),
    "property_outdated": Kind(
        Side.HUBSPOT,
        "a property of ours does not show what the ledger holds",
        "the lead's state is written to HubSpot again",
        Repair.WRITE_BACK,
    ),
    "property_edited": Kind(
        Side.HUBSPOT,
        "somebody has changed a property of ours in HubSpot",
        "theirs is kept until there is news of the lead to write",
    ),
    "shared_outdated": Kind(
        Side.HUBSPOT,
        "life-cycle stage, lead status or owner in HubSpot is not what the policy has Baton write",
        "the lead's state is written to HubSpot again",
        Repair.WRITE_BACK,
    ),
    "shared_edited": Kind(
        Side.HUBSPOT,
        "somebody has changed the life-cycle stage, lead status or owner in HubSpot",
        "theirs is kept as long as this handoff lasts",
    ),
    "record_missing": Kind(
        Side.SALESFORCE,
        "the record that was handed over is in Salesforce no more, not even in the bin",
        "create it again in Salesforce with HubSpot_Contact_Id__c filled in, and the ledger takes it; "
        "then have its owner give an outcome",
    ),
    "record_deleted": Kind(
        Side.SALESFORCE,
        "somebody has deleted the record that was handed over",
        "restore it from Salesforce's Recycle Bin, and have its owner give an outcome if the lead is "
        "not wanted",
    ),
    "record_moved": Kind(
        Side.SALESFORCE,
        "the record was merged into another one, or replaced by it",
        "the ledger takes the surviving record for this lead",
        Repair.CORRECT,
    ),
    "record_converted": Kind(
        Side.SALESFORCE,
        "sales has converted the record, and the ledger has not followed",
        "the record is read again, as disposition_sync does",
        Repair.OUTCOME,
    ),
    "record_of_another": Kind(
        Side.SALESFORCE,
        "the record bears the id of another HubSpot contact",
        "merge the two contacts in HubSpot if they are one person; otherwise correct "
        "HubSpot_Contact_Id__c on the record",
    ),
    "record_unstamped": Kind(
        Side.SALESFORCE,
        "the record has lost the id of its HubSpot contact",
        "the handoff's fields are written again, the id with them",
        Repair.RENEW,
    ),
    "second_lead": Kind(
        Side.SALESFORCE,
        "the person has a second Lead in Salesforce",
        "merge the two in Salesforce (Lead > Find Duplicates), keeping the one handed over",
    ),
    "owner_changed": Kind(
        Side.SALESFORCE,
        "somebody has given the record to another owner",
        "theirs is kept; the ledger notes it",
        Repair.NOTE,
    ),
    "owner_inactive": Kind(
        Side.SALESFORCE,
        "the record belongs to a user who is not active any more",
        "hand it to somebody: baton roster leaver, or Reassign on the handoff's page",
    ),
    "key_outdated": Kind(
        Side.SALESFORCE,
        "the record does not bear the key of its present handoff",
        "the handoff's fields are written again; its owner is left alone",
        Repair.RENEW,
    ),
    "key_edited": Kind(
        Side.SALESFORCE,
        "somebody has changed the handoff's key on the record",
        "theirs is kept; put the key back on the record in Salesforce if it was a mistake",
    ),
    "outcome_unread": Kind(
        Side.SALESFORCE,
        "sales has given an outcome, and the ledger has not taken it",
        "the record is read again, as disposition_sync does",
        Repair.OUTCOME,
    ),
    "closed_without_outcome": Kind(
        Side.SALESFORCE,
        "the Lead is closed in Salesforce, but no outcome was given",
        "ask its owner for an outcome and a reason on the record",
    ),
    "task_missing": Kind(
        Side.SALESFORCE,
        "the task that tells the owner to act is not there, not even in the bin",
        "the owner has the lead and the message; give them a task by hand, or reassign the handoff",
    ),
    "task_deleted": Kind(
        Side.SALESFORCE,
        "somebody has deleted the task that tells the owner to act",
        "nothing, if it was meant; otherwise restore it from Salesforce's Recycle Bin",
    ),
    "key_unknown": Kind(
        Side.SALESFORCE,
        "the record bears the key of a handoff that the ledger does not hold",
        f"{_FOREIGN} clear Handoff_Key__c on the record",
    ),
    "key_of_another": Kind(
        Side.SALESFORCE,
        "the record bears the key of another person's handoff",
        f"{_FOREIGN} clear Handoff_Key__c on the record, or merge the two if they are one person",
    ),
    "task_unknown": Kind(
        Side.SALESFORCE,
        "the task was made for a handoff that the ledger does not hold",
        f"{_FOREIGN} complete or delete the task in Salesforce",
    ),
    "row_unknown": Kind(
        Side.SALESFORCE,
        "the Handoff__c row tells of a handoff that the ledger does not hold",
        f"{_FOREIGN} delete the row in Salesforce: only reports read it",
    ),
}
"""Every kind by its code."""


def codes_of(side: Side) -> frozenset[str]:
    """Return the codes of what one comparison finds."""
    return frozenset(code for code, kind in KINDS.items() if kind.side is side)


def wants_mending(code: str) -> bool:
    """Tell whether it is a fault: not what a person decided and nobody will change."""
    return code not in KEPT


def in_words(found: Found) -> str:
    """Say in one line what it is about and where the systems differ. No personal data."""
    subject = f"lead {found.lead_id}" if found.lead_id else "no known lead"
    where = [f"HubSpot contact {found.hubspot_id}"] if found.hubspot_id else []
    where += [f"Salesforce {found.salesforce_id}"] if found.salesforce_id else []
    values = ""
    if found.field is not None:
        values = f" ({found.field}: ours {found.ours or 'empty'}, theirs {found.theirs or 'empty'})"
    elif found.theirs is not None:
        values = f" ({found.theirs})"
    return f"{subject}, {', '.join(where)}: {KINDS[found.code].cause}{values}"
