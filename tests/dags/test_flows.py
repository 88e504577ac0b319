from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from tests.dags.conftest import AirflowProcess, DagRunResult
from tests.installation import Installation

from baton.ledger.database.engine import ledger_engine, transaction
from baton.ledger.tables import handoffs, leads, operation, sources

pytestmark = pytest.mark.xdist_group("dags")


@pytest.fixture
def buyer() -> dict[str, str]:
    """A buyer whom nobody else is: every personal value can be looked for."""
    mark = uuid.uuid4().hex[:8]
    return {
        "email": f"wilhelmina-{mark}@vortexlab-{mark}.test",
        "firstname": f"Wilhelmina{mark}",
        "lastname": f"Quastenflosser{mark}",
        "phone": "+49 30 90182070",
        "company": f"Vortexlab {mark} GmbH",
        "company_size": "1400",
        "country": "Germany",
        "message": f"the blue door {mark}",
    }


@pytest.fixture
def run(airflow: AirflowProcess) -> Callable[[str], DagRunResult]:
    """Run a Dag; every task must succeed and return nothing but counts."""

    def checked(dag_id: str) -> DagRunResult:
        result = airflow.run(dag_id)
        assert result.state == "success", airflow.log()[-3000:]
        assert set(result.tasks.values()) == {"success"}
        for counts in result.returned.values():
            assert all(type(count) is int for count in counts.values())
        return result

    return checked


@pytest.fixture(scope="module", autouse=True)
def references(airflow: AirflowProcess) -> DagRunResult:
    """What routing must know of Salesforce has been read before anything is routed."""
    return airflow.run("crm_reference_sync")


def rows(relay: Installation, table: Any, *conditions: Any) -> list[Any]:
    engine = ledger_engine(relay.ledger_url)
    try:
        with transaction(engine) as conn:
            return list(conn.execute(select(table).where(*conditions)))
    finally:
        engine.dispose()


def lead_of(relay: Installation, contact_id: str) -> Any:
    return rows(relay, leads.lead, leads.lead.c.hubspot_id == contact_id)[0]


def handoff_of(relay: Installation, contact_id: str) -> Any:
    lead = lead_of(relay, contact_id)
    return rows(relay, handoffs.handoff, handoffs.handoff.c.lead_id == lead.id)[0]


def everything_outside(relay: Installation) -> tuple[Any, ...]:
    """Return what a second run must leave as it is: CRM records, tasks, messages."""
    records = [
        sorted((row["Id"], str(row["SystemModstamp"])) for row in relay.salesforce(name))
        for name in ("Lead", "Task", "Contact")
    ]
    return (*records, len(relay.server.messages()))


@pytest.mark.requirement("000-10")
def test_lead_handoff_brings_a_demo_request_to_an_owner_task_and_message(
    relay: Installation, run: Callable[[str], DagRunResult], buyer: dict[str, str]
) -> None:
    contact = relay.request_demo(**buyer)

    result = run("lead_handoff")

    assert result.returned["qualify_and_route"]["read"] >= 1
    [lead] = relay.salesforce("Lead", HubSpot_Contact_Id__c=contact)
    assert (lead["Email"], lead["owner"]) == (buyer["email"], "helena.voss@relay.test")
    assert lead["Handoff_Package__c"]
    [task] = relay.salesforce("Task", WhoId=lead["Id"])
    assert task["owner"] == "helena.voss@relay.test"
    [message] = [one for one in relay.server.messages() if buyer["lastname"] in json.dumps(one)]
    assert message["metadata"]
    told = relay.contact(contact)
    assert told["baton_state"] == "in_handoff"
    assert told["baton_owner"] == "helena.voss@relay.test"
    assert handoff_of(relay, contact).state == "notified"


def test_a_second_lead_handoff_changes_nothing(
    relay: Installation, run: Callable[[str], DagRunResult], buyer: dict[str, str]
) -> None:
    contact = relay.request_demo(**buyer)
    run("lead_handoff")
    before = everything_outside(relay)
    properties = relay.contact(contact)

    again = run("lead_handoff")

    assert everything_outside(relay) == before
    assert relay.contact(contact) == properties
    assert again.returned["deliver_and_notify"] == {}
    assert again.returned["write_back"] == {}
    assert len(rows(relay, handoffs.handoff)) == len(
        {r.lead_id for r in rows(relay, handoffs.handoff)}
    )


def test_disposition_sync_brings_the_answer_back_and_carries_out_its_action(
    relay: Installation, run: Callable[[str], DagRunResult], buyer: dict[str, str]
) -> None:
    contact = relay.request_demo(**buyer)
    run("lead_handoff")
    [lead] = relay.salesforce("Lead", HubSpot_Contact_Id__c=contact)
    back_on = (datetime.now(UTC) + timedelta(days=60)).date()
    relay.answer_lead(
        lead["Id"],
        Disposition__c="Recycle",
        Disposition_Reason__c="Bad timing",
        Return_Date__c=back_on,
    )

    run("disposition_sync")

    assert handoff_of(relay, contact).state == "recycled"
    assert lead_of(relay, contact).state == "recycled"
    assert lead_of(relay, contact).timer_at.date() == back_on
    told = relay.contact(contact)
    assert told["baton_state"] == "recycled"
    nurture = relay.act(lambda world: [one.name for one in world.portal.lists.containing(contact)])
    assert nurture == ["Nurture: later"]


def test_sla_watch_reminds_once_and_records_the_breach(
    relay: Installation, run: Callable[[str], DagRunResult], buyer: dict[str, str]
) -> None:
    contact = relay.request_demo(**buyer)
    run("lead_handoff")
    handoff = handoff_of(relay, contact)
    [hop] = rows(relay, handoffs.hop, handoffs.hop.c.handoff_id == handoff.id)
    # The clock of these tests runs out after two seconds (clocks_in_seconds.yaml).
    time.sleep(max(0.0, (hop.first_touch_due - datetime.now(UTC)).total_seconds() + 0.1))

    run("sla_watch")
    run("sla_watch")

    events = rows(relay, handoffs.sla_event, handoffs.sla_event.c.hop_id == hop.id)
    due = {event.kind: event.due_at for event in events}
    assert due["breach"] == hop.first_touch_due
    reminders = [
        message
        for message in relay.server.messages()
        if buyer["lastname"] in json.dumps(message) and "Reminder" in message["text"]
    ]
    assert len(reminders) == 1


def test_crm_reference_sync_knows_owners_queues_and_accounts(
    relay: Installation, references: DagRunResult
) -> None:
    assert references.state == "success"
    emails = {row.email for row in rows(relay, sources.crm_user)}
    assert {"helena.voss@relay.test", "jonas.keller@relay.test"} <= emails
    queues = {row.name for row in rows(relay, sources.crm_user, sources.crm_user.c.kind == "queue")}
    assert {"Inbound triage", "Inbound DACH"} <= queues
    assert len(rows(relay, sources.crm_account)) == len(relay.salesforce("Account"))


def test_handoff_release_asks_nobody_when_nothing_is_held(
    relay: Installation, airflow: AirflowProcess, buyer: dict[str, str]
) -> None:
    result = airflow.run("handoff_release")

    assert result.state == "success", airflow.log()[-3000:]
    assert result.tasks == {
        "choose_batch": "success", "approve": "skipped", "carry_out": "success",
    }  # fmt: skip


def test_lead_backfill_judges_everybody_and_tells_nobody_of_single_leads(
    relay: Installation, run: Callable[[str], DagRunResult], buyer: dict[str, str]
) -> None:
    contact = relay.request_demo(**buyer)
    told = len(relay.server.messages())

    run("lead_backfill")
    run("lead_handoff")

    assert handoff_of(relay, contact).state == "assigned"
    assert relay.salesforce("Lead", HubSpot_Contact_Id__c=contact)
    messages = relay.server.messages()[told:]
    assert not [one for one in messages if buyer["lastname"] in json.dumps(one)]
    assert [one for one in messages if "Backfill: " in one["text"]]


def test_handoff_audit_measures_the_day(
    relay: Installation, run: Callable[[str], DagRunResult], buyer: dict[str, str]
) -> None:
    relay.request_demo(**buyer)
    run("lead_handoff")

    run("handoff_audit")
    first = rows(relay, operation.metric_daily)
    run("handoff_audit")

    today = {
        (row.name, row.dimension): row.value for row in first if row.day == datetime.now(UTC).date()
    }
    assert today["handoffs", "all"] >= 1
    assert len(rows(relay, operation.metric_daily)) == len(first)


def test_ledger_upkeep_finds_every_lead_accounted_for(
    relay: Installation, run: Callable[[str], DagRunResult], buyer: dict[str, str]
) -> None:
    relay.request_demo(**buyer)
    run("lead_handoff")

    result = run("ledger_upkeep")

    counted = result.returned["check_conservation"]
    assert sum(counted.values()) == len(rows(relay, leads.lead))


def test_no_log_holds_a_personal_value(
    relay: Installation,
    airflow: AirflowProcess,
    run: Callable[[str], DagRunResult],
    buyer: dict[str, str],
) -> None:
    nonsense = buyer | {"email": f"x-{buyer['email']}", "country": "Nowhere", "phone": "+++call"}
    relay.request_demo(**buyer)
    relay.request_demo(**nonsense)
    for dag_id in ("lead_handoff", "disposition_sync", "sla_watch", "ledger_upkeep"):
        run(dag_id)

    log = airflow.log()
    assert "judged" in log
    for name in ("email", "firstname", "lastname", "phone", "message"):
        assert buyer[name] not in log, f"the {name} stands in the log"
