"""The JSON Schema for editors: up to date, true of the shipped files, and no stricter than us."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from typer.testing import CliRunner

from baton.cli import app
from baton.policy.schema import SCHEMA_FILE, policy_schema, readers_without_form, schema_text
from baton.policy.yaml_source import read_yaml

SHIPPED = Path(__file__).parents[3] / "include" / "policy"
FILES = sorted(path.name for path in SHIPPED.glob("*.yaml") if path.name != "roster.yaml")
MODELINE = f"# yaml-language-server: $schema={SCHEMA_FILE}\n"


def as_editors_see_it(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: as_editors_see_it(part) for key, part in value.items()}
    if isinstance(value, list):
        return [as_editors_see_it(part) for part in value]
    if isinstance(value, date):
        return value.isoformat()
    return float(value) if isinstance(value, Decimal) else value


def complaints(text: str) -> list[str]:
    document = read_yaml("f.yaml", text)
    assert not document.errors
    return [error.message for error in checker().iter_errors(as_editors_see_it(document.value))]


def checker() -> Draft7Validator:
    return Draft7Validator(policy_schema())


def test_the_shipped_schema_is_up_to_date() -> None:
    shipped = (SHIPPED / SCHEMA_FILE).read_text(encoding="utf-8")
    assert shipped == schema_text(), "run 'baton policy schema'"


def test_it_is_a_schema() -> None:
    Draft7Validator.check_schema(policy_schema())


def test_the_written_form_of_every_reader_is_described() -> None:
    assert readers_without_form() == frozenset(), "add them to baton.policy.schema_forms"


@pytest.mark.parametrize("name", FILES)
def test_the_shipped_files_fit_it_and_name_it(name: str) -> None:
    text = (SHIPPED / name).read_text(encoding="utf-8")
    assert text.startswith(MODELINE)
    assert complaints(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "suppress: [{id: a, when: free mail, say: x}]",
        "suppress: [{id: a, when: {any: [{Country: [DE, NO]}, {none: [{Size: {between: [1, 2.5]}}]}]}, say: x}]",
        "suppress: [{id: a, when: {Company: {in: lists/x.csv}}, say: x}]",
        "suppress: [{id: a, when: {Seen: {within_days: 14}}, say: x}]",
        "sla: {hot: {first_touch: 5 working minutes, reassign_at: never}}",
        "bands: {hot: {above: 75, stays_above: 70.5}, rest: rest}",
        "route: [{to: account owner, when: existing customer, if_nobody: wait}, {otherwise: {queue: Q}}]",
        "dispositions: {a: {rep_sees: A, outcome: recycle, then: recycle for 90 days, to: same rep}}",
        'quiet_hours: {from: "20:00", to: "07:00", zone: owner\'s}',
        'calendars: {A: {week: {Mon-Fri: ["09:00-12:30"], Sat: "10:00-12:00"}}, B: {always: true}}',
        "channels: {general: null, sales: {about: x}}",
    ],
)
def test_what_people_write_is_allowed(text: str) -> None:
    assert complaints(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "slas: {}",
        "sla: {hot: {first_touch: 5}}",
        "sla: {hot: {first_touch: 5 minuets}}",
        "sla: {hot: {first_touch: 2 working days}}",
        "sla: {hot: {remind_at: 3 minutes}}",
        "suppress: [{id: a, when: {Size: {less_than: 3}}, say: x}]",
        "suppress: [{id: a, when: {below: 3}, say: x}]",
        "suppress: [{id: a, when: {Size: {between: [1]}}, say: x}]",
        "suppress: [{id: a, when: {any: []}, say: x}]",
        "route: [{when: free mail}]",
        "route: [{to: somebody}]",
        "route: [{to: {team: A}}]",
        "dispositions: {a: {rep_sees: A, outcome: recycle, then: forget}}",
        "dispositions: {a: {rep_sees: A, outcome: maybe, then: accept}}",
        "pools: {A: {distribute: at random}}",
        "score: {fit: [{id: a, points: many, when: free mail, say: x}]}",
        "calendars: {A: {week: {Someday: ['09:00-17:00']}}}",
        "work: {minimum_touches: 0, over_days: 10}",
    ],
)
def test_what_the_loader_refuses_an_editor_marks(text: str) -> None:
    assert complaints(text)


def test_every_part_that_people_write_is_described() -> None:
    silent = {name for name, part in policy_schema()["properties"].items() if not _about(part)}
    assert silent == set(), "describe the section in baton.policy.schema_words"


def _about(part: Mapping[str, Any]) -> str:
    return str(part.get("description", ""))


@pytest.fixture
def stale(tmp_path: Path) -> Path:
    path = tmp_path / SCHEMA_FILE
    path.write_text("{}\n", encoding="utf-8")
    return path


def test_the_command_writes_and_checks(stale: Path) -> None:
    run = CliRunner().invoke
    refused = run(app, ["policy", "schema", "--check", "--out", str(stale)])
    assert refused.exit_code == 1
    assert "out of date" in refused.output
    assert stale.read_text() == "{}\n", "a check writes nothing"
    assert run(app, ["policy", "schema", "--out", str(stale)]).exit_code == 0
    assert stale.read_text(encoding="utf-8") == schema_text()
    assert run(app, ["policy", "schema", "--check", "--out", str(stale)]).exit_code == 0
    assert run(app, ["policy", "schema", "--out", "-"]).output == schema_text()


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    gone = CliRunner().invoke(
        app, ["policy", "schema", "--check", "--out", str(tmp_path / "a.json")]
    )
    assert gone.exit_code == 1
    assert "is missing" in gone.output
