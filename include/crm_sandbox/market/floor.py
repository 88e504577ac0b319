"""The sales floor: reps and managers act in the org, with the moment at which they did it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from crm_sandbox.market.agenda import Agenda, RepMove
from crm_sandbox.market.events import Event
from crm_sandbox.market.inbox import NEW_STATUS, OPEN_TASK, Inbox, Row
from crm_sandbox.market.opening import Ground, deal_amount
from crm_sandbox.market.randomness import lognormal, stream
from crm_sandbox.market.reps import Move, MoveKind, Work, plan
from crm_sandbox.market.rhythm import DemoRhythm, OfficeRhythm, Rhythm
from crm_sandbox.market.staff import BY_KEY, account_executive, reps_of_region
from crm_sandbox.market.working_hours import WorkingHours
from crm_sandbox.salesforce.conversion import convert_lead
from crm_sandbox.salesforce.errors import OrgFault
from crm_sandbox.salesforce.org import Org

_MANAGER = "nadia.petrov"
_GIVEN_BACK = {"Recycle": "Recycled", "Disqualified": "Unqualified"}


class SalesFloor:
    """Turns new work into plans, and plans into changes in the org."""

    def __init__(
        self, ground: Ground, *, seed: int, org: Org, inbox: Inbox, agenda: Agenda
    ) -> None:
        """Everybody works office hours until `live` is set."""
        self._ground = ground
        self._seed = seed
        self._org = org
        self._inbox = inbox
        self._agenda = agenda
        self._deals: dict[str, str] = {}
        self.live = False

    def look(self, now: datetime) -> None:
        """Everybody looks at what came in; what they mean to do goes on the agenda.

        In history, work is begun as of the moment at which it came, be that before `now`: whoever
        assigns a whole stretch of leads at its end says by CreatedDate when each was assigned.
        Live, work that has been waiting is begun at `now`: nobody acts in the past.
        """
        for found in self._inbox.new_tasks():
            late = self.live and found.since < now
            work = replace(found, since=now) if late else found
            self._begin(work)
            self._maybe_moved(work)
        for lead, since in self._inbox.queued_leads():
            self._triage(lead, max(since, now) if self.live else since)

    def act(self, work: Work, move: Move) -> Event | None:
        """Make a move if the record still allows it. Returns what can be told of it.

        It happened at `move.at`, which may lie before the clock's now: then the org stores it now
        and says when it happened.
        """
        with self._org.recorded_now():
            return self._act(work, move)

    def _act(self, work: Work, move: Move) -> Event | None:
        if move.kind is MoveKind.STAGE:
            return self._stage(work, move)
        record = self._mine(work, move)
        if record is None:
            return None
        try:
            return self._do(work, move, record)
        except OrgFault as refused:
            # As a person would: what Salesforce does not let through is left.
            return self._event(work, move, "refused", refused.error_code)

    def _rhythm(self, person: str) -> Rhythm:
        if self.live:
            return DemoRhythm(BY_KEY[person])
        return OfficeRhythm(BY_KEY[person], WorkingHours(BY_KEY[person], self._ground.opened))

    def _begin(self, work: Work) -> None:
        if work.person not in BY_KEY:
            return
        rng = stream(self._seed, "work", work.key)
        for move in plan(rng, work, self._rhythm(work.person)):
            self._agenda.add(move.at, work.key, RepMove(work, move))

    def _maybe_moved(self, work: Work) -> None:
        """Now and then the manager gives a lead to somebody else."""
        rng = stream(self._seed, "moved", work.key)
        if not work.record_id.startswith("00Q") or rng.random() > 0.03:
            return
        region = work.buyer.country.region if work.buyer else "Americas"
        others = [rep.key for rep in reps_of_region(region) if rep.key != work.person]
        if others:
            at = self._rhythm(_MANAGER).minutes(work.since, rng.uniform(15, 400))
            self._hand_on(work, at, rng.choice(others), with_task=rng.random() < 0.6)

    def _triage(self, lead: Row, since: datetime) -> None:
        """The manager hands out what lies in a queue."""
        buyer = self._inbox.truth(lead)
        rng = stream(self._seed, "triage", buyer.key if buyer else lead["Email"])
        reps = reps_of_region(buyer.country.region if buyer else "Americas")
        work = Work(
            key=f"{lead['Id']}@queue",
            person=_MANAGER,
            record_id=lead["Id"],
            task_id=None,
            since=since,
            hot=False,
            buyer=buyer,
            quality=0.0,
        )
        at = self._rhythm(_MANAGER).minutes(since, lognormal(rng, 40, 0.9))
        self._hand_on(work, at, rng.choice(reps).key, with_task=True)

    def _hand_on(self, work: Work, at: datetime, to: str, *, with_task: bool) -> None:
        move = Move(at=at, kind=MoveKind.HAND_ON, new_owner=to, with_task=with_task)
        self._agenda.add(at, f"{work.key}>", RepMove(work, move))

    def _mine(self, work: Work, move: Move) -> Row | None:
        """The record, if it is still there, still open and still with whoever wants to act."""
        if not work.record_id.startswith("00Q"):
            task = self._org.get("Task", work.task_id or "")
            owner = self._ground.users[work.person]
            return task if task is not None and task["OwnerId"] == owner else None
        lead = self._org.get("Lead", work.record_id)
        if lead is None or lead["IsConverted"]:
            return None
        if move.kind is MoveKind.HAND_ON:
            untouched = lead["Status"] == NEW_STATUS or lead["OwnerId"].startswith("00G")
            return lead if untouched else None
        return lead if lead["OwnerId"] == self._ground.users[work.person] else None

    def _do(self, work: Work, move: Move, record: Row) -> Event | None:
        match move.kind:
            case MoveKind.TOUCH:
                return self._touch(work, move)
            case MoveKind.CLOSE_TASK:
                return self._close_task(work, move)
            case MoveKind.ACCEPT | MoveKind.DISPOSE:
                return self._dispose(work, move)
            case MoveKind.WORKING:
                return self._change_lead(work, move, {"Status": "Working - Contacted"})
            case MoveKind.FIX:
                title = work.buyer.title if work.buyer else "Head of Sales"
                return self._change_lead(work, move, {"Title": f"{title} (checked)"})
            case MoveKind.MEETING:
                return self._meeting(work, move)
            case MoveKind.HAND_ON:
                return self._move_on(work, move, record)
            case _:
                return self._convert(work, move, record)

    def _touch(self, work: Work, move: Move) -> Event:
        user = self._ground.users[work.person]
        name = "Email" if move.by_mail else "Call"
        fields: dict[str, Any] = {
            "Subject": name,
            "TaskSubtype": name,
            "Status": "Completed",
            "WhoId": work.record_id,
            "OwnerId": user,
            "ActivityDate": move.at.date(),
        }
        if not move.by_mail:
            rng = stream(self._seed, "call", work.key, move.at.isoformat())
            fields |= {
                "CallType": "Outbound",
                "CallDisposition": "Connected"
                if move.connected
                else rng.choice(("No answer", "Left voicemail")),
                "CallDurationInSeconds": rng.randint(90, 1500 if move.connected else 120),
            }
        self._org.insert("Task", fields, by=user, at=move.at)
        return self._event(work, move, "touch", name)

    def _close_task(self, work: Work, move: Move) -> Event | None:
        task = self._org.get("Task", work.task_id) if work.task_id else None
        if task is None or task["Status"] not in OPEN_TASK:
            return None
        user = self._ground.users[work.person]
        self._org.update("Task", task["Id"], {"Status": "Completed"}, by=user, at=move.at)
        return self._event(work, move, "task closed", "")

    def _dispose(self, work: Work, move: Move) -> Event:
        """On a Lead the lead carries the disposition, on a Contact the handoff task does."""
        user = self._ground.users[work.person]
        returns = None
        if move.return_days is not None:
            returns = (move.at + timedelta(days=move.return_days)).date()
        fields: dict[str, Any] = {
            "Disposition__c": move.disposition,
            "Disposition_Reason__c": move.reason or None,
            "Return_Date__c": returns,
        }
        if work.record_id.startswith("00Q"):
            fields |= {
                "Status": _GIVEN_BACK.get(move.disposition, "Accepted"),
                "Data_Correct__c": move.data_correct,
                "Timing_Right__c": move.timing_right,
            }
            self._org.update("Lead", work.record_id, fields, by=user, at=move.at)
        else:
            self._org.update("Task", work.task_id or "", fields, by=user, at=move.at)
        return self._event(work, move, move.kind.value, move.reason)

    def _change_lead(self, work: Work, move: Move, fields: dict[str, Any]) -> Event | None:
        if not work.record_id.startswith("00Q"):
            return None
        user = self._ground.users[work.person]
        self._org.update("Lead", work.record_id, fields, by=user, at=move.at)
        return self._event(work, move, move.kind.value, "")

    def _meeting(self, work: Work, move: Move) -> Event:
        user = self._ground.users[work.person]
        start = move.at.replace(minute=0, second=0) + timedelta(days=1, hours=1)
        self._org.insert(
            "Event",
            {
                "Subject": "Meeting",
                "WhoId": work.record_id,
                "OwnerId": user,
                "StartDateTime": start,
                "EndDateTime": start + timedelta(minutes=30),
            },
            by=user,
            at=move.at,
        )
        return self._event(work, move, "meeting", "")

    def _move_on(self, work: Work, move: Move, lead: Row) -> Event:
        manager = self._ground.users[_MANAGER]
        owner = self._ground.users[move.new_owner]
        task = self._inbox.open_task(lead["Id"]) if move.with_task else None
        self._org.update("Lead", lead["Id"], {"OwnerId": owner}, by=manager, at=move.at)
        if task is not None:
            self._org.update("Task", task["Id"], {"OwnerId": owner}, by=manager, at=move.at)
        self._begin(self._inbox.moved(lead, move.new_owner, move.at, with_task=move.with_task))
        return self._event(work, move, "moved", move.new_owner)

    def _convert(self, work: Work, move: Move, record: Row) -> Event:
        """A lead is converted; on a known contact a new opportunity is opened."""
        user = self._ground.users[work.person]
        company = work.buyer.company if work.buyer else None
        rng = stream(self._seed, "deal", work.key)
        amount = deal_amount(self._seed, company) if company else round(lognormal(rng, 14000, 0.5))
        if work.record_id.startswith("00Q"):
            name = f"{record['Company']} - {move.at:%B %Y}"[:120]
            done = convert_lead(
                self._org,
                work.record_id,
                by=user,
                at=move.at,
                opportunity_name=name,
                amount=float(amount),
            )
            deal = done.opportunity_id
        else:
            deal = self._expansion(work, move, user, float(amount) / 3)
        if deal is not None:
            self._deals[work.key] = deal
        return self._event(work, move, "converted", f"{amount:,.0f}")

    def _expansion(self, work: Work, move: Move, user: str, amount: float) -> str | None:
        contact = self._org.get("Contact", work.record_id)
        if contact is None or contact["AccountId"] is None:
            return None
        account = self._org.get("Account", contact["AccountId"])
        name = f"{account['Name'] if account else 'Account'} - more seats"[:120]
        return self._org.insert(
            "Opportunity",
            {
                "Name": name,
                "AccountId": contact["AccountId"],
                "OwnerId": user,
                "StageName": "Prospecting",
                "Amount": round(amount, 2),
                "LeadSource": "Web",
                "CloseDate": (move.at + timedelta(days=45)).date(),
            },
            by=user,
            at=move.at,
        )

    def _stage(self, work: Work, move: Move) -> Event | None:
        deal = self._deals.get(work.key)
        row = self._org.get("Opportunity", deal) if deal else None
        if deal is None or row is None or row["IsClosed"]:
            return None
        fields: dict[str, Any] = {"StageName": move.stage}
        user = row["OwnerId"]
        if move.stage == "Qualification" and work.buyer and BY_KEY[work.person].role == "SDR":
            size = work.buyer.company.employees if work.buyer.company else 100
            fields["OwnerId"] = user = self._ground.users[
                account_executive(work.buyer.country.region, size).key
            ]
        if move.stage.startswith("Closed"):
            fields["CloseDate"] = move.at.date()
        self._org.update("Opportunity", deal, fields, by=user, at=move.at)
        if move.stage == "Closed Won" and row["AccountId"]:
            self._org.update(
                "Account", row["AccountId"], {"Type": "Customer - Direct"}, by=user, at=move.at
            )
        kind = {"Closed Won": "won", "Closed Lost": "lost"}.get(move.stage, "stage")
        return self._event(work, move, kind, f"{move.stage} {row['Amount'] or 0:,.0f}")

    def _event(self, work: Work, move: Move, kind: str, what: str) -> Event:
        company = work.buyer.company if work.buyer else None
        return Event(
            at=move.at,
            kind=kind,
            who=work.person,
            what=what,
            company=company.name if company else "",
        )
