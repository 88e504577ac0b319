"""Progressive profiling: what a lead said over several interactions, merged into one profile.

A known answer beats none, so a form that leaves a question out changes nothing. A newer answer
beats an older one. A vague answer ("Not sure") does not beat a specific one, however new. What HubSpot
shows now is an answer too: the latest. What it no longer shows is remembered for as long as the
policy says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from baton.leads.model import LeadSnapshot
from baton.policy.facts import Facts, FactValue, known
from baton.policy.lead_models import Profile

IN_THE_RECORD = "the HubSpot record"
"""Where an answer was found that came with no form: somebody or something wrote it there."""


@dataclass(frozen=True, slots=True, repr=False)
class Answer:
    """One answer: to which label, what, since when it is known, and where it was given.

    Not shown by `repr`: a message may be personal, and it could end up in a log.
    """

    label: str
    value: FactValue
    said_at: datetime
    said_in: str

    def words(self) -> str:
        """Return when and where it was said, without what: "2026-10-02 in Demo request"."""
        return f"{self.said_at:%Y-%m-%d} in {self.said_in}"


@dataclass(frozen=True, slots=True)
class Merged:
    """The facts with what was remembered, the answer behind each kept label, and what is new."""

    facts: Facts
    answers: Mapping[str, Answer]
    news: tuple[Answer, ...]


def merge(
    facts: Facts, earlier: Iterable[Answer], snapshot: LeadSnapshot, profile: Profile, form: str
) -> Merged:
    """Merge what a snapshot says with the answers of earlier interactions.

    `form` is the form of the last conversion, empty where there is none. `earlier` in any order.
    """
    if not profile.keep:
        return Merged(facts, {}, ())
    before: dict[str, list[Answer]] = {}
    for answer in earlier:
        before.setdefault(answer.label, []).append(answer)
    held, answers, news = dict(facts), {}, []
    for label in profile.keep:
        told = sorted(before.get(label, ()), key=lambda one: one.said_at)
        now = facts.get(label)
        if known(now) and (not told or told[-1].value != now):
            told.append(_heard(label, now, told, snapshot, form))
            news.append(told[-1])
        best = _best(told, profile, snapshot.seen_at, still_shown=now)
        if best is not None:
            answers[label], held[label] = best, best.value
    return Merged(held, answers, tuple(news))


def _heard(
    label: str, value: FactValue, told: Sequence[Answer], snapshot: LeadSnapshot, form: str
) -> Answer:
    """Date an answer that is heard for the first time.

    It came with the latest hand raise, unless an answer to the same question is as new as that:
    then somebody changed the record afterwards.
    """
    raised = min(snapshot.captured_at, snapshot.seen_at)
    if form and (not told or told[-1].said_at < raised):
        return Answer(label, value, raised, form)
    at = snapshot.modified_at
    if told:
        # Two answers never bear the same instant: the later one would not be known for it.
        at = max(at, told[-1].said_at + timedelta(microseconds=1))
    return Answer(label, value, at, IN_THE_RECORD)


def _best(
    told: Sequence[Answer], profile: Profile, now: datetime, *, still_shown: FactValue
) -> Answer | None:
    """Return the newest specific answer that is not too old, else the newest vague one."""
    fresh = [
        answer
        for answer in told
        if answer.value == still_shown or now - answer.said_at <= timedelta(seconds=profile.seconds)
    ]
    specific = [answer for answer in fresh if not _is_vague(answer.value, profile)]
    chosen = specific or fresh
    return chosen[-1] if chosen else None


def _is_vague(value: FactValue, profile: Profile) -> bool:
    return isinstance(value, str) and profile.is_vague(value)
