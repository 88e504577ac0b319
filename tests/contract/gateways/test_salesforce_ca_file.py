"""A certificate file that is not there is a setting to mend, not a crash."""

from __future__ import annotations

import pytest

from baton.crm.salesforce.session import SalesforceSession
from baton.errors import SettingsError
from baton.transport import UnlimitedRate


def test_a_missing_ca_file_names_the_connection_and_the_mend() -> None:
    session = SalesforceSession(
        conn_id="salesforce_default", limiter=UnlimitedRate(), ca_file="/nowhere/ca.pem"
    )
    with pytest.raises(SettingsError, match=r"'salesforce_default'.*/nowhere/ca\.pem.*not there"):
        session.request("GET", "https://127.0.0.1:1/services/data/v62.0/limits")
