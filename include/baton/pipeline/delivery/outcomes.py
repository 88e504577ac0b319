"""What can become of an effect once it has been tried, and how errors translate into that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from baton.errors import (
    AmbiguousOutcomeError,
    BatonError,
    BudgetShortError,
    InvalidRecordError,
    RateLimitedError,
    RejectedRecordError,
    RetriableGatewayError,
    RetriableRecordError,
)

FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(minutes=30)
MOST_ATTEMPTS = 12
"""Twelve tries with doubling waits span about four hours; after that a person must look (P61)."""


@dataclass(frozen=True, slots=True)
class Done:
    """Carried out, or found to have been carried out before. `result` holds ids, nothing personal."""

    result: Mapping[str, str] = field(default_factory=dict)
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Retry:
    """Not carried out; try again after `after`."""

    code: str
    message: str
    after: timedelta


@dataclass(frozen=True, slots=True)
class Failed:
    """Not carried out and never will be as it stands. `state` is rejected, invalid or dead."""

    state: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """Sent, answer lost: to be read back before anything else happens to it."""

    code: str
    message: str


Outcome = Done | Retry | Failed | Ambiguous


def wait_after(attempts: int) -> timedelta:
    """Return the pause before the next try: 5 s, doubled each time, at most half an hour."""
    doubled: timedelta = FIRST_WAIT * (1 << min(attempts, 16))
    return min(doubled, LONGEST_WAIT)


def outcome_of(error: BatonError, attempts: int, *, repeatable: bool) -> Outcome:
    """Translate an error met while carrying out an effect.

    Args:
        error: what the gateway raised or reported for the record.
        attempts: how many times the effect has been tried, this time included.
        repeatable: whether the write may be sent again without harm (an upsert by a unique key).

    Raises:
        BatonError: the error itself, when it concerns the whole connection and not this effect.
    """
    code = getattr(error, "code", type(error).__name__)
    text = str(error)
    if isinstance(error, InvalidRecordError):
        return Failed("invalid", code, text)
    if isinstance(error, RejectedRecordError):
        return Failed("rejected", code, text)
    if isinstance(error, AmbiguousOutcomeError) and not repeatable:
        return Ambiguous(code, text)
    if isinstance(error, RetriableGatewayError | RetriableRecordError):
        return _retry(error, code, text, attempts)
    raise error


def _retry(error: BatonError, code: str, text: str, attempts: int) -> Outcome:
    # A day whose calls are used up is no fault of the effect.
    if attempts >= MOST_ATTEMPTS and not isinstance(error, BudgetShortError):
        return Failed("dead", code, f"{text} (tried {attempts} times)")
    if isinstance(error, RateLimitedError) and error.retry_after is not None:
        return Retry(code, text, timedelta(seconds=error.retry_after))
    return Retry(code, text, wait_after(attempts))
