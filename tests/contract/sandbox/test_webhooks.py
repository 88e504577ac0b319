"""HubSpot's webhooks as the sandbox sends them, judged by HubSpot's own client."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from hubspot.utils.signature import Signature

from crm_sandbox.hubspot.changes import Change, ChangeKind
from crm_sandbox.hubspot.webhooks import Webhooks, read_target
from crm_sandbox.inprocess import SandboxThread

EVERYTHING = [
    {"type": "contact.creation"},
    {"type": "contact.propertyChange", "property": "lifecyclestage"},
    {"type": "contact.deletion"},
    {"type": "contact.merge"},
]


@dataclass
class Receiver:
    """A server that keeps what it is told and answers with the next of `answers`, then with 204."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def wait_for(self, requests: int) -> list[list[dict[str, Any]]]:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.got) >= requests, timeout=15)
            return [json.loads(body) for _, body in self.got]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    kept = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            with kept.changed:
                kept.got.append((dict(self.headers), body))
                self.send_response(kept.answers.pop(0) if kept.answers else 204)
                self.end_headers()
                kept.changed.notify_all()

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept.url = f"http://127.0.0.1:{server.server_address[1]}/told%3Fby=hubspot"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield kept
    server.shutdown()
    server.server_close()
    thread.join(5)


@pytest.fixture(scope="module")
def portal(sandbox: SandboxThread) -> Iterator[httpx.Client]:
    """The admin port of this module's sandbox, which has one webhook target."""
    with httpx.Client(base_url=sandbox.description["admin"]["url"], trust_env=False) as found:
        yield found


def aim(portal: httpx.Client, receiver: Receiver, **more: Any) -> dict[str, Any]:
    body = {"url": receiver.url, "subscriptions": EVERYTHING, "pause_seconds": 0.01} | more
    answer = portal.post("/hubspot/webhooks", json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def load(portal: httpx.Client, count: int, mark: str) -> list[str]:
    contacts = [{"email": f"{mark}{n}@hooks.test"} for n in range(count)]
    found: list[str] = portal.post("/hubspot/contacts/load", json={"contacts": contacts}).json()[
        "ids"
    ]
    return found


def test_a_creation_is_told_with_a_signature_that_hubspots_client_accepts(
    portal: httpx.Client, receiver: Receiver
) -> None:
    secret = aim(portal, receiver)["client_secret"]
    [contact] = load(portal, 1, "one")

    [[event]] = receiver.wait_for(1)

    assert event["subscriptionType"] == "contact.creation"
    assert event["objectId"] == int(contact)
    assert event["attemptNumber"] == 0
    headers, body = receiver.got[0]
    given = {
        "signature": headers["X-HubSpot-Signature-v3"],
        "request_body": body.decode(),
        # The client leaves the address as it is; HubSpot signs it with %3F decoded.
        "http_uri": receiver.url.replace("%3F", "?"),
        "http_method": "POST",
        "signature_version": "v3",
        "timestamp": headers["X-HubSpot-Request-Timestamp"],
    }
    assert Signature.is_valid(client_secret=secret, **given)
    assert not Signature.is_valid(client_secret="another", **given)


def test_a_private_apps_signature_is_version_1(portal: httpx.Client, receiver: Receiver) -> None:
    secret = aim(portal, receiver, signature="v1")["client_secret"]
    load(portal, 1, "private")

    receiver.wait_for(1)

    headers, body = receiver.got[0]
    assert Signature.is_valid(
        signature=headers["X-HubSpot-Signature"],
        client_secret=secret,
        request_body=body.decode(),
        signature_version="v1",
    )


def test_only_what_was_subscribed_is_told_and_a_change_names_its_property(
    portal: httpx.Client, portal_http: httpx.Client, receiver: Receiver
) -> None:
    kept, gone = load(portal, 2, "changing")
    aim(portal, receiver)
    path = "/crm/v3/objects/contacts"
    changed = {"lifecyclestage": "marketingqualifiedlead", "firstname": "Nobody asks"}
    portal_http.patch(f"{path}/{kept}", json={"properties": changed}).raise_for_status()
    portal_http.post(
        f"{path}/merge", json={"primaryObjectId": kept, "objectIdToMerge": gone}
    ).raise_for_status()
    portal_http.delete(f"{path}/{kept}").raise_for_status()

    with receiver.changed:
        wanted = {"contact.propertyChange", "contact.merge", "contact.deletion"}

        def told() -> list[dict[str, Any]]:
            return [event for _, body in receiver.got for event in json.loads(body)]

        assert receiver.changed.wait_for(
            lambda: {event["subscriptionType"] for event in told()} >= wanted, timeout=15
        )
        events = {event["subscriptionType"]: event for event in told()}
    assert set(events) == wanted
    change, merge = events["contact.propertyChange"], events["contact.merge"]
    assert (change["propertyName"], change["propertyValue"]) == (
        "lifecyclestage",
        "marketingqualifiedlead",
    )
    assert (merge["primaryObjectId"], merge["mergedObjectIds"]) == (int(kept), [int(gone)])


def test_a_request_holds_fewer_than_a_hundred_events_and_a_refused_one_comes_again(
    portal: httpx.Client, receiver: Receiver
) -> None:
    receiver.answers = [500, 302]
    aim(portal, receiver)
    ids = load(portal, 150, "many")

    batches = receiver.wait_for(4)

    assert all(len(batch) < 100 for batch in batches)
    assert sorted(batch[0]["attemptNumber"] for batch in batches) == [0, 0, 1, 1]
    assert {event["objectId"] for batch in batches for event in batch} == {int(one) for one in ids}
    deliveries = portal.get("/hubspot/webhooks").json()["deliveries"]
    assert sorted(one["status"] for one in deliveries[:4])[-2:] == [302, 500]


def test_nothing_is_told_after_the_end(portal: httpx.Client, receiver: Receiver) -> None:
    aim(portal, receiver)
    assert portal.delete("/hubspot/webhooks").json()["target"] is None
    load(portal, 1, "unheard")
    assert portal.get("/hubspot/webhooks").json() == {
        "target": None,
        "deliveries": [],
        "given_up": 0,
    }
    assert receiver.got == []


def test_duplicates_and_disorder_come_from_the_seed() -> None:
    def sent(seed: int) -> list[int]:
        webhooks = Webhooks(portal_id=1)
        raw = {"url": "http://127.0.0.1:9", "subscriptions": ["contact.creation"]}
        webhooks.aim(read_target(raw | {"duplicates": 0.3, "shuffled": True, "seed": seed}))
        at = datetime(2026, 11, 20, tzinfo=UTC)
        for number in range(40):
            webhooks.note(Change("contact", ChangeKind.CREATION, number, at, "FORM"))
        return [event["objectId"] for batch in webhooks.batches() for event in batch]

    assert sent(1) == sent(1) != sent(2)
    assert len(sent(1)) > 40
    assert sent(1) != sorted(sent(1))
    assert set(sent(1)) == set(range(40))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"url": "nowhere"}, "url must be"),
        ({"subscriptions": []}, "must list what to tell"),
        ({"subscriptions": ["deal.creation"]}, "contact or company"),
        ({"subscriptions": ["contact.propertyChange"]}, "names a property"),
        (
            {"subscriptions": [{"type": "contact.propertyChange", "property": "lastmodifieddate"}]},
            "no webhook",
        ),
        ({"signature": "v2"}, "v1, v3"),
        ({"duplicates": 2}, "between 0 and 1"),
        ({"colour": "blue"}, "unknown key"),
    ],
)
def test_settings_that_cannot_be_used_say_why(
    portal: httpx.Client, receiver: Receiver, wrong: dict[str, Any], words: str
) -> None:
    body = {"url": receiver.url, "subscriptions": EVERYTHING} | wrong
    answer = portal.post("/hubspot/webhooks", json=body)
    assert answer.status_code == 400
    assert words in answer.json()["error"]
