"""The one place through which every HubSpot request goes.

A ``urllib3`` pool manager under the official client: it sets time-outs, asks the limiter, counts,
rewrites paths, and turns each outcome into one of Baton's errors before the client can raise its
own (which differ from package to package and carry bodies).
"""

from __future__ import annotations

import re
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    LocationParseError,
    NewConnectionError,
    SSLError,
)

from baton.crm.hubspot.faults import error_of
from baton.errors import (
    AmbiguousOutcomeError,
    ConfigurationError,
    FatalGatewayError,
    GatewayError,
    RateLimitedError,
    UnavailableError,
)
from baton.transport import RateLimiter, certificate_trouble, current_lane

CONNECT_SECONDS = 3.05
READ_SECONDS = 30.0

_DATED = (
    (re.compile(r"^/crm/v3/objects/"), "/crm/objects/2026-09/"),
    (re.compile(r"^/crm/v4/associations/"), "/crm/associations/2026-09/"),
    (re.compile(r"^/crm/v3/owners(?=/|$)"), "/crm/owners/2026-09"),
    (re.compile(r"^/crm/v3/lists(?=/|$)"), "/crm/lists/2026-03"),
)
_IDS = re.compile(r"(?<=/)(\d+|[0-9a-f]{8}-[0-9a-f-]{27,})(?=/|$)")


def dated_path(path: str) -> str:
    """Return the date-based twin of a versioned path; a path without one is returned as it is."""
    for pattern, replacement in _DATED:
        if pattern.search(path):
            return pattern.sub(replacement, path, count=1)
    return path


class HubSpotPool(urllib3.PoolManager):
    """A connection pool for exactly one host, shared by every API group of the client."""

    def __init__(
        self,
        *,
        conn_id: str,
        host: str,
        limiter: RateLimiter,
        dated: bool = False,
        connections: int = 8,
        read_seconds: float = READ_SECONDS,
    ) -> None:
        super().__init__(num_pools=2, maxsize=connections, block=True, retries=False)
        self.calls: Counter[str] = Counter()
        self.dated = dated
        self._conn_id, self._limiter, self._read_seconds = conn_id, limiter, read_seconds
        self._origin = _origin(host)
        self._date: tuple[datetime, float] | None = None

    def server_now(self) -> datetime | None:
        """Return the server's time, never ahead of it; None before the first answer."""
        if self._date is None:
            return None
        seen, at = self._date
        return seen + timedelta(seconds=time.monotonic() - at)

    def urlopen(  # type: ignore[override]  # as urllib3's own PoolManager overrides it
        self, method: str, url: str, redirect: bool = True, **kw: Any
    ) -> Any:
        """Send one request and return its 2xx answer; raises a GatewayError for all else."""
        if _origin(url) != self._origin:
            raise ConfigurationError(
                f"{self._conn_id}: refused to send a request to another host than the connection's"
            )
        path = urlsplit(url).path
        if self.dated and dated_path(path) != path:
            url, path = url.replace(path, dated_path(path), 1), dated_path(path)
        self._limiter.acquire(_bucket(path), lane=current_lane())
        self.calls[f"{method} {_IDS.sub('{id}', path)}"] += 1
        response = self._send(method, url, path, kw)
        self._observe(response)
        if response.status == 410 and not self.dated and dated_path(path) != path:
            self.dated = True  # the versioned paths have been switched off: go on with the dated
            return self.urlopen(method, url, redirect, **kw)
        if not 200 <= response.status <= 299:
            raise self._refusal(response, method, path)
        return response

    def _refusal(self, response: Any, method: str, path: str) -> GatewayError:
        error = error_of(
            self._conn_id,
            response.status,
            response.data,
            response.headers,
            what=f"{method} {_IDS.sub('{id}', path)}",
            changes=_changes(method, path),
        )
        if isinstance(error, RateLimitedError) and error.daily:
            self._limiter.observe("hubspot.daily", 0, None)
        return error

    def _send(self, method: str, url: str, path: str, kw: dict[str, Any]) -> Any:
        kw = kw | {
            "timeout": urllib3.Timeout(connect=CONNECT_SECONDS, read=self._read_seconds),
            "preload_content": True,  # so that a body that stops half-way is caught here
            "retries": False,
        }
        try:
            return super().urlopen(method, url, redirect=False, **kw)
        except HTTPError as error:
            raise self._network_error(error, method, path) from None

    def _network_error(self, error: HTTPError, method: str, path: str) -> GatewayError:
        what = f"{method} {_IDS.sub('{id}', path)}: {type(error).__name__}"
        if isinstance(error, LocationParseError):
            raise ConfigurationError(f"{self._conn_id}: its host is not an address") from None
        if isinstance(error, SSLError):
            return FatalGatewayError(self._conn_id, f"{certificate_trouble(str(error))} ({what})")
        if isinstance(error, (NewConnectionError, ConnectTimeoutError)):
            return UnavailableError(self._conn_id, f"cannot be reached ({what})")
        if _changes(method, path):
            return AmbiguousOutcomeError(self._conn_id, f"no answer to a change ({what})")
        return UnavailableError(self._conn_id, f"no answer ({what})")

    def _observe(self, response: Any) -> None:
        headers = response.headers
        date = headers.get("Date")
        if date:
            self._date = (parsedate_to_datetime(date).astimezone(UTC), time.monotonic())
        for bucket, name in (
            ("hubspot.general", "X-HubSpot-RateLimit"),
            ("hubspot.daily", "X-HubSpot-RateLimit-Daily"),
        ):
            limit_name = f"{name}-Max" if bucket == "hubspot.general" else name
            remaining = _number(headers.get(f"{name}-Remaining"))
            limit = _number(headers.get(limit_name))
            if remaining is not None or limit is not None:
                self._limiter.observe(bucket, remaining, limit)


def _origin(url: str) -> tuple[str, str | None, int]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)


def _bucket(path: str) -> str:
    is_search = path.startswith("/crm/") and path.rstrip("/").endswith("/search")
    return "hubspot.search" if is_search and "/lists/" not in path else "hubspot.general"


def _changes(method: str, path: str) -> bool:
    """Say whether a request changes anything: searches and batch reads are POSTs that do not."""
    if method in ("GET", "HEAD", "OPTIONS"):
        return False
    return not path.rstrip("/").endswith(("/search", "/batch/read"))


def _number(text: str | None) -> int | None:
    try:
        return int(text) if text else None
    except ValueError:
        return None
