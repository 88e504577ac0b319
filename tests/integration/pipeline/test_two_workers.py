"""Where there is more than one group to carry out, one drain has two workers: nothing else changes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

import pytest
from tests.integration.pipeline.relay import Relay

from baton.errors import AuthenticationError
from baton.ledger.effects.outbox import ClaimedEffect
from baton.pipeline.context import Context
from baton.pipeline.delivery import deliver
from baton.pipeline.delivery.outcomes import Outcome
from baton.pipeline.judging.qualify import qualify_and_route

KIND = "salesforce_record"
Carrying = Callable[[bool, Sequence[ClaimedEffect]], None]


@pytest.fixture
def handed_over(relay: Relay, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Seven leads that are to be written, in groups of two."""
    monkeypatch.setattr(deliver, "GROUP", 2)
    contacts = [relay.hot_contact() for _ in range(7)]
    qualify_and_route(relay.ctx)
    return contacts


def around(monkeypatch: pytest.MonkeyPatch, carrying: Carrying) -> None:
    """Call `carrying` before each group of records, with whether the second worker has it."""
    write, first = deliver.CARRIERS[KIND], threading.current_thread()

    def watched(ctx: Context, effects: Sequence[ClaimedEffect]) -> dict[int, Outcome]:
        carrying(threading.current_thread() is not first, effects)
        return write(ctx, effects)

    monkeypatch.setitem(deliver.CARRIERS, KIND, watched)


def at_the_end(monkeypatch: pytest.MonkeyPatch, told: Callable[[], None]) -> None:
    """Call `told` when the drain gives up its thread, which it then waits for."""

    class Told(deliver.ThreadPoolExecutor):
        def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
            told()
            super().shutdown(wait, cancel_futures=cancel_futures)

    monkeypatch.setattr(deliver, "ThreadPoolExecutor", Told)


def when_waited_for(monkeypatch: pytest.MonkeyPatch, told: Callable[[], None]) -> None:
    """Call `told` when the first worker has nothing more to do and waits for the second one."""

    class Heard(deliver.ThreadPoolExecutor):
        def submit(self, *work: Any) -> Future[Any]:
            found = super().submit(*work)
            result = found.result

            def waited(timeout: float | None = None) -> Any:
                told()
                return result(timeout)

            monkeypatch.setattr(found, "result", waited)
            return found

    monkeypatch.setattr(deliver, "ThreadPoolExecutor", Heard)


def test_two_workers_share_the_groups(
    relay: Relay, handed_over: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[bool, int]] = []
    helped = threading.Event()

    def carrying(second: bool, effects: Sequence[ClaimedEffect]) -> None:
        seen.append((second, len(effects)))
        if second:
            helped.set()
        assert helped.wait(10)

    around(monkeypatch, carrying)
    report = deliver.deliver_and_notify(relay.ctx)

    assert {second for second, _ in seen} == {True, False}
    assert sum(count for _, count in seen) == len(handed_over)
    assert report[f"{KIND} done"] == report["salesforce_task done"] == len(handed_over)
    assert {relay.handoff(contact)["state"] for contact in handed_over} == {"notified"}
    assert len(list(relay.org.rows("Lead"))) == len(relay.tasks()) == len(handed_over)
    assert len(relay.messages()) == len(handed_over)


def test_messages_that_wait_for_the_second_workers_last_group_go_out_in_the_same_run(
    relay: Relay, handed_over: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    helped, alone = threading.Event(), threading.Event()

    def carrying(second: bool, _effects: Sequence[ClaimedEffect]) -> None:
        if second:
            helped.set()
            assert alone.wait(10)  # until the first one finds nothing more to do
        assert helped.wait(10)

    when_waited_for(monkeypatch, alone.set)
    around(monkeypatch, carrying)
    deliver.deliver_and_notify(relay.ctx)

    assert len(relay.messages()) == len(handed_over)


def test_a_refusal_met_by_the_second_worker_is_raised(
    relay: Relay, handed_over: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    helped = threading.Event()

    def carrying(second: bool, _effects: Sequence[ClaimedEffect]) -> None:
        if second:
            helped.set()
            raise AuthenticationError("salesforce_default", "no such user")
        assert helped.wait(10)

    around(monkeypatch, carrying)
    with pytest.raises(AuthenticationError):
        deliver.drain(relay.ctx, [KIND])

    states = [row["state"] for row in relay.effects(kind=KIND)]
    assert sorted(set(states)) == ["done", "waiting"]
    assert states.count("waiting") == 2  # the group that was refused; nothing is lost


def test_who_is_stopped_stops_the_second_worker_too(
    relay: Relay, handed_over: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    groups: list[bool] = []
    helped, stopped = threading.Event(), threading.Event()

    def carrying(second: bool, _effects: Sequence[ClaimedEffect]) -> None:
        groups.append(second)
        if second:
            helped.set()
            assert stopped.wait(10)
        else:
            assert helped.wait(10)
            raise KeyboardInterrupt

    at_the_end(monkeypatch, stopped.set)
    around(monkeypatch, carrying)
    with pytest.raises(KeyboardInterrupt):
        deliver.drain(relay.ctx, [KIND])

    assert groups.count(True) == 1
    assert len(list(relay.org.rows("Lead"))) == 2


def test_who_is_stopped_while_waiting_for_the_second_worker_stops_it_too(
    relay: Relay, handed_over: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    helped, stopped = threading.Event(), threading.Event()

    def carrying(second: bool, _effects: Sequence[ClaimedEffect]) -> None:
        if second:
            helped.set()
            assert stopped.wait(10)
        assert helped.wait(10)

    def stop() -> None:
        raise KeyboardInterrupt

    when_waited_for(monkeypatch, stop)
    at_the_end(monkeypatch, stopped.set)
    around(monkeypatch, carrying)
    with pytest.raises(KeyboardInterrupt):
        deliver.deliver_and_notify(relay.ctx)

    assert len(list(relay.org.rows("Lead"))) == len(handed_over)
    assert len(relay.tasks()) == len(handed_over) - 2, "it finishes its group and takes no other"
