"""The Slack sandbox through `slack_sdk`, unchanged."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from crm_sandbox.faults import FaultRule
from crm_sandbox.inprocess import SandboxThread

METADATA = {"event_type": "handoff", "event_payload": {"effect": "H1-1.1.message"}}
BLOCKS = [{"type": "section", "text": {"type": "mrkdwn", "text": "*Hot lead*"}}]


@pytest.fixture(scope="module")
def slack(sandbox: SandboxThread) -> WebClient:
    described = sandbox.description["slack"]
    return WebClient(token=described["token"], base_url=described["url"])


@pytest.fixture(scope="module")
def channel(sandbox: SandboxThread) -> str:
    return sandbox.world.workspace.add_channel("sales-inbound")


@pytest.fixture(scope="module")
def rep(sandbox: SandboxThread) -> str:
    return sandbox.world.workspace.add_user("Amara.Okafor@relay.test", "Amara Okafor")


def refused(caught: pytest.ExceptionInfo[SlackApiError]) -> Any:
    return caught.value.response["error"]


def test_who_am_i(slack: WebClient) -> None:
    answer = slack.auth_test()
    assert answer["ok"]
    assert answer["user_id"].startswith("U")


def test_post_read_back_and_change(slack: WebClient, channel: str) -> None:
    sent = slack.chat_postMessage(channel=channel, text="New", blocks=BLOCKS, metadata=METADATA)
    assert sent["channel"] == channel
    plain = slack.conversations_history(channel=channel)
    assert "metadata" not in plain["messages"][0]
    full = slack.conversations_history(channel=channel, include_all_metadata=True)
    assert full["messages"][0]["metadata"] == METADATA
    assert full["messages"][0]["blocks"] == BLOCKS
    slack.chat_update(channel=channel, ts=sent["ts"], text="Taken", blocks=[])
    after = slack.conversations_history(channel=channel)["messages"][0]
    assert (after["text"], after["ts"]) == ("Taken", sent["ts"])
    assert "edited" in after


def test_what_was_posted_can_be_taken_back_once(slack: WebClient, channel: str) -> None:
    kept = slack.chat_postMessage(channel=channel, text="kept")
    gone = slack.chat_postMessage(channel=channel, text="gone")
    later = slack.chat_postMessage(channel=channel, text="later")

    assert slack.chat_delete(channel=channel, ts=gone["ts"])["ts"] == gone["ts"]

    with pytest.raises(SlackApiError) as caught:
        slack.chat_delete(channel=channel, ts=gone["ts"])
    assert refused(caught) == "message_not_found"
    shown = [one["ts"] for one in slack.conversations_history(channel=channel)["messages"][:2]]
    assert shown == [later["ts"], kept["ts"]]
    slack.chat_update(channel=channel, ts=later["ts"], text="still found")


def test_threads_stay_out_of_the_channel(slack: WebClient, channel: str) -> None:
    first = slack.chat_postMessage(channel="#sales-inbound", text="first")
    reply = slack.chat_postMessage(channel=channel, text="reply", thread_ts=first["ts"])
    assert float(reply["ts"]) > float(first["ts"])
    history = [m["ts"] for m in slack.conversations_history(channel=channel)["messages"]]
    assert reply["ts"] not in history
    thread = slack.conversations_replies(channel=channel, ts=first["ts"])["messages"]
    assert [m["text"] for m in thread] == ["first", "reply"]


def test_pages(slack: WebClient, sandbox: SandboxThread) -> None:
    channel = sandbox.world.workspace.add_channel("pages")
    for n in range(5):
        slack.chat_postMessage(channel=channel, text=str(n))
    seen: list[str] = []
    cursor = None
    while True:
        page = slack.conversations_history(channel=channel, limit=2, cursor=cursor)
        seen += [m["text"] for m in page["messages"]]
        cursor = page["response_metadata"]["next_cursor"]
        if not cursor:
            break
    assert seen == ["4", "3", "2", "1", "0"]


def test_a_direct_message(slack: WebClient, rep: str) -> None:
    found = slack.users_lookupByEmail(email="amara.okafor@relay.test")
    assert found["user"]["id"] == rep
    opened = slack.conversations_open(users=rep)["channel"]["id"]
    assert opened == slack.conversations_open(users=[rep])["channel"]["id"]
    sent = slack.chat_postMessage(channel=rep, text="for you")
    assert sent["channel"] == opened


def test_reactions(slack: WebClient, channel: str) -> None:
    sent = slack.chat_postMessage(channel=channel, text="well?")
    slack.reactions_add(channel=channel, name="white_check_mark", timestamp=sent["ts"])
    with pytest.raises(SlackApiError) as caught:
        slack.reactions_add(channel=channel, name="white_check_mark", timestamp=sent["ts"])
    assert refused(caught) == "already_reacted"


def test_channels_are_listed(slack: WebClient, channel: str) -> None:
    names = {c["name"] for c in slack.conversations_list()["channels"]}
    assert "sales-inbound" in names


@pytest.mark.parametrize(
    ("method", "arguments", "error"),
    [
        ("chat_postMessage", {"channel": "nowhere", "text": "x"}, "channel_not_found"),
        ("chat_postMessage", {"channel": "#sales-inbound", "text": ""}, "no_text"),
        (
            "chat_postMessage",
            {"channel": "#sales-inbound", "text": "x", "metadata": {"a": 1}},
            "invalid_metadata_format",
        ),
        (
            "chat_update",
            {"channel": "#sales-inbound", "ts": "1.0", "text": "x"},
            "message_not_found",
        ),
        ("users_lookupByEmail", {"email": "nobody@relay.test"}, "users_not_found"),
        ("conversations_open", {"users": "U0"}, "user_not_found"),
    ],
)
def test_refusals(
    slack: WebClient, channel: str, method: str, arguments: dict[str, Any], error: str
) -> None:
    with pytest.raises(SlackApiError) as caught:
        getattr(slack, method)(**arguments)
    assert refused(caught) == error


def test_tokens(sandbox: SandboxThread) -> None:
    url = sandbox.description["slack"]["url"]
    with pytest.raises(SlackApiError) as caught:
        WebClient(token="xoxb-other", base_url=url).auth_test()
    assert refused(caught) == "invalid_auth"
    assert httpx.post(f"{url}auth.test").json() == {"ok": False, "error": "not_authed"}
    token = sandbox.description["slack"]["token"]
    assert httpx.post(f"{url}auth.test", data={"token": token}).json()["ok"] is True
    assert httpx.post(f"{url}nothing", data={"token": token}).json()["error"] == "unknown_method"


def test_a_rate_limit_says_when_to_come_back(slack: WebClient, sandbox: SandboxThread) -> None:
    sandbox.world.faults.add(
        FaultRule.from_json({"kind": "429", "api": "slack", "retry_after": 7, "count": 1})
    )
    with pytest.raises(SlackApiError) as caught:
        slack.auth_test()
    assert caught.value.response.status_code == 429
    assert caught.value.response.headers["retry-after"] == "7"
    assert refused(caught) == "ratelimited"
