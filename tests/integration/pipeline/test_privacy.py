"""Marked personal values go through the whole chain and are found nowhere but where they belong."""

from __future__ import annotations

import http.client
import logging
from dataclasses import dataclass, field

import pytest
from tests.integration.pipeline.relay import ONCE, Relay, texts

from baton.pipeline.report import StepReport

MARKED = {
    "email": "zq.secretmail@hush1.test",
    "firstname": "Zqfirstname",
    "lastname": "Zqlastname",
    "phone": "+49 30 5551234567",
    "message": "Zqmessage please call",
}
ANSWER = "Zqquestion: Zqanswer"
MARKS = (
    "zq.secretmail", "Zqfirstname", "Zqlastname", "5551234567", "555 123", "Zqmessage", "Zqanswer",
)  # fmt: skip
PERSONAL_TABLES = {"person"}


@dataclass
class Wire:
    """Everything that was said about requests: addresses and headers, but not bodies."""

    lines: list[str] = field(default_factory=list)


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    """Listen at the lowest place where a request line is made, whatever the client."""
    seen = Wire()
    put = http.client.HTTPConnection.putrequest
    header = http.client.HTTPConnection.putheader

    def putrequest(self, method, url, *args, **kw):
        seen.lines.append(f"{method} {url}")
        return put(self, method, url, *args, **kw)

    def putheader(self, name, *values):
        seen.lines.append(f"{name}: {values}")
        return header(self, name, *values)

    monkeypatch.setattr(http.client.HTTPConnection, "putrequest", putrequest)
    monkeypatch.setattr(http.client.HTTPConnection, "putheader", putheader)
    return seen


def found(text: str) -> list[str]:
    lower = text.lower()
    return [mark for mark in MARKS if mark.lower() in lower]


def hear_everything(caplog: pytest.LogCaptureFixture) -> None:
    """Listen to every client by name: whoever configured logging before may have silenced some."""
    # Statements with their parameters; at DEBUG it would print rows, which nobody can prevent.
    caplog.set_level(logging.INFO, logger="sqlalchemy.engine")
    for name in ("urllib3", "requests", "slack_sdk", "hubspot", "simple_salesforce", "baton"):
        caplog.set_level(logging.DEBUG, logger=name)
    caplog.set_level(logging.DEBUG)


def marked_contact(relay: Relay) -> str:
    home = relay.company(domain="hush1.test", name="Hush Works")
    contact = relay.hot_contact(home, **MARKED)
    relay.take_quiz(contact, 80, answers=ANSWER)
    return contact


def everything_happens(relay: Relay) -> list[StepReport]:
    """Handoff, second form, reminder, breach, refusals, faults, recycling, return."""
    reports = []
    marked_contact(relay)
    clean = relay.hot_contact()
    quarantined = relay.hot_contact(**MARKED | {"email": "not an address zq.secretmail"})
    assert quarantined != clean
    relay.fail("500", "salesforce", "/composite/sobjects/Lead", when="after")
    relay.fail("reset", "slack", "chat.postMessage", when="after")
    relay.fail("partial", "hubspot", "/contacts/batch/update")
    relay.ctx = relay.context(terms=ONCE)
    reports.append(relay.everything())
    relay.wait(minutes=30)
    reports.append(relay.everything())
    return reports


def test_personal_values_are_found_where_they_belong_and_nowhere_else(
    relay: Relay, caplog: pytest.LogCaptureFixture, wire: Wire
) -> None:
    hear_everything(caplog)
    contact = marked_contact(relay)
    reports = [relay.everything()]
    relay.wait(minutes=30)
    relay.submit(contact, "Demo request", message=MARKED["message"])
    reports.append(relay.everything())
    relay.give(relay.salesforce_lead(contact), "Recycle", "No budget yet")
    relay.wait(minutes=30)
    reports.append(relay.everything())

    # They did travel, or the rest would prove nothing.
    assert found(texts(relay.rows("SELECT * FROM person"))) == [m for m in MARKS if m != "555 123"]
    package = relay.salesforce_lead(contact)["Handoff_Package__c"]
    assert {"Zqmessage", "Zqanswer", "zq.secretmail"} <= set(found(package))
    assert "Zqlastname" in found(relay.messages()[0].says)
    heard = {record.name.partition(".")[0] for record in caplog.records}
    assert {"urllib3", "sqlalchemy", "baton"} <= heard
    assert len(wire.lines) > 100

    assert found("\n".join(_said(record) for record in caplog.records)) == []
    assert found("\n".join(wire.lines)) == []
    assert found("\n".join(relay.requests())) == []
    assert found(str([report.counts() for report in reports])) == []
    assert {name: found(text) for name, text in tables(relay).items() if found(text)} == {}


def test_personal_values_stay_out_of_errors_and_logs_when_things_fail(
    relay: Relay, caplog: pytest.LogCaptureFixture, wire: Wire
) -> None:
    hear_everything(caplog)

    reports = everything_happens(relay)

    assert found("\n".join(_said(record) for record in caplog.records)) == []
    assert found("\n".join(wire.lines)) == []
    assert found(str([report.counts() for report in reports])) == []
    assert {name: found(text) for name, text in tables(relay).items() if found(text)} == {}
    assert relay.rows("SELECT * FROM attempt WHERE outcome <> 'done'")  # something did fail
    assert any("Zqlastname" in message.says for message in relay.messages())
    assert len(caplog.records) > 50


def test_what_salesforce_refuses_is_told_without_the_value(
    relay: Relay, caplog: pytest.LogCaptureFixture
) -> None:
    """Its error quotes the address; the effect and the log must not."""
    contact = marked_contact(relay)
    original = type(relay.org).insert

    def refuse(self, sobject, fields, **kw):
        if sobject == "Lead":
            from crm_sandbox.salesforce.errors import OrgFault

            raise OrgFault(
                "INVALID_EMAIL_ADDRESS", f"Email: invalid email address: {fields['Email']}"
            )
        return original(self, sobject, fields, **kw)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(relay.org), "insert", refuse)
        relay.run()

    (effect,) = relay.effects(kind="salesforce_record")
    assert (effect["state"], effect["last_error_code"]) == ("invalid", "INVALID_EMAIL_ADDRESS")
    assert found(str(effect)) == []
    assert found(caplog.text) == []
    assert relay.lead(contact)["state"] == "in_handoff"


def tables(relay: Relay) -> dict[str, str]:
    """The content of every table but those for personal data."""
    names = [
        row["table_name"]
        for row in relay.rows(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
        )
    ]
    assert set(names) >= PERSONAL_TABLES
    return {
        name: texts(relay.rows(f"SELECT * FROM {name}"))
        for name in names
        if name not in PERSONAL_TABLES
    }


def _said(record: logging.LogRecord) -> str:
    """The whole record: message, arguments, exception."""
    formatted = logging.Formatter("%(name)s %(message)s").format(record)
    return f"{formatted} {record.args!r}"
