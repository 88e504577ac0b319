"""The sandbox as the demo steers it: its clock, its simulated market, what it has seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import httpx

from baton.errors import BatonError

__all__ = ["MarketAdmin", "Played", "SandboxRefusedError"]


class SandboxRefusedError(BatonError):
    """The sandbox does not answer on its admin port, or said no."""


@dataclass(frozen=True, slots=True)
class Played:
    """What happened in a stretch of simulated time: how often each kind of event."""

    new_contacts: int
    counts: Mapping[str, int] = field(default_factory=dict)


class MarketAdmin:
    """The admin port of a running sandbox."""

    def __init__(self, url: str) -> None:
        # Playing a day takes as long as it takes: no read timeout.
        timeout = httpx.Timeout(5, read=None)
        self._http = httpx.Client(base_url=url, timeout=timeout, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()

    def answers(self) -> bool:
        """Tell whether the sandbox is up."""
        try:
            return self._http.get("/state", timeout=5).is_success
        except httpx.HTTPError:
            return False

    def state(self) -> dict[str, Any]:
        """Return the time, and how much there is of everything."""
        return self._call("GET", "/state")

    def now(self) -> datetime:
        """Return the sandbox's present instant, simulated or not."""
        return datetime.fromisoformat(self.state()["clock"]["now"])

    def play(self, until: datetime) -> Played:
        """Let buyers and reps act up to `until`, where the sandbox's clock then stands still."""
        answer = self._call("POST", "/market/play", {"until": until.isoformat()})
        return Played(int(answer.get("new_contacts", 0)), dict(answer.get("counts") or {}))

    def release_clock(self) -> None:
        """Back to real time."""
        self._call("POST", "/clock", {"at": None})

    def live(self, *, on: bool, every_seconds: float = 4.0) -> None:
        """Let the market act in real time, a lead every so many seconds; or stop it."""
        self._call("POST", "/market/live", {"on": on, "every_seconds": every_seconds})

    def slack_messages(self, since: int = 0) -> list[dict[str, Any]]:
        """Return the messages posted so far, from number `since` on."""
        return list(self._call("GET", f"/slack/messages?since={since}")["messages"])

    def _call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        try:
            reply = self._http.request(method, path, json=body)
        except httpx.HTTPError as error:
            raise SandboxRefusedError(
                f"the CRM sandbox does not answer ({type(error).__name__}): "
                "see its log, crm-sandbox.log, or start again"
            ) from error
        answer: dict[str, Any] = reply.json()
        if reply.is_error:
            raise SandboxRefusedError(
                f"the CRM sandbox refused {path}: {answer.get('error', reply.status_code)}"
            )
        return answer
