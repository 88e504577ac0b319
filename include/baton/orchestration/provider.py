"""What Airflow's provider discovery reads: the connection types that Baton brings.

Salesforce connections use the type of Airflow's own Salesforce provider.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

_HUBSPOT: dict[str, Any] = {
    "connection-type": "hubspot",
    "hook-class-name": "baton.orchestration.hooks.HubSpotHook",
    "hook-name": "HubSpot",
    "conn-fields": {
        "base_url": {
            "label": "Address",
            "description": "Only for a stand-in: leave empty for https://api.hubapi.com.",
            "schema": {"type": ["string", "null"]},
        },
        "daily_reserve": {
            "label": "Daily reserve",
            "description": "Calls a day kept free for handoffs; bulk work stops before them.",
            "schema": {"type": ["integer", "null"], "default": 5000, "minimum": 0},
        },
        "api_paths": {
            "label": "API paths",
            "description": "'legacy' for /crm/v3, 'dated' for /crm/objects/2026-09.",
            "schema": {
                "type": ["string", "null"],
                "default": "legacy",
                "enum": ["legacy", "dated"],
            },
        },
        "portal_id": {
            "label": "Portal id",
            "description": "The number in HubSpot's addresses: the pages then link to contacts.",
            "schema": {"type": ["string", "null"]},
        },
        "app": {
            "label": "App",
            "description": "'eu1' for a portal hosted in Europe; empty otherwise. For links alone.",
            "schema": {"type": ["string", "null"]},
        },
    },
    "ui-field-behaviour": {
        "hidden-fields": ["schema", "port", "login", "extra", "host"],
        "relabeling": {"password": "Access token"},
        "placeholders": {"password": "token of a private app, or a service key"},
    },
}
_SLACK: dict[str, Any] = {
    "connection-type": "slack",
    "hook-class-name": "baton.orchestration.hooks.SlackHook",
    "hook-name": "Slack",
    "conn-fields": {
        "base_url": {
            "label": "Address",
            "description": "Only for a stand-in: leave empty for https://slack.com/api/.",
            "schema": {"type": ["string", "null"]},
        }
    },
    "ui-field-behaviour": {
        "hidden-fields": ["schema", "port", "login", "extra", "host"],
        "relabeling": {"password": "Bot token"},
        "placeholders": {"password": "the bot user's OAuth token"},
    },
}


def get_provider_info() -> dict[str, Any]:
    """Return the provider's description. Airflow's Slack provider, if installed, keeps its type."""
    types = [_HUBSPOT]
    if not _installed("airflow.providers.slack"):
        types.append(_SLACK)
    return {
        "package-name": "baton-handoff",
        "name": "Baton",
        "description": "Carries leads from HubSpot to Salesforce and outcomes back.",
        "connection-types": types,
    }


def _installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False
