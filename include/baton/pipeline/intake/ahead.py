"""Reading ahead: while one chunk is judged and recorded, the next one is fetched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

T = TypeVar("T")


def read_ahead(source: Iterable[T]) -> Iterator[T]:
    """Yield what `source` yields, in its order; a thread reads one item further than is worked on.

    What goes wrong while reading is raised in the place of the item that could not be read, so what
    came before is worked on and committed first. Whoever stops early waits for the one item that
    is being read. `source` must only read, and hold no transaction between two items; it runs in the
    lane of whoever asks for the next item.
    """
    items = iter(source)
    with ThreadPoolExecutor(1, thread_name_prefix="reads ahead") as thread:

        def begun() -> Future[tuple[T, ...]]:
            return thread.submit(copy_context().run, _next, items)

        coming = begun()
        while item := coming.result():
            coming = begun()
            yield item[0]


def _next(items: Iterator[T]) -> tuple[T, ...]:
    """Return the next item alone, or nothing at the end: no exception crosses into the thread."""
    for item in items:
        return (item,)
    return ()
