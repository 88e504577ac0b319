"""A running Airflow in the hands of a test: leads go in, components fall, and what came of it."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import select
from tests.installation import Installation

from baton.demo.airflow_client import AirflowClient
from baton.demo.airflow_stack import AirflowStack
from baton.demo.processes import Child, wait_until
from baton.ledger.database import embedded
from baton.ledger.database.engine import ledger_engine, transaction
from baton.ledger.proofs import conservation
from baton.ledger.tables import effects, handoffs, leads

HOT_LANE_SECONDS = 90.0
"""So long after a worker's death a hot lead may wait at most."""
COMPONENT_SECONDS = 180.0
"""So long may a component take to come back, and what waits for it; a busy machine is slow."""


@dataclass
class LiveRelay:
    """A running Airflow and what it is joined to. `database` is the folder of its PostgreSQL."""

    stack: AirflowStack
    installation: Installation
    client: AirflowClient
    database: Path
    started_in: dict[str, float] = field(default_factory=dict)

    # ---- what it wrote down -----------------------------------------------------------------

    def task_logs(self) -> str:
        """Return every log that a task or the trigger has written."""
        found = sorted((self.stack.plan.home / "logs").rglob("*.log"))
        return "\n".join(log.read_text(errors="replace") for log in found)

    def process_logs(self, folder: Path) -> str:
        """Return what the components of Airflow have printed."""
        return "\n".join(log.read_text(errors="replace") for log in folder.glob("*.log"))

    def ledger(self, query: Any) -> list[Any]:
        """Return the rows of a query in the ledger."""
        engine = ledger_engine(self.installation.ledger_url)
        try:
            with transaction(engine) as conn:
                return list(conn.execute(query))
        finally:
            engine.dispose()

    def handoffs(self, contact: str) -> list[Any]:
        """Return the handoffs of a contact."""
        query = (
            select(handoffs.handoff)
            .join(leads.lead, leads.lead.c.id == handoffs.handoff.c.lead_id)
            .where(leads.lead.c.hubspot_id == contact)
        )
        return self.ledger(query)

    def effects(self, contact: str) -> list[Any]:
        """Return the effects of a contact, first planned first."""
        query = (
            select(effects.effect)
            .join(leads.lead, leads.lead.c.id == effects.effect.c.lead_id)
            .where(leads.lead.c.hubspot_id == contact)
            .order_by(effects.effect.c.id)
        )
        return self.ledger(query)

    # ---- leads ------------------------------------------------------------------------------

    def hand_raise(self) -> str:
        """Let somebody who is nobody else ask for a demo; return the contact's id."""
        mark = uuid.uuid4().hex[:8]
        return self.installation.request_demo(
            email=f"ottokar-{mark}@brennweite-{mark}.test",
            firstname=f"Ottokar{mark}",
            lastname=f"Lindwurm{mark}",
            phone=f"+49 30 {int(mark, 16) % 90_000_000 + 10_000_000}",
            company=f"Brennweite {mark} GmbH",
            company_size="1400",
            country="Germany",
        )

    def held_lead(self, api: str, path: str, *, seconds: float = 60.0) -> str:
        """Let somebody ask for a demo, and return when a call about them waits for its answer.

        The work of the call is done; its answer comes after `seconds`.
        """
        contact = self.hand_raise()
        person = self.installation.contact(contact)
        # Nobody has pulled them yet: search trails, and a run takes its time.
        rule = {"kind": "slow", "when": "after", "seconds": seconds, "count": 1, "api": api}
        about = f"{contact}|{person['lastname']}|{person['email']}"
        answer = self.installation.server.admin.post(
            "/faults", json={**rule, "path_regex": path, "body_regex": about}
        )
        answer.raise_for_status()
        number = int(answer.json()["number"])
        assert wait_until(
            lambda: self._is_struck(number), timeout_s=COMPONENT_SECONDS, every_s=0.1
        ), self.standing(contact)
        return contact

    def _is_struck(self, number: int) -> bool:
        rules = self.installation.server.admin.get("/faults").json()["faults"]
        return any(rule["number"] == number and rule["struck"] for rule in rules)

    def is_told(self, contact: str) -> bool:
        """Tell whether the owner of the contact's handoff has been told."""
        return any(row.notified_at is not None for row in self.handoffs(contact))

    def is_settled(self, contact: str) -> bool:
        """Tell whether nothing is left to do for a contact, and HubSpot knows."""
        effects = self.effects(contact)
        ended = all(one.state in ("done", "superseded") for one in effects)
        told = self.installation.contact(contact).get("baton_state")
        return bool(effects) and ended and self.is_told(contact) and told == "in_handoff"

    def settle(self, *contacts: str, within: float = COMPONENT_SECONDS) -> None:
        """Wait until nothing is left to do for these contacts, then look at what was done."""
        for contact in contacts:
            assert wait_until(
                lambda contact=contact: self.is_settled(contact), timeout_s=within, every_s=0.5
            ), self.standing(contact)
        self.check(*contacts)

    def check(self, *contacts: str) -> None:
        """One handoff, one owner, one record, one task, one message each; the ledger agrees."""
        sent = self.messages_by_key()
        for contact in contacts:
            [handoff] = self.handoffs(contact)
            [lead] = self.installation.salesforce("Lead", HubSpot_Contact_Id__c=contact)
            assert lead["owner"], self.standing(contact)
            written = self.installation.salesforce("LeadHistory", LeadId=lead["Id"], Field="Owner")
            assert written == [], "the owner came with the record and was never written again"
            [task] = self.installation.salesforce("Task", WhoId=lead["Id"])
            assert task["owner"] == lead["owner"]
            assert sent[f"{handoff.key}.1.slack_message"] == 1, self.standing(contact)
        engine = ledger_engine(self.installation.ledger_url)
        try:
            with transaction(engine) as conn:
                report = conservation.check(conn, now=datetime.now(UTC))
        finally:
            engine.dispose()
        assert report.ok, report.totals

    def messages_by_key(self) -> Counter[str]:
        """Return how often each effect's message stands in Slack."""
        found: Counter[str] = Counter()
        for message in self.installation.server.messages():
            payload = (message.get("metadata") or {}).get("event_payload") or {}
            found[str(payload.get("key"))] += 1
        return found

    def standing(self, contact: str) -> str:
        """Return where a contact stands, for the message of a failing test."""
        rows = [
            (one.kind, one.state, one.attempts, str(one.lease_until), one.last_error_code)
            for one in self.effects(contact)
        ]
        runs = [
            (
                run["dag_run_id"],
                run["state"],
                self.client.task_states("lead_handoff", run["dag_run_id"]),
            )
            for run in self.client.runs("lead_handoff", limit=4)
        ]
        return json.dumps({"effects": rows, "runs": runs}, indent=1)

    # ---- processes --------------------------------------------------------------------------

    def kill(self, component: str) -> None:
        """End a component, and everything that it started, as when its machine dies."""
        running = self.stack.table.find(f"airflow-{component}")
        assert running is not None, f"{component} does not run"
        process = running.process()
        assert process is not None, f"{component} does not run"
        kill_all([process, *process.children(recursive=True)])

    def start(self, component: str) -> None:
        """Start a component again."""
        self.stack.table.start(self.stack._child(component))

    def start_those_that_ended(self, *components: str) -> list[str]:
        """Start again whatever ended by itself, as a service manager does; say what."""
        ended = [name for name in components if self.stack.table.find(f"airflow-{name}") is None]
        for name in ended:
            self.start(name)
        return ended

    def start_program(self, name: str, *arguments: str, **variables: str) -> None:
        """Start a program of Airflow's that is none of the usual four."""
        base = self.stack._child("scheduler")
        program = tuple(base.command[: base.command.index("airflow") + 1])
        self.stack.table.start(
            Child(
                name=f"airflow-{name}",
                command=(*program, *arguments),
                environment={**base.environment, **variables},
                directory=base.directory,
                grace_s=10.0,
            )
        )

    def restart_database(self) -> None:
        """Stop PostgreSQL, ledger and Airflow's tables alike, in the middle of everything."""
        embedded.stop(self.database)
        embedded.start(self.database)

    def runner(self, task_instance: str) -> psutil.Process | None:
        """Return the process that carries out a task instance."""
        for process in psutil.process_iter(["cmdline"]):
            if task_instance in " ".join(process.info["cmdline"] or ()):
                return process
        return None

    def running_instance(self, task: str) -> str | None:
        """Return the id of an instance of a task of `lead_handoff` that runs now."""
        path = "/api/v2/dags/lead_handoff/dagRuns/~/taskInstances?state=running&limit=50"
        found = self.client._call("GET", path)["task_instances"]
        return next((one["id"] for one in found if one["task_id"] == task), None)


def kill_all(processes: list[psutil.Process]) -> None:
    """End processes with SIGKILL and wait until they are gone."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(processes, timeout=5)


def instants(run: Mapping[str, Any]) -> dict[str, datetime]:
    """Return the moments of a run that have passed."""
    return {
        name: datetime.fromisoformat(str(run[name]).replace("Z", "+00:00"))
        for name in ("queued_at", "start_date", "end_date")
        if run.get(name)
    }
