"""The package that travels with a lead: a card of at most ten lines, and everything in full.

The package is stored, so it holds no personal values. Where one belongs the text keeps its label in
braces ("{First name}"); whoever delivers it fills them in (`baton.policy.phrases.fill`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from baton.decision.inputs import Observed
from baton.policy.facts import Facts, known
from baton.policy.models import Policy
from baton.policy.phrases import in_words
from baton.scoring.points import Reason, Score

CARD_LINES = 10
CARD_REASONS = 3
LINE_LENGTH = 240

WHO = ("First name", "Last name")
BASICS = (
    "First name", "Last name", "Job title", "E-mail", "Phone", "Company name", "Company size",
    "Industry", "Country", "State", "Website", "Language",
)  # fmt: skip
ANSWERS = (
    "Budget range", "Decision timeline", "Current solution", "Primary pain point", "Tech stack",
    "Quiz name", "Quiz score", "Quiz taken at", "Quiz answers", "Message",
)  # fmt: skip
QUALIFICATION = (
    "Budget range",
    "Decision timeline",
    "Current solution",
    "Primary pain point",
    "Quiz answers",
)
ENGAGEMENT = (
    "Form", "Last conversion at", "Demo requested at", "Inbound call at", "Pricing page views",
    "Pricing page last view at", "Content downloads", "Last content at", "Webinars attended",
    "Site revisits", "Visits", "Pages seen", "Last visit at",
)  # fmt: skip
SOURCE = ("Source", "Source detail", "Created at")

_SLOT = re.compile(r"\{([^{}]+)\}")
_BLANKS = re.compile(r"\s+")
_BRACES = str.maketrans("{}", "()")


@dataclass(frozen=True, slots=True)
class Section:
    """A titled part of the full package, line by line."""

    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Enabler:
    """Something to send to the buyer or for the rep to read."""

    title: str
    purpose: Literal["send", "read"] = "send"
    link: str | None = None


@dataclass(frozen=True, slots=True)
class Package:
    """What travels. Texts keep labels in braces where a personal value belongs."""

    card: tuple[str, ...]
    opening: str
    enablement: tuple[Enabler, ...] = ()
    sections: tuple[Section, ...] = ()


@dataclass(frozen=True, slots=True)
class Words:
    """Fills sentences with facts, and leaves the slots of personal values open."""

    personal: frozenset[str]
    personal_known: frozenset[str] = field(default_factory=frozenset)

    def say(self, template: str, facts: Facts) -> str:
        """Return a sentence with its public values. Braces in a value become parentheses."""

        def value(match: re.Match[str]) -> str:
            label = match[1].strip()
            return f"{{{label}}}" if label in self.personal else self.public(facts, label)

        return _SLOT.sub(value, template)

    def public(self, facts: Facts, label: str) -> str:
        """Return a public value in words, such that it cannot be taken for a slot."""
        return in_words(facts.get(label)).translate(_BRACES)

    def has(self, facts: Facts, label: str) -> bool:
        """Tell whether a value is known, personal or not."""
        return label in self.personal_known or known(facts.get(label))


@dataclass(frozen=True, slots=True)
class Occasion:
    """Why the lead is handed over: score, band, trigger, and until when a first touch is due.

    `told` says by label when and where something was said; `duplicates` which other contacts may be
    the same person, in words.
    """

    score: Score
    band: str
    trigger: str | None
    cause: str
    due: datetime | None = None
    zone: str = "UTC"
    may_email: bool = True
    may_call: bool = True
    told: Mapping[str, str] = field(default_factory=dict)
    duplicates: tuple[str, ...] = ()


def build(
    policy: Policy,
    facts: Facts,
    occasion: Occasion,
    judge: Observed,
    words: Words,
    *,
    moment: datetime,
) -> Package:
    """Put the package together. `facts` include Score, Band and Trigger."""
    opening = _opening(policy, facts, judge, words, moment)
    return Package(
        card=_card(facts, occasion, words, opening),
        opening=opening,
        enablement=_enablement(policy, facts, judge, words, moment),
        sections=_sections(policy, facts, occasion, words),
    )


def points_in_words(milli: int) -> str:
    """Return points as people write them: "82", "7.5", "-25"."""
    whole, rest = divmod(abs(milli), 1000)
    text = f"{whole}.{rest:03d}".rstrip("0").rstrip(".")
    return f"-{text}" if milli < 0 else text


def reason_in_words(reason: Reason) -> str:
    """Return "+30 asked for a demo"."""
    sign = "+" if reason.points_milli >= 0 else ""
    return f"{sign}{points_in_words(reason.points_milli)} {reason.say}"


def _card(facts: Facts, occasion: Occasion, words: Words, opening: str) -> tuple[str, ...]:
    scored = _score_line(occasion)
    if occasion.duplicates:
        # On the same line: the card has none to spare, and "do not call" must not be pushed off.
        scored += f" · perhaps {occasion.duplicates[0]}"
    lines = [_who(facts, words), _company(facts, words), scored]
    lines += [reason_in_words(reason) for reason in occasion.score.strongest(CARD_REASONS)]
    lines.append(_answers_line(facts, words))
    lines.append(f"Opening: {opening}" if opening else "")
    lines.append(_due_line(occasion))
    lines.append(_forbidden_line(occasion))
    return tuple(_one_line(line) for line in lines if line)[:CARD_LINES]


def _who(facts: Facts, words: Words) -> str:
    named = [f"{{{label}}}" for label in WHO if words.has(facts, label)]
    name = " ".join(named) if named else "{E-mail}"
    title = words.public(facts, "Job title") if known(facts.get("Job title")) else ""
    return f"{name}, {title}" if title else name


def _company(facts: Facts, words: Words) -> str:
    if not words.has(facts, "Company name"):
        return "Company not known"
    parts = [words.say("{Company name}", facts)]
    if known(facts.get("Company size")):
        parts.append(words.say("{Company size} people", facts))
    parts += [
        words.public(facts, label) for label in ("Industry", "Country") if known(facts.get(label))
    ]
    return ", ".join(parts)


def _score_line(occasion: Occasion) -> str:
    score = occasion.score
    halves = f"fit {points_in_words(score.fit_milli)}, intent {points_in_words(score.intent_milli)}"
    return (
        f"Score {points_in_words(score.total_milli)} ({halves}), {occasion.band}: {occasion.cause}"
    )


def _answers_line(facts: Facts, words: Words) -> str:
    given = [label for label in QUALIFICATION if words.has(facts, label)]
    if not given:
        return "No answers given yet"
    shown = [
        f"{label} {words.public(facts, label)}"
        for label in QUALIFICATION[:2]
        if known(facts.get(label))
    ]
    count = f"{len(given)} of {len(QUALIFICATION)} answers given"
    return f"{count}: {'; '.join(shown)}" if shown else count


def _due_line(occasion: Occasion) -> str:
    if occasion.due is None:
        return ""
    local = occasion.due.astimezone(ZoneInfo(occasion.zone))
    return f"First touch due {local:%a %Y-%m-%d %H:%M:%S} ({occasion.zone})"


def _forbidden_line(occasion: Occasion) -> str:
    allowed = ((occasion.may_call, "do not call"), (occasion.may_email, "no marketing e-mail"))
    forbidden = [text for may, text in allowed if not may]
    return "Permission: " + ", ".join(forbidden) if forbidden else ""


def _opening(policy: Policy, facts: Facts, judge: Observed, words: Words, moment: datetime) -> str:
    for opening in policy.enablement.openings:
        if judge.holds(opening.when, facts, moment):
            return words.say(opening.say, facts)
    return ""


def _enablement(
    policy: Policy, facts: Facts, judge: Observed, words: Words, moment: datetime
) -> tuple[Enabler, ...]:
    offered = (
        Enabler(words.say(content.title, facts), content.for_, content.link)
        for content in policy.enablement.content
        if judge.holds(content.when, facts, moment)
    )
    return tuple(offered)[: policy.enablement.show]


def _sections(
    policy: Policy, facts: Facts, occasion: Occasion, words: Words
) -> tuple[Section, ...]:
    shown = {*BASICS, *ANSWERS, *ENGAGEMENT, *SOURCE}
    others = tuple(
        label for label, found in policy.fields.items() if label not in shown and not found.derived
    )
    missing = tuple(
        label
        for label in policy.recommended
        if label in policy.fields and not words.has(facts, label)
    )
    parts: Mapping[str, Iterable[str]] = {
        "Basics": _listed(BASICS, facts, words, occasion.told),
        "What they said": _listed(ANSWERS, facts, words, occasion.told),
        "What they did": _listed(ENGAGEMENT, facts, words),
        "Score and why": (
            _score_line(occasion),
            *(reason_in_words(reason) for reason in occasion.score.reasons),
        ),
        "Where from": _listed(SOURCE, facts, words),
        "Also known": _listed(others, facts, words, occasion.told),
        "Perhaps the same person": occasion.duplicates,
        "Not known yet": (", ".join(missing),) if missing else (),
    }
    sections = (Section(title, tuple(lines)) for title, lines in parts.items())
    return tuple(section for section in sections if section.lines)


def _listed(
    labels: Iterable[str], facts: Facts, words: Words, told: Mapping[str, str] | None = None
) -> list[str]:
    when = {label: f" ({text.translate(_BRACES)})" for label, text in (told or {}).items()}
    return [
        words.say(f"{label}: {{{label}}}", facts) + when.get(label, "")
        for label in labels
        if words.has(facts, label)
    ]


def _one_line(text: str) -> str:
    flat = _BLANKS.sub(" ", text).strip()
    return flat if len(flat) <= LINE_LENGTH else flat[: LINE_LENGTH - 1].rstrip() + "…"
