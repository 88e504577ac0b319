"""Where access tokens come from: OAuth client credentials or the JWT bearer flow.

One login at a time, a fresh token is shared between threads, and a storm of refreshes (a token
that is refused right after it was issued) ends in an error instead of thousands of logins.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from urllib.parse import urlsplit

from baton.connections import SalesforceConnection
from baton.crm.salesforce.faults import login_error
from baton.crm.salesforce.session import SalesforceSession
from baton.errors import AuthenticationError, ContractError

_JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_FRESH_SECONDS = 5.0
_LOGINS_A_MINUTE = 6
_USES_WHILE_FRESH = 64


class TokenSource:
    """Callable that returns (access token, host with port), logging in when it must."""

    def __init__(self, connection: SalesforceConnection, session: SalesforceSession) -> None:
        self._connection, self._session = connection, session
        self._lock = threading.Lock()
        self._token: tuple[str, str] | None = None
        self._at = 0.0
        self._uses = 0
        self._logins: deque[float] = deque()
        self.identity: tuple[str, str] = ("", "")
        """Org id and user id, as the last login told them."""

    def __call__(self) -> tuple[str, str]:
        """Return a token that is new or was issued a moment ago; raises GatewayErrors."""
        with self._lock:
            now = time.monotonic()
            if self._token is not None and now - self._at < _FRESH_SECONDS:
                self._uses += 1
                if self._uses > _USES_WHILE_FRESH:
                    raise self._storm("tokens are refused right after the login")
                return self._token
            while self._logins and now - self._logins[0] >= 60.0:
                self._logins.popleft()
            if len(self._logins) >= _LOGINS_A_MINUTE:
                raise self._storm("too many logins within a minute")
            self._logins.append(now)
            self._token = self._login()
            self._at, self._uses = time.monotonic(), 0
            return self._token

    def _login(self) -> tuple[str, str]:
        connection = self._connection
        url = f"{connection.login_url}/services/oauth2/token"
        if connection.private_key:
            form = {"grant_type": _JWT_GRANT, "assertion": self._assertion()}
            response = self._session.post(url, data=form)
        else:
            response = self._session.post(
                url,
                data={"grant_type": "client_credentials"},
                auth=(connection.consumer_key, connection.consumer_secret or ""),
            )
        if response.status_code != 200:
            raise login_error(connection.conn_id, response.status_code, response.content)
        try:
            raw = response.json()
            token, instance = str(raw["access_token"]), str(raw["instance_url"])
        except (ValueError, KeyError, TypeError):
            raise login_error(connection.conn_id, 200, b"") from None
        parts = urlsplit(instance)
        if parts.scheme != "https" or not parts.netloc:
            raise ContractError(connection.conn_id, "login named an instance that is not https")
        org, _, user = str(raw.get("id") or "").rpartition("/")
        self.identity = (org.rpartition("/")[2], user)
        return token, parts.netloc

    def _assertion(self) -> str:
        import jwt

        connection = self._connection
        claims = {
            "iss": connection.consumer_key,
            "sub": connection.username,
            "aud": connection.login_url,
            "exp": int(time.time()) + 170,  # Salesforce allows three minutes at most
        }
        try:
            return jwt.encode(claims, connection.private_key or "", algorithm="RS256")
        except (ValueError, TypeError, jwt.PyJWTError):
            raise AuthenticationError(
                connection.conn_id, "private_key is not an RSA key in PEM form"
            ) from None

    def _storm(self, why: str) -> AuthenticationError:
        return AuthenticationError(
            self._connection.conn_id, f"{why}; check the session policy of the org"
        )
