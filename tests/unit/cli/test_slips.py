"""What a person at the command line may mistype, and what it must not cost."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from rich.table import Table
from typer.testing import CliRunner, Result

from baton.cli import app
from baton.cli.shell import out, plain

POLICY = Path(__file__).resolve().parents[3] / "include" / "policy"
LEADS = "Record ID,E-mail\n1,kim@acme.test\n"


def baton(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(one) for one in arguments])


@pytest.fixture
def leads(tmp_path: Path) -> Path:
    file = tmp_path / "leads.csv"
    file.write_text(LEADS, encoding="utf-8")
    return file


@pytest.mark.parametrize("option", ["--out", "--rejects"])
def test_a_result_never_takes_the_place_of_the_leads(leads: Path, option: str) -> None:
    result = baton("decide", leads, "--policy", POLICY, option, leads.parent / "." / leads.name)
    assert result.exit_code == 2
    assert "is read or written already: name another file" in result.stderr
    assert leads.read_text(encoding="utf-8") == LEADS


def test_decisions_and_rejects_are_two_files(leads: Path) -> None:
    both = leads.parent / "both.csv"
    result = baton("decide", leads, "--policy", POLICY, "--out", both, "--rejects", both)
    assert result.exit_code == 2
    assert not both.exists()


def test_a_directory_is_no_file_to_write(leads: Path, tmp_path: Path) -> None:
    for arguments in (
        ("decide", leads, "--policy", POLICY, "--out", tmp_path),
        ("policy", "document", POLICY, "--out", tmp_path),
    ):
        result = baton(*arguments)
        assert result.exit_code == 2, result.output
        assert isinstance(result.exception, SystemExit)
        assert str(tmp_path) in result.stderr
        assert "irectory" in result.stderr


def test_a_roster_that_is_a_table_is_not_read_as_nobody(leads: Path) -> None:
    result = baton("decide", leads, "--policy", POLICY, "--roster", leads)
    assert result.exit_code == 2
    assert "is a table, not YAML" in result.stderr


def test_what_cannot_be_filled_is_not_offered(leads: Path) -> None:
    leads.write_text("foo,bar\n1,2\n", encoding="utf-8")
    said = baton("decide", leads, "--policy", POLICY).stderr
    assert "Quiz answers" in said
    assert "Recipient" not in said


def test_a_mapping_that_is_none_is_told_in_words(leads: Path) -> None:
    said = baton("decide", leads, "--policy", POLICY, "--mapping", POLICY / "sla.yaml").stderr
    assert "properties: is missing" in said
    assert "sla: is not known here" in said


def test_brackets_in_a_name_are_shown_and_not_obeyed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = Path(shutil.copytree(POLICY, tmp_path / "policy"))
    file = folder / "scoring.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("label: Contact sales", 'label: "Contact [/us] sales"'), "utf-8")
    result = baton("policy", "check", folder)
    assert result.exit_code == 0, result.output
    assert "Contact [/us] sales" in result.stdout

    table = Table()
    table.add_row(*plain("Acme [/b] Ltd"))
    out.cache_clear()
    out().print(table)
    out.cache_clear()
    assert "Acme [/b] Ltd" in capsys.readouterr().out


def test_a_directory_that_is_not_there_is_told_before_the_ledger_is_asked(tmp_path: Path) -> None:
    result = baton("policy", "diff", tmp_path / "nope", POLICY)
    assert result.exit_code == 2
    assert "there is no directory" in result.stderr
