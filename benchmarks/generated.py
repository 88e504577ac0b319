"""Leads that exist nowhere: seeded, in the shapes that the shipped policy asks about."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
"""A Tuesday in office hours, so that no figure depends on the day it was measured."""

Properties = dict[str, str | None]

_TITLES = ("Head of Sales", "VP Marketing", "Sales Manager", "Founder", "Analyst", "", "Trainee")
_INDUSTRIES = ("COMPUTER_SOFTWARE", "FINANCIAL_SERVICES", "MACHINERY", "GAMBLING_CASINOS", "")
_COUNTRIES = ("Germany", "Austria", "United Kingdom", "Sweden", "United States", "Japan", "Italy")
_SOURCES = ("ORGANIC_SEARCH", "PAID_SEARCH", "REFERRALS", "SOCIAL_MEDIA", "DIRECT_TRAFFIC")
_TIMELINES = ("this_month", "this_quarter", "this_year", "just_looking", "")
_BUDGETS = ("under_10k", "10k_50k", "50k_200k", "over_200k", "")


def contacts(count: int, *, seed: int = 7, now: datetime = NOW) -> list[Properties]:
    """Return HubSpot properties of `count` contacts; about a third raised a hand just before `now`."""
    rng = random.Random(seed)
    return [_contact(rng, number, now) for number in range(count)]


def _contact(rng: random.Random, number: int, now: datetime) -> Properties:
    def ago(days: float) -> str:
        moment = now - timedelta(days=rng.uniform(0, days), seconds=5)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    firm = number % max(1, 997)
    made: Properties = {
        "email": f"person{number}@firm{firm}.test" if rng.random() > 0.03 else f"nonsense {number}",
        "firstname": f"First{number}",
        "lastname": f"Last{number}",
        "phone": f"+49 30 {rng.randrange(10**6, 10**7)}",
        "jobtitle": rng.choice(_TITLES),
        "company": f"Firm {firm}",
        "company_size": str(rng.choice((3, 15, 40, 120, 400, 900, 3000, 20000))),
        "industry": rng.choice(_INDUSTRIES),
        "country": rng.choice(_COUNTRIES),
        "hs_analytics_source": rng.choice(_SOURCES),
        "decision_timeline": rng.choice(_TIMELINES),
        "budget_range": rng.choice(_BUDGETS),
        "pricing_page_views": str(rng.choice((0, 0, 1, 2, 5))),
        "pricing_page_last_view_at": ago(30),
        "content_downloads": str(rng.choice((0, 0, 1, 3))),
        "last_content_at": ago(60),
        "site_revisits": str(rng.choice((0, 1, 4))),
        "hs_analytics_last_visit_timestamp": ago(20),
    }
    match rng.randrange(6):
        case 0:
            made |= {"demo_requested_at": ago(0.01)}
        case 1:
            made |= {"quiz_name": "Readiness", "quiz_score": str(rng.choice((40, 60, 75, 80, 95)))}
            made |= {"quiz_taken_at": ago(0.01), "quiz_answers": "Who routes leads today? Nobody"}
    return made
