"""What the Salesforce gateway gives. Ids have 18 characters; instants are aware and in UTC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class SalesforceOrg:
    """The org behind a connection, and how much of the day's API quota is used."""

    org_id: str
    name: str
    user_id: str
    api_used: int | None = None
    api_limit: int | None = None


@dataclass(frozen=True, slots=True)
class FieldDescription:
    """A field as describe gives it to this user. `values` are a picklist's active values."""

    name: str
    type: str
    length: int
    createable: bool
    updateable: bool
    external_id: bool
    unique: bool
    values: tuple[str, ...] = ()
    restricted: bool = False


@dataclass(frozen=True, slots=True)
class SObjectDescription:
    """An object with its fields by API name."""

    name: str
    fields: Mapping[str, FieldDescription]


@dataclass(frozen=True, slots=True)
class SalesforceUser:
    """A user; only active ones may own Leads."""

    id: str
    name: str
    email: str | None
    username: str
    active: bool
    manager_id: str | None
    zone: str | None


@dataclass(frozen=True, slots=True)
class SalesforceQueue:
    """A queue that may own Leads."""

    id: str
    name: str
    developer_name: str


@dataclass(frozen=True, slots=True)
class SalesforceAccount:
    """An account, for matching companies."""

    id: str
    name: str
    website: str | None
    owner_id: str
    type: str | None
    parent_id: str | None
    country: str | None = None


@dataclass(frozen=True, slots=True)
class SalesforceOpportunity:
    """An opportunity; `amount_cents` is in the hundredth part of the org's currency."""

    id: str
    account_id: str | None
    owner_id: str
    stage: str
    is_closed: bool
    is_won: bool
    amount_cents: int | None
    lead_source: str | None
    close_date: date | None
    created_at: datetime
    modified_at: datetime


@dataclass(frozen=True, slots=True)
class TaskRecord:
    """A task that Baton made, found by its key, also when it was deleted."""

    id: str
    key: str
    who_id: str | None
    owner_id: str
    status: str
    is_closed: bool
    is_deleted: bool
    created_at: datetime
    completed_at: datetime | None
    description: str = ""


@dataclass(frozen=True, slots=True)
class LeadRecord:
    """A Salesforce Lead. When merged away, it is deleted and `master_id` names the survivor."""

    id: str
    hubspot_id: str | None
    email: str | None = field(repr=False)
    owner_id: str
    owner_name: str | None
    owner_is_queue: bool
    status: str | None
    company: str | None
    handoff_key: str | None
    is_converted: bool
    converted_contact_id: str | None
    converted_account_id: str | None
    converted_opportunity_id: str | None
    is_deleted: bool
    master_id: str | None
    modified_at: datetime
    values: Mapping[str, object] = field(default_factory=dict, repr=False)
    """What other fields hold, where they were asked for."""


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One change of one field of a Lead. Long texts leave no values; an owner's are ids."""

    id: str
    lead_id: str
    field: str
    old: object
    new: object
    by_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ContactRecord:
    """A Salesforce Contact, with the account it belongs to."""

    id: str
    hubspot_id: str | None
    email: str | None = field(repr=False)
    owner_id: str
    account_id: str | None
    account_name: str | None
    account_owner_id: str | None
    account_type: str | None
    handoff_key: str | None
    is_deleted: bool
    master_id: str | None
    modified_at: datetime


LEAD_FIELDS = (
    "Id", "HubSpot_Contact_Id__c", "Email", "OwnerId", "Owner.Name", "Owner.Type", "Status",
    "Company", "Handoff_Key__c", "IsConverted", "ConvertedContactId", "ConvertedAccountId",
    "ConvertedOpportunityId", "IsDeleted", "MasterRecordId", "SystemModstamp",
)  # fmt: skip
CONTACT_FIELDS = (
    "Id", "HubSpot_Contact_Id__c", "Email", "OwnerId", "AccountId", "Account.Name",
    "Account.OwnerId", "Account.Type", "Handoff_Key__c", "IsDeleted", "MasterRecordId",
    "SystemModstamp",
)  # fmt: skip
HISTORY_FIELDS = ("LeadId", "Field", "OldValue", "NewValue", "CreatedById", "CreatedDate")
QUEUE_PREFIX = "00G"


def lead_record(raw: Mapping[str, Any], values: Sequence[str] = ()) -> LeadRecord:
    """Read a row of a query for LEAD_FIELDS, and for `values` beyond them."""
    return LeadRecord(
        id=raw["Id"],
        hubspot_id=raw.get("HubSpot_Contact_Id__c"),
        email=raw.get("Email"),
        owner_id=raw["OwnerId"],
        owner_name=_inner(raw, "Owner", "Name"),
        owner_is_queue=str(raw["OwnerId"]).startswith(QUEUE_PREFIX),
        status=raw.get("Status"),
        company=raw.get("Company"),
        handoff_key=raw.get("Handoff_Key__c"),
        is_converted=bool(raw.get("IsConverted")),
        converted_contact_id=raw.get("ConvertedContactId"),
        converted_account_id=raw.get("ConvertedAccountId"),
        converted_opportunity_id=raw.get("ConvertedOpportunityId"),
        is_deleted=bool(raw.get("IsDeleted")),
        master_id=raw.get("MasterRecordId"),
        modified_at=instant(raw["SystemModstamp"]),
        values={name: raw.get(name) for name in values},
    )


def history_row(raw: Mapping[str, Any]) -> HistoryRow | None:
    """Read a row of LeadHistory; None for the one of two about an owner that has names, not ids."""
    field, old, new = str(raw["Field"]), raw.get("OldValue"), raw.get("NewValue")
    if field == "Owner":
        if not all(_is_owner_id(one) for one in (old, new) if one):
            return None
        field = "OwnerId"
    return HistoryRow(
        id=raw["Id"],
        lead_id=raw["LeadId"],
        field=field,
        old=old,
        new=new,
        by_id=raw["CreatedById"],
        at=instant(raw["CreatedDate"]),
    )


def _is_owner_id(value: object) -> bool:
    text = str(value)
    return len(text) in (15, 18) and text.startswith(("005", QUEUE_PREFIX))


def contact_record(raw: Mapping[str, Any]) -> ContactRecord:
    """Read a row of a query for CONTACT_FIELDS."""
    return ContactRecord(
        id=raw["Id"],
        hubspot_id=raw.get("HubSpot_Contact_Id__c"),
        email=raw.get("Email"),
        owner_id=raw["OwnerId"],
        account_id=raw.get("AccountId"),
        account_name=_inner(raw, "Account", "Name"),
        account_owner_id=_inner(raw, "Account", "OwnerId"),
        account_type=_inner(raw, "Account", "Type"),
        handoff_key=raw.get("Handoff_Key__c"),
        is_deleted=bool(raw.get("IsDeleted")),
        master_id=raw.get("MasterRecordId"),
        modified_at=instant(raw["SystemModstamp"]),
    )


def task_record(raw: Mapping[str, Any]) -> TaskRecord:
    """Read a row of the query of `tasks_by_key`."""
    completed = raw.get("CompletedDateTime")
    return TaskRecord(
        id=raw["Id"],
        key=raw["Handoff_Key__c"],
        who_id=raw.get("WhoId"),
        owner_id=raw["OwnerId"],
        status=str(raw.get("Status") or ""),
        is_closed=bool(raw.get("IsClosed")),
        is_deleted=bool(raw.get("IsDeleted")),
        created_at=instant(raw["CreatedDate"]),
        completed_at=instant(completed) if completed else None,
        description=str(raw.get("Description") or ""),
    )


def user_record(raw: Mapping[str, Any]) -> SalesforceUser:
    """Read a row of the query of `users`."""
    return SalesforceUser(
        id=raw["Id"],
        name=str(raw.get("Name") or ""),
        email=raw.get("Email"),
        username=str(raw.get("Username") or ""),
        active=bool(raw.get("IsActive")),
        manager_id=raw.get("ManagerId"),
        zone=raw.get("TimeZoneSidKey"),
    )


def account_record(raw: Mapping[str, Any]) -> SalesforceAccount:
    """Read a row of the query of `accounts`."""
    return SalesforceAccount(
        id=raw["Id"],
        name=str(raw.get("Name") or ""),
        website=raw.get("Website"),
        owner_id=raw["OwnerId"],
        type=raw.get("Type"),
        parent_id=raw.get("ParentId"),
        country=raw.get("BillingCountry"),
    )


def opportunity_record(raw: Mapping[str, Any]) -> SalesforceOpportunity:
    """Read a row of the query of `open_opportunities`."""
    close = raw.get("CloseDate")
    return SalesforceOpportunity(
        id=raw["Id"],
        account_id=raw.get("AccountId"),
        owner_id=raw["OwnerId"],
        stage=str(raw.get("StageName") or ""),
        is_closed=bool(raw.get("IsClosed")),
        is_won=bool(raw.get("IsWon")),
        amount_cents=cents(raw.get("Amount")),
        lead_source=raw.get("LeadSource"),
        close_date=date.fromisoformat(close) if close else None,
        created_at=instant(raw["CreatedDate"]),
        modified_at=instant(raw["SystemModstamp"]),
    )


def description(raw: Mapping[str, Any]) -> SObjectDescription:
    """Read a describe answer."""
    fields = {}
    for one in raw.get("fields") or ():
        fields[str(one["name"])] = FieldDescription(
            name=str(one["name"]),
            type=str(one.get("type") or ""),
            length=int(one.get("length") or 0),
            createable=bool(one.get("createable")),
            updateable=bool(one.get("updateable")),
            external_id=bool(one.get("externalId")),
            unique=bool(one.get("unique")),
            restricted=bool(one.get("restrictedPicklist")),
            values=tuple(
                str(value.get("value"))
                for value in one.get("picklistValues") or ()
                if value.get("active", True)
            ),
        )
    return SObjectDescription(name=str(raw.get("name") or ""), fields=fields)


def instant(text: str) -> datetime:
    """Read ``2026-03-01T09:30:00.000+0000``."""
    return datetime.fromisoformat(text).astimezone(UTC)


def cents(amount: object) -> int | None:
    """Return an amount in cents, rounded; None stays None."""
    return None if amount is None else round(Decimal(str(amount)) * 100)


def _inner(raw: Mapping[str, Any], relation: str, name: str) -> Any:
    return (raw.get(relation) or {}).get(name)
