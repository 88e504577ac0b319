"""What the readers of a policy's parts need to know beside the part itself."""

from __future__ import annotations

import csv
import difflib
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import ValidationInfo
from pydantic_core import PydanticCustomError

MOST_LIST_ROWS = 200_000
MOST_WRONG_ROWS = 20
EMAIL = re.compile(r"[^@\s,;]{1,64}@[^@\s,;]+\.[^@\s,;.]+")
"""What an address of a colleague looks like; whether it exists is another question."""


@dataclass(frozen=True, slots=True)
class CsvList:
    """A CSV file of the policy: its columns and rows, and the line on which each row ends."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[Mapping[str, str], ...]
    lines: tuple[int, ...] = ()

    def numbered(self) -> Iterator[tuple[tuple[str, int], Mapping[str, str]]]:
        """Yield each row with its place: the name of the list and the line."""
        for number, row in zip(self.lines, self.rows, strict=True):
            yield (self.name, number), row

    def first_column(self) -> tuple[str, ...]:
        """Return the values of the first column, blanks left out."""
        column = self.columns[0]
        return tuple(row[column] for row in self.rows if row[column])


@dataclass(frozen=True, slots=True)
class Reading:
    """The lists of the bundle, and the canonical spelling of each field label."""

    lists: Mapping[str, CsvList] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)

    def label(self, text: str) -> str | None:
        """Return the label as the policy spells it, or None when there is no such field."""
        return self.labels.get(" ".join(text.split()).casefold())


def reading_of(info: ValidationInfo) -> Reading | None:
    """Return the Reading of a running validation; None when a model is built on its own."""
    return info.context if isinstance(info.context, Reading) else None


def problem(
    message: str,
    *,
    path: Sequence[str | int] = (),
    hint: str | None = None,
    at: tuple[str, int] | None = None,
) -> PydanticCustomError:
    """Return an error that points at `path` below the value being validated.

    `at` is the list and the line where the trouble stands, if it is not in the YAML itself.
    """
    return PydanticCustomError(
        "policy", "{message}", {"message": message, "path": tuple(path), "hint": hint, "at": at}
    )


def together(wrong: Sequence[PydanticCustomError]) -> PydanticCustomError:
    """Return one error that tells of several, so that all of a list is mended in one go."""
    if len(wrong) == 1:
        return wrong[0]
    several = tuple(each.context or {} for each in wrong)
    words = "; ".join(str(each["message"]) for each in several)
    context = {"message": words, "path": (), "hint": None, "at": None, "several": several}
    return PydanticCustomError("policy", "{message}", context)


def closest(text: str, known: Iterable[str]) -> str | None:
    """Return what is known and closest to `text`, or None when nothing is close."""
    by_key = {str(name).casefold(): str(name) for name in known}
    asked = text.casefold()
    if any("@" in key for key in by_key):
        # Colleagues share a domain: it says nothing of who is meant.
        mailbox = asked.partition("@")[0]
        by_key = {
            key: name for key, name in by_key.items() if _alike(mailbox, key.partition("@")[0])
        }
        if "@" not in asked:
            return next(iter(by_key.values())) if len(by_key) == 1 else None
    close = difflib.get_close_matches(asked, by_key, n=1, cutoff=0.6)
    return by_key[close[0]] if close else None


def _alike(one: str, other: str) -> bool:
    begins = len(one) > 2 and other.startswith(one)
    return begins or difflib.SequenceMatcher(None, one, other).ratio() >= 0.6


def did_you_mean(text: str, known: Iterable[str]) -> str | None:
    """Return "did you mean ...?" when something known is close to `text`."""
    close = closest(text, known)
    return f"did you mean '{close}'?" if close else None


class CsvError(ValueError):
    """A CSV text is wrong at a line (counted from 1); `others` are wrong besides."""

    def __init__(self, message: str, line: int, others: Sequence[CsvError] = ()) -> None:
        super().__init__(message)
        self.line = line
        self.others = tuple(others)


def delimiter_of(text: str) -> str:
    """Return what sets the columns of a table apart, by its first line.

    Where the comma is in numbers, spreadsheets write semicolons.
    """
    header = text.lstrip("\ufeff").partition("\n")[0]
    return next((sign for sign in ";\t" if sign in header and "," not in header), ",")


def read_csv(name: str, text: str) -> CsvList:
    """Read a CSV list with a header line. Raises CsvError that says what is wrong, and where."""
    rows = csv.reader(
        io.StringIO(text.removeprefix("\ufeff")), delimiter=delimiter_of(text), strict=True
    )
    try:
        columns = tuple(part.strip() for part in next(rows, []))
        if not columns or not all(columns) or len(set(columns)) != len(columns):
            raise CsvError("the first line must name each column, each once", 1)
        found, lines = [], []
        wrong: list[CsvError] = []
        for parts in rows:
            if not any(part.strip() for part in parts):
                continue
            if len(parts) != len(columns):
                words = f"line {rows.line_num} has {len(parts)} values for {len(columns)} columns"
                wrong.append(CsvError(words, rows.line_num))
                continue
            found.append(dict(zip(columns, (part.strip() for part in parts), strict=True)))
            lines.append(rows.line_num)
            if len(found) > MOST_LIST_ROWS:
                raise CsvError(f"more than {MOST_LIST_ROWS} rows", rows.line_num)
    except csv.Error as error:
        raise CsvError(f"line {rows.line_num}: {error}", rows.line_num) from error
    if wrong:
        raise CsvError(str(wrong[0]), wrong[0].line, wrong[1:MOST_WRONG_ROWS])
    return CsvList(name, columns, tuple(found), tuple(lines))


def read_email(value: object) -> object:
    """Take an e-mail address as it is; refuse any other text with a mend."""
    if isinstance(value, str) and not EMAIL.fullmatch(value.strip()):
        raise problem(f"'{value}' is not an e-mail address", hint="write NAME@DOMAIN")
    return value.strip() if isinstance(value, str) else value
