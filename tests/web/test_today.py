"""Today: each thing that wants a person is one line with one action; or nothing needs anybody."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Connection, Engine, text
from tests.web.conftest import NOW, Visitors, viewer

from baton.leads.states import LeadState
from baton.ledger.database.engine import transaction
from baton.ledger.effects import outbox, switches
from baton.ledger.effects.effects import NewEffect
from baton.ledger.handoffs import handoffs, overrides
from baton.ledger.handoffs.handoffs import NewHandoff, NewHop
from baton.ledger.handoffs.overrides import NewOverride
from baton.ledger.intake import seen_leads
from baton.ledger.intake.seen_leads import SeenLead
from baton.ledger.leads import arrivals, leads
from baton.ledger.leads.leads import StateChange
from baton.ledger.leads.persons import PersonFields
from baton.ledger.proofs import checks
from baton.ledger.sources import watermarks
from baton.pipeline.today.morning import Morning, Tone, read
from baton.pipeline.today.morning_items import items, knows_form
from baton.pipeline.versions.agreements import activate_policy, adopt_roster
from baton.policy.loader import read_bundle, read_roster
from baton.policy.roster import Leave

POLICY = Path(__file__).resolve().parents[2] / "include" / "policy"
MIDNIGHT = NOW.replace(hour=0)
REP = "helena.voss@relay.test"
NASTY = '<script>alert("x")</script> שלום 🚀'


@pytest.fixture
def agreed(ledger_engine: Engine, ledger_url: str) -> str:
    """A ledger with the shipped policy and roster, where everything is well."""
    with transaction(ledger_engine) as conn:
        adopt_roster(conn, read_roster(POLICY / "roster.yaml"), by="nadia", at=NOW)
        activate_policy(conn, read_bundle(POLICY), by="nadia", at=NOW, parent=None)
        watermarks.set(conn, "hubspot.contacts", NOW.isoformat(), at=NOW)
        checks.record(conn, checks.CONSERVATION, at=NOW, ok=True, findings={})
    return ledger_url


class Ledger:
    """Puts leads in the states that Today speaks of."""

    def __init__(self, conn: Connection) -> None:
        self.conn, self._next = conn, 1

    def lead(self, company: str = "Nordwind") -> int:
        number, self._next = self._next, self._next + 1
        seen = SeenLead(
            hubspot_id=str(8000 + number),
            modified_at=NOW,
            seen_at=NOW,
            captured_at=NOW,
            content_hash="hash",
            content={},
            person=PersonFields(
                email=f"p{number}@made.test", last_name="Secret", company_name=company
            ),
        )
        return seen_leads.upsert_seen(self.conn, [seen])[seen.hubspot_id].id

    def handoff(
        self,
        *,
        band: str = "hot",
        due: timedelta = timedelta(minutes=3),
        owner: str = REP,
        kind: str = "user",
        company: str = "Nordwind",
        mode: str = "live",
    ) -> int:
        made = handoffs.open_handoff(
            self.conn,
            NewHandoff(
                lead_id=self.lead(company),
                mode=mode,
                captured_at=NOW - timedelta(hours=1),
                decided_at=NOW - timedelta(hours=1),
                band=band,
                hop=NewHop(
                    owner_kind=kind,
                    owner_key=owner,
                    assigned_at=NOW - timedelta(hours=1),
                    first_touch_due=NOW + due,
                ),
            ),
        )
        return made.id

    def state(self, state: LeadState, held_for: str | None = None) -> None:
        change = StateChange(
            lead_id=self.lead(),
            after=state,
            at=NOW - timedelta(hours=3),
            cause="test",
            by="test",
            timer_at=NOW + timedelta(days=1),
            timer_action="judge_again",
            held_for=held_for,
        )
        leads.set_states(self.conn, [change])

    def failed(self, state: str, code: str = "X") -> None:
        """A write in a state."""
        lead = self.lead()
        key = f"e{lead}"
        outbox.add(
            self.conn,
            [NewEffect(key=key, kind="salesforce_task", lead_id=lead)],
            at=NOW - timedelta(hours=1),
        )
        self.conn.execute(
            text("UPDATE effect SET state = :state, last_error_code = :code WHERE key = :key"),
            {"state": state, "code": code, "key": key},
        )

    def look(self, now: datetime = NOW) -> Morning:
        return read(self.conn, now, MIDNIGHT)

    def lines(self, now: datetime = NOW) -> dict[str, tuple[Tone, str, str]]:
        return {one.id: (one.tone, one.title, one.link) for one in items(self.look(now))}


@pytest.fixture
def ledger(agreed: str, ledger_engine: Engine) -> Iterator[Ledger]:
    """The agreed ledger in a transaction that is rolled back."""
    with ledger_engine.connect() as conn:
        yield Ledger(conn)


def test_nothing_needs_anybody(visitors: Visitors, agreed: str) -> None:
    page = visitors.client(agreed).get("/").text
    assert "Nothing needs you" in page
    assert "Wants somebody" not in page
    assert page.count('data-tone="good"') >= 7


@pytest.mark.requirement("003-06")
def test_the_chain_is_told_in_its_order(visitors: Visitors, agreed: str) -> None:
    page = visitors.client(agreed).get("/").text
    chain = re.search(r'<ol class="chain">(.*?)</ol>', page, re.S)
    assert chain
    assert re.findall(r"<b>(\w+)</b>", chain[1]) == [
        "Define", "Score", "Route", "Notify", "Work", "Disposition", "Learn",
    ]  # fmt: skip


def test_hot_leads_that_are_late_come_first_and_by_name_of_their_company(
    visitors: Visitors, agreed: str, ledger_engine: Engine
) -> None:
    with transaction(ledger_engine) as conn:
        made = Ledger(conn)
        made.handoff(due=timedelta(minutes=-10), company=NASTY)
        made.handoff()
        made.handoff(band="warm", due=timedelta(minutes=-1))
        made.state(LeadState.QUARANTINED)
    page = visitors.client(agreed).get("/").text
    assert re.findall(r'id="do-([\w-]+)"', page)[:3] == ["hot", "late", "quarantine"]
    assert "1 hot lead is late: nobody has been in touch" in page
    assert "The longest for 10 minutes. 2 hot leads wait in all." in page
    assert "&lt;script&gt;alert" in page
    assert "<script>alert" not in page
    assert "Secret" not in page
    assert "made.test" not in page
    # One primary action a page.
    assert page.count("button primary") == 1


def test_every_line_leads_to_a_page_that_shows_as_many(
    visitors: Visitors, agreed: str, ledger_engine: Engine
) -> None:
    with transaction(ledger_engine) as conn:
        made = Ledger(conn)
        for minutes in (-10, -20):
            made.handoff(due=timedelta(minutes=minutes))
        made.handoff(mode="observe", due=timedelta(minutes=-30))
        made.handoff(band="warm", due=timedelta(hours=1), owner="Inbound triage", kind="queue")
        shown = {one.id: one for one in items(made.look())}
    client = visitors.client(agreed)
    for name, count in (("hot", 2), ("queued", 1)):
        assert f"{count} handoff" in client.get(f"/{shown[name].link}").text
    assert shown["hot"].title.startswith("2 hot leads are late")


@pytest.mark.parametrize("linked", ["handoffs", "policy", "sync"])
def test_links_of_all_lines_answer(
    visitors: Visitors, agreed: str, ledger_engine: Engine, linked: str
) -> None:
    with transaction(ledger_engine) as conn:
        made = Ledger(conn)
        made.handoff(due=timedelta(minutes=-10), owner="stranger@relay.test")
        made.handoff(band="warm", due=timedelta(minutes=-10))
        made.handoff(kind="queue", owner="Inbound triage")
        switches.stop_effects(conn, by="nadia", at=NOW)
        links = [one.link for one in items(made.look())]
    client = visitors.client(agreed)
    wanted = [link for link in links if link.startswith(linked)] or [linked]
    assert {client.get(f"/{link}").status_code for link in wanted} == {200}


def test_writes_that_failed_or_whose_outcome_nobody_knows(ledger: Ledger) -> None:
    for state in ("rejected", "invalid", "dead", "ambiguous", "done", "withheld"):
        ledger.failed(state)
    lines = ledger.lines()
    assert lines["failed"] == (Tone.BAD, "3 writes have failed for good", "review?tab=effects")
    assert lines["ambiguous"][1] == "Of 1 write nobody knows the outcome"
    assert "outbox" not in lines


def test_writes_that_wait_too_long_unless_they_are_stopped(ledger: Ledger) -> None:
    ledger.failed("pending")
    assert ledger.lines()["outbox"][1] == "1 write waits, the oldest for 60 minutes"
    switches.stop_effects(ledger.conn, by="nadia", at=NOW - timedelta(minutes=5))
    lines = ledger.lines()
    assert "outbox" not in lines
    assert lines["stopped"] == (Tone.BAD, "All writes are stopped", "sync")


def test_held_leads_by_reason(ledger: Ledger) -> None:
    for reason in ("blast_radius", "ambiguous_account", "nobody_available", "drip", "drip", "vip"):
        ledger.state(LeadState.HELD, reason)
    lines = ledger.lines()
    assert lines["held-blast-radius"] == (
        Tone.BAD, "1 lead waits because a run became too large",
        "review?tab=unrouted&reason=blast_radius",
    )  # fmt: skip
    assert lines["held-ambiguous-account"][1:] == (
        "1 lead fits several accounts: a person has to choose", "review?tab=accounts",
    )  # fmt: skip
    assert lines["held-nobody-available"][1] == "1 lead waits until somebody is there"
    assert lines["held-drip"][:2] == (
        Tone.INFO, "2 leads of an imported list wait for their turn",
    )  # fmt: skip
    assert lines["held-vip"][1] == "1 lead is held (vip)"


def test_edits_of_people_until_somebody_has_seen_them(ledger: Ledger) -> None:
    lead = ledger.lead()
    for field in ("OwnerId", "Status"):
        new = NewOverride(lead_id=lead, field=field, ours="a", theirs="b", at=NOW)
        overrides.record(ledger.conn, [new])
    assert ledger.lines()["overrides"][1] == "People changed 2 values after us"
    ledger.conn.execute(
        text(
            "INSERT INTO admin_action (at, by_whom, action, subject, reason, form, seen, result,"
            " words) SELECT :at, 'nadia', 'dismiss', 'override ' || id, 'seen', 'f', '', 'done', ''"
            " FROM human_override"
        ),
        {"at": NOW},
    )
    assert "overrides" not in ledger.lines()


def _arrived(conn: Connection, hour: datetime, kind: str, name: str, number: int) -> None:
    conn.execute(
        text("INSERT INTO hourly_arrival VALUES (:hour, :kind, :name, :number, :number)"),
        {"hour": hour, "kind": kind, "name": name, "number": number},
    )


def test_a_form_that_used_to_bring_leads_and_brings_none(ledger: Ledger) -> None:
    newest = NOW - timedelta(hours=1)
    ledger.conn.execute(text("INSERT INTO counted_hour VALUES (:hour, 0)"), {"hour": newest})
    for week in range(1, 5):
        then = newest - timedelta(weeks=week)
        _arrived(ledger.conn, then, "form", "Demo request", 9)
        _arrived(ledger.conn, then, "form", "Contact sales", 9)
        _arrived(ledger.conn, then, "form", "Rare", 2)
        # Busy, but on other days of the week.
        _arrived(ledger.conn, then - timedelta(days=2), "source", "Trade fair", 9)
    _arrived(ledger.conn, newest - timedelta(hours=5), "form", "Contact sales", 1)
    _arrived(ledger.conn, newest - timedelta(days=2), "source", "Trade fair", 1)
    lines = ledger.lines()
    assert lines["silent-form-demo-request"][1] == "Form “Demo request” has fallen silent"
    assert [one for one in lines if one.startswith("silent")] == ["silent-form-demo-request"]
    # Upkeep stands still: then nothing is known of the hours since, so nothing is called silent.
    later = NOW + timedelta(hours=4)
    assert not [one for one in ledger.lines(later) if one.startswith("silent")]


def test_a_form_that_no_rule_names(ledger: Ledger) -> None:
    _arrived(ledger.conn, NOW - timedelta(days=1), "form", "Q4 webinar", 23)
    _arrived(ledger.conn, NOW - timedelta(days=1), "form", "Demo request", 5)
    _arrived(ledger.conn, NOW - timedelta(days=9), "form", "Long ago", 5)
    _arrived(ledger.conn, NOW - timedelta(hours=1), "unreadable", "Country", 4)
    lines = ledger.lines()
    assert (
        lines["form-q4-webinar"][1]
        == "Form “Q4 webinar” has no trigger: 23 leads stay with marketing"
    )
    assert [one for one in lines if one.startswith("form-")] == ["form-q4-webinar"]
    assert lines["unreadable-country"][1] == (
        "Country: 4 leads have a value that the policy does not know"
    )
    assert knows_form(ledger.look(), "Buyer's guide")


def test_arrivals_are_counted_once_and_only_of_their_hour(ledger: Ledger) -> None:
    conn, hour = ledger.conn, NOW - timedelta(hours=1)
    bundle = read_bundle(POLICY)
    for minutes, captured, outcome in ((5, 4, "nurture"), (30, 29, "handoff"), (40, -90, "none")):
        conn.execute(
            text(
                "INSERT INTO decision (lead_id, snapshot_hash, policy_hash, roster_hash, decided_at,"
                " engine_version, position, inputs, inputs_hash, result, result_hash, outcome)"
                " VALUES (:lead, 'hash', :policy, 'r', :at, '1', 0, jsonb_build_object("
                "'captured_at', CAST(:captured AS text), 'facts', jsonb_build_object('Form', 'Quiz',"
                " 'Source', 'Referral'), 'problems', jsonb_build_array(jsonb_build_object("
                "'label', 'Country', 'code', 'unknown_country'))), 'x', '{}', 'x', :outcome)"
            ),
            {
                "lead": ledger.lead(),
                "policy": bundle.hash,
                "at": hour + timedelta(minutes=minutes),
                "captured": (hour + timedelta(minutes=captured)).isoformat(),
                "outcome": outcome,
            },
        )
    assert [arrivals.count_hour(conn, hour) for _ in range(2)] == [2, 0]
    (form,) = arrivals.arrived(conn, "form", since=hour)
    assert (form.name, form.leads, form.stayed) == ("Quiz", 2, 1)
    (label,) = arrivals.arrived(conn, "unreadable", since=hour)
    assert (label.name, label.leads) == ("Country", 2)


def test_drift_is_said_once_for_each_field(ledger: Ledger) -> None:
    for hours in (2, 3):
        ledger.conn.execute(
            text(
                "INSERT INTO drift_warning (hour, kind, label, words, found_at) VALUES"
                " (:hour, 'nulls', 'Industry', 'Industry is empty in 64 %', :hour)"
            ),
            {"hour": NOW - timedelta(hours=hours)},
        )
    found = [line for name, line in ledger.lines().items() if name.startswith("drift")]
    assert found == [(Tone.WARN, "Not as usual: industry is empty in 64 %", "metrics")]


def test_who_is_away_or_has_enough_and_pools_with_nobody_left(ledger: Ledger) -> None:
    morning = ledger.look()
    assert morning.agreement is not None
    roster = morning.agreement.roster
    pool = next(one for one in roster.pools if one.members)
    out = {member.rep for member in pool.members}
    leave = Leave(start=NOW - timedelta(days=1), end=NOW + timedelta(days=3))
    people = tuple(
        rep.model_copy(update={"leave": (leave,)} if rep.key in out else {"cap_open": 0})
        for rep in roster.people
    )
    changed = replace(
        morning,
        agreement=replace(morning.agreement, roster=roster.model_copy(update={"people": people})),
    )
    lines = {one.id: one for one in items(changed)}
    assert f"{len(out)} " in lines["team"].title
    assert f"{len(people) - len(out)} at their cap" in lines["team"].title
    assert lines["team"].tone is Tone.INFO
    assert lines[f"pool-{'-'.join(pool.name.lower().split())}"].title == (
        f"Nobody in {pool.name} can take a lead"
    )


def test_an_owner_whom_the_roster_does_not_know(ledger: Ledger) -> None:
    ledger.handoff(owner="stranger@relay.test")
    assert ledger.lines()["strangers"] == (
        Tone.WARN, "1 open handoff belongs to stranger@relay.test",
        "handoffs?state=open&owner=stranger%40relay.test",
    )  # fmt: skip
    ledger.handoff(owner="other@relay.test")
    assert "2 people who are not on the roster" in ledger.lines()["strangers"][1]


@pytest.mark.parametrize(
    ("hours", "line", "words"),
    [
        (0.5, "not-read", "HubSpot has not been read for 30 minutes"),
        (3, "conservation-late", "Nobody has checked for lost leads for 3 hours"),
        (24 * 40, "review-overdue", "The review of the agreement is overdue"),
    ],
)
def test_what_stands_still(ledger: Ledger, hours: float, line: str, words: str) -> None:
    assert line not in ledger.lines()
    assert ledger.lines(NOW + timedelta(hours=hours))[line][1] == words


def test_a_broken_promise_is_the_worst(ledger: Ledger) -> None:
    checks.record(
        ledger.conn, checks.CONSERVATION, at=NOW, ok=False, findings={"lead_without_timer": 2}
    )
    assert ledger.lines()["conservation"] == (
        Tone.BAD, "A lead may be lost, stuck or doubled", "sync#conservation",
    )  # fmt: skip


def test_figures_of_today(visitors: Visitors, agreed: str, ledger_engine: Engine) -> None:
    with transaction(ledger_engine) as conn:
        made = Ledger(conn)
        for minutes in (10, 20, 60):
            handoff = made.handoff()
            handoffs.stamp(
                conn, handoff, first_touch_at=NOW - timedelta(hours=1) + timedelta(minutes=minutes)
            )
        made.handoff()
    page = visitors.client(agreed).get("/").text
    figures = re.findall(r"<dt>([^<]+)</dt><dd>([^<]+)</dd>", page)
    assert dict(figures) == {
        "Open handoffs": "4",
        "Hot leads waiting": "1",
        "Median time to first touch": "20 min",
        "Handed off today": "4",
    }


def test_the_page_looks_again_and_keeps_its_focus(visitors: Visitors, agreed: str) -> None:
    page = visitors.client(agreed).get("/", headers={"HX-Request": "true"}).text
    assert 'hx-trigger="every 30s"' in page
    assert 'hx-select="#morning"' in page
    # Whatever may hold the focus has an id, by which htmx finds it again.
    part = page[page.index('id="morning"') : page.index("</main>")]
    assert [one for one in re.findall(r"<a [^>]*>", part) if " id=" not in one] == []


def test_without_a_policy_it_says_so(visitors: Visitors, ledger_url: str) -> None:
    page = visitors.client(ledger_url, viewer).get("/")
    assert page.status_code == 200
    assert "There is no policy to decide by" in page.text
    assert "baton policy activate" in page.text


def test_the_day_begins_at_midnight_in_the_zone_of_the_installation(
    visitors: Visitors, agreed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BATON_TIMEZONE", "Asia/Tokyo")
    page = visitors.client(agreed).get("/").text
    assert NOW.astimezone(ZoneInfo("Asia/Tokyo")).strftime("%H:%M Asia/Tokyo") in page
    monkeypatch.setenv("BATON_TIMEZONE", "Nowhere/Land")
    wrong: TestClient = visitors.client(agreed)
    assert wrong.get("/").status_code == 503
    assert "BATON_TIMEZONE" in wrong.get("/").text
