"""Slack's Web API over HTTP: `/api/<method>`, by form, JSON or query."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from binascii import Error as BadBase64
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from crm_sandbox.faults import FaultKind, FaultRule, Rendered
from crm_sandbox.slack.workspace import SlackFault, Workspace

_JSON = "application/json; charset=utf-8"
_PAGE_DEFAULT, _PAGE_MAX = 100, 999

Arguments = Mapping[str, Any]
Method = Callable[[Workspace, Arguments], dict[str, Any]]


class SlackApp:
    """ASGI app of one workspace."""

    def __init__(self, workspace: Workspace) -> None:
        """Serve this workspace."""
        self._workspace = workspace

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; Slack answers 200 to refusals too."""
        request = Request(scope, receive)
        try:
            arguments = await _arguments(request)
            self._authenticate(request, arguments)
            method = _method(request.url.path)
            body = {"ok": True, **method(self._workspace, arguments)}
        except SlackFault as refused:
            body = {"ok": False, "error": refused.code}
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        reply = Response(text.encode(), headers={"content-type": _JSON})
        await reply(scope, receive, send)

    def _authenticate(self, request: Request, arguments: Arguments) -> None:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        given = token if kind.lower() == "bearer" else str(arguments.get("token") or "")
        if not given:
            raise SlackFault("not_authed")
        if given != self._workspace.token:
            raise SlackFault("invalid_auth")


def _method(path: str) -> Method:
    method = _METHODS.get(path.rstrip("/").removeprefix("/api/"))
    if method is None:
        raise SlackFault("unknown_method")
    return method


async def _arguments(request: Request) -> dict[str, Any]:
    found: dict[str, Any] = dict(request.query_params)
    raw = await request.body()
    if not raw:
        return found
    if "json" in request.headers.get("content-type", ""):
        try:
            sent = json.loads(raw)
        except ValueError:
            raise SlackFault("invalid_json") from None
        if not isinstance(sent, dict):
            raise SlackFault("json_not_object")
        found.update(sent)
    else:
        found.update(parse_qsl(raw.decode(), keep_blank_values=True))
    return found


def _structure(arguments: Arguments, name: str, code: str) -> Any:
    """An argument that is JSON: sent as such, or as text in a form."""
    value = arguments.get(name)
    if not isinstance(value, str):
        return value
    if not value:
        return None
    try:
        return json.loads(value)
    except ValueError:
        raise SlackFault(code) from None


def _text(arguments: Arguments, name: str, missing: str) -> str:
    value = arguments.get(name)
    if not value:
        raise SlackFault(missing)
    return str(value)


def _flag(arguments: Arguments, name: str) -> bool:
    return str(arguments.get(name, "")).lower() in ("1", "true")


def _page(rows: Sequence[Any], arguments: Arguments) -> tuple[Sequence[Any], str]:
    """A page of rows and the cursor of the next one (empty on the last)."""
    try:
        limit = min(int(arguments.get("limit") or _PAGE_DEFAULT), _PAGE_MAX)
        start = int(b64decode(str(arguments.get("cursor") or "")) or 0)
    except (ValueError, BadBase64):
        raise SlackFault("invalid_cursor") from None
    end = start + limit
    return rows[start:end], b64encode(str(end).encode()).decode() if end < len(rows) else ""


def _auth_test(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    return {
        "url": "https://sandbox.slack.test/",
        "team": "Sandbox",
        "user": "sandbox-bot",
        "team_id": workspace.team_id,
        "user_id": workspace.bot,
        "bot_id": "B" + workspace.bot[1:],
        "is_enterprise_install": False,
    }


def _lookup(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    user = workspace.user_by_email(_text(arguments, "email", "users_not_found"))
    return {"user": user.to_json(workspace.team_id)}


def _user_info(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    user = workspace.users.get(_text(arguments, "user", "user_not_found"))
    if user is None:
        raise SlackFault("user_not_found")
    return {"user": user.to_json(workspace.team_id)}


def _users(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    rows, cursor = _page(list(workspace.users.values()), arguments)
    return {
        "members": [user.to_json(workspace.team_id) for user in rows],
        "response_metadata": {"next_cursor": cursor},
    }


def _open(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    if arguments.get("channel"):
        channel = workspace.channel(str(arguments["channel"]))
    else:
        given = arguments.get("users") or ""
        ids = given if isinstance(given, list) else str(given).split(",")
        channel = workspace.open(str(user).strip() for user in ids if user)
    shown = channel.to_json() if _flag(arguments, "return_im") else {"id": channel.id}
    return {"channel": shown}


def _channels(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    kinds = str(arguments.get("types") or "public_channel").split(",")
    rows = [
        channel
        for channel in workspace.channels.values()
        if ("im" if channel.direct else "public_channel") in kinds
    ]
    page, cursor = _page(rows, arguments)
    return {
        "channels": [channel.to_json() for channel in page],
        "response_metadata": {"next_cursor": cursor},
    }


def _channel_info(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    channel = workspace.channel(_text(arguments, "channel", "channel_not_found"))
    return {"channel": channel.to_json()}


def _history(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    rows = workspace.history(_text(arguments, "channel", "channel_not_found"))
    return _messages(rows, arguments)


def _replies(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    channel = _text(arguments, "channel", "channel_not_found")
    rows = workspace.thread(channel, _text(arguments, "ts", "thread_not_found"))
    return _messages(rows, arguments)


def _messages(rows: Sequence[Any], arguments: Arguments) -> dict[str, Any]:
    oldest = float(arguments.get("oldest") or 0)
    latest = float(arguments.get("latest") or "inf")
    inclusive = _flag(arguments, "inclusive")
    inside = [
        row
        for row in rows
        if oldest < float(row.ts) < latest or (inclusive and float(row.ts) in (oldest, latest))
    ]
    page, cursor = _page(inside, arguments)
    full = _flag(arguments, "include_all_metadata")
    return {
        "messages": [row.to_json(metadata=full) for row in page],
        "has_more": bool(cursor),
        "response_metadata": {"next_cursor": cursor},
    }


def _post(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    message = workspace.post(
        _text(arguments, "channel", "channel_not_found"),
        str(arguments.get("text") or ""),
        blocks=_structure(arguments, "blocks", "invalid_blocks_format") or (),
        metadata=_structure(arguments, "metadata", "invalid_metadata_format"),
        thread_ts=arguments.get("thread_ts") or None,
    )
    return {"channel": message.channel, "ts": message.ts, "message": message.to_json()}


def _update(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    message = workspace.change(
        _text(arguments, "channel", "channel_not_found"),
        _text(arguments, "ts", "message_not_found"),
        text=arguments.get("text"),
        blocks=_structure(arguments, "blocks", "invalid_blocks_format"),
        metadata=_structure(arguments, "metadata", "invalid_metadata_format"),
    )
    return {
        "channel": message.channel,
        "ts": message.ts,
        "text": message.text,
        "message": message.to_json(),
    }


def _delete(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    message = workspace.remove(
        _text(arguments, "channel", "channel_not_found"),
        _text(arguments, "ts", "message_not_found"),
    )
    return {"channel": message.channel, "ts": message.ts}


def _react(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    name = _text(arguments, "name", "invalid_name")
    channel = _text(arguments, "channel", "channel_not_found")
    workspace.react(channel, _text(arguments, "timestamp", "message_not_found"), name)
    return {}


def _permalink(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    channel = _text(arguments, "channel", "channel_not_found")
    message = workspace.message(channel, _text(arguments, "message_ts", "message_not_found"))
    place = f"{message.channel}/p{message.ts.replace('.', '')}"
    return {"channel": message.channel, "permalink": f"https://sandbox.slack.test/archives/{place}"}


_METHODS: Mapping[str, Method] = {
    "api.test": lambda workspace, arguments: {},
    "auth.test": _auth_test,
    "users.lookupByEmail": _lookup,
    "users.info": _user_info,
    "users.list": _users,
    "conversations.open": _open,
    "conversations.list": _channels,
    "conversations.info": _channel_info,
    "conversations.history": _history,
    "conversations.replies": _replies,
    "chat.postMessage": _post,
    "chat.update": _update,
    "chat.delete": _delete,
    "chat.getPermalink": _permalink,
    "reactions.add": _react,
}


def render_fault(rule: FaultRule) -> Rendered | None:
    """Slack's own reply for an injected fault, where it has one."""
    headers = {"content-type": _JSON}
    if rule.kind is FaultKind.RATE_LIMITED:
        headers["retry-after"] = str(1 if rule.retry_after is None else rule.retry_after)
        return 429, headers, b'{"ok":false,"error":"ratelimited"}'
    if rule.kind is FaultKind.UNAUTHORIZED:
        return 200, headers, b'{"ok":false,"error":"invalid_auth"}'
    if rule.kind is FaultKind.SERVER_ERROR:
        return 500, headers, b'{"ok":false,"error":"internal_error"}'
    return None
