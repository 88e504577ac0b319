"""Logging in: the OAuth token endpoint and what stands around it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import time
from collections.abc import Callable, Mapping
from typing import Any

import jwt

from crm_sandbox.salesforce.api import ApiReply
from crm_sandbox.salesforce.org import Org

JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_LONGEST_ASSERTION = 300
_LOGIN_HOSTS = ("login.salesforce.com", "test.salesforce.com")
_Form = Mapping[str, str]


class LoginRefused(Exception):  # noqa: N818 - named for what it tells the client
    """The token endpoint says no: `error` and `error_description` of OAuth."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(error)
        self.error = error
        self.description = description


class Logins:
    """Answers the token endpoint."""

    def __init__(self, org: Org) -> None:
        """Open sessions in this org."""
        self._org = org
        self._grants: dict[str, Callable[[_Form, str], str]] = {
            "client_credentials": self._client_credentials,
            "password": self._password,
            JWT_GRANT: self._assertion,
        }

    def token(self, form: _Form, authorization: str, host: str) -> ApiReply:
        """Open a session. `authorization` may carry key and secret; `host` is the Host header."""
        given = {**form, **_basic(authorization)}
        grant = self._grants.get(given.get("grant_type", ""))
        try:
            user_id = (grant or _unknown_grant)(given, host)
        except LoginRefused as refused:
            body = {"error": refused.error, "error_description": refused.description}
            return ApiReply(400, body)
        return ApiReply(200, self._opened(user_id, host))

    def _opened(self, user_id: str, host: str) -> dict[str, Any]:
        # The moment is the client's, not the simulated one: clients compare it with their clock.
        issued = str(int(time.time() * 1000))
        identity = f"https://{host}/id/{self._org.org_id}/{user_id}"
        secret = self._org.app.consumer_secret.encode()
        digest = hmac.new(secret, (identity + issued).encode(), hashlib.sha256).digest()
        return {
            "access_token": self._org.sessions.open(user_id),
            "signature": base64.b64encode(digest).decode(),
            "scope": "api",
            "instance_url": f"https://{host}",
            "id": identity,
            "token_type": "Bearer",
            "issued_at": issued,
        }

    def _client_credentials(self, form: _Form, host: str) -> str:
        if host.split(":", 1)[0] in _LOGIN_HOSTS:
            raise LoginRefused("invalid_grant", "request not supported on this domain")
        self._check_app(form)
        return self._org.integration_user_id

    def _password(self, form: _Form, _host: str) -> str:
        self._check_app(form)
        app = self._org.app
        # A security token, when there is one, is appended to the password.
        known = form.get("password", "").startswith(app.password)
        if form.get("username") != app.username or not known:
            raise LoginRefused("invalid_grant", "authentication failure")
        return self._org.integration_user_id

    def _check_app(self, form: _Form) -> None:
        app = self._org.app
        if form.get("client_id") != app.consumer_key:
            raise LoginRefused("invalid_client_id", "client identifier invalid")
        if not hmac.compare_digest(
            form.get("client_secret", "").encode(), app.consumer_secret.encode()
        ):
            raise LoginRefused("invalid_client", "invalid client credentials")

    def _assertion(self, form: _Form, host: str) -> str:
        claims = self._claims(form.get("assertion", ""))
        if claims.get("iss") != self._org.app.consumer_key:
            raise LoginRefused("invalid_client_id", "client identifier invalid")
        audience = str(claims.get("aud", "")).removeprefix("https://").rstrip("/")
        if audience != host and not audience.endswith(".salesforce.com"):
            raise LoginRefused("invalid_grant", "audience is invalid")
        if not 0 <= _seconds_left(claims.get("exp")) <= _LONGEST_ASSERTION:
            raise LoginRefused("invalid_grant", "invalid assertion")
        user = self._org.find("User", Username=str(claims.get("sub", "")), IsActive=True)
        if user is None:
            raise LoginRefused("invalid_grant", "user hasn't approved this consumer")
        return str(user["Id"])

    def _claims(self, assertion: str) -> dict[str, Any]:
        certificate = self._org.app.certificate
        # Clients send `exp` as text; it is judged here, with its own tolerance.
        options: Any = {
            "verify_signature": certificate is not None,
            "verify_exp": False,
            "verify_aud": False,
        }
        try:
            found = jwt.decode(
                assertion, key=certificate or "", algorithms=["RS256"], options=options
            )
        except jwt.PyJWTError:
            raise LoginRefused("invalid_grant", "invalid assertion") from None
        return dict(found)


def _unknown_grant(_form: _Form, _host: str) -> str:
    raise LoginRefused("unsupported_grant_type", "grant type not supported")


def _seconds_left(expires: Any) -> float:
    try:
        return int(expires) - time.time()
    except (TypeError, ValueError):
        return -1.0


def _basic(authorization: str) -> dict[str, str]:
    kind, _, value = authorization.partition(" ")
    if kind.lower() != "basic":
        return {}
    try:
        key, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return {}
    return {"client_id": key, "client_secret": secret}
