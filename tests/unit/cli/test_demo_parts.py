"""Parts of the demo that need no server: days, mappings, what is shown."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from baton.demo import known_exports
from baton.demo.attachment import DemoRecord, find_demo, read_record, write_record
from baton.demo.environment import StateFolders
from baton.demo.history import days_between
from baton.demo.known_exports import plan_export
from baton.demo.live import Landing
from baton.demo.screen import Screen
from baton.demo.summary import duration, show_addresses, show_landing
from baton.errors import ConfigurationError
from baton.policy.yaml_source import read_yaml

POLICY = Path(__file__).resolve().parents[3] / "include" / "policy"


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


def test_days_are_cut_at_utc_midnights_and_end_where_they_should():
    assert days_between(at(2026, 3, 1, 15), at(2026, 3, 3, 9, 30)) == [
        at(2026, 3, 2),
        at(2026, 3, 3),
        at(2026, 3, 3, 9, 30),
    ]
    assert days_between(at(2026, 3, 1), at(2026, 3, 2)) == [at(2026, 3, 2)]


def header_of_the_shipped_mapping() -> str:
    file = POLICY / "mappings" / "xeducation.yaml"
    columns = known_exports._columns_of(read_yaml(file.name, file.read_text()).value)
    return ",".join(sorted(set(columns)))


def test_a_known_export_is_recognised_by_its_columns(tmp_path):
    file = tmp_path / "leads.csv"
    header = header_of_the_shipped_mapping()
    file.write_text(f"{header},Something else\n" + "1," * (header.count(",") + 1) + "2\n")
    plan = plan_export(file, POLICY)
    assert plan.mapping == (POLICY / "mappings" / "xeducation.yaml").resolve()
    assert plan.overlay == (POLICY / "overlays" / "xeducation.yaml").resolve()
    assert plan.rows == 1


def test_any_other_export_is_read_by_its_headers(tmp_path):
    file = tmp_path / "contacts.csv"
    file.write_text("Email;First name\na@x.test;A\nb@x.test;B\n")
    plan = plan_export(file, POLICY)
    assert (plan.mapping, plan.overlay, plan.rows) == (None, None, 2)


def test_a_missing_or_empty_export_is_said(tmp_path):
    with pytest.raises(ConfigurationError, match="there is no file"):
        plan_export(tmp_path / "no.csv", POLICY)
    (tmp_path / "empty.csv").write_text("Email\n")
    with pytest.raises(ConfigurationError, match="no rows"):
        plan_export(tmp_path / "empty.csv", POLICY)


def plain_screen() -> tuple[Screen, io.StringIO]:
    written = io.StringIO()
    return Screen(Console(file=written, width=100, highlight=False)), written


def test_a_handoff_is_shown_with_lead_score_reason_owner_and_seconds():
    screen, written = plain_screen()
    landing = Landing(
        handoff_id=1,
        lead="Nora [bold]Weiss",
        company="Alpwerk GmbH",
        score="92.5",
        band="hot",
        reason="asked for a demo (+30)",
        owner="Jonas Keller",
        pool="SDR DACH",
        seconds=6.23,
    )
    show_landing(screen, landing)
    text = written.getvalue()
    for part in (
        "Nora [bold]Weiss", "Alpwerk GmbH", "6.2 s", "92.5 hot", "asked for a demo (+30)",
        "Jonas Keller, SDR DACH",
    ):  # fmt: skip
        assert part in text


def test_phases_off_a_terminal_are_lines_without_control_characters():
    screen, written = plain_screen()
    with screen.phases() as phases:
        with phases.phase("History", total=60) as phase:
            for day in range(1, 61):
                phase.reached(day, f"{day} leads")
        with pytest.raises(RuntimeError), phases.phase("Airflow"):
            raise RuntimeError
    text = written.getvalue()
    assert "\x1b" not in text
    assert "History: 30 of 60" in text
    assert text.count("History: ") == 5
    assert "✔ History" in text
    assert "✘ Airflow" in text
    assert set(phases.seconds) == {"History", "Airflow"}


def test_durations_read_well():
    assert [duration(s) for s in (5, 119, 180, 7200, 200000)] == [
        "5 s", "119 s", "3.0 min", "2.0 h", "2.3 d",
    ]  # fmt: skip


def test_the_record_of_a_demo_is_private_and_counts_only_while_it_runs(tmp_path):
    folders = StateFolders(tmp_path / "state").create()
    record = DemoRecord(
        variables={"BATON_DATABASE_URL": "postgresql:///x"},
        addresses={"Airflow": "http://127.0.0.1:1"},
        processes=("crm-sandbox",),
        logins={"admin": "generated"},
    )
    write_record(folders, record)
    assert (folders.run / "demo.json").stat().st_mode & 0o077 == 0
    assert read_record(folders) == DemoRecord(
        variables=record.variables,
        addresses=record.addresses,
        processes=["crm-sandbox"],
        logins=record.logins,
    )
    assert "generated" not in repr(record)
    assert find_demo({"BATON_HOME": str(folders.home)}) is None
    screen, written = plain_screen()
    show_addresses(screen, record)
    assert "http://127.0.0.1:1" in written.getvalue()
