from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any

import pytest

from baton.crm.hubspot import Changed
from baton.errors import UnavailableError

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


class Gateway:
    """Answers each look with the next of these lists of hand raises, or its error."""

    def __init__(self, *answers: Any) -> None:
        self._answers: Iterator[Any] = iter(answers)

    def server_now(self) -> datetime:
        return NOW

    def hand_raises(self, _since: datetime) -> list[Changed]:
        answer = next(self._answers, [])
        if isinstance(answer, Exception):
            raise answer
        return answer


def events(monkeypatch: pytest.MonkeyPatch, gateway: Gateway, count: int) -> list[Any]:
    """Return the payloads of the first events that the trigger reports."""
    triggers = import_module("baton.orchestration.triggers")
    monkeypatch.setattr(triggers, "_gateway", lambda: gateway)

    async def watch() -> list[Any]:
        found: list[Any] = []
        async for event in triggers.HubSpotHandRaiseTrigger(seconds=0.001).run():
            found.append(event.payload)
            if len(found) == count:
                break
        return found

    return asyncio.run(asyncio.wait_for(watch(), 10))


def test_a_hand_raise_is_reported_once_even_at_the_first_look(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = Changed("501", NOW), Changed("502", NOW)
    gateway = Gateway([first], [first], [first, second], [Changed("501", NOW + timedelta(1))])

    assert events(monkeypatch, gateway, 3) == [{"changed": 1}] * 3


def test_an_error_is_waited_out_and_nothing_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = Gateway(UnavailableError("hubspot_default", "no answer"), [Changed("501", NOW)])

    assert events(monkeypatch, gateway, 1) == [{"changed": 1}]


def test_it_can_be_made_anew_from_what_it_says_of_itself() -> None:
    triggers = import_module("baton.orchestration.triggers")

    path, arguments = triggers.HubSpotHandRaiseTrigger(seconds=3.0).serialize()

    module, _, name = path.rpartition(".")
    again = getattr(import_module(module), name)(**arguments)
    assert again.serialize() == (path, {"seconds": 3.0})
