"""The HubSpot API over HTTP."""

from __future__ import annotations

import gzip
import json
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from crm_sandbox.faults import FaultKind, FaultRule, Rendered, partial_rows
from crm_sandbox.hubspot.call import LOADING_HEADER, Call, Reply
from crm_sandbox.hubspot.errors import PortalFault, fault
from crm_sandbox.hubspot.limits import Limits, rate_fault
from crm_sandbox.hubspot.portal import Portal
from crm_sandbox.hubspot.routes import Match, Route, RouteTable, versioned

_JSON = "application/json;charset=utf-8"
_GZIP_FROM_BYTES, _URL_MAX = 1024, 16_000
_SCOPES_PAGE = "https://developers.hubspot.com/scopes"


class HubSpotApp:
    """ASGI app of one portal."""

    def __init__(self, portal: Portal, limits: Limits) -> None:
        """Serve this portal under these limits."""
        self._portal = portal
        self._limits = limits
        self._table = RouteTable()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        request = Request(scope, receive)
        headers: dict[str, str] = {}
        try:
            reply = await self._answer(request, headers)
        except PortalFault as refused:
            body = {**refused.body, "correlationId": self._correlation()}
            reply = Reply(body, refused.status)
            if refused.status == 429 and self._limits.plan.retry_after is not None:
                headers["retry-after"] = str(self._limits.plan.retry_after)
        headers["x-hubspot-correlation-id"] = self._correlation()
        await _render(request, reply, headers)(scope, receive, send)

    def _correlation(self) -> str:
        bits = f"{self._portal.random.getrandbits(128):032x}"
        return "-".join((bits[:8], bits[8:12], bits[12:16], bits[16:20], bits[20:]))

    async def _answer(self, request: Request, headers: dict[str, str]) -> Reply:
        if len(request.url.path) + len(request.url.query) > _URL_MAX:
            return Reply({"status": "error", "message": "URI Too Long"}, 414)
        match = self._table.find(request.method, versioned(request.url.path))
        if match is None:
            raise fault(404, "resource not found")
        if match.route is None:
            raise fault(405, "Method not allowed")
        if not match.route.public:
            self._admit(request, match.route, match, headers)
        call = await self._call(request, match)
        return match.route.handler(call)

    def _admit(self, request: Request, route: Route, match: Match, headers: dict[str, str]) -> None:
        token = _bearer(request)
        scopes = self._portal.tokens.get(token)
        if not token:
            raise _no_credentials()
        if scopes is None:
            raise _unknown_token()
        try:
            self._limits.admit(token, search=route.search, burst=route.burst)
        finally:
            if not route.search:
                headers.update(self._limits.headers(token))
        self._require_scope(route, match, scopes)

    def _require_scope(self, route: Route, match: Match, scopes: set[str]) -> None:
        names = {
            name: self._portal.type_name(match.path[name])
            for name in ("type", "from")
            if name in match.path
        }
        wanted = [scope.format_map(names) for scope in route.scopes]
        if wanted and not scopes.intersection(wanted):
            raise _missing_scopes(wanted)

    async def _call(self, request: Request, match: Match) -> Call:
        raw = await request.body()
        return Call(
            portal=self._portal,
            limits=self._limits,
            path=match.path,
            query=request.query_params,
            body=_read_json(raw),
            base=f"{request.url.scheme}://{request.url.netloc}",
            url_path=request.url.path,
            loading=LOADING_HEADER in request.headers,
            partial=partial(partial_rows, request.scope),
        )


def _bearer(request: Request) -> str:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def _read_json(raw: bytes) -> Any:
    if not raw:
        return {}
    try:
        return json.loads(raw)
    except ValueError:
        raise fault(400, "Invalid input JSON on line 1, column 1", "VALIDATION_ERROR") from None


def _no_credentials() -> PortalFault:
    return fault(
        401,
        "Authentication credentials not found. This API supports OAuth 2.0 authentication and you "
        "can find more details at https://developers.hubspot.com/docs/methods/auth/oauth-overview",
        "INVALID_AUTHENTICATION",
    )


def _unknown_token() -> PortalFault:
    """HubSpot takes a token it does not know for one that expired in 1970."""
    return fault(
        401,
        "The OAuth token used to make this call expired 20000 day(s) ago.",
        "EXPIRED_AUTHENTICATION",
        context={"expire time": ["1970-01-01T00:00:00Z"]},
    )


def _missing_scopes(wanted: list[str]) -> PortalFault:
    return fault(
        403,
        "This app hasn't been granted all required scopes to make this call. Read more about "
        f"required scopes here: {_SCOPES_PAGE}.",
        "MISSING_SCOPES",
        errors=[
            {
                "message": "One or more of the following scopes are required.",
                "context": {"requiredGranularScopes": wanted},
            }
        ],
        links={"scopes": _SCOPES_PAGE},
    )


def _render(request: Request, reply: Reply, headers: dict[str, str]) -> ASGIApp:
    if reply.payload is None:
        return Response(status_code=reply.status, headers=headers)
    body = json.dumps(reply.payload, ensure_ascii=False, separators=(",", ":")).encode()
    if len(body) >= _GZIP_FROM_BYTES and "gzip" in request.headers.get("accept-encoding", ""):
        body = gzip.compress(body, compresslevel=1)
        headers["content-encoding"] = "gzip"
        headers["vary"] = "Accept-Encoding"
    return Response(body, reply.status, {**headers, "content-type": _JSON})


def render_fault(rule: FaultRule) -> Rendered | None:
    """HubSpot's own reply for an injected fault, where it has one."""
    refused = _fault_of(rule)
    if refused is None:
        return None
    headers = {"content-type": _JSON}
    if rule.retry_after is not None:
        headers["retry-after"] = str(rule.retry_after)
    body = {**refused.body, "correlationId": "00000000-0000-4000-8000-000000000000"}
    return refused.status, headers, json.dumps(body).encode()


def _fault_of(rule: FaultRule) -> PortalFault | None:
    match rule.kind:
        case FaultKind.RATE_LIMITED:
            return rate_fault(rule.policy or "TEN_SECONDLY_ROLLING")
        case FaultKind.UNAUTHORIZED:
            return _unknown_token()
        case FaultKind.LOCKED:
            return fault(423, "The resource is locked by another process.", "LOCKED")
        case FaultKind.SERVER_ERROR:
            return fault(500, "internal error")
        case _:
            return None
