"""What all gateways share: the limiter's protocol, counting, retries by error type, redaction.

Nothing here knows a vendor. A gateway turns each outcome of a call into one of the types of
``baton.errors``; `retrying` then decides, from the type alone, whether to call again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_delay
from tenacity.stop import stop_after_attempt

from baton.errors import AmbiguousOutcomeError, RateLimitedError, UnavailableError

T = TypeVar("T")


class Lane(StrEnum):
    """How urgent a call is: who may still go when the day's calls run short.

    ``hot`` is what a hot lead waits for; ``normal`` all other daily work; ``background`` what
    may as well be done tomorrow (a backfill, a reconciliation, a first load).
    """

    HOT = "hot"
    NORMAL = "normal"
    BACKGROUND = "background"


_lane: ContextVar[Lane] = ContextVar("lane", default=Lane.NORMAL)


@contextmanager
def in_lane(lane: Lane) -> Iterator[None]:
    """Make all calls of this block go in `lane`. Not for the body of a generator."""
    before = _lane.set(lane)
    try:
        yield
    finally:
        _lane.reset(before)


def current_lane() -> Lane:
    """Return the lane of whoever is calling; ``normal`` unless `in_lane` says otherwise."""
    return _lane.get()


class RateLimiter(Protocol):
    """Keeps all workers together below the other side's limits."""

    def acquire(self, bucket: str, cost: int = 1, lane: Lane = Lane.NORMAL) -> None:
        """Wait until `cost` calls of `bucket` are allowed.

        Raises BudgetShortError when the rest of the day's calls is kept for hotter lanes.
        """
        ...

    def observe(self, bucket: str, remaining: int | None, limit: int | None) -> None:
        """Learn what the other side says is left of `bucket`, and what its limit is."""
        ...


class UnlimitedRate:
    """No limit at all: for tests and for servers that have none."""

    def acquire(self, bucket: str, cost: int = 1, lane: Lane = Lane.NORMAL) -> None:
        """Return at once."""

    def observe(self, bucket: str, remaining: int | None, limit: int | None) -> None:
        """Take no notice."""


@dataclass(frozen=True, slots=True)
class RetryTerms:
    """How long a gateway insists: attempts, total seconds, and the first pause in seconds.

    The total stays well below an effect's lease, so that a worker that insists keeps its lease.
    """

    attempts: int = 5
    total_seconds: float = 25.0
    first_pause: float = 0.25
    longest_pause: float = 10.0


def retrying(call: Callable[[], T], terms: RetryTerms, *, repeatable: bool) -> T:
    """Run `call`, again where that can help, and return its result or raise its last error.

    `repeatable` says that carrying the call out twice equals carrying it out once (reads, writes
    of absolute values, upserts by key): only then is an ambiguous outcome tried again. A daily
    limit, or a pause longer than the terms allow, is raised at once.
    """

    def again(error: BaseException) -> bool:
        if isinstance(error, RateLimitedError):
            return not error.daily and (error.retry_after or 0.0) <= terms.longest_pause
        if isinstance(error, AmbiguousOutcomeError):
            return repeatable
        return isinstance(error, UnavailableError)

    def pause(state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.retry_after if isinstance(error, RateLimitedError) else None
        grown = terms.first_pause * 2.0 ** (state.attempt_number - 1)
        return min(terms.longest_pause, asked if asked is not None else grown)

    loop = Retrying(
        retry=retry_if_exception(again),
        wait=pause,
        stop=stop_after_attempt(terms.attempts) | stop_after_delay(terms.total_seconds),
        reraise=True,
    )
    return loop(call)


def certificate_trouble(said: str, *, trust: str = "set SSL_CERT_FILE") -> str:
    """Say what is wrong with a server's certificate, and the mend.

    `said` is what the TLS library says; `trust` how a private CA comes to be trusted.
    """
    text = said.lower()
    if "mismatch" in text or "doesn't match" in text or "not valid for" in text:
        return (
            "its certificate is for another name; correct the connection's host, or ask who sits "
            "in between"
        )
    if "expired" in text:
        return "its certificate has expired; whoever runs the server must renew it"
    return f"its certificate is not trusted; check the connection's host; for a private CA {trust}"


_PERSONAL = re.compile(
    r"[^\s@\"<>:,;()\[\]{}=]+(?:@|%40)[^\s@\"'<>:,;()\[\]{}]+"  # e-mail
    r"|\+?\d[\d ()./-]{7,}\d"  # phone, also without a plus
)
_TAGS = re.compile(r"<[^>]*>")


def redact(text: str, limit: int = 300) -> str:
    """Return `text` fit for a log: no markup, no e-mail address, no phone number, not too long.

    Long digit strings go as well, so CRM ids that a message needs must be added apart.
    """
    plain = " ".join(_PERSONAL.sub("[…]", _TAGS.sub(" ", text)).split())
    return plain if len(plain) <= limit else f"{plain[: limit - 1]}…"
