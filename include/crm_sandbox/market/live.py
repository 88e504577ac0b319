"""The live script: first some telling cases in a set order, then leads as they come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from crm_sandbox.market import words
from crm_sandbox.market.buyers import Buyer, Kind, buyer_of_kind
from crm_sandbox.market.companies import Company, Standing
from crm_sandbox.market.forms import (
    CONTACT_SALES,
    DEMO,
    GUIDE,
    NEWSLETTER,
    WEBINAR,
    form_values,
)
from crm_sandbox.market.journeys import Path, Step, StepKind
from crm_sandbox.market.quiz import answer_quiz, quiz_with_score
from crm_sandbox.market.randomness import stream, weighted

GOLDEN_QUIZ_SCORE = 80
THRESHOLD_QUIZ_SCORE = 75

_TARGETS = frozenset(
    {"COMPUTER_SOFTWARE", "INFORMATION_TECHNOLOGY_AND_SERVICES", "FINANCIAL_SERVICES", "INSURANCE"}
)
_MIX: dict[Kind, float] = {
    Kind.HAND_RAISER: 44,
    Kind.QUIZ_TAKER: 18,
    Kind.CALLER: 13,
    Kind.CONTACT_SALES: 13,
    Kind.CUSTOMER: 3,
    Kind.IN_DEAL: 2,
    Kind.SUBSCRIBER: 3,
    Kind.STUDENT: 1.5,
    Kind.COMPETITOR: 1,
    Kind.NONSENSE: 1.5,
}


class LiveScript:
    """Makes one buyer after another, each with steps that end at the moment asked for."""

    def __init__(self, seed: int, companies: Sequence[Company]) -> None:
        """The n-th buyer of a seed is always the same person."""
        self._seed = seed
        self._companies = companies
        self._count = 0
        self._first: Buyer | None = None

    def next_buyer(self, at: datetime) -> tuple[Buyer, list[Step]]:
        """The next buyer and the steps; the last step is at `at`."""
        number = self._count
        self._count += 1
        rng = stream(self._seed, "live", number)
        if number >= len(_SCENES):
            buyer = self._buyer(rng, f"live-{number:04d}", weighted(rng, _MIX))
            return buyer, _as_it_comes(rng, buyer, at)
        scene = _SCENES[number]
        if scene.act is _again and self._first is not None:
            return self._first, _again(rng, self._first, at)
        buyer = self._buyer(rng, f"live-{number:04d}", scene.kind)
        if scene.region:
            buyer = self._placed(rng, buyer, scene.region)
        self._first = self._first or buyer
        return buyer, scene.act(rng, buyer, at)

    def _buyer(self, rng: Random, key: str, kind: Kind) -> Buyer:
        """A live buyer: mostly keen, with nothing missing that a first look would need."""
        buyer = buyer_of_kind(rng, key, kind, self._companies)
        if not buyer.real:
            return buyer
        return replace(buyer, intent=max(buyer.intent, rng.uniform(0.45, 0.95)), permission="true")

    def _placed(self, rng: Random, buyer: Buyer, region: str) -> Buyer:
        """The same person at a mid-sized company of that region which fits well."""
        fitting = [
            company
            for company in self._companies
            if company.region == region
            and 100 <= company.employees <= 900
            and company.industry in _TARGETS
            and company.standing is Standing.UNKNOWN
            and company.size_published
        ]
        company = rng.choice(fitting or self._companies)
        local = (buyer.email or "someone@x.test").split("@")[0]
        return replace(
            buyer,
            company=company,
            company_text=company.name,
            country=company.country,
            country_text=company.country.name,
            state=company.state,
            zone=company.zone,
            email=f"{local}@{company.domain}",
            title=words.TITLES["head"][0],
            level="head",
            budget="50k_200k",
            timeline="this_quarter",
            intent=0.9,
            size_text=str(company.employees),
        )


def _before(path: Path, at: datetime, sessions: int) -> None:
    """Anonymous sessions on the days before, which are told once the person is known."""
    for number in range(sessions):
        path.at = at - timedelta(days=(sessions - number) * 1.3)
        path.visit(pricing=path.rng.randint(1, 2))
        path.download()
    path.at = at - timedelta(minutes=4)
    path.visit(pricing=1)
    path.at = at


def _hot_demo(rng: Random, buyer: Buyer, at: datetime) -> list[Step]:
    path = Path(rng, buyer, at)
    _before(path, at, 3)
    path.form(DEMO)
    return path.steps


def _quiz_80(rng: Random, buyer: Buyer, at: datetime) -> list[Step]:
    path = Path(rng, buyer, at)
    _before(path, at, 1)
    path.quiz(quiz_with_score(rng, GOLDEN_QUIZ_SCORE))
    return path.steps


def _at_the_line(rng: Random, buyer: Buyer, at: datetime) -> list[Step]:
    """Exactly 75 points by the shipped example policy, and no hand raise: not above the line.

    Profile 40 (its cap), one look at the prices 15, a decision this quarter 15, a pain point 5.
    """
    path = Path(rng, buyer, at - timedelta(minutes=4))
    path.visit(pricing=1)
    path.at = at
    values = {
        **form_values(rng, buyer, WEBINAR, nth=1),
        "decision_timeline": "this_quarter",
        "primary_pain_point": buyer.pain,
    }
    path.steps.append(Step(at=at, kind=StepKind.FORM, form=WEBINAR, values=values))
    return path.steps


def _quiz_at_threshold(rng: Random, buyer: Buyer, at: datetime) -> list[Step]:
    path = Path(rng, buyer, at)
    path.quiz(quiz_with_score(rng, THRESHOLD_QUIZ_SCORE))
    return path.steps


def _nonsense(rng: Random, buyer: Buyer, at: datetime) -> list[Step]:
    number = rng.randint(100, 999)
    path = Path(rng, replace(buyer, email=f"asdf{number}@{words.DISPOSABLE[0]}"), at)
    path.form(DEMO)
    return path.steps


def _no_email(rng: Random, buyer: Buyer, at: datetime) -> list[Step]:
    path = Path(rng, replace(buyer, email=None), at)
    path.imported()
    return path.steps


def _called(rng: Random, buyer: Buyer, at: datetime) -> list[Step]:
    path = Path(rng, buyer, at)
    _before(path, at, 1)
    path.call()
    return path.steps


def _again(rng: Random, buyer: Buyer, at: datetime) -> list[Step]:
    """The person of the first scene sends a second form while the first is being worked."""
    path = Path(rng, buyer, at)
    path.forms = 1
    path.form(CONTACT_SALES, message="Could we talk this week?")
    return path.steps


def _as_it_comes(rng: Random, buyer: Buyer, at: datetime) -> list[Step]:
    path = Path(rng, buyer, at)
    match buyer.kind:
        case Kind.QUIZ_TAKER:
            path.quiz(answer_quiz(rng, 0.75))
        case Kind.CALLER:
            path.call()
        case Kind.CONTACT_SALES | Kind.IN_DEAL:
            _before(path, at, rng.randint(0, 2))
            path.form(CONTACT_SALES, message=buyer.pain)
        case Kind.SUBSCRIBER:
            path.form(NEWSLETTER)
        case Kind.STUDENT:
            path.form(GUIDE)
        case Kind.NONSENSE:
            return _nonsense(rng, buyer, at)
        case _:
            _before(path, at, rng.randint(0, 3))
            path.form(DEMO)
    return path.steps


Act = Callable[[Random, Buyer, datetime], list[Step]]


@dataclass(frozen=True, slots=True)
class Scene:
    """One entry of the script: who comes, what they do, and where they are from if it matters."""

    kind: Kind
    act: Act
    region: str = ""


_SCENES: tuple[Scene, ...] = (
    Scene(Kind.HAND_RAISER, _hot_demo, "DACH"),
    Scene(Kind.QUIZ_TAKER, _quiz_80, "UK"),
    Scene(Kind.NONSENSE, _nonsense),
    Scene(Kind.NONSENSE, _no_email),
    Scene(Kind.RESEARCHER, _at_the_line, "Americas"),
    Scene(Kind.CALLER, _called, "Americas"),
    Scene(Kind.HAND_RAISER, _again),
    Scene(Kind.CUSTOMER, _hot_demo),
    Scene(Kind.QUIZ_TAKER, _quiz_at_threshold, "APAC"),
)
