"""Stops a worker at one outside call, or at the commit that follows it.

HubSpot's, Salesforce's and Slack's clients all speak through ``http.client``: it is watched there,
below every gateway, so that nothing of the product knows that it is being watched.
"""

from __future__ import annotations

import http.client
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine
from tests.faults.catalogue import Call, Moment


@dataclass(slots=True)
class Tripwire:
    """Calls `stop` once, at `moment` around the call. `apis` names the API behind each port."""

    call: Call
    moment: Moment
    apis: Mapping[int, str]
    stop: Callable[[], None]
    _seen: int = 0
    _reached: bool = False
    _stopped: bool = False
    _pattern: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        self._pattern = re.compile(self.call.endpoint.path)

    def before(self, port: int, method: str, url: str) -> bool:
        """Note a request; return whether it is the one."""
        wanted, path = self.call.endpoint, url.partition("?")[0]
        if self._reached or self.apis.get(port) != wanted.api or method != wanted.method:
            return False
        if not self._pattern.search(path):
            return False
        self._seen += 1
        if self._seen != self.call.nth:
            return False
        self._reached = True
        self._trip(Moment.BEFORE)
        return True

    def after(self) -> None:
        """The answer to the one request is here, or will never be."""
        self._trip(Moment.AFTER)

    def around_commit(self, moment: Moment) -> None:
        """A transaction is about to be committed, or has been."""
        if self._reached:
            self._trip(moment)

    def _trip(self, moment: Moment) -> None:
        if moment is self.moment and not self._stopped:
            self._stopped = True
            self.stop()


def watch(wire: Tripwire, engine: Engine) -> None:
    """Watch all requests and commits of this process from now on; it is never undone."""
    _watch_requests(wire)
    dialect: Any = engine.dialect
    commit = dialect.do_commit

    def do_commit(connection: Any) -> None:
        wire.around_commit(Moment.BEFORE_COMMIT)
        commit(connection)
        wire.around_commit(Moment.AFTER_COMMIT)

    dialect.do_commit = do_commit


def _watch_requests(wire: Tripwire) -> None:
    plain: Any = http.client.HTTPConnection
    put, get = plain.putrequest, plain.getresponse

    def putrequest(self: Any, method: str, url: str, *args: Any, **options: Any) -> Any:
        self.is_the_one = wire.before(self.port, method, url)
        return put(self, method, url, *args, **options)

    def getresponse(self: Any, *args: Any, **options: Any) -> Any:
        try:
            return get(self, *args, **options)
        finally:
            if getattr(self, "is_the_one", False):
                self.is_the_one = False
                wire.after()

    plain.putrequest, plain.getresponse = putrequest, getresponse
