"""HubSpot: contacts and companies in, states, lists and properties out."""

from __future__ import annotations

from baton.crm.hubspot.gateway import HubSpotGateway
from baton.crm.hubspot.rows import (
    Changed,
    ChangesRead,
    ContactRow,
    ContactsRead,
    ContactUpdate,
    Form,
    FormSubmission,
    HubSpotAccount,
    ListChange,
    Owner,
    PropertyDefinition,
    PropertyValue,
)

__all__ = [
    "Changed",
    "ChangesRead",
    "ContactRow",
    "ContactUpdate",
    "ContactsRead",
    "Form",
    "FormSubmission",
    "HubSpotAccount",
    "HubSpotGateway",
    "ListChange",
    "Owner",
    "PropertyDefinition",
    "PropertyValue",
]
