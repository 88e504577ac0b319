"""What a write brought, record by record: the same for both CRM systems."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from baton.errors import AmbiguousOutcomeError, GatewayError, RecordError, UnavailableError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class WriteResult:
    """The fate of one record.

    `key` is what the caller asked by (a record id or an external key), `id` the other side's
    record id. `created` is None where the other side does not say. `error` is a RecordError when
    this record was refused, a GatewayError when its whole batch failed after an earlier batch of
    the same call had been carried out (a call whose first batch fails raises instead).
    """

    key: str
    ok: bool
    id: str | None = None
    created: bool | None = None
    error: RecordError | GatewayError | None = None


def batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Cut `items` into pieces of at most `size`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def write_in_batches(
    items: Sequence[T],
    size: int,
    key_of: Callable[[T], str],
    write: Callable[[Sequence[T]], dict[str, WriteResult]],
) -> dict[str, WriteResult]:
    """Write batch by batch, losing no result when a later batch fails.

    Raises the GatewayError when the first batch fails. When a later one does, its records carry
    that error; the batches after it are not sent and carry the error as well.
    """
    results: dict[str, WriteResult] = {}
    failure: GatewayError | None = None
    for batch in batches(items, size):
        if failure is None:
            try:
                results |= write(batch)
                continue
            except GatewayError as error:
                if not results:
                    raise
                failure = error
        results |= {key_of(one): WriteResult(key_of(one), ok=False, error=failure) for one in batch}
        failure = _not_sent(failure)
    return results


def _not_sent(failure: GatewayError) -> GatewayError:
    """Batches after an ambiguous one were never sent: their outcome is known, they are undone."""
    if isinstance(failure, AmbiguousOutcomeError):
        return UnavailableError(failure.connection, "not sent: the batch before had no answer")
    return failure
