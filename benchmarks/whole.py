"""Whole decisions by columns: permission, account, score, rules, distribution, trace.

New leads of 100,000 companies under the shipped policy, which for this has no limit of handoffs a
run; one company in five is an account of Salesforce. Chunks of 100,000 leads share one book.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from alone import measured
from figures import Figure

SIZES = (10_000, 100_000, 1_000_000)
CHUNK = 100_000
BLOCK = 10_000
COMPANIES = 100_000
_SECOND = 1_000_000


def whole(quick: bool) -> list[Figure]:
    """Measure decisions by columns at three sizes, and one by one at the smallest."""
    figures: list[Figure] = []
    for size in (2_000,) if quick else SIZES:
        found = measured("whole", "by_columns", count=size)
        terms = f"{size:,} leads: {found['mix']}"
        figures.append(Figure("by columns", terms, size / found["seconds"], "leads/s"))
        figures.append(Figure("by columns: peak", f"{size:,} leads", found["peak_mb"], "MB"))
        if size == min(SIZES) or quick:
            terms = "handed off leads, with words, terms and package"
            figures.append(Figure("expanded to the full", terms, found["expanded"], "leads/s"))
    size = 300 if quick else 3_000
    found = measured("whole", "one_by_one", count=size)
    terms = f"{size:,} leads, the same; {found['equal']:,} compared, all equal"
    figures.append(Figure("one by one", terms, size / found["seconds"], "leads/s"))
    return figures


def by_columns(count: int) -> dict[str, Any]:
    """Decide on all leads; the frame of facts stands ready, everything else is counted."""
    from collections import Counter

    from baton.routing.book import PoolBook

    decide_on(next(_parts(1_000)), PoolBook())  # calendars and public holidays, once a process
    book, mix, seconds, expanded = PoolBook(), Counter[str](), 0.0, 0.0
    for part in _parts(count):
        began = time.process_time()
        found = decide_on(part, book)
        seconds += time.process_time() - began
        mix.update(found.counts())
        if not expanded:
            handed = [place for place, owner in enumerate(found.owners) if owner][:300]
            began = time.process_time()
            for place in handed:
                assert found.decision(place).route is not None
            expanded = len(handed) / (time.process_time() - began)
        del part, found  # or the next chunk would be made while this one is still held
    shares = ", ".join(f"{name} {number / count:.0%}" for name, number in mix.most_common())
    return {"seconds": seconds, "mix": shares, "expanded": expanded}


def one_by_one(count: int) -> dict[str, Any]:
    """Decide on each lead with `decide`, inputs gathered; compare with the columns."""
    from deciding import ROSTER

    from baton.decision.decide import decide
    from baton.routing.book import PoolBook

    policy, part = without_limit(), next(_parts(count))
    found, book = decide_on(part, PoolBook()), PoolBook()
    seconds = 0.0
    for place in range(count):
        began = time.process_time()
        decision = decide(found.frame.inputs_at(place), policy, ROSTER, book)
        seconds += time.process_time() - began
        led = decision.route
        alone = (
            decision.outcome,
            decision.reason_code,
            led.owner.key if led and led.owner else None,
        )
        at_once = (found.outcomes[place], found.reason_codes[place], found.owners[place])
        assert alone == at_once, (place, alone, at_once)
    return {"seconds": seconds, "equal": count}


def decide_on(part: Any, book: Any) -> Any:
    """Match, permit, score, route: everything from a prepared frame of facts on."""
    from deciding import CAPTURED, ROSTER
    from generated import NOW

    from baton.decision.columns import DecisionFrame, decide_frame

    count = len(part)
    frame = DecisionFrame.of_facts(
        part,
        without_limit(),
        accounts(),
        lead_keys=_Keys(count),
        captured_at=[CAPTURED] * count,
        decided_at=NOW,
    )
    return decide_frame(frame, without_limit(), ROSTER, book)


class _Keys(list[str]):
    """Keys of leads that are made when they are asked for."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count

    def __getitem__(self, place: Any) -> Any:
        return f"L{place}"


_KEPT: dict[str, Any] = {}


def without_limit() -> Any:
    """Return the shipped policy without a limit of handoffs a run."""
    if "policy" not in _KEPT:
        from deciding import POLICY

        guards = POLICY.guards.model_copy(update={"handoffs_per_run": 10**9})
        _KEPT["policy"] = POLICY.model_copy(update={"guards": guards})
    return _KEPT["policy"]


def accounts() -> Any:
    """Return what matches with 20,000 accounts, half of them with an owner."""
    if "accounts" not in _KEPT:
        from deciding import ROSTER

        from baton.decision.column_inputs import matcher
        from baton.leads.accounts import Account, AccountIndex

        reps = [rep.key for rep in ROSTER.people]
        index = AccountIndex(
            Account(
                f"A{number}",
                f"Firm {number}",
                f"firm{number}.test",
                owner=reps[number % len(reps)] if number % 2 else None,
                country=_of_firm("Country", number),
            )
            for number in range(0, COMPANIES, 5)
        )
        _KEPT["accounts"] = matcher(index)
    return _KEPT["accounts"]


_FIRM = {
    "Country": ("DE", "AT", "GB", "SE", "US", "US", "JP", "IT"),
    "Territory": (
        "DACH", "DACH", "UK and Nordics", "UK and Nordics", "Americas", "Americas", "APAC",
        "Southern Europe",
    ),
    "Industry": ("COMPUTER_SOFTWARE", "FINANCIAL_SERVICES", "MACHINERY", "GAMBLING_CASINOS", None),
    "Company size": (3, 15, 40, 120, 400, 900, 3000),
    "Segment": ("Small", "Small", "Small", "Mid-market", "Mid-market", "Mid-market", "Enterprise"),
}  # fmt: skip
_PERSON = {
    "Job title": ("Head of Sales", "VP Marketing", "Sales Manager", "Founder", "Analyst", None, "Trainee"),
    "Source": ("ORGANIC_SEARCH", "PAID_SEARCH", "REFERRALS", "SOCIAL_MEDIA", "DIRECT_TRAFFIC"),
    "Decision timeline": ("This month", "This quarter", "This year", "Just looking", None),
    "Budget range": ("Under 10k", "10k to 50k", "50k to 200k", "Over 200k", None),
    "Pricing page views": (0, 0, 1, 2, 5),
    "Content downloads": (0, 0, 1, 3),
    "Site revisits": (0, 1, 4),
}  # fmt: skip
_SEEN = {"Pricing page last view at": 30, "Last content at": 60, "Last visit at": 20}


def _of_firm(label: str, number: int) -> Any:
    values = _FIRM[label]
    return values[number % len(values)]


def _parts(count: int) -> Iterator[Any]:
    for start in range(0, count, CHUNK):
        yield _facts(min(CHUNK, count - start), start)


def _facts(count: int, start: int) -> Any:
    """Return a prepared frame of leads, as reading and enriching would leave them."""
    from generated import NOW

    from baton.scoring.columns import DAY_MICROS, Column, Instants, LeadFrame, coded_of, micros_of

    rng = np.random.default_rng([17, start])
    firms = rng.integers(COMPANIES, size=count)
    columns: dict[str, Column] = {
        label: coded_of([values[number % len(values)] for number in firms.tolist()])
        for label, values in _FIRM.items()
    }
    for label, options in _PERSON.items():
        drawn = rng.integers(len(options), size=count).tolist()
        columns[label] = coded_of([options[number] for number in drawn])
    columns |= {
        "E-mail": coded_of([f"person{start + n}@firm{f}.test" for n, f in enumerate(firms)]),
        "First name": coded_of([f"First{number % 500}" for number in range(count)]),
        "Last name": coded_of([f"Last{number}" for number in range(start, start + count)]),
        "Company name": coded_of([f"Firm {number}" for number in firms.tolist()]),
        "Company domain": coded_of([f"firm{number}.test" for number in firms.tolist()]),
        "E-mail domain": coded_of([f"firm{number}.test" for number in firms.tolist()]),
        "Free mail": coded_of([False] * count),
        "Disposable address": coded_of([False] * count),
        "Role address": coded_of((rng.random(count) < 0.02).tolist()),
    }
    now = micros_of(NOW)
    for label, days in _SEEN.items():
        ago = (rng.random(count) * days * DAY_MICROS).astype(np.int64)
        columns[label] = Instants(now - ago, np.ones(count, dtype=np.bool_))
    minutes = (rng.random(count) * 10 * 60 * _SECOND).astype(np.int64)
    raised = Instants(now - minutes, rng.random(count) < 1 / 6)
    columns["Demo requested at"] = raised
    taken = (rng.random(count) < 1 / 6) & ~raised.known
    scores = np.array([40, 60, 75, 80, 95])[rng.integers(5, size=count)]
    columns["Quiz taken at"] = Instants(now - minutes, taken)
    columns["Quiz score"] = coded_of(
        [score if has else None for score, has in zip(scores.tolist(), taken.tolist(), strict=True)]
    )
    return LeadFrame(count, columns)
