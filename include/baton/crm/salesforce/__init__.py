"""Salesforce: owners, tasks and packages out; outcomes, activities and references in."""

from __future__ import annotations

from baton.crm.salesforce.gateway import SalesforceGateway
from baton.crm.salesforce.people import People, PersonMatch
from baton.crm.salesforce.rows import (
    ContactRecord,
    FieldDescription,
    HistoryRow,
    LeadRecord,
    SalesforceAccount,
    SalesforceOpportunity,
    SalesforceOrg,
    SalesforceQueue,
    SalesforceUser,
    SObjectDescription,
    TaskRecord,
)

__all__ = [
    "ContactRecord",
    "FieldDescription",
    "HistoryRow",
    "LeadRecord",
    "People",
    "PersonMatch",
    "SObjectDescription",
    "SalesforceAccount",
    "SalesforceGateway",
    "SalesforceOpportunity",
    "SalesforceOrg",
    "SalesforceQueue",
    "SalesforceUser",
    "TaskRecord",
]
