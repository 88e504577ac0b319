"""What the policy requires of a lead's data: to be judged at all, and to be handed off."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from baton.leads.verdict import Failure
from baton.policy.models import Policy, Trigger


@dataclass(frozen=True, slots=True)
class Asked:
    """The labels that a handoff needs, and in words what asks for them: a trigger or a band."""

    labels: tuple[str, ...]
    why: str


def asked_by(policy: Policy, trigger: Trigger | None, band: str) -> Asked:
    """Return what a handoff needs because of the trigger, or where there is none of the band."""
    required = policy.required
    labels = [*required.get("always", ()), *(trigger.required if trigger else ())]
    labels += required.get(trigger.id if trigger else band, ())
    return Asked(tuple(dict.fromkeys(labels)), trigger.label if trigger else f"the band {band}")


def only_for_handoff(policy: Policy) -> frozenset[str]:
    """Return the labels that are required of some handoff, and not of every lead."""
    always = frozenset(policy.required.get("always", ()))
    return frozenset(label for labels in policy.required.values() for label in labels) - always


def of_everybody(failures: Sequence[Failure], policy: Policy) -> tuple[Failure, ...]:
    """Return the failures that forbid judging: all but those in what only a handoff requires."""
    for_handoff = only_for_handoff(policy)
    return tuple(failure for failure in failures if failure.label not in for_handoff)


def lacking(
    wanted: Sequence[str], failures: Sequence[Failure], has: Callable[[str], bool]
) -> tuple[Failure, ...]:
    """Return what is wrong with the labels in `wanted`: refused by validation, else not there.

    `has` tells whether a value is known.
    """
    judged = tuple(failure for failure in failures if failure.label in wanted)
    known_bad = {failure.label for failure in judged}
    missing = tuple(
        Failure(label, "required", f"{label} is missing")
        for label in wanted
        if label not in known_bad and not has(label)
    )
    return judged + missing
