"""The past decided again, over a whole relay: who moves, and how far it may be trusted."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from tests.integration.pipeline.conftest import POLICY
from tests.integration.pipeline.relay import Relay
from typer.testing import CliRunner, Result

from baton.cli import app
from baton.decision.comparison import NOBODY, Pair
from baton.errors import ConfigurationError
from baton.ledger.database.engine import transaction
from baton.ledger.leads.persons import delete_people
from baton.pipeline.past.rederived import Doubt
from baton.pipeline.past.whatif import WhatIf, WhatIfReport, what_if
from baton.policy.bundle import PolicyBundle
from baton.policy.loader import parse_policy
from baton.policy.roster import Roster

TABLES = ("lead", "person", "snapshot", "decision", "handoff", "hop", "effect", "transition",
          "pool_state", "policy_version", "roster_version")  # fmt: skip


def play(relay: Relay) -> None:
    """Six hot leads, two at 70 points, a quiet one, a throw-away address, and some time."""
    for _ in range(3):
        relay.hot_contact()
    relay.everything()
    relay.wait(hours=1)
    for _ in range(3):
        relay.hot_contact()
    warm = [
        relay.contact(
            decision_timeline="this_quarter", budget_range="50k_200k", primary_pain_point="slow"
        )
        for _ in range(2)
    ]
    relay.contact()
    relay.contact(email="somebody@mailinator.test")
    relay.everything()
    relay.wait(hours=1)
    relay.change(warm[0], content_downloads="2", last_content_at=str(relay.now().isoformat()))
    relay.everything()


def asked(
    relay: Relay,
    *,
    since: timedelta = timedelta(days=1),
    roster: Roster | None = None,
    pairs: list[Pair] | None = None,
    **overlays: str,
) -> WhatIfReport:
    texts = {f"overlays/{name}.yaml": content for name, content in overlays.items()}
    policy = parse_policy(PolicyBundle({**relay.bundle.texts, **texts}))
    question = WhatIf(policy, relay.now() - since, roster)
    hear = pairs.append if pairs is not None else lambda _pair: None
    return what_if(relay.engine, question, hear=hear)


def counts(relay: Relay, tables: Iterable[str] = TABLES) -> dict[str, object]:
    """A fingerprint of the ledger."""
    with transaction(relay.engine) as conn:
        return {
            name: conn.execute(
                text(
                    f"SELECT count(*), md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {name} t"
                )
            ).one()
            for name in tables
        }


@pytest.mark.requirement("002-14")
def test_the_same_policy_moves_nobody_and_writes_nothing(relay: Relay) -> None:
    play(relay)
    before = counts(relay)
    report = asked(relay)
    assert counts(relay) == before
    found = report.to_json()
    assert found["handoffs"]["before"] == found["handoffs"]["after"] == 7
    assert not found["moves"]
    assert found["decided_otherwise"] == 0
    assert report.same_policy
    assert found["simulation"]["same_owner_as_recorded"] == 7


def test_a_policy_that_only_has_another_name_moves_nobody(relay: Relay) -> None:
    """Its hash differs, so everything is worked out again, and comes out the same."""
    play(relay)
    changed = 'name: Another name\nrequired: {quiz: [First name, "E-mail"]}\n'
    report = asked(relay, renamed=changed)
    assert not report.same_policy
    assert report.comparison.changed == 0
    assert not report.comparison.moves


def test_a_lower_threshold_hands_off_more(relay: Relay) -> None:
    play(relay)
    pairs: list[Pair] = []
    report = asked(relay, pairs=pairs, lower="bands: {hot: {above: 69, stays_above: 65}}")
    found = report.to_json()["handoffs"]
    # Both leads at 70 points go at once; the one that rose to 81 later has an open handoff by then.
    assert (found["before"], found["after"]) == (7, 8)
    assert (found["only_after"], found["only_before"]) == (2, 1)
    new = [pair for pair in pairs if pair.moved]
    assert [pair.before.receiver for pair in new] == [NOBODY, NOBODY, new[2].before.owner]
    assert new[2].after.outcome.value in ("none", "update")
    bands = report.comparison.bands
    assert bands["warm", "hot"] == 2


def test_a_higher_threshold_keeps_them_back_and_the_later_decisions_know_it(relay: Relay) -> None:
    play(relay)
    report = asked(relay, higher="bands: {hot: {above: 90}}")
    found = report.to_json()["handoffs"]
    assert (found["before"], found["after"]) == (7, 0)
    assert found["only_before"] == 7
    # An open handoff here is none there: nothing is updated there.
    outcomes = report.comparison.outcomes
    assert not [pair for pair in outcomes if pair[1] == "update"]


def test_another_pool_moves_people_and_shows_from_whom_to_whom(relay: Relay) -> None:
    play(relay)
    dach = """
replace: [route]
route:
  - {id: all-dach, when: {Territory: DACH}, to: {pool: SDR DACH}, if_nobody: {queue: Inbound DACH}}
  - {id: fallback, otherwise: {queue: Inbound triage}, watched_by: nadia.petrov@relay.test, alarm_after: 15 working minutes}
"""
    report = asked(relay, dach=dach)
    found = report.to_json()
    assert found["handoffs"]["to_somebody_else"] == 7
    sent = {one["to"] for one in found["moves"]}
    assert sent == {"jonas.keller@relay.test", "mira.lindner@relay.test"}
    volume = {one["owner"]: one["after"] for one in found["owners"]}
    # A pool of two that starts afresh shares seven leads four to three.
    assert sorted(volume[who] for who in sent) == [3, 4]
    pools = {one["pool"]: (one["before"], one["after"]) for one in found["pools"]}
    assert pools["SDR DACH"] == (0, 7)


def test_another_roster_is_enough(relay: Relay, roster: Roster) -> None:
    play(relay)
    gone = {one.rep for one in roster.pool_by_name["AE Mid-market EMEA"].members}
    kept = sorted(gone)[0]
    pools = tuple(
        pool.model_copy(update={"members": tuple(m for m in pool.members if m.rep == kept)})
        if pool.name == "AE Mid-market EMEA"
        else pool
        for pool in roster.pools
    )
    report = asked(relay, roster=roster.model_copy(update={"pools": pools}))
    assert report.comparison.after.owners == {kept: 7}


def test_a_territory_is_worked_out_again(relay: Relay) -> None:
    """The stored fact says DACH; under the other policy Germany lies somewhere else."""
    play(relay)
    texts = dict(relay.bundle.texts)
    table = texts["lists/territories.csv"].splitlines()
    moved = [
        one.replace("DACH", "Southern Europe") if one.startswith("DE,") else one for one in table
    ]
    texts["lists/territories.csv"] = "\n".join(moved) + "\n"
    texts["overlays/route.yaml"] = """
replace: [route]
route:
  - {id: south, when: {Territory: Southern Europe}, to: {pool: SDR UK and Nordics}}
  - {id: fallback, otherwise: {queue: Inbound triage}, watched_by: nadia.petrov@relay.test, alarm_after: 15 working minutes}
"""
    question = WhatIf(parse_policy(PolicyBundle(texts)), relay.now() - timedelta(days=1))
    report = what_if(relay.engine, question)
    assert report.comparison.after.pools == {"SDR UK and Nordics": 7}
    assert report.comparison.after.fallback == 0


def test_a_new_question_about_erased_people_is_counted_as_not_judged(relay: Relay) -> None:
    play(relay)
    new = "suppress: [{id: testers, when: {First name: Robin}, say: is a tester}]"
    known = asked(relay, new=new)
    assert not known.doubts
    assert known.comparison.after.handoffs == 0
    with transaction(relay.engine) as conn:
        delete_people(conn, [row["id"] for row in relay.rows("SELECT id FROM lead")])
    unknown = asked(relay, new=new)
    assert unknown.doubts[Doubt.PERSON_GONE] == unknown.comparison.decisions
    assert unknown.comparison.after.handoffs == 7
    same = asked(relay, quieter="name: Another name\ntriggers: {quiz: {label: Quiz}}")
    assert not same.doubts
    assert same.comparison.changed == 0


def test_the_command_shows_writes_and_tells_what_it_cannot_know(
    relay: Relay, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The command's clock is the real one, so it looks far ahead of the relay's time."""
    play(relay)
    overlay, moves = tmp_path / "lower.yaml", tmp_path / "moves.csv"
    overlay.write_text("bands: {hot: {above: 69, stays_above: 65}}\n")
    address = relay.engine.url.render_as_string(hide_password=False)
    monkeypatch.setenv("BATON_DATABASE_URL", address)

    def command(*options: object) -> Result:
        given = ("whatif", "--policy", POLICY, "--since", "2020-01-01", *options)
        return CliRunner().invoke(app, [str(one) for one in given])

    shown = command("--overlay", overlay, "--csv", moves)
    assert shown.exit_code == 0, shown.output
    for words in ("Who moves from whom to whom", NOBODY, "Bands", "First touches due"):
        assert words in shown.stdout
    assert "cannot be known" in shown.stderr
    assert "names the recorded owner in 7 of 7 decisions that gave a lead to somebody" in " ".join(
        shown.stderr.split()
    )
    rows = list(csv.DictReader(io.StringIO(moves.read_text(encoding="utf-8"))))
    assert [row["owner_before"] for row in rows].count(NOBODY) >= 2
    assert all("@softworks" not in "".join(row.values()) for row in rows)
    found = json.loads(command("--json").stdout)
    assert found["handoffs"]["to_somebody_else"] == 0
    assert found["assumptions"]


def test_without_decisions_it_says_so(relay: Relay) -> None:
    with pytest.raises(ConfigurationError, match=r"nothing was decided since .* --since"):
        asked(relay)
