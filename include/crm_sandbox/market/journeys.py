"""What each buyer does, step by step, over days: visits, downloads, forms, quizzes, calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from random import Random
from zoneinfo import ZoneInfo

from crm_sandbox.market import words
from crm_sandbox.market.buyers import Buyer, Kind
from crm_sandbox.market.forms import (
    CONTACT_SALES,
    DEMO,
    GUIDE,
    JOB,
    NEWSLETTER,
    QUIZ,
    SUPPORT,
    WEBINAR,
    form_values,
    profile,
)
from crm_sandbox.market.quiz import QuizResult, answer_quiz
from crm_sandbox.market.randomness import clamp, stream, weighted


class StepKind(StrEnum):
    """The kinds of things a buyer does."""

    VISIT = "visit"
    DOWNLOAD = "download"
    FORM = "form"
    QUIZ = "quiz"
    ATTEND = "webinar"
    CALL = "call"
    IMPORT = "import"
    MERGE = "merge"
    OPT_OUT = "opt-out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing a buyer does at a moment."""

    at: datetime
    kind: StepKind
    form: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    pages: int = 0
    pricing: int = 0
    quiz: QuizResult | None = None


_HOURS = {
    7: 2,
    8: 6,
    9: 11,
    10: 13,
    11: 12,
    12: 7,
    13: 9,
    14: 12,
    15: 11,
    16: 9,
    17: 6,
    18: 3,
    19: 2,
    20: 3,
    21: 3,
    22: 2,
    23: 1,
}
_ARRIVALS = (13.6, 14.4, 13.8, 12.9, 10.2, 3.0, 3.4)
"""Mean number of new people a day, Monday first: about 900 in ninety days."""


def arrivals(seed: int, day: date, *, busy: float = 1.0) -> list[str]:
    """The keys of the buyers whose journey begins on that day (in their own zone).

    `busy` times as many as usual; those who come anyway are the same.
    """
    rng = stream(seed, "arrivals", day.isoformat())
    mean = _ARRIVALS[day.weekday()] * busy
    count = max(0, round(rng.gauss(mean, mean * 0.2)))
    return [f"{day.isoformat()}-{number:02d}" for number in range(count)]


class Path:
    """Builds a journey forward in time."""

    def __init__(self, rng: Random, buyer: Buyer, start: datetime) -> None:
        """Begin at `start` (aware)."""
        self.rng = rng
        self.buyer = buyer
        self.at = start
        self.forms = 0
        self.steps: list[Step] = []

    def minutes(self, low: float, high: float) -> None:
        """Some minutes pass."""
        self.at += timedelta(seconds=round(self.rng.uniform(low, high) * 60))

    def days(self, low: float, high: float) -> None:
        """Some days pass; the next session is at an hour at which people are about."""
        zone = ZoneInfo(self.buyer.zone)
        gap = timedelta(days=self.rng.uniform(low, high))
        day = (self.at + gap).astimezone(zone).date()
        if day.weekday() >= 5 and self.rng.random() < 0.75:
            day += timedelta(days=7 - day.weekday())
        self.at = max(self.at + timedelta(minutes=7), local_moment(self.rng, day, zone))

    def _add(self, step: Step) -> None:
        self.steps.append(step)

    def visit(self, *, pricing: int = 0) -> None:
        """A session on the website."""
        pages = self.rng.randint(2, 7) + pricing
        self._add(Step(at=self.at, kind=StepKind.VISIT, pages=pages, pricing=pricing))
        self.minutes(1, 9)

    def download(self) -> None:
        """A piece of content that needs no form (the visitor is known, or will be)."""
        title = self.rng.choice(words.CONTENT)
        self._add(Step(at=self.at, kind=StepKind.DOWNLOAD, form=title, pages=1))
        self.minutes(1, 6)

    def attend(self) -> None:
        """Takes part in a webinar."""
        self._add(Step(at=self.at, kind=StepKind.ATTEND))

    def form(self, name: str, *, message: str = "") -> None:
        """Submits a form with the fields that it asks at this point of the acquaintance."""
        values = form_values(self.rng, self.buyer, name, nth=self.forms)
        if message:
            values["message"] = message
        self.forms += 1
        self._add(Step(at=self.at, kind=StepKind.FORM, form=name, values=values))

    def quiz(self, result: QuizResult | None = None) -> None:
        """Takes the quiz to its end."""
        values = form_values(self.rng, self.buyer, QUIZ, nth=self.forms)
        eager = clamp(0.15 + 0.75 * self.buyer.quality)
        self.forms += 1
        self._add(
            Step(
                at=self.at,
                kind=StepKind.QUIZ,
                form=QUIZ,
                values=values,
                quiz=result or answer_quiz(self.rng, eager),
            )
        )

    def call(self) -> None:
        """Calls; the switchboard writes down who it was."""
        values = profile(self.rng, self.buyer, depth=2)
        if self.rng.random() < 0.08:
            values.pop("email", None)
        self.forms += 1
        self._add(Step(at=self.at, kind=StepKind.CALL, values=values))

    def imported(self) -> None:
        """Comes in with a list from a fair."""
        values = profile(self.rng, self.buyer, depth=2)
        self._add(Step(at=self.at, kind=StepKind.IMPORT, values=values))

    def merged(self) -> None:
        """Marketing merges two records of the same person."""
        self._add(Step(at=self.at, kind=StepKind.MERGE))

    def opted_out(self) -> None:
        """Unsubscribes from e-mail."""
        self._add(Step(at=self.at, kind=StepKind.OPT_OUT))


def local_moment(rng: Random, day: date, zone: ZoneInfo) -> datetime:
    """A moment of that local day at which people use the web, in UTC."""
    clock = time(weighted(rng, _HOURS), rng.randint(0, 59), rng.randint(0, 59))
    return datetime.combine(day, clock, zone).astimezone(UTC)


def journey(seed: int, buyer: Buyer, day: date) -> list[Step]:
    """Every step of a buyer whose first day is `day`, in order of time."""
    rng = stream(seed, "journey", buyer.key)
    return steps_from(rng, buyer, local_moment(rng, day, ZoneInfo(buyer.zone)))


def steps_from(rng: Random, buyer: Buyer, start: datetime) -> list[Step]:
    """Every step of a buyer who begins at `start`."""
    path = Path(rng, buyer, start)
    _STORIES[buyer.kind](path)
    if rng.random() < 0.04 and path.forms:
        path.days(3, 30)
        path.opted_out()
    return path.steps


def _research(path: Path, sessions: int) -> None:
    """Some sessions with content; the keen look at prices."""
    for _ in range(sessions):
        keen = path.rng.random() < path.buyer.intent
        path.visit(pricing=path.rng.randint(1, 3) if keen else 0)
        if path.rng.random() < 0.45 + 0.3 * path.buyer.intent:
            path.download()
        path.days(0.4, 5)


def _form_or_quiz(path: Path, names: tuple[str, ...]) -> None:
    name = path.rng.choice(names)
    if name == QUIZ:
        path.quiz()
    else:
        path.form(name)


def _hand_raiser(path: Path) -> None:
    _research(path, path.rng.choice((0, 0, 1, 2, 3)))
    path.visit(pricing=path.rng.randint(0, 2))
    path.form(DEMO)
    if path.rng.random() < 0.16:
        path.days(0.2, 3)
        path.visit(pricing=1)
        _form_or_quiz(path, (CONTACT_SALES, QUIZ, GUIDE, DEMO))
    _after(path)


def _quiz_taker(path: Path) -> None:
    if path.rng.random() < 0.4:
        path.visit()
        path.form(path.rng.choice((NEWSLETTER, GUIDE)))
        path.days(1, 9)
    path.visit()
    path.quiz()
    if path.rng.random() < 0.25 * (0.5 + path.buyer.intent):
        path.days(0.3, 5)
        path.visit(pricing=1)
        path.form(DEMO)
    _after(path)


def _caller(path: Path) -> None:
    if path.rng.random() < 0.5:
        _research(path, 1)
    zone = ZoneInfo(path.buyer.zone)
    local = path.at.astimezone(zone)
    if not 8 <= local.hour < 18 or local.weekday() >= 5:
        ahead = 1 if local.weekday() < 4 else 7 - local.weekday()
        day = local.date() + timedelta(days=ahead)
        moment = datetime.combine(day, time(path.rng.randint(9, 16), path.rng.randint(0, 59)), zone)
        path.at = moment.astimezone(UTC)
    path.call()
    _after(path)


def _contact_sales(path: Path) -> None:
    _research(path, path.rng.choice((0, 1, 1, 2)))
    path.visit(pricing=1)
    path.form(CONTACT_SALES, message=path.buyer.pain)
    if path.rng.random() < 0.2:
        path.days(0.5, 4)
        path.visit()
        path.form(DEMO)
    _after(path)


def _researcher(path: Path) -> None:
    path.visit()
    path.form(path.rng.choice((GUIDE, WEBINAR, WEBINAR, NEWSLETTER)))
    path.days(1, 6)
    if path.rng.random() < 0.6:
        path.attend()
    _research(path, path.rng.randint(2, 5))
    if path.rng.random() < 0.5:
        path.visit(pricing=path.rng.randint(0, 2))
        path.form(GUIDE)
        path.days(1, 6)
    if path.rng.random() < path.buyer.intent * 0.7:
        path.visit(pricing=2)
        if path.rng.random() < 0.6:
            path.form(DEMO)
        else:
            path.quiz()
    _after(path)


def _reader(path: Path) -> None:
    path.visit()
    path.form(path.rng.choice((GUIDE, WEBINAR, NEWSLETTER)))
    if path.rng.random() < 0.5:
        path.days(2, 20)
        path.visit()
        path.download()
    if path.rng.random() < 0.12:
        path.days(10, 30)
        path.visit(pricing=1)
        path.form(CONTACT_SALES)


def _subscriber(path: Path) -> None:
    path.form(NEWSLETTER)
    if path.rng.random() < 0.35:
        path.days(7, 25)
        path.visit()


def _customer(path: Path) -> None:
    path.visit(pricing=path.rng.randint(0, 2))
    path.form(path.rng.choice((DEMO, CONTACT_SALES, GUIDE, WEBINAR)), message="More seats")
    _after(path)


def _in_deal(path: Path) -> None:
    path.visit(pricing=2)
    path.form(path.rng.choice((DEMO, CONTACT_SALES, GUIDE)))
    _after(path)


def _support(path: Path) -> None:
    path.form(SUPPORT, message="A report shows no rows since yesterday")


def _job_seeker(path: Path) -> None:
    path.visit()
    path.form(JOB, message="I would like to join")


def _student(path: Path) -> None:
    path.form(GUIDE)
    for _ in range(path.rng.randint(0, 3)):
        path.days(0.5, 4)
        path.visit()
        path.download()
    if path.rng.random() < 0.3:
        path.form(DEMO)


def _competitor(path: Path) -> None:
    path.visit(pricing=3)
    path.form(path.rng.choice((DEMO, GUIDE, WEBINAR)))


def _colleague(path: Path) -> None:
    path.visit()
    _form_or_quiz(path, (DEMO, NEWSLETTER, QUIZ))


def _partner(path: Path) -> None:
    path.visit()
    path.form(CONTACT_SALES, message="For a client of ours")


def _nonsense(path: Path) -> None:
    if path.buyer.email is None:
        path.imported()
    else:
        path.form(path.rng.choice((DEMO, CONTACT_SALES, GUIDE)))


def _twice(path: Path) -> None:
    path.form(NEWSLETTER)
    path.days(1, 8)
    path.visit(pricing=1)
    path.form(DEMO)
    last = path.steps[-1]
    other = {**last.values, "email": path.buyer.duplicate_email or ""}
    path.minutes(20, 2000)
    path.steps.append(Step(at=path.at, kind=StepKind.FORM, form=GUIDE, values=other))
    path.days(1, 4)
    path.merged()


def _after(path: Path) -> None:
    """Some come back to read on while they wait."""
    if path.rng.random() < 0.3:
        path.days(1, 8)
        path.visit(pricing=path.rng.randint(0, 1))


_STORIES: dict[Kind, Callable[[Path], None]] = {
    Kind.HAND_RAISER: _hand_raiser,
    Kind.QUIZ_TAKER: _quiz_taker,
    Kind.CALLER: _caller,
    Kind.CONTACT_SALES: _contact_sales,
    Kind.RESEARCHER: _researcher,
    Kind.READER: _reader,
    Kind.SUBSCRIBER: _subscriber,
    Kind.CUSTOMER: _customer,
    Kind.IN_DEAL: _in_deal,
    Kind.SUPPORT: _support,
    Kind.JOB_SEEKER: _job_seeker,
    Kind.STUDENT: _student,
    Kind.COMPETITOR: _competitor,
    Kind.COLLEAGUE: _colleague,
    Kind.PARTNER: _partner,
    Kind.NONSENSE: _nonsense,
    Kind.TWICE: _twice,
}
