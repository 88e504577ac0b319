"""Airflow hooks: what the button "Test" beside a connection runs.

Dags do not use them; tasks get their gateways from ``baton.orchestration.runtime``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk import BaseHook

from baton.connections import HUBSPOT, SLACK
from baton.errors import BatonError

if TYPE_CHECKING:
    from baton.crm.hubspot import HubSpotGateway
    from baton.notify.slack import SlackGateway


class HubSpotHook(BaseHook):
    """A HubSpot connection; `get_conn` gives Baton's gateway."""

    conn_name_attr = "hubspot_conn_id"
    default_conn_name = HUBSPOT
    conn_type = "hubspot"
    hook_name = "HubSpot"

    def __init__(self, hubspot_conn_id: str = HUBSPOT) -> None:
        super().__init__()
        self.hubspot_conn_id = hubspot_conn_id

    def get_conn(self) -> HubSpotGateway:
        """Return the gateway; raises MissingConnectionError or SettingsError."""
        from baton.crm.hubspot import HubSpotGateway
        from baton.orchestration.connections import hubspot_connection
        from baton.transport import UnlimitedRate

        return HubSpotGateway(hubspot_connection(self.hubspot_conn_id), UnlimitedRate())

    def test_connection(self) -> tuple[bool, str]:
        """Try token and scopes; return whether they serve, and what to say."""
        try:
            account = self.get_conn().check()
        except BatonError as error:
            return False, str(error)
        if account.missing_scopes:
            return False, f"the token lacks the scopes {', '.join(account.missing_scopes)}"
        return True, f"connected to HubSpot account {account.portal_id or '(unnamed)'}"


class SlackHook(BaseHook):
    """A Slack connection; `get_conn` gives Baton's gateway."""

    conn_name_attr = "slack_conn_id"
    default_conn_name = SLACK
    conn_type = "slack"
    hook_name = "Slack"

    def __init__(self, slack_conn_id: str = SLACK) -> None:
        super().__init__()
        self.slack_conn_id = slack_conn_id

    def get_conn(self) -> SlackGateway:
        """Return the gateway; raises MissingConnectionError or SettingsError."""
        from baton.notify.slack import SlackGateway
        from baton.orchestration.connections import slack_connection
        from baton.transport import UnlimitedRate

        return SlackGateway(slack_connection(self.slack_conn_id), UnlimitedRate())

    def test_connection(self) -> tuple[bool, str]:
        """Try token and scopes; return whether they serve, and what to say."""
        try:
            workspace = self.get_conn().check()
        except BatonError as error:
            return False, str(error)
        if workspace.missing_scopes:
            return False, f"the app lacks the scopes {', '.join(workspace.missing_scopes)}"
        return True, f"connected to the Slack workspace {workspace.team}"
