"""The Slack gateway: posts messages that can be found again by the effect's key.

Slack has no idempotency key. Every message therefore carries its effect's key in its metadata, a
post is never repeated blindly, and after an unknown outcome the channel is read back first.
"""

from __future__ import annotations

import logging
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http.client import HTTPException
from typing import Any
from urllib.error import URLError
from urllib.parse import urlsplit

from baton.connections import SlackConnection
from baton.errors import ContractError, OwnerInactiveError, RejectedRecordError
from baton.notify.faults import broken, refused
from baton.transport import RateLimiter, RetryTerms, retrying

EVENT_TYPE = "baton_handoff"
"""The type of our message metadata; its payload is ``{"key": <effect key>}``."""

SCOPES = (
    "channels:history", "channels:read", "chat:write", "im:history", "im:write", "users:read.email",
)  # fmt: skip
_USER = re.compile(r"[UW][A-Z0-9]{5,}")
_CHANNEL = re.compile(r"[CGD][A-Z0-9]{5,}")
_PAGE = 200


@dataclass(frozen=True, slots=True)
class SlackWorkspace:
    """The workspace behind a connection, and the scopes that the token turned out to lack."""

    team: str
    bot_user_id: str
    missing_scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Posted:
    """A message in Slack: the channel's id and the message's timestamp, which is its id there."""

    channel: str
    ts: str


class SlackGateway:
    """Finds users and channels, posts, finds again and updates messages.

    Every method may raise GatewayErrors, and RecordErrors where a user or channel is the trouble.
    Lookups are remembered for the gateway's life.
    """

    def __init__(
        self,
        connection: SlackConnection,
        limiter: RateLimiter,
        *,
        terms: RetryTerms | None = None,
        timeout_seconds: int = 10,
    ) -> None:
        """Build the client; no call is made."""
        from slack_sdk import WebClient

        self.connection = connection
        self.calls: Counter[str] = Counter()
        self._limiter, self._terms = limiter, terms or RetryTerms()
        quiet = logging.getLogger("baton.notify.slack.client")
        quiet.setLevel(logging.CRITICAL)  # the SDK logs bodies; the errors we raise say enough
        self._client = WebClient(
            token=connection.token,
            base_url=connection.base_url,
            timeout=timeout_seconds,
            retry_handlers=[],
            logger=quiet,
        )
        if urlsplit(connection.base_url).hostname in ("127.0.0.1", "localhost", "::1"):
            self._client.proxy = None  # the SDK would send even these calls through a proxy
        self._lock = threading.Lock()
        self._users: dict[str, str] = {}
        self._channels: dict[str, str] = {}
        self._direct: dict[str, str] = {}

    def check(self) -> SlackWorkspace:
        """Prove that the token works; names the scopes it lacks where Slack says which it has."""
        answer = self._call(self._client.auth_test)
        headers = {name.lower(): value for name, value in answer.headers.items()}
        granted = {scope.strip() for scope in headers.get("x-oauth-scopes", "").split(",")} - {""}
        lacking = tuple(scope for scope in SCOPES if scope not in granted) if granted else ()
        return SlackWorkspace(
            team=str(answer.get("team") or ""),
            bot_user_id=str(answer.get("user_id") or ""),
            missing_scopes=lacking,
        )

    def user_id(self, email: str) -> str:
        """Return the id of the user with this address.

        Raises RejectedRecordError (``users_not_found``) or OwnerInactiveError when deactivated.
        """
        wanted = email.strip().casefold()
        with self._lock:
            known = self._users.get(wanted)
        if known is not None:
            return known
        user = self._call(self._client.users_lookupByEmail, email=email.strip())["user"]
        if user.get("deleted"):
            raise OwnerInactiveError("user_disabled", f"Slack user {user['id']} is deactivated")
        with self._lock:
            self._users[wanted] = str(user["id"])
        return str(user["id"])

    def channel_id(self, name: str) -> str:
        """Return the id of the channel ``name`` or ``#name``; an id is returned as it is.

        Raises RejectedRecordError (``channel_not_found``) with the mend.
        """
        plain = name.strip().removeprefix("#")
        if _CHANNEL.fullmatch(plain):
            return plain
        with self._lock:
            known = self._channels.get(plain.lower())
        if known is not None:
            return known
        listed = self._pages(
            self._client.conversations_list,
            "channels",
            types="public_channel,private_channel",
            exclude_archived=True,
        )
        found = {str(one["name"]).lower(): str(one["id"]) for one in listed}
        with self._lock:
            self._channels |= found
        if plain.lower() not in found:
            raise RejectedRecordError(
                "channel_not_found",
                f"there is no channel #{plain} that the app can see: create it or correct its "
                "name in the policy; invite the app to it if it is private",
            )
        return found[plain.lower()]

    def direct_channel(self, user_id: str) -> str:
        """Return the channel of direct messages with a user."""
        with self._lock:
            known = self._direct.get(user_id)
        if known is not None:
            return known
        channel = self._call(self._client.conversations_open, users=user_id)["channel"]
        with self._lock:
            self._direct[user_id] = str(channel["id"])
        return str(channel["id"])

    def post(
        self,
        target: str,
        text: str,
        blocks: Sequence[Mapping[str, Any]],
        *,
        key: str,
        thread_ts: str | None = None,
    ) -> Posted:
        """Post a message that carries `key`, to a channel (name or id) or to a user (id).

        Sent once: AmbiguousOutcomeError means that it may stand there; ask `find_by_key` first.
        """
        channel = self._channel_of(target)
        answer = self._call(
            self._client.chat_postMessage,
            changes=True,
            channel=channel,
            text=text,
            blocks=list(blocks),
            metadata={"event_type": EVENT_TYPE, "event_payload": {"key": key}},
            thread_ts=thread_ts,
            unfurl_links=False,
            unfurl_media=False,
        )
        return Posted(str(answer["channel"]), str(answer["ts"]))

    def find_by_key(
        self, channel: str, key: str, oldest: datetime, *, thread_ts: str | None = None
    ) -> Posted | None:
        """Return a message that carries `key`, posted at or after `oldest`, or None.

        `channel` as the target of `post`; with `thread_ts` the thread's replies are searched.
        """
        return next(self.all_by_key(channel, key, oldest, thread_ts=thread_ts), None)

    def all_by_key(
        self, channel: str, key: str, oldest: datetime, *, thread_ts: str | None = None
    ) -> Iterator[Posted]:
        """Yield every message that carries `key`; for the arguments see `find_by_key`."""
        where = self._channel_of(channel)
        since = f"{oldest.timestamp():.6f}"
        options: dict[str, Any] = {"channel": where, "oldest": since, "inclusive": True}
        ask: Callable[..., Any] = self._client.conversations_history
        if thread_ts is not None:
            ask, options = self._client.conversations_replies, options | {"ts": thread_ts}
        for message in self._pages(ask, "messages", include_all_metadata=True, **options):
            metadata = message.get("metadata") or {}
            payload = metadata.get("event_payload") or {}
            if metadata.get("event_type") == EVENT_TYPE and payload.get("key") == key:
                yield Posted(where, str(message["ts"]))

    def update(
        self, channel: str, ts: str, text: str, blocks: Sequence[Mapping[str, Any]]
    ) -> Posted:
        """Replace a message's content; may be repeated."""
        answer = self._call(
            self._client.chat_update, channel=channel, ts=ts, text=text, blocks=list(blocks)
        )
        return Posted(str(answer.get("channel") or channel), str(answer["ts"]))

    def take_back(self, posted: Posted) -> None:
        """Delete a message of ours; one that is gone already is fine."""
        try:
            self._call(self._client.chat_delete, channel=posted.channel, ts=posted.ts)
        except RejectedRecordError as error:
            if error.code != "message_not_found":
                raise

    def _channel_of(self, target: str) -> str:
        if _USER.fullmatch(target):
            return self.direct_channel(target)
        return self.channel_id(target)

    def _pages(self, ask: Callable[..., Any], name: str, **options: Any) -> Iterator[Any]:
        cursor: str | None = None
        while True:
            answer = self._call(ask, cursor=cursor, limit=_PAGE, **options)
            yield from answer.get(name) or ()
            following = (answer.get("response_metadata") or {}).get("next_cursor") or None
            if following is None or following == cursor:
                return
            cursor = following

    def _call(self, method: Callable[..., Any], *, changes: bool = False, **options: Any) -> Any:
        """Call a method of the client; raises Baton's errors. `changes`: a repeat would double."""
        return retrying(
            lambda: self._once(method, changes=changes, options=options),
            self._terms,
            repeatable=not changes,
        )

    def _once(self, method: Callable[..., Any], *, changes: bool, options: dict[str, Any]) -> Any:
        from slack_sdk.errors import SlackApiError, SlackClientError

        name, conn_id = method.__name__, self.connection.conn_id
        self._limiter.acquire("slack.post" if changes else "slack.read")
        self.calls[name] += 1
        try:
            return method(**options)
        except SlackApiError as error:
            answer = error.response
            raise refused(
                conn_id, name, answer.status_code, answer.data, answer.headers, changes=changes
            ) from None
        except (URLError, HTTPException, OSError) as error:
            raise broken(conn_id, name, error, changes=changes) from None
        except (SlackClientError, ValueError) as error:
            raise ContractError(conn_id, f"{type(error).__name__} ({name})") from None
