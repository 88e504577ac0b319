"""The acts: what stands at the beginning of a case, and the steps that are run in it.

Each is prepared once, through the same steps, on a copy of the same opening; a case gets a fork of
the process that holds its sandbox, and a copy of its ledger.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.integration.pipeline.relay import Relay

from baton.pipeline.delivery.deliver import deliver_and_notify
from baton.pipeline.judging.qualify import qualify_and_route

HANDOFF = ("qualify_and_route", "deliver_and_notify", "write_back")
OUTCOMES = ("read_outcomes", "write_back")

Contacts = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Act:
    """How an act is prepared (returns the contacts it is about) and which steps a run takes."""

    prepare: Callable[[Relay], Contacts]
    steps: tuple[str, ...]
    listed: str | None = None
    """The HubSpot list that each contact must be on at the end."""


def _first_load(relay: Relay) -> Contacts:
    return (relay.hot_contact(), relay.hot_contact())


def _pull(relay: Relay) -> Contacts:
    relay.run()
    relay.wait(minutes=5)
    return (relay.hot_contact(), relay.hot_contact())


def _deliver(relay: Relay) -> Contacts:
    """Two people new to Salesforce, two known as leads, two as contacts: nobody told yet."""
    contacts = tuple(relay.hot_contact() for _ in range(6))
    for number, contact in enumerate(contacts[2:]):
        name = {"LastName": f"Known{number}", "Email": relay.email(contact)}
        owner = {"OwnerId": relay.user("greg.lawson")}
        if number < 2:
            relay.org.insert("Lead", {**name, **owner, "Company": "Known before"})
        else:
            account = relay.account(f"Known {number}", f"known{number}.test", owner="greg.lawson")
            relay.org.insert("Contact", {**name, **owner, "AccountId": account})
    relay.wait(minutes=1)
    qualify_and_route(relay.ctx)
    return contacts


def _delivered(relay: Relay) -> Contacts:
    contacts = (relay.hot_contact(), relay.hot_contact())
    relay.wait(minutes=1)
    qualify_and_route(relay.ctx)
    deliver_and_notify(relay.ctx)
    return contacts


def _news(relay: Relay) -> Contacts:
    """Handed over and told; now both ask for a demo."""
    contacts = (relay.hot_contact(), relay.hot_contact())
    relay.run()
    relay.wait(minutes=4)
    for contact in contacts:
        relay.submit(contact, "Demo request")
    relay.wait(minutes=1)
    qualify_and_route(relay.ctx)
    return contacts


def _outcome(relay: Relay) -> Contacts:
    """Handed over; sales gives both back, to be nurtured."""
    contacts = (relay.hot_contact(), relay.hot_contact())
    relay.run()
    relay.follow()
    relay.wait(minutes=4)
    for contact in contacts:
        relay.give(relay.salesforce_lead(contact), "Recycle", "Needs nurturing")
    relay.wait(minutes=1)
    return contacts


def _clock(relay: Relay) -> Contacts:
    """Handed over, and nobody has touched them for an hour."""
    contacts = (relay.contact(), relay.contact())
    for contact in contacts:
        relay.take_quiz(contact, 80)
    relay.run()
    relay.follow()
    relay.wait(minutes=61)
    return contacts


def _references(relay: Relay) -> Contacts:
    return ()


def _three_steps(relay: Relay) -> Contacts:
    """Two delivered and to be written back, two decided and to be delivered, two to be pulled."""
    delivered = _delivered(relay)
    decided = (relay.hot_contact(), relay.hot_contact())
    relay.wait(minutes=1)
    qualify_and_route(relay.ctx)
    new = (relay.hot_contact(), relay.hot_contact())
    relay.wait(minutes=1)
    return (*delivered, *decided, *new)


ACTS: Mapping[str, Act] = {
    "first load": Act(_first_load, HANDOFF),
    "pull": Act(_pull, HANDOFF),
    "deliver": Act(_deliver, HANDOFF[1:]),
    "write back": Act(_delivered, ("write_back",)),
    "news": Act(_news, HANDOFF[1:]),
    "outcome": Act(_outcome, OUTCOMES, listed="Nurture: education"),
    "clock": Act(_clock, ("watch_clocks", "write_back")),
    "three steps": Act(_three_steps, HANDOFF),
    "references": Act(_references, ("read_references",)),
}
