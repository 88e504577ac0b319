"""One HTTP call as the handlers see it, and the reply they give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from starlette.datastructures import QueryParams

from crm_sandbox.hubspot.errors import invalid
from crm_sandbox.hubspot.limits import Limits
from crm_sandbox.hubspot.portal import LOADING, STRICT, Checks, Portal
from crm_sandbox.hubspot.records import instant

LOADING_HEADER = "x-sandbox-load"
"""A client that loads an export sends this header: computed properties may then be set."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a handler answers. `payload` None means an empty body."""

    payload: Any = None
    status: int = 200


@dataclass(frozen=True, slots=True)
class Call:
    """What a handler needs of a request.

    `path` holds the parts of the path that the route names, `failing` the rows of a batch that an
    injected fault lets fail (a function of the number of rows), `base` the server's own address.
    """

    portal: Portal
    limits: Limits
    path: Mapping[str, str]
    query: QueryParams
    body: Any
    base: str
    url_path: str
    loading: bool = False
    partial: Any = field(default=None)

    @property
    def type(self) -> str:
        """The plural name of the object type in the path."""
        return self.portal.type_name(self.path["type"])

    @property
    def checks(self) -> Checks:
        """How far writes of this call are checked."""
        return LOADING if self.loading else STRICT

    @property
    def fields(self) -> Mapping[str, Any]:
        """The JSON object that was sent. Raises PortalFault 400 when it is none."""
        if not isinstance(self.body, dict):
            raise invalid("Invalid input JSON on line 1, column 1: expected an object")
        return self.body

    def now(self) -> datetime:
        """The sandbox's present moment."""
        return self.portal.clock.now()

    def flag(self, name: str) -> bool:
        """A boolean query parameter, in any case; absent means False."""
        return self.query.get(name, "").lower() == "true"

    def names(self, name: str) -> list[str]:
        """A list in the query: the parameter repeated, or its values joined by commas."""
        return [part for value in self.query.getlist(name) for part in value.split(",") if part]

    def whole(self, name: str, *, default: int, most: int) -> int:
        """A whole number in the query. Raises PortalFault 400 out of 1..most."""
        text = self.query.get(name, str(default))
        if not text.isdecimal() or not 1 <= int(text) <= most:
            raise invalid(f"{name} must be a whole number between 1 and {most}, not '{text}'")
        return int(text)

    def after(self, default: int = 0) -> int:
        """The `after` of the query as a number. Raises PortalFault 400 for other text."""
        text = self.query.get("after") or str(default)
        if not text.isdecimal():
            raise invalid(f"after must be a whole number, not '{text}'")
        return int(text)

    def next_page(self, after: str) -> dict[str, Any]:
        """The paging block that leads to the page starting at `after`."""
        kept = [(k, v) for k, v in self.query.multi_items() if k != "after"]
        query = QueryParams([*kept, ("after", after)])
        return {"next": {"after": after, "link": f"{self.base}{self.url_path}?{query}"}}

    def failing(self, rows: int) -> frozenset[int]:
        """The rows of a batch that an injected fault lets fail."""
        return self.partial(rows) if self.partial is not None else frozenset()

    def batch(self, results: list[Any], errors: list[Any], *, status: int = 200) -> Reply:
        """The envelope of a batch: 207 with the errors, or the given status without any."""
        at = instant(self.now())
        body: dict[str, Any] = {"status": "COMPLETE", "results": results}
        if errors:
            body.update(numErrors=len(errors), errors=errors)
        body.update(startedAt=at, completedAt=at)
        return Reply(body, 207 if errors else status)
