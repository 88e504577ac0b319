"""Files as people export them: encodings, delimiters, broken rows; nothing is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from baton.errors import ConfigurationError
from baton.pipeline.exports.export_text import (
    MOST_LINES_A_ROW,
    Row,
    RowReader,
    Unreadable,
    open_export,
)


def read(path: Path, content: str | bytes) -> list[Row | Unreadable]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return list(RowReader(open_export(path)).read())


def cells(found: list[Row | Unreadable]) -> list[list[str]]:
    return [one.cells for one in found if isinstance(one, Row)]


@pytest.mark.parametrize(
    ("encoding", "words"),
    [
        ("utf-8", "UTF-8"),
        ("utf-8-sig", "byte order mark"),
        ("cp1252", "Windows-1252"),
        ("utf-16", "UTF-16"),
    ],
)
@pytest.mark.parametrize(("delimiter", "name"), [(",", "commas"), (";", "semi"), ("\t", "tabs")])
def test_encoding_and_delimiter_are_found_and_said(
    tmp_path: Path, encoding: str, words: str, delimiter: str, name: str
) -> None:
    lines = [["Name", "Company, or none", "City"], ["Zoë", "Müller & Söhne", "Köln"]]
    content = "\r\n".join(
        delimiter.join(f'"{cell}"' for cell in line) for line in lines
    )  # fmt: skip
    path = tmp_path / "leads.csv"
    assert cells(read(path, content.encode(encoding))) == [lines[1]]
    export = open_export(path)
    assert export.columns == tuple(lines[0])
    assert words in export.in_words()
    assert name in export.in_words()


def test_rows_count_as_a_spreadsheet_counts_and_empty_ones_are_left_out(tmp_path: Path) -> None:
    found = read(tmp_path / "a.csv", 'a,b\n1,2\n\n,\n"two\nlines",4\n5,6\n')
    assert [(one.number, one.cells) for one in found if isinstance(one, Row)] == [
        (2, ["1", "2"]), (5, ["two\nlines", "4"]), (6, ["5", "6"]),
    ]  # fmt: skip


def test_a_wrong_number_of_cells_is_set_aside_with_its_text(tmp_path: Path) -> None:
    found = read(tmp_path / "a.csv", "a,b,c\n1,2\n1,2,3\n1,2,3,4\n")
    bad = [one for one in found if isinstance(one, Unreadable)]
    assert [(one.number, one.line, one.text) for one in bad] == [
        (2, 2, "1,2\n"), (4, 4, "1,2,3,4\n"),
    ]  # fmt: skip
    assert bad[0].reason == "has 2 cells, the header has 3 columns"
    assert cells(found) == [["1", "2", "3"]]


def test_a_quotation_mark_never_closed_costs_one_line(tmp_path: Path) -> None:
    rows = "".join(f"{n},fine\n" for n in range(50))
    found = read(tmp_path / "a.csv", f'a,b\n1,"oh\n{rows}')
    bad = [one for one in found if isinstance(one, Unreadable)]
    assert [(one.line, one.reason, one.text) for one in bad] == [
        (2, "a quotation mark is not closed", '1,"oh\n')
    ]
    assert len(cells(found)) == 50


def test_a_stray_mark_far_from_its_twin_costs_one_line_each(tmp_path: Path) -> None:
    rows = "".join(f"{n},fine\n" for n in range(3 * MOST_LINES_A_ROW))
    found = read(tmp_path / "a.csv", f'a,b\n1,"oh\n{rows}2,"oh again\n{rows}')
    assert sum(isinstance(one, Unreadable) for one in found) == 2
    assert len(cells(found)) == 6 * MOST_LINES_A_ROW


def test_marks_within_a_cell_are_read_as_they_stand(tmp_path: Path) -> None:
    found = read(tmp_path / "a.csv", 'a,b\n"5"" pipe",x\n"Bob" Smith,y\n')
    assert cells(found) == [['5" pipe', "x"], ["Bob Smith", "y"]]


def test_every_line_comes_out_somewhere(tmp_path: Path) -> None:
    """Whatever a file holds, each line is a row, part of one, empty, or set aside."""
    lines = ['1,"', "2,b", '"3', '4,"x"y"', "5", "6,b,c", '7,"d', 'e"', "8,f"]
    found = read(tmp_path / "a.csv", "a,b\n" + "\n".join(lines) + "\n")
    text = "".join(
        one.text if isinstance(one, Unreadable) else ",".join(one.cells) for one in found
    )
    for number in range(1, 9):
        assert str(number) in text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no header"),
        (b"\n\n", "no header"),
        (b"PK\x03\x04rest", "spreadsheet or document"),
        (b"a,b\n\x00\x01\x02", "holds no text"),
    ],
)
def test_what_is_no_csv_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        read(tmp_path / "a.csv", content)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"there is no file .*nowhere\.csv"):
        open_export(tmp_path / "nowhere.csv")
