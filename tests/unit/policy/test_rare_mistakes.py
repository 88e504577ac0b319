"""Mistakes that are made once a year: each is refused, at its line, in words that mend it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from baton.errors import PolicyErrors
from baton.policy.bundle import MOST_FILES, PolicyBundle, read_bundle
from baton.policy.findings import Level
from baton.policy.loader import check_policy, policy_from_texts, roster_from_yaml
from baton.policy.patterns import LONGEST_PATTERN
from baton.policy.reading import MOST_LIST_ROWS
from baton.policy.week_text import read_hours

DEEP = "{all: [" * 40 + "{Company size: {at_least: 1}}" + "]}" * 40

MISTAKES = [
    ("dispositions.yaml", 'then: {nurture: "Nurture: later"}', "then: {nurtured: Later}", "not an action"),
    ("routing.yaml", '["08:00-16:30"]', '["8 to 4"]', "'8 to 4' is not a part of a day: write '09:00-17:30'"),
    ("routing.yaml", 'Office SE: {week: {Mon-Fri:', 'Office SE: {week: {Fri-Mon:', "'Fri-Mon' runs backwards"),
    ("routing.yaml", 'Office SE: {week: {Mon-Fri:', 'Office SE: {week: {Tue: ["09:00-12:00"], Mon-Fri:', "Tue is given twice"),
    ("routing.yaml", "when: {Territory: APAC}", f"when: {DEEP}", "nested too deeply to be read by anybody"),
    ("fields.yaml", "salesforce: Title", "salesforce: Job title", "'Job title' cannot be a Salesforce field: write its API name"),
    ("routing.yaml", "meetings: {booked_at: Meeting booked at, host: Meeting host}", "", "does not say where a booked meeting stands"),
    ("fields.yaml", "  Deal size: {derived: true}\n", "", "there is no field 'Deal size' to hold them"),
    ("fields.yaml", "  Country: {type: country, hubspot: country, salesforce: Country, else_from: Company country}\n", "", "there are territories, but no field 'Country'"),
    ("routing.yaml", "named_accounts: lists/named_accounts.csv", "named_accounts: lists/name_accounts.csv", "did you mean 'lists/named_accounts.csv'?"),
    ("scoring.yaml", "{matches: '\\b(manager|lead)\\b'}", "{matches: '" + "a" * (LONGEST_PATTERN + 1) + "'}", f"a pattern has at most {LONGEST_PATTERN} characters"),
    ("lists/free_mail.csv", "domain", 'domain\n"never closed', "lists/free_mail.csv:"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("file", "old", "new", "said"), MISTAKES, ids=[one[3][:40] for one in MISTAKES]
)
def test_it_is_refused(
    refused: Callable[..., str], file: str, old: str, new: str, said: str
) -> None:
    assert said in refused((file, old, new))


def test_a_list_of_too_many_rows_is_not_read_to_its_end(texts: Mapping[str, str]) -> None:
    rows = "\n".join(f"mail{number}.test" for number in range(MOST_LIST_ROWS + 2))
    with pytest.raises(PolicyErrors, match=f"more than {MOST_LIST_ROWS} rows"):
        policy_from_texts({**texts, "lists/free_mail.csv": f"domain\n{rows}\n"})


def test_a_directory_full_of_files_is_no_policy(tmp_path: Path) -> None:
    for number in range(MOST_FILES + 1):
        (tmp_path / f"part{number}.yaml").write_text("{}\n", encoding="utf-8")
    with pytest.raises(PolicyErrors, match=f"holds more than {MOST_FILES} policy files"):
        read_bundle(tmp_path)


def test_watching_the_values_of_a_number_only_warns(texts: Mapping[str, str]) -> None:
    watched = texts["fields.yaml"].replace("new_values: [Source,", "new_values: [Visits,")
    _, findings = check_policy(PolicyBundle({**texts, "fields.yaml": watched}))
    (finding, place) = next(one for one in findings if one[0].code == "always-new")
    assert (finding.level, place is not None) == (Level.WARNING, True)
    assert "each of its values is new" in finding.message


@pytest.mark.parametrize(
    ("roster", "said"),
    [
        (
            "people: {ana@relay.test: {name: Ana, hours: {Mon: []}}}\n",
            "no working time",
        ),
        (
            (
                "people: {ana@relay.test: {name: Ana,"
                " leave: [{start: 2026-11-03T08:00, end: 2026-11-04T08:00}]}}\n"
            ),
            "say in which zone",
        ),
        (
            "people: {ana@relay.test: {name: Ana, good_at: {Language: 7}}}\n",
            "values are expected here, not '7'",
        ),
    ],
)
def test_a_roster_that_leaves_something_open_is_refused(roster: str, said: str) -> None:
    with pytest.raises(PolicyErrors) as refused:
        roster_from_yaml(roster)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Mon 09:00-12:00; Mon 13:00-17:00", "'Mon' is given twice"),
        ("Mon 09:00-12:00; Tue", "'Tue' does not name days and hours"),
        ("09:00-17:00", "does not name days and hours"),
    ],
)
def test_hours_in_a_line_that_do_not_read_so(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_hours(text)
