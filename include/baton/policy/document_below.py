"""What is not handed off, in words: below the line, never, not allowed; and that nothing waits for ever."""

from __future__ import annotations

from collections.abc import Iterator

from baton.policy.conditions import Condition
from baton.policy.document_leads import spoken
from baton.policy.document_parts import Block, Bullets, Grid, Heading, Section, Text
from baton.policy.models import Policy, TimerAction
from baton.policy.wording import condition_in_words, joined, sentence

_STATES = {
    "seen": "just seen, not judged yet",
    "quarantined": "set aside because data is missing or wrong",
    "suppressed": "never to be handed off as things stand",
    "nurture": "with marketing",
    "held": "held for a person or a fact",
    "in_handoff": "with sales",
    "recycled": "given back by sales, to return",
    "customer": "a customer's",
    "disqualified": "not for us",
}
_ACTIONS = {
    TimerAction.ALARM: "an alarm is raised",
    TimerAction.NURTURE: "it goes to marketing",
    TimerAction.JUDGE_AGAIN: "it is judged again",
    TimerAction.MARK_COLD: "it is marked cold",
    TimerAction.ROUTE_TO_FALLBACK: "it is routed all the same, at worst to the watched queue",
}


def below_the_line(policy: Policy) -> Section:
    """Return what happens to leads that do not reach the line."""
    below = [band.name for band in policy.bands_high_to_low if not band.hands_off]
    nurture = policy.timers.nurture
    items = [
        f"Leads of the {'bands' if len(below) > 1 else 'band'} {joined(below)} stay with marketing, "
        "with their score and its reasons, until the score reaches the line or a trigger fires."
        if below
        else "Every band goes to sales.",
        sentence(f"without anything new for {nurture.after}, {_ACTIONS[nurture.then]}"),
        (
            "A lead that sales gave back does not return for the same score: it must do something new, "
            "drop and rise again, or reach the date that was agreed."
        ),
    ]
    return Section("What happens below the line", (Bullets(tuple(items)),))


def never(policy: Policy) -> Section:
    """Return who is never handed off, and what each permission stops."""
    blocks: list[Block] = []
    if policy.suppress:
        rows = tuple(
            (one.id.replace("_", " "), condition_in_words(one.when), spoken(one.say))
            for one in policy.suppress
        )
        blocks.append(Grid("Reasons, in order", ("Reason", "Holds when", "What is said"), rows))
        blocks.append(Text("The first that holds is the reason. When the facts change, the lead is "
                           "judged again."))  # fmt: skip
    allowed = tuple(_permissions(policy))
    if allowed:
        blocks += [Heading("Three permissions, kept apart"), Bullets(allowed)]
    return Section("Who is never handed off", tuple(blocks))


def _permissions(policy: Policy) -> Iterator[str]:
    wanted = policy.permission
    for condition, what in (
        (wanted.hand_off_unless, "A lead is not handed to sales"),
        (wanted.email_unless, "A lead may not be e-mailed for marketing"),
        (wanted.call_unless, "A lead may not be called"),
    ):
        if isinstance(condition, Condition):
            yield f"{what} when {condition_in_words(condition)}."
    if wanted.email_unless is not None:
        yield "An opt-out of e-mail does not stop a handoff: who asks for a demo is answered."


def timers(policy: Policy) -> Section:
    """Return how long a lead may stay in each state, and what happens then."""
    rows = []
    for name in type(policy.timers).model_fields:
        timer = getattr(policy.timers, name)
        state = _STATES.get(name, name.replace("_", " "))
        rows.append((sentence(state).rstrip("."), str(timer.after), _ACTIONS[timer.then]))
    grid = Grid(
        "How long a lead may wait", ("A lead that is", "Waits at most", "Then"), tuple(rows)
    )
    intro = Text("No lead stays anywhere for ever. These are the longest waits; dates and clocks of "
                 "its own come earlier.")  # fmt: skip
    return Section("Nothing waits for ever", (intro, grid))
