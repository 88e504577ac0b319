"""The whole chain around one test: a sandbox and a ledger of its own, and the steps in between.

The sandbox runs in a thread of this process and is reached over real HTTP; its stores are read
directly, between the steps. Its clock stands still until a test moves it, and is Baton's too.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, text

from baton.clock import SystemClock
from baton.connections import HubSpotConnection, SalesforceConnection, SlackConnection
from baton.crm.hubspot import HubSpotGateway
from baton.crm.salesforce import SalesforceGateway
from baton.ledger.database.engine import transaction
from baton.notify.slack import SlackGateway
from baton.pipeline.context import Context
from baton.pipeline.delivery.deliver import deliver_and_notify, write_back
from baton.pipeline.delivery.setup import hubspot_plan, setup_hubspot
from baton.pipeline.intake.references import read_references
from baton.pipeline.judging.qualify import qualify_and_route
from baton.pipeline.reconciling.upkeep import check_conservation
from baton.pipeline.report import StepReport
from baton.pipeline.response.sales_activity import read_outcomes
from baton.pipeline.response.sla_watch import watch_clocks
from baton.pipeline.timers import run_timers
from baton.pipeline.versions.agreements import activate_policy, adopt_roster
from baton.policy.bundle import PolicyBundle
from baton.policy.loader import parse_policy
from baton.policy.models import Policy
from baton.policy.roster import Roster
from baton.settings import Mode
from baton.transport import RetryTerms, UnlimitedRate
from crm_sandbox.faults import FaultRule
from crm_sandbox.inprocess import SandboxThread
from crm_sandbox.market.opening import Ground, open_people, open_portal
from crm_sandbox.world import World

START = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
"""A Tuesday; it is office time in Berlin, London and Stockholm."""
QUICK = RetryTerms(attempts=4, total_seconds=10, first_pause=0.01, longest_pause=0.2)
ONCE = RetryTerms(attempts=1, total_seconds=5, first_pause=0.01, longest_pause=0.2)

PROFILE = {
    "jobtitle": "VP Sales",
    "phone": "+49 30 901820",
    "country": "Germany",
    "hs_analytics_source": "ORGANIC_SEARCH",
}
"""With `Relay.company` this is worth 40 points, the most a profile gives."""
SEVENTY = {
    "decision_timeline": "this_quarter",
    "budget_range": "50k_200k",
    "primary_pain_point": "leads go stale",
}
"""Thirty points of intent: 70 with the profile."""

_MAIN_TABLES = (
    "lead", "person", "snapshot", "decision", "handoff", "hop", "effect", "attempt", "transition",
    "touch", "disposition", "sla_event", "human_override", "pool_state",
)  # fmt: skip
_READING_POSTS = ("/search", "/batch/read", "/composite", "/oauth2/token", "/token")


class SandboxTime(SystemClock):
    """The sandbox's clock as Baton's."""

    def __init__(self, world: World) -> None:
        self._world = world

    def now(self) -> datetime:
        return self._world.clock.now()


def furnish(world: World) -> Ground:
    """Make the staff, queues, channels, property definitions, forms and lists; no customers."""
    ground = Ground(world.clock.now())
    open_people(ground, org=world.org, portal=world.portal, workspace=world.workspace)
    open_portal(ground, world.portal)
    return ground


@dataclass
class Relay:
    """A ledger, a sandbox and the steps between them."""

    sandbox: SandboxThread
    engine: Engine
    ground: Ground
    bundle: PolicyBundle
    roster: Roster
    mode: Mode = Mode.LIVE
    ctx: Context = field(init=False)
    _numbers: Any = field(default_factory=lambda: itertools.count(1))
    _opened: list[Context] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ctx = self.context()

    # -- the outside -------------------------------------------------------------------------

    @property
    def world(self) -> World:
        return self.sandbox.world

    @property
    def org(self) -> Any:
        return self.world.org

    @property
    def policy(self) -> Policy:
        return parse_policy(self.bundle)

    def now(self) -> datetime:
        return self.world.clock.now()

    def context(
        self,
        *,
        mode: Mode | None = None,
        terms: RetryTerms = QUICK,
        hubspot_token: str | None = None,
        seconds: float = 5.0,
    ) -> Context:
        """A context as a task would open it, without the ledger's rate limits."""
        where, free = self.sandbox.description, UnlimitedRate()
        hubspot = HubSpotConnection(
            conn_id="hubspot_default",
            token=hubspot_token or where["hubspot"]["token"],
            host=where["hubspot"]["url"],
        )
        salesforce = SalesforceConnection(
            conn_id="salesforce_default",
            login_url=where["salesforce"]["login_url"],
            consumer_key=where["salesforce"]["consumer_key"],
            consumer_secret=where["salesforce"]["consumer_secret"],
            username=None,
            private_key=None,
            ca_file=where["salesforce"]["ca_file"],
        )
        slack = SlackConnection(
            conn_id="slack_default", token=where["slack"]["token"], base_url=where["slack"]["url"]
        )
        made = Context(
            engine=self.engine,
            clock=SandboxTime(self.world),
            hubspot=HubSpotGateway(hubspot, free, terms=terms, read_seconds=seconds),
            salesforce=SalesforceGateway(salesforce, free, terms=terms, timeout=(3.05, seconds)),
            slack=SlackGateway(slack, free, terms=terms, timeout_seconds=max(1, int(seconds))),
            mode=mode or self.mode,
        )
        self._opened.append(made)
        return made

    def close(self) -> None:
        """Hang up; the sandbox's TLS server would wait a second for it."""
        for ctx in self._opened:
            ctx.salesforce._session.close()

    def adopt(self) -> None:
        """Activate policy and roster, read the references, create what HubSpot needs."""
        with transaction(self.engine) as conn:
            activate_policy(conn, self.bundle, by="tests", at=self.now(), parent=None)
            adopt_roster(conn, self.roster, by="tests", at=self.now())
        read_references(self.ctx)
        setup_hubspot(self.ctx.hubspot, hubspot_plan(self.policy))

    def adopt_roster(self, roster: Roster) -> None:
        with transaction(self.engine) as conn:
            adopt_roster(conn, roster, by="tests", at=self.now())

    def wait(self, **length: float) -> None:
        """Let time pass. The next step is a new task, with connections of its own."""
        self.world.clock.set(self.now() + timedelta(**length))
        self.ctx = self.context()

    def fail(self, kind: str, api: str, path: str, **rule: Any) -> None:
        """Make requests whose path matches fail (the first one, unless `count` says otherwise)."""
        given = {"kind": kind, "api": api, "path_regex": path, "count": 1} | rule
        self.world.faults.add(FaultRule.from_json(given))

    # -- what people do ----------------------------------------------------------------------

    def company(self, **values: str) -> str:
        """A software company of 300 people in Germany, unless told otherwise; returns its id."""
        number = next(self._numbers)
        given = {
            "name": f"Softworks {number}",
            "domain": f"softworks{number}.test",
            "industry": "COMPUTER_SOFTWARE",
            "numberofemployees": "300",
            "country": "Germany",
        } | values
        return str(self.world.portal.create("companies", given).id)

    def contact(self, company: str | None = None, /, **values: str | None) -> str:
        """A person of our profile in HubSpot, at a new company unless one is given."""
        home = company or self.company()
        record = self.world.portal.create("contacts", {**self._person(home), **PROFILE, **values})
        self.world.portal.update("contacts", record.id, {"associatedcompanyid": home})
        return str(record.id)

    def _person(self, company: str) -> dict[str, str]:
        number = next(self._numbers)
        found = self.world.portal.get("companies", company)
        assert found is not None
        return {
            "email": f"robin.tester{number}@{found.properties['domain']}",
            "firstname": "Robin",
            "lastname": f"Tester{number}",
        }

    def change(self, contact: str, **values: str | None) -> None:
        self.world.portal.update("contacts", contact, values)

    def submit(self, contact: str, form: str, **values: str) -> None:
        """The contact submits a form; a demo request and a quiz set their own instants."""
        record = self.world.portal.get("contacts", contact)
        assert record is not None
        given = {"email": str(record.properties["email"]), **values}
        if form == "Demo request":
            given["demo_requested_at"] = milliseconds(self.now())
        self.world.portal.submit_form(self.ground.forms[form], given)

    def take_quiz(self, contact: str, score: int, answers: str = "How many reps: 12") -> None:
        self.submit(
            contact,
            "Demo-readiness quiz",
            quiz_name="Demo readiness",
            quiz_score=str(score),
            quiz_answers=answers,
            quiz_taken_at=milliseconds(self.now()),
        )

    def hot_contact(self, company: str | None = None, /, **values: str | None) -> str:
        """76 points: 40 profile, 30 said, 6 for one piece of content."""
        seen = {"content_downloads": "1", "last_content_at": milliseconds(self.now())}
        return self.contact(company, **{**SEVENTY, **seen, **values})

    def email(self, contact: str) -> str:
        record = self.world.portal.get("contacts", contact)
        assert record is not None
        return str(record.properties["email"])

    def account(self, name: str, domain: str, *, owner: str, **fields: Any) -> str:
        given = {"Name": name, "Website": f"https://www.{domain}", "OwnerId": self.user(owner)}
        return str(self.org.insert("Account", given | fields))

    def opportunity(self, account: str, *, owner: str, **fields: Any) -> str:
        given = {
            "Name": "First project",
            "AccountId": account,
            "OwnerId": self.user(owner),
            "StageName": "Qualification",
            "CloseDate": self.now().date() + timedelta(days=60),
        }
        return str(self.org.insert("Opportunity", given | fields))

    def user(self, key: str) -> str:
        """A Salesforce user's id by the first part of the address (``jonas.keller``)."""
        return str(self.ground.users[key.partition("@")[0]])

    def touch(self, lead: Mapping[str, Any], kind: str = "Call") -> None:
        """The owner logs a call or a mail on a Salesforce lead."""
        owner = lead["OwnerId"]
        fields = {
            "Subject": kind,
            "TaskSubtype": kind,
            "Status": "Completed",
            "WhoId": lead["Id"],
            "OwnerId": owner,
            "ActivityDate": self.now().date(),
        }
        self.org.insert("Task", fields, by=owner)

    def give(
        self, lead: Mapping[str, Any], outcome: str, reason: str | None = None, **fields: Any
    ) -> None:
        """The owner gives an outcome on a Salesforce lead."""
        given = {"Disposition__c": outcome, "Disposition_Reason__c": reason, **fields}
        self.org.update("Lead", lead["Id"], given, by=lead["OwnerId"])

    # -- the steps ---------------------------------------------------------------------------

    def run(self, ctx: Context | None = None) -> StepReport:
        """lead_handoff: judge and route, deliver and notify, write back."""
        return self._steps(ctx, qualify_and_route, deliver_and_notify, write_back)

    def follow(self, ctx: Context | None = None) -> StepReport:
        """disposition_sync: outcomes of sales to the ledger and to HubSpot."""
        return self._steps(ctx, read_outcomes, write_back)

    def watch(self, ctx: Context | None = None) -> StepReport:
        """sla_watch."""
        return self._steps(ctx, watch_clocks)

    def everything(self, ctx: Context | None = None) -> StepReport:
        """Every Dag once."""
        return self._steps(
            ctx,
            read_references,
            qualify_and_route,
            deliver_and_notify,
            read_outcomes,
            watch_clocks,
            run_timers,
            write_back,
            check_conservation,
        )

    def _steps(self, ctx: Context | None, *steps: Callable[[Context], StepReport]) -> StepReport:
        report = StepReport()
        for step in steps:
            report.update(step(ctx or self.ctx))
        return report

    # -- what came of it ---------------------------------------------------------------------

    def rows(self, sql: str, **values: Any) -> list[dict[str, Any]]:
        with self.engine.connect() as conn:
            return [dict(row) for row in conn.execute(text(sql), values).mappings()]

    def lead(self, contact: str) -> dict[str, Any]:
        """The ledger's lead."""
        (row,) = self.rows("SELECT * FROM lead WHERE hubspot_id = :id", id=contact)
        return row

    def handoffs(self, contact: str) -> list[dict[str, Any]]:
        """The lead's handoffs with their newest hop's owner, oldest first."""
        return self.rows(
            "SELECT handoff.*, hop.owner_key, hop.owner_kind, hop.change_owner, hop.terms,"
            " hop.first_touch_due, hop.assigned_at FROM handoff"
            " JOIN lead ON lead.id = handoff.lead_id JOIN hop ON hop.handoff_id = handoff.id"
            " AND hop.number = (SELECT max(number) FROM hop WHERE handoff_id = handoff.id)"
            " WHERE hubspot_id = :id ORDER BY handoff.id",
            id=contact,
        )

    def handoff(self, contact: str) -> dict[str, Any]:
        (row,) = self.handoffs(contact)
        return row

    def effects(self, **equals: Any) -> list[dict[str, Any]]:
        found = self.rows("SELECT * FROM effect ORDER BY id")
        return [row for row in found if all(row[name] == v for name, v in equals.items())]

    def salesforce_lead(self, contact: str) -> dict[str, Any]:
        (row,) = self.org.find_all("Lead", HubSpot_Contact_Id__c=contact)
        return dict(row)

    def tasks(self) -> list[dict[str, Any]]:
        """Baton's tasks, oldest first."""
        return [dict(row) for row in self.org.rows("Task") if row["Handoff_Key__c"]]

    def owner_name(self, record: Mapping[str, Any]) -> str:
        """The address of a record's owner, or the queue's name."""
        user = self.org.get("User", record["OwnerId"])
        if user is not None:
            return str(user["Email"])
        return str(self.org.get("Group", record["OwnerId"])["Name"])

    def messages(self) -> list[Message]:
        """Every Slack message so far: where to, and what it says."""
        workspace = self.world.workspace
        found = []
        for message in workspace.messages:
            channel = workspace.channels[message.channel]
            people = [workspace.users[one].email for one in channel.members]
            to = f"#{channel.name}" if not channel.direct else ", ".join(sorted(people))
            said = f"{message.text}\n{message.blocks}"
            found.append(Message(to, said, (message.metadata or {})["event_payload"]["key"]))
        return found

    def slack_id(self, email: str) -> str:
        return str(self.world.workspace.user_by_email(email).id)

    def in_hubspot(self, contact: str) -> dict[str, str | None]:
        """Baton's properties of a contact, without their prefix."""
        record = self.world.portal.get("contacts", contact)
        assert record is not None
        return {
            name.removeprefix("baton_"): value
            for name, value in record.properties.items()
            if name.startswith("baton_")
        }

    def lists_of(self, contact: str) -> set[str]:
        lists = self.world.portal.lists.containing(contact)
        return {one.name for one in lists}

    def requests(self) -> list[str]:
        """The requests so far, as "api METHOD path"."""
        return [f"{one.api} {one.method} {one.path}" for one in self.world.traffic.since(0)]

    def writes(self) -> list[str]:
        """The requests so far that may change something outside."""
        return [one for one in self.requests() if _writes(one)]

    def ledger_picture(self) -> dict[str, list[str]]:
        """Every row of the ledger that tells of leads, as text."""
        return {
            name: [str(row) for row in self.rows(f"SELECT * FROM {name} ORDER BY 1")]
            for name in _MAIN_TABLES
        }

    def outside_picture(self) -> dict[str, Any]:
        """Every record outside that Baton could have changed."""
        return {
            "leads": [dict(row) for row in self.org.rows("Lead")],
            "contacts": [dict(row) for row in self.org.rows("Contact")],
            "tasks": [dict(row) for row in self.org.rows("Task")],
            "messages": self.messages(),
            "hubspot": {
                one.id: dict(one.properties) for one in self.world.portal.records("contacts")
            },
            "lists": {
                one: sorted(self.world.portal.list_members(one))
                for one in self.ground.lists.values()
            },
        }

    def assert_conserved(self) -> None:
        """No lead lost, none handed over twice: in the ledger and in what stands outside."""
        with self.engine.connect() as conn:
            there = conn.execute(text("SELECT to_regclass('lead')")).scalar()
        if there is None:
            return
        check_conservation(self.ctx)
        keys = [task["Handoff_Key__c"] for task in self.tasks()]
        assert len(keys) == len(set(keys)), keys
        sent = [message.key for message in self.messages()]
        assert len(sent) == len(set(sent)), sent
        stamped = [row["HubSpot_Contact_Id__c"] for row in self.org.rows("Lead")]
        stamped = [one for one in stamped if one]
        assert len(stamped) == len(set(stamped)), stamped


@dataclass(frozen=True)
class Message:
    """A Slack message: the person's address or #channel, everything it says, its effect's key."""

    to: str
    says: str
    key: str


def _writes(request: str) -> bool:
    api, method, path = request.split(" ", 2)
    if method in ("GET", "HEAD"):
        return False
    if api == "slack":
        return path.rpartition("/")[2].startswith(("chat.", "reactions.", "conversations.open"))
    return method != "POST" or not path.endswith(_READING_POSTS)


def milliseconds(at: datetime) -> str:
    """An instant as HubSpot stores it."""
    return str(int(at.timestamp() * 1000))


def texts(rows: Sequence[Mapping[str, Any]]) -> str:
    """All of these rows in one text, to look for something in."""
    return "\n".join(str(dict(row)) for row in rows)
