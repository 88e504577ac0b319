"""What sales does with a lead, in words: response times, least work, reason codes, help for the rep."""

from __future__ import annotations

from baton.policy.actions import MustGive, ReturnTo
from baton.policy.conditions import ALWAYS, Condition
from baton.policy.document_frame import clocks
from baton.policy.document_leads import spoken
from baton.policy.document_parts import Block, Bullets, Grid, Heading, Section, Text
from baton.policy.models import Disposition, Outcome, Policy
from baton.policy.wording import (
    action_in_words,
    condition_in_words,
    counted,
    return_in_words,
    sentence,
)

_OUTCOMES = {
    Outcome.ACCEPTED: "accepted",
    Outcome.RECYCLE: "back to marketing",
    Outcome.DISQUALIFIED: "closed",
}


def response_times(policy: Policy) -> Section:
    """Return the response clock of each trigger and band, and what happens when it runs out."""
    labels = {one.id: one.label for one in policy.triggers.values()}
    rows = tuple(
        (labels.get(key, f"Band {key}" if key in policy.bands else key), *clocks(terms))
        for key, terms in policy.sla.items()
    )
    grid = Grid(
        "Response times and what happens when they pass",
        ("For", "A person answers within", "The owner is reminded after", "The manager is told after",
         "Somebody else gets it after"),
        rows,
    )  # fmt: skip
    items = [
        (
            "The clock begins when the lead has its owner. A lead keeps the terms with which it was "
            "handed over, even if the agreement changes meanwhile."
        ),
        "Working time counts only while the owner works; wall time counts every minute.",
        "A trigger without a line of its own takes that of its band.",
        (
            "Whoever has the customer, the opportunity, or an account whose rule says so keeps the "
            "lead when the clock runs out: their manager is told instead."
        ),
        (
            f"A lead changes hands at most {counted(policy.guards.hops_per_handoff, 'time')} within one "
            "handoff; nobody gets it twice."
        ),
    ]
    return Section("Response times", (grid, Bullets(tuple(items))) if rows else ())


def work(policy: Policy) -> Section:
    """Return the least that sales does with every lead."""
    standard = policy.work
    text = (
        f"Before a lead may be given up, sales tries at least "
        f"{counted(standard.minimum_touches, 'time')} over {counted(standard.over_days, 'day')}."
    )
    blocks: list[Block] = [Text(text)]
    if standard.cadence:
        blocks.append(Bullets(tuple(sentence(step) for step in standard.cadence)))
    return Section("The least work", tuple(blocks))


def reason_codes(policy: Policy) -> Section:
    """Return what the rep may answer, and what follows from each answer."""
    head = ("The rep chooses", "Means", "What follows", "Comes back", "To whom", "Conditions")
    rows = tuple(_reason(one) for one in policy.dispositions.values())
    intro = Text("Every handoff ends with one of these. Each leads somewhere; no answer from the "
                 "buyer is never an end.")  # fmt: skip
    return Section(
        "Reason codes",
        (intro, Grid("What the rep may answer, and what follows", head, rows)) if rows else (),
    )


def _reason(one: Disposition) -> tuple[str, ...]:
    return (
        one.rep_sees,
        _OUTCOMES[one.outcome],
        _follows(one),
        _returns(one),
        {ReturnTo.SAME_REP: "the same rep", ReturnTo.FRESH: "somebody else"}.get(one.to, "")
        if one.to
        else "",
        "; ".join(_conditions(one)),
    )


def _follows(one: Disposition) -> str:
    text = action_in_words(one.action)
    return sentence(f"{text} ({spoken(one.say)})" if one.say else text)


def _returns(one: Disposition) -> str:
    if one.returns is not None:
        return return_in_words(one.returns)
    return f"after {counted(one.return_days, 'day')}" if one.return_days else ""


def _conditions(one: Disposition) -> list[str]:
    found = []
    if one.must_give is MustGive.DATE:
        found.append("the rep gives a date")
    if one.allowed_after is not None:
        touches = counted(one.allowed_after.touches, "touch", "touches")
        found.append(f"only after {touches} over {counted(one.allowed_after.days, 'day')}")
    if one.at_most is not None:
        then = f", then {action_in_words(one.then_after_cap)}" if one.then_after_cap else ""
        found.append(f"at most {counted(one.at_most, 'time')} in a row{then}")
    return found


def help_for_reps(policy: Policy) -> Section:
    """Return the suggested openings and the content that travels with a lead."""
    help_ = policy.enablement
    blocks: list[Block] = []
    if help_.openings:
        rows = tuple((spoken(one.say), _when(one.when)) for one in help_.openings)
        blocks += [
            Heading("A first sentence"),
            Grid("Suggested openings; the first that holds", ("The rep may say", "When"), rows),
        ]
    if help_.content:
        content = tuple(
            (spoken(one.title), "to send" if one.for_ == "send" else "to read",
             "always" if one.when == ALWAYS else condition_in_words(one.when), one.link or "")
            for one in help_.content
        )  # fmt: skip
        blocks += [
            Heading("Something to send or read"),
            Text(f"Every lead brings at most {counted(help_.show, 'piece')}, in this order."),
            Grid("Content for reps", ("Content", "For", "When", "Link"), content),
        ]
    return Section("Help for the rep", tuple(blocks))


def _when(condition: Condition) -> str:
    return "otherwise" if condition == ALWAYS else condition_in_words(condition)
