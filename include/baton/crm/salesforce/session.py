"""The HTTP session below simple-salesforce: the one place through which every request goes.

simple-salesforce has no time-outs, loses the headers of a call when it refreshes its token, and
raises exceptions that quote whole URLs. So time-outs, the pinned headers, the private CA, limiter,
counting and the translation of errors live here, underneath it.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.exceptions import ConnectionError as RequestsConnectionError
from requests.exceptions import ConnectTimeout, RequestException, SSLError
from urllib3.exceptions import NewConnectionError

from baton.crm.salesforce.faults import error_of, session_expired
from baton.errors import (
    AmbiguousOutcomeError,
    ContractError,
    FatalGatewayError,
    GatewayError,
    RateLimitedError,
    SettingsError,
    UnavailableError,
)
from baton.transport import RateLimiter, certificate_trouble, current_lane

_ID = re.compile(r"(?<=/)(0[0-9A-Za-z]{14,17}|[0-9A-Za-z]{18}-\d+)(?=/|$)")
_VERSION = re.compile(r"^/services/data/v[\d.]+")
_USAGE = re.compile(r"(?:^|;)\s*api-usage=(\d+)/(\d+)")

PINNED = {"Sforce-Auto-Assign": "FALSE"}
"""Sent with every call. Without it the org's assignment rule overwrites the owner we routed to."""


class SalesforceSession(requests.Session):
    """A requests session for one org; safe for the threads of one process."""

    def __init__(
        self,
        *,
        conn_id: str,
        limiter: RateLimiter,
        ca_file: str | None = None,
        timeout: tuple[float, float] = (3.05, 60.0),
        connections: int = 16,
    ) -> None:
        super().__init__()
        self.conn_id = conn_id
        self.calls: Counter[str] = Counter()
        self.api_usage: tuple[int, int] | None = None
        self._limiter, self._ca_file, self._timeout = limiter, ca_file, timeout
        self._date: tuple[datetime, float] | None = None
        self.mount("https://", HTTPAdapter(pool_connections=2, pool_maxsize=connections))

    def server_now(self) -> datetime | None:
        """Return the server's time, never ahead of it; None before the first answer."""
        if self._date is None:
            return None
        seen, at = self._date
        return seen + timedelta(seconds=time.monotonic() - at)

    def request(self, method: str | bytes, url: str | bytes, **kw: Any) -> requests.Response:  # type: ignore[override]  # the named parameters travel in kw
        """Send one request; return a success or an expired session, raise a GatewayError else."""
        verb, address = str(method).upper(), str(url)
        path = urlsplit(address).path
        kw.setdefault("timeout", self._timeout)
        kw["allow_redirects"] = False
        if self._ca_file:
            kw["verify"] = self._ca_file  # per call: beats REQUESTS_CA_BUNDLE
        if path.startswith("/services/data/"):
            kw["headers"] = PINNED | dict(kw.get("headers") or {}) | {"X-PrettyPrint": None}
        what = f"{verb} {_ID.sub('{id}', _VERSION.sub('', path))}".rstrip("/")
        if "/oauth2/" not in path:  # logging in counts against no limit of calls
            self._limiter.acquire("salesforce.general", lane=current_lane())
        self.calls[what] += 1
        response = self._send(verb, address, what, kw)
        self._observe(response)
        if session_expired(response.status_code, response.content):
            return response  # simple-salesforce logs in again and repeats the call
        if path.startswith("/services/data/"):
            self._judge(response, what)
        return response

    def _send(self, verb: str, url: str, what: str, kw: dict[str, Any]) -> requests.Response:
        try:
            return super().request(verb, url, **kw)
        except RequestException as error:
            raise self._network_error(error, what) from None
        except OSError:
            if self._ca_file is None or Path(self._ca_file).is_file():
                raise
            raise SettingsError(
                f"connection '{self.conn_id}': its ca_file {self._ca_file} is not there; "
                "name a file of certificates, or leave ca_file out to use the system's"
            ) from None

    def _judge(self, response: requests.Response, what: str) -> None:
        status = response.status_code
        if status >= 300:
            error = error_of(
                self.conn_id, status, response.content, what=what, changes=changes(what)
            )
            if isinstance(error, RateLimitedError) and error.daily:
                self._limiter.observe("salesforce.daily", 0, None)
            raise error
        kind = response.headers.get("Content-Type", "").partition(";")[0]
        if status != 204 and kind != "application/json":
            raise ContractError(
                self.conn_id,
                f"the answer is not JSON but {kind or 'of no type'}: is instance_url the My Domain "
                f"address? ({what})",
            )
        if status != 204:
            try:
                response.json()
            except ValueError:
                kind_of_error = AmbiguousOutcomeError if changes(what) else UnavailableError
                raise kind_of_error(self.conn_id, f"the answer broke off ({what})") from None

    def _network_error(self, error: RequestException, what: str) -> GatewayError:
        name = type(error).__name__
        if isinstance(error, SSLError):
            trouble = certificate_trouble(str(error), trust="set ca_file")
            return FatalGatewayError(self.conn_id, f"{trouble} ({what})")
        if isinstance(error, ConnectTimeout) or _never_connected(error):
            return UnavailableError(self.conn_id, f"cannot be reached ({what}: {name})")
        if changes(what):
            return AmbiguousOutcomeError(self.conn_id, f"no answer to a change ({what}: {name})")
        return UnavailableError(self.conn_id, f"no answer ({what}: {name})")

    def _observe(self, response: requests.Response) -> None:
        date = response.headers.get("Date")
        if date:
            self._date = (parsedate_to_datetime(date).astimezone(UTC), time.monotonic())
        usage = _USAGE.search(response.headers.get("Sforce-Limit-Info", ""))
        if usage:
            used, limit = int(usage[1]), int(usage[2])
            self.api_usage = (used, limit)
            self._limiter.observe("salesforce.daily", limit - used, limit)


def changes(what: str) -> bool:
    """Say whether a request ("VERB /path") changes anything; composites carry queries only."""
    verb, _, path = what.partition(" ")
    if verb in ("GET", "HEAD") or "/oauth2/" in path:
        return False
    return path != "/composite"


def _never_connected(error: RequestException) -> bool:
    inner = error.args[0] if error.args else None
    reason = getattr(inner, "reason", inner)
    return isinstance(error, RequestsConnectionError) and isinstance(reason, NewConnectionError)
