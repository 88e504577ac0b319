"""How a handoff reads in Salesforce: the fields of the Lead, the Contact and the Task."""

from __future__ import annotations

from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from baton.ledger.effects.dossiers import HandoffDossier, HopTerms
from baton.pipeline.delivery.message_cards import person_name
from baton.pipeline.delivery.package_text import card_lines, package_text, reasons_text, score_of
from baton.settings import Mode

Fields = dict[str, object]
HUBSPOT_ID = "HubSpot_Contact_Id__c"
HANDOFF_KEY = "Handoff_Key__c"
OUTCOME = ("Disposition__c", "Disposition_Reason__c", "Return_Date__c")
"""What sales answers with, on the Lead itself."""
GUARDED = (
    "Status", "Handoff_Band__c", "Handoff_Trigger__c", "Handoff_Reasons__c", "Handoff_Package__c",
    "Handoff_Score__c", "Handoff_Fit__c", "Handoff_Intent__c", "Handoff_Due__c", *OUTCOME,
)  # fmt: skip
"""What Baton writes on a Lead beside the owner, and a person may have changed."""

LONGEST = {"Company": 255, "LastName": 80, "FirstName": 40, "Title": 128, "Phone": 40}
"""Salesforce refuses longer texts (STRING_TOO_LONG); cutting them loses nothing in HubSpot."""


def instant(at: datetime) -> str:
    """Return an instant as Salesforce's REST API takes it."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def lead_fields(
    dossier: HandoffDossier,
    hop: HopTerms,
    key: str,
    *,
    begins: bool,
    creating: bool = False,
) -> Fields:
    """Return the handoff's fields of a Lead; the person's own fields only when it is created.

    An existing Lead keeps what sales has in it: marketing's answers are in the package. `begins`
    a pass: last cycle's outcome is cleared, so that it cannot stand for this one's.
    """
    fields: Fields = {
        "Handoff_Key__c": key,
        "Handoff_Band__c": dossier.band,
        "Handoff_Trigger__c": dossier.trigger,
        "Handoff_Reasons__c": reasons_text(dossier)[:4000],
        "Handoff_Package__c": package_text(dossier)[:32000],
        **_scores(dossier),
    }
    if hop.first_touch_due is not None:
        fields["Handoff_Due__c"] = instant(hop.first_touch_due)
    if begins:
        # A new record has no outcome to clear, and one given meanwhile is a person's.
        fields |= {} if creating else dict.fromkeys(OUTCOME)
        fields["Status"] = "Open - Not Contacted"
    return fields | (_person_fields(dossier) if creating else {})


def _scores(dossier: HandoffDossier) -> Fields:
    score = score_of(dossier)
    names = {
        "Handoff_Score__c": "total_milli",
        "Handoff_Fit__c": "fit_milli",
        "Handoff_Intent__c": "intent_milli",
    }
    return {field: points(score[name]) for field, name in names.items() if name in score}


def points(milli: int) -> float:
    """Return thousandths of a point as the score fields keep them: to one decimal place.

    Salesforce rounds what is finer (half away from zero); what we then saw in the field would not
    be what we wrote, and would pass for a person's edit.
    """
    return float((Decimal(milli) / 1000).quantize(Decimal("0.1"), ROUND_HALF_UP))


def _person_fields(dossier: HandoffDossier) -> Fields:
    person = dossier.person
    fields: Fields = {
        "FirstName": person.first_name,
        # Salesforce demands both; a lead without them is still a lead.
        "LastName": person.last_name or person.first_name or "(unknown)",
        "Company": person.company_name or "(not given)",
        "Email": person.email,
        "Phone": person.phone,
        "Title": person.title,
        "LeadSource": dossier.source,
    }
    cut = {name: _cut(value, LONGEST.get(name)) for name, value in fields.items()}
    return {name: value for name, value in cut.items() if value}


def _cut(value: object, longest: int | None) -> object:
    return value[:longest] if isinstance(value, str) and longest else value


def contact_fields(dossier: HandoffDossier, key: str) -> Fields:
    """Return the fields of an existing Contact: only our two keys; the owner stays."""
    return {"HubSpot_Contact_Id__c": dossier.hubspot_id, "Handoff_Key__c": key}


def task_fields(dossier: HandoffDossier, hop: HopTerms) -> Fields:
    """Return the fields of the task that tells the owner to act."""
    due = hop.first_touch_due or hop.assigned_at
    hot = "High" if hop.number == 1 and dossier.trigger else "Normal"
    subject = f"Call {person_name(dossier)} ({dossier.person.company_name or 'no company'})"
    fields: Fields = {
        "Subject": subject[:255],
        "Description": "\n".join((*card_lines(dossier, hop), "", package_text(dossier)))[:32000],
        # No status: a new task gets the org's first, and one that is there keeps its own.
        "Priority": hot,
        "ActivityDate": due.date().isoformat(),
        "IsReminderSet": True,
        "ReminderDateTime": instant(due),
    }
    if dossier.mode == Mode.HISTORY:
        # Written late for a past moment (needs "Set Audit Fields upon Record Creation").
        fields["CreatedDate"] = instant(hop.assigned_at)
    return fields
