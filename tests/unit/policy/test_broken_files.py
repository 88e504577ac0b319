"""Files that are no YAML, no CSV, no text, or that do not belong together."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.unit.policy.breaking import Broken, line_of

from baton.errors import PolicyErrors
from baton.policy.bundle import PolicyBundle
from baton.policy.loader import parse_policy, policy_from_texts, read_bundle

COUNTRIES = "country,territory\n"

CASES = [
    # YAML
    ("sla.yaml", "  hot: {first_touch: 5", "  hot: {first_touch: [5", "not readable as YAML", "a bracket opened in line"),
    ("sla.yaml", "  hot: {first_touch", "   hot: {first_touch", "not readable as YAML", "indented otherwise"),
    ("sla.yaml", "sla:\n", "name: a: b\nsla:\n", "not readable as YAML", "must stand in quotes"),
    ("sla.yaml", "sla:\n", "name: @relay\nsla:\n", "not readable as YAML", "must stand in quotes"),
    ("sla.yaml", "  hot: {first_touch", "\thot: {first_touch", "not readable as YAML", "with spaces, not with tabs"),
    ("sla.yaml", "  hot: {", "  quiz: {", "'quiz' is given twice; first in line 7", None),
    ("sla.yaml", "first_touch: 5 working minutes, remind_at", "first_touch: &five 5 working minutes, remind_at", "anchor", None),
    ("sla.yaml", "first_touch: 5 working minutes, remind_at", "first_touch: !time 5 working minutes, remind_at", "the tag !time is not used", "remove it"),
    ("agreement.yaml", "minimum_touches: 6", "minimum_touches: 0x6", "'0x6' is not a plain number", "in quotes"),
    ("agreement.yaml", "on: 2026-11-03", "on: 2026-13-03", "'2026-13-03' is not a date", "2026-11-03"),
    # Sections and keys
    ("sla.yaml", "sla:\n", "slas:\n", "'slas' is not known here", "did you mean 'sla'?"),
    ("sla.yaml", "sla:\n", "recommended: []\nsla:\n", "the section 'recommended' already stands in fields.yaml", None),
    ("fields.yaml", "Job title: {hubspot", "Job title: {hubspott", "'hubspott' is not known here", "did you mean 'hubspot'?"),
    ("agreement.yaml", "minimum_touches: 6", "minimum_touches: six", "a whole number is expected here, not 'six'", None),
    ("agreement.yaml", "minimum_touches: 6", "minimum_touches: [6]", "a whole number is expected here, not a list", None),
    ("routing.yaml", "queues: [Inbound triage, Inbound DACH]", "queues: Inbound triage", "a list is expected here, not 'Inbound triage'", None),
    # Words that YAML 1.1 would take for true and false stay words
    ("routing.yaml", "Territory: APAC}, to", "Territory: NO}, to", "there is no territory 'NO'", None),
    ("routing.yaml", "Territory: APAC}, to", "Territory: on}, to", "there is no territory 'on'", None),
    ("scoring.yaml", "when: free mail", "when: {Free mail: yes}", "'Free mail' is yes or no: it can be true or false, not 'yes'", None),
    ("scoring.yaml", "hands_off: true, recipient: AE", "hands_off: maybe, recipient: AE", "true or false is expected here, not 'maybe'", None),
    # Lists
    ("lists/territories.csv", "AT,DACH,\n", "AT,DACH,\nDE,Americas,\n", "DE belongs to both 'DACH' and 'Americas'", "give the later one an effective_from"),
    ("lists/territories.csv", "AT,DACH,\n", "Austria,DACH,\n", "'Austria' is not an ISO country code", "Austria is AT"),
    ("lists/territories.csv", "AT,DACH,\n", "XX,DACH,\n", "'XX' is not an ISO country code", "as DE or NO"),
    ("lists/territories.csv", "AT,DACH,\n", "AT,,\n", "AT has no territory", None),
    ("lists/territories.csv", "2027-01-01", "January", "'January' is not a date", "2026-11-03"),
    ("lists/territories.csv", "AT,DACH,\n", "AT,DACH\n", "has 2 values for 3 columns", None),
    ("lists/named_accounts.csv", "helena.voss@relay.test\nhalv", "Helena\nhalv", "'Helena' is not an e-mail address", "by e-mail"),
    ("lists/competitors.csv", "domain,name", "domain,domain", "the first line must name each column, each once", None),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "message", "hint"), CASES)
def test_it_is_refused_at_its_line(
    broken: Broken,
    texts: Mapping[str, str],
    file: str,
    old: str,
    new: str,
    message: str,
    hint: str | None,
) -> None:
    errors, changed = broken((file, old, new))
    error = next(one for one in errors if message in one.message)
    # What was put behind the old passage is wrong, not the passage.
    line = line_of(texts[file], old) + new.startswith("AT,DACH,\nDE")
    assert (error.file, error.line) == (file, line)
    assert error.snippet == changed[file].splitlines()[line - 1]
    if hint is not None:
        assert hint in str(error)


SECTIONS = {
    "agreed": "agreement.yaml",
    "stages": "agreement.yaml",
    "commitments": "agreement.yaml",
    "work": "agreement.yaml",
    "timers": "agreement.yaml",
    "fields": "fields.yaml",
    "score": "scoring.yaml",
    "bands": "scoring.yaml",
    "route": "routing.yaml",
    "calendars": "routing.yaml",
    "sla": "sla.yaml",
    "dispositions": "dispositions.yaml",
}


@pytest.mark.parametrize(("section", "file"), SECTIONS.items())
def test_a_missing_section_is_named_and_nobody_else_is_blamed(
    broken: Broken, section: str, file: str
) -> None:
    errors, _ = broken((file, f"\n{section}:", f"\nreplaced_{section}:"))
    error = next(one for one in errors if one.message == f"the policy has no section '{section}'")
    assert error.file is None
    assert f"one would expect it in {file}" in str(error.hint)


def test_an_empty_file_is_no_trouble_and_an_empty_policy_is(texts: Mapping[str, str]) -> None:
    assert policy_from_texts({**texts, "notes.yaml": ""}).name == "Relay inbound"
    assert policy_from_texts({**texts, "notes.yaml": "# nothing yet\n"}).name == "Relay inbound"
    with pytest.raises(PolicyErrors, match="the policy is empty"):
        policy_from_texts({"agreement.yaml": ""})


def test_quotes_that_never_close_are_shown_where_they_open(texts: Mapping[str, str]) -> None:
    with pytest.raises(PolicyErrors) as raised:
        policy_from_texts({**texts, "notes.yaml": '# notes\nname: "Relay\n\n'})
    (error,) = raised.value.errors
    assert (error.file, error.line, error.snippet) == ("notes.yaml", 2, 'name: "Relay')
    assert error.hint == "quotes opened in line 2 are not closed"


def test_a_file_that_is_no_map_is_refused(texts: Mapping[str, str]) -> None:
    with pytest.raises(PolicyErrors) as raised:
        policy_from_texts({**texts, "notes.yaml": "- one\n- two\n"})
    (error,) = raised.value.errors
    assert error.message == "a policy file is a map of sections"
    assert (error.file, error.line, error.snippet) == ("notes.yaml", 1, "- one")


def test_a_file_that_is_no_text_is_refused_with_its_line(
    tmp_path: Path, texts: Mapping[str, str]
) -> None:
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "notes.yaml").write_bytes(b"name: a\nowner: Fran\xe7ois\n")
    with pytest.raises(PolicyErrors) as raised:
        read_bundle(tmp_path)
    (error,) = raised.value.errors
    assert (error.file, error.line, error.hint) == ("notes.yaml", 2, "save it as UTF-8")


@pytest.mark.parametrize("country", ["NO", "no", "No"])
def test_norway_is_not_false(texts: Mapping[str, str], country: str) -> None:
    old = "when: {Company size: {below: 10}}"
    changed = texts["scoring.yaml"].replace(old, f"when: {{Country: {country}}}")
    policy = policy_from_texts({**texts, "scoring.yaml": changed})
    rule = next(rule for rule in policy.score if rule.id == "size-tiny")
    (test,) = rule.when.tests()
    assert test.operand == country
    assert test.evaluate({"Country": "NO"}, None)  # type: ignore[arg-type]  # no day is asked
    assert not test.evaluate({"Country": False}, None)  # type: ignore[arg-type]


@pytest.mark.parametrize("word", ["on", "off", "yes", "no", "y", "n", "NO", "ON"])
def test_words_stay_words_as_keys_and_as_values(texts: Mapping[str, str], word: str) -> None:
    changed = texts["scoring.yaml"].replace(
        "when: {Company size: {below: 10}}", f"when: {{Form: {word}}}"
    )
    fields = texts["fields.yaml"].replace(
        "  Language: {", f"  {word}: {{hubspot: x}}\n  Language: {{"
    )
    policy = policy_from_texts({**texts, "scoring.yaml": changed, "fields.yaml": fields})
    rule = next(rule for rule in policy.score if rule.id == "size-tiny")
    assert [test.operand for test in rule.when.tests()] == [word]
    assert word in policy.fields


def test_an_overlay_that_breaks_something_is_blamed_itself(texts: Mapping[str, str]) -> None:
    over = "bands:\n  warm: {from: 80}\n"
    with pytest.raises(PolicyErrors) as raised:
        parse_policy(PolicyBundle({**texts, "overlays/mine.yaml": over}))
    error = raised.value.errors[0]
    assert "'warm' must begin below 'hot'" in error.message
    assert (error.file, error.line) == ("overlays/mine.yaml", 2)
    assert error.snippet == "  warm: {from: 80}"


def test_an_overlay_that_takes_a_section_away_leaves_it_missing(texts: Mapping[str, str]) -> None:
    with pytest.raises(PolicyErrors, match="the policy has no section 'sla'") as raised:
        parse_policy(PolicyBundle({**texts, "overlays/mine.yaml": "sla: null\n"}))
    assert raised.value.errors[0].file is None


def test_all_that_is_wrong_is_said_at_once_in_the_order_of_the_files(broken: Broken) -> None:
    errors, _ = broken(
        ("sla.yaml", "first_touch: 5 working minutes", "first_touch: soon"),
        ("agreement.yaml", "minimum_touches: 6", "minimum_touches: six"),
        ("agreement.yaml", "over_days: 10", "over_days: ten"),
    )
    assert [error.file for error in errors] == ["agreement.yaml", "agreement.yaml", "sla.yaml"]
    assert (errors[0].line or 0) < (errors[1].line or 0)
