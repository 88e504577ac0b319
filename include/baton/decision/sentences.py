"""Sentences that say what was decided: the same words for one lead and for many at once."""

from __future__ import annotations

from collections.abc import Iterable

from baton.decision.package import points_in_words
from baton.leads.verdict import Failure
from baton.routing.ladder import Owner, Route

SCORE_REACHED_BAND = "the score reached the band"


def in_one(failures: Iterable[Failure]) -> str:
    """Say everything that is wrong with the data."""
    return "; ".join(failure.message for failure in failures)


def not_good_enough(why: str, failures: Iterable[Failure]) -> str:
    """Say what a handoff lacks; `why` names the trigger or the band that asks for it."""
    return f"not good enough for {why}: {in_one(failures)}"


def below_threshold(total_milli: int, band: str) -> str:
    """Say that nothing asks for a handoff."""
    return f"{points_in_words(total_milli)} points ({band}) and no trigger: stays with marketing"


def run_is_full(limit: int) -> str:
    """Say that a run has made as many handoffs as it may."""
    return f"this run has made {limit} handoffs already; the rest waits for a person"


def nobody_found(found: Route) -> str:
    """Say why the ladder led to nobody: what its last step noted."""
    return "nobody could be found: " + found.trace[-1].text


def goes_to(because: str, owner: Owner) -> str:
    """Say who gets a lead, and why it is handed off."""
    return f"{because}; goes to {owner.kind} {owner.key}"
