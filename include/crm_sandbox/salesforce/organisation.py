"""What every org has before anybody does anything in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from crm_sandbox.salesforce.schema import PicklistValue

AUTOMATED_PROCESS: dict[str, Any] = {
    "LastName": "Automated Process",
    "Name": "Automated Process",
    "Username": "autoproc@relay.test",
    "Email": "autoproc@relay.test",
    "Alias": "autoproc",
    "UserType": "AutomatedProcess",
    "IsActive": True,
}
"""The fields of the user as whom the org itself acts."""


def standing_rows(
    org_id: str, lead_statuses: Iterable[PicklistValue]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The rows that describe the org, each with the name of its object."""
    yield (
        "Organization",
        {
            "Id": org_id,
            "Name": "Relay Sandbox",
            "InstanceName": "SBX1",
            "IsSandbox": True,
            "OrganizationType": "Developer Edition",
            "TimeZoneSidKey": "UTC",
            "DefaultLocaleSidKey": "en_US",
            "LanguageLocaleKey": "en_US",
        },
    )
    for order, status in enumerate(lead_statuses, start=1):
        yield (
            "LeadStatus",
            {
                "MasterLabel": status.value,
                "ApiName": status.value,
                "IsConverted": status.converted,
                "IsDefault": status.default,
                "SortOrder": order,
            },
        )
