"""Generated leads as columns: the same leads for every tool, whatever the size of the chunks.

Each block of 10,000 leads has its own seed. A column is codes and the values they stand for, or
whole numbers with -1 for unknown; from these every tool gets its leads in the form it likes best.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from generated import NOW
from numpy.typing import NDArray

from baton.scoring.columns import EPOCH, Coded, Column, Instants, LeadFrame, Wholes, micros_of

BLOCK = 10_000
NOW_MICROS = micros_of(NOW)
DAY = 86_400_000_000
Integers = NDArray[np.int64]

TEXTS: dict[str, tuple[str | None, ...]] = {
    "industry": (
        None, "COMPUTER_SOFTWARE", "FINANCIAL_SERVICES", "INSURANCE", "BANKING", "MACHINERY",
        "RETAIL", "GAMBLING_CASINOS", "TOBACCO", "CONSTRUCTION",
    ),
    "job_title": (
        None, "Head of Sales", "VP Marketing", "Sales Manager", "Founder", "Analyst", "Trainee",
        "Team Lead Inside Sales", "Director Operations", "Chief of Staff", "Engineer", "Leader",
    ),
    "country": ("DE", "AT", "CH", "GB", "SE", "US", "JP", "IT", "FR", "ES"),
    "source": ("ORGANIC_SEARCH", "PAID_SEARCH", "PAID_SOCIAL", "REFERRALS", "DIRECT_TRAFFIC"),
    "budget": (None, "Under 10k", "10k to 50k", "50k to 200k", "Over 200k"),
    "timeline": (None, "This month", "This quarter", "This year", "Just looking"),
    "form": (None, None, None, "Demo request", "Contact sales", "Buyer's guide", "Newsletter"),
}  # fmt: skip
FLAGS = ("free_mail",)
NUMBERS = {
    "pricing_views": (0, 0, 0, 1, 2, 5),
    "downloads": (0, 0, 1, 3),
    "webinars": (0, 0, 0, 1, 2),
    "quiz_score": (-1, -1, -1, 40, 60, 75, 80, 95),
}
INSTANTS = {"demo_at": (0.8, 120), "last_visit_at": (0.2, 90)}
"""Which part has none, and over how many days the others are spread."""


@dataclass(frozen=True, slots=True)
class Leads:
    """Some leads: codes of texts and flags, numbers (-1: unknown), microseconds (-1: unknown)."""

    texts: dict[str, NDArray[np.int32]]
    flags: dict[str, NDArray[np.bool_]]
    numbers: dict[str, Integers]
    instants: dict[str, Integers]

    def __len__(self) -> int:
        """Return how many there are."""
        return len(next(iter(self.texts.values())))


def chunks(count: int, size: int) -> Iterator[Leads]:
    """Yield `count` leads in chunks of `size`, both multiples of BLOCK unless below it."""
    for start in range(0, count, size):
        yield leads(min(size, count - start), start=start)


def leads(count: int, *, start: int = 0) -> Leads:
    """Return `count` leads from the place `start`, a multiple of BLOCK, on."""
    blocks = [_block(place // BLOCK) for place in range(start, start + count, BLOCK)]

    def joined(kind: str) -> dict[str, Any]:
        names = getattr(blocks[0], kind)
        return {
            name: np.concatenate([getattr(block, kind)[name] for block in blocks])[:count]
            for name in names
        }

    return Leads(joined("texts"), joined("flags"), joined("numbers"), joined("instants"))


def _block(number: int) -> Leads:
    rng = np.random.default_rng([11, number])
    sizes = np.where(
        rng.random(BLOCK) < 0.1, -1, np.exp(rng.normal(5, 1.8, BLOCK)).astype(np.int64)
    )
    numbers = {name: np.array(values)[rng.integers(len(values), size=BLOCK)]
               for name, values in NUMBERS.items()}  # fmt: skip
    instants = {}
    for name, (absent, days) in INSTANTS.items():
        ago = (rng.random(BLOCK) * days * DAY).astype(np.int64)
        instants[name] = np.where(rng.random(BLOCK) < absent, -1, NOW_MICROS - ago)
    return Leads(
        {
            name: rng.integers(len(values), size=BLOCK, dtype=np.int32)
            for name, values in TEXTS.items()
        },
        {name: rng.random(BLOCK) < 0.2 for name in FLAGS},
        {"company_size": sizes, **numbers},
        instants,
    )


def as_frame(some: Leads) -> LeadFrame:
    """Return leads as Baton's prepared frame."""
    columns: dict[str, Column] = {}
    for name, codes in some.texts.items():
        columns[name] = _coded(codes, TEXTS[name])
    for name, flags in some.flags.items():
        columns[name] = Coded(flags.astype(np.int32) + np.int32(1), (None, False, True))
    for name, numbers in some.numbers.items():
        columns[name] = Wholes(numbers, numbers >= 0)
    for name, micros in some.instants.items():
        columns[name] = Instants(micros, micros >= 0)
    return LeadFrame(len(some), columns)


def _coded(codes: NDArray[np.int32], values: tuple[str | None, ...]) -> Coded:
    kept = [None, *(value for value in values if value is not None)]
    places = np.array([0 if v is None else kept.index(v) for v in values], dtype=np.int32)
    return Coded(places[codes], tuple(kept))


def as_rows(some: Leads, *, instants: bool) -> list[dict[str, Any]]:
    """Return leads as dictionaries, the form in which they come from an API.

    With `instants` as aware datetimes, as Baton has them; otherwise as microseconds since 1970.
    """
    columns: dict[str, list[Any]] = {
        name: [TEXTS[name][code] for code in codes.tolist()] for name, codes in some.texts.items()
    }
    columns |= {name: flags.tolist() for name, flags in some.flags.items()}
    columns |= {name: _or_none(numbers) for name, numbers in some.numbers.items()}
    for name, micros in some.instants.items():
        found = _or_none(micros)
        columns[name] = [_instant(one) for one in found] if instants else found
    names = list(columns)
    return [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _or_none(numbers: Integers) -> list[int | None]:
    return [None if number < 0 else number for number in numbers.tolist()]


def _instant(micros: int | None) -> datetime | None:
    from datetime import timedelta

    return None if micros is None else EPOCH + timedelta(microseconds=micros)
