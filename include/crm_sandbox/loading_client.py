"""The few HubSpot calls that loading a file needs, with retries."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any

import httpx

from crm_sandbox.loading_map import Definition, LoadError

_ATTEMPTS = 8
_RETRIED = frozenset({423, 429, 500, 502, 503, 504})
_LOADING_HEADER = "x-sandbox-load"
_FIELD_TYPES = {"number": "number", "datetime": "date", "string": "text"}

Written = tuple[dict[str, Any], dict[str, Any]]
"""Results and errors of a batch, by trace id."""


class PortalClient:
    """A connection to the sandbox's HubSpot."""

    def __init__(self, url: str, token: str) -> None:
        """Connect lazily to `url` with `token`."""
        self._url = url
        self._http = httpx.Client(
            base_url=url,
            headers={"authorization": f"Bearer {token}", _LOADING_HEADER: "1"},
            timeout=httpx.Timeout(30, connect=5),
        )

    def __enter__(self) -> PortalClient:
        """Use as a context manager."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connection."""
        self._http.close()

    def _call(self, method: str, path: str, **more: Any) -> httpx.Response:
        """One call, tried again when it is worth it. Raises LoadError when it never works."""
        wait = 0.3
        for attempt in range(_ATTEMPTS):
            try:
                reply = self._http.request(method, path, **more)
            except httpx.ConnectError as error:
                raise LoadError(
                    f"No HubSpot answers at {self._url}. Start the sandbox with `crm-sandbox "
                    "serve` and give its HubSpot address with --url."
                ) from error
            except httpx.TransportError as error:
                if attempt == _ATTEMPTS - 1:
                    raise LoadError(
                        f"{self._url} stopped answering ({type(error).__name__})."
                    ) from error
            else:
                if reply.status_code not in _RETRIED or attempt == _ATTEMPTS - 1:
                    return self._accept(reply)
            time.sleep(wait)
            wait = min(wait * 2, 5.0)
        raise LoadError(f"{self._url} did not answer.")

    def _accept(self, reply: httpx.Response) -> httpx.Response:
        if reply.status_code == 401:
            raise LoadError(
                f"{self._url} does not accept this token. `crm-sandbox serve --json` prints the "
                "right one; give it with --token."
            )
        if reply.is_error and reply.status_code not in (400, 409):
            raise LoadError(f"{self._url} refused: HTTP {reply.status_code}")
        return reply

    def definitions(self, object_type: str) -> dict[str, Definition]:
        """The property definitions of an object type."""
        rows = self._call("GET", f"/crm/v3/properties/{object_type}").json()["results"]
        return {row["name"]: Definition.from_json(row) for row in rows}

    def define(self, object_type: str, new: Iterable[Definition]) -> None:
        """Create custom properties. Raises LoadError when one is refused."""
        group = "contactinformation" if object_type == "contacts" else "companyinformation"
        for definition in new:
            reply = self._call(
                "POST",
                f"/crm/v3/properties/{object_type}",
                json={
                    "name": definition.name,
                    "label": definition.label,
                    "type": definition.type,
                    "fieldType": _FIELD_TYPES[definition.type],
                    "groupName": group,
                },
            )
            if reply.is_error and reply.status_code != 409:
                message = reply.json().get("message", "")
                raise LoadError(f"Property {definition.name} was refused: {message}")

    def owners(self) -> list[dict[str, Any]]:
        """Every owner."""
        return list(self._pages("/crm/v3/owners"))

    def companies_by_key(self, key: Callable[[Mapping[str, Any]], str]) -> dict[str, str]:
        """The ids of the companies that are there, by a key made of their properties."""
        found: dict[str, str] = {}
        for row in self._pages("/crm/v3/objects/companies"):
            found.setdefault(key(row["properties"]), row["id"])
        return found

    def _pages(self, path: str) -> Iterator[dict[str, Any]]:
        after = "0"
        while after:
            page = self._call("GET", path, params={"limit": 100, "after": after}).json()
            yield from page["results"]
            after = page.get("paging", {}).get("next", {}).get("after", "")

    def write(self, object_type: str, operation: str, inputs: Sequence[Any]) -> Written:
        """A batch whose inputs carry trace ids; returns results and errors by trace id."""
        path = f"/crm/v3/objects/{object_type}/batch/{operation}"
        body = self._call("POST", path, json={"inputs": inputs}).json()
        if "results" not in body:
            return {}, {row["objectWriteTraceId"]: body for row in inputs}
        errors = {
            trace: error
            for error in body.get("errors") or ()
            for trace in error.get("context", {}).get("objectWriteTraceId", ())
        }
        return {row["objectWriteTraceId"]: row for row in body["results"]}, errors

    def associate(self, pairs: Sequence[tuple[str, str]], types: Sequence[Any]) -> None:
        """Associate contacts with companies."""
        inputs = [{"from": {"id": a}, "to": {"id": b}, "types": types} for a, b in pairs]
        if inputs:
            path = "/crm/v4/associations/contacts/companies/batch/create"
            self._call("POST", path, json={"inputs": inputs})
