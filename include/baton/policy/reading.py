"""What the readers of a policy's parts need to know beside the part itself."""

from __future__ import annotations

import csv
import difflib
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import ValidationInfo
from pydantic_core import PydanticCustomError

MOST_LIST_ROWS = 200_000


@dataclass(frozen=True, slots=True)
class CsvList:
    """A CSV file of the policy: its columns and rows. `line` of a row is its index plus 2."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[Mapping[str, str], ...]

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
    message: str, *, path: Sequence[str | int] = (), hint: str | None = None
) -> PydanticCustomError:
    """Return an error that points at `path` below the value being validated."""
    return PydanticCustomError(
        "policy", "{message}", {"message": message, "path": tuple(path), "hint": hint}
    )


def did_you_mean(text: str, known: Iterable[str]) -> str | None:
    """Return "did you mean ...?" when something known is close to `text`."""
    by_key = {str(name).casefold(): str(name) for name in known}
    close = difflib.get_close_matches(text.casefold(), by_key, n=1, cutoff=0.6)
    return f"did you mean '{by_key[close[0]]}'?" if close else None


def read_csv(name: str, text: str) -> CsvList:
    """Read a CSV list with a header line. Raises ValueError that says what is wrong, and where."""
    rows = csv.reader(io.StringIO(text.removeprefix("\ufeff")), strict=True)
    try:
        columns = tuple(part.strip() for part in next(rows, []))
        if not columns or not all(columns) or len(set(columns)) != len(columns):
            raise ValueError("the first line must name each column, each once")
        found = []
        for parts in rows:
            if not any(part.strip() for part in parts):
                continue
            if len(parts) != len(columns):
                raise ValueError(
                    f"line {rows.line_num} has {len(parts)} values for {len(columns)} columns"
                )
            found.append(dict(zip(columns, (part.strip() for part in parts), strict=True)))
            if len(found) > MOST_LIST_ROWS:
                raise ValueError(f"more than {MOST_LIST_ROWS} rows")
    except csv.Error as error:
        raise ValueError(f"line {rows.line_num}: {error}") from error
    return CsvList(name, columns, tuple(found))
