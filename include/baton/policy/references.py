"""Readers of the policy's maps, numbered lists and CSV lists."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pydantic import ValidationInfo

from baton.policy.actions import PolicyModel
from baton.policy.reading import EMAIL, CsvList, did_you_mean, problem, reading_of, together


class NamedAccount(PolicyModel):
    """An account that marketing and sales named together, and the e-mail of who owns it."""

    domain: str
    name: str = ""
    owner: str


@dataclass(frozen=True, slots=True)
class Named:
    """A reader that gives each value of a map its key as `attribute`."""

    attribute: str

    def __call__(self, value: object) -> object:
        """Read a map; anything else is left as it is."""
        if not isinstance(value, Mapping):
            return value
        return {
            key: {**part, self.attribute: key}
            if isinstance(part, Mapping)
            else {self.attribute: key}
            if part is None
            else part
            for key, part in value.items()
        }


def read_named(attribute: str) -> Callable[[object], object]:
    """Return a reader that gives each value of a map its key as `attribute`."""
    return Named(attribute)


@dataclass(frozen=True, slots=True)
class Numbered:
    """A reader that gives each item of a list without an `id` its place as one: "route 3"."""

    word: str

    def __call__(self, value: object) -> object:
        """Read a list; anything else is left as it is."""
        if not isinstance(value, Sequence) or isinstance(value, str):
            return value
        return tuple(
            {"id": f"{self.word} {number}", **part} if isinstance(part, Mapping) else part
            for number, part in enumerate(value, start=1)
        )


def read_numbered(word: str) -> Callable[[object], object]:
    """Return a reader that gives each item of a list without an `id` its place as one: "route 3"."""
    return Numbered(word)


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


def read_named_accounts(value: object, info: ValidationInfo) -> object:
    """Turn the name of a CSV list (columns domain, name, owner) into named accounts."""
    if not isinstance(value, str):
        return value
    rows = list_named(value, info)
    need_columns(rows, "domain", "owner")
    seen: set[str] = set()
    wrong = []
    for place, row in rows.numbered():
        domain = row["domain"].lower()
        if "." not in domain or domain in seen:
            why = "is named twice" if domain in seen else "is not a domain"
            wrong.append(problem(f"'{row['domain']}' {why}", at=place))
        elif not EMAIL.fullmatch(row["owner"]):
            hint = "an account belongs to a person of the roster, by e-mail"
            wrong.append(problem(f"'{row['owner']}' is not an e-mail address", hint=hint, at=place))
        seen.add(domain)
    if wrong:
        raise together(wrong)
    return tuple(
        {"domain": row["domain"].lower(), "name": row.get("name", ""), "owner": row["owner"]}
        for row in rows.rows
    )


def need_columns(rows: CsvList, *names: str) -> None:
    """Refuse a list that lacks one of these columns."""
    missing = [name for name in names if name not in rows.columns]
    if missing:
        raise problem(
            f"{rows.name} lacks the column {' and '.join(missing)}; it has {', '.join(rows.columns)}",
            at=(rows.name, 1),
        )
