"""What a person reads when something is set up wrong: connection, field, and how to mend it."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import trustme

from baton.connections import HubSpotConnection, SalesforceConnection
from baton.crm.hubspot import ContactUpdate, HubSpotGateway, PropertyDefinition
from baton.crm.salesforce import SalesforceGateway
from baton.errors import (
    AuthenticationError,
    BatonError,
    ContractError,
    FatalGatewayError,
    PermissionDeniedError,
    RateLimitedError,
)
from baton.transport import RetryTerms, UnlimitedRate

QUICK = RetryTerms(attempts=2, total_seconds=3, first_pause=0.01, longest_pause=0.05)
PAGE = b"<html><body>Sign in to the network of the hotel</body></html>"
NO_SCOPE = json.dumps(
    {
        "category": "MISSING_SCOPES",
        "errors": [{"context": {"requiredGranularScopes": ["crm.schemas.contacts.read"]}}],
    }
).encode()


class Page(BaseHTTPRequestHandler):
    """A page for people, whatever is asked; without a scope where it is about properties."""

    def do_GET(self) -> None:
        refused = self.path.startswith("/crm/v3/properties")
        body = NO_SCOPE if refused else PAGE
        self.send_response(403 if refused else 200)
        self.send_header("Content-Type", "application/json" if refused else "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 - the name that the server calls

    def log_message(self, *_: object) -> None:
        """Say nothing."""


Serve = Callable[..., str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start servers of pages; with a certificate they speak TLS."""
    servers = []

    def start(certificate: trustme.LeafCert | None = None) -> str:
        server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
        server.handle_error = lambda *_: None  # type: ignore[method-assign]  # refused handshakes
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            certificate.configure_cert(context)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        scheme = "http" if certificate is None else "https"
        return f"{scheme}://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def hubspot_at(host: str) -> HubSpotGateway:
    connection = HubSpotConnection("hubspot_default", "secret-token", host)
    return HubSpotGateway(connection, UnlimitedRate(), terms=QUICK)


def salesforce_at(address: str, ca_file: str | None = None) -> SalesforceGateway:
    connection = SalesforceConnection(
        conn_id="salesforce_default",
        login_url=address,
        consumer_key="k",
        consumer_secret="secret-token",
        username=None,
        private_key=None,
        ca_file=ca_file,
    )
    return SalesforceGateway(connection, UnlimitedRate(), terms=QUICK)


def said(kind: type[BatonError], call: Callable[[], object]) -> str:
    with pytest.raises(kind) as caught:
        call()
    assert "secret-token" not in str(caught.value)
    return str(caught.value)


def test_a_wrong_token(hubspot, salesforce, sandbox) -> None:
    text = said(AuthenticationError, hubspot_at(hubspot.connection.host).check)
    assert text.startswith("hubspot_default: token refused; put the access token")
    where = salesforce.connection
    text = said(AuthenticationError, salesforce_at(where.login_url, where.ca_file).check)
    assert text.startswith("salesforce_default: login refused")
    assert "check consumer_key" in text or "check consumer_secret" in text


def test_a_missing_scope(serve) -> None:
    text = said(PermissionDeniedError, hubspot_at(serve()).property_definitions)
    assert text.startswith("hubspot_default: the token lacks a scope; add to the private app")
    assert "crm.schemas.contacts.read" in text


def test_a_page_instead_of_an_answer(serve) -> None:
    page = serve()
    text = said(ContractError, lambda: hubspot_at(page).read_contacts(["1"], ["email"]))
    assert text.startswith("hubspot_default: the answer is not JSON but text/html")
    assert "check base_url" in text
    text = said(ContractError, salesforce_at(page).check)
    assert text.startswith("salesforce_default: login did not answer as Salesforce does")
    assert "My Domain address" in text


def test_a_certificate_for_another_name_or_of_nobody_we_trust(
    serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = trustme.CA()
    ca_file = tmp_path / "ours.pem"
    ours.cert_pem.write_to_path(str(ca_file))
    elsewhere = serve(ours.issue_cert("api.elsewhere.test"))

    text = said(FatalGatewayError, salesforce_at(elsewhere, str(ca_file)).check)
    assert text.startswith("salesforce_default: its certificate is for another name; correct")
    text = said(FatalGatewayError, hubspot_at(elsewhere).check)
    assert text.startswith("hubspot_default: its certificate is not trusted")
    assert "for a private CA set SSL_CERT_FILE" in text
    text = said(FatalGatewayError, salesforce_at(elsewhere).check)
    assert "for a private CA set ca_file" in text
    monkeypatch.setenv("SSL_CERT_FILE", str(ca_file))
    text = said(FatalGatewayError, hubspot_at(elsewhere).check)
    assert text.startswith("hubspot_default: its certificate is for another name; correct")


def test_properties_that_cannot_be_written(hubspot, make_contacts, unique) -> None:
    choice = PropertyDefinition(
        name=unique("choice").replace("-", "_"),
        label="Choice",
        type="enumeration",
        field_type="select",
        options=(("a", "A"),),
    )
    hubspot.create_properties([choice])
    wrong = {
        "nowhere_to_be_found": ("PROPERTY_DOESNT_EXIST", "run 'baton setup hubspot'"),
        "num_conversion_events": ("READ_ONLY_VALUE", "name another property under write_back"),
        choice.name: ("INVALID_OPTION", "add it in HubSpot"),
    }
    ids = make_contacts(len(wrong))
    updates = [ContactUpdate(one, {name: "7"}) for one, name in zip(ids, wrong, strict=True)]
    results = hubspot.update_contacts(updates)
    for one, (name, (code, mend)) in zip(ids, wrong.items(), strict=True):
        text = str(results[one].error)
        assert text.startswith(f"{code}: HubSpot (hubspot_default) refused {name}: "), text
        assert mend in text


def test_fields_that_cannot_be_written(salesforce, unique) -> None:
    key = "HubSpot_Contact_Id__c"

    def refused(**fields: str) -> str:
        record = {key: unique("h"), "LastName": "Made", "Company": "C", **fields}
        return str(salesforce.upsert("Lead", key, [record])[record[key]].error)

    text = refused(Status="Nonsense")
    assert "Salesforce (salesforce_default) refused Status" in text
    assert "add the value to the picklist" in text
    known = {key: unique("h"), "LastName": "Made", "Company": "C"}
    salesforce.upsert("Lead", key, [known])
    locked = known | {"CreatedDate": "2026-03-02T10:00:05.000+0000"}
    text = str(salesforce.upsert("Lead", key, [locked])[known[key]].error)
    assert "Salesforce (salesforce_default) refused CreatedDate" in text
    assert "make it editable (field-level security) in the permission set" in text
    text = refused(Missing__c="1")
    assert "Lead has no field Missing__c that this user may see" in text
    assert "salesforce_default" in text
    assert "assign its permission set" in text


def test_a_quota_that_is_used_up(hubspot, salesforce, faults) -> None:
    faults.fault("429", "hubspot", "/batch/read", count=9, policy="daily")
    text = said(RateLimitedError, lambda: hubspot.read_contacts(["1"], ["email"]))
    assert text.startswith("hubspot_default: the daily limit is used up; calls go out again")
    faults.fault("429", "salesforce", "/query", count=9, policy="daily")
    text = said(RateLimitedError, lambda: list(salesforce.query("SELECT Id FROM User")))
    assert text.startswith("salesforce_default: the daily request limit is used up; calls go out")
