"""``baton whatif``: what is typed wrong is said; the rest is tested on a ledger."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from baton.cli import app
from baton.cli.moments import beginning, instant
from baton.errors import ConfigurationError

POLICY = Path(__file__).resolve().parents[3] / "include" / "policy"
NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("90d", NOW - timedelta(days=90)),
        (" 12 H ", NOW - timedelta(hours=12)),
        ("2w", NOW - timedelta(weeks=2)),
        ("2026-11-01", datetime(2026, 11, 1, tzinfo=UTC)),
        ("2026-11-01T10:00+01:00", datetime(2026, 11, 1, 9, tzinfo=UTC)),
    ],
)
def test_the_beginning_is_a_length_or_a_date(text: str, start: datetime) -> None:
    assert beginning(text, NOW) == start


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("-90d", "is negative"),
        ("0d", "must be from 1 to"),
        ("999999999d", "must be from 1 to"),
        ("90", "lacks its unit; write 90d"),
        ("soon", "is no date or time"),
        ("2027-01-01", "lies in the future"),
        ("", "is no date or time"),
    ],
)
def test_a_beginning_that_is_none_is_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        beginning(text, NOW)


def test_milliseconds_are_no_moment_that_a_person_types() -> None:
    with pytest.raises(ConfigurationError, match="is no date or time"):
        instant("1795514400000", "--at")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--since", "-5d"), "is negative"),
        (("--roster", "nowhere.yaml"), "there is no roster nowhere.yaml"),
        (("--overlay", "nowhere.yaml"), "nowhere.yaml"),
        ((), "BATON_DATABASE_URL"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, options: tuple[str, ...], message: str
) -> None:
    monkeypatch.delenv("BATON_DATABASE_URL", raising=False)
    monkeypatch.setenv("BATON_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("BATON_DATA_DIR", str(tmp_path / "data"))
    result = CliRunner().invoke(app, ["whatif", "--policy", str(POLICY), *options])
    assert result.exit_code == 2, result.output
    assert message in result.stderr
    assert "Traceback" not in result.output


def test_a_broken_policy_is_refused_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text("bands: {hot: {abov: 75}}\n")
    result = CliRunner().invoke(app, ["whatif", "--policy", str(tmp_path)])
    assert result.exit_code == 2
    assert "policy.yaml:1" in result.stderr
