"""Addresses of records in HubSpot and Salesforce, as far as the connections tell them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import quote

from baton.connections import (
    HUBSPOT,
    SALESFORCE,
    RawConnection,
    SalesforceConnection,
    missing,
)
from baton.errors import BatonError

logger = logging.getLogger(__name__)

_APP: Final = "https://app.hubspot.com"
_EUROPE: Final = "https://app-eu1.hubspot.com"


def addresses(find: Callable[[str], RawConnection]) -> Mapping[str, str]:
    """Return what the addresses of a contact ("hubspot") and of a record ("salesforce") begin with.

    HubSpot's needs the portal's number, which a connection may give as `portal_id`; a portal in
    Europe gives `app` as "eu1". What is not known is left out.
    """
    found: dict[str, str] = {}
    for name, read in (("hubspot", _hubspot), ("salesforce", _salesforce)):
        try:
            address = read(find)
        except BatonError as error:
            # A page without links is still a page; the connection's trouble is told elsewhere.
            logger.info("no links to %s: %s", name, type(error).__name__)
            continue
        if address:
            found[name] = address
    return found


def airflow_connection(conn_id: str) -> RawConnection:
    """Return the parts of a connection as Airflow's server has it; raises MissingConnectionError."""
    from airflow.models.connection import Connection
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        found = Connection.get_connection_from_secrets(conn_id)
    except AirflowNotFoundException:
        raise missing(conn_id) from None
    return RawConnection.parse(conn_id, found.as_json())


def _hubspot(find: Callable[[str], RawConnection]) -> str | None:
    extra = find(HUBSPOT).extra
    portal = str(extra.get("portal_id") or "").strip()
    if not (portal.isascii() and portal.isdecimal()):
        return None
    app = _EUROPE if str(extra.get("app") or "").lower() == "eu1" else _APP
    return f"{app}/contacts/{quote(portal)}/record/0-1/"


def _salesforce(find: Callable[[str], RawConnection]) -> str | None:
    return SalesforceConnection.from_raw(find(SALESFORCE)).login_url.rstrip("/") + "/"
