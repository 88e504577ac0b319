"""Readers of the policy's maps, numbered lists and CSV lists."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from pydantic import ValidationInfo

from baton.policy.actions import PolicyModel
from baton.policy.reading import CsvList, did_you_mean, problem, reading_of


class NamedAccount(PolicyModel):
    """An account that marketing and sales named together, and the e-mail of who owns it."""

    domain: str
    name: str = ""
    owner: str


def read_named(attribute: str) -> Callable[[object], object]:
    """Return a reader that gives each value of a map its key as `attribute`."""

    def read(value: object) -> object:
        if not isinstance(value, Mapping):
            return value
        return {
            key: {**part, attribute: key}
            if isinstance(part, Mapping)
            else {attribute: key}
            if part is None
            else part
            for key, part in value.items()
        }

    return read


def read_numbered(word: str) -> Callable[[object], object]:
    """Return a reader that gives each item of a list without an `id` its place as one: "route 3"."""

    def read(value: object) -> object:
        if not isinstance(value, Sequence) or isinstance(value, str):
            return value
        return tuple(
            {"id": f"{word} {number}", **part} if isinstance(part, Mapping) else part
            for number, part in enumerate(value, start=1)
        )

    return read


def list_named(name: str, info: ValidationInfo) -> CsvList:
    """Return the CSV list of that name; an error with a did-you-mean when there is none."""
    reading = reading_of(info)
    lists = reading.lists if reading else {}
    if name not in lists:
        raise problem(f"there is no list '{name}'", hint=did_you_mean(name, lists))
    return lists[name]


def read_names(value: object, info: ValidationInfo) -> object:
    """Turn the name of a CSV list into the lower-cased values of its first column."""
    if not isinstance(value, str):
        return value
    return frozenset(name.lower() for name in list_named(value, info).first_column())


def read_territories(value: object, info: ValidationInfo) -> object:
    """Turn the name of a CSV list (columns country, territory) into territory by ISO country."""
    if not isinstance(value, str):
        return value
    rows = list_named(value, info)
    _need_columns(rows, "country", "territory")
    found: dict[str, str] = {}
    for number, row in enumerate(rows.rows, start=2):
        country = row["country"].upper()
        if len(country) != 2 or not country.isalpha():
            raise problem(f"{value} line {number}: '{row['country']}' is not an ISO country code")
        if found.get(country, row["territory"]) != row["territory"]:
            raise problem(
                f"{value} line {number}: {country} belongs to both "
                f"'{found[country]}' and '{row['territory']}'"
            )
        found[country] = row["territory"]
    return found


def read_named_accounts(value: object, info: ValidationInfo) -> object:
    """Turn the name of a CSV list (columns domain, name, owner) into named accounts."""
    if not isinstance(value, str):
        return value
    rows = list_named(value, info)
    _need_columns(rows, "domain", "owner")
    seen: set[str] = set()
    for number, row in enumerate(rows.rows, start=2):
        domain = row["domain"].lower()
        if "." not in domain or domain in seen:
            why = "is named twice" if domain in seen else "is not a domain"
            raise problem(f"{value} line {number}: '{row['domain']}' {why}")
        seen.add(domain)
    return tuple(
        {"domain": row["domain"].lower(), "name": row.get("name", ""), "owner": row["owner"]}
        for row in rows.rows
    )


def _need_columns(rows: CsvList, *names: str) -> None:
    missing = [name for name in names if name not in rows.columns]
    if missing:
        raise problem(
            f"{rows.name} lacks the column {' and '.join(missing)}; it has {', '.join(rows.columns)}"
        )
