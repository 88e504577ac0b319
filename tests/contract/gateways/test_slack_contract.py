"""The Slack gateway against the sandbox, over HTTP; and its errors without a server."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import ClassVar
from urllib.error import URLError

import pytest

from baton.errors import (
    AmbiguousOutcomeError,
    AuthenticationError,
    ContractError,
    InvalidRecordError,
    OwnerInactiveError,
    PermissionDeniedError,
    RateLimitedError,
    RejectedRecordError,
    UnavailableError,
)
from baton.notify.cards import Card, render
from baton.notify.faults import broken, refused
from baton.notify.slack import SlackGateway
from baton.transport import RetryTerms, UnlimitedRate

AMARA = "amara.okafor@relay.test"


@pytest.fixture
def card():
    return render(Card("Hot lead: demo request", lead_name="Ada Example", due_text="by 10:05"))


def test_check(slack) -> None:
    workspace = slack.check()
    assert workspace.team
    assert workspace.bot_user_id
    assert workspace.missing_scopes == ()


def test_a_wrong_token_is_told_at_once_and_not_shown(slack) -> None:
    gateway = SlackGateway(
        dataclasses.replace(slack.connection, token="xoxb-secret"), UnlimitedRate()
    )
    with pytest.raises(AuthenticationError, match="invalid_auth") as caught:
        gateway.check()
    assert "secret" not in str(caught.value)


def test_people_and_channels_are_looked_up_once(slack) -> None:
    user = slack.user_id(AMARA)
    assert slack.user_id(AMARA.upper()) == user
    channel = slack.channel_id("#sales-inbound")
    assert slack.channel_id("Sales-Inbound") == channel
    assert slack.channel_id(channel) == channel
    assert slack.calls["users_lookupByEmail"] == 1
    assert slack.calls["conversations_list"] == 1


def test_unknown_people_and_channels_say_what_to_do(slack) -> None:
    with pytest.raises(RejectedRecordError, match="roster") as person:
        slack.user_id("nobody@made.test")
    assert "nobody" not in str(person.value)
    with pytest.raises(RejectedRecordError, match="#no-such-channel") as place:
        slack.channel_id("no-such-channel")
    assert place.value.code == "channel_not_found"
    with pytest.raises(RejectedRecordError):
        slack.post("C0NOSUCHCHANNEL", "x", [], key="k")


def test_a_message_carries_its_key_and_is_found_by_it(slack, sandbox, card, unique) -> None:
    key, oldest = unique("H1-1.1.slack_message"), datetime.now(UTC) - timedelta(seconds=5)
    assert slack.find_by_key("sales-inbound", key, oldest) is None
    posted = slack.post("sales-inbound", card.text, card.blocks, key=key)
    assert slack.find_by_key("sales-inbound", key, oldest) == posted
    assert slack.find_by_key("sales-inbound", key + "x", oldest) is None
    assert slack.find_by_key("sales-inbound", key, datetime.now(UTC) + timedelta(minutes=1)) is None
    (stored,) = [one for one in sandbox.messages() if one["ts"] == posted.ts]
    assert stored["metadata"]["event_payload"] == {"key": key}
    assert stored["text"] == card.text


def test_a_direct_message_and_its_thread(slack, card, unique) -> None:
    key, oldest = unique("H1-1.1.slack_message"), datetime.now(UTC) - timedelta(seconds=5)
    user = slack.user_id(AMARA)
    posted = slack.post(user, card.text, card.blocks, key=key)
    assert posted.channel.startswith("D")
    assert slack.find_by_key(user, key, oldest) == posted
    reply = slack.post(posted.channel, "second form", [], key=key + ".reply", thread_ts=posted.ts)
    assert slack.find_by_key(posted.channel, key + ".reply", oldest, thread_ts=posted.ts) == reply
    slack.update(posted.channel, posted.ts, "changed", card.blocks)
    assert slack.calls["conversations_open"] == 1


def test_many_messages_later_it_is_still_found(slack, card, unique) -> None:
    key, oldest = unique("H1-1.1.slack_message"), datetime.now(UTC) - timedelta(seconds=5)
    posted = slack.post("sales-ops", card.text, card.blocks, key=key)
    for n in range(205):
        slack.post("sales-ops", str(n), [], key=unique("noise"))
    assert slack.find_by_key("sales-ops", key, oldest) == posted


@pytest.mark.parametrize("kind", ["timeout", "reset", "500", "502_html", "truncated"])
def test_an_answer_lost_after_posting_is_ambiguous_and_never_sent_again(
    slack, faults, card, unique, kind
) -> None:
    key, oldest = unique("H1-1.1.slack_message"), datetime.now(UTC) - timedelta(seconds=5)
    slack.channel_id("sales-dach")
    faults.fault(kind, "slack", "chat.postMessage", when="after")
    with pytest.raises(AmbiguousOutcomeError):
        slack.post("sales-dach", card.text, card.blocks, key=key)
    found = slack.find_by_key("sales-dach", key, oldest)
    assert found is not None
    sent = [
        one
        for one in faults.messages()
        if (one.get("metadata") or {}).get("event_payload") == {"key": key}
    ]
    assert len(sent) == 1


def test_a_refusal_before_posting_is_ridden_out(slack, faults, card, unique) -> None:
    faults.fault("503", "slack", "chat.postMessage")
    assert slack.post("sales-dach", card.text, card.blocks, key=unique("k")).ts
    faults.fault("429", "slack", "chat.postMessage", retry_after=0)
    assert slack.post("sales-dach", card.text, card.blocks, key=unique("k")).ts


def test_a_long_rate_limit_is_left_to_the_outbox(slack, faults, card, unique) -> None:
    faults.fault("429", "slack", "chat.postMessage", retry_after=30)
    with pytest.raises(RateLimitedError) as caught:
        slack.post("sales-dach", card.text, card.blocks, key=unique("k"))
    assert caught.value.retry_after == 30


def test_nobody_there_is_unavailable_not_ambiguous(slack) -> None:
    nowhere = dataclasses.replace(slack.connection, base_url="http://127.0.0.1:1/api/")
    gateway = SlackGateway(nowhere, UnlimitedRate(), terms=RetryTerms(attempts=1))
    with pytest.raises(UnavailableError):
        gateway.post("C0SOMEWHERE", "x", [], key="k")


def test_addresses_do_not_travel_in_urls_or_logs(slack, sandbox, caplog) -> None:
    caplog.set_level("DEBUG")
    slack.user_id("jonas.keller@relay.test")
    with pytest.raises(RejectedRecordError):
        slack.user_id("ghost@made.test")
    assert not any("@" in row["path"] for row in sandbox.requests("slack"))
    ours = [one for one in caplog.records if not one.name.startswith("httpx")]
    assert not any("relay.test" in one.getMessage() for one in ours)


# -- without a server ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "data", "changes", "kind"),
    [
        (200, {"error": "token_revoked"}, True, AuthenticationError),
        (200, {"error": "missing_scope", "needed": "im:write"}, True, PermissionDeniedError),
        (200, {"error": "channel_not_found"}, True, RejectedRecordError),
        (200, {"error": "is_archived"}, True, RejectedRecordError),
        (200, {"error": "user_disabled"}, True, OwnerInactiveError),
        (200, {"error": "invalid_blocks"}, True, InvalidRecordError),
        (200, {"error": "ratelimited"}, True, RateLimitedError),
        (200, {"error": "internal_error"}, True, AmbiguousOutcomeError),
        (200, {"error": "internal_error"}, False, UnavailableError),
        (503, {}, True, UnavailableError),
        (200, {"error": "Received a response in a non-JSON format: <html>"}, True, ContractError),
    ],
)
def test_answers_become_typed_errors(status, data, changes, kind) -> None:
    assert type(refused("x", "chat.postMessage", status, data, {}, changes=changes)) is kind


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (URLError(ConnectionRefusedError()), UnavailableError),
        (URLError(TimeoutError()), UnavailableError),
        (TimeoutError(), AmbiguousOutcomeError),
        (ConnectionResetError(), AmbiguousOutcomeError),
    ],
)
def test_broken_connections(error, kind) -> None:
    assert type(broken("x", "chat.postMessage", error, changes=True)) is kind
    assert type(broken("x", "auth.test", error, changes=False)) is UnavailableError


def test_a_deactivated_user_asks_for_another_route(slack, monkeypatch) -> None:
    answer = {"user": {"id": "U0GONE", "deleted": True}}
    monkeypatch.setattr(slack, "_call", lambda *_, **__: answer)
    with pytest.raises(OwnerInactiveError):
        slack.user_id("gone@relay.test")


def test_a_missing_scope_is_named(slack, monkeypatch) -> None:
    class Answer(dict):  # type: ignore[type-arg]  # as the SDK's response: a mapping with headers
        headers: ClassVar = {"X-OAuth-Scopes": "chat:write,users:read.email"}

    monkeypatch.setattr(slack, "_call", lambda *_, **__: Answer(team="T", user_id="U"))
    assert "im:write" in slack.check().missing_scopes
