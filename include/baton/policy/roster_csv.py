"""The roster as three tables: people.csv, pools.csv and leave.csv, read and written.

Every error names file, line, column and value; all of them are said at once.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo, available_timezones

from pydantic import ValidationError

from baton.errors import PolicyError, PolicyErrors
from baton.policy.abilities import abilities_in_text
from baton.policy.messages import message_of
from baton.policy.reading import delimiter_of, did_you_mean
from baton.policy.roster import Leave, Member, Pool, Rep, Roster
from baton.policy.week_text import week_in_text

PEOPLE, POOLS, LEAVE = "people.csv", "pools.csv", "leave.csv"
PEOPLE_COLUMNS = (
    "email", "name", "role", "zone", "hours", "manager", "cap_open", "cap_hour", "cap_day",
    "cap_week", "good_at", "active", "salesforce_user", "slack_email", "joined", "left",
)  # fmt: skip
POOL_COLUMNS = ("pool", "email", "weight")
LEAVE_COLUMNS = ("email", "from", "until", "note")
_CLEAR = {
    "cap_open": "a whole number of 0 or more, or nothing for no limit",
    "cap_hour": "a whole number of 0 or more, or nothing for no limit",
    "cap_day": "a whole number of 0 or more, or nothing for no limit",
    "cap_week": "a whole number of 0 or more, or nothing for no limit",
    "weight": "a whole number from 0 to 10000",
    "active": "yes or no",
    "joined": "a date such as 2026-11-03",
    "left": "a date such as 2026-11-03",
}
Part = TypeVar("Part", Rep, Member, Leave)


@dataclass(frozen=True, slots=True)
class _Row:
    """One line of a table. `line` counts the lines of the file from 1."""

    file: str
    line: int
    values: Mapping[str, str]

    def error(self, message: str, hint: str | None = None) -> PolicyError:
        return PolicyError(message, file=self.file, line=self.line, hint=hint)


@dataclass(slots=True)
class _Tables:
    """What has been read so far, and everything that is wrong."""

    errors: list[PolicyError] = field(default_factory=list)
    named: set[str] = field(default_factory=set)
    people: dict[str, Rep] = field(default_factory=dict)
    row_of: dict[str, _Row] = field(default_factory=dict)
    members: dict[str, list[Member]] = field(default_factory=dict)
    leave: dict[str, list[Leave]] = field(default_factory=dict)


def roster_from_csv(people: str, pools: str, leave: str | None = None) -> Roster:
    """Read a roster from two or three CSV texts.

    People: columns email and name and, where wanted, the others of `PEOPLE_COLUMNS`. Pools:
    ``pool, email`` and, where wanted, weight. Leave: ``email, from, until`` and, where wanted,
    note; times without a zone are the person's own, a date as `until` belongs to the leave.
    Raises PolicyErrors with everything that is wrong.
    """
    tables = _Tables()
    for row in _rows(PEOPLE, people, PEOPLE_COLUMNS, ("email", "name"), tables.errors):
        _add_person(tables, row)
    _check_managers(tables)
    for row in _rows(POOLS, pools, POOL_COLUMNS, ("pool", "email"), tables.errors):
        _add_member(tables, row)
    for row in _rows(LEAVE, leave or "", LEAVE_COLUMNS, ("email", "from", "until"), tables.errors):
        _add_leave(tables, row)
    if tables.errors:
        raise PolicyErrors(tables.errors)
    return Roster(
        people=tuple(
            rep.model_copy(update={"leave": tuple(tables.leave.get(key, ()))})
            for key, rep in tables.people.items()
        ),
        pools=tuple(
            Pool(name=name, members=tuple(members)) for name, members in tables.members.items()
        ),
    )


def _rows(
    name: str,
    text: str,
    columns: Sequence[str],
    needed: Sequence[str],
    errors: list[PolicyError],
) -> Iterator[_Row]:
    """Yield the filled lines of a table; what is wrong with its shape goes to `errors`."""
    if not text.strip() and name == LEAVE:
        return
    plain = io.StringIO(text.removeprefix("\ufeff"))
    reader = csv.reader(plain, delimiter=delimiter_of(text), strict=True)
    try:
        header = [part.strip().lower() for part in next(reader, [])]
        wrong = list(_wrong_header(name, header, columns, needed))
        errors += wrong
        if wrong:
            return
        for parts in reader:
            line = reader.line_num
            if len(parts) > len(header) or (parts and len(parts) < len(header) and any(parts)):
                message = f"has {len(parts)} values for {len(header)} columns"
                hint = "put a value with a comma into quotes"
                errors.append(PolicyError(message, file=name, line=line, hint=hint))
            elif any(part.strip() for part in parts):
                yield _Row(name, line, dict(zip(header, map(str.strip, parts), strict=True)))
    except csv.Error as error:
        errors.append(PolicyError(str(error), file=name, line=reader.line_num))


def _wrong_header(
    name: str, header: Sequence[str], columns: Sequence[str], needed: Sequence[str]
) -> Iterator[PolicyError]:
    for column in dict.fromkeys(header):
        if column not in columns:
            hint = did_you_mean(column, columns) or f"columns are: {', '.join(columns)}"
            yield PolicyError(f"the column '{column}' is not known", file=name, line=1, hint=hint)
        elif header.count(column) > 1:
            yield PolicyError(f"the column '{column}' is there twice", file=name, line=1)
    missing = [column for column in needed if column not in header]
    if missing:
        yield PolicyError(f"lacks the column {' and '.join(missing)}", file=name, line=1)


def _add_person(tables: _Tables, row: _Row) -> None:
    tables.named.add(_email(row))
    given = {name: value for name, value in row.values.items() if value and name != "email"}
    rep = _built(tables.errors, row, lambda: Rep.model_validate({**given, "key": _email(row)}))
    if rep is None:
        return
    if rep.key in tables.people:
        before = tables.row_of[rep.key].line
        message = f"email '{rep.key}' is listed twice, first on line {before}"
        tables.errors.append(row.error(message))
        return
    tables.people[rep.key], tables.row_of[rep.key] = rep, row


def _check_managers(tables: _Tables) -> None:
    for key, rep in tables.people.items():
        if rep.manager is not None and rep.manager not in tables.named:
            message = f"manager '{rep.manager}' is not in the roster"
            hint = did_you_mean(rep.manager, tables.named)
            tables.errors.append(tables.row_of[key].error(message, hint))


def _add_member(tables: _Tables, row: _Row) -> None:
    pool, weight = row.values["pool"], row.values.get("weight")
    if not pool:
        tables.errors.append(row.error("pool is missing"))
        return
    given = {"weight": weight} if weight else {}
    member = _built(
        tables.errors, row, lambda: Member.model_validate({**given, "rep": _email(row)})
    )
    if member is None or not _is_known(tables, row, member.rep):
        return
    members = tables.members.setdefault(pool, [])
    if any(one.rep == member.rep for one in members):
        message = f"email '{member.rep}' is in the pool '{pool}' twice"
        tables.errors.append(row.error(message))
        return
    members.append(member)


def _add_leave(tables: _Tables, row: _Row) -> None:
    email = _email(row)
    if not _is_known(tables, row, email):
        return
    zone = tables.people[email].zone

    def built() -> Leave:
        return Leave(
            start=_edge(row, "from", zone, end=False),
            end=_edge(row, "until", zone, end=True),
            note=row.values.get("note", ""),
        )

    leave = _built(tables.errors, row, built)
    if leave is not None:
        tables.leave.setdefault(email, []).append(leave)


def _edge(row: _Row, column: str, zone: str, *, end: bool) -> datetime:
    try:
        return read_edge(row.values[column], zone, end=end)
    except ValueError as error:
        raise row.error(f"{column} {error}") from None


def _email(row: _Row) -> str:
    return row.values["email"].lower()


def _is_known(tables: _Tables, row: _Row, email: str) -> bool:
    if email in tables.named:
        return email in tables.people
    if tables.errors and not tables.named:
        return False  # the people could not be read at all, which is told already
    hint = did_you_mean(email, tables.named) or f"people stand in {PEOPLE}"
    tables.errors.append(row.error(f"email '{email}' is not in the roster", hint))
    return False


def _built(errors: list[PolicyError], row: _Row, build: Callable[[], Part]) -> Part | None:
    try:
        return build()
    except ValidationError as error:
        errors += _explained(row, error)
    except PolicyError as error:
        errors.append(error)
    return None


def _explained(row: _Row, error: ValidationError) -> Iterator[PolicyError]:
    for detail in error.errors():
        message, hint, path = message_of(Rep, detail)
        column = str(path[0]) if path else ""
        column = {"key": "email", "rep": "email"}.get(column, column)
        value = row.values.get(column, "")
        if column in _CLEAR:
            message, hint = f"{column} '{value}' does not fit", f"write {_CLEAR[column]}"
        elif column == "zone":
            message, hint = f"zone {message}", did_you_mean(value, available_timezones()) or hint
        elif column == "name" and not value:
            message = "name is missing"
        elif column:
            message = f"{column} {message}"
        yield row.error(message, hint)


def read_edge(text: str, zone: str, *, end: bool) -> datetime:
    """Read a date or time as typed; a date as `end` includes that day. Naive times are in `zone`.

    Raises ValueError when it is neither.
    """
    local = ZoneInfo(zone)
    try:
        if len(text) == len("2026-12-04"):
            day = date.fromisoformat(text) + timedelta(days=1 if end else 0)
            return datetime.combine(day, time(), tzinfo=local).astimezone(UTC)
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"'{text}' is no date and no time: write 2026-12-04 or 2026-12-04T17:00"
        ) from None
    return (at if at.tzinfo else at.replace(tzinfo=local)).astimezone(UTC)


def people_csv(roster: Roster) -> str:
    """Return the people as the table that `roster_from_csv` reads."""
    return _table(PEOPLE_COLUMNS, (_person_row(rep) for rep in roster.people))


def pools_csv(roster: Roster) -> str:
    """Return pools and weights as the table that `roster_from_csv` reads."""
    rows = ((pool.name, one.rep, one.weight) for pool in roster.pools for one in pool.members)
    return _table(POOL_COLUMNS, rows)


def leave_csv(roster: Roster) -> str:
    """Return the leave, in each person's own zone, as the table that `roster_from_csv` reads."""
    rows = (
        (rep.key, stamped(one.start, rep.zone), stamped(one.end, rep.zone), one.note)
        for rep in roster.people
        for one in rep.leave
    )
    return _table(LEAVE_COLUMNS, rows)


def _person_row(rep: Rep) -> Iterator[object]:
    for column in PEOPLE_COLUMNS:
        value = getattr(rep, "key" if column == "email" else column)
        if column == "hours" and not isinstance(value, str):
            value = week_in_text(value)
        elif column == "good_at":
            value = abilities_in_text(value)
        elif column == "active":
            value = "yes" if value else "no"
        yield "" if value is None else value


def stamped(at: datetime, zone: str) -> str:
    """Return an instant in a zone as `read_edge` reads it back exactly."""
    local = at.astimezone(ZoneInfo(zone))
    whole = not local.second and not local.microsecond
    return local.isoformat(timespec="minutes" if whole else "auto")


def _table(columns: Sequence[str], rows: Iterable[Iterable[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()
