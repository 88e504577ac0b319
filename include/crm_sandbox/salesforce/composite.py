"""Composite, composite graph and composite batch: several calls in one."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from crm_sandbox.salesforce.api import Api, ApiCall, ApiReply, Route, split_url
from crm_sandbox.salesforce.errors import OrgFault
from crm_sandbox.salesforce.org import Org

MAX_CALLS = 25
MAX_HEAVY = 5
MAX_NODES, MAX_GRAPHS, MAX_DEPTH, MAX_KINDS, MAX_FAILED_GRAPHS = 500, 75, 15, 15, 14
_NAME = re.compile(r"[A-Za-z0-9_]+")
_REFERENCE = re.compile(r"@\{([A-Za-z0-9_]+)((?:\.[A-Za-z0-9_]+|\[\d+\])*)\}")
_STEP = re.compile(r"\.([A-Za-z0-9_]+)|\[(\d+)\]")
_ROLLED_BACK = (
    "The transaction was rolled back since another operation in the same transaction failed."
)


class _RolledBackError(Exception):
    """Leaves a transaction whose replies are known."""


class _MissingReferenceError(Exception):
    """A reference to a subrequest that failed, or to something its reply does not have."""


class Composite:
    """Answers `composite`, `composite/graph` and `composite/batch`."""

    def __init__(self, org: Org, api: Api) -> None:
        """Subrequests are answered by `api`."""
        self._org = org
        self._api = api

    def routes(self) -> list[Route]:
        """The paths this class answers."""
        return [
            Route("composite", {"POST": self._composite}),
            Route("composite/graph", {"POST": self._graphs}),
            Route("composite/batch", {"POST": self._batch}),
        ]

    # -- composite ----------------------------------------------------------------------------

    def _composite(self, call: ApiCall) -> ApiReply:
        body = call.record()
        nodes = _nodes(body.get("compositeRequest"))
        if len(nodes) > MAX_CALLS:
            raise _limit(f"Limit of {MAX_CALLS} reached for number of operations")
        if sum(map(_is_heavy, nodes)) > MAX_HEAVY:
            raise _limit(f"Limit of {MAX_HEAVY} reached for queries and collections")
        replies, _ = self._series(call, nodes, together=body.get("allOrNone") is True)
        return ApiReply(200, {"compositeResponse": replies})

    def _series(
        self, call: ApiCall, nodes: list[dict[str, Any]], *, together: bool
    ) -> tuple[list[dict[str, Any]], bool]:
        """The replies in order, and whether all succeeded."""
        replies: dict[str, ApiReply] = {}
        try:
            with self._org.transaction():
                for node in nodes:
                    replies[node["referenceId"]] = reply = self._one(call, node, replies)
                    _keep_or_undo(reply, together=together)
        except _RolledBackError:
            failed = next(reversed(replies))
            replies = {
                node["referenceId"]: replies[failed]
                if node["referenceId"] == failed
                else _halted(_ROLLED_BACK)
                for node in nodes
            }
        shown = [
            {
                "body": reply.body,
                "httpHeaders": dict(reply.headers),
                "httpStatusCode": reply.status,
                "referenceId": name,
            }
            for name, reply in replies.items()
        ]
        return shown, all(reply.status < 300 for reply in replies.values())

    def _one(
        self, call: ApiCall, node: dict[str, Any], replies: Mapping[str, ApiReply]
    ) -> ApiReply:
        try:
            url = str(_filled(node["url"], replies))
            body = _filled(node.get("body"), replies)
        except _MissingReferenceError as error:
            return _halted(str(error))
        headers = {str(k).lower(): str(v) for k, v in (node.get("httpHeaders") or {}).items()}
        return self._sub(call, node["method"], url, body, headers)

    def _sub(
        self, call: ApiCall, method: str, url: str, body: Any, headers: Mapping[str, str]
    ) -> ApiReply:
        target = split_url(url)
        if target is None or not _may_be_nested(target[1]):
            message = f"This resource cannot be called within a composite request: {url[:80]}"
            return ApiReply(400, OrgFault("INVALID_INPUT", message).row_body())
        version, segments, query = target
        inner = replace(
            call,
            method=str(method).upper(),
            segments=segments,
            version=version,
            query=query,
            headers=headers,
            body=body,
        )
        return self._api.answer(inner)

    # -- graph --------------------------------------------------------------------------------

    def _graphs(self, call: ApiCall) -> ApiReply:
        graphs = call.record().get("graphs")
        if not isinstance(graphs, list) or not graphs:
            raise OrgFault("INVALID_INPUT", "graphs must be an array")
        parsed = [(_graph_id(one), _nodes(one.get("compositeRequest"))) for one in graphs]
        _check_graphs([nodes for _, nodes in parsed])
        answers: list[dict[str, Any]] = []
        failed = 0
        for name, nodes in parsed:
            if failed >= MAX_FAILED_GRAPHS:
                replies, good = _all_halted(nodes), False
            else:
                replies, good = self._series(call, nodes, together=True)
                failed += not good
            answers.append(
                {
                    "graphId": name,
                    "graphResponse": {"compositeResponse": replies},
                    "isSuccessful": good,
                }
            )
        return ApiReply(200, {"graphs": answers})

    # -- batch --------------------------------------------------------------------------------

    def _batch(self, call: ApiCall) -> ApiReply:
        body = call.record()
        requests = body.get("batchRequests")
        if not isinstance(requests, list) or not all(isinstance(one, dict) for one in requests):
            raise OrgFault("INVALID_INPUT", "batchRequests must be an array")
        if len(requests) > MAX_CALLS:
            raise _limit(f"Limit of {MAX_CALLS} reached for number of batched requests")
        # Each part counts; the outer call has been counted already.
        self._org.quota.count(max(0, len(requests) - 1))
        results: list[dict[str, Any]] = []
        broken = False
        for one in requests:
            if broken and body.get("haltOnError") is True:
                halted = OrgFault("BATCH_PROCESSING_HALTED", "Batch processing halted")
                reply = ApiReply(412, halted.row_body())
            else:
                url = _with_root(str(one.get("url", "")))
                reply = self._sub(
                    call, str(one.get("method", "GET")), url, one.get("richInput"), {}
                )
            broken = broken or reply.status >= 300
            results.append({"statusCode": reply.status, "result": reply.body})
        return ApiReply(200, {"hasErrors": broken, "results": results})


def _keep_or_undo(reply: ApiReply, *, together: bool) -> None:
    if together and reply.status >= 300:
        raise _RolledBackError


def _with_root(url: str) -> str:
    """Batch URLs may leave out `/services/data`."""
    return url if url.startswith("/services/") else "/services/data/" + url.lstrip("/")


def _may_be_nested(segments: tuple[str, ...]) -> bool:
    return segments[:1] != ("composite",) or segments[1:2] == ("sobjects",)


def _nodes(given: Any) -> list[dict[str, Any]]:
    if not isinstance(given, list) or not given:
        raise OrgFault("INVALID_INPUT", "compositeRequest must be an array of subrequests")
    seen: set[str] = set()
    for node in given:
        if not isinstance(node, dict) or not {"method", "url", "referenceId"} <= node.keys():
            raise OrgFault("INVALID_INPUT", "method, url and referenceId are required")
        name = node["referenceId"]
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise OrgFault(
                "INVALID_INPUT",
                "Provided referenceId must start with a letter or a number, and it can contain "
                "only letters, numbers and underscores",
            )
        if name in seen:
            raise OrgFault(
                "INVALID_INPUT", f"Duplicate ReferenceId provided in the request: {name}"
            )
        seen.add(name)
    return given


def _graph_id(graph: Any) -> str:
    if not isinstance(graph, dict) or not isinstance(graph.get("graphId"), str):
        raise OrgFault("INVALID_INPUT", "graphId is required")
    return str(graph["graphId"])


def _is_heavy(node: dict[str, Any]) -> bool:
    target = split_url(str(node["url"]))
    segments = target[1] if target else ()
    return segments[:1] in (("query",), ("queryAll",)) or segments[:2] == ("composite", "sobjects")


def _check_graphs(graphs: list[list[dict[str, Any]]]) -> None:
    if len(graphs) > MAX_GRAPHS:
        raise _limit(f"The request exceeds the limit of {MAX_GRAPHS} graphs")
    if sum(map(len, graphs)) > MAX_NODES:
        raise _limit(f"The request exceeds the limit of {MAX_NODES} nodes")
    for nodes in graphs:
        targets = [(node["method"], split_url(str(node["url"]))) for node in nodes]
        if any(target is None or target[1][:1] != ("sobjects",) for _, target in targets):
            raise OrgFault("INVALID_INPUT", "a graph can call only sobjects resources")
        kinds = {(method, target[0], target[1][1:2]) for method, target in targets if target}
        if len(kinds) > MAX_KINDS:
            raise _limit(f"The graph has more than {MAX_KINDS} different kinds of node")
        if _depth(nodes) > MAX_DEPTH:
            raise _limit(f"The graph is deeper than {MAX_DEPTH}")


def _depth(nodes: list[dict[str, Any]]) -> int:
    depths: dict[str, int] = {}
    for node in nodes:
        text = json.dumps([node["url"], node.get("body")])
        above = [depths.get(found.group(1), 0) for found in _REFERENCE.finditer(text)]
        depths[node["referenceId"]] = 1 + max(above, default=0)
    return max(depths.values(), default=0)


def _all_halted(nodes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    reply = _halted("Too many graphs have failed; the rest was not processed.")
    return [
        {
            "body": reply.body,
            "httpHeaders": {},
            "httpStatusCode": reply.status,
            "referenceId": node["referenceId"],
        }
        for node in nodes
    ]


def _halted(message: str) -> ApiReply:
    return ApiReply(400, OrgFault("PROCESSING_HALTED", message).row_body())


def _limit(message: str) -> OrgFault:
    return OrgFault("LIMIT_EXCEEDED", message)


def _filled(value: Any, replies: Mapping[str, ApiReply]) -> Any:
    """The value with every `@{reference.path}` replaced."""
    if isinstance(value, dict):
        return {name: _filled(one, replies) for name, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, replies) for one in value]
    if not isinstance(value, str):
        return value
    whole = _REFERENCE.fullmatch(value)
    if whole:
        return _looked_up(whole, replies)
    return _REFERENCE.sub(lambda found: str(_looked_up(found, replies)), value)


def _looked_up(found: re.Match[str], replies: Mapping[str, ApiReply]) -> Any:
    name, path = found.groups()
    reply = replies.get(name)
    missing = _MissingReferenceError(
        f"Invalid reference specified. No value for {name}{path} found in {name}. Provided "
        "reference must be to a previous subrequest that succeeded."
    )
    if reply is None or reply.status >= 300:
        raise missing
    value = reply.body
    for field, index in _STEP.findall(path):
        try:
            value = value[field] if field else value[int(index)]
        except (KeyError, IndexError, TypeError):
            raise missing from None
    return value
