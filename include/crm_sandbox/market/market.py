"""The market: sets the ground, plays history event by event, and goes on in real time."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

from crm_sandbox.clock import SandboxClock
from crm_sandbox.hubspot.portal import Portal
from crm_sandbox.market.agenda import Agenda, BuyerStep, Item
from crm_sandbox.market.buyers import make_buyer
from crm_sandbox.market.companies import Company, all_companies
from crm_sandbox.market.events import Event, PlayedDay, Record
from crm_sandbox.market.floor import SalesFloor
from crm_sandbox.market.inbox import Inbox
from crm_sandbox.market.journeys import arrivals, journey
from crm_sandbox.market.live import LiveScript
from crm_sandbox.market.opening import Ground, Opening, open_people, open_portal
from crm_sandbox.market.website import Website
from crm_sandbox.salesforce.org import Org
from crm_sandbox.slack.workspace import Workspace


class MarketNotSetUpError(RuntimeError):
    """The market was asked to play before `set_up`."""

    def __init__(self) -> None:
        """Say what to do."""
        super().__init__("call Market.set_up() once before playing")


class Market:
    """Buyers and reps, simulated from one seed.

    With the same seed, the same start and the same behaviour of whoever assigns the leads, two
    markets leave the same portal and org behind, however the time is cut into calls of `play`.

    Whoever assigns leads between two calls of `play` may give the tasks an earlier CreatedDate.
    Reps then react as of that moment, although their acts happen in the next call: such acts carry
    their own time as CreatedDate, LastModifiedDate and so on, and the clock's as SystemModstamp,
    by which readers find them. What buyers do always lies within the call in which it happens.
    """

    def __init__(
        self,
        clock: SandboxClock,
        portal: Portal,
        org: Org,
        workspace: Workspace,
        *,
        seed: int = 7,
        busy: float = 1.0,
    ) -> None:
        """Nothing is made before `set_up`. `busy` times as many buyers as usual come by."""
        self._clock = clock
        self._portal = portal
        self._org = org
        self._workspace = workspace
        self._seed, self._busy = seed, busy
        self._agenda = Agenda()
        self._ground: Ground | None = None
        self._planned_until: date | None = None
        self.every_seconds = 4.0
        """Live: seconds between two new leads."""

    def set_up(self) -> None:
        """Make staff, queues, channels, definitions, forms, lists, companies, accounts, deals.

        The clock's now becomes the first instant of the market. Does nothing the second time.
        """
        if self._ground is not None:
            return
        opened = self._clock.now().replace(microsecond=0)
        ground = Ground(opened)
        open_people(ground, org=self._org, portal=self._portal, workspace=self._workspace)
        open_portal(ground, self._portal)
        self._companies: tuple[Company, ...] = all_companies(self._seed)
        self._website = Website(self._portal, ground.forms)
        Opening(
            ground, seed=self._seed, org=self._org, portal=self._portal, website=self._website
        ).fill(self._companies)
        inbox = Inbox(ground, seed=self._seed, org=self._org, buyer_of=self._website.buyer_of)
        self._floor = SalesFloor(
            ground, seed=self._seed, org=self._org, inbox=inbox, agenda=self._agenda
        )
        self._live = LiveScript(self._seed, self._companies)
        self._next_lead: datetime | None = None
        self._ground = ground

    @property
    def ground(self) -> Ground:
        """The ids of what was made at the start. Raises MarketNotSetUpError before that."""
        if self._ground is None:
            raise MarketNotSetUpError
        return self._ground

    def play(self, until: datetime) -> PlayedDay:
        """Play from the clock's now to `until` (aware) and leave the clock there.

        Reps work on what had been assigned to them when the call began, as of the moment at which
        it was assigned; what they mean to do after `until` waits for the next call.
        Raises ValueError when `until` lies before the clock's now.
        """
        ground = self.ground
        since = self._clock.now()
        if until < since:
            raise ValueError(f"cannot play back: it is {since.isoformat()} already")
        self._floor.live = False
        contacts = self._portal.count("contacts")
        self._plan_arrivals(ground.opened, until)
        self._floor.look(since)
        record = Record()
        while (due := self._agenda.pop_due(until)) is not None:
            at, item = due
            self._clock.set(max(at, since))
            self._happen(_not_before(since, item), record)
        self._clock.set(until)
        return PlayedDay(
            since=since,
            until=until,
            counts=record.counts(),
            new_contacts=self._portal.count("contacts") - contacts,
        )

    def live_tick(self) -> list[Event]:
        """Real time: a new lead when it is due, reps react. Returns what happened since.

        The first tick also carries out what history left undone.
        """
        now = self._clock.now()
        _ = self.ground
        record = Record()
        if not self._floor.live:
            self._floor.live = True
            self._carry_out(now, record, not_before=now)
        if self._next_lead is None or now - self._next_lead > timedelta(minutes=1):
            self._next_lead = now
        while self._next_lead <= now:
            buyer, steps = self._live.next_buyer(self._next_lead)
            for step in steps:
                self._agenda.add(step.at, buyer.key, BuyerStep(buyer, step))
            self._next_lead += timedelta(seconds=self.every_seconds)
        self._floor.look(now)
        self._carry_out(now, record)
        return record.events

    def _carry_out(
        self, until: datetime, record: Record, *, not_before: datetime | None = None
    ) -> None:
        while (due := self._agenda.pop_due(until)) is not None:
            item = due[1] if not_before is None else _not_before(not_before, due[1])
            self._happen(item, record)

    def _plan_arrivals(self, opened: datetime, until: datetime) -> None:
        """Put the journeys of everybody who arrives up to the day after `until` on the agenda."""
        day = self._planned_until or opened.date() - timedelta(days=1)
        while day < until.date() + timedelta(days=1):
            day += timedelta(days=1)
            for key in arrivals(self._seed, day, busy=self._busy):
                buyer = make_buyer(self._seed, key, self._companies)
                for step in journey(self._seed, buyer, day):
                    if step.at >= opened:
                        self._agenda.add(step.at, key, BuyerStep(buyer, step))
        self._planned_until = day

    def _happen(self, item: Item, record: Record) -> None:
        if isinstance(item, BuyerStep):
            event = self._website.apply(item.buyer, item.step)
        else:
            event = self._floor.act(item.work, item.move)
        if event is not None:
            record.add(event)


def _not_before(start: datetime, item: Item) -> Item:
    """Buyers never act in time that is past: readers of the portal would not look there again."""
    if isinstance(item, BuyerStep) and item.step.at < start:
        return replace(item, step=replace(item.step, at=start))
    return item
