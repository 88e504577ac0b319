"""The search request: read, checked, and answered from the index."""

from __future__ import annotations

import heapq
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from crm_sandbox.hubspot.conditions import (
    Filter,
    Test,
    bounds,
    converter,
    epoch,
    number_test,
    read_filter,
    value_test,
    whole_number,
)
from crm_sandbox.hubspot.errors import fault, invalid
from crm_sandbox.hubspot.index import HIGH, LOW, Document, SearchIndex, Window
from crm_sandbox.hubspot.properties import PropertyBook

PAGE_DEFAULT, PAGE_MAX, CEILING = 10, 200, 10_000
_MAX_GROUPS, _MAX_PER_GROUP, _MAX_FILTERS, _MAX_QUERY = 5, 6, 18, 3000
_WORD = re.compile(r"[a-z0-9]+")

Associated = Callable[[str, str], frozenset[int]]


@dataclass(frozen=True, slots=True)
class Query:
    """A search request in normal form."""

    groups: tuple[tuple[Filter, ...], ...]
    text: str
    sort: str | None
    descending: bool
    limit: int
    after: int


@dataclass(frozen=True, slots=True)
class Found:
    """The answer: how many there are in all, and the ids of this page."""

    total: int
    numbers: list[int]


def read_query(body: Mapping[str, Any]) -> Query:
    """Read a search body. Raises PortalFault 400 with what is wrong."""
    groups = _read_groups(body)
    text = str(body.get("query") or "")
    if len(text) > _MAX_QUERY:
        raise invalid(f"The query is longer than {_MAX_QUERY} characters.")
    sort, descending = _read_sort(body.get("sorts") or [])
    limit = _whole(body.get("limit", PAGE_DEFAULT), "limit")
    after = _whole(body.get("after") or 0, "after")
    if not 0 <= limit <= PAGE_MAX:
        raise invalid(f"limit must be between 0 and {PAGE_MAX}, not {limit}")
    if after < 0 or after + limit > CEILING:
        raise invalid(
            f"Paging past {CEILING} results of one query is not supported: "
            f"after ({after}) + limit ({limit}) is more than {CEILING}."
        )
    return Query(groups, text, sort, descending, limit, after)


def _whole(raw: object, name: str) -> int:
    try:
        return int(str(raw))
    except ValueError:
        raise invalid(f"{name} must be a whole number, not '{raw}'") from None


def _read_groups(body: Mapping[str, Any]) -> tuple[tuple[Filter, ...], ...]:
    raw = list(body.get("filterGroups") or [])
    if body.get("filters"):
        raw.append({"filters": body["filters"]})
    groups = tuple(tuple(read_filter(item) for item in group.get("filters") or []) for group in raw)
    if len(groups) > _MAX_GROUPS:
        raise invalid(f"There are {len(groups)} filterGroups; at most {_MAX_GROUPS} are allowed.")
    if any(len(group) > _MAX_PER_GROUP for group in groups):
        raise invalid(f"A filterGroup may hold at most {_MAX_PER_GROUP} filters.")
    if sum(len(group) for group in groups) > _MAX_FILTERS:
        raise invalid(f"A search may hold at most {_MAX_FILTERS} filters.")
    return groups


def _read_sort(raw: Iterable[Any]) -> tuple[str | None, bool]:
    for item in raw:
        if isinstance(item, str):
            return item.removeprefix("-"), item.startswith("-")
        return str(item.get("propertyName")), item.get("direction") == "DESCENDING"
    return None, False


class Searcher:
    """Answers queries over the index of one object type."""

    def __init__(
        self,
        index: SearchIndex,
        book: PropertyBook,
        *,
        dead: frozenset[str],
        text_fields: tuple[str, ...],
        associated: Associated,
    ) -> None:
        """`dead` are properties that exist but match nothing when searched.

        `text_fields` are looked at by `query`; `associated(type name, id)` gives the ids of this
        type's records that are associated with that record.
        """
        self._index = index
        self._book = book
        self._dead = dead
        self._text_fields = text_fields
        self._associated = associated

    def run(self, query: Query) -> Found:
        """The page of a query. Raises PortalFault for a property or value search cannot use."""
        if query.sort is not None and query.sort not in self._book:
            raise invalid(f"There is no property '{query.sort}' to sort by.")
        matched = list(self._matching(query))
        end = query.after + query.limit
        key = self._key(query)
        if query.descending:
            top = heapq.nlargest(end, matched, key=key)
        elif query.sort == "hs_object_id":
            top = sorted(matched)
        else:
            top = heapq.nsmallest(end, matched, key=key)
        return Found(len(matched), top[query.after : end])

    def _key(self, query: Query) -> Callable[[int], Any]:
        documents = self._index.documents
        name = query.sort or "createdate"
        if name == "hs_object_id":
            return lambda number: number
        if name in self._index.ordered:
            return lambda number: (documents[number].moments.get(name, LOW), number)
        convert = converter(self._book.require(name))

        def key(number: int) -> tuple[bool, Any, int]:
            text = documents[number].values.get(name)
            value = convert(text) if text else None
            return (value is not None, value if value is not None else 0, number)

        return key

    def _matching(self, query: Query) -> Iterator[int]:
        texts = _WORD.findall(query.text.lower())
        groups = query.groups or ((),)
        plans = [(self._window(group), self._tests(group)) for group in groups]
        documents = self._index.documents
        seen: set[int] = set()
        for window, tests in plans:
            for number in window.numbers():
                document = documents[number]
                if not all(test(document) for test in tests):
                    continue
                if texts and not self._has_words(document, texts):
                    continue
                if len(plans) > 1:
                    if number in seen:
                        continue
                    seen.add(number)
                yield number

    def _has_words(self, document: Document, words: list[str]) -> bool:
        text = " ".join(document.values.get(name) or "" for name in self._text_fields).lower()
        tokens = _WORD.findall(text)
        return all(any(token.startswith(word) for token in tokens) for word in words)

    def _window(self, group: tuple[Filter, ...]) -> Window:
        """The smallest part of the index that holds every document the group can match."""
        windows = [self._index.ids_window(LOW, HIGH)]
        for item in group:
            narrower = self._narrower(item)
            if narrower is not None:
                windows.append(narrower)
        return min(windows, key=lambda window: window.size)

    def _narrower(self, item: Filter) -> Window | None:
        index = self._index
        if item.name.startswith("associations."):
            return index.only(self._associated(item.name.split(".", 1)[1], item.value or ""))
        if item.name == "hs_object_id":
            return index.ids_window(*bounds(item, whole_number))
        if item.name in index.ordered:
            return index.window(item.name, *bounds(item, epoch))
        if item.name in index.keyed and item.operator in ("EQ", "IN"):
            values = item.values if item.operator == "IN" else (item.value or "",)
            return index.key_window(item.name, values)
        return None

    def _tests(self, group: tuple[Filter, ...]) -> list[Test]:
        return [self._test(item) for item in group]

    def _test(self, item: Filter) -> Test:
        if item.name.startswith("associations."):
            wanted = self._associated(item.name.split(".", 1)[1], item.value or "")
            return lambda document: document.number in wanted
        definition = self._book.get(item.name)
        if definition is None:
            raise invalid(
                f"There was a problem with the request: property '{item.name}' does not exist."
            )
        if item.name in self._dead:
            return lambda document: False
        if item.name == "hs_object_id":
            return number_test(item, lambda document: document.number)
        if item.name in self._index.ordered:
            if item.name.endswith("lastmodifieddate") and item.value in ("0", "1970-01-01"):
                raise fault(500, "internal error")
            name = item.name
            return number_test(item, lambda document: document.moments.get(name), epoch)
        return value_test(item, definition)
