"""Buyers, reps, admins, faults and runs in any order: nothing is lost and nothing doubled.

Hypothesis makes up the story and shortens one that fails. ``BATON_STORIES`` sets how many there are
(otherwise few), ``BATON_STORY_STEPS`` how long each is.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from tests.faults.acts import Act
from tests.faults.catalogue import CALLS, PARTIAL, Fault
from tests.faults.invariants import breaches, doubled, unsettled
from tests.integration.pipeline.relay import ONCE, START, Relay, furnish
from tests.integration.pipeline.test_admin_actions import Hands
from tests.postgres import TEMPLATE

from baton.errors import BatonError
from baton.ledger.database import engine as engines
from baton.ledger.database.embedded import DatabaseAddress, drop_database
from baton.ledger.database.engine import transaction
from baton.ledger.effects import outbox, switches
from baton.pipeline.by_hand.admin_requests import Done, Subject, SubjectKind
from baton.pipeline.delivery.deliver import ASSIGNING, LEASE_SECONDS
from baton.policy.loader import read_bundle, read_roster
from baton.validation.verdicts import preload
from crm_sandbox.inprocess import SandboxThread
from crm_sandbox.salesforce.conversion import convert_lead
from crm_sandbox.world import ServeOptions

POLICY = Path(__file__).resolve().parents[2] / "include" / "policy"
STORIES = int(os.environ.get("BATON_STORIES", "4"))
STEPS = int(os.environ.get("BATON_STORY_STEPS", "15"))
STAFF = ("greg.lawson", "mira.lindner", "jonas.keller", "sofia.ricci")
REASONS = (("Recycle", "No budget yet"), ("Recycle", "No reply yet"), ("Accepted", None))

Opened = Callable[[], Any]


class Story(RuleBasedStateMachine):
    """One story on a ledger and a sandbox of its own."""

    contacts = Bundle("contacts")
    opened: Opened

    def __init__(self) -> None:
        super().__init__()
        self._stack = ExitStack()
        self.relay: Relay = self._stack.enter_context(self.opened())
        self.people: list[str] = []
        self.merged: set[str] = set()
        self.taken: set[str] = set()

    # -- buyers ------------------------------------------------------------------------------

    @initialize(target=contacts)
    def somebody(self) -> str:
        return self._known(self.relay.hot_contact())

    @rule(target=contacts, kind=st.sampled_from(["hot", "profile", "no phone"]))
    def somebody_comes(self, kind: str) -> str:
        made = {
            "hot": self.relay.hot_contact,
            "profile": self.relay.contact,
            "no phone": lambda: self.relay.hot_contact(phone=None),
        }[kind]()
        return self._known(made)

    def _known(self, contact: str) -> str:
        self.people.append(contact)
        return contact

    @rule(contact=contacts, form=st.sampled_from(["Demo request", "Contact sales"]))
    def a_form_is_submitted(self, contact: str, form: str) -> None:
        assume(contact not in self.merged)
        self.relay.submit(contact, form)

    @rule(contact=contacts, title=st.sampled_from(["CEO", "Intern", "Head of Sales"]))
    def a_profile_changes(self, contact: str, title: str) -> None:
        assume(contact not in self.merged)
        self.relay.change(contact, jobtitle=title)

    @rule(contact=contacts, other=contacts)
    def two_turn_out_to_be_one(self, contact: str, other: str) -> None:
        assume(contact != other and not {contact, other} & self.merged)
        self.relay.world.portal.merge(contact, other)
        self.merged.add(other)

    # -- sales -------------------------------------------------------------------------------

    def _lead(self, contact: str) -> dict[str, Any]:
        found = [
            dict(row)
            for row in self.relay.org.find_all("Lead", HubSpot_Contact_Id__c=contact)
            if not row["IsConverted"] and str(row["OwnerId"]).startswith("005")
        ]
        assume(found and contact not in self.merged)
        return found[0]

    @rule(contact=contacts)
    def the_owner_calls(self, contact: str) -> None:
        self.relay.touch(self._lead(contact))

    @rule(contact=contacts, outcome=st.sampled_from(REASONS))
    def the_owner_gives_an_outcome(self, contact: str, outcome: tuple[str, str | None]) -> None:
        self.relay.give(self._lead(contact), *outcome)

    @rule(contact=contacts)
    def the_owner_converts(self, contact: str) -> None:
        lead = self._lead(contact)
        convert_lead(
            self.relay.org,
            lead["Id"],
            by=lead["OwnerId"],
            opportunity_name="First project",
            amount=9000.0,
        )

    @rule(contact=contacts, who=st.sampled_from(STAFF))
    def a_manager_gives_it_to(self, contact: str, who: str) -> None:
        theirs = self.relay.user(who)
        self.relay.org.update("Lead", self._lead(contact)["Id"], {"OwnerId": theirs}, by=theirs)
        self.taken.add(contact)

    # -- admins ------------------------------------------------------------------------------

    @rule(contact=contacts, kind=st.sampled_from(["hold", "release", "re_check", "reassign"]))
    def an_admin_acts(self, contact: str, kind: str) -> None:
        rows = self.relay.rows("SELECT id FROM lead WHERE hubspot_id = :id", id=contact)
        assume(rows)
        how = {"to": "person sofia.ricci@relay.test"} if kind == "reassign" else {}
        done = Hands(self.relay).act(kind, Subject(SubjectKind.LEAD, str(rows[0]["id"])), **how)
        if isinstance(done, Done) and kind == "reassign":
            self.taken.discard(contact)

    @rule(stopped=st.booleans())
    def the_kill_switch(self, stopped: bool) -> None:
        with transaction(self.relay.engine) as conn:
            if stopped:
                switches.stop_effects(conn, by="nadia", at=self.relay.now())
            else:
                switches.resume_effects(conn)

    # -- what fails --------------------------------------------------------------------------

    @rule(call=st.sampled_from(CALLS), number=st.integers(0, 20), count=st.sampled_from([1, 1, 3]))
    def something_will_fail(self, call: Any, number: int, count: int) -> None:
        usable = [one for one in call.endpoint.faults if not one.waits]
        fault: Fault = usable[number % len(usable)]
        more = {} if fault is PARTIAL else {"method": call.endpoint.method}
        given = dict(fault.rule) | more | {"count": count}
        self.relay.fail(given.pop("kind"), call.endpoint.api, call.endpoint.path, **given)

    @rule(kind=st.sampled_from(ASSIGNING[:3]))
    def a_worker_dies_with_its_claim(self, kind: str) -> None:
        with transaction(self.relay.engine) as conn:
            outbox.claim(
                conn,
                worker="dead",
                kinds=[kind],
                limit=2,
                now=self.relay.now(),
                lease_seconds=LEASE_SECONDS,
            )

    # -- runs --------------------------------------------------------------------------------

    @rule(step=st.sampled_from(["run", "run", "run", "follow", "watch"]))
    def a_run(self, step: str) -> None:
        with suppress(BatonError):
            getattr(self.relay, step)(self.relay.context(terms=ONCE))

    @rule(minutes=st.sampled_from([1, 2, 10, 61]))
    def time_passes(self, minutes: int) -> None:
        self.relay.wait(minutes=minutes)

    # -- what must hold ----------------------------------------------------------------------

    @invariant()
    def nothing_is_doubled(self) -> None:
        assert list(doubled(self.relay)) == []

    def teardown(self) -> None:
        try:
            self._settle()
            kept = tuple(one for one in self.people if one not in self.merged | self.taken)
            act = Act(lambda _: kept, ())
            assert breaches(self.relay, kept, act, None) == []
        finally:
            self._stack.close()

    def _settle(self) -> None:
        self.relay.world.faults.clear()
        with transaction(self.relay.engine) as conn:
            switches.resume_effects(conn)
        for _ in range(8):
            self.relay.wait(minutes=31)
            self.relay.run()
            self.relay.follow()
            if not unsettled(self.relay):
                return


def _opener(address: DatabaseAddress, new_database: Callable[..., str], state: Path) -> Opened:
    bundle, roster = read_bundle(POLICY), read_roster(POLICY / "roster.yaml")
    numbers = itertools.count(1)

    @contextmanager
    def opened() -> Iterator[Relay]:
        url = new_database(f"story_{os.getpid()}_{next(numbers)}", template=TEMPLATE)
        engine = engines.ledger_engine(url, pooled=True, pool_size=4)
        with SandboxThread(ServeOptions(state_dir=state, at=START, market=False)) as sandbox:
            relay = Relay(sandbox, engine, furnish(sandbox.world), bundle, roster)
            relay.adopt()
            try:
                yield relay
            finally:
                relay.close()
        engine.dispose()
        drop_database(address, engines.ledger_url(url).database or "")

    return opened


@pytest.mark.timeout(600)
def test_whatever_happens_in_whatever_order(
    postgres_server: DatabaseAddress,
    new_database: Callable[..., str],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    preload()
    opened = _opener(postgres_server, new_database, tmp_path_factory.mktemp("stories"))
    machine = type("PlayedStory", (Story,), {"opened": staticmethod(opened)})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=STORIES,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            derandomize="BATON_STORIES" not in os.environ,
            print_blob=True,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        ),
    )
