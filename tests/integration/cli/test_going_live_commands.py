"""``baton mode``, ``stop-effects`` and ``release`` as a person types them, on a real ledger."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from baton.cli import app

POLICY = Path(__file__).resolve().parents[3] / "include" / "policy"


@pytest.fixture
def run(ledger_url: str, monkeypatch: pytest.MonkeyPatch):
    """A function that runs `baton` on this test's own ledger, observing."""
    monkeypatch.setenv("BATON_DATABASE_URL", ledger_url)
    monkeypatch.setenv("BATON_MODE", "observe")

    def runs(*arguments: object, code: int = 0) -> str:
        result = CliRunner().invoke(app, [str(one) for one in arguments])
        assert result.exit_code == code, result.output
        return result.output

    runs("policy", "activate", POLICY)
    runs("roster", "import", POLICY / "roster.yaml")
    return runs


def test_modes_are_shown_set_tried_and_forgotten_on_the_record(run):
    assert "none go out: it is observed" in run("status")

    tried = run("mode", "set", "live", "--form", "Demo request", "--dry-run")

    assert "would set form Demo request: live, ours from" in tried
    assert "nothing to adopt" in tried
    assert json.loads(run("mode", "show", "--json"))["scopes"] == {}
    done = run("mode", "set", "live", "--region", "dach", "--by", "nadia", "--reason", "agreed")
    assert "are not handed over by us" in done
    assert "region DACH: live" in done
    first = json.loads(run("mode", "show", "--json"))
    assert first["scopes"] == {"region:DACH": "live"}
    assert "go out for region DACH alone" in run("status")
    run("mode", "set", "live", "--all")
    run("mode", "set", "observe", "--form", "Newsletter")
    shown = run("mode", "show")
    assert "go out, but for form Newsletter" in shown
    # The start is set once, with the first that goes live.
    assert json.loads(run("mode", "show", "--json"))["starts_at"] == first["starts_at"]
    run("mode", "clear", "--form", "newsletter")
    assert "but for" not in run("status")


def test_what_cannot_be_is_refused_with_its_mend(run):
    for arguments, words in (
        (("live",), "one of --form NAME, --region NAME, --all"),
        (("live", "--all", "--region", "DACH"), "one of --form NAME"),
        (("live", "--region", "DAHC"), "did you mean 'DACH'?"),
        (("history", "--all"), "set live or observe"),
        (("live", "--all", "--start", "soon"), "--start 'soon' is no date"),
    ):
        assert words in run("mode", "set", *arguments, code=2), arguments
    assert "there is no batch 7" in run("release", "--batch", 7, code=2)
    assert "nothing is held" in run("release")
    assert json.loads(run("release", "--json")) == []
    assert "--since DATE, or --all" in run("backfill", code=2)


def test_the_kill_switch_says_what_it_would_do_and_why_it_was_pulled(run):
    assert "0 effects would be kept back" in run("stop-effects", "--dry-run")
    assert "stopped" not in run("status")
    assert "All writes are stopped" in run("stop-effects", "--reason", "wrong owners")
    assert "stopped: baton resume-effects" in run("mode", "show")
    assert "none go out" in run("resume-effects", "--reason", "mended") + run("status")
