"""The workspace: who is there, which channels, and what was said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from crm_sandbox.clock import SandboxClock

_TEXT_MAX, _BLOCKS_MAX, _METADATA_MAX_BYTES = 40_000, 50, 8_000


class SlackFault(Exception):  # noqa: N818 - named like the other stores' refusals
    """A refusal, by Slack's own code (`channel_not_found`, …)."""

    def __init__(self, code: str) -> None:
        """`code` is what the reply's `error` says."""
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class SlackUser:
    """One member, or the bot."""

    id: str
    email: str
    name: str
    is_bot: bool = False
    deleted: bool = False

    def to_json(self, team_id: str) -> dict[str, Any]:
        """As `users.info` shows it."""
        handle = self.email.split("@")[0] or self.name
        return {
            "id": self.id,
            "team_id": team_id,
            "name": handle,
            "deleted": self.deleted,
            "real_name": self.name,
            "is_bot": self.is_bot,
            "profile": {"real_name": self.name, "display_name": handle, "email": self.email},
        }


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel, or a direct conversation (`members` are then the people in it)."""

    id: str
    name: str
    created_at: datetime
    members: frozenset[str] = frozenset()

    @property
    def direct(self) -> bool:
        """True for a conversation between people."""
        return self.id.startswith(("D", "G"))

    def to_json(self) -> dict[str, Any]:
        """As `conversations.info` shows it."""
        created = int(self.created_at.timestamp())
        if self.direct:
            user = min(self.members, default="")
            return {"id": self.id, "created": created, "is_im": True, "user": user}
        return {
            "id": self.id,
            "name": self.name,
            "created": created,
            "is_channel": True,
            "is_im": False,
            "is_private": False,
            "is_archived": False,
            "is_member": True,
        }


@dataclass(frozen=True, slots=True)
class Message:
    """One message. `ts` names it within its channel; `thread_ts` is the message it answers."""

    ts: str
    channel: str
    user: str
    text: str
    blocks: tuple[Any, ...]
    metadata: Mapping[str, Any] | None
    thread_ts: str | None
    at: datetime
    edited: bool = False
    reactions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def to_json(self, *, metadata: bool = True) -> dict[str, Any]:
        """As `conversations.history` shows it."""
        shown: dict[str, Any] = {
            "type": "message",
            "user": self.user,
            "text": self.text,
            "ts": self.ts,
            "bot_id": "B" + self.user[1:],
        }
        if self.blocks:
            shown["blocks"] = list(self.blocks)
        if metadata and self.metadata is not None:
            shown["metadata"] = dict(self.metadata)
        if self.thread_ts is not None:
            shown["thread_ts"] = self.thread_ts
        if self.edited:
            shown["edited"] = {"user": self.user, "ts": self.ts}
        if self.reactions:
            shown["reactions"] = [
                {"name": name, "users": list(users), "count": len(users)}
                for name, users in self.reactions.items()
            ]
        return shown


class Workspace:
    """One Slack workspace with one bot. Every refusal is a SlackFault."""

    def __init__(self, clock: SandboxClock, *, team_id: str = "T04BATON01") -> None:
        """Start with nobody but the bot."""
        self.clock = clock
        self.team_id = team_id
        self.token = "xoxb-sandbox-slack-token"
        self.users: dict[str, SlackUser] = {}
        self.channels: dict[str, Channel] = {}
        self.messages: list[Message] = []
        self._places: dict[tuple[str, str], int] = {}
        self._by_channel: dict[str, list[int]] = {}
        self._last_ts = (0, 0)
        self.bot = self._add_user("", "Sandbox bot", is_bot=True)

    def _add_user(self, email: str, name: str, *, is_bot: bool = False) -> str:
        user_id = f"U04SANDB{len(self.users) + 1:03d}"
        self.users[user_id] = SlackUser(user_id, email.lower(), name, is_bot)
        return user_id

    def add_user(self, email: str, name: str) -> str:
        """Add a member; returns the user id."""
        return self._add_user(email, name)

    def add_channel(self, name: str) -> str:
        """Add a public channel; returns its id."""
        channel_id = f"C04SANDB{len(self.channels) + 1:03d}"
        self.channels[channel_id] = Channel(channel_id, name.lstrip("#"), self.clock.now())
        return channel_id

    def user_by_email(self, email: str) -> SlackUser:
        """The member with that e-mail, or SlackFault users_not_found."""
        for user in self.users.values():
            if email and user.email == email.lower() and not user.deleted:
                return user
        raise SlackFault("users_not_found")

    def open(self, user_ids: Iterable[str]) -> Channel:
        """The direct conversation with these people, opened when there is none."""
        members = frozenset(user_ids)
        if not members:
            raise SlackFault("users_list_not_supplied")
        if members - set(self.users):
            raise SlackFault("user_not_found")
        for channel in self.channels.values():
            if channel.direct and channel.members == members:
                return channel
        kind = "D" if len(members) == 1 else "G"
        made = Channel(f"{kind}04SANDB{len(self.channels) + 1:03d}", "", self.clock.now(), members)
        self.channels[made.id] = made
        return made

    def channel(self, given: str) -> Channel:
        """The channel by id, by name with or without #, or a person's direct conversation."""
        found = self.channels.get(given)
        if found is not None:
            return found
        if given in self.users:
            return self.open([given])
        name = given.lstrip("#")
        for channel in self.channels.values():
            if name and channel.name == name:
                return channel
        raise SlackFault("channel_not_found")

    def post(
        self,
        channel: str,
        text: str,
        *,
        blocks: Sequence[Any] = (),
        metadata: Mapping[str, Any] | None = None,
        thread_ts: str | None = None,
        user: str | None = None,
        at: datetime | None = None,
    ) -> Message:
        """Say something in a channel."""
        where = self.channel(channel)
        _check_content(text, blocks, metadata)
        if thread_ts is not None and (where.id, thread_ts) not in self._places:
            raise SlackFault("thread_not_found")
        moment = at or self.clock.now()
        message = Message(
            self._ts(moment),
            where.id,
            user or self.bot,
            text,
            tuple(blocks),
            metadata,
            thread_ts,
            moment,
        )
        place = len(self.messages)
        self.messages.append(message)
        self._places[where.id, message.ts] = place
        self._by_channel.setdefault(where.id, []).append(place)
        return message

    def _ts(self, at: datetime) -> str:
        """A ts that only grows, so that the order of ts is the order of saying."""
        now = (int(at.timestamp()), at.microsecond)
        if now <= self._last_ts:
            seconds, micros = self._last_ts
            now = (seconds + (micros + 1) // 1_000_000, (micros + 1) % 1_000_000)
        self._last_ts = now
        return f"{now[0]}.{now[1]:06d}"

    def message(self, channel: str, ts: str) -> Message:
        """The message, or SlackFault message_not_found."""
        place = self._places.get((self.channel(channel).id, ts))
        if place is None:
            raise SlackFault("message_not_found")
        return self.messages[place]

    def change(
        self,
        channel: str,
        ts: str,
        *,
        text: str | None = None,
        blocks: Sequence[Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Message:
        """Edit a message; what is not given stays."""
        old = self.message(channel, ts)
        changed = replace(
            old,
            text=old.text if text is None else text,
            blocks=old.blocks if blocks is None else tuple(blocks),
            metadata=old.metadata if metadata is None else metadata,
            edited=True,
        )
        _check_content(changed.text, changed.blocks, changed.metadata)
        self._replace(changed)
        return changed

    def remove(self, channel: str, ts: str) -> Message:
        """Take back a message of the bot's. Raises SlackFault cant_delete_message for another's."""
        old = self.message(channel, ts)
        if old.user != self.bot:
            raise SlackFault("cant_delete_message")
        place = self._places.pop((old.channel, old.ts))
        self.messages.remove(old)
        for other, at in self._places.items():
            self._places[other] = at - (at > place)
        for id_, places in self._by_channel.items():
            self._by_channel[id_] = [at - (at > place) for at in places if at != place]
        return old

    def react(self, channel: str, ts: str, name: str, *, user: str | None = None) -> Message:
        """Add a reaction. Raises SlackFault already_reacted."""
        old, who = self.message(channel, ts), user or self.bot
        users = old.reactions.get(name, ())
        if who in users:
            raise SlackFault("already_reacted")
        changed = replace(old, reactions={**old.reactions, name: (*users, who)})
        self._replace(changed)
        return changed

    def _replace(self, message: Message) -> None:
        self.messages[self._places[message.channel, message.ts]] = message

    def history(self, channel: str) -> list[Message]:
        """What was said in a channel, newest first, without replies in threads."""
        places = self._by_channel.get(self.channel(channel).id, [])
        found = (self.messages[place] for place in reversed(places))
        return [m for m in found if m.thread_ts in (None, m.ts)]

    def thread(self, channel: str, ts: str) -> list[Message]:
        """A message and its replies, oldest first."""
        first = self.message(channel, ts)
        places = self._by_channel.get(first.channel, [])
        replies = (self.messages[place] for place in places)
        return [first, *(m for m in replies if m.thread_ts == ts and m.ts != ts)]


def _check_content(text: str, blocks: Sequence[Any], metadata: Mapping[str, Any] | None) -> None:
    if not text and not blocks:
        raise SlackFault("no_text")
    if len(text) > _TEXT_MAX:
        raise SlackFault("msg_too_long")
    if len(blocks) > _BLOCKS_MAX or not all(isinstance(b, dict) and "type" in b for b in blocks):
        raise SlackFault("invalid_blocks")
    if metadata is not None:
        if not isinstance(metadata.get("event_type"), str):
            raise SlackFault("invalid_metadata_format")
        if not isinstance(metadata.get("event_payload"), dict):
            raise SlackFault("invalid_metadata_format")
        if len(str(metadata)) > _METADATA_MAX_BYTES:
            raise SlackFault("metadata_too_large")
