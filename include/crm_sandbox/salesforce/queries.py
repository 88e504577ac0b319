"""Calls that run SOQL, and the cursors behind their pages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from crm_sandbox.salesforce.api import ApiCall, ApiReply, Route
from crm_sandbox.salesforce.errors import OrgFault
from crm_sandbox.salesforce.ids import make_id
from crm_sandbox.salesforce.org import Org
from crm_sandbox.salesforce.soql.engine import Engine, Result
from crm_sandbox.salesforce.soql.syntax import malformed

MIN_PAGE, MAX_PAGE = 200, 2000
_LIFE = timedelta(days=2)
_OPEN_AT_ONCE = 10
_BATCH_SIZE = re.compile(r"batchSize\s*=\s*(\d+)", re.IGNORECASE)


@dataclass(slots=True)
class _Cursor:
    result: Result
    size: int
    opened: datetime
    finished: bool = False


class Queries:
    """Answers `query`, `queryAll` and the pages that follow."""

    def __init__(self, org: Org, *, short_pages: bool = True) -> None:
        """With `short_pages` some pages hold fewer records than asked for, as real ones may."""
        self._org = org
        self._engine = Engine(org.store)
        self._short_pages = short_pages
        self._cursors: dict[str, _Cursor] = {}
        self._opened = 0

    def routes(self) -> list[Route]:
        """The paths this class answers."""
        return [
            Route("query", {"GET": self._query}),
            Route("queryAll", {"GET": self._query_all}),
            Route("query/{locator}", {"GET": self._more}),
            Route("queryAll/{locator}", {"GET": self._more}),
        ]

    def _query(self, call: ApiCall) -> ApiReply:
        return self._run(call, include_deleted=False)

    def _query_all(self, call: ApiCall) -> ApiReply:
        return self._run(call, include_deleted=True)

    def _run(self, call: ApiCall, *, include_deleted: bool) -> ApiReply:
        text = call.query.get("q")
        if not text:
            raise malformed("A query string has to be specified")
        now = self._org.clock.now()
        result = self._engine.run(text, now=now, include_deleted=include_deleted)
        size = _page_size(call)
        if len(result.records) <= size:
            shown = [result.show(one, call.base) for one in result.records]
            return ApiReply(200, {"totalSize": result.total, "done": True, "records": shown})
        cursor = _Cursor(result, size, now)
        return self._page(call, self._open(cursor), cursor, 0)

    def _more(self, call: ApiCall, locator: str) -> ApiReply:
        name, _, offset = locator.partition("-")
        cursor = self._cursors.get(name)
        if cursor is None or not offset.isdigit() or self._org.clock.now() - cursor.opened > _LIFE:
            raise OrgFault("INVALID_QUERY_LOCATOR", "invalid query locator")
        if int(offset) > len(cursor.result.records):
            raise OrgFault("INVALID_QUERY_LOCATOR", "invalid query locator")
        return self._page(call, name, cursor, int(offset))

    def _page(self, call: ApiCall, name: str, cursor: _Cursor, offset: int) -> ApiReply:
        records = cursor.result.records
        end = min(offset + self._length(cursor, offset), len(records))
        body: dict[str, Any] = {
            "totalSize": cursor.result.total,
            "done": end == len(records),
            "records": [cursor.result.show(one, call.base) for one in records[offset:end]],
        }
        if end < len(records):
            body["nextRecordsUrl"] = f"{call.base}/query/{name}-{end}"
        else:
            cursor.finished = True
        return ApiReply(200, body)

    def _length(self, cursor: _Cursor, offset: int) -> int:
        # The second page falls short by a tenth: clients must go by `done`, never by a count.
        second = offset == cursor.size
        return cursor.size - cursor.size // 10 if second and self._short_pages else cursor.size

    def _open(self, cursor: _Cursor) -> str:
        unfinished = [name for name, one in self._cursors.items() if not one.finished]
        for name in unfinished[: max(0, len(unfinished) - _OPEN_AT_ONCE + 1)]:
            del self._cursors[name]
        for name in list(self._cursors)[: max(0, len(self._cursors) - 5 * _OPEN_AT_ONCE)]:
            del self._cursors[name]
        self._opened += 1
        name = make_id("0r8", self._opened)
        self._cursors[name] = cursor
        return name


def _page_size(call: ApiCall) -> int:
    found = _BATCH_SIZE.search(call.headers.get("sforce-query-options", ""))
    return min(max(int(found.group(1)), MIN_PAGE), MAX_PAGE) if found else MAX_PAGE
