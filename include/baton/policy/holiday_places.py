"""Places whose public holidays are known: countries and their parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from baton.policy.reading import did_you_mean, problem

_EXAMPLE = "write an ISO country such as DE, or one of its parts such as DE-BY"


def known_place(place: str) -> str:
    """Return a country ("DE") or one of its parts ("DE-BY"), in its own spelling.

    Raises a policy problem with a hint where its public holidays are not known: the nearest place,
    or the parts that the country has.
    """
    found = country_and_part(place)
    if found is not None:
        return "-".join(name for name in found if name)
    country, _, part = place.strip().upper().partition("-")
    parts = _parts()
    if country in parts and part:
        names = parts[country]
        message = f"public holidays of '{place}' are not known: {country} has no '{part}'"
        shown = f"its parts are: {', '.join(names) or 'none'}"
        raise problem(message, hint=did_you_mean(part, names) or shown)
    hint = did_you_mean(country, parts) if len(country) <= len("DEU") else None
    raise problem(f"public holidays of '{place}' are not known", hint=hint or _EXAMPLE)


def country_and_part(place: str) -> tuple[str, str | None] | None:
    """Return country and part, upper and lower case alike; None where no holidays are known."""
    country, _, part = place.strip().upper().partition("-")
    parts = _parts()
    if country not in parts or not country.isalpha():
        return None
    if not part:
        return country, None
    return next(((country, name) for name in parts[country] if name.upper() == part), None)


@lru_cache(maxsize=1)
def _parts() -> Mapping[str, Sequence[str]]:
    import holidays

    return holidays.list_supported_countries(include_aliases=True)
