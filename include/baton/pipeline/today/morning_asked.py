"""What a person is asked about: batches that a limit holds back, and where the systems do not fit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from baton.pipeline.today.morning import Morning, Step, TodayItem, Tone
from baton.pipeline.today.morning_words import and_more, many, span

_KINDS: Final[Mapping[str, tuple[str, str]]] = {
    "handoff": ("handoff", "handoffs"),
    "reassignment": ("reassignment", "reassignments"),
    "message": ("message", "messages"),
    "write_back": ("write-back", "write-backs"),
}


def of_asked(morning: Morning) -> Iterator[TodayItem]:
    """Yield a line for each batch without an answer, one for all differences, one for all fields."""
    for batch, figures in morning.batches:
        held = [
            many(number, *_KINDS.get(kind, (kind, kind)))
            for kind, number in sorted(figures.by_kind.items())
        ]
        left = batch.deadline - morning.at
        then = "goes out" if batch.unanswered == "release" else "is kept back"
        yield TodayItem(
            id=f"batch-{batch.id}",
            step=Step.ROUTE,
            tone=Tone.BAD,
            title=f"Batch {batch.id} is held: {and_more(held)} wait for a yes or no",
            detail=f"Without an answer it {then} in {span(left)}. Answer in Airflow, where the run of "
            f"handoff_release asks, or with baton release --batch {batch.id}.",
            action="See the leads in it",
            link="review?tab=unrouted&reason=blast_radius",
        )
    if morning.differences:
        found = [
            f"{code.replace('_', ' ')} ({number})" for code, number in morning.differences.items()
        ]
        number = sum(morning.differences.values())
        yield TodayItem(
            id="differences",
            step=Step.LEARN,
            tone=Tone.WARN,
            title=f"HubSpot, Salesforce and the ledger disagree in {many(number, 'place', 'places')}",
            detail=f"{and_more(found)}. baton reconcile shows each with its repair.",
            action="See sync health",
            link="sync#reconciliation",
        )
    if morning.fields:
        yield TodayItem(
            id="fields",
            step=Step.DEFINE,
            tone=Tone.WARN,
            title=f"{many(len(morning.fields), 'field does', 'fields do')} not serve as the policy "
            f"maps {'it' if len(morning.fields) == 1 else 'them'}",
            detail=and_more([f"{one.connection}: {one.words}" for one in morning.fields], most=2)
            + ".",
            action="See how to mend them",
            link="sync",
        )
