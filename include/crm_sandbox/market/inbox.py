"""What waits for the reps in the org: new handoff tasks, tasks that changed hands, queues."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import islice
from typing import Any

from crm_sandbox.market.buyers import Buyer
from crm_sandbox.market.opening import Ground
from crm_sandbox.market.randomness import clamp, stream
from crm_sandbox.market.reps import Work
from crm_sandbox.salesforce.org import Org

Row = dict[str, Any]
NEW_STATUS = "Open - Not Contacted"
OPEN_TASK = ("Not Started", "In Progress")


class Inbox:
    """Finds new work by looking at the org alone, as a person would."""

    def __init__(
        self,
        ground: Ground,
        *,
        seed: int,
        org: Org,
        buyer_of: Callable[[str | None, str | None], Buyer | None],
    ) -> None:
        """`buyer_of` gives the truth behind a HubSpot contact id or an e-mail address."""
        self._ground = ground
        self._seed = seed
        self._org = org
        self._buyer_of = buyer_of
        self._staff = {user: key for key, user in ground.users.items()}
        self._tasks_seen = 0
        self._leads_seen = 0
        self._open: dict[str, str] = {}
        self._queued: set[tuple[str, str]] = set()
        self._times: Counter[str] = Counter()

    def new_tasks(self) -> Iterator[Work]:
        """Handoff tasks that came, or changed hands, since the last look."""
        rows = islice(self._org.rows("Task", include_deleted=True), self._tasks_seen, None)
        for row in rows:
            self._tasks_seen += 1
            if _is_handoff(row):
                self._open[row["Id"]] = row["OwnerId"]
                yield from self._task_work(row, row["CreatedDate"])
        for task_id, owner in list(self._open.items()):
            task = self._org.get("Task", task_id)
            if task is None or task["Status"] not in OPEN_TASK:
                del self._open[task_id]
            elif task["OwnerId"] != owner:
                self._open[task_id] = task["OwnerId"]
                yield from self._task_work(task, task["LastModifiedDate"])

    def queued_leads(self) -> Iterator[tuple[Row, datetime]]:
        """Handed-off leads that lie in a queue and were not seen there before, and since when."""
        rows = islice(self._org.rows("Lead", include_deleted=True), self._leads_seen, None)
        fresh = {row["Id"] for row in rows}
        self._leads_seen += len(fresh)
        for queue in self._ground.queues.values():
            for lead in list(self._org.find_all("Lead", OwnerId=queue)):
                mark = (lead["Id"], lead.get("Handoff_Key__c") or "")
                if mark[1] and not lead["IsConverted"] and mark not in self._queued:
                    self._queued.add(mark)
                    yield lead, self._queued_since(lead, fresh=lead["Id"] in fresh)

    def _queued_since(self, lead: Row, *, fresh: bool) -> datetime:
        """When the lead was handed to the queue: a date that was given on creation comes first."""
        task = self.open_task(lead["Id"])
        if task is not None and task["Handoff_Key__c"].startswith(f"{lead['Handoff_Key__c']}."):
            since: datetime = task["CreatedDate"]
        else:
            since = lead["CreatedDate"] if fresh else lead["LastModifiedDate"]
        return since

    def moved(self, lead: Row, person: str, at: datetime, *, with_task: bool) -> Work:
        """The work that comes to somebody by a lead which a manager gave them."""
        task = self.open_task(lead["Id"])
        if task is not None and with_task:
            self._open[task["Id"]] = self._ground.users[person]
        return self._work(lead, person, task if with_task else None, since=at)

    def open_task(self, record_id: str) -> Row | None:
        """The newest open handoff task of a lead or contact."""
        tasks = [row for row in self._org.find_all("Task", WhoId=record_id) if _is_handoff(row)]
        return tasks[-1] if tasks else None

    def _task_work(self, task: Row, since: datetime) -> Iterator[Work]:
        person = self._staff.get(task["OwnerId"])
        record = self._person_row(task["WhoId"])
        if person is not None and record is not None:
            yield self._work(record, person, task, since=since)

    def _person_row(self, who_id: str | None) -> Row | None:
        if not who_id:
            return None
        return self._org.get("Lead" if who_id.startswith("00Q") else "Contact", who_id)

    def _work(self, record: Row, person: str, task: Row | None, *, since: datetime) -> Work:
        buyer = self.truth(record)
        identity = (
            buyer.key if buyer else str(record.get("HubSpot_Contact_Id__c") or record["Email"])
        )
        self._times[identity] += 1
        nth = self._times[identity]
        band = str(record.get("Handoff_Band__c") or "").lower()
        return Work(
            key=f"{identity}#{nth}@{person}",
            person=person,
            record_id=record["Id"],
            task_id=task["Id"] if task else None,
            since=since,
            hot=band == "hot" or bool(task and task["Priority"] == "High"),
            buyer=buyer,
            quality=self._quality(identity, buyer, nth),
        )

    def truth(self, record: Row) -> Buyer | None:
        """The buyer behind a Lead or Contact; None for somebody the market did not make."""
        return self._buyer_of(record.get("HubSpot_Contact_Id__c"), record["Email"])

    def _quality(self, identity: str, buyer: Buyer | None, nth: int) -> float:
        """The hidden truth; who comes back later has had time to become ready."""
        rng = stream(self._seed, "stranger", identity)
        base = buyer.quality if buyer else rng.betavariate(2.2, 2.4)
        return clamp(base + (0.1 if nth > 1 else 0.0))


def _is_handoff(row: Row) -> bool:
    return bool(row.get("Handoff_Key__c")) and row["Status"] in OPEN_TASK and not row["IsDeleted"]
