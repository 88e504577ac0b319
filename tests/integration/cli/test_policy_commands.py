"""``baton policy test, document, diff, activate, history, rollback`` as a person types them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from baton.cli import app

POLICY = Path(__file__).resolve().parents[3] / "include" / "policy"
DEMO = POLICY / "overlays" / "demo.yaml"

Run = Callable[..., Result]


@pytest.fixture
def run(ledger_url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A function that runs `baton` on this test's own ledger."""
    monkeypatch.setenv("BATON_DATABASE_URL", ledger_url)
    return lambda *arguments: CliRunner().invoke(app, ["policy", *map(str, arguments)])


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the shipped policy that a test may change."""
    return Path(shutil.copytree(POLICY, tmp_path / "policy"))


def change(folder: Path, file: str, old: str, new: str) -> None:
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.requirement("002-06")
def test_the_cases_of_the_shipped_policy_pass(run: Run) -> None:
    result = run("test", POLICY)
    assert result.exit_code == 0, result.output
    assert "cases passed" in result.stdout
    assert "ok    score.yaml:" in run("test", POLICY, "-v").stdout
    assert run("test", POLICY, "--overlay", DEMO).exit_code == 0


def test_a_policy_that_breaks_its_cases_says_which_and_is_not_activated(
    run: Run, copy: Path
) -> None:
    assert run("activate", POLICY).exit_code == 0
    change(copy, "scoring.yaml", "demo-request, points: 30", "demo-request, points: 29")
    result = run("test", copy)
    assert result.exit_code == 1
    assert "FAILED score.yaml:" in result.stdout
    assert "points of 'demo-request': expected 30, got 29" in result.stdout
    rows = json.loads(run("test", copy, "--json").stdout)
    assert [one["name"] for one in rows if not one["passed"]]
    refused = run("activate", copy)
    assert refused.exit_code == 2
    assert "--although-cases-fail" in refused.stderr
    assert run("activate", copy, "--although-cases-fail").exit_code == 0


def test_cases_of_ones_own_may_be_named(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("cases: [{name: none, lead: {E-mail: a@acme.test}, expect: {score: 1}}]\n")
    result = run("test", POLICY, "--cases", file)
    assert result.exit_code == 1
    assert "score: expected 1, got 0" in result.stdout
    file.write_text("cases: [{name: none, lead: {Emial: a@acme.test}, expect: {score: 1}}]\n")
    wrong = run("test", POLICY, "--cases", file)
    assert wrong.exit_code == 2
    assert "did you mean 'E-mail'?" in wrong.stderr


def test_a_difference_is_said_in_words(run: Run, copy: Path) -> None:
    assert run("diff", POLICY, POLICY).stdout.strip() == "no difference"
    change(copy, "scoring.yaml", "demo-request, points: 30", "demo-request, points: 35")
    assert "gives 35 points instead of 30." in run("diff", POLICY, copy).stdout
    run("activate", POLICY)
    text = run("diff", "active", copy, "--format", "md").stdout
    assert "## Score" in text
    assert "- The rule 'demo-request' (intent) gives 35 points instead of 30." in text
    rows = json.loads(run("diff", copy, "active", "--format", "json").stdout)
    assert rows[0]["path"] == "scoring.intent.demo-request.points"
    unknown = run("diff", "active", "abcdef")
    assert unknown.exit_code == 2
    assert "there is no policy abcdef" in unknown.stderr


def test_activating_shows_what_changes_before_it_does(run: Run, copy: Path) -> None:
    run("activate", POLICY, "--by", "revops")
    change(
        copy,
        "sla.yaml",
        "warm: {first_touch: 2 working hours",
        "warm: {first_touch: 3 working hours",
    )
    dry = run("activate", copy, "--dry-run")
    words = "For 'warm', a person of sales must answer within 3 working hours instead of 2"
    assert words in dry.stdout
    assert "cases passed" in dry.stdout
    done = run("activate", copy, "--by", "ada", "--why", "two hours were too few")
    assert words in done.stdout
    told = run("history").stdout
    assert words in told
    assert "by ada (current)" in told
    assert "two hours were too few" in told
    assert "the first version" in told


def test_going_back_is_one_step(run: Run, copy: Path) -> None:
    assert run("rollback").exit_code == 2
    run("activate", POLICY)
    change(copy, "agreement.yaml", "handoffs_per_run: 200", "handoffs_per_run: 100")
    run("activate", copy)
    dry = run("rollback", "--dry-run")
    assert "handoffs per run is now 200 instead of 100" in dry.stdout
    assert "dry run" in dry.stdout
    back = run("rollback", "--by", "grace", "--why", "it held too many")
    assert back.exit_code == 0
    assert "is current again" in back.stdout
    rows = json.loads(run("history", "--json").stdout)
    assert (rows[0]["kind"], rows[0]["by"]) == ("rollback", "grace")
    assert rows[0]["hash"] == rows[2]["hash"]
    assert rows[0]["changes"][0]["section"] == "Guards"


@pytest.mark.requirement("002-37")
def test_the_document_of_the_active_policy_says_since_when(run: Run, tmp_path: Path) -> None:
    assert run("document", "--active").exit_code == 2
    run("activate", POLICY, "--by", "ada")
    file = tmp_path / "agreement.html"
    result = run("document", "--active", "--out", file)
    assert result.exit_code == 0, result.output
    text = file.read_text(encoding="utf-8")
    assert "In force since" in text
    assert "by ada" in text
    assert run("document", POLICY, "--active").exit_code == 2
    assert "## Who gets it" in run("document", POLICY, "--format", "md").stdout
