"""Territories: which part of the world a lead belongs to, and since when.

A CSV list of the policy with the columns country and territory, and where wanted region (a state
or province, by name or by code) and effective_from (a date in UTC).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache, lru_cache

import pycountry
from pydantic import ValidationInfo
from pydantic_core import PydanticCustomError

from baton.policy.reading import CsvList, closest, problem, together
from baton.policy.references import list_named, need_columns

_Key = tuple[str, str]
_ANYWHERE = ""


@dataclass(frozen=True, slots=True)
class TerritoryRow:
    """One line of the list. `region` None: the whole country; `effective_from` None: always."""

    country: str
    territory: str
    region: str | None = None
    effective_from: date | None = None

    @property
    def since(self) -> date:
        """Return the day from which it counts."""
        return self.effective_from or date.min


@dataclass(frozen=True, slots=True)
class Territories:
    """Every territory with its countries, in the order of the list."""

    rows: tuple[TerritoryRow, ...] = ()
    _by_key: Mapping[_Key, tuple[TerritoryRow, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Order the rows of each country and region, the newest first."""
        found: dict[_Key, list[TerritoryRow]] = {}
        for row in sorted(self.rows, key=lambda row: row.since, reverse=True):
            found.setdefault(_key(row.country, row.region), []).append(row)
        object.__setattr__(self, "_by_key", {key: tuple(rows) for key, rows in found.items()})

    def __bool__(self) -> bool:
        """Tell whether there is any territory at all."""
        return bool(self.rows)

    def of(self, country: str | None, region: str | None, on: date) -> str | None:
        """Return the territory of a country (ISO code) and region (name or code) on a day, or None.

        A line for the region beats one for the whole country; of several, the latest whose day has
        come counts.
        """
        if not country:
            return None
        places = [_key(country, None)]
        if region and region.strip():
            places.insert(0, _key(country, region))
        rows = (row for place in places for row in self._by_key.get(place, ()))
        return next((row.territory for row in rows if row.since <= on), None)

    def names(self) -> frozenset[str]:
        """Return the name of every territory, also of those whose day has not come."""
        return frozenset(row.territory for row in self.rows)

    @property
    def by_region(self) -> bool:
        """Tell whether some line names a region."""
        return any(row.region for row in self.rows)


def _key(country: str, region: str | None) -> _Key:
    code = country.strip().upper()
    return code, region_key(code, region) if region else _ANYWHERE


@lru_cache(maxsize=4096)
def region_key(country: str, region: str) -> str:
    """Return one spelling of a region: its ISO 3166-2 code ("DE-BY"), else the text in lower case.

    "BY", "DE-BY", "Bayern" and "bayern " are the same; a name in another language is another name.
    """
    text = " ".join(region.split()).casefold()
    return _codes().get((country, text), text)


@cache
def _codes() -> Mapping[_Key, str]:
    """Return the ISO 3166-2 code by (country, code or its second half or name in lower case)."""
    found: dict[_Key, str] = {}
    for part in pycountry.subdivisions:
        country, _, short = str(part.code).partition("-")
        for name in (part.code, short, part.name):
            found.setdefault((country, str(name).casefold()), str(part.code))
    return found


def read_territories(value: object, info: ValidationInfo) -> object:
    """Turn the name of a CSV list, or a map of territory by ISO country, into Territories."""
    if isinstance(value, Mapping):
        return territories_of((str(country), str(name)) for country, name in value.items())
    if not isinstance(value, str):
        return value
    rows = list_named(value, info)
    need_columns(rows, "country", "territory")
    return Territories(tuple(_rows(rows)))


def territories_of(pairs: Iterable[tuple[str, str]]) -> Territories:
    """Return territories of whole countries, from pairs of (ISO country, territory)."""
    return Territories(tuple(TerritoryRow(country.upper(), name) for country, name in pairs))


def _rows(rows: CsvList) -> list[TerritoryRow]:
    seen: dict[tuple[_Key, date], TerritoryRow] = {}
    found: list[TerritoryRow] = []
    wrong: list[PydanticCustomError] = []
    for place, line in rows.numbered():
        try:
            row = _row(place, line)
        except PydanticCustomError as error:
            wrong.append(error)
            continue
        key = (_key(row.country, row.region), row.since)
        other = seen.setdefault(key, row)
        if other.territory != row.territory:
            where = f"{row.country} {row.region}" if row.region else row.country
            since = f" from {row.effective_from}" if row.effective_from else ""
            words = f"{where} belongs to both '{other.territory}' and '{row.territory}'{since}"
            hint = "take one line out, or give the later one an effective_from"
            wrong.append(problem(words, hint=hint, at=place))
        found.append(row)
    if wrong:
        raise together(wrong)
    return found


def _row(place: tuple[str, int], line: Mapping[str, str]) -> TerritoryRow:
    country = line["country"].upper()
    if pycountry.countries.get(alpha_2=country) is None:
        raise problem(
            f"'{line['country']}' is not an ISO country code",
            hint=country_code_of(line["country"]) or "countries are two letters, as DE or NO",
            at=place,
        )
    if not line["territory"]:
        raise problem(
            f"{country} has no territory", hint="name one, or take the line out", at=place
        )
    since = _date(place, line.get("effective_from"))
    return TerritoryRow(country, line["territory"], line.get("region") or None, since)


def country_code_of(name: str) -> str | None:
    """Return "Germany is DE" for the name of a country, or None when nothing is close."""
    known = {str(one.name): str(one.alpha_2) for one in pycountry.countries}
    close = closest(name, known)
    return f"{close} is {known[close]}" if close else None


def _date(place: tuple[str, int], text: str | None) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise problem(f"'{text}' is not a date", hint="write it as 2026-11-03", at=place) from None
