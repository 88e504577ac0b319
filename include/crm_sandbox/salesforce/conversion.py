"""Converting a lead, which over the real API only SOAP and Apex can do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from crm_sandbox.salesforce.errors import OrgFault
from crm_sandbox.salesforce.history import add_lead_history, record_history
from crm_sandbox.salesforce.org import Org
from crm_sandbox.salesforce.stamps import stamp
from crm_sandbox.salesforce.table import Row

_TO_ACCOUNT = {
    "Website": "Website",
    "Phone": "Phone",
    "Industry": "Industry",
    "NumberOfEmployees": "NumberOfEmployees",
    "AnnualRevenue": "AnnualRevenue",
    "City": "BillingCity",
    "State": "BillingState",
    "PostalCode": "BillingPostalCode",
    "Country": "BillingCountry",
}
_TO_CONTACT = {
    "Salutation": "Salutation",
    "FirstName": "FirstName",
    "LastName": "LastName",
    "Email": "Email",
    "Title": "Title",
    "Phone": "Phone",
    "MobilePhone": "MobilePhone",
    "LeadSource": "LeadSource",
    "City": "MailingCity",
    "Country": "MailingCountry",
}
_CLOSES_AFTER = timedelta(days=45)


@dataclass(frozen=True, slots=True)
class Conversion:
    """What converting a lead made or joined; no opportunity when none was asked for."""

    account_id: str
    contact_id: str
    opportunity_id: str | None


def convert_lead(
    org: Org,
    lead_id: str,
    *,
    by: str,
    at: datetime | None = None,
    opportunity_name: str | None,
    amount: float | None = None,
) -> Conversion:
    """Convert a lead to an account, a contact and, when named, an opportunity.

    An account of the same name and a contact of the same e-mail in it are joined. The lead's owner
    owns what is made; `by` does when a queue owns the lead. Activities move along. Raises OrgFault
    when the lead is not there or already converted.
    """
    lead = org.require(org.store.sobject("Lead"), lead_id)
    with org.transaction():
        return _convert(org, lead, by, org.moment(at), opportunity_name, amount)


def _convert(
    org: Org, lead: Row, by: str, at: datetime, opportunity_name: str | None, amount: float | None
) -> Conversion:
    if lead["IsConverted"]:
        raise OrgFault("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")
    owner = lead["OwnerId"] if lead["OwnerId"].startswith("005") else by
    account_id = _account(org, lead, owner, by=by, at=at)
    contact_id = _contact(org, lead, account_id, owner, by=by, at=at)
    opportunity_id = None
    if opportunity_name is not None:
        fields = {
            "Name": opportunity_name,
            "AccountId": account_id,
            "ContactId": contact_id,
            "OwnerId": owner,
            "StageName": org.store.sobject("Opportunity").fields["StageName"].values[0].value,
            "CloseDate": (at + _CLOSES_AFTER).date(),
            "Amount": amount,
            "LeadSource": lead["LeadSource"],
        }
        opportunity_id = org.insert("Opportunity", fields, by=by, at=at)
    done = Conversion(account_id, contact_id, opportunity_id)
    _close_lead(org, lead, done, by=by, at=at)
    _move_activities(org, lead["Id"], done, at=at)
    return done


def _account(org: Org, lead: Row, owner: str, *, by: str, at: datetime) -> str:
    known = org.find("Account", Name=lead["Company"])
    if known is not None:
        return str(known["Id"])
    fields = {target: lead[source] for source, target in _TO_ACCOUNT.items()}
    fields |= {"Name": lead["Company"], "OwnerId": owner, "Type": "Prospect"}
    return org.insert("Account", fields, by=by, at=at)


def _contact(org: Org, lead: Row, account_id: str, owner: str, *, by: str, at: datetime) -> str:
    mapped = {
        target: lead[source]
        for source, target in org.metadata.conversion.get("Contact", {}).items()
        if lead.get(source) is not None
    }
    known = _known_contact(org, lead, account_id, mapped)
    if known is not None:
        # Joining fills what is empty and overwrites nothing.
        empty = {name: value for name, value in mapped.items() if known.get(name) is None}
        if empty:
            org.update("Contact", known["Id"], empty, by=by, at=at)
        return str(known["Id"])
    fields: dict[str, Any] = {target: lead[source] for source, target in _TO_CONTACT.items()}
    fields |= {"AccountId": account_id, "OwnerId": owner, **mapped}
    return org.insert("Contact", fields, by=by, at=at)


def _known_contact(org: Org, lead: Row, account_id: str, mapped: dict[str, Any]) -> Row | None:
    contact = org.store.sobject("Contact")
    for name, value in mapped.items():
        if contact.fields[name].unique:
            known = org.find("Contact", **{name: value})
            if known is not None:
                return known
    if lead["Email"] is None:
        return None
    return org.find("Contact", Email=lead["Email"], AccountId=account_id)


def _close_lead(org: Org, lead: Row, done: Conversion, *, by: str, at: datetime) -> None:
    current = org.get("Lead", lead["Id"]) or lead
    status = next((one.value for one in org.lead_statuses if one.converted), current["Status"])
    row = {
        **current,
        "Status": status,
        "IsConverted": True,
        "ConvertedDate": at.date(),
        "ConvertedAccountId": done.account_id,
        "ConvertedContactId": done.contact_id,
        "ConvertedOpportunityId": done.opportunity_id,
    }
    stamp(row, by=by, at=at, written=org.written_at(at), created=False)
    kind = org.store.sobject("Lead")
    org.store.put("Lead", row["Id"], row)
    record_history(org.store, kind, current, row, by=by, at=at)
    add_lead_history(org.store, row["Id"], "leadConverted", None, None, by=by, at=at)


def _move_activities(org: Org, lead_id: str, done: Conversion, *, at: datetime) -> None:
    for name in ("Task", "Event"):
        for activity in list(org.find_all(name, WhoId=lead_id)):
            moved = {
                **activity,
                "WhoId": done.contact_id,
                "WhatId": done.opportunity_id or done.account_id,
                "AccountId": done.account_id,
                "SystemModstamp": max(org.written_at(at), activity["SystemModstamp"]),
            }
            org.store.put(name, activity["Id"], moved)
