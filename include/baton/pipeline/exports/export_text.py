"""Reading an export as text: encoding, delimiter, rows one by one, and what is no row.

A file is never held in memory. What cannot be read as a row is handed on with its reason and its
own text, so that nothing is lost; a quotation mark that is never closed costs one line, not the
rest of the file.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from baton.errors import ConfigurationError

__all__ = ["Export", "Row", "RowReader", "Unreadable", "open_export"]

MOST_LINES_A_ROW = 500
"""A cell that runs over more lines than this is a quotation mark that somebody forgot to close."""
LARGEST_CELL = 1_000_000
_BLOCK = 1 << 20
_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs"}
_ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8 with a byte order mark",
    "utf-16": "UTF-16",
    "cp1252": "Windows-1252",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One row. `number` counts as a spreadsheet does: the header is row 1."""

    number: int
    cells: list[str]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What is no row: its number, the line of the file on which it begins, why, and its text."""

    number: int
    line: int
    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class Export:
    """A file that can be read: how it is written, and its columns."""

    path: Path
    encoding: str
    delimiter: str
    columns: tuple[str, ...]
    size: int

    def in_words(self) -> str:
        """Say how the file is written."""
        return f"{_ENCODINGS[self.encoding]}, columns set apart by {_DELIMITERS[self.delimiter]}"


def open_export(path: Path) -> Export:
    """Find out how a file is written and read its header.

    Raises ConfigurationError when it is not there, holds no header, or is no text at all.
    """
    try:
        if not path.is_file():
            raise ConfigurationError(f"there is no file {path}")
        encoding = _encoding(path)
        with path.open(encoding=encoding, errors="replace", newline="") as lines:
            first = next((line for line in lines if line.strip()), "")
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from error
    delimiter = max(_DELIMITERS, key=_outside_quotes(first).count)
    found = Export(path, encoding, delimiter, (), path.stat().st_size)
    header = next(RowReader(found).read(), None)
    if not isinstance(header, Row) or not any(cell.strip() for cell in header.cells):
        raise ConfigurationError(
            f"{path} has no header: its first line must name the columns, the leads follow"
        )
    columns = tuple(cell.strip().lstrip("\ufeff") for cell in header.cells)
    return Export(path, encoding, delimiter, columns, found.size)


def _encoding(path: Path) -> str:
    """Return the encoding that fits the whole file: UTF-8 where it can be, else Windows-1252."""
    with path.open("rb") as file:
        start = file.read(4)
        if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        if start.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF")):
            raise ConfigurationError(
                f"{path} is a spreadsheet or document, not CSV: save it as CSV first"
            )
        file.seek(0)
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            while block := file.read(_BLOCK):
                if b"\0" in block:
                    raise ConfigurationError(f"{path} holds no text: it cannot be read as CSV")
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp1252"
    return "utf-8-sig" if start.startswith(codecs.BOM_UTF8) else "utf-8"


def _outside_quotes(line: str) -> str:
    return "".join(line.split('"')[::2])


class _TooManyLinesError(Exception):
    """A row goes on for longer than any row does."""


class _Lines:
    """Lines of a file that can be put back, and that remember what the present row has taken."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._back: deque[str] = deque()
        self.taken: list[str] = []
        self.passed = 0
        """Lines before the present row."""

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if len(self.taken) >= MOST_LINES_A_ROW:
            raise _TooManyLinesError
        line = self._back.popleft() if self._back else next(self._lines)
        self.taken.append(line)
        return line

    def begin(self) -> None:
        """The row before is done with; a new one begins."""
        self.passed += len(self.taken)
        self.taken.clear()

    def keep_first_only(self) -> str:
        """Put back all lines of the present row but its first, and return that one."""
        self._back.extendleft(reversed(self.taken[1:]))
        del self.taken[1:]
        return self.taken[0]


class RowReader:
    """Reads the rows of an export, once. `position`: how many of its bytes have been read."""

    def __init__(self, export: Export) -> None:
        self.export = export
        self.position = 0
        self.width = len(export.columns)
        self.number = 0
        # The header is handed on only to whoever does not know the columns yet.
        self.skip_next = self.width > 0

    def read(self) -> Iterator[Row | Unreadable]:
        """Yield every row and whatever is none; empty lines are left out."""
        csv.field_size_limit(LARGEST_CELL)
        export = self.export
        with (
            export.path.open("rb") as raw,
            io.TextIOWrapper(raw, export.encoding, errors="replace", newline="") as file,
        ):
            lines = _Lines(file)
            reader = csv.reader(lines, delimiter=export.delimiter, strict=True)
            while True:
                lines.begin()
                self.position = raw.tell()
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except (csv.Error, _TooManyLinesError) as error:
                    found = self._mended(lines, error)
                    # A reader that has failed may be in the middle of a cell.
                    reader = csv.reader(lines, delimiter=export.delimiter, strict=True)
                else:
                    if not any(cells):
                        self.number += 1
                        continue
                    found = self._checked(cells, lines)
                if not self.skip_next:
                    yield found
                self.skip_next = False

    def _checked(self, cells: list[str], lines: _Lines) -> Row | Unreadable:
        self.number += 1
        if self.width in (0, len(cells)):
            return Row(self.number, cells)
        line = lines.passed + 1
        if len(lines.taken) > 1:
            text = lines.keep_first_only()
            return Unreadable(self.number, line, "a quotation mark is not closed", text)
        reason = f"has {len(cells)} cells, the header has {self.width} columns"
        return Unreadable(self.number, line, reason, lines.taken[0])

    def _mended(self, lines: _Lines, error: Exception) -> Row | Unreadable:
        """Read the first line of what failed on its own, leniently; the others come again."""
        self.number += 1
        line = lines.passed + 1
        text = lines.keep_first_only()
        if text.count('"') % 2 == 0:
            try:
                cells = next(csv.reader([text], delimiter=self.export.delimiter))
            except (csv.Error, StopIteration):
                cells = []
            if self.width in (0, len(cells)):
                return Row(self.number, cells)
            if len(cells) > 0:
                reason = f"has {len(cells)} cells, the header has {self.width} columns"
                return Unreadable(self.number, line, reason, text)
            return Unreadable(self.number, line, f"cannot be read: {error}", text)
        return Unreadable(self.number, line, "a quotation mark is not closed", text)
