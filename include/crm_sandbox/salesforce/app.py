"""The Salesforce REST API over HTTP."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route as WebRoute

from crm_sandbox.faults import FaultKind, FaultRule, Rendered, partial_rows
from crm_sandbox.salesforce.api import Api, ApiCall, ApiReply, Route, split_url
from crm_sandbox.salesforce.bulk import Bulk
from crm_sandbox.salesforce.collections import Collections
from crm_sandbox.salesforce.composite import Composite
from crm_sandbox.salesforce.errors import OrgFault
from crm_sandbox.salesforce.oauth import Logins
from crm_sandbox.salesforce.org import Org
from crm_sandbox.salesforce.queries import Queries
from crm_sandbox.salesforce.rows import Rows

MAX_URI = 16_384
JSON_TYPE = "application/json;charset=UTF-8"
_OLDEST, _NEWEST = 31, 67
_SEASONS = ("Spring", "Summer", "Winter")
_RESOURCES = ("composite", "jobs", "limits", "query", "queryAll", "sobjects")
_TOO_LONG = "<h1>Bad Message 414</h1><pre>reason: URI Too Long</pre>"


def create_salesforce_app(org: Org) -> Starlette:
    """The app that serves an org; the server adds TLS and fault injection."""
    service = _Service(org)
    every = ["GET", "POST", "PATCH", "PUT", "DELETE"]
    return Starlette(
        routes=[
            WebRoute("/services/oauth2/token", service.token, methods=["POST"]),
            WebRoute("/services/oauth2/revoke", service.revoke, methods=["GET", "POST"]),
            WebRoute("/services/oauth2/userinfo", service.user_info, methods=["GET", "POST"]),
            WebRoute("/id/{org_id}/{user_id}", service.identity),
            WebRoute("/services/data", service.versions),
            WebRoute("/services/data/", service.versions),
            WebRoute("/services/data/{path:path}", service.data, methods=every),
        ]
    )


def render_fault(rule: FaultRule) -> Rendered | None:
    """Salesforce's own body for an injected fault; None where it has none of its own."""
    known = _FAULTS.get(rule.kind)
    if known is None:
        return None
    status, code, message = known
    if rule.kind is FaultKind.RATE_LIMITED and rule.policy == "DAILY":
        message = "TotalRequests Limit exceeded."
    body = OrgFault(code, message).row_body()
    return status, {"content-type": JSON_TYPE}, json.dumps(body).encode()


_FAULTS: dict[FaultKind, tuple[int, str, str]] = {
    FaultKind.RATE_LIMITED: (
        403,
        "REQUEST_LIMIT_EXCEEDED",
        "ConcurrentRequests (Concurrent API Requests) Limit exceeded.",
    ),
    FaultKind.UNAUTHORIZED: (401, "INVALID_SESSION_ID", "Session expired or invalid"),
    FaultKind.LOCKED: (
        400,
        "UNABLE_TO_LOCK_ROW",
        "unable to obtain exclusive access to this record or 1 records",
    ),
    FaultKind.SERVER_ERROR: (500, "UNKNOWN_EXCEPTION", "An unexpected error occurred."),
    FaultKind.UNAVAILABLE: (503, "SERVER_UNAVAILABLE", "Server too busy"),
}


class _Service:
    def __init__(self, org: Org) -> None:
        self._org = org
        self._logins = Logins(org)
        api = Api([Route("", {"GET": self._resources}), Route("limits", {"GET": self._limits})])
        for part in (Rows(org), Queries(org), Collections(org), Composite(org, api), Bulk(org)):
            api.extend(part.routes())
        self._api = api

    # -- logging in ---------------------------------------------------------------------------

    async def token(self, request: Request) -> Response:
        form = await _form(request)
        host = request.headers.get("host", "")
        return _json(self._logins.token(form, request.headers.get("authorization", ""), host))

    async def revoke(self, request: Request) -> Response:
        form = {**dict(request.query_params), **await _form(request)}
        self._org.sessions.revoke(form.get("token", ""))
        return Response(status_code=200)

    async def user_info(self, request: Request) -> Response:
        user_id = self._user(request)
        if user_id is None:
            return Response("Bad_OAuth_Token", status_code=403, media_type="text/html")
        return _json(ApiReply(200, self._about_user(user_id)))

    async def identity(self, request: Request) -> Response:
        if self._user(request) is None:
            return Response("Bad_OAuth_Token", status_code=403, media_type="text/html")
        body = self._about_user(request.path_params["user_id"])
        return _json(ApiReply(200 if body else 404, body or None))

    def _about_user(self, user_id: str) -> dict[str, Any]:
        user = self._org.get("User", user_id)
        if user is None:
            return {}
        return {
            "user_id": user["Id"],
            "organization_id": self._org.org_id,
            "username": user["Username"],
            "preferred_username": user["Username"],
            "display_name": user["Name"],
            "name": user["Name"],
            "email": user["Email"],
            "active": user["IsActive"],
            "user_type": user["UserType"].upper(),
            "timezone": user["TimeZoneSidKey"],
            "asserted_user": True,
        }

    def _user(self, request: Request) -> str | None:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        return self._org.sessions.user(token) if kind.lower() in ("bearer", "oauth") else None

    # -- data ---------------------------------------------------------------------------------

    async def versions(self, _request: Request) -> Response:
        found = [
            {
                "label": f"{_SEASONS[(number - 1) % 3]} '{(number + 11) // 3:02d}",
                "url": f"/services/data/v{number}.0",
                "version": f"{number}.0",
            }
            for number in range(_OLDEST, _NEWEST + 1)
        ]
        return _json(ApiReply(200, found))

    async def data(self, request: Request) -> Response:
        raw = request.scope["raw_path"]
        if len(raw) + len(request.scope["query_string"]) > MAX_URI:
            return HTMLResponse(_TOO_LONG, status_code=414)
        content = await request.body()
        user_id = self._user(request)
        if user_id is None:
            return _json(_unauthorised("Session expired or invalid"))
        if self._org.sessions.refused:
            return _json(_unauthorised("This session is not valid for use with the REST API"))
        if self._org.quota.exhausted:
            fault = OrgFault("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
            return self._counted(ApiReply(403, fault.row_body()))
        self._org.quota.count()
        return self._counted(self._reply(request, raw.decode("ascii"), content, user_id))

    def _reply(self, request: Request, raw: str, content: bytes, user_id: str) -> ApiReply:
        target = split_url(raw)
        if target is None:
            fault = OrgFault("NOT_FOUND", "The requested resource does not exist")
            return ApiReply(404, fault.row_body())
        tabular = request.headers.get("content-type", "").startswith("text/csv")
        try:
            body = json.loads(content) if content.strip() and not tabular else None
        except ValueError:
            fault = OrgFault("JSON_PARSER_ERROR", "The HTTP entity body is not valid JSON")
            return ApiReply(400, fault.row_body())
        scope = request.scope
        call = ApiCall(
            method=request.method,
            segments=target[1],
            version=target[0],
            user_id=user_id,
            query=dict(request.query_params),
            headers=dict(request.headers),
            body=body,
            content=content if tabular else b"",
            origin=f"https://{request.headers.get('host', '')}",
            spoiled=lambda rows: partial_rows(scope, rows),
        )
        return self._api.answer(call)

    def _counted(self, reply: ApiReply) -> Response:
        quota = self._org.quota
        usage = {"Sforce-Limit-Info": f"api-usage={quota.used}/{quota.limit}"}
        return _json(
            ApiReply(reply.status, reply.body, {**reply.headers, **usage}, text=reply.text)
        )

    def _resources(self, call: ApiCall) -> ApiReply:
        body = {name: f"{call.base}/{name}" for name in _RESOURCES}
        identity = f"{call.origin}/id/{self._org.org_id}/{call.user_id}"
        return ApiReply(200, {**body, "identity": identity})

    def _limits(self, _call: ApiCall) -> ApiReply:
        quota = self._org.quota
        remaining = max(0, quota.limit - quota.used)
        return ApiReply(
            200,
            {
                "DailyApiRequests": {"Max": quota.limit, "Remaining": remaining},
                "DailyBulkV2QueryJobs": {"Max": 10_000, "Remaining": 10_000},
                "DailyBulkApiBatches": {"Max": 15_000, "Remaining": 15_000},
                "DataStorageMB": {"Max": 10_240, "Remaining": 10_000},
            },
        )


def _unauthorised(message: str) -> ApiReply:
    return ApiReply(401, OrgFault("INVALID_SESSION_ID", message).row_body())


def _json(reply: ApiReply) -> Response:
    headers: Mapping[str, str] = dict(reply.headers)
    if reply.text is not None:
        return Response(reply.text, reply.status, headers)
    if reply.body is None:
        return Response(status_code=reply.status, headers=headers)
    content = json.dumps(reply.body, ensure_ascii=False, separators=(",", ":"))
    return Response(content, reply.status, {**headers, "content-type": JSON_TYPE})


async def _form(request: Request) -> dict[str, str]:
    content = (await request.body()).decode("utf-8", errors="replace")
    return dict(parse_qsl(content, keep_blank_values=True))
