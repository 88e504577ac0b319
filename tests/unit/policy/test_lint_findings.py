"""What the linter warns of and notes: each finding with its place, its words and a mend."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.unit.policy.breaking import line_of, with_edits

from baton.policy.bundle import PolicyBundle
from baton.policy.findings import Finding, Level
from baton.policy.lint import lint
from baton.policy.loader import check_policy, refuse_errors, roster_from_yaml
from baton.policy.models import Policy
from baton.policy.roster import Roster

CASES = [
    ("routing.yaml", "Territory: APAC}, to: {pool: SDR APAC}, if_nobody: {queue: Inbound triage}", "Territory: APAC}, to: {pool: SDR APAC}", "if-nobody", "'sdr-apac' does not say what happens when nobody of pool SDR APAC can take it", "if_nobody: wait"),
    ("routing.yaml", "{Territory: APAC}, to", "{Territory: DACH, Segment: Small}, to", "territory-untaken", "no rule takes the territory 'APAC'", "{Territory: APAC}"),
    ("routing.yaml", ", watched_by: nadia.petrov@relay.test", "", "unwatched", "nobody watches the fallback", "watched_by"),
    ("routing.yaml", "to: {pool: SDR APAC}", "to: {queue: Inbound triage}", "unused-pool", "no rule routes to the pool 'SDR APAC'", None),
    ("scoring.yaml", "recipient: AE}", "recipient: Closer}", "recipient-without-pool", "no pool has the recipient 'Closer'", "recipient: Closer"),
    ("scoring.yaml", "above: 75, stays_above: 70", "above: 75, stays_above: 40", "hysteresis", "a lead that was 'hot' would pass over 'warm' on its way down", "50 or more"),
    ("scoring.yaml", "points: -10, when: {Company size: {below: 10}}", "points: 0, when: {Company size: {below: 10}}", "no-points", "'size-tiny' gives nothing", None),
    ("scoring.yaml", "{id: support, when: {Form: Support request}", "{id: support, when: {Form: Job application}", "shadowed", "the reason to suppress 'support' never counts: 'job_seeker' holds wherever it does", "put the narrower one first"),
    ("scoring.yaml", "when: {Form: Contact sales, Last conversion at: {within_days: 14}}\n    at: Last conversion at", "when: {Inbound call at: {within_days: 7}}\n    at: Inbound call at", "shadowed", "the trigger 'contact_sales' never leads: 'inbound_call'", "strongest first"),
    ("enablement.yaml", "{Trigger: demo_request, Primary pain point: {exists: true}}", "{Trigger: [quiz, inbound_call]}", "shadowed", "the opening 'opening 3' never counts", None),
    ("fields.yaml", "  Segment: {derived: true}\n", "  Segment: {derived: true}\n  Role adress: {derived: true}\n", "no-source", "nothing provides 'Role adress'", "did you mean 'Role address'?"),
    ("scoring.yaml", "when: {Form: Contact sales}, halves", "when: {Form: Contact sale}, halves", "unknown-value", "'Form' never is 'Contact sale'", "did you mean 'Contact sales'?"),
    ("routing.yaml", "caps: {day: 40, week: 150}", "caps: {day: 0, week: 150}", "no-room", "caps: day of the pool 'AE Enterprise EMEA' is 0: nobody is ever given a lead", "no limit"),
    ("routing.yaml", "caps: {day: 40, week: 150}", "caps: {day: 40, week: 15}", "idle-limit", "40 in a day never count, 15 in a week are reached first", "let the week allow more"),
    ("dispositions.yaml", "allowed_after: 6 touches over 10 days, ", "", "no-work", "'no_reply' may be given without any work done", "6 touches over 10 days"),
    ("sla.yaml", "hot: {first_touch: 5 working minutes", "hot: {first_touch: 5 wall minutes", "sla-cannot-be-met", "'hot' asks for a first touch within 5 minutes by the clock on the wall", "working minutes"),
    ("sla.yaml", "tell_manager_at: 4 hours, reassign_at: 8 hours", "tell_manager_at: 4 wall hours, reassign_at: 8 hours", "sla-cannot-be-met", "'tell_manager_at' (4 hours by the clock on the wall) of 'warm'", "as first_touch"),
    ("sla.yaml", "hot: {first_touch: 5 working minutes, remind_at: 3 minutes, tell_manager_at: 15 minutes", "hot: {first_touch: 3 working hours, remind_at: 3 minutes, tell_manager_at: 4 hours", "thresholds", "'hot' (3 working hours) is answered later than 'warm' (2 working hours)", "the hotter the lead"),
]  # fmt: skip
ELSEWHERE = {
    "territory-untaken": "territories: lists/territories.csv",
    "unused-pool": "  SDR APAC: {recipient",
    "no-source": "  Role adress: {derived",
}


@pytest.mark.parametrize(("file", "old", "new", "code", "message", "hint"), CASES)
def test_it_warns_at_its_line_with_a_mend(
    texts: Mapping[str, str], file: str, old: str, new: str, code: str, message: str, hint: Any
) -> None:
    changed = with_edits(texts, (file, old, new))
    _, findings = check_policy(PolicyBundle(changed))
    finding, place = next(one for one in findings if message in one[0].message)
    assert (finding.level, finding.code) == (Level.WARNING, code)
    assert place is not None
    assert place.file == file
    passage = "  contact_sales:\n" if "the trigger" in message else ELSEWHERE.get(code)
    first = line_of(changed[file], passage) if passage else line_of(texts[file], old)
    assert first <= place.line <= first + new.count("\n")
    if hint is not None:
        assert hint in str(finding.hint)


def test_what_only_warns_does_not_refuse(texts: Mapping[str, str]) -> None:
    file, old, new, *_ = CASES[0]
    refuse_errors(PolicyBundle(with_edits(texts, (file, old, new))))


def found(policy: Policy, roster: Roster, code: str) -> list[Finding]:
    return [finding for finding in lint(policy, roster) if finding.code == code]


@pytest.fixture
def people(shipped: Any) -> str:
    text: str = (shipped / "roster.yaml").read_text(encoding="utf-8")
    return text


ROSTER_CASES = [
    ("hours: Office JP", "hours: Office JPP", Level.ERROR, "unknown-name", "hiro.tanaka@relay.test works by the calendar 'Office JPP', which is not there", "did you mean 'Office JP'?"),
    ("  SDR APAC: {members: {hiro.tanaka@relay.test: 1, asha.menon@relay.test: 1}}", "  SDR APAC: {members: {hiro.tanaka@relay.test: 0, asha.menon@relay.test: 0}}", Level.ERROR, "empty-pool", "nobody active draws leads in the pool 'SDR APAC': every weight is zero", "baton roster show"),
    ("  SDR APAC: {members: {hiro.tanaka@relay.test: 1, asha.menon@relay.test: 1}}", "  SDR APAC: {members: {}}", Level.ERROR, "empty-pool", "the pool 'SDR APAC': it has no members", None),
    ("  SDR APAC: {", "  SDR APC: {", Level.ERROR, "empty-pool", "the pool 'SDR APAC': the roster has no such pool", None),
    ("  SDR APAC: {", "  SDR APC: {", Level.WARNING, "unknown-pool", "the roster has a pool 'SDR APC' of which the policy knows nothing", "did you mean 'SDR APAC'?"),
    ("asha.menon@relay.test: 1}", "asha.menon@relay.test: 1, jonas.keller@relay.test: 1}", Level.NOTE, "several-pools", "jonas.keller@relay.test draws in 2 pools: SDR DACH, SDR APAC", "each pool is fair by itself"),
    ("hours: Office US}\n  nadia", "hours: Office US, manager: amara.okafor@relay.test}\n  nadia", Level.ERROR, "manager-cycle", "greg.lawson@relay.test reports to amara.okafor@relay.test reports to nadia.petrov@relay.test reports to greg.lawson@relay.test", "take one manager out"),
    ("role: Account manager, ", "role: Account manager, active: false, ", Level.ERROR, "inactive-owner", "'ines.moreau@relay.test' is not active", "name somebody else"),
    ("role: SDR manager, ", "role: SDR manager, active: false, ", Level.WARNING, "inactive-owner", "reports to nadia.petrov@relay.test, who is not active", None),
    ("asha.menon@relay.test: {", "asha.menon@relay.test: {cap_hour: 9, cap_week: 4, ", Level.WARNING, "idle-limit", "asha.menon@relay.test: 9 in an hour never count, 4 in a week are reached first", "the week"),
    ("asha.menon@relay.test: {", "asha.menon@relay.test: {cap_day: 0, ", Level.WARNING, "no-room", "cap_day of asha.menon@relay.test is 0: nobody is ever given", "weight of 0"),
    ("good_at: {Language: [ja, en]}", "good_at: {Langage: [ja]}", Level.WARNING, "unknown-name", "hiro.tanaka@relay.test is good at 'Langage', which is no field of the policy", "did you mean 'Language'?"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "level", "code", "message", "hint"), ROSTER_CASES)
def test_policy_and_roster_are_read_together(
    policy: Policy,
    people: str,
    old: str,
    new: str,
    level: Level,
    code: str,
    message: str,
    hint: Any,
) -> None:
    assert old in people
    roster = roster_from_yaml(people.replace(old, new, 1))
    finding = next(one for one in found(policy, roster, code) if message in one.message)
    assert finding.level is level
    if hint is not None:
        assert hint in str(finding.hint)


def test_a_pool_of_the_best_fit_without_skills_only_takes_turns(
    policy: Policy, people: str
) -> None:
    bare = re.sub(r", good_at: \{[^}]*\}", "", people)
    (finding,) = found(policy, roster_from_yaml(bare), "no-skills")
    assert finding.level is Level.WARNING
    assert finding.message == "nobody of the pool 'SDR APAC' is good at any 'Language'"
    assert finding.path == ("pools", "SDR APAC", "fit_by", 0)
    assert found(policy, roster_from_yaml(people), "no-skills") == []


def test_somebody_named_whom_the_roster_does_not_know_is_an_error(
    policy: Policy, people: str
) -> None:
    line = next(line for line in people.splitlines() if line.startswith("  ines.moreau"))
    roster = roster_from_yaml(people.replace(f"{line}\n", ""))
    (finding,) = found(policy, roster, "unknown-person")
    assert finding.level is Level.ERROR
    assert finding.message == "'ines.moreau@relay.test' is not in the roster"


def test_a_misfit_of_the_roster_is_not_blamed_on_a_line_of_the_policy(
    texts: Mapping[str, str], people: str
) -> None:
    roster = roster_from_yaml(people.replace("hours: Office JP", "hours: Office JPP"))
    _, findings = check_policy(PolicyBundle(texts), roster)
    assert [place for finding, place in findings if finding.level is Level.ERROR] == [None]


def test_every_kind_of_finding_is_explained_to_admins() -> None:
    root = Path(__file__).parents[3]
    page = (root / "docs" / "policy.md").read_text(encoding="utf-8")
    text = "".join(
        path.read_text(encoding="utf-8")
        for path in sorted((root / "include" / "baton" / "policy").glob("lint*.py"))
    )
    codes = set(re.findall(r'(?:Level\.\w+|level),\s*"([a-z-]+)"', text))
    codes |= set(re.findall(r'_error\(\s*"([a-z-]+)"', text))
    assert {"shadowed", "twice", "dead-end", "empty-pool"} <= codes
    assert sorted(code for code in codes if f"`{code}`" not in page) == []
