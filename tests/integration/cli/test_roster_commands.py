"""``baton roster`` on a real ledger: each change in seconds, told in words, taken back in one step."""

from __future__ import annotations

import json
import threading
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from baton.cli import app
from baton.errors import ConfigurationError
from baton.ledger.agreements import rosters
from baton.ledger.database.engine import transaction
from baton.pipeline.versions.agreements import activate_policy, adopt_roster, current_roster
from baton.pipeline.versions.roster_versions import change_roster, import_roster
from baton.policy.bundle import PolicyBundle, read_bundle
from baton.policy.loader import read_roster
from baton.policy.roster import Roster
from baton.policy.roster_edits import Cap, with_cap, with_weight

POLICY = Path(__file__).resolve().parents[3] / "include" / "policy"
MIRA, JONAS = "mira.lindner@relay.test", "jonas.keller@relay.test"
NOW = datetime(2026, 11, 24, 8, 5, tzinfo=UTC)


@pytest.fixture(scope="module")
def bundle() -> PolicyBundle:
    return read_bundle(POLICY)


@pytest.fixture
def shared(ledger_engine: Engine, bundle: PolicyBundle) -> Engine:
    """A ledger with the shipped policy and roster."""
    with transaction(ledger_engine) as conn:
        activate_policy(conn, bundle, by="tests", at=NOW, parent=None)
        adopt_roster(conn, read_roster(POLICY / "roster.yaml"), by="tests", at=NOW)
    return ledger_engine


@pytest.fixture
def run(shared: Engine, ledger_url: str, monkeypatch: pytest.MonkeyPatch):
    """A function that runs `baton roster` on this test's ledger."""
    monkeypatch.setenv("BATON_DATABASE_URL", ledger_url)
    return lambda *arguments: CliRunner().invoke(app, ["roster", *map(str, arguments)])


def roster_of(engine: Engine) -> Roster:
    with transaction(engine) as conn:
        return current_roster(conn)


def versions_of(engine: Engine) -> int:
    with transaction(engine) as conn:
        return len(rosters.versions(conn))


def test_every_change_says_what_was_and_what_is(run, shared):
    changes = {
        ("weight", MIRA, "sdr dach", 2): f"pool SDR DACH: weight of {MIRA} 1 → 2",
        ("cap", MIRA, "--open", 40, "--hour", 5): "most open handoffs no limit → 40",
        ("cap", MIRA, "--open", "none"): "most open handoffs 40 → no limit",
        ("hours", MIRA, "Mon-Thu 8:00-12:00 13:00-16:30", "--zone", "Europe/Berlin"): (
            "hours Office AT → Mon-Thu 08:00-12:00 13:00-16:30"
        ),
        ("skills", MIRA, "Language=de,en"): "good at nothing in particular → Language=de;en",
        ("join", MIRA, "SDR APAC", "--weight", 3): f"{MIRA} joins with weight 3",
        ("quit", MIRA, "SDR APAC"): f"pool SDR APAC: {MIRA} is out",
        ("add", "nora@relay.test", "--name", "Nora", "--pool", "SDR DACH"): "nora@relay.test: new",
        ("away", MIRA, "--until", "2099-12-04", "--note", "parental"): f"{MIRA}: away from",
    }
    for arguments, said in changes.items():
        before = versions_of(shared)
        dry = run(*arguments, "--dry-run")
        assert said in dry.stdout, dry.output
        assert "would be the roster (dry run)" in dry.stdout
        assert "take it back" not in dry.stdout
        assert versions_of(shared) == before
        assert said in run(*arguments, "--by", "ops").stdout
        assert versions_of(shared) == before + 1
        assert "it is so already" in run(*arguments).stdout or arguments[0] in {"quit", "add"}
    changed = roster_of(shared).rep(MIRA)
    assert changed is not None
    assert (changed.cap_open, changed.cap_hour) == (None, 5)
    assert changed.good_at == {"Language": ("de", "en")}
    told = run("history", "--rep", MIRA).stdout
    assert "ops: skills" not in told
    assert f"ops: what {MIRA} is good at" in told
    assert "parental" in told
    assert "most open handoffs 40 → no limit" in told
    assert "nora@relay.test: new" not in told
    entries = json.loads(run("history", "--json", "--limit", "2").stdout)
    assert [len(one["changes"]) > 0 for one in entries] == [True, True]
    assert entries[0]["by"] == "ops"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("weight", "mira.lindne@relay.test", "SDR DACH", 2), f"did you mean '{MIRA}'?"),
        (("weight", MIRA, "SDR DAHC", 2), "did you mean 'SDR DACH'?"),
        (("weight", MIRA, "SDR APAC", 2), "baton roster join"),
        (("weight", MIRA, "SDR DACH", 20_000), "from 0 to 10000"),
        (("join", MIRA, "Unicorns"), "pools are: "),
        (("quit", MIRA, "SDR APAC"), "is not in the pool"),
        (("cap", MIRA), "say which limit"),
        (("cap", MIRA, "--day", "lots"), "write a whole number, or none"),
        (("hours", MIRA, "Office ATT"), "did you mean 'Office AT'?"),
        (("hours", MIRA, "Mon 22:00-06:00"), "split hours over midnight"),
        (("hours", MIRA, "Office AT", "--zone", "Mars/Base"), "is not a time zone"),
        (("away", MIRA), "say --until when, or --back"),
        (("away", MIRA, "--back"), "is not away now"),
        (("away", MIRA, "--until", "soon"), "no date and no time"),
        (("away", MIRA, "--from", "2026-12-02", "--until", "2026-12-01"), "must end after"),
        (("add", MIRA, "--name", "M"), "is on the roster already"),
        (("add", "nobody", "--name", "M"), "is not an e-mail address"),
        (("add", "nora@relay", "--name", "M"), "is not an e-mail address"),
        (("add", "n@relay.test", "--name", "N", "--manager", "nadia@relay.test"), "did you mean"),
        (("skills", MIRA, "German"), "does not read as Language=de,en"),
        (("skills", MIRA, "Langauge=de"), "did you mean 'Language'?"),
        (("away", "mira", "--until", "2099-12-04"), f"did you mean '{MIRA}'?"),
        (("rollback", "999"), "there is no roster version '999'"),
        (("leaver",), "name the leaver's e-mail"),
        (("leaver", MIRA, "--on", "soon"), "is no date"),
        (("leaver", MIRA, "--to", MIRA), "is the one who leaves"),
    ],
)
def test_what_does_not_fit_is_refused_with_a_hint_and_changes_nothing(run, shared, arguments, said):
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    assert said in result.stderr
    assert versions_of(shared) == 1


def test_leave_for_an_afternoon_and_back_early(run, shared):
    rep = roster_of(shared).rep(MIRA)
    assert rep is not None
    assert run("away", MIRA, "--from", "00:00", "--until", "24:00").exit_code == 0
    (leave,) = roster_of(shared).rep(MIRA).leave
    assert timedelta(hours=23) <= leave.end - leave.start <= timedelta(hours=25)
    shown = json.loads(run("show", "--json", "--pool", "SDR DACH").stdout)
    assert [one["email"] for one in shown] == [JONAS, MIRA]
    away = next(one for one in shown if one["email"] == MIRA)
    assert away["away_until"]
    assert not away["here"]
    assert run("away", MIRA, "--back").exit_code == 0
    assert not roster_of(shared).rep(MIRA).on_leave(datetime.now(UTC))
    assert "away until" not in run("show", "--pool", "SDR DACH").stdout


def test_an_import_keeps_recorded_leave_unless_told_otherwise(run, shared):
    run("away", MIRA, "--until", "2099-12-04")
    run("weight", MIRA, "SDR DACH", 3)
    kept = run("import", POLICY / "roster.yaml", "--by", "revops")
    assert f"weight of {MIRA} 3 → 1" in kept.stdout
    assert "no longer away" not in kept.stdout
    assert roster_of(shared).rep(MIRA).leave
    assert "it is so already" in run("import", POLICY / "roster.yaml").stdout
    wiped = run("import", POLICY / "roster.yaml", "--replace-leave")
    assert "no longer away" in wiped.stdout
    assert not roster_of(shared).rep(MIRA).leave


def test_an_export_is_imported_to_the_same_roster(run, shared, tmp_path):
    run("away", MIRA, "--until", "2099-12-04")
    run("skills", JONAS, "Language=de")
    run("hours", JONAS, "Mon-Fri 09:00-12:30 13:30-18:00; Sat 10:00-12:00")
    before = roster_of(shared)
    run("export", tmp_path / "tables")
    run("export", tmp_path / "roster.yaml", "--format", "yaml")
    assert "it is so already" in run("import", tmp_path / "tables").stdout
    assert "it is so already" in run("import", tmp_path / "roster.yaml", "--replace-leave").stdout
    people = tmp_path / "tables" / "people.csv"
    people.write_text(people.read_text().replace("Office AT", "Office ATT"))
    refused = run("import", tmp_path / "tables")
    assert refused.exit_code == 2
    assert "did you mean 'Office AT'?" in refused.stderr
    assert roster_of(shared) == before


def test_an_import_warns_of_a_pool_that_becomes_empty_and_refuses_one_unknown(run, tmp_path):
    run("export", tmp_path)
    pools = tmp_path / "pools.csv"
    pools.write_text(
        "\n".join(line for line in pools.read_text().splitlines() if "SDR DACH" not in line)
    )
    result = run("import", tmp_path, "--dry-run")
    assert result.exit_code == 0, result.output
    assert "nobody draws leads in the pool 'SDR DACH' any more" in result.stdout
    pools.write_text(pools.read_text().replace("SDR APAC", "SDR APACC"))
    refused = run("import", tmp_path)
    assert refused.exit_code == 2
    assert "did you mean 'SDR APAC'?" in refused.stderr


def test_an_import_made_from_an_old_roster_is_refused(run, shared):
    old = roster_of(shared).hash
    run("weight", MIRA, "SDR DACH", 3)
    refused = run("import", POLICY / "roster.yaml", "--parent", old[:12])
    assert refused.exit_code == 2
    assert "changed by somebody else" in refused.stderr
    assert roster_of(shared).hash != old


def test_one_step_back(run, shared):
    before = roster_of(shared)
    run("weight", MIRA, "SDR DACH", 3)
    dry = run("rollback", "--dry-run")
    assert f"weight of {MIRA} 3 → 1" in dry.stdout
    assert roster_of(shared) != before
    assert run("rollback", "--by", "ops").exit_code == 0
    assert roster_of(shared) == before
    assert "back to version" in run("history").stdout


def test_two_people_at_the_same_minute_lose_nothing(shared):
    """The second one waits for the first, and changes what that one has made of it."""
    both_begin = threading.Barrier(2, timeout=20)

    def change(name: str, edit) -> None:
        with transaction(shared) as conn:
            both_begin.wait()
            change_roster(conn, edit, by=name, at=NOW, note=name)

    ana = threading.Thread(
        target=change, args=("ana", lambda r: with_weight(r, MIRA, "SDR DACH", 2))
    )
    ben = threading.Thread(target=change, args=("ben", lambda r: with_cap(r, MIRA, {Cap.OPEN: 9})))
    for one in (ana, ben):
        one.start()
    for one in (ana, ben):
        one.join(30)
    roster = roster_of(shared)
    assert roster.rep(MIRA).cap_open == 9
    assert {m.rep: m.weight for m in roster.pool("SDR DACH").members}[MIRA] == 2
    with transaction(shared) as conn:
        assert {one.by_whom for one in rosters.versions(conn)} == {"tests", "ana", "ben"}


def test_a_whole_roster_made_from_an_older_one_never_wins(shared):
    older = roster_of(shared)
    with transaction(shared) as conn:
        change_roster(
            conn, lambda r: with_weight(r, MIRA, "SDR DACH", 2), by="ana", at=NOW, note="x"
        )
    changed = with_weight(older, JONAS, "SDR DACH", 2)
    with transaction(shared) as conn, pytest.raises(ConfigurationError, match="by somebody else"):
        import_roster(conn, changed, by="ben", at=NOW, note="y", parent=older.hash)


def test_a_leaver_announced_for_a_day_ahead_keeps_the_leads_until_then(run, shared):
    day = date.today() + timedelta(days=30)  # noqa: DTZ011 (a month ahead in any zone)
    said = run("leaver", MIRA, "--on", day, "--by", "ops").stdout
    assert f"leaves on not given → {day}" in said
    assert f"no new leads from {day} on" in said
    rep = roster_of(shared).rep(MIRA)
    assert rep.active
    assert rep.why_gone(datetime.now(UTC)) is None
    assert rep.why_gone(datetime.now(UTC) + timedelta(days=31)) == f"left the company on {day}"
    assert "nobody's last day has come" in run("leaver", "--due").stdout


def test_a_leaver_of_today_is_out_of_every_pool(run, shared):
    dry = run("leaver", MIRA, "--dry-run")
    assert "has 0 open handoffs" in dry.stdout
    assert roster_of(shared).rep(MIRA).active
    done = run("leaver", MIRA)
    assert done.exit_code == 0, done.output
    assert f"pool SDR DACH: {MIRA} is out" in done.stdout
    rep = roster_of(shared).rep(MIRA)
    assert not rep.active
    assert rep.left is not None
    assert "it is so already" in run("leaver", MIRA).stdout
    careful = run("leaver", "nadia.petrov@relay.test", "--dry-run").stdout
    assert f"{JONAS} reports to them" in careful
    last = run("leaver", JONAS, "--dry-run").stdout
    assert "careful: without them nobody is left in the pool 'SDR DACH'" in last


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("people: {}\n", "the roster has nobody in it"),
        (
            (
                "people: {a@relay.test: {name: A, manager: b@relay.test},"
                " b@relay.test: {name: B, manager: a@relay.test}}\n"
            ),
            "nobody is at the top",
        ),
    ],
)
def test_an_import_that_no_policy_can_use_is_refused_and_changes_nothing(
    run, shared, tmp_path, written, said
):
    file, before = tmp_path / "roster.yaml", versions_of(shared)
    file.write_text(written, encoding="utf-8")
    for further in ((), ("--dry-run",)):
        result = run("import", file, *further)
        assert result.exit_code == 2, result.output
        assert said in result.stderr
    assert versions_of(shared) == before
