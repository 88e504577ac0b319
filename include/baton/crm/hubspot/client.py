"""The official HubSpot client, built so that every call uses one pool and answers raw JSON."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

from baton.connections import HubSpotConnection
from baton.crm.hubspot.pool import HubSpotPool
from baton.errors import ConfigurationError, ContractError
from baton.transport import RateLimiter, RetryTerms, retrying


class HubSpotClient:
    """Calls HubSpot and returns parsed JSON; retries by error type above the pool.

    Models are skipped: parsing ten thousand contacts into them takes 3.9 s, as JSON 0.2 s, and
    they drop fields that they do not know.
    """

    def __init__(
        self,
        connection: HubSpotConnection,
        limiter: RateLimiter,
        *,
        terms: RetryTerms | None = None,
        read_seconds: float = 30.0,
    ) -> None:
        from hubspot import HubSpot  # heavy: only where HubSpot is really called

        self.conn_id = connection.conn_id
        self.pool = HubSpotPool(
            conn_id=connection.conn_id,
            host=connection.host,
            limiter=limiter,
            dated=connection.api_paths == "dated",
            read_seconds=read_seconds,
        )
        self._host = connection.host
        self._terms = terms or RetryTerms()
        self._lock = threading.Lock()
        self._apis: dict[tuple[str, str], Any] = {}
        self.api: Any = HubSpot(
            access_token=connection.token, host=connection.host, api_factory=self._api
        )
        self._assert_host()

    def call(self, method: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """Call a method of the client and return its parsed answer (None for an empty one).

        Every call Baton makes may be repeated: reads, absolute values, memberships, and creations
        under a unique name (a second one is a conflict).
        """
        return retrying(
            lambda: self._read(method(*args, _preload_content=False, **options)),
            self._terms,
            repeatable=True,
        )

    def get(self, path: str, query: list[tuple[str, str]] | None = None, **ids: str) -> Any:
        """GET a path that the client does not know, through the same pool."""
        return self.call(
            self.api.crm.contacts.basic_api.api_client.call_api,
            path,
            "GET",
            ids,
            query or [],
            {"Accept": "application/json"},
            auth_settings=["oauth2"],
            response_types_map={},
            _return_http_data_only=True,
        )

    def _read(self, response: Any) -> Any:
        data = response.data
        if not data:
            return None
        try:
            return json.loads(data)
        except ValueError:
            kind = str(response.headers.get("Content-Type", "no type")).partition(";")[0]
            raise ContractError(
                self.conn_id,
                f"the answer is not JSON but {kind}: is the host really HubSpot's? check "
                "base_url and any proxy in between",
                status=response.status,
            ) from None

    def _api(self, package: Any, name: str, config: dict[str, Any]) -> Any:
        key = (package.__name__, name)
        with self._lock:
            if key not in self._apis:
                configuration = package.Configuration()
                for field, value in config.items():
                    setattr(configuration, field, value)
                client = package.ApiClient(configuration=configuration)
                client.rest_client.pool_manager = self.pool
                client.set_default_header("Accept-Encoding", "gzip")
                self._apis[key] = getattr(package, name)(api_client=client)
            return self._apis[key]

    def _assert_host(self) -> None:
        """Refuse to work when the client would call another host than the connection's.

        The client silently ignores an option it does not know and then talks to the real HubSpot.
        """
        actual = self.api.crm.contacts.basic_api.api_client.configuration.host
        if actual != self._host:
            raise ConfigurationError(
                f"{self.conn_id}: the HubSpot client is set to another host than the connection"
            )
