"""The standard objects and fields that the sandbox's org has, as data.

Names, types, lengths and key prefixes follow Salesforce's object reference; only what a hand-off
between marketing and sales touches is here.
"""

from __future__ import annotations

from typing import Any

from crm_sandbox.salesforce.schema import Field, FieldType, PicklistValue, Schema, SObject

_T = FieldType


def _text(name: str, length: int = 255, **rest: Any) -> Field:
    return Field(name, _T.STRING, length=length, **rest)


def _area(name: str, length: int, **rest: Any) -> Field:
    return Field(name, _T.TEXTAREA, length=length, **rest)


def _flag(name: str, *, default: bool = False, **rest: Any) -> Field:
    return Field(name, _T.BOOLEAN, default=default, **rest)


def _picklist(name: str, *values: str, default: str | None = None, **rest: Any) -> Field:
    entries = tuple(PicklistValue(one, default=one == default) for one in values)
    return Field(name, _T.PICKLIST, length=255, values=entries, default=default, **rest)


def _reference(name: str, *targets: str, relationship: str | None = None, **rest: Any) -> Field:
    path = relationship or name.removesuffix("Id")
    return Field(name, _T.REFERENCE, length=18, references=targets, relationship=path, **rest)


def _at(name: str, **rest: Any) -> Field:
    return Field(name, _T.DATETIME, **rest)


def _day(name: str, **rest: Any) -> Field:
    return Field(name, _T.DATE, **rest)


def _number(name: str, kind: FieldType, precision: int = 18, scale: int = 0, **rest: Any) -> Field:
    return Field(name, kind, precision=precision, scale=scale, **rest)


def _typed(kind: FieldType, name: str, length: int, **rest: Any) -> Field:
    return Field(name, kind, length=length, **rest)


_READ_ONLY: dict[str, Any] = {"createable": False, "updateable": False}
_ID = Field("Id", _T.ID, length=18, id_lookup=True, **_READ_ONLY)
_DELETED = _flag("IsDeleted", **_READ_ONLY)
_CREATED = (
    _at("CreatedDate", **_READ_ONLY),
    _reference("CreatedById", "User", **_READ_ONLY),
)
_STAMPS = (
    *_CREATED,
    _at("LastModifiedDate", **_READ_ONLY),
    _reference("LastModifiedById", "User", **_READ_ONLY),
    _at("SystemModstamp", **_READ_ONLY),
)
_USUAL = (_ID, _DELETED, *_STAMPS)
_PERSON = (
    _picklist("Salutation", "Mr.", "Ms.", "Mrs.", "Dr.", "Prof.", "Mx."),
    _text("FirstName", 40),
    _text("LastName", 80, required=True),
    _text("Name", 121, **_READ_ONLY),
)
_INDUSTRIES = (
    "Agriculture", "Apparel", "Banking", "Biotechnology", "Chemicals", "Communications",
    "Construction", "Consulting", "Education", "Electronics", "Energy", "Engineering",
    "Entertainment", "Environmental", "Finance", "Food & Beverage", "Government", "Healthcare",
    "Hospitality", "Insurance", "Machinery", "Manufacturing", "Media", "Not For Profit",
    "Recreation", "Retail", "Shipping", "Technology", "Telecommunications", "Transportation",
    "Utilities", "Other",
)  # fmt: skip
_SOURCES = ("Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other")


def custom_object(name: str, prefix: str, *, plural: str = "", name_length: int = 80) -> SObject:
    """An object of an org's own, with what every custom object has; its name is a text."""
    fields = (
        *_USUAL,
        _text("Name", name_length, required=True),
        _reference("OwnerId", "User", "Group"),
    )
    return SObject.of(name, prefix, fields, plural=plural)


def _address(start: str) -> tuple[Field, ...]:
    return (
        _area(f"{start}Street", 255),
        _text(f"{start}City", 40),
        _text(f"{start}State", 80),
        _text(f"{start}PostalCode", 20),
        _text(f"{start}Country", 80),
    )


LEAD = SObject.of(
    "Lead",
    "00Q",
    (
        *_USUAL,
        *_PERSON,
        _text("Company", 255, required=True),
        _text("Title", 128),
        _typed(_T.EMAIL, "Email", 80, id_lookup=True),
        _typed(_T.PHONE, "Phone", 40),
        _typed(_T.PHONE, "MobilePhone", 40),
        _typed(_T.URL, "Website", 255),
        _picklist("Industry", *_INDUSTRIES),
        _number("NumberOfEmployees", _T.INT, 8),
        _number("AnnualRevenue", _T.CURRENCY),
        *_address(""),
        _picklist(
            "Status",
            "Open - Not Contacted",
            "Working - Contacted",
            "Closed - Converted",
            "Closed - Not Converted",
            default="Open - Not Contacted",
            required=True,
            restricted=True,
            tracked=True,
        ),
        _reference("OwnerId", "User", "Group", tracked=True),
        _picklist("Rating", "Hot", "Warm", "Cold", restricted=True),
        _picklist("LeadSource", *_SOURCES),
        _area("Description", 32000),
        _flag("HasOptedOutOfEmail"),
        _flag("DoNotCall"),
        _flag("IsConverted", createable=True, updateable=False),
        _day("ConvertedDate", **_READ_ONLY),
        _reference("ConvertedAccountId", "Account", **_READ_ONLY),
        _reference("ConvertedContactId", "Contact", **_READ_ONLY),
        _reference("ConvertedOpportunityId", "Opportunity", **_READ_ONLY),
        _flag("IsUnreadByOwner", default=True),
        _reference("MasterRecordId", "Lead", **_READ_ONLY),
        _day("LastActivityDate", **_READ_ONLY),
        _at("FirstCallDateTime", **_READ_ONLY),
        _at("FirstEmailDateTime", **_READ_ONLY),
    ),
)

CONTACT = SObject.of(
    "Contact",
    "003",
    (
        *_USUAL,
        *_PERSON,
        _reference("AccountId", "Account", children="Contacts"),
        _reference("OwnerId", "User"),
        _reference("ReportsToId", "Contact"),
        _text("Title", 128),
        _text("Department", 80),
        _typed(_T.EMAIL, "Email", 80, id_lookup=True),
        _typed(_T.PHONE, "Phone", 40),
        _typed(_T.PHONE, "MobilePhone", 40),
        *_address("Mailing"),
        _picklist("LeadSource", *_SOURCES),
        _area("Description", 32000),
        _flag("HasOptedOutOfEmail"),
        _flag("DoNotCall"),
        _reference("MasterRecordId", "Contact", **_READ_ONLY),
        _day("LastActivityDate", **_READ_ONLY),
    ),
)

ACCOUNT = SObject.of(
    "Account",
    "001",
    (
        *_USUAL,
        _text("Name", 255, required=True, also_indexed=True),
        _reference("OwnerId", "User"),
        _reference("ParentId", "Account", children="ChildAccounts"),
        _picklist(
            "Type",
            "Prospect",
            "Customer - Direct",
            "Customer - Channel",
            "Channel Partner / Reseller",
            "Installation Partner",
            "Technology Partner",
            "Other",
        ),
        _typed(_T.URL, "Website", 255),
        _typed(_T.PHONE, "Phone", 40),
        _picklist("Industry", *_INDUSTRIES),
        _number("NumberOfEmployees", _T.INT, 8),
        _number("AnnualRevenue", _T.CURRENCY),
        _text("AccountNumber", 40),
        *_address("Billing"),
        _area("Description", 32000),
        _reference("MasterRecordId", "Account", **_READ_ONLY),
        _day("LastActivityDate", **_READ_ONLY),
    ),
)

STAGES: dict[str, int] = {
    "Prospecting": 10,
    "Qualification": 10,
    "Needs Analysis": 20,
    "Value Proposition": 50,
    "Id. Decision Makers": 60,
    "Perception Analysis": 70,
    "Proposal/Price Quote": 75,
    "Negotiation/Review": 90,
    "Closed Won": 100,
    "Closed Lost": 0,
}
"""Opportunity stages with the probability (percent) that each sets."""

OPPORTUNITY = SObject.of(
    "Opportunity",
    "006",
    (
        *_USUAL,
        _text("Name", 120, required=True),
        _reference("AccountId", "Account", children="Opportunities"),
        _reference("OwnerId", "User"),
        _picklist("StageName", *STAGES, required=True),
        _day("CloseDate", required=True),
        _number("Amount", _T.CURRENCY, 18, 2),
        _number("Probability", _T.PERCENT, 3),
        _flag("IsClosed", **_READ_ONLY),
        _flag("IsWon", **_READ_ONLY),
        _picklist("Type", "New Business", "Existing Business"),
        _picklist("LeadSource", *_SOURCES),
        _text("NextStep", 255),
        _area("Description", 32000),
        _reference("ContactId", "Contact", updateable=False),
        _day("LastActivityDate", **_READ_ONLY),
    ),
    plural="Opportunities",
)

_WHO_WHAT_TARGETS = {
    "who": ("Lead", "Contact"),
    "what": ("Account", "Opportunity"),
}


def _activity(children: str) -> tuple[Field, ...]:
    return (
        *_USUAL,
        _reference("WhoId", *_WHO_WHAT_TARGETS["who"], children=children),
        _reference("WhatId", *_WHO_WHAT_TARGETS["what"], children=children),
        _reference("AccountId", "Account", **_READ_ONLY),
        _reference("OwnerId", "User", "Group"),
        _picklist("Subject", "Call", "Email", "Send Letter", "Send Quote", "Other"),
        _area("Description", 32000),
        _day("ActivityDate"),
        _flag("IsArchived", **_READ_ONLY),
        _flag("IsReminderSet"),
        _at("ReminderDateTime"),
    )


TASK = SObject.of(
    "Task",
    "00T",
    (
        *_activity("Tasks"),
        _picklist(
            "Status",
            "Not Started",
            "In Progress",
            "Completed",
            "Waiting on someone else",
            "Deferred",
            default="Not Started",
            required=True,
            restricted=True,
        ),
        _picklist(
            "Priority", "High", "Normal", "Low", default="Normal", required=True, restricted=True
        ),
        _flag("IsClosed", **_READ_ONLY),
        _flag("IsHighPriority", **_READ_ONLY),
        _at("CompletedDateTime", **_READ_ONLY),
        _picklist(
            "TaskSubtype",
            "Task",
            "Email",
            "ListEmail",
            "Cadence",
            "Call",
            "LinkedIn",
            default="Task",
            restricted=True,
            updateable=False,
        ),
        _picklist("Type", "Call", "Meeting", "Other", "Email"),
        _picklist("CallType", "Internal", "Inbound", "Outbound"),
        _number("CallDurationInSeconds", _T.INT, 8),
        _text("CallDisposition", 255),
    ),
)

EVENT = SObject.of(
    "Event",
    "00U",
    (
        *_activity("Events"),
        _at("StartDateTime"),
        _at("EndDateTime"),
        _at("ActivityDateTime"),
        _number("DurationInMinutes", _T.INT, 8),
        _flag("IsAllDayEvent"),
        _text("Location", 255),
        _picklist("Type", "Email", "Meeting", "Other", "Call"),
        _picklist("EventSubtype", "Event", default="Event", updateable=False),
        _picklist("ShowAs", "Busy", "OutOfOffice", "Free", default="Busy"),
    ),
)

USER = SObject.of(
    "User",
    "005",
    (
        _ID,
        *_STAMPS,
        _text("Username", 80, required=True, unique=True, id_lookup=True),
        *_PERSON[1:],
        _typed(_T.EMAIL, "Email", 128, required=True),
        _text("Alias", 8),
        _text("Title", 80),
        _text("Department", 80),
        _typed(_T.PHONE, "Phone", 40),
        _flag("IsActive", default=True),
        _reference("UserRoleId", "UserRole"),
        _reference("ManagerId", "User"),
        _text("ProfileId", 18),
        _picklist("UserType", "Standard", "AutomatedProcess", default="Standard", updateable=False),
        _text("TimeZoneSidKey", 40, default="UTC"),
        _text("LocaleSidKey", 40, default="en_US"),
        _text("LanguageLocaleKey", 40, default="en_US"),
        _text("FederationIdentifier", 512),
    ),
    deletable=False,
)

USER_ROLE = SObject.of(
    "UserRole",
    "00E",
    (
        _ID,
        *_STAMPS,
        _text("Name", 80, required=True),
        _text("DeveloperName", 80),
        _reference("ParentRoleId", "UserRole", relationship="ParentRole"),
    ),
)

GROUP = SObject.of(
    "Group",
    "00G",
    (
        _ID,
        *_STAMPS,
        _text("Name", 40, required=True),
        _text("DeveloperName", 80, unique=True),
        _picklist("Type", "Regular", "Queue", "Role", default="Regular", updateable=False),
        _typed(_T.EMAIL, "Email", 255),
        _flag("DoesSendEmailToMembers"),
    ),
)

QUEUE_SOBJECT = SObject.of(
    "QueueSobject",
    "03g",
    (
        _ID,
        _reference("QueueId", "Group", required=True, children="QueueSobjects"),
        _text("SobjectType", 80, required=True),
        _reference("CreatedById", "User", **_READ_ONLY),
        _at("SystemModstamp", **_READ_ONLY),
    ),
)

GROUP_MEMBER = SObject.of(
    "GroupMember",
    "011",
    (
        _ID,
        _reference("GroupId", "Group", required=True, children="GroupMembers"),
        _reference("UserOrGroupId", "User", "Group", required=True),
        _at("SystemModstamp", **_READ_ONLY),
    ),
)

_FROZEN: dict[str, Any] = {"createable": False, "updateable": False, "deletable": False}

LEAD_HISTORY = SObject.of(
    "LeadHistory",
    "017",
    (
        _ID,
        _DELETED,
        *_CREATED,
        _reference("LeadId", "Lead", children="Histories", **_READ_ONLY),
        _text("Field", 255, **_READ_ONLY),
        _text("DataType", 40, **_READ_ONLY),
        _text("OldValue", 255, filterable=False, **_READ_ONLY),
        _text("NewValue", 255, filterable=False, **_READ_ONLY),
    ),
    plural="LeadHistories",
    **_FROZEN,
)

OPPORTUNITY_HISTORY = SObject.of(
    "OpportunityHistory",
    "008",
    (
        _ID,
        _DELETED,
        *_CREATED,
        _at("SystemModstamp", **_READ_ONLY),
        _reference("OpportunityId", "Opportunity", children="OpportunityHistories", **_READ_ONLY),
        _text("StageName", 255, **_READ_ONLY),
        _number("Amount", _T.CURRENCY, 18, 2, **_READ_ONLY),
        _number("ExpectedRevenue", _T.CURRENCY, 18, 2, **_READ_ONLY),
        _day("CloseDate", **_READ_ONLY),
        _number("Probability", _T.PERCENT, 3, **_READ_ONLY),
    ),
    plural="OpportunityHistories",
    **_FROZEN,
)

LEAD_STATUS = SObject.of(
    "LeadStatus",
    "01J",
    (
        _ID,
        *_STAMPS,
        _text("MasterLabel", 255, **_READ_ONLY),
        _text("ApiName", 255, **_READ_ONLY),
        _flag("IsConverted", **_READ_ONLY),
        _flag("IsDefault", **_READ_ONLY),
        _number("SortOrder", _T.INT, 8, **_READ_ONLY),
    ),
    plural="LeadStatuses",
    **_FROZEN,
)

ORGANIZATION = SObject.of(
    "Organization",
    "00D",
    (
        _ID,
        *_STAMPS,
        _text("Name", 80, createable=False),
        _text("InstanceName", 5, **_READ_ONLY),
        _flag("IsSandbox", **_READ_ONLY),
        _text("OrganizationType", 40, **_READ_ONLY),
        _text("TimeZoneSidKey", 40, createable=False),
        _text("DefaultLocaleSidKey", 40, createable=False),
        _text("LanguageLocaleKey", 40, createable=False),
        _text("Country", 80, createable=False),
    ),
    createable=False,
    deletable=False,
)

EMAIL_MESSAGE = SObject.of(
    "EmailMessage",
    "02s",
    (
        *_USUAL,
        _reference("ActivityId", "Task"),
        _reference("RelatedToId", "Account", "Opportunity", relationship="RelatedTo"),
        _text("Subject", 3000),
        _area("TextBody", 32000),
        _typed(_T.EMAIL, "FromAddress", 1000),
        _area("ToAddress", 4000),
        _flag("Incoming"),
        _at("MessageDate"),
        _picklist("Status", "0", "1", "2", "3", "4", "5", default="5"),
    ),
)

NAME = SObject.of(
    "Name",
    "",
    (
        _ID,
        _text("Name", 255, **_READ_ONLY),
        _text("FirstName", 40, **_READ_ONLY),
        _text("LastName", 80, **_READ_ONLY),
        _text("Type", 40, **_READ_ONLY),
        _text("Username", 80, **_READ_ONLY),
        _typed(_T.EMAIL, "Email", 80, **_READ_ONLY),
        _typed(_T.PHONE, "Phone", 40, **_READ_ONLY),
        _text("Title", 128, **_READ_ONLY),
        _flag("IsActive", **_READ_ONLY),
        _reference("UserRoleId", "UserRole", **_READ_ONLY),
    ),
    **_FROZEN,
)
"""What a path through a reference to several kinds of object can name (`Owner.Type`)."""


def standard_schema() -> Schema:
    """The schema of an org with nothing of its own."""
    return Schema(
        (
            LEAD, CONTACT, ACCOUNT, OPPORTUNITY, TASK, EVENT, USER, USER_ROLE, GROUP,
            QUEUE_SOBJECT, GROUP_MEMBER, LEAD_HISTORY, OPPORTUNITY_HISTORY, LEAD_STATUS,
            ORGANIZATION, EMAIL_MESSAGE, NAME,
        )
    )  # fmt: skip
