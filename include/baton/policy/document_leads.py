"""What a qualified lead is, in words: fit, intent, bands, triggers, and the data that must be there."""

from __future__ import annotations

import re
from collections.abc import Iterable

from baton.policy.document_frame import ROLE
from baton.policy.document_parts import Block, Bullets, Grid, Heading, Section, Text
from baton.policy.models import Band, Policy, ScoreRule, Trigger
from baton.policy.wording import (
    condition_in_words,
    counted,
    edge_in_words,
    joined,
    points_in_words,
    sentence,
)

_SLOT = re.compile(r"\{([^{}]+)\}")


def spoken(template: str) -> str:
    """Return the words that a rep reads, with ‹Label› where the value will stand."""
    return _SLOT.sub(r"‹\1›", template)


def qualified(policy: Policy) -> Section:
    """Return what makes a lead qualified."""
    blocks: list[Block] = [
        Text(
            "A lead is qualified when who they are (fit) and what they do and say (intent) together "
            "reach the line, or when a trigger fires. Points of both halves are added up; the rep "
            "reads each reason beside its points."
        )
    ]
    for title, rules in (("Fit: who they are", policy.scoring.fit),
                         ("Intent: what they did and said", policy.scoring.intent)):  # fmt: skip
        if rules:
            blocks += [Heading(title), _points(title, rules)]
    ceilings = tuple(
        f"The rules of the group “{group.name}” together give at most "
        f"{points_in_words(group.at_most)} points."
        for group in policy.groups.values()
    )
    if ceilings:
        blocks.append(Bullets(ceilings))
    blocks += [Heading("Bands: what a score means"), _bands(policy)]
    if policy.triggers:
        blocks += [
            Heading("Triggers: events that count on their own"),
            Text("Strongest first. A trigger fires once for each such event."),
            Bullets(tuple(_trigger(one) for one in policy.triggers_strongest_first)),
        ]
    return Section("What is a qualified lead?", tuple(blocks))


def _points(title: str, rules: Iterable[ScoreRule]) -> Grid:
    return Grid(
        title.split(":", maxsplit=1)[0] + ": the rules",
        ("What the rep reads", "Points", "Counts when", "And"),
        tuple((spoken(r.say), _sign(r), condition_in_words(r.when), _further(r)) for r in rules),
    )


def _sign(rule: ScoreRule) -> str:
    points = points_in_words(rule.points)
    return points.replace("-", "−") if rule.points < 0 else f"+{points}"


def _further(rule: ScoreRule) -> str:
    parts = []
    if rule.for_each:
        most = f", {counted(rule.up_to, 'time')} at most" if rule.up_to else ""
        parts.append(f"counts for each of “{rule.for_each}”{most}")
    if rule.halves_every:
        since = f" after “{rule.since}”" if rule.since else ""
        parts.append(f"half of it is left every {rule.halves_every}{since}")
    if rule.group:
        parts.append(f"group “{rule.group}”")
    return "; ".join(parts)


def _bands(policy: Policy) -> Grid:
    return Grid(
        "Bands, highest first",
        ("Band", "Score", "What happens"),
        tuple((band.name, _edge(band), _does(band)) for band in policy.bands_high_to_low),
    )


def _edge(band: Band) -> str:
    edge = edge_in_words(band)
    if band.stays_above is None:
        return edge
    return f"{edge}; who is in it stays while above {points_in_words(band.stays_above)}"


def _does(band: Band) -> str:
    if not band.hands_off:
        return "stays with marketing until a trigger fires or the score rises"
    whom = f" to {ROLE.get(band.recipient, band.recipient)}" if band.recipient else ""
    return f"goes to sales{whom}"


def _trigger(trigger: Trigger) -> str:
    text = f"{trigger.label}: {condition_in_words(trigger.when)}."
    if trigger.min_score is not None:
        text += f" The score must be at least {points_in_words(trigger.min_score)}."
    if trigger.band:
        text += f" Counts as {trigger.band}, whatever the score."
    if not trigger.hands_off:
        text += " It does not pass the lead to sales on its own."
    return text


def required_data(policy: Policy) -> Section:
    """Return what must be known before a lead goes to sales, by what brings it there."""
    labels = {one.id: one.label for one in policy.triggers.values()}
    rows = []
    for key, fields in policy.required.items():
        extra = policy.triggers[key].required if key in policy.triggers else ()
        who = "Every lead" if key == "always" else labels.get(key, f"The band {key}, no trigger")
        rows.append((who, joined(dict.fromkeys((*fields, *extra)))))
    blocks: list[Block] = []
    if rows:
        grid = Grid(
            "Required, by what brings the lead",
            ("What brings the lead", "Must be known"),
            tuple(rows),
        )
        blocks += [
            Text("A lead that lacks what is required is set aside, with the reasons, and judged "
                 "again as soon as it changes."),
            grid,
        ]  # fmt: skip
    if policy.recommended:
        blocks.append(Text(sentence(f"good to know as well: {joined(policy.recommended)}")))
    bounds = tuple(_bounds(policy))
    if bounds:
        blocks += [Heading("What cannot be true"), Bullets(bounds)]
    return Section("Data that must be there", tuple(blocks))


def _bounds(policy: Policy) -> Iterable[str]:
    for field in policy.fields.values():
        parts = []
        if field.at_least is not None:
            parts.append(f"at least {points_in_words(field.at_least)}")
        if field.at_most is not None:
            parts.append(f"at most {points_in_words(field.at_most)}")
        if parts:
            yield f"{field.label} is {joined(parts)}; anything else counts as not known."
