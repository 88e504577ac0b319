"""The morning's message by mail: to whom, when, with which links, and never twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.integration.pipeline.relay import Message, Relay
from tests.mail_sink import MailSink, mail_sink

from baton.connections import RawConnection
from baton.errors import (
    AmbiguousOutcomeError,
    BatonError,
    PolicyErrors,
    RejectedRecordError,
    SettingsError,
    UnavailableError,
)
from baton.ledger.agreements import policies
from baton.ledger.database.engine import transaction
from baton.ledger.proofs import checks
from baton.notify.email import SMTP, Mail, MailConnection, MailGateway
from baton.pipeline.context import Context
from baton.pipeline.today import digest
from baton.pipeline.today.digest import NOTE, NOTE_BY_MAIL, send_digest
from baton.policy.lead_models import Digest

PAGES = "https://airflow.relay.test/baton"
TO = ("revops@relay.test", "greg.lawson@relay.test")


@pytest.fixture
def sink() -> Iterator[MailSink]:
    with mail_sink() as found:
        yield found


@pytest.fixture
def ctx(relay: Relay, sink: MailSink, monkeypatch: pytest.MonkeyPatch) -> Context:
    """A relay whose policy wants the digest by mail too, and something to tell."""
    real = digest.active_policy

    def with_mail(conn: Any) -> Any:
        found = real(conn)
        rule = found.policy.digest
        assert rule is not None
        policy = found.policy.model_copy(update={"digest": rule.model_copy(update={"mail": TO})})
        return replace(found, policy=policy)

    monkeypatch.setattr(digest, "active_policy", with_mail)
    with transaction(relay.engine) as conn:
        assert policies.current_hash(conn)
        checks.record(
            conn, checks.CONSERVATION, at=relay.now(), ok=False, findings={"effect_doubled": 1}
        )
    env = {"AIRFLOW_CONN_SMTP_DEFAULT": sink.variable}
    return replace(
        relay.ctx,
        pages_url=PAGES,
        raw_connection=lambda conn_id: RawConnection.from_environment(conn_id, env),
    )


def told_in_slack(relay: Relay) -> list[Message]:
    return [one for one in relay.messages() if one.key.startswith(NOTE)]


def test_slack_and_mail_say_the_same_and_lead_to_the_pages(
    relay: Relay, ctx: Context, sink: MailSink
) -> None:
    relay.hot_contact(email=None)
    relay.run()
    assert send_digest(ctx)["digest sent"] == 2

    (message,), (mail,) = told_in_slack(relay), sink.mails
    assert sink.envelopes == [list(TO)]
    assert mail["Subject"] == "Baton today: 1 thing wants somebody, 1 lead in quarantine"
    assert mail["Message-ID"] == f"<baton.digest.{relay.now():%Y-%m-%d}@relay.test>"
    assert mail["Auto-Submitted"] == "auto-generated"
    text = mail.get_content()
    for words in ("A lead may be lost, stuck or doubled", "1 × E-mail is missing"):
        assert words in text
        assert words in message.says
    assert f"{PAGES}/sync" in text
    assert f"<{PAGES}/sync" in json.dumps(message.says)
    assert f"All of it: {PAGES}/" in text


def test_one_mail_a_day(relay: Relay, ctx: Context, sink: MailSink) -> None:
    send_digest(ctx)
    assert send_digest(ctx)["digest done before"] == 2
    relay.wait(days=1)
    send_digest(ctx)
    assert len({one["Message-ID"] for one in sink.mails}) == len(sink.mails) == 2


def test_a_mail_of_which_nobody_knows_is_not_sent_again(
    relay: Relay, ctx: Context, sink: MailSink
) -> None:
    sink.data = ""
    with pytest.raises(AmbiguousOutcomeError, match="smtp_default"):
        send_digest(ctx)
    assert len(told_in_slack(relay)) == 1, "Slack does not suffer from it"
    sink.data = "250 taken"
    relay.wait(minutes=10)
    send_digest(ctx)
    assert len(sink.mails) == 1
    with transaction(relay.engine) as conn:
        query = "SELECT name, state, result ->> 'unsure' AS unsure FROM daily_note ORDER BY name"
        notes = conn.exec_driver_sql(query).all()
    assert notes == [(NOTE_BY_MAIL, "sent", "true"), (NOTE, "sent", None)]


@pytest.mark.parametrize("answer", ["421 later", "554 never"])
def test_what_the_server_does_not_take_is_tried_again(
    ctx: Context, sink: MailSink, answer: str
) -> None:
    sink.data = answer
    with pytest.raises(BatonError):
        send_digest(ctx)
    sink.data = "250 taken"
    assert send_digest(ctx)["digest sent"] == 1
    assert len(sink.mails) == 1


def test_without_a_connection_it_says_which_and_how(relay: Relay, ctx: Context) -> None:
    nowhere = replace(ctx, raw_connection=lambda one: RawConnection.from_environment(one, {}))
    with pytest.raises(BatonError, match=r"smtp_default.*AIRFLOW_CONN_SMTP_DEFAULT"):
        send_digest(nowhere)
    assert len(told_in_slack(relay)) == 1


def mail(relay: Relay) -> Mail:
    return Mail(TO, "subject", "Grüße\n.\nend\n", "key", relay.now())


def gateway(sink: MailSink) -> MailGateway:
    return MailGateway(MailConnection.from_raw(RawConnection.parse(SMTP, sink.variable)))


def test_addresses_that_are_refused_are_counted_and_never_named(
    relay: Relay, sink: MailSink
) -> None:
    sink.refuses = {TO[0]: "550 unknown"}
    assert gateway(sink).send(mail(relay)).refused == 1
    assert sink.envelopes == [[TO[1]]]
    assert sink.mails[0].get_content().replace("\r", "") == "Grüße\n.\nend\n"
    sink.refuses = dict.fromkeys(TO, "550 unknown")
    with pytest.raises(RejectedRecordError, match="550") as caught:
        gateway(sink).send(mail(relay))
    assert TO[0] not in str(caught.value)
    sink.refuses = dict.fromkeys(TO, "450 later")
    with pytest.raises(UnavailableError, match="450"):
        gateway(sink).send(mail(relay))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"conn_type": "smtp", "extra": {"from_email": "a@b.test"}}', "no host"),
        ('{"conn_type": "smtp", "host": "mail.test"}', "from_email"),
        (
            (
                '{"conn_type": "smtp", "host": "mail.test", "port": 25, "extra":'
                ' {"from_email": "a@b.test", "disable_tls": true}}'
            ),
            "encryption off",
        ),
        (
            (
                '{"conn_type": "smtp", "host": "mail.test", "extra":'
                ' {"from_email": "a@b.test", "timeout": "soon"}}'
            ),
            "number of seconds",
        ),
    ],
)
def test_a_connection_that_cannot_serve_is_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        MailConnection.from_raw(RawConnection.parse(SMTP, text))


@pytest.mark.parametrize(
    ("port", "tls", "expected"), [(None, "ssl", 465), (465, "ssl", 465), (587, "starttls", 587)]
)
def test_a_mail_travels_encrypted(port: int | None, tls: str, expected: int) -> None:
    extra = {"from_email": "a@b.test"}
    raw = RawConnection(SMTP, conn_type="smtp", host="mail.test", port=port, extra=extra)
    found = MailConnection.from_raw(raw)
    assert (found.tls, found.port) == (tls, expected)


def test_a_digest_must_go_somewhere() -> None:
    with pytest.raises((ValueError, PolicyErrors), match="goes nowhere"):
        Digest()
    assert Digest(mail=TO).channel is None
    with pytest.raises(ValueError, match="mail"):
        Digest(mail=("not an address",))


def test_a_server_that_is_away_has_taken_nothing(relay: Relay) -> None:
    with mail_sink() as gone:
        connection = gateway(gone).connection
    with pytest.raises(UnavailableError, match="nothing was sent"):
        MailGateway(connection).send(mail(relay))
    assert timedelta(seconds=connection.timeout_seconds) < timedelta(minutes=1)
