"""ORDER BY."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

_RECORD = TypeVar("_RECORD")


@dataclass(frozen=True, slots=True)
class Sorting:
    """One key: what to read, which way, and where empty values go.

    `exact` compares text by case, as ids need: two of them may differ by case alone.
    """

    read: Callable[[Any], Any]
    descending: bool = False
    nulls_last: bool = False
    exact: bool = False


def sort_rows(rows: list[_RECORD], keys: list[Sorting]) -> list[_RECORD]:
    """The rows in order; equal ones keep theirs."""
    for key in reversed(keys):
        rows = _by_one(rows, key)
    return rows


def _by_one(rows: list[_RECORD], key: Sorting) -> list[_RECORD]:
    read = key.read
    empty = [row for row in rows if read(row) is None]
    full = [row for row in rows if read(row) is not None]
    if key.exact:
        full.sort(key=read, reverse=key.descending)
    else:
        full.sort(key=lambda row: _comparable(read(row)), reverse=key.descending)
    return [*full, *empty] if key.nulls_last else [*empty, *full]


def _comparable(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value
