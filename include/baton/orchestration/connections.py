"""The three connections as Airflow holds them: environment, secrets backend or its database.

Airflow is imported only when a connection is asked for.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from baton.connections import (
    HUBSPOT,
    SALESFORCE,
    SLACK,
    HubSpotConnection,
    RawConnection,
    SalesforceConnection,
    SlackConnection,
    missing,
)

if TYPE_CHECKING:
    from airflow.sdk import Connection


def hubspot_connection(conn_id: str = HUBSPOT) -> HubSpotConnection:
    """Return the HubSpot connection; raises MissingConnectionError or SettingsError."""
    return HubSpotConnection.from_raw(raw_connection(conn_id))


def salesforce_connection(conn_id: str = SALESFORCE) -> SalesforceConnection:
    """Return the Salesforce connection; raises MissingConnectionError or SettingsError."""
    return SalesforceConnection.from_raw(raw_connection(conn_id))


def slack_connection(conn_id: str = SLACK) -> SlackConnection:
    """Return the Slack connection; raises MissingConnectionError or SettingsError."""
    return SlackConnection.from_raw(raw_connection(conn_id))


def raw_connection(conn_id: str) -> RawConnection:
    """Return the parts of any connection by its id; raises MissingConnectionError."""
    from airflow.sdk import BaseHook
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        found: Connection = BaseHook.get_connection(conn_id)
    except AirflowNotFoundException:
        raise missing(conn_id) from None
    parts = {
        "conn_type": found.conn_type,
        "host": found.host,
        "login": found.login,
        "password": found.password,
        "port": found.port,
        "schema": found.schema,
        "extra": found.extra,
    }
    return RawConnection.parse(conn_id, json.dumps(parts))
