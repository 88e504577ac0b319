"""The buyers: who they truly are, made up one by one from the seed."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from random import Random

from crm_sandbox.market import words
from crm_sandbox.market.companies import Company, Standing
from crm_sandbox.market.randomness import clamp, stream, weighted


class Kind(StrEnum):
    """What brings somebody to the website."""

    HAND_RAISER = "hand raiser"
    QUIZ_TAKER = "quiz taker"
    CALLER = "caller"
    CONTACT_SALES = "contact sales"
    RESEARCHER = "researcher"
    READER = "reader"
    SUBSCRIBER = "subscriber"
    CUSTOMER = "customer"
    IN_DEAL = "in a deal"
    SUPPORT = "support"
    JOB_SEEKER = "job seeker"
    STUDENT = "student"
    COMPETITOR = "competitor"
    COLLEAGUE = "colleague"
    PARTNER = "partner"
    NONSENSE = "nonsense"
    TWICE = "known twice"


KIND_WEIGHTS: dict[Kind, float] = {
    Kind.HAND_RAISER: 14,
    Kind.QUIZ_TAKER: 10,
    Kind.CALLER: 4,
    Kind.CONTACT_SALES: 6,
    Kind.RESEARCHER: 19,
    Kind.READER: 14,
    Kind.SUBSCRIBER: 11,
    Kind.CUSTOMER: 4,
    Kind.IN_DEAL: 2,
    Kind.SUPPORT: 4,
    Kind.JOB_SEEKER: 2,
    Kind.STUDENT: 2.5,
    Kind.COMPETITOR: 1.5,
    Kind.COLLEAGUE: 0.7,
    Kind.PARTNER: 0.8,
    Kind.NONSENSE: 3,
    Kind.TWICE: 1.5,
}
_INTENT: dict[Kind, tuple[float, float]] = {
    Kind.HAND_RAISER: (0.66, 0.2),
    Kind.QUIZ_TAKER: (0.52, 0.24),
    Kind.CALLER: (0.7, 0.17),
    Kind.CONTACT_SALES: (0.62, 0.2),
    Kind.RESEARCHER: (0.48, 0.22),
    Kind.READER: (0.26, 0.15),
    Kind.SUBSCRIBER: (0.15, 0.1),
    Kind.CUSTOMER: (0.55, 0.2),
    Kind.IN_DEAL: (0.65, 0.15),
    Kind.TWICE: (0.6, 0.18),
}
"""Mean and deviation of true intent; kinds that are not here never buy."""

SOURCES: dict[str, float] = {
    "ORGANIC_SEARCH": 30,
    "PAID_SEARCH": 16,
    "DIRECT_TRAFFIC": 16,
    "EMAIL_MARKETING": 8,
    "REFERRALS": 10,
    "SOCIAL_MEDIA": 8,
    "PAID_SOCIAL": 7,
    "OTHER_CAMPAIGNS": 5,
}
_SOURCE_LIFT = {"REFERRALS": 0.08, "PAID_SOCIAL": -0.08, "SOCIAL_MEDIA": -0.04, "PAID_SEARCH": 0.03}
SOURCE_DETAIL = {
    "ORGANIC_SEARCH": "lead routing software",
    "PAID_SEARCH": "Brand and category",
    "DIRECT_TRAFFIC": "relay.test/",
    "EMAIL_MARKETING": "Monthly letter",
    "REFERRALS": "partnerwerk.test",
    "SOCIAL_MEDIA": "Organic post",
    "PAID_SOCIAL": "Lookalike",
    "OTHER_CAMPAIGNS": "Joint webinar",
    "OFFLINE": "Telephone",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Buyer:
    """One person and the hidden truth about them. Only what they do and say reaches a system."""

    key: str
    kind: Kind
    first: str
    last: str
    email: str | None
    title: str
    level: str
    phone: str
    country: words.Country
    country_text: str
    state: str
    zone: str
    company: Company | None
    company_text: str
    source: str
    fit: float
    intent: float
    budget: str
    timeline: str
    solution: str
    pain: str
    permission: str
    language: str
    size_text: str
    duplicate_email: str | None = None

    @property
    def quality(self) -> float:
        """How good a lead this truly is, between 0 and 1; what calibration can hope to find."""
        return clamp(0.42 * self.fit + 0.58 * self.intent)

    @property
    def real(self) -> bool:
        """Whether this person could ever buy."""
        return self.kind in _INTENT


def make_buyer(seed: int, key: str, companies: Sequence[Company]) -> Buyer:
    """The buyer of that key; the same seed and key always make the same one."""
    rng = stream(seed, "buyer", key)
    kind = weighted(rng, KIND_WEIGHTS)
    buyer = buyer_of_kind(rng, key, kind, companies)
    if kind in (Kind.CUSTOMER, Kind.IN_DEAL) and buyer.company and rng.random() < 0.6:
        known = known_buyer(seed, buyer.company, 0)
        return replace(known, key=key, kind=kind, intent=buyer.intent, source=buyer.source)
    return buyer


def known_buyer(seed: int, company: Company, number: int) -> Buyer:
    """The n-th person whom sales knew at a customer, or at a company with an open deal."""
    key = f"known-{company.key}-{number}"
    return buyer_of_kind(stream(seed, "buyer", key), key, Kind.CUSTOMER, [company])


def buyer_of_kind(rng: Random, key: str, kind: Kind, companies: Sequence[Company]) -> Buyer:
    """A buyer of a given kind, drawn from `rng`."""
    company = _company_for(rng, kind, companies)
    land = company.country if company else rng.choice(words.COUNTRIES)
    state, zone = (company.state, company.zone) if company else rng.choice(land.zones)
    first, last = _name(rng, land)
    source = weighted(rng, SOURCES) if kind is not Kind.CALLER else "OFFLINE"
    level = weighted(rng, _LEVELS)
    fit = clamp((company.fit if company else 0.3) + _LEVEL_FIT[level])
    intent = _intent(rng, kind, source)
    buyer = Buyer(
        key=key,
        kind=kind,
        first=first,
        last=last,
        email=_email(rng, kind, (first, last), company),
        title=rng.choice(words.TITLES[level]),
        level=level,
        phone=_phone(rng, land),
        country=land,
        country_text=land.name if rng.random() < 0.7 else rng.choice(land.spellings),
        state=state,
        zone=zone,
        company=company,
        company_text=_company_text(rng, company),
        source=source,
        fit=fit,
        intent=intent,
        budget=_budget(rng, intent),
        timeline=_timeline(rng, intent),
        solution=weighted(rng, words.SOLUTIONS),
        pain=rng.choice(words.PAINS),
        permission=weighted(rng, {"true": 87, "": 10, "false": 3}),
        language=land.language,
        size_text=_size_text(rng, company),
    )
    return _particular(rng, buyer)


_LEVELS = {"executive": 15, "head": 24, "manager": 30, "specialist": 21, "other": 10}
_LEVEL_FIT = {"executive": 0.08, "head": 0.14, "manager": 0.06, "specialist": -0.06, "other": -0.2}


def _company_for(rng: Random, kind: Kind, companies: Sequence[Company]) -> Company | None:
    if kind in (Kind.STUDENT, Kind.JOB_SEEKER, Kind.COMPETITOR, Kind.COLLEAGUE, Kind.NONSENSE):
        return None
    if kind in (Kind.CUSTOMER, Kind.SUPPORT):
        return _standing(rng, companies, Standing.CUSTOMER)
    if kind is Kind.IN_DEAL:
        return _standing(rng, companies, Standing.OPEN_OPPORTUNITY)
    if kind is Kind.PARTNER:
        return _standing(rng, companies, Standing.PARTNER)
    chance = rng.random()
    if chance < 0.05:
        return _standing(rng, companies, Standing.NAMED)
    if chance < 0.065:
        return _standing(rng, companies, Standing.AMBIGUOUS)
    return _standing(rng, companies, Standing.UNKNOWN)


def _standing(rng: Random, companies: Sequence[Company], standing: Standing) -> Company:
    """A company of that standing; any, when there is none."""
    fitting = [company for company in companies if company.standing is standing]
    return rng.choice(fitting or companies)


def _name(rng: Random, land: words.Country) -> tuple[str, str]:
    """Mostly a name of the country, at times from anywhere."""
    first_list = land.names if rng.random() < 0.85 else rng.choice(list(words.FIRST_NAMES))
    last_list = land.names if rng.random() < 0.8 else rng.choice(list(words.LAST_NAMES))
    return rng.choice(words.FIRST_NAMES[first_list]), rng.choice(words.LAST_NAMES[last_list])


def _fold(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.lower().replace("ø", "o").replace("ı", "i"))
    return "".join(letter for letter in plain if "a" <= letter <= "z")


def _email(rng: Random, kind: Kind, name: tuple[str, str], company: Company | None) -> str:
    first, last = _fold(name[0]), _fold(name[1])
    domain = _mail_domain(rng, kind, company)
    chance = rng.random()
    number = rng.randint(1, 99)
    if domain in words.FREE_MAIL or domain in words.DISPOSABLE:
        return f"{first}{last}{number}@{domain}"
    if chance < 0.03:
        return f"{rng.choice(words.ROLE_ADDRESSES)}@{domain}"
    if chance < 0.06:
        return f"{first}.{last}+{rng.choice(('web', 'demo', 'news'))}@{domain}"
    return f"{first}.{last}@{domain}" if chance < 0.8 else f"{first[0]}{last}{number}@{domain}"


def _mail_domain(rng: Random, kind: Kind, company: Company | None) -> str:
    fixed = {
        Kind.STUDENT: words.UNIVERSITY,
        Kind.COLLEAGUE: "relay.test",
        Kind.JOB_SEEKER: words.FREE_MAIL[0],
    }
    if kind in fixed:
        return fixed[kind]
    if kind is Kind.COMPETITOR:
        return rng.choice(words.COMPETITOR_DOMAINS)
    chance = rng.random()
    if company is None or (chance < 0.07 and company.standing is Standing.UNKNOWN):
        return rng.choice(words.FREE_MAIL)
    if chance < 0.085 and company.standing is Standing.UNKNOWN:
        return rng.choice(words.DISPOSABLE)
    return company.domain


def _phone(rng: Random, land: words.Country) -> str:
    text = "".join(str(rng.randint(0, 9)) if sign == "#" else sign for sign in land.phone)
    if rng.random() < 0.12:
        return text.replace(" ", "").replace("+", "00")
    return text


def _company_text(rng: Random, company: Company | None) -> str:
    if company is None:
        return ""
    chance = rng.random()
    if chance < 0.55:
        return company.name
    short = " ".join(company.name.split()[:2])
    return short if chance < 0.9 else short.upper()


def _size_text(rng: Random, company: Company | None) -> str:
    if company is None:
        return ""
    ranges = (
        (10, "1-10"),
        (50, "11-50"),
        (200, "51-200"),
        (500, "201-500"),
        (1000, "501-1000"),
        (5000, "1001-5000"),
        (10**9, "5000+"),
    )
    if rng.random() < 0.6:
        return next(text for top, text in ranges if company.employees <= top)
    return str(max(1, round(company.employees * rng.uniform(0.85, 1.15))))


def _intent(rng: Random, kind: Kind, source: str) -> float:
    if kind not in _INTENT:
        return 0.03
    mean, deviation = _INTENT[kind]
    return clamp(rng.gauss(mean + _SOURCE_LIFT.get(source, 0.0), deviation))


def _budget(rng: Random, intent: float) -> str:
    steps = ("under_10k", "10k_50k", "50k_200k", "over_200k")
    return steps[int(clamp(rng.gauss(0.15 + 0.55 * intent, 0.2), 0.0, 0.999) * 4)]


def _timeline(rng: Random, intent: float) -> str:
    steps = ("just_looking", "this_year", "this_quarter", "this_month")
    return steps[int(clamp(rng.gauss(0.05 + 0.8 * intent, 0.2), 0.0, 0.999) * 4)]


def _particular(rng: Random, buyer: Buyer) -> Buyer:
    """What is special about some kinds."""
    match buyer.kind:
        case Kind.STUDENT:
            return replace(buyer, title="Student", company_text="Universität Aldenburg")
        case Kind.JOB_SEEKER:
            return replace(buyer, title="Looking for a new role")
        case Kind.COMPETITOR:
            return replace(buyer, title="Product Marketing Manager", company_text="")
        case Kind.COLLEAGUE:
            return replace(buyer, title="Marketing Specialist", company_text="Relay")
        case Kind.TWICE:
            other = f"{_fold(buyer.first)}.{_fold(buyer.last)}{rng.randint(1, 99)}"
            return replace(buyer, duplicate_email=f"{other}@{words.FREE_MAIL[0]}")
        case Kind.NONSENSE:
            return _nonsense(rng, buyer)
        case _:
            return buyer


def _nonsense(rng: Random, buyer: Buyer) -> Buyer:
    """Somebody whose data is unusable: no e-mail in half of the cases, nothing true in the rest."""
    return replace(
        buyer,
        first=rng.choice(("asdf", "Test", "X", "Mickey")),
        last=rng.choice(("qwertz", "Testson", "Y", "aaaaaa")),
        email=None if rng.random() < 0.5 else f"asdf{rng.randint(100, 999)}@{words.DISPOSABLE[0]}",
        phone=rng.choice(("12", "call me", "+00 000 000", "0123456789012345678")),
        country_text=rng.choice(("Narnia", "Atlantis", "n/a", "Earth")),
        company_text="none",
        size_text=rng.choice(("lots", "-5", "one million billion", "???")),
        title="boss",
    )
