"""The parts of a SOQL query as the parser finds them, before any name is looked up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from crm_sandbox.salesforce.errors import OrgFault


@dataclass(frozen=True, slots=True)
class Path:
    """A field, perhaps of a parent: `Owner.Name`. `position` is its place in the text."""

    parts: tuple[str, ...]
    position: int

    def __str__(self) -> str:
        return ".".join(self.parts)


@dataclass(frozen=True, slots=True)
class Text:
    """A quoted string; `raw` still has its escapes."""

    raw: str


@dataclass(frozen=True, slots=True)
class Period:
    """A date literal such as TODAY or LAST_N_DAYS:7."""

    name: str
    count: int | None = None


Literal = Text | Period | int | float | bool | date | datetime | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """`path operator value`; the operator is one of = != < <= > >= LIKE."""

    path: Path
    operator: str
    value: Literal


@dataclass(frozen=True, slots=True)
class Membership:
    """`path IN (…)` or `path NOT IN (…)`, over literals or a subquery."""

    path: Path
    negated: bool
    values: tuple[Literal, ...] | Query


@dataclass(frozen=True, slots=True)
class Not:
    """`NOT condition`."""

    part: Condition


@dataclass(frozen=True, slots=True)
class And:
    """All of the parts."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Any of the parts."""

    parts: tuple[Condition, ...]


Condition = Comparison | Membership | Not | And | Or


@dataclass(frozen=True, slots=True)
class SelectPath:
    """A selected field, with an alias in grouped queries."""

    path: Path
    alias: str | None = None


@dataclass(frozen=True, slots=True)
class Aggregate:
    """`COUNT(Id)` or `MAX(Amount) biggest`."""

    function: str
    path: Path
    alias: str | None = None


@dataclass(frozen=True, slots=True)
class SelectFields:
    """`FIELDS(ALL | STANDARD | CUSTOM)`."""

    scope: str
    position: int


@dataclass(frozen=True, slots=True)
class SelectChildren:
    """`(SELECT … FROM Tasks)`."""

    query: Query


SelectItem = SelectPath | Aggregate | SelectFields | SelectChildren


@dataclass(frozen=True, slots=True)
class Order:
    """One entry of ORDER BY; nulls come first unless told otherwise."""

    by: Path | Aggregate
    descending: bool = False
    nulls_last: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """A whole query. `counted` means `SELECT COUNT()`."""

    text: str
    select: tuple[SelectItem, ...]
    counted: bool
    source: str
    source_position: int
    alias: str | None
    where: Condition | None
    group_by: tuple[Path, ...]
    order_by: tuple[Order, ...]
    limit: int | None
    offset: int

    @property
    def grouped(self) -> bool:
        """True when the result is one of groups, not of records."""
        return bool(self.group_by) or any(isinstance(one, Aggregate) for one in self.select)


def malformed(message: str) -> OrgFault:
    """A query that does not follow the grammar."""
    return OrgFault("MALFORMED_QUERY", message)


def unexpected(token: str) -> OrgFault:
    """A token that cannot stand where it stands."""
    return malformed(f"unexpected token: {token}")


def located(text: str, position: int, message: str, code: str = "INVALID_FIELD") -> OrgFault:
    """An error that shows the place in the query, as Salesforce does."""
    before = text[:position]
    row = before.count("\n") + 1
    column = position - (before.rfind("\n") + 1) + 1
    shown = text.replace("\n", " ")
    start = max(0, position - 40)
    fragment = shown[start : position + 40]
    caret = " " * (position - start) + "^"
    return OrgFault(code, f"\n{fragment}\n{caret}\nERROR at Row:{row}:Column:{column}\n{message}")
