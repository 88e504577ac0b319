#!/usr/bin/env python3
"""Write .env for docker-compose.yml with generated secrets; never overwrites one.

With --sandbox also connections.env, pointing at the service `crm-sandbox`. The sandbox's
credentials are the same on every start; they are read from a sandbox started here for a moment.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import secrets
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SANDBOX = "crm-sandbox"
PORTS = {"hubspot": 18101, "salesforce": 18102, "slack": 18103}


def main() -> None:
    """Write what is missing and say what was written."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sandbox", action="store_true", help="write connections.env as well")
    options = parser.parse_args()
    write(ROOT / ".env", settings())
    if options.sandbox:
        write(ROOT / "connections.env", sandbox_connections())


def write(path: Path, values: dict[str, str]) -> None:
    """Write a file that only its owner may read, unless it exists."""
    if path.exists():
        print(f"{path.name} exists already: left as it is")
        return
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.writelines(f"{name}={value}\n" for name, value in values.items())
    print(f"{path.name} written")


def settings() -> dict[str, str]:
    """Return every name of .env.example, secrets filled in."""
    made: dict[str, str] = {}
    for line in (ROOT / ".env.example").read_text().splitlines():
        if line and not line.startswith("#"):
            name, _, default = line.partition("=")
            made[name] = default or secrets.token_urlsafe(32)
    made["AIRFLOW_FERNET_KEY"] = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    return made


def sandbox_connections() -> dict[str, str]:
    """Return the three connections, for containers on the compose network."""
    command = ROOT / ".venv" / "bin" / SANDBOX
    if not command.exists():
        raise SystemExit("--sandbox needs the sandbox installed here: run `make install` first")
    arguments = [str(command), "serve", "--json", "--no-market"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        seen = json.loads(server.stdout.readline())
        server.terminate()
    urls = {name: f"http://{SANDBOX}:{port}" for name, port in PORTS.items()}
    hubspot = {
        "conn_type": "hubspot",
        "host": urls["hubspot"],
        "password": seen["hubspot"]["token"],
    }
    salesforce = {
        "conn_type": "salesforce",
        "login": seen["salesforce"]["username"],
        "extra": {
            "instance_url": urls["salesforce"].replace("http:", "https:"),
            "consumer_key": seen["salesforce"]["consumer_key"],
            "consumer_secret": seen["salesforce"]["consumer_secret"],
            "ca_file": "/opt/airflow/sandbox/ca.pem",
        },
    }
    slack = {
        "conn_type": "slack",
        "password": seen["slack"]["token"],
        "extra": {"base_url": f"{urls['slack']}/api/"},
    }
    return {
        "AIRFLOW_CONN_HUBSPOT_DEFAULT": json.dumps(hubspot),
        "AIRFLOW_CONN_SALESFORCE_DEFAULT": json.dumps(salesforce),
        "AIRFLOW_CONN_SLACK_DEFAULT": json.dumps(slack),
    }


if __name__ == "__main__":
    main()
