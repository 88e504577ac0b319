"""Outside enrichment: what a provider must offer, and one that speaks JSON over HTTP.

Providers are asked about companies, by domain, many at once. Nothing personal is sent or received.
To add one, write a class with `look_up` and name it in `PROVIDERS` (see docs/enrichment.md).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

from baton.connections import RawConnection
from baton.errors import (
    AuthenticationError,
    ContractError,
    RateLimitedError,
    SettingsError,
    UnavailableError,
)

MOST_A_REQUEST = 100
LARGEST_ANSWER = 5_000_000
Company = Mapping[str, str]
"""What a provider says of a company, by the provider's own names."""


class EnrichmentProvider(Protocol):
    """What knows companies."""

    def look_up(self, domains: Sequence[str], *, timeout_seconds: float) -> Mapping[str, Company]:
        """Return what is known of these companies by domain; unknown ones are left out.

        At most MOST_A_REQUEST domains; answers within `timeout_seconds` or gives up.

        Raises:
            GatewayError: the provider could not be asked, refused, or answered nonsense.
        """
        ...


@dataclass(frozen=True, slots=True)
class EnrichmentConnection:
    """How to reach a provider. `key` goes into the header `header`, as a bearer token by default."""

    conn_id: str
    url: str
    key: str | None = field(default=None, repr=False)
    header: str = "Authorization"

    EXTRAS = frozenset({"path", "header", "provider", "base_url"})

    @classmethod
    def from_raw(cls, raw: RawConnection) -> Self:
        """Judge the parts; raises SettingsError with the mend."""
        extra = raw.extras(cls.EXTRAS)
        if not raw.host and not extra.get("base_url"):
            mend = 'give it a host, as in {"conn_type": "http", "host": "https://<provider>"}'
            raise SettingsError(f"connection '{raw.conn_id}' has no address; {mend}")
        address = raw.base_url("", given=extra.get("base_url"))
        path = extra.get("path", "/").strip("/")
        return cls(
            raw.conn_id,
            f"{address}/{path}" if path else address,
            raw.password,
            extra.get("header", "Authorization"),
        )


class JsonProvider:
    """A provider with one JSON endpoint.

    Asked by ``POST {"domains": ["acme.example", …]}``; answers
    ``{"companies": {"acme.example": {"employees": 300, "industry": "…"}, …}}``.
    """

    def __init__(self, connection: EnrichmentConnection) -> None:
        self.connection = connection

    def look_up(self, domains: Sequence[str], *, timeout_seconds: float) -> Mapping[str, Company]:
        """Return what the endpoint says; see EnrichmentProvider."""
        import requests

        headers = {"Accept": "application/json"}
        if self.connection.key:
            plain = self.connection.header != "Authorization"
            key = self.connection.key
            headers[self.connection.header] = key if plain else f"Bearer {key}"
        until = time.monotonic() + timeout_seconds
        try:
            with requests.post(
                self.connection.url,
                json={"domains": list(domains)},
                headers=headers,
                timeout=timeout_seconds,
                stream=True,
                allow_redirects=False,
            ) as answer:
                self._judge(answer.status_code, answer.headers.get("Retry-After"))
                return self._read(_parts(answer.raw), until, frozenset(domains))
        except requests.RequestException as error:
            # The text of the error repeats the address; its kind says enough.
            raise UnavailableError(self.connection.conn_id, type(error).__name__) from None

    def _judge(self, status: int, retry_after: str | None) -> None:
        name = self.connection.conn_id
        if status in (401, 403):
            raise AuthenticationError(name, "refuses our key", status=status)
        if status == 429:
            seconds = float(retry_after) if retry_after and retry_after.isdecimal() else None
            raise RateLimitedError(name, "asks for fewer calls", retry_after=seconds)
        if status >= 500:
            raise UnavailableError(name, f"answered {status}", status=status)
        if status != 200:
            raise ContractError(name, f"answered {status}", status=status)

    def _read(
        self, parts: Iterable[bytes], until: float, asked: frozenset[str]
    ) -> Mapping[str, Company]:
        name, body = self.connection.conn_id, bytearray()
        for part in parts:
            body += part
            if len(body) > LARGEST_ANSWER:
                raise ContractError(name, f"answered more than {LARGEST_ANSWER} bytes")
            if time.monotonic() > until:
                raise UnavailableError(name, "did not finish its answer in time")
        try:
            companies = json.loads(body)["companies"]
            found = {
                str(domain).lower(): {
                    str(key): _text(value) for key, value in said.items() if value is not None
                }
                for domain, said in companies.items()
            }
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise ContractError(name, "answered something else than companies by domain") from None
        # An answer about something that nobody asked for is not believed.
        return {domain: said for domain, said in found.items() if domain in asked}


def _parts(raw: Any) -> Iterator[bytes]:
    """Yield what has arrived as it arrives, so that a dripping answer can be given up."""
    from urllib3.exceptions import HTTPError

    try:
        while part := raw.read1(65_536, decode_content=True):
            yield part
    except (HTTPError, OSError) as error:
        raise UnavailableError("enrichment", type(error).__name__) from None


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ";".join(_text(one) for one in value)
    return value if isinstance(value, str) else json.dumps(value, default=str)


PROVIDERS: Mapping[str, Callable[[RawConnection], EnrichmentProvider]] = {
    "json": lambda raw: JsonProvider(EnrichmentConnection.from_raw(raw)),
}
"""Kinds of providers by the name that a connection gives in its extra field ``provider``."""


def provider_of(raw: RawConnection) -> EnrichmentProvider:
    """Return the provider behind a connection; raises SettingsError for an unknown kind."""
    kind = str(raw.extra.get("provider") or "json")
    if kind not in PROVIDERS:
        known = ", ".join(sorted(PROVIDERS))
        raise SettingsError(
            f"connection '{raw.conn_id}' has an unknown provider '{kind}'; known: {known}"
        )
    return PROVIDERS[kind](raw)
