"""One call of the REST API, and the table of what answers which path.

Calls are plain values, so that a subrequest of a composite call takes the same way as a call from
outside.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from crm_sandbox.salesforce.errors import OrgFault
from crm_sandbox.salesforce.own_rules import SaveOptions

_VERSION = re.compile(r"v(\d\d\.0)")


def no_rows(_rows: int) -> frozenset[int]:
    """No row of a batch is spoiled."""
    return frozenset()


@dataclass(frozen=True, slots=True)
class ApiCall:
    """A call below `/services/data/v<version>/`.

    `segments` is the path after the version, each part unquoted; header names are in lower case;
    `body` is the parsed JSON, `content` the body as sent when it is CSV; `spoiled` says which rows of a batch must fail by fault injection.
    """

    method: str
    segments: tuple[str, ...]
    version: str
    user_id: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    content: bytes = b""
    origin: str = ""
    spoiled: Callable[[int], frozenset[int]] = no_rows

    @property
    def base(self) -> str:
        """The start of every path of this version."""
        return f"/services/data/v{self.version}"

    @property
    def options(self) -> SaveOptions:
        """How records are saved: the assignment rule applies unless a header says FALSE."""
        duplicates = self.headers.get("sforce-duplicate-rule-header", "")
        return SaveOptions(
            auto_assign=self.headers.get("sforce-auto-assign", "TRUE").strip().upper() != "FALSE",
            allow_duplicates="allowsave=true" in duplicates.lower().replace(" ", ""),
        )

    def record(self) -> dict[str, Any]:
        """The body as a JSON object. Raises OrgFault when it is something else."""
        if not isinstance(self.body, dict):
            raise OrgFault("JSON_PARSER_ERROR", "The HTTP entity body is required to be an object")
        return self.body


@dataclass(frozen=True, slots=True)
class ApiReply:
    """A status and a JSON body, or `text` as it is; without either no body at all."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    text: str | None = None


Handler = Callable[..., ApiReply]


@dataclass(frozen=True, slots=True)
class Route:
    """`pattern` is a path whose parts in braces are handed to the handlers, in order."""

    pattern: str
    handlers: Mapping[str, Handler]

    def match(self, segments: Sequence[str]) -> list[str] | None:
        """The parts in braces, or None when the path is another."""
        parts = self.pattern.split("/") if self.pattern else []
        if len(parts) != len(segments):
            return None
        found: list[str] = []
        for part, segment in zip(parts, segments, strict=True):
            if part.startswith("{"):
                found.append(segment)
            elif part.lower() != segment.lower():
                return None
        return found


class Api:
    """Sends each call to the handler of its path; turns refusals into replies."""

    def __init__(self, routes: Sequence[Route]) -> None:
        """The first route that matches answers."""
        self._routes = list(routes)

    def extend(self, routes: Sequence[Route]) -> None:
        """Add routes, after those that are there."""
        self._routes.extend(routes)

    def answer(self, call: ApiCall) -> ApiReply:
        """The reply to a call; never raises OrgFault."""
        try:
            return self._handle(call)
        except OrgFault as fault:
            return refusal(fault, call.base)

    def _handle(self, call: ApiCall) -> ApiReply:
        for route in self._routes:
            captured = route.match(call.segments)
            if captured is None:
                continue
            method = "GET" if call.method == "HEAD" else call.method
            handler = route.handlers.get(method)
            if handler is None:
                raise _not_allowed(call.method, route.handlers)
            return handler(call, *captured)
        raise OrgFault("NOT_FOUND", "The requested resource does not exist", http_status=404)


def refusal(fault: OrgFault, base: str) -> ApiReply:
    """The reply that a refusal makes when it is the whole answer."""
    if fault.http_status == 300:
        return ApiReply(300, [f"{base}/sobjects/{one}" for one in fault.records])
    return ApiReply(fault.http_status, fault.row_body())


def _not_allowed(method: str, handlers: Mapping[str, Handler]) -> OrgFault:
    allowed = ",".join(sorted(handlers))
    return OrgFault(
        "METHOD_NOT_ALLOWED",
        f"HTTP Method '{method}' not allowed. Allowed are {allowed}",
        http_status=405,
    )


def split_url(url: str) -> tuple[str, tuple[str, ...], dict[str, str]] | None:
    """Version, segments and query of a path below `/services/data`; None when it is not one."""
    parts = urlsplit(url)
    segments = [unquote(one) for one in parts.path.split("/") if one]
    if segments[:2] != ["services", "data"] or len(segments) < 3:
        return None
    version = _VERSION.fullmatch(segments[2])
    if version is None:
        return None
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    return version.group(1), tuple(segments[3:]), query
