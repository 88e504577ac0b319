"""Airflow's SalesforceHook, unchanged, against the sandbox."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

# In a process of its own: importing Airflow settles its home folder for good.
SCRIPT = """
import json, os
import requests
from requests.adapters import HTTPAdapter
from airflow.providers.salesforce.hooks.salesforce import SalesforceHook

class MyDomain(HTTPAdapter):
    def send(self, request, *args, **kwargs):
        request.url = request.url.replace(
            "https://acme.my.salesforce.com", os.environ["SANDBOX_URL"], 1
        )
        return super().send(request, *args, **kwargs)

with requests.Session() as session:
    session.trust_env = False
    session.verify = os.environ["SANDBOX_CA"]
    session.mount("https://acme.my.salesforce.com", MyDomain())
    hook = SalesforceHook(salesforce_conn_id="sandbox", session=session)
    found = hook.make_query("SELECT Username FROM User WHERE UserType = 'Standard'")
    fields = hook.get_available_fields("Lead")
    print("RESULT " + json.dumps([[row["Username"] for row in found["records"]], fields]))
"""


@pytest.mark.slow
def test_hook_queries_and_describes(sandbox, tmp_path):
    described = sandbox.description["salesforce"]
    extra = {
        "consumer_key": described["consumer_key"],
        "consumer_secret": described["consumer_secret"],
        "domain": "acme.my",
        "version": "62.0",
    }
    environment = {
        **os.environ,
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW_CONN_SANDBOX": json.dumps({"conn_type": "salesforce", "extra": extra}),
        "SANDBOX_URL": described["url"],
        "SANDBOX_CA": described["ca_file"],
    }
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    assert lines, done.stderr[-2000:]
    users, fields = json.loads(lines[-1].removeprefix("RESULT "))
    assert users == [described["username"]]
    assert "Handoff_Key__c" in fields
