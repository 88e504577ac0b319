"""Slips of the pen that were once passed over in silence, or answered with a wrong word."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.unit.policy.breaking import with_edits

from baton.errors import PolicyErrors
from baton.policy.bundle import PolicyBundle, read_bundle
from baton.policy.durations import parse_duration
from baton.policy.findings import Finding, Level
from baton.policy.loader import check_policy, parse_policy, read_roster, refuse_errors
from baton.policy.reading import read_csv
from baton.policy.roster import Roster
from baton.policy.roster_csv import roster_from_csv

REFUSED = [
    # A name that nothing reads
    ("fields.yaml", "  Message: {hubspot", "  job TITLE: {hubspot: title_2}\n  Message: {hubspot", "'job TITLE' and 'Job title' are one label", "rename"),
    # What the decision finds out last
    ("scoring.yaml", "when: {Company size: {below: 10}}", "when: {Score: {above: 50}}", "'Score' is not known yet when this is asked", "only route and enablement"),
    ("routing.yaml", "{name: Large, when: {any: [{Budget range: Over 200k}", "{name: Large, when: {any: [{Band: hot}", "'Band' is not known yet", None),
    ("scoring.yaml", "when: {Form: Support request}", "when: {Trigger: quiz}", "'Trigger' is not known yet", None),
    # Words
    ("routing.yaml", "if_nobody: {queue: Inbound DACH}", "if_nobody: waits", "'waits' does not say where a lead goes when nobody is there", "did you mean 'wait'?"),
    ("routing.yaml", "if_nobody: {queue: Inbound DACH}", "if_nobody: {que: Inbound DACH}", "'que' is not one of pool, queue, person", "did you mean 'queue'?"),
    ("routing.yaml", "if_nobody: {queue: Inbound DACH}", "if_nobody: true", "not 'true'", None),
    ("scoring.yaml", "when: {Company size: {below: 10}}", "when: {Company size: '> 50'}", "'Company size' is a whole number, and '> 50' is none", "{FIELD: {at_least: 50}}"),
    ("routing.yaml", "when: {Territory: APAC}, to", "when: {Country: UK}, to", "'UK' is not an ISO country code", "UK is GB"),
    ("routing.yaml", "when: {Territory: APAC}, to", "when: {Country: Norway}, to", "'Norway' is not an ISO country code", "Norway is NO"),
    ("scoring.yaml", "id: size-fit, points: 20", "id: size-fit, points:20", "'points:20' is not known here", "a blank belongs after the colon"),
    ("scoring.yaml", "  warm: {from: 50}", "<<<<<<< HEAD\n  warm: {from: 50}\n=======\n  warm: {from: 45}\n>>>>>>> other", "not readable as YAML", "two edits of a merge stand side by side"),
    ("sla.yaml", "remind_at: 3 minutes", "remind_at: 30 minutes", "comes before 'remind_at'", "'remind_at' has to be the shorter of the two"),
]  # fmt: skip


@pytest.fixture
def roster(shipped: Path) -> Roster:
    return read_roster(shipped / "roster.yaml")


def refused(texts: Mapping[str, str]) -> str:
    with pytest.raises(PolicyErrors) as raised:
        parse_policy(PolicyBundle(dict(texts)))
    return str(raised.value)


@pytest.mark.parametrize(("file", "old", "new", "message", "hint"), REFUSED)
def test_it_is_refused_with_a_mend(
    texts: Mapping[str, str], file: str, old: str, new: str, message: str, hint: str | None
) -> None:
    said = refused(with_edits(texts, (file, old, new)))
    assert message in said
    if hint is not None:
        assert hint in said


def test_the_marks_of_a_merge_are_shown_where_they_stand(texts: Mapping[str, str]) -> None:
    edit = ("scoring.yaml", "  warm: {from: 50}", "<<<<<<< HEAD\n  warm: {from: 50}\n=======")
    changed = with_edits(texts, edit)
    line = changed["scoring.yaml"].split("<<<<<<<")[0].count("\n") + 1
    assert f"scoring.yaml:{line}:1" in refused(changed)


def test_only_sections_that_exist_are_offered(texts: Mapping[str, str]) -> None:
    said = refused(with_edits(texts, ("x.yaml", "", "zzzz: 1\n")))
    assert "known are: name, agreed" in said


def warned(texts: Mapping[str, str], *edits: tuple[str, str, str]) -> list[Finding]:
    _, findings = check_policy(PolicyBundle(with_edits(texts, *edits)))
    return [one for one, _ in findings if one.level is Level.WARNING]


def test_two_labels_of_one_property_are_told(texts: Mapping[str, str]) -> None:
    (one,) = warned(
        texts, ("fields.yaml", "  Message: {hubspot: message", "  Message: {hubspot: jobtitle")
    )
    assert "'Message' and 'Job title' are the same HubSpot contact field 'jobtitle'" in one.message
    (one,) = warned(texts, ("fields.yaml", "salesforce: Title", "salesforce: Phone"))
    assert "are the same Salesforce field 'Phone'" in one.message


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("if_nobody: null", "does not say what happens when nobody of pool SDR DACH can take it"),
        ("if_nobody: {pool: SDR DACH}", "asks pool SDR DACH again when nobody there can take it"),
    ],
)
def test_an_if_nobody_that_says_nothing_is_told(
    texts: Mapping[str, str], written: str, message: str
) -> None:
    edit = ("routing.yaml", "if_nobody: {queue: Inbound DACH}", written)
    assert any(message in one.message for one in warned(texts, edit))


def test_who_watches_the_fallback_must_be_there(texts: Mapping[str, str], roster: Roster) -> None:
    edit = ("routing.yaml", "watched_by: nadia.petrov", "watched_by: nadja.petrov")
    with pytest.raises(PolicyErrors) as raised:
        refuse_errors(PolicyBundle(with_edits(texts, edit)), roster)
    said = str(raised.value)
    assert "'nadja.petrov@relay.test', who watches 'fallback', is not in the roster" in said
    assert "did you mean 'nadia.petrov@relay.test'?" in said


def test_colleagues_are_not_alike_for_their_domain(
    texts: Mapping[str, str], roster: Roster
) -> None:
    edit = ("routing.yaml", "watched_by: nadia.petrov@relay.test", "watched_by: xxx@relay.test")
    with pytest.raises(PolicyErrors) as raised:
        refuse_errors(PolicyBundle(with_edits(texts, edit)), roster)
    assert "did you mean" not in str(raised.value)


def test_working_time_is_never_told_in_days() -> None:
    assert str(parse_duration("24 working hours")) == "24 working hours"
    assert str(parse_duration("600 working hours")) == "600 working hours"
    assert str(parse_duration("48 wall hours")) == "2 days"


@pytest.mark.parametrize("sign", [";", "\t"])
def test_a_table_of_a_spreadsheet_is_read_by_its_own_delimiter(sign: str) -> None:
    assert read_csv("x.csv", f"country{sign}territory\r\nDE{sign}DACH\r\n").rows == (
        {"country": "DE", "territory": "DACH"},
    )
    people = f"\ufeffemail{sign}name\r\nanna@x.test{sign}Anna, the first\r\n"
    roster = roster_from_csv(people, f"pool{sign}email\r\nP{sign}anna@x.test\r\n")
    assert roster.people[0].name == "Anna, the first"
    assert roster.pools[0].members[0].rep == "anna@x.test"


def test_a_file_that_ends_in_yml_is_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "sla.yaml").write_text("sla: {}\n", encoding="utf-8")
    (tmp_path / "more.yml").write_text("suppress: []\n", encoding="utf-8")
    with pytest.raises(PolicyErrors, match=r"(?s)more\.yml: a policy file ends in \.yaml.*more"):
        read_bundle(tmp_path)


def test_a_directory_that_is_none_is_told_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "sla.yaml"
    file.write_text("sla: {}\n", encoding="utf-8")
    with pytest.raises(PolicyErrors, match="it is a file"):
        read_bundle(file)
    with pytest.raises(PolicyErrors, match="it is not there"):
        read_bundle(tmp_path / "nowhere")


def test_an_overlay_is_named_as_it_was_typed(tmp_path: Path) -> None:
    (tmp_path / "sla.yaml").write_text("sla: {}\n", encoding="utf-8")
    missing = tmp_path / "elsewhere" / "mine.yaml"
    with pytest.raises(PolicyErrors) as raised:
        read_bundle(tmp_path, missing)
    assert str(missing) in str(raised.value)


@pytest.mark.parametrize("name", ["roster.yml", "people.csv"])
def test_a_roster_is_never_read_as_that_of_nobody(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.write_text("email,name\nanna@x.test,Anna\n", encoding="utf-8")
    with pytest.raises(PolicyErrors, match=r"is a table, not YAML|is a map of sections"):
        read_roster(file)


def test_a_roster_may_be_called_yml(tmp_path: Path) -> None:
    file = tmp_path / "roster.yml"
    file.write_text("people: {anna@x.test: {name: Anna}}\n", encoding="utf-8")
    assert [rep.key for rep in read_roster(file).people] == ["anna@x.test"]
