"""A log of the requests the sandbox has served, without query values or personal data."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crm_sandbox.clock import SandboxClock

_KEPT = 50_000


@dataclass(frozen=True, slots=True)
class Served:
    """One request. `status` is 0 when the connection was dropped without an answer."""

    number: int
    at: str
    api: str
    method: str
    path: str
    status: int
    milliseconds: float


@dataclass(slots=True)
class Traffic:
    """The latest requests, and counts of all by API and status."""

    counts: Counter[tuple[str, int]] = field(default_factory=Counter)
    _log: deque[Served] = field(default_factory=lambda: deque(maxlen=_KEPT))
    _next: int = 1

    def note(self, **served: Any) -> None:
        """Add one request."""
        entry = Served(self._next, **served)
        self._next += 1
        self._log.append(entry)
        self.counts[entry.api, entry.status] += 1

    def since(self, number: int, api: str | None = None) -> Iterator[Served]:
        """The requests after that number, oldest first."""
        return (s for s in self._log if s.number > number and api in (None, s.api))


class TrafficMeter:
    """ASGI wrapper: notes each request, and dates the reply by the sandbox's clock."""

    def __init__(self, app: ASGIApp, *, api: str, traffic: Traffic, clock: SandboxClock) -> None:
        """Note the requests of `app` under the name `api`."""
        self._app = app
        self._api = api
        self._traffic = traffic
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), 0

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                date = self._clock.now().strftime("%a, %d %b %Y %H:%M:%S GMT")
                MutableHeaders(scope=message)["date"] = date
            await send(message)

        try:
            await self._app(scope, receive, watch)
        finally:
            self._traffic.note(
                at=self._clock.now().isoformat(),
                api=self._api,
                method=scope["method"],
                path=_without_addresses(scope["path"]),
                status=status,
                milliseconds=round((time.perf_counter() - started) * 1000, 1),
            )


def _without_addresses(path: str) -> str:
    """The path with e-mail addresses masked (a contact can be named by its e-mail)."""
    parts = ("{email}" if "@" in part else part for part in path.split("/"))
    return "/".join(parts)
