"""`crm-sandbox serve` as a process, and its admin port."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from ruamel.yaml import YAML

from crm_sandbox.certificates import issue_certificates
from crm_sandbox.inprocess import SandboxThread
from crm_sandbox.server import bind

COMMAND = [sys.executable, "-m", "crm_sandbox"]


@contextmanager
def serving(*options: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    command = [*COMMAND, "serve", "--json", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, json.loads(process.stdout.readline())
        finally:
            process.kill()


def test_one_line_of_json_then_serves_until_sigterm(tmp_path: Path) -> None:
    with serving("--no-market", "--state-dir", str(tmp_path)) as (process, described):
        assert set(described) == {"hubspot", "salesforce", "slack", "admin", "pid"}
        assert described["pid"] == process.pid
        assert Path(described["salesforce"]["ca_file"]).parent == tmp_path
        secured = httpx.get(
            described["salesforce"]["url"] + "/services/data/",
            verify=ssl.create_default_context(cafile=described["salesforce"]["ca_file"]),
        )
        assert secured.status_code == 200
        state = httpx.get(described["admin"]["url"] + "/state").json()
        assert state["hubspot"]["contacts"] == 0
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    with pytest.raises(httpx.ConnectError):
        httpx.get(described["hubspot"]["url"])


def test_a_further_name_stands_in_certificate_and_addresses(tmp_path: Path) -> None:
    """As the compose profile serves it: the other containers call it by a name."""
    options = ("--host", "127.0.0.1", "--name", "crm-sandbox", "--no-market")
    with serving(*options, "--state-dir", str(tmp_path)) as (_, described):
        salesforce = described["salesforce"]
        port = httpx.URL(salesforce["url"]).port
        assert salesforce["also"] == [f"https://crm-sandbox:{port}"]
        assert described["slack"]["also"][0].endswith("/api/")
        trusting = ssl.create_default_context(cafile=salesforce["ca_file"])
        for name in ("crm-sandbox", "127.0.0.1"):
            with (
                socket.create_connection(("127.0.0.1", port), 5) as raw,
                trusting.wrap_socket(raw, server_hostname=name) as secured,
            ):
                assert secured.version() in ("TLSv1.2", "TLSv1.3")
        with (
            socket.create_connection(("127.0.0.1", port), 5) as raw,
            pytest.raises(ssl.SSLCertVerificationError, match="elsewhere"),
        ):
            trusting.wrap_socket(raw, server_hostname="elsewhere")


def test_the_compose_profile_starts_it_as_written(tmp_path: Path) -> None:
    """Its options are those of the compose file; only host, ports and folder are this test's."""
    compose = YAML(typ="safe").load(Path(__file__).parents[3] / "docker-compose.yml")
    service = compose["services"]["crm-sandbox"]
    assert service["entrypoint"] == ["crm-sandbox"]
    own = {"--host": "127.0.0.1", "--state-dir": str(tmp_path)}
    given = []
    for option in service["command"][1:]:
        name, _, value = option.partition("=")
        given.append(f"{name}={own.get(name, '0' if name.endswith('-port') else value)}")
    with serving(*given, "--no-market") as (_, described):
        port = httpx.URL(described["salesforce"]["url"]).port
        assert described["salesforce"]["also"] == [f"https://crm-sandbox:{port}"]
        assert (tmp_path / "ca.pem").exists()


@pytest.mark.parametrize(
    ("option", "value"), [("--host", "crm-sandbox"), ("--host", "192.0.2.1"), ("--name", "a b")]
)
def test_an_unusable_host_is_refused_in_one_line(option: str, value: str) -> None:
    done = subprocess.run(
        [*COMMAND, "serve", "--no-market", option, value],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert option in done.stderr


def test_a_port_in_use_is_named_with_its_option() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [*COMMAND, "serve", "--no-market", "--slack-port", str(port)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 2
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1
    assert str(port) in lines[0]
    assert "--slack-port" in lines[0]


def test_it_stops_with_its_parent(tmp_path: Path) -> None:
    script = (
        "import subprocess, sys\n"
        f"child = subprocess.Popen({[*COMMAND, 'serve', '--json', '--no-market', '--with-parent']},"
        " stdout=subprocess.PIPE, text=True)\n"
        "print(child.stdout.readline(), end='', flush=True)\n"
    )
    parent = subprocess.run(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, timeout=60, check=True
    )
    pid = json.loads(parent.stdout)["pid"]
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    os.kill(pid, signal.SIGKILL)
    pytest.fail("the sandbox outlived its parent")


def test_certificates_are_reused(tmp_path: Path) -> None:
    first = issue_certificates(tmp_path / "state")
    content = first.ca_file.read_bytes()
    assert issue_certificates(tmp_path / "state").ca_file.read_bytes() == content
    assert first.server_file.stat().st_mode & 0o077 == 0
    issue_certificates(tmp_path / "state", ["crm-sandbox"])
    named = first.ca_file.read_bytes()
    assert named != content
    issue_certificates(tmp_path / "state")
    assert first.ca_file.read_bytes() == named


@pytest.fixture
def admin(sandbox: SandboxThread) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=sandbox.description["admin"]["url"]) as client:
        yield client


def test_the_clock_is_set_and_released(sandbox: SandboxThread, admin: httpx.Client) -> None:
    shown = admin.post("/clock", json={"at": "2026-08-01T09:00:00Z"}).json()
    assert shown == {"now": "2026-08-01T09:00:00+00:00", "simulated": True}
    dated = httpx.get(sandbox.description["hubspot"]["url"] + "/crm/v3/owners")
    assert dated.headers["date"] == "Sat, 01 Aug 2026 09:00:00 GMT"
    assert admin.post("/clock", json={"at": None}).json()["simulated"] is False
    assert admin.post("/clock", json={"at": "noon"}).status_code == 400
    assert admin.post("/clock", json={}).status_code == 400


def test_contacts_are_loaded_as_they_are(sandbox: SandboxThread, admin: httpx.Client) -> None:
    rows = [{"email": "no address at all"}, {"nonsense": "x"}, {"num_conversion_events": "many"}]
    answer = admin.post(
        "/hubspot/contacts/load", json={"contacts": rows, "at": "2026-08-01T00:00:00Z"}
    ).json()
    assert answer["created"] == 2
    assert [row["place"] for row in answer["refused"]] == [1]
    record = sandbox.world.portal.require("contacts", answer["ids"][0])
    assert record.properties["createdate"] == "2026-08-01T00:00:00Z"


def test_a_form_is_submitted_by_name(sandbox: SandboxThread, admin: httpx.Client) -> None:
    sandbox.world.portal.create_form("Contact sales")
    body = {"form": "Contact sales", "values": {"email": "buyer@admin.test"}}
    made = admin.post("/hubspot/forms/submit", json=body).json()["contact_id"]
    record = sandbox.world.portal.require("contacts", made)
    assert record.properties["recent_conversion_event_name"] == "Contact sales"
    unknown = admin.post("/hubspot/forms/submit", json={**body, "form": "Contct"})
    assert unknown.status_code == 404
    assert "Contact sales" in unknown.json()["error"]


def test_requests_are_logged_without_addresses(
    portal_http: httpx.Client, admin: httpx.Client
) -> None:
    before = admin.get("/requests").json()["requests"]
    last = before[-1]["number"] if before else 0
    portal_http.get("/crm/v3/objects/contacts/secret@person.test?idProperty=email")
    rows = admin.get("/requests", params={"since": last, "api": "hubspot"}).json()["requests"]
    assert [(r["method"], r["path"], r["status"]) for r in rows] == [
        ("GET", "/crm/v3/objects/contacts/{email}", 404)
    ]
    assert "secret" not in json.dumps(rows)


def test_slack_messages_are_shown(sandbox: SandboxThread, admin: httpx.Client) -> None:
    workspace = sandbox.world.workspace
    start = len(workspace.messages)
    workspace.post(workspace.add_channel("sales-ops"), "hello")
    answer = admin.get("/slack/messages", params={"since": start}).json()
    assert [(m["channel_name"], m["text"]) for m in answer["messages"]] == [("sales-ops", "hello")]
    assert answer["next"] == start + 1


def test_without_a_market(admin: httpx.Client) -> None:
    answer = admin.post("/market/play", json={"until": "2027-01-01T00:00:00Z"})
    assert answer.status_code == 409
    assert "--no-market" in answer.json()["error"]


def test_web_pages_cannot_steer_it(admin: httpx.Client) -> None:
    headers = {"origin": "https://elsewhere.test"}
    assert admin.post("/clock", json={"at": None}, headers=headers).status_code == 403


def test_the_faults_command(sandbox: SandboxThread) -> None:
    from typer.testing import CliRunner

    from crm_sandbox.cli import app

    runner = CliRunner()
    where = ["--admin", sandbox.description["admin"]["url"]]
    added = runner.invoke(app, ["faults", "add", "503", "--api", "hubspot", "--count", "2", *where])
    assert (added.exit_code, added.output) == (0, "rule 1 added\n")
    listed = runner.invoke(app, ["faults", "list", *where])
    assert "503" in listed.output
    wrong = runner.invoke(app, ["faults", "add", "boom", *where])
    assert wrong.exit_code == 2
    assert "one of 429" in wrong.output
    assert runner.invoke(app, ["faults", "clear", *where]).output == "1 rules removed\n"
    nobody = runner.invoke(app, ["faults", "list", "--admin", "http://127.0.0.1:9"])
    assert nobody.exit_code == 2
    assert "crm-sandbox serve" in nobody.output


def test_replies_are_not_held_back() -> None:
    """asyncio lifts Nagle's delay (40 ms a reply) only from sockets that name their protocol."""
    with bind(0, "--any-port") as listening:
        assert listening.proto == socket.IPPROTO_TCP


def test_the_market_plays_and_goes_live() -> None:
    with serving("--at", "2026-08-03T00:00:00Z") as (_, described):
        url = described["admin"]["url"]
        before = httpx.get(f"{url}/state").json()
        played = httpx.post(
            f"{url}/market/play", json={"until": "2026-08-05T00:00:00Z"}, timeout=60
        )
        assert played.json()["new_contacts"] > 0
        after = httpx.get(f"{url}/state").json()
        assert after["hubspot"]["contacts"] > before["hubspot"]["contacts"]
        assert after["clock"] == {"now": "2026-08-05T00:00:00+00:00", "simulated": True}
        back = httpx.post(f"{url}/market/play", json={"until": "2026-08-04T00:00:00Z"})
        assert back.status_code == 400
        httpx.post(f"{url}/market/live", json={"on": True, "every_seconds": 0.2})
        deadline = time.monotonic() + 10
        events: list[Any] = []
        while not events and time.monotonic() < deadline:
            events = httpx.get(f"{url}/market/events").json()["events"]
            time.sleep(0.05)
        assert {"at", "kind", "who", "what"} <= set(events[0])
        assert httpx.get(f"{url}/state").json()["clock"]["simulated"] is False
