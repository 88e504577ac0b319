"""The companies of the market: made up from word lists, some of them known to sales already."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from random import Random

from crm_sandbox.market import words
from crm_sandbox.market.randomness import lognormal, sample, stream, weighted


class Standing(StrEnum):
    """What sales has to do with a company when the market opens."""

    UNKNOWN = "unknown"
    CUSTOMER = "customer"
    OPEN_OPPORTUNITY = "open opportunity"
    NAMED = "named account"
    AMBIGUOUS = "two accounts"
    PARTNER = "partner"


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """One company as it truly is; the portal and the org may know less."""

    key: str
    name: str
    domain: str
    industry: str
    employees: int
    country: words.Country
    state: str
    zone: str
    tech: tuple[str, ...]
    standing: Standing = Standing.UNKNOWN
    owner: str | None = None
    """Staff key of who owns the account, where there is one."""
    size_published: bool = True
    """False: the portal has no number of employees for it."""

    @property
    def region(self) -> str:
        """Region of the country."""
        return self.country.region

    @property
    def fit(self) -> float:
        """True fit between 0 and 1. Nothing that is read from the systems contains it."""
        if self.industry in words.UNSERVED:
            return 0.1
        by_size = _SIZE_FIT[next(i for i, top in enumerate(_SIZE_TOPS) if self.employees < top)]
        by_tech = 0.12 if "Salesforce" in self.tech and "HubSpot" in self.tech else 0.0
        by_place = 0.05 if self.region in ("DACH", "Americas", "UK") else 0.0
        by_trade = 0.08 if self.industry in _GOOD_TRADES else 0.0
        return min(1.0, by_size + by_tech + by_place + by_trade)


_SIZE_TOPS = (20, 50, 200, 1001, 5001, 10**9)
_SIZE_FIT = (0.15, 0.4, 0.68, 0.78, 0.6, 0.45)
_GOOD_TRADES = frozenset(
    {"COMPUTER_SOFTWARE", "LOGISTICS_AND_SUPPLY_CHAIN", "INSURANCE", "INDUSTRIAL_AUTOMATION"}
)
_FOLD = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "å": "a", "ø": "o", "æ": "ae"})


def domain_label(name: str) -> str:
    """A name as the first label of a domain."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower().translate(_FOLD)).strip("-")


def _named(
    name: str,
    domain: str,
    country: str,
    industry: str,
    *,
    employees: int,
    owner: str,
) -> Company:
    land = words.BY_NAME[country]
    state, zone = land.zones[0]
    return Company(
        key=f"named-{domain}",
        name=name,
        domain=domain,
        industry=industry,
        employees=employees,
        country=land,
        state=state,
        zone=zone,
        tech=("Salesforce", "HubSpot", "Slack"),
        standing=Standing.NAMED,
        owner=owner,
    )


NAMED_ACCOUNTS: tuple[Company, ...] = (
    _named(
        "Brennwerk Energie",
        "brennwerk.test",
        "Germany",
        "RENEWABLES_ENVIRONMENT",
        employees=4200,
        owner="helena.voss",
    ),
    _named(
        "Halvorsen Marine",
        "halvorsen-marine.test",
        "Norway",
        "LOGISTICS_AND_SUPPLY_CHAIN",
        employees=2600,
        owner="helena.voss",
    ),
    _named(
        "Castellan Insurance",
        "castellan-insurance.test",
        "United Kingdom",
        "INSURANCE",
        employees=7800,
        owner="helena.voss",
    ),
    _named(
        "Alpinvest Medizintechnik",
        "alpinvest-med.test",
        "Switzerland",
        "MEDICAL_DEVICES",
        employees=1900,
        owner="helena.voss",
    ),
    _named(
        "Northbridge Freight",
        "northbridge-freight.test",
        "United States",
        "LOGISTICS_AND_SUPPLY_CHAIN",
        employees=5400,
        owner="marcus.bell",
    ),
    _named(
        "Cedarline Health",
        "cedarline-health.test",
        "Canada",
        "HOSPITAL_HEALTH_CARE",
        employees=3100,
        owner="marcus.bell",
    ),
    _named(
        "Tidewater Machinery",
        "tidewater-machinery.test",
        "United States",
        "MACHINERY",
        employees=2200,
        owner="marcus.bell",
    ),
    _named(
        "Officine Bellandi",
        "officine-bellandi.test",
        "Italy",
        "INDUSTRIAL_AUTOMATION",
        employees=640,
        owner="sofia.ricci",
    ),
)

COMPANIES = 420
_STANDINGS = (
    (Standing.CUSTOMER, 40),
    (Standing.OPEN_OPPORTUNITY, 22),
    (Standing.AMBIGUOUS, 3),
    (Standing.PARTNER, 4),
)


def all_companies(seed: int) -> tuple[Company, ...]:
    """Every company of the market, named accounts first. Domains are unique."""
    made: dict[str, Company] = {company.domain: company for company in NAMED_ACCOUNTS}
    standings = [standing for standing, count in _STANDINGS for _ in range(count)]
    for number in range(COMPANIES):
        rng = stream(seed, "company", number)
        company = _generate(rng, f"company-{number:03d}")
        while company.domain in made:
            company = _generate(rng, company.key)
        if number < len(standings):
            company = _known(rng, company, standings[number])
        made[company.domain] = company
    return tuple(made.values())


def _generate(rng: Random, key: str) -> Company:
    country = weighted(rng, {land: land.weight for land in words.COUNTRIES})
    industry = weighted(rng, words.INDUSTRY_WEIGHTS)
    stem = f"{rng.choice(words.COMPANY_HEADS)} {rng.choice(words.COMPANY_TAILS[industry])}"
    state, zone = rng.choice(country.zones)
    return Company(
        key=key,
        name=f"{stem} {rng.choice(country.suffixes)}",
        domain=f"{domain_label(stem)}.test",
        industry=industry,
        employees=max(3, min(20_000, round(lognormal(rng, 180, 1.35)))),
        country=country,
        state=state,
        zone=zone,
        tech=tuple(sample(rng, words.TECH, rng.randint(2, 5))),
        size_published=rng.random() > 0.08,
    )


def _known(rng: Random, company: Company, standing: Standing) -> Company:
    """A company that sales knows: of a served industry and a size that could have bought."""
    industry = company.industry
    while industry in words.UNSERVED:
        industry = weighted(rng, words.INDUSTRY_WEIGHTS)
    return replace(
        company,
        standing=standing,
        industry=industry,
        employees=max(40, company.employees),
    )
