"""The shipped policy keeps its own cases; and a case that is wrong says what, where, and how to mend it."""

from __future__ import annotations

from pathlib import Path

import pytest

from baton.errors import PolicyErrors
from baton.pipeline.versions.case_run import CaseResult, run_case
from baton.pipeline.versions.policy_cases import (
    CaseCrm,
    CaseFile,
    CaseHistory,
    CaseRoster,
    Expected,
    PlacedCase,
    PolicyCase,
    case_files,
    cases_from_text,
    read_cases,
)
from baton.policy.loader import parse_policy, read_bundle, read_roster
from baton.policy.models import Policy
from baton.policy.roster import Roster

SHIPPED = Path(__file__).resolve().parents[3] / "include" / "policy"
OVERLAYS = SHIPPED / "overlays"

POLICY = parse_policy(read_bundle(SHIPPED))
ROSTER = read_roster(SHIPPED / "roster.yaml")
CASES = read_cases(case_files(SHIPPED), POLICY)

# Which requirement the golden cases prove. The names stand in include/policy/cases.
PROVES = {
    "a company of our size gives 20 points": "002-06",
    "the pricing page gives 15 points": "002-06",
    "a demo request gives 30 points": "002-06",
    "an industry that we do not serve costs points": "002-06",
    "one blog post is far from a demo request": "002-07",
    "a slightly worse profile with five pieces of content and three visits stands above it": "002-08",
    "a perfect profile that does nothing stays with marketing": "002-08",
    "exactly 75 is warm and stays with marketing": "000-10",
    "75.001 is hot and goes to an AE at once": "000-10",
    "a quiz score of 80 goes to the territory's SDR, told in the channel, due in five minutes": "001-07",
    "an existing customer stays with the account team, no owner is changed": "003-03",
    "a hot lead needs the whole profile": "003-08",
    "an inbound call goes to an SDR within five minutes": "003-09",
    "everyone in DACH away, the queue of DACH takes it": "002-25",
}


def marked(case: PlacedCase) -> object:
    known = PROVES.get(case.case.name)
    marks = [pytest.mark.requirement(known)] if known else []
    return pytest.param(case, id=case.case.name, marks=marks)


def told(result: CaseResult) -> str:
    lines = [f"{one.what}: expected {one.expected}, got {one.got}" for one in result.mismatches]
    return "\n".join([result.where, result.trouble or "", *lines])


@pytest.mark.parametrize("case", [marked(case) for case in CASES])
def test_the_shipped_policy_does_what_was_agreed(case: PlacedCase) -> None:
    result = run_case(case, POLICY, ROSTER)
    assert result.passed, told(result)


def test_every_requirement_has_its_case() -> None:
    assert set(PROVES) <= {case.case.name for case in CASES}
    assert len(CASES) >= 30


@pytest.mark.parametrize("name", ["demo", "xeducation"])
def test_each_overlay_does_what_was_agreed(name: str) -> None:
    overlay = OVERLAYS / f"{name}.yaml"
    policy = parse_policy(read_bundle(SHIPPED, overlay))
    results = [
        run_case(one, policy, ROSTER) for one in read_cases(case_files(SHIPPED, overlay), policy)
    ]
    assert results
    assert [told(one) for one in results if not one.passed] == []


@pytest.mark.parametrize("part", ["triggers", "bands"])
def test_every_trigger_and_band_has_a_case(part: str) -> None:
    wanted = set(getattr(POLICY, part))
    asked = {getattr(case.case.expect, part.removesuffix("s")) for case in CASES}
    assert wanted <= asked


def test_every_territory_and_reason_for_never_handing_off_has_a_case() -> None:
    reasons = {case.case.expect.reason for case in CASES}
    assert {one.id for one in POLICY.suppress} <= reasons
    pools = {case.case.expect.pool for case in CASES}
    assert set(POLICY.pools) <= pools


LEAD = "lead: {E-mail: kim.larsen@acme.test, Company name: Acme, Country: DE}"


def one(text: str, policy: Policy = POLICY) -> PlacedCase:
    return cases_from_text("some.yaml", f"cases:\n  - name: a case\n{text}\n", policy)[0]


def run(text: str, policy: Policy = POLICY, roster: Roster = ROSTER) -> CaseResult:
    return run_case(one(text, policy), policy, roster)


def test_a_failing_case_says_what_came_out_and_where_it_stands() -> None:
    result = run(f"    {LEAD}\n    expect: {{outcome: handoff, band: hot, gives: [demo-request]}}")
    assert not result.passed
    assert result.where == "some.yaml:2"
    assert {(m.what, m.expected, m.got) for m in result.mismatches} == {
        ("outcome", "handoff", "nurture"),
        ("band", "hot", "nurture"),
        ("rule 'demo-request'", "gives points", "gave none"),
    }


def refused(text: str) -> str:
    with pytest.raises(PolicyErrors) as raised:
        cases_from_text("some.yaml", text, POLICY)
    return str(raised.value)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("    lead: {Compny size: 3}\n    expect: {band: hot}", 3, "did you mean 'Company size'?"),
        ("    lead: {}\n    expect: {bnad: hot}", 4, "did you mean 'band'?"),
        ("    lead: {}\n    expect: {band: hott}", 4, "did you mean 'hot'?"),
        ("    lead: {}\n    expect: {pool: SDR DAHC}", 4, "did you mean 'SDR DACH'?"),
        ("    lead: {}\n    expect: {trigger: demo}", 4, "there is no trigger 'demo'"),
        ("    lead: {}\n    expect: {gives: demo-requst}", 4, "did you mean 'demo-request'?"),
        ("    lead: {}\n    expect: {missing: Fone}", 4, "there is no field 'Fone'"),
        ("    lead: {}\n    expect: {outcome: handof}", 4, "did you mean 'handoff'?"),
        ("    like: nobody\n    expect: {band: hot}", 3, "there is no lead 'nobody'"),
        ("    lead: {}\n    expect: {}", 4, "must expect something"),
        ("    lead: {}", 2, "'expect' is missing"),
    ],
)  # fmt: skip
def test_a_wrong_case_is_refused_at_its_line(text: str, line: int, words: str) -> None:
    message = refused(f"cases:\n  - name: a case\n{text}\n")
    assert f"some.yaml:{line}" in message
    assert words in message


def test_two_cases_of_one_name_are_refused() -> None:
    again = "  - {name: a case, lead: {}, expect: {band: nurture}}\n"
    assert "stands above already" in refused(f"cases:\n{again}{again}")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("lead: {Demo requested at: yesterday}", "'yesterday' is no moment"),
        ("lead: {Demo requested at: 2026-11-03T10:00}", "does not say its zone"),
        ("roster: {away: somebody@relay.test}", "somebody@relay.test is not in the roster"),
    ],
)
def test_a_case_that_cannot_be_judged_says_why(given: str, words: str) -> None:
    text = f"    {given}\n    expect: {{band: nurture}}"
    result = run(text)
    assert not result.passed
    assert words in (result.trouble or "")


def test_nonsense_in_a_lead_is_read_as_hubspot_would_deliver_it() -> None:
    result = run(
        "    lead: {E-mail: kim.larsen@acme.test, Company size: about forty, Country: Utopia}\n"
        "    expect: {outcome: nurture, gives_not: [size-near, territory-served]}"
    )
    assert result.passed, told(result)
    assert result.decision is not None
    assert result.decision.score is not None


def test_what_is_set_to_nothing_is_taken_away_from_the_lead_it_is_like() -> None:
    text = (
        "leads: {known: {E-mail: kim.larsen@acme.test, Company size: 100}}\n"
        "cases: [{name: a, like: known, lead: {Company size: null}, expect: {score: 0}}]\n"
    )
    case = cases_from_text("some.yaml", text, POLICY)[0]
    assert case.values() == {"E-mail": "kim.larsen@acme.test"}
    assert run_case(case, POLICY, ROSTER).passed


PAGE = Path(__file__).resolve().parents[3] / "docs" / "policy-tests.md"


def test_the_example_of_the_page_passes() -> None:
    text = PAGE.read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0]
    results = [
        run_case(case, POLICY, ROSTER) for case in cases_from_text("page.yaml", text, POLICY)
    ]
    assert [told(one) for one in results if not one.passed] == []
    assert len(results) == 1


def test_the_page_names_every_key() -> None:
    text = PAGE.read_text(encoding="utf-8")
    models = (Expected, CaseHistory, CaseRoster, CaseCrm, PolicyCase, CaseFile)
    names = {name for model in models for name in model.model_fields}
    assert [name for name in sorted(names) if name not in text] == []
