"""Fault injection: what can go wrong between a client and the sandbox, on purpose.

Rules live in one `Faults` book per process. Each app is wrapped in a `FaultGate`, which asks the
book about every request. A fault either strikes *before* the app sees the request (nothing was
done) or *after* it has answered (the work is done, the client does not learn of it).
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import socket
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

from starlette.types import ASGIApp, Message, Receive, Scope, Send

FAULT_KEY = "crm_sandbox.fault"
"""Scope key under which a `partial` fault is handed to the app."""

TRANSPORT_KEY = "crm_sandbox.transport"
"""Scope key under which the server puts the connection's transport (needed for `reset`)."""

POLICIES = ("TEN_SECONDLY_ROLLING", "SECONDLY", "DAILY")
"""The rate limits that a 429 may speak of, by HubSpot's names."""

_E = TypeVar("_E", bound=StrEnum)

Rendered = tuple[int, dict[str, str], bytes]
Renderer = Callable[["FaultRule"], "Rendered | None"]


class FaultKind(StrEnum):
    """What happens to the request."""

    RATE_LIMITED = "429"
    UNAUTHORIZED = "401"
    NOT_ACCEPTABLE = "406"
    EDGE_LIMITED = "420"
    LOCKED = "423"
    MIGRATING = "477"
    SERVER_ERROR = "500"
    BAD_GATEWAY = "502_html"
    UNAVAILABLE = "503"
    UNAVAILABLE_PAGE = "503_html"
    GATEWAY_TIMEOUT = "504"
    TIMEOUT = "timeout"
    RESET = "reset"
    SLOW = "slow"
    PARTIAL = "partial"
    TRUNCATED = "truncated"


class FaultWhen(StrEnum):
    """Whether the app has done the work when the fault strikes."""

    BEFORE = "before"
    AFTER = "after"


class FaultRuleError(ValueError):
    """A rule that cannot be used; the text says which part and what is allowed."""


@dataclass(frozen=True, slots=True)
class FaultRule:
    """One rule.

    `api` is hubspot, salesforce, slack or `*`; `path_regex` is searched in the path without its
    query, and `body_regex`, when given, in the request's body; `method` is an HTTP method or `*`; `rate` is the share of matching requests that are
    struck (seeded); `count` bounds how many are (None: no bound); `skip` lets the first ones pass;
    `seconds` is how long `slow` and `timeout` take; `retry_after` adds that header;
    `policy` names the rate limit that a 429 speaks of, one of POLICIES; `share` is the part of a
    batch's rows that `partial` fails (at least one; without it a third, and never all).
    """

    kind: FaultKind
    api: str = "*"
    path_regex: str = ".*"
    method: str = "*"
    rate: float = 1.0
    count: int | None = None
    skip: int = 0
    when: FaultWhen = FaultWhen.BEFORE
    seed: int = 0
    seconds: float | None = None
    retry_after: int | None = None
    policy: str | None = None
    share: float | None = None
    body_regex: str | None = None

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> FaultRule:
        """Read a rule from JSON. Raises FaultRuleError on an unknown key or a bad value."""
        unknown = sorted(set(raw) - set(cls.__slots__))
        if unknown:
            allowed = ", ".join(cls.__slots__)
            raise FaultRuleError(f"unknown key {unknown[0]!r}; allowed: {allowed}")
        if "kind" not in raw:
            raise FaultRuleError(f"kind is missing; one of {', '.join(FaultKind)}")
        values = dict(raw)
        values["kind"] = _member(FaultKind, "kind", raw["kind"])
        values["when"] = _member(FaultWhen, "when", raw.get("when", FaultWhen.BEFORE))
        if raw.get("policy") is not None:
            values["policy"] = str(raw["policy"]).upper()
        rule = cls(**values)
        rule.check()
        return rule

    def check(self) -> None:
        """Raise FaultRuleError when a value is out of its range."""
        for name in ("path_regex", "body_regex"):
            try:
                re.compile(getattr(self, name) or "")
            except re.error as error:
                raise FaultRuleError(f"{name} is not a regular expression: {error}") from error
        if not 0.0 <= self.rate <= 1.0:
            raise FaultRuleError(f"rate must lie between 0 and 1, not {self.rate}")
        if self.share is not None and not 0.0 < self.share <= 1.0:
            raise FaultRuleError(f"share must lie above 0 and at most at 1, not {self.share}")
        if self.count is not None and self.count < 1:
            raise FaultRuleError(f"count must be at least 1, not {self.count}")
        if self.policy is not None and self.policy not in POLICIES:
            raise FaultRuleError(
                f"policy {self.policy!r} is not known; one of {', '.join(POLICIES)}"
            )

    def to_json(self) -> dict[str, Any]:
        """The rule as JSON, without the parts that were not given."""
        pairs = ((name, getattr(self, name)) for name in self.__slots__)
        return {name: value for name, value in pairs if value is not None}


def _member(enum: type[_E], name: str, value: object) -> _E:
    try:
        return enum(str(value))
    except ValueError:
        allowed = ", ".join(enum)
        raise FaultRuleError(f"{name} {value!r} is not known; one of {allowed}") from None


@dataclass(slots=True)
class _Armed:
    number: int
    rule: FaultRule
    random: random.Random
    pattern: re.Pattern[str]
    seen: int = 0
    struck: int = 0

    def concerns(self, api: str, method: str, path: str) -> bool:
        rule = self.rule
        if rule.count is not None and self.struck >= rule.count:
            return False
        if rule.api not in ("*", api) or rule.method.upper() not in ("*", method):
            return False
        return bool(self.pattern.search(path))

    def strikes(self, api: str, method: str, path: str, body: bytes) -> bool:
        rule = self.rule
        if not self.concerns(api, method, path):
            return False
        if rule.body_regex and not re.search(rule.body_regex, body.decode(errors="replace")):
            return False
        self.seen += 1
        if self.seen <= rule.skip or (rule.rate < 1.0 and self.random.random() >= rule.rate):
            return False
        self.struck += 1
        return True


@dataclass(slots=True)
class Faults:
    """The rules of one process, in the order in which they were added; the first match strikes."""

    _armed: list[_Armed] = field(default_factory=list)
    _next: int = 1

    def add(self, rule: FaultRule) -> int:
        """Arm a rule and return its number. Raises FaultRuleError when it cannot be used."""
        rule.check()
        number, self._next = self._next, self._next + 1
        armed = _Armed(number, rule, random.Random(rule.seed), re.compile(rule.path_regex))
        self._armed.append(armed)
        return number

    def clear(self) -> int:
        """Remove every rule; returns how many there were."""
        count = len(self._armed)
        self._armed.clear()
        return count

    def listing(self) -> list[dict[str, Any]]:
        """Every rule with its number, how many requests matched and how many were struck."""
        return [
            {"number": a.number, **a.rule.to_json(), "seen": a.seen, "struck": a.struck}
            for a in self._armed
        ]

    def reads_body(self, api: str, method: str, path: str) -> bool:
        """Tell whether some rule must see this request's body before it is judged."""
        return any(one.rule.body_regex and one.concerns(api, method, path) for one in self._armed)

    def strike(self, api: str, method: str, path: str, body: bytes = b"") -> FaultRule | None:
        """The rule that strikes this request, or None. Advances the counters."""
        for armed in self._armed:
            if armed.strikes(api, method, path, body):
                return armed.rule
        return None


_STATUS: Mapping[FaultKind, tuple[int, str]] = {
    FaultKind.RATE_LIMITED: (429, "You have reached your rate limit."),
    FaultKind.UNAUTHORIZED: (401, "Unauthorized"),
    FaultKind.EDGE_LIMITED: (420, "Enhance your calm"),
    FaultKind.LOCKED: (423, "Locked"),
    FaultKind.MIGRATING: (477, "Migration in progress"),
    FaultKind.SERVER_ERROR: (500, "internal error"),
    FaultKind.UNAVAILABLE: (503, "Service Unavailable"),
    FaultKind.GATEWAY_TIMEOUT: (504, "Gateway Timeout"),
}


def _page(words: str) -> bytes:
    head = f"<html>\r\n<head><title>{words}</title></head>\r\n"
    return f"{head}<body>\r\n<center><h1>{words}</h1></center>\r\n</body>\r\n</html>\r\n".encode()


_PAGES: Mapping[FaultKind, tuple[int, bytes]] = {
    FaultKind.BAD_GATEWAY: (502, _page("502 Bad Gateway")),
    FaultKind.UNAVAILABLE_PAGE: (503, _page("503 Service Unavailable")),
}


def default_reply(rule: FaultRule) -> Rendered:
    """The reply of a fault where the API has no body of its own for it."""
    headers = {"content-type": "application/json;charset=utf-8"}
    if rule.retry_after is not None:
        headers["retry-after"] = str(rule.retry_after)
    if rule.kind is FaultKind.NOT_ACCEPTABLE:
        return 406, {}, b""
    if rule.kind in _PAGES:
        status, page = _PAGES[rule.kind]
        return status, {**headers, "content-type": "text/html"}, page
    status, message = _STATUS[rule.kind]
    return status, headers, json.dumps({"status": "error", "message": message}).encode()


def partial_rows(scope: Scope, rows: int) -> frozenset[int]:
    """Which rows (0-based) of a batch must fail because a `partial` fault struck the request.

    Empty when none did. At least one row fails; `share` of the rule says how many, `seed` which.
    Without a share at least one succeeds where there are two or more.
    """
    rule = scope.get(FAULT_KEY)
    if not isinstance(rule, FaultRule) or rows == 0:
        return frozenset()
    wanted = rows // 3 if rule.share is None else round(rows * rule.share)
    chosen = random.Random(rule.seed).sample(range(rows), max(1, wanted))
    return frozenset(chosen)


class FaultGate:
    """ASGI wrapper: lets a request through to the app, or spoils it by rule."""

    def __init__(
        self, app: ASGIApp, *, api: str, faults: Faults, render: Renderer | None = None
    ) -> None:
        """`render` may give the API's own reply for a rule; None falls back on the default."""
        self._app = app
        self._api = api
        self._faults = faults
        self._render = render

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        rule = None
        if scope["type"] == "http":
            request = (self._api, scope["method"], scope["path"])
            body = b""
            if self._faults.reads_body(*request):
                body, receive = await _read_ahead(receive)
            rule = self._faults.strike(*request, body)
        if rule is None:
            await self._app(scope, receive, send)
        elif rule.kind is FaultKind.PARTIAL:
            scope[FAULT_KEY] = rule
            await self._app(scope, receive, send)
        elif rule.when is FaultWhen.BEFORE:
            await self._before(rule, scope, receive, send)
        else:
            await self._after(rule, scope, receive, send)

    async def _before(self, rule: FaultRule, scope: Scope, receive: Receive, send: Send) -> None:
        if rule.kind is FaultKind.SLOW:
            await asyncio.sleep(_seconds(rule, 2.0))
            await self._app(scope, receive, send)
        elif rule.kind is FaultKind.TRUNCATED:
            await self._after(rule, scope, receive, send)
        else:
            await self._spoil(rule, scope, receive, send)

    async def _after(self, rule: FaultRule, scope: Scope, receive: Receive, send: Send) -> None:
        answer: list[Message] = []

        async def keep(message: Message) -> None:
            answer.append(message)

        await self._app(scope, receive, keep)
        if rule.kind is FaultKind.SLOW:
            await asyncio.sleep(_seconds(rule, 2.0))
            for message in answer:
                await send(message)
        elif rule.kind is FaultKind.TRUNCATED:
            await _send_half(answer, send)
            _abort(scope, hard=False)
        else:
            await self._spoil(rule, scope, receive, send)

    async def _spoil(self, rule: FaultRule, scope: Scope, receive: Receive, send: Send) -> None:
        if rule.kind is FaultKind.TIMEOUT:
            await _wait_for_hang_up(receive, _seconds(rule, 120.0))
            _abort(scope, hard=False)
        elif rule.kind is FaultKind.RESET:
            _abort(scope, hard=True)
        else:
            own = self._render(rule) if self._render else None
            await _reply(own or default_reply(rule), send)


async def _read_ahead(receive: Receive) -> tuple[bytes, Receive]:
    """Return a request's body, and a `receive` that gives it to the app once more."""
    kept: list[Message] = []
    while not kept or kept[-1].get("more_body"):
        kept.append(await receive())
    body = b"".join(message.get("body", b"") for message in kept)

    async def again() -> Message:
        return kept.pop(0) if kept else await receive()

    return body, again


def _seconds(rule: FaultRule, otherwise: float) -> float:
    return otherwise if rule.seconds is None else rule.seconds


async def _reply(rendered: Rendered, send: Send) -> None:
    status, headers, body = rendered
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    pairs.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": body})


async def _send_half(answer: list[Message], send: Send) -> None:
    """Send the head and half of the body, though the head announces all of it."""
    for message in answer:
        if message["type"] == "http.response.start":
            await send(message)
        else:
            body = message.get("body", b"")
            await send(
                {"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True}
            )
            return


async def _wait_for_hang_up(receive: Receive, seconds: float) -> None:
    async def gone() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    try:
        await asyncio.wait_for(gone(), seconds)
    except TimeoutError:
        return


def _abort(scope: Scope, *, hard: bool) -> None:
    """Drop the connection; `hard` makes the peer see a reset rather than an end of file."""
    transport = scope.get(TRANSPORT_KEY)
    if transport is None:
        raise ConnectionError("the server gave the app no transport to drop")
    if transport.is_closing():
        return  # the peer has hung up first
    sock = transport.get_extra_info("socket")
    if hard and sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    else:
        transport.close()
