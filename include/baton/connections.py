"""What Baton needs to know to reach HubSpot, Salesforce and Slack.

Pure parsing, no Airflow: the same three connections can come from environment variables in
Airflow's form (``AIRFLOW_CONN_HUBSPOT_DEFAULT`` and so on, JSON or URI) or, through
``baton.orchestration.connections``, from wherever Airflow keeps its connections.

Secrets never show in a ``repr`` or in an error text.
"""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from urllib.parse import parse_qsl, unquote, urlsplit

from baton.errors import MissingConnectionError, SettingsError

HUBSPOT = "hubspot_default"
SALESFORCE = "salesforce_default"
SLACK = "slack_default"

_EXAMPLES = {
    HUBSPOT: '{"conn_type": "hubspot", "password": "<access token>"}',
    SALESFORCE: (
        '{"conn_type": "salesforce", "extra": {"instance_url": '
        '"https://<my domain>.my.salesforce.com", "consumer_key": "<key>", '
        '"consumer_secret": "<secret>"}}'
    ),
    "enrichment_default": (
        '{"conn_type": "http", "host": "https://<provider>", "password": "<key>"}'
    ),
    SLACK: '{"conn_type": "slack", "password": "<bot token>"}',
    "smtp_default": (
        '{"conn_type": "smtp", "host": "<mail server>", "login": "<login>", '
        '"password": "<password>", "extra": {"from_email": "baton@<your domain>"}}'
    ),
}
_BLANK_ALLOWED = frozenset(
    {"security_token", "organization_id", "instance", "proxies", "client_id"}
)
"""Fields of Airflow's own Salesforce connection that Baton has no use for."""


def variable_of(conn_id: str) -> str:
    """Return the environment variable in which Airflow looks for the connection `conn_id`."""
    return f"AIRFLOW_CONN_{conn_id.upper()}"


def _where(conn_id: str) -> str:
    kind = conn_id.partition("_")[0]
    example = _EXAMPLES.get(f"{kind}_default", _EXAMPLES[HUBSPOT])
    return (
        f"set {variable_of(conn_id)} or add it in the Airflow UI under Admin > Connections "
        f"as '{conn_id}'; example: {variable_of(conn_id)}='{example}'"
    )


@dataclass(frozen=True, slots=True)
class RawConnection:
    """The parts of an Airflow connection, before anybody has judged them."""

    conn_id: str
    conn_type: str | None = None
    host: str | None = None
    login: str | None = None
    password: str | None = field(default=None, repr=False)
    port: int | None = None
    schema: str | None = None
    extra: Mapping[str, object] = field(default_factory=dict, repr=False)

    @classmethod
    def parse(cls, conn_id: str, text: str) -> Self:
        """Read a connection in Airflow's JSON or URI form; raises SettingsError."""
        text = text.strip()
        read = cls._from_json if text.startswith("{") else cls._from_uri
        return read(conn_id, text)

    @classmethod
    def from_environment(cls, conn_id: str, env: Mapping[str, str] | None = None) -> Self:
        """Read the connection from its variable; raises MissingConnectionError, SettingsError."""
        text = (os.environ if env is None else env).get(variable_of(conn_id), "")
        if not text.strip():
            raise MissingConnectionError(conn_id, _where(conn_id))
        return cls.parse(conn_id, text)

    @classmethod
    def _from_json(cls, conn_id: str, text: str) -> Self:
        try:
            raw = json.loads(text)
        except ValueError as error:
            place = f"position {error.pos}" if isinstance(error, json.JSONDecodeError) else "?"
            # `from None`: the original error carries the text, and with it the secret.
            raise _unusable(conn_id, f"is not valid JSON (at {place})") from None
        extra = raw.get("extra") or {}
        if isinstance(extra, str):
            extra = _extra_from_text(conn_id, extra)
        if not isinstance(extra, dict):
            raise _unusable(conn_id, "has an 'extra' that is not a JSON object")
        return cls(
            conn_id,
            conn_type=_text(raw.get("conn_type")),
            host=_text(raw.get("host")),
            login=_text(raw.get("login")),
            password=_text(raw.get("password")),
            port=_port(conn_id, raw.get("port")),
            schema=_text(raw.get("schema")),
            extra=extra,
        )

    @classmethod
    def _from_uri(cls, conn_id: str, text: str) -> Self:
        kind, separator, rest = text.partition("://")
        if not separator:
            raise _unusable(conn_id, "is neither JSON nor a URI")
        scheme, inner, after = rest.partition("://")
        protocol = scheme if inner and "@" not in scheme else None
        parts = urlsplit(f"//{after if protocol else rest}")
        host = unquote(parts.hostname or "") or None
        try:
            port = parts.port
        except ValueError:
            raise _unusable(conn_id, "has a port that is not a number") from None
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        packed = query.pop("__extra__", None)
        return cls(
            conn_id,
            conn_type=kind.replace("-", "_"),
            host=f"{protocol}://{host}" if protocol and host else host,
            login=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            port=port,
            schema=unquote(parts.path[1:]) or None,
            extra=_extra_from_text(conn_id, packed) if packed else query,
        )

    def extras(self, allowed: frozenset[str]) -> dict[str, str]:
        """Return the extra fields that are set; raises SettingsError on one that is not known."""
        found: dict[str, str] = {}
        for name, value in self.extra.items():
            short = name.split("__")[-1] if name.startswith("extra__") else name
            if value in (None, "", [], {}) or short in _BLANK_ALLOWED:
                continue
            if short not in allowed:
                near = difflib.get_close_matches(short, allowed, n=1)
                known = f"known: {', '.join(sorted(allowed))}"
                mend = f"did you mean '{near[0]}'?" if near else known
                raise _unusable(self.conn_id, f"has an unknown extra field '{short}' ({mend})")
            found[short] = value if isinstance(value, str) else json.dumps(value)
        return found

    def base_url(self, default: str, *, given: str | None = None) -> str:
        """Return the address to call, without a trailing slash.

        `given` (an extra field) wins over host, port and schema, those over `default`. Plain http
        is refused except towards this machine or a name without a dot (a container's name): a
        token must not travel the net in the clear.
        """
        address = given or self._address_from_parts() or default
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise _unusable(self.conn_id, "has a host that is not an http(s) address")
        local = parts.hostname in ("127.0.0.1", "::1") or "." not in parts.hostname
        if parts.scheme == "http" and not local:
            raise _unusable(self.conn_id, "has a plain http address; use https")
        return address.rstrip("/")

    def _address_from_parts(self) -> str | None:
        if not self.host:
            return None
        scheme = self.schema if self.schema in ("http", "https") else "https"
        address = self.host if "://" in self.host else f"{scheme}://{self.host}"
        has_port = urlsplit(address).port is not None
        return address if self.port is None or has_port else f"{address.rstrip('/')}:{self.port}"


@dataclass(frozen=True, slots=True)
class HubSpotConnection:
    """How to reach a HubSpot portal. `token` is a private-app token or a service key."""

    conn_id: str
    token: str = field(repr=False)
    host: str = "https://api.hubapi.com"
    daily_reserve: int = 5000
    """Calls a day that stay reserved for handoffs: bulk work stops before it eats them."""
    api_paths: str = "legacy"
    """``legacy`` (/crm/v3 …) or ``dated`` (/crm/objects/2026-09 …)."""

    EXTRAS = frozenset(
        {"base_url", "host", "daily_reserve", "api_paths", "token", "portal_id", "app"}
    )
    """`portal_id` and `app` ("eu1" for a portal in Europe) are for links on the pages alone."""

    @classmethod
    def from_raw(cls, raw: RawConnection) -> Self:
        """Judge the parts; raises SettingsError with the mend."""
        _check_type(raw, "hubspot")
        extra = raw.extras(cls.EXTRAS)
        token = raw.password or extra.get("token")
        if not token:
            raise _unusable(raw.conn_id, "has no access token; put it into the password field")
        api_paths = extra.get("api_paths", "legacy")
        if api_paths not in ("legacy", "dated"):
            raise _unusable(raw.conn_id, "has api_paths other than 'legacy' or 'dated'")
        return cls(
            raw.conn_id,
            token=token,
            host=raw.base_url(
                "https://api.hubapi.com", given=extra.get("base_url") or extra.get("host")
            ),
            daily_reserve=_whole(raw.conn_id, "daily_reserve", extra.get("daily_reserve"), 5000),
            api_paths=api_paths,
        )

    @classmethod
    def from_environment(
        cls, env: Mapping[str, str] | None = None, *, conn_id: str = HUBSPOT
    ) -> Self:
        """Read it from AIRFLOW_CONN_HUBSPOT_DEFAULT; MissingConnectionError, SettingsError."""
        return cls.from_raw(RawConnection.from_environment(conn_id, env))


@dataclass(frozen=True, slots=True)
class SalesforceConnection:
    """How to reach a Salesforce org, through OAuth on its My Domain address.

    Client credentials by default; the JWT bearer flow when `private_key` (PEM) and `username` are
    given. SOAP and password logins are not offered: Salesforce retires them.
    """

    conn_id: str
    login_url: str
    consumer_key: str = field(repr=False)
    consumer_secret: str | None = field(default=None, repr=False)
    username: str | None = None
    private_key: str | None = field(default=None, repr=False)
    api_version: str = "62.0"
    ca_file: str | None = None

    EXTRAS = frozenset(
        {
            "login_url", "instance_url", "domain", "consumer_key", "consumer_secret",
            "private_key", "private_key_file_path", "version", "api_version", "ca_file",
        }
    )  # fmt: skip

    @classmethod
    def from_raw(cls, raw: RawConnection) -> Self:
        """Judge the parts; raises SettingsError with the mend."""
        _check_type(raw, "salesforce")
        extra = raw.extras(cls.EXTRAS)
        key, secret = extra.get("consumer_key"), extra.get("consumer_secret")
        private_key = extra.get("private_key") or _read_key(raw, extra)
        if not key:
            raise _unusable(raw.conn_id, "has no consumer_key (of the external client app)")
        if not secret and not private_key:
            raise _unusable(raw.conn_id, "has neither consumer_secret nor private_key")
        if private_key and not raw.login:
            raise _unusable(raw.conn_id, "has a private_key but no username (login)")
        return cls(
            raw.conn_id,
            login_url=_my_domain(raw, extra),
            consumer_key=key,
            consumer_secret=secret,
            username=raw.login,
            private_key=private_key,
            api_version=_version(raw, extra),
            ca_file=extra.get("ca_file"),
        )

    @classmethod
    def from_environment(
        cls, env: Mapping[str, str] | None = None, *, conn_id: str = SALESFORCE
    ) -> Self:
        """Read it from AIRFLOW_CONN_SALESFORCE_DEFAULT; MissingConnectionError, SettingsError."""
        return cls.from_raw(RawConnection.from_environment(conn_id, env))


@dataclass(frozen=True, slots=True)
class SlackConnection:
    """How to reach a Slack workspace. `token` is a bot token; `base_url` ends with a slash."""

    conn_id: str
    token: str = field(repr=False)
    base_url: str = "https://slack.com/api/"

    EXTRAS = frozenset({"base_url", "token"})

    @classmethod
    def from_raw(cls, raw: RawConnection) -> Self:
        """Judge the parts; raises SettingsError with the mend."""
        _check_type(raw, "slack")
        extra = raw.extras(cls.EXTRAS)
        token = raw.password or extra.get("token")
        if not token:
            raise _unusable(raw.conn_id, "has no bot token; put it into the password field")
        address = raw.base_url("https://slack.com/api", given=extra.get("base_url"))
        return cls(raw.conn_id, token=token, base_url=f"{address}/")

    @classmethod
    def from_environment(
        cls, env: Mapping[str, str] | None = None, *, conn_id: str = SLACK
    ) -> Self:
        """Read it from AIRFLOW_CONN_SLACK_DEFAULT; MissingConnectionError, SettingsError."""
        return cls.from_raw(RawConnection.from_environment(conn_id, env))


def missing(conn_id: str) -> MissingConnectionError:
    """Return the error that says where a connection that is not there can be defined."""
    return MissingConnectionError(conn_id, _where(conn_id))


def _unusable(conn_id: str, trouble: str) -> SettingsError:
    return SettingsError(f"connection '{conn_id}' {trouble}; {_where(conn_id)}")


def _check_type(raw: RawConnection, expected: str) -> None:
    if raw.conn_type not in (None, "", expected):
        raise _unusable(raw.conn_id, f"has the type '{raw.conn_type}' instead of '{expected}'")


def _text(value: object) -> str | None:
    return None if value is None or value == "" else str(value)


def _port(conn_id: str, value: object) -> int | None:
    if value is None or value == "":
        return None
    try:
        return int(str(value))
    except ValueError:
        raise _unusable(conn_id, "has a port that is not a number") from None


def _whole(conn_id: str, name: str, value: str | None, default: int) -> int:
    if value is None:
        return default
    try:
        number = int(value)
    except ValueError:
        number = -1
    if number < 0:
        raise _unusable(conn_id, f"has a {name} that is not a whole number of at least 0")
    return number


def _extra_from_text(conn_id: str, text: str) -> dict[str, object]:
    try:
        extra = json.loads(text)
    except ValueError:
        raise _unusable(conn_id, "has an 'extra' that is not valid JSON") from None
    if not isinstance(extra, dict):
        raise _unusable(conn_id, "has an 'extra' that is not a JSON object")
    return extra


def _read_key(raw: RawConnection, extra: Mapping[str, str]) -> str | None:
    path = extra.get("private_key_file_path")
    if not path:
        return None
    try:
        return Path(path).read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        raise _unusable(raw.conn_id, "names a private_key_file_path that cannot be read") from None


def _my_domain(raw: RawConnection, extra: Mapping[str, str]) -> str:
    domain = extra.get("domain")
    given = extra.get("login_url") or extra.get("instance_url")
    if not given and domain and not raw.host:
        given = f"https://{domain}.salesforce.com"
    if not given and not raw.host:
        raise _unusable(raw.conn_id, "has no My Domain address (instance_url)")
    address = raw.base_url("", given=given)
    if urlsplit(address).hostname in ("login.salesforce.com", "test.salesforce.com"):
        raise _unusable(raw.conn_id, "names a shared login host; use the My Domain address")
    if not address.startswith("https://"):
        raise _unusable(raw.conn_id, "has a plain http address; Salesforce is https only")
    return address


def _version(raw: RawConnection, extra: Mapping[str, str]) -> str:
    version = extra.get("api_version") or extra.get("version") or "62.0"
    number = version.lower().removeprefix("v")
    try:
        value = float(number)
    except ValueError:
        raise _unusable(raw.conn_id, "has an API version that is not a number") from None
    if value < 49:
        raise _unusable(raw.conn_id, "has an API version below 49.0")
    return f"{value:.1f}"
