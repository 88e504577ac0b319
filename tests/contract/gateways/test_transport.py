from __future__ import annotations

import pickle
from collections.abc import Callable

import pytest

from baton.errors import (
    AmbiguousOutcomeError,
    AuthenticationError,
    GatewayError,
    RateLimitedError,
    UnavailableError,
)
from baton.transport import RetryTerms, redact, retrying

QUICK = RetryTerms(attempts=3, total_seconds=5, first_pause=0.001, longest_pause=0.01)


def failing(*errors: GatewayError) -> tuple[Callable[[], str], list[int]]:
    left, calls = list(errors), []

    def call() -> str:
        calls.append(1)
        if left:
            raise left.pop(0)
        return "done"

    return call, calls


@pytest.mark.parametrize(
    "error",
    [
        UnavailableError("x", "503"),
        RateLimitedError("x", "429", retry_after=0.001),
    ],
)
def test_passing_trouble_is_tried_again(error: GatewayError) -> None:
    call, calls = failing(error, error)
    assert retrying(call, QUICK, repeatable=False) == "done"
    assert len(calls) == 3


def test_gives_up_with_the_last_error() -> None:
    call, calls = failing(*(UnavailableError("x", str(n)) for n in range(9)))
    with pytest.raises(UnavailableError, match="2"):
        retrying(call, QUICK, repeatable=True)
    assert len(calls) == 3


@pytest.mark.parametrize(
    "error",
    [
        AuthenticationError("x", "401"),
        RateLimitedError("x", "daily", daily=True),
        RateLimitedError("x", "later", retry_after=3600),
        AmbiguousOutcomeError("x", "sent"),
    ],
)
def test_what_cannot_get_better_is_raised_at_once(error: GatewayError) -> None:
    call, calls = failing(error)
    with pytest.raises(type(error)):
        retrying(call, QUICK, repeatable=False)
    assert len(calls) == 1


def test_an_ambiguous_outcome_is_repeated_only_where_that_is_harmless() -> None:
    call, calls = failing(AmbiguousOutcomeError("x", "sent"))
    assert retrying(call, QUICK, repeatable=True) == "done"
    assert len(calls) == 2


def test_waits_as_long_as_it_was_asked_to() -> None:
    import time

    call, _ = failing(RateLimitedError("x", "429", retry_after=0.2))
    begun = time.monotonic()
    retrying(call, RetryTerms(first_pause=0.001, longest_pause=1), repeatable=False)
    assert time.monotonic() - begun >= 0.2


def test_redaction() -> None:
    text = "<b>bad</b> address amélie.o'neill@acme.test (tel +49 30 123 4567-89, 0301234567)"
    shown = redact(text)
    assert "amélie" not in shown
    assert "acme.test" not in shown
    assert "123" not in shown
    assert "<b>" not in shown
    assert "address" in shown
    assert len(redact("x" * 999)) == 300


def test_errors_survive_pickling_between_processes() -> None:
    error = pickle.loads(pickle.dumps(RateLimitedError("x", "m", retry_after=3.0, daily=True)))
    assert (error.retry_after, error.daily, error.connection) == (3.0, True, "x")
