"""What people do by hand: guarded, safe twice, recorded, and carried out by the next run."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from tests.integration.pipeline.relay import Relay

from baton.decision.decide import replay
from baton.leads.states import LeadState
from baton.ledger.database.engine import transaction
from baton.ledger.intake import merges
from baton.ledger.leads import leads, persons
from baton.ledger.leads.leads import StateChange
from baton.pipeline.by_hand.admin_actions import carry_out, version
from baton.pipeline.by_hand.admin_requests import (
    Action,
    ActionKind,
    ByHand,
    Done,
    Refused,
    Subject,
    SubjectKind,
    Why,
)
from baton.pipeline.delivery.deliver import deliver_and_notify
from baton.pipeline.versions.agreements import current_roster
from baton.policy.roster_edits import Absence, with_leave
from baton.settings import Mode

MIRA, JONAS = "mira.lindner@relay.test", "jonas.keller@relay.test"
PRIYA = "priya.raman@relay.test"
LEAD, EFFECT = SubjectKind.LEAD, SubjectKind.EFFECT


class Hands:
    """Somebody's hands on a relay's pages."""

    def __init__(self, relay: Relay, by: str = "nadia") -> None:
        self.relay, self.by = relay, by
        self._forms = 0

    def act(self, kind: str, subject: Subject, **how: Any) -> Done | Refused:
        self._forms += 1
        given = {
            "reason": "because",
            "form": f"{self.by}-{self._forms}",
            "seen": self.seen(subject),
        }
        action = Action(kind=ActionKind(kind), subject=subject, by=self.by, **(given | how))
        hand = ByHand(self.relay.ctx.clock, Mode.LIVE)
        return carry_out(lambda: transaction(self.relay.engine), hand, action)

    def seen(self, subject: Subject) -> str:
        with transaction(self.relay.engine) as conn:
            return version(conn, subject)


@pytest.fixture
def hands(relay: Relay) -> Hands:
    return Hands(relay)


def entries(relay: Relay) -> list[dict[str, Any]]:
    return relay.rows("SELECT * FROM admin_action ORDER BY id")


def asking(relay: Relay) -> tuple[str, Subject]:
    """Somebody who asks for sales, handed over: HubSpot id and subject."""
    contact = relay.contact()
    relay.submit(contact, "Contact sales")
    relay.run()
    return contact, of(relay, contact)


def of(relay: Relay, contact: str) -> Subject:
    return Subject(LEAD, relay.lead(contact)["id"])


def other_of(owner: str) -> str:
    return JONAS if owner == MIRA else MIRA


def test_a_lead_goes_to_the_colleague_somebody_names(relay: Relay, hands: Hands) -> None:
    contact, subject = asking(relay)
    before = relay.handoff(contact)
    to = other_of(before["owner_key"])
    done = hands.act("reassign", subject, to=f"person {to}", reason="asked for  in\nGerman")
    assert isinstance(done, Done)
    assert f"to {to}" in done.words
    relay.run()
    after = relay.handoff(contact)
    assert (after["id"], after["owner_key"]) == (before["id"], to)
    assert relay.owner_name(relay.salesforce_lead(contact)) == to
    assert any(m.key == f"{after['key']}.2.slack_message" for m in relay.messages())
    (entry,) = entries(relay)
    assert entry["by_whom"] == "nadia"
    assert entry["reason"] == "asked for in German"
    assert (entry["result"], entry["handoff_id"]) == ("done", before["id"])
    (row,) = relay.rows("SELECT * FROM decision ORDER BY id DESC LIMIT 1")
    assert row["result"]["words"] == f"reassigned by nadia; goes to user {to}"
    with transaction(relay.engine) as conn:
        again = replay(row["inputs"], row["result"], relay.policy, current_roster(conn))
    assert again.hash == row["result_hash"], "and it can be replayed"


def test_or_to_a_queue_or_by_the_policy(relay: Relay, hands: Hands) -> None:
    contact, subject = asking(relay)
    owner = relay.handoff(contact)["owner_key"]
    assert isinstance(hands.act("reassign", subject, to="queue Inbound triage"), Done)
    assert relay.handoff(contact)["owner_kind"] == "queue"
    assert isinstance(hands.act("reassign", subject, to="policy"), Done)
    assert relay.handoff(contact)["owner_key"] == other_of(owner), "earlier owners are left out"
    assert isinstance(hands.act("reassign", subject, to=f"person {owner}"), Done), "unless named"
    relay.run()
    assert relay.owner_name(relay.salesforce_lead(contact)) == owner


def test_what_cannot_be_is_refused_and_leaves_nothing_behind(relay: Relay, hands: Hands) -> None:
    contact, subject = asking(relay)
    owner = relay.handoff(contact)["owner_key"]
    away = Absence(None, "2026-11-28", "away")
    other = other_of(owner)
    leave = away.leave("Europe/Berlin", relay.now())
    relay.adopt_roster(with_leave(relay.roster, other, leave))
    picture = relay.ledger_picture()
    for to, why, words in (
        (f"person {other}", Why.IMPOSSIBLE, "cannot take it now"),
        (f"person {owner}", Why.UNFIT, "has it already"),
        ("person nobody@made.test", Why.UNFIT, "Choose a person"),
        ("", Why.UNFIT, "Choose a person"),
    ):
        refused = hands.act("reassign", subject, to=to)
        assert isinstance(refused, Refused), to
        assert refused.why is why
        assert words in refused.words
    assert relay.ledger_picture() == picture
    assert [one["result"] for one in entries(relay)] == ["refused"], "what is unfit is no action"


def test_two_admins_and_the_same_lead(relay: Relay, hands: Hands) -> None:
    contact, subject = asking(relay)
    seen = hands.seen(subject)
    other = other_of(relay.handoff(contact)["owner_key"])
    greg = Hands(relay, "greg")
    assert isinstance(hands.act("reassign", subject, to=f"person {other}"), Done)
    late = greg.act("reassign", subject, to="queue Inbound triage", seen=seen)
    assert isinstance(late, Refused)
    assert late.why is Why.STALE
    assert relay.handoff(contact)["owner_key"] == other
    assert [(one["by_whom"], one["result"]) for one in entries(relay)] == [
        ("nadia", "done"),
        ("greg", "refused"),
    ]


def test_two_at_the_same_moment(relay: Relay) -> None:
    contact, subject = asking(relay)
    both = [Hands(relay, name) for name in ("nadia", "greg")]
    seen = both[0].seen(subject)
    outcomes: list[Done | Refused] = []

    def reassign(one: Hands) -> None:
        outcomes.append(one.act("reassign", subject, to="policy", seen=seen))

    threads = [threading.Thread(target=reassign, args=(one,)) for one in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(type(one).__name__ for one in outcomes) == ["Done", "Refused"]
    assert len(relay.rows("SELECT 1 FROM hop WHERE number = 2")) == 1
    assert len(entries(relay)) == 2
    relay.run()
    assert relay.handoff(contact)["owner_key"]


def test_a_form_sent_twice_acts_once(relay: Relay, hands: Hands) -> None:
    _, subject = asking(relay)
    seen = hands.seen(subject)
    first = hands.act("reassign", subject, to="policy", form="same", seen=seen)
    second = hands.act("reassign", subject, to="policy", form="same", seen=seen)
    assert isinstance(first, Done)
    assert isinstance(second, Done)
    assert second.again
    assert second.entry == first.entry
    assert len(relay.rows("SELECT 1 FROM hop")) == 2
    assert len(entries(relay)) == 1


def test_a_held_lead_is_left_alone_until_its_time(relay: Relay, hands: Hands) -> None:
    contact = relay.contact()
    relay.run()
    assert relay.lead(contact)["state"] == "nurture"
    until = relay.now() + timedelta(days=2)
    assert isinstance(hands.act("hold", of(relay, contact), until=until), Done)
    lead = relay.lead(contact)
    assert (lead["state"], lead["held_for"], lead["timer_at"]) == ("held", "by_hand", until)
    relay.submit(contact, "Contact sales")
    relay.wait(hours=1)
    relay.everything()
    assert relay.lead(contact)["state"] == "held", "a person said so"
    relay.wait(days=2)
    relay.everything()
    assert relay.lead(contact)["state"] == "in_handoff", "and nothing is forgotten"


def test_a_held_lead_can_be_let_go_before(relay: Relay, hands: Hands) -> None:
    contact = relay.contact()
    relay.run()
    hands.act("hold", of(relay, contact), until=relay.now() + timedelta(days=200))
    relay.submit(contact, "Contact sales")
    assert isinstance(hands.act("release", of(relay, contact)), Done)
    relay.run()
    assert relay.lead(contact)["state"] == "in_handoff"


@pytest.mark.parametrize("days", [-1, 0, 400])
def test_a_hold_needs_a_time_that_makes_sense(relay: Relay, hands: Hands, days: int) -> None:
    contact = relay.contact()
    relay.run()
    refused = hands.act("hold", of(relay, contact), until=relay.now() + timedelta(days=days))
    assert isinstance(refused, Refused)
    assert refused.why is Why.UNFIT
    assert relay.lead(contact)["state"] == "nurture"


def test_what_sales_has_is_not_held(relay: Relay, hands: Hands) -> None:
    _, subject = asking(relay)
    refused = hands.act("hold", subject, until=relay.now() + timedelta(days=1))
    assert isinstance(refused, Refused)
    assert "Sales has it already" in refused.words


def test_what_the_guard_held_passes_when_a_person_lets_it(relay: Relay, hands: Hands) -> None:
    contact = relay.contact()
    relay.run()
    row = relay.lead(contact)
    change = StateChange(
        lead_id=row["id"],
        after=LeadState.HELD,
        at=relay.now(),
        cause="hold:blast_radius",
        by="baton",
        timer_at=relay.now() + timedelta(days=9),
        timer_action="route_to_fallback",
        held_for="blast_radius",
    )
    with transaction(relay.engine) as conn:
        leads.set_states(conn, [change])
    relay.submit(contact, "Demo request")
    assert isinstance(hands.act("release", of(relay, contact)), Done)
    relay.run()
    assert relay.lead(contact)["state"] == "in_handoff"
    inputs = relay.rows("SELECT inputs FROM decision ORDER BY id")
    assert any("blast_radius" in one["inputs"]["released"] for one in inputs)


def test_quarantine_is_checked_again_or_dismissed(relay: Relay, hands: Hands) -> None:
    contact = relay.contact(email="not an address")
    relay.run()
    subject = of(relay, contact)
    assert relay.lead(contact)["state"] == "quarantined"
    assert isinstance(hands.act("re_check", subject), Done)
    relay.run()
    assert relay.lead(contact)["state"] == "quarantined", "nothing was mended"
    decisions = relay.rows("SELECT 1 FROM decision")
    assert len(decisions) == 2, "but it was judged"
    assert isinstance(hands.act("dismiss", subject, to="nurture"), Done)
    relay.run()
    lead = relay.lead(contact)
    assert (lead["state"], lead["timer_at"] > relay.now()) == ("nurture", True)
    assert isinstance(hands.act("dismiss", subject, to="nurture"), Refused)
    assert relay.in_hubspot(contact)["state"] == "nurture"


@pytest.mark.parametrize("to", ["", "won", "merged"])
def test_nobody_is_dismissed_to_nowhere(relay: Relay, hands: Hands, to: str) -> None:
    contact = relay.contact(email="not an address")
    relay.run()
    refused = hands.act("dismiss", of(relay, contact), to=to)
    assert isinstance(refused, Refused)
    assert relay.lead(contact)["state"] == "quarantined"


def failed(relay: Relay, state: str, kind: str = "salesforce_task") -> Subject:
    """An effect of a fresh handoff that came to nothing."""
    contact = relay.contact()
    relay.submit(contact, "Contact sales")
    relay.run()
    relay.wait(minutes=1)
    (row,) = relay.effects(kind=kind)
    with relay.engine.begin() as conn:
        conn.execute(
            text(
                "UPDATE effect SET state = :state, done_at = NULL, maybe_sent = true WHERE id = :id"
            ),
            {"state": state, "id": row["id"]},
        )
    return Subject(EFFECT, row["id"])


@pytest.mark.parametrize("state", ["dead", "rejected", "invalid", "ambiguous"])
def test_what_failed_is_tried_again_and_looked_up_first(
    relay: Relay, hands: Hands, state: str
) -> None:
    subject = failed(relay, state)
    done = hands.act("retry", subject)
    assert isinstance(done, Done)
    assert "looked up" in done.words
    deliver_and_notify(relay.ctx)
    (row,) = relay.effects(id=subject.id)
    assert row["state"] == "done"
    assert len(relay.tasks()) == 1, "it was there already"


def test_what_is_done_is_not_tried_again(relay: Relay, hands: Hands) -> None:
    asking(relay)
    (row,) = relay.effects(kind="salesforce_task")
    for kind in ("retry", "release", "dismiss"):
        refused = hands.act(kind, Subject(EFFECT, row["id"]), to="superseded")
        assert isinstance(refused, Refused)
        assert refused.why is Why.IMPOSSIBLE


def test_what_nobody_wants_any_more_is_given_up(relay: Relay, hands: Hands) -> None:
    subject = failed(relay, "dead")
    assert isinstance(hands.act("dismiss", subject, to="superseded"), Done)
    assert relay.effects(id=subject.id)[0]["state"] == "superseded"


def test_a_message_that_somebody_saw_is_done(relay: Relay, hands: Hands) -> None:
    subject = failed(relay, "ambiguous", "slack_message")
    assert isinstance(hands.act("dismiss", subject, to="done"), Done)
    assert relay.effects(id=subject.id)[0]["state"] == "done"
    other = failed_again(relay)
    assert isinstance(hands.act("dismiss", other, to="done"), Refused), "tasks are looked up"


def failed_again(relay: Relay) -> Subject:
    (row,) = relay.effects(kind="salesforce_task")
    with relay.engine.begin() as conn:
        conn.execute(
            text("UPDATE effect SET state = 'ambiguous' WHERE id = :id"), {"id": row["id"]}
        )
    return Subject(EFFECT, row["id"])


def test_what_was_only_observed_never_goes_out(relay: Relay, hands: Hands) -> None:
    contact = relay.contact()
    relay.submit(contact, "Contact sales")
    relay.run(relay.context(mode=Mode.OBSERVE))
    rows = relay.effects(state="withheld")
    assert rows
    refused = hands.act("release", Subject(EFFECT, rows[0]["id"]))
    assert isinstance(refused, Refused)
    assert "stays here" in refused.words
    hands.act("reassign", of(relay, contact), to="policy")
    assert {one["state"] for one in relay.effects(hop=2)} == {"withheld"}
    assert relay.messages() == []


@pytest.mark.parametrize("state", ["merged", "erased"])
def test_who_is_gone_is_left_alone(relay: Relay, hands: Hands, state: str) -> None:
    contact, other = relay.contact(), relay.contact()
    relay.run()
    subject = of(relay, contact)
    seen = hands.seen(subject)
    with transaction(relay.engine) as conn:
        if state == "merged":
            winner = relay.lead(other)["id"]
            merges.merge_into(conn, winner, [subject.id], at=relay.now(), by="hubspot")
        else:
            leads.set_state(
                conn, subject.id, LeadState.ERASED, at=relay.now(), cause="forgotten", by="tests"
            )
            persons.delete_people(conn, [subject.id])
    refused = hands.act("re_check", subject, seen=seen)
    assert isinstance(refused, Refused)
    assert refused.why is Why.GONE
    assert entries(relay)[0]["result"] == "refused"


@pytest.mark.parametrize(
    ("reason", "words"),
    [("", "a reason is needed"), (" \n\x00", "a reason is needed"), ("x" * 501, "too long")],
)
def test_without_a_reason_nothing_is_done(
    relay: Relay, hands: Hands, reason: str, words: str
) -> None:
    contact = relay.contact()
    relay.run()
    refused = hands.act("re_check", of(relay, contact), reason=reason)
    assert isinstance(refused, Refused)
    assert words in refused.words
    assert entries(relay) == []


def test_what_does_not_exist(relay: Relay, hands: Hands) -> None:
    for subject, kind in (
        (Subject(LEAD, 999), "re_check"),
        (Subject(EFFECT, 999), "retry"),
        (Subject(SubjectKind.OVERRIDE, 999), "dismiss"),
        (Subject(SubjectKind.DUPLICATE, 998, 999), "dismiss"),
    ):
        refused = hands.act(kind, subject)
        assert isinstance(refused, Refused)
        assert refused.why is Why.UNKNOWN
    assert entries(relay) == []
