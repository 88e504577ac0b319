"""An outside provider over real HTTP: good, slow, broken, silly, too dear; never in the way."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine
from tests.integration.pipeline.provider_server import ProviderServer, knows, says
from tests.integration.pipeline.relay import Relay
from tests.integration.pipeline.test_common_cases import change_policy, import_list

from baton.connections import RawConnection
from baton.crm.enrichment import EnrichmentConnection, JsonProvider, provider_of
from baton.errors import ContractError, MissingConnectionError, SettingsError, UnavailableError
from baton.ledger.database.engine import transaction
from baton.ledger.leads import enrichment
from baton.policy.bundle import PolicyBundle

STEP = """
enrichment:
  - provider: companyfacts
    fills: {Company size: employees, Industry: industry}
    budget_a_day: %(budget)s
    timeout: 1 seconds
    cache_for: 30 days
    confidence: 80
    %(wait)s
"""
KEY = "zq-provider-key"


@pytest.fixture
def terms() -> dict[str, Any]:
    return {"budget": 100, "wait": ""}


@pytest.fixture
def bundle(bundle: PolicyBundle, terms: dict[str, Any]) -> PolicyBundle:
    return PolicyBundle({**bundle.texts, "overlays/enrichment.yaml": STEP % terms})


@pytest.fixture
def provider(relay: Relay) -> Iterator[ProviderServer]:
    with ProviderServer(knows({})) as server:
        connect(relay, server.url)
        yield server


def connect(relay: Relay, url: str) -> None:
    def raw(conn_id: str) -> RawConnection:
        assert conn_id == "enrichment_companyfacts"
        return RawConnection(conn_id, host=url, password=KEY, extra={"path": "v1/companies"})

    relay.ctx = replace(relay.ctx, raw_connection=raw)


def unknown_company(relay: Relay, number: int = 0) -> tuple[str, str]:
    """A hand raise from a company of which HubSpot knows neither size nor industry."""
    domain = f"quill{number}.test"
    home = relay.company(domain=domain, numberofemployees="", industry="")
    contact = relay.contact(home)
    relay.submit(contact, "Demo request")
    return contact, domain


def facts_of(relay: Relay, contact: str) -> dict[str, Any]:
    (row,) = relay.rows(
        "SELECT inputs FROM decision JOIN lead ON lead.id = lead_id WHERE hubspot_id = :id"
        " ORDER BY decision.id DESC LIMIT 1",
        id=contact,
    )
    return dict(row["inputs"])


def test_what_a_provider_knows_is_filled_in_with_its_source(
    relay: Relay, provider: ProviderServer
) -> None:
    contact, domain = unknown_company(relay)
    provider.answer = knows({domain: {"employees": 300, "industry": "COMPUTER_SOFTWARE"}})

    report = relay.run()

    inputs = facts_of(relay, contact)
    assert inputs["facts"]["Company size"] == 300
    assert inputs["facts"]["Segment"] == "Mid-market", "derived facts follow"
    assert inputs["told"]["Company size"] == "from companyfacts on 2026-11-24, 80 % sure"
    package = json.dumps(relay.handoff(contact)["package"])
    assert "Company size: 300 (from companyfacts on 2026-11-24, 80 % sure)" in package
    assert report["companyfacts filled"] == 1
    assert provider.asked == [[domain]]
    assert provider.paths == ["/v1/companies"]
    assert provider.keys == [f"Bearer {KEY}"]


def test_what_hubspot_says_is_neither_asked_for_nor_overwritten(
    relay: Relay, provider: ProviderServer
) -> None:
    home = relay.company(domain="quill.test", industry="")
    contact = relay.contact(home)
    provider.answer = knows({"quill.test": {"employees": 9, "industry": "TOBACCO"}})
    whole = relay.contact()

    relay.run()

    facts = facts_of(relay, contact)["facts"]
    assert (facts["Company size"], facts["Industry"]) == (300, "TOBACCO")
    assert provider.asked == [["quill.test"]], "of the other company nothing is missing"
    assert relay.lead(whole)["state"]


def test_an_answer_is_cached_also_that_nothing_is_known(
    relay: Relay, provider: ProviderServer
) -> None:
    contact, domain = unknown_company(relay)
    relay.run()
    relay.wait(days=2)
    connect(relay, provider.url)
    relay.submit(contact, "Contact sales")
    relay.run()
    assert provider.asked == [[domain]]

    relay.wait(days=31)
    connect(relay, provider.url)
    relay.submit(contact, "Contact sales")
    relay.run()
    assert provider.asked == [[domain], [domain]]


BROKEN: dict[str, Callable[..., Any]] = {
    "500": says(500, b"<html>zq oops</html>"),
    "401": says(401),
    "429": says(429),
    "a redirect": says(302),
    "no JSON": says(200, b"<html>hello</html>"),
    "JSON of another shape": says(200, b'{"companies": ["quill0.test"]}'),
    "a number": says(200, b"17"),
    "deeply nested": says(200, b"[" * 100_000),
    "nothing": says(200, b""),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_provider_stops_nobody(
    relay: Relay, provider: ProviderServer, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    provider.answer = BROKEN[how]
    contact, _ = unknown_company(relay)
    other, _ = unknown_company(relay, 1)

    with caplog.at_level(logging.WARNING):
        report = relay.run()

    assert relay.handoff(contact)["state"] == "notified"
    assert relay.handoff(other)["state"] == "notified"
    assert report["companyfacts failed"] == 1
    assert "goes on without companyfacts" in caplog.text
    assert KEY not in caplog.text
    assert "zq oops" not in caplog.text


def test_a_slow_provider_costs_its_time_out_once(relay: Relay, provider: ProviderServer) -> None:
    release = threading.Event()

    def sleep(domains: Any) -> tuple[int, bytes]:
        release.wait(10)
        return 200, b"{}"

    provider.answer = sleep
    contact, _ = unknown_company(relay)
    try:
        report = relay.run()
    finally:
        release.set()

    assert relay.handoff(contact)["state"] == "notified"
    assert report["companyfacts failed"] == 1
    assert len(provider.asked) == 1


def test_no_connection_is_said_and_stops_nobody(
    relay: Relay, caplog: pytest.LogCaptureFixture
) -> None:
    contact, _ = unknown_company(relay)

    relay.run()

    assert relay.handoff(contact)["state"] == "notified"
    assert "AIRFLOW_CONN_ENRICHMENT_COMPANYFACTS" in caplog.text


SILLY = {
    "employees": "about a dozen",
    "industry": None,
    "unasked": {"deep": [1, 2]},
    "email": "zq-secret@quill0.test",
}


def test_silly_values_are_problems_not_facts(relay: Relay, provider: ProviderServer) -> None:
    contact, domain = unknown_company(relay)
    provider.answer = knows({domain: SILLY, "other.test": {"employees": 3}})

    relay.run()

    inputs = facts_of(relay, contact)
    assert "Company size" not in inputs["facts"]
    assert {"label": "Company size", "code": "not_a_number"}.items() <= inputs["problems"][
        -1
    ].items()
    assert "zq-secret" not in json.dumps(inputs)
    assert relay.handoff(contact)["state"] == "notified"


@pytest.mark.parametrize("terms", [{"budget": 2, "wait": ""}])
def test_the_budget_of_a_day(relay: Relay, provider: ProviderServer) -> None:
    several = [unknown_company(relay, number) for number in range(5)]

    report = relay.run()

    assert [len(one) for one in provider.asked] == [2]
    assert report["companyfacts over budget"] == 3
    assert all(relay.handoff(contact)["state"] == "notified" for contact, _ in several)

    relay.wait(days=1)
    connect(relay, provider.url)
    for contact, _ in several:
        relay.submit(contact, "Contact sales")
    relay.run()
    assert sum(len(one) for one in provider.asked) == 4


WAITS = [{"budget": 100, "wait": "wait: 10 minutes"}]


@pytest.mark.parametrize("terms", WAITS)
def test_where_the_policy_says_so_the_lead_waits_and_then_goes_on_without(
    relay: Relay, provider: ProviderServer
) -> None:
    provider.answer = says(503)
    contact, _ = unknown_company(relay)
    relay.run()
    held = relay.lead(contact)
    assert (held["state"], held["timer_action"]) == ("held", "route_to_fallback")
    assert held["timer_at"] == relay.now() + timedelta(minutes=10)
    assert relay.handoffs(contact) == []

    relay.wait(minutes=4)
    connect(relay, provider.url)
    relay.change(contact, jobtitle="VP Sales EMEA")
    relay.run()
    assert relay.lead(contact)["timer_at"] == held["timer_at"], "the wait does not start anew"

    relay.wait(minutes=7)
    connect(relay, provider.url)
    relay.run()
    assert relay.handoff(contact)["state"] == "notified"


@pytest.mark.parametrize("terms", WAITS)
def test_a_provider_that_comes_back_is_used(relay: Relay, provider: ProviderServer) -> None:
    provider.answer = says(503)
    contact, domain = unknown_company(relay)
    relay.run()
    provider.answer = knows({domain: {"employees": 300}})
    relay.wait(minutes=11)
    connect(relay, provider.url)

    relay.run()

    assert facts_of(relay, contact)["facts"]["Company size"] == 300
    assert relay.handoff(contact)["state"] == "notified"


def test_a_budget_is_shared_by_all_processes(ledger_engine: Engine) -> None:
    from datetime import date

    def take(_: int) -> int:
        with transaction(ledger_engine) as conn:
            return enrichment.reserve(conn, "p", date(2026, 11, 24), wanted=7, budget=50)

    with ThreadPoolExecutor(4) as pool:
        granted = list(pool.map(take, range(12)))

    assert sum(granted) == 50
    assert set(granted) == {7, 1, 0}


def test_an_answer_that_drips_is_given_up() -> None:
    import socket

    listener = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def drip() -> None:
        there, _ = listener.accept()
        with there:
            there.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while not stop.wait(0.05):
                try:
                    there.sendall(b"[")
                except OSError:
                    return

    threading.Thread(target=drip, daemon=True).start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    try:
        with pytest.raises(UnavailableError):
            JsonProvider(EnrichmentConnection("c", url)).look_up(["a.test"], timeout_seconds=0.4)
    finally:
        stop.set()
        listener.close()


def test_a_connection_says_what_it_lacks() -> None:
    with pytest.raises(SettingsError, match="has no address"):
        provider_of(RawConnection("enrichment_x"))
    with pytest.raises(SettingsError, match="unknown provider 'soap'; known: json"):
        provider_of(RawConnection("enrichment_x", extra={"provider": "soap"}))
    with pytest.raises(MissingConnectionError, match="AIRFLOW_CONN_ENRICHMENT_X"):
        RawConnection.from_environment("enrichment_x", {})


def test_a_huge_answer_is_refused() -> None:
    with (
        ProviderServer(says(200, b" " * 5_000_001)) as server,
        pytest.raises(ContractError, match="more than"),
    ):
        JsonProvider(EnrichmentConnection("c", server.url)).look_up(["a.test"], timeout_seconds=5)


@pytest.mark.parametrize("terms", WAITS)
def test_a_list_that_waited_for_a_provider_is_dripped_still(
    relay: Relay, provider: ProviderServer
) -> None:
    fills = ("overlays/enrichment.yaml", "Industry: industry", "Tech stack: stack")
    change_policy(relay, fills, ("routing.yaml", "a_day: 50", "a_day: 2"))
    provider.answer = says(503)
    import_list(relay, 6)
    assert relay.run()["hold"] == 6
    held = relay.rows("SELECT DISTINCT held_for, timer_action FROM lead WHERE state = 'held'")
    assert [tuple(row.values()) for row in held] == [("enrichment", "route_to_fallback")]

    relay.wait(minutes=11)
    connect(relay, provider.url)
    relay.run()

    assert relay.rows("SELECT count(*) AS many FROM handoff")[0]["many"] == 2
    held = relay.rows("SELECT DISTINCT held_for, timer_action FROM lead WHERE state = 'held'")
    assert [tuple(row.values()) for row in held] == [("drip", "nurture")]
