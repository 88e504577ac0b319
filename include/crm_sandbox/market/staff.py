"""The people of the sandbox company, their zones, pools and habits."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import time
from enum import StrEnum

DOMAIN = "relay.test"


class Role(StrEnum):
    """What somebody does with leads."""

    SDR = "SDR"
    AE = "AE"
    SDR_MANAGER = "SDR manager"
    SALES_DIRECTOR = "Sales director"
    ACCOUNT_MANAGER = "Account manager"


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """How somebody works. Shares are between 0 and 1, days count from the start of the market."""

    pace: float = 1.0
    """Factor on every delay; above 1 is slow."""
    never: float = 0.03
    """Share of tasks that are never looked at."""
    off_hours: float = 0.05
    """Share of hot tasks answered outside working hours."""
    starts: time = time(8, 45)
    ends: time = time(17, 30)
    away_days: tuple[int, int] | None = None
    """First and last day of an absence that nobody announced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One member of staff: a Salesforce user, a HubSpot owner and a Slack user."""

    key: str
    first: str
    last: str
    role: Role
    zone: str
    country: str
    """ISO alpha-2 code; decides the public holidays."""
    pools: tuple[str, ...] = ()
    manager: str | None = None
    habits: Habits = field(default_factory=Habits)

    @property
    def email(self) -> str:
        """The address, the same in all three systems."""
        return f"{self.key}@{DOMAIN}"

    @property
    def name(self) -> str:
        """First and last name."""
        return f"{self.first} {self.last}"


def _person(
    name: str,
    role: Role,
    zone: str,
    country: str,
    *,
    pools: tuple[str, ...] = (),
    manager: str | None = None,
    habits: Habits | None = None,
) -> Person:
    first, last = name.split()
    return Person(
        key=name.lower().replace(" ", "."),
        first=first,
        last=last,
        role=role,
        zone=zone,
        country=country,
        pools=pools,
        manager=manager,
        habits=habits or Habits(),
    )


NORTH_AMERICA = "SDR North America"
DACH = "SDR DACH"
UK_NORDICS = "SDR UK and Nordics"
APAC = "SDR APAC"
ENTERPRISE_EMEA = "AE Enterprise EMEA"
ENTERPRISE_AMERICAS = "AE Enterprise Americas"
MID_EMEA = "AE Mid-market EMEA"
MID_AMERICAS = "AE Mid-market Americas"

_SDR, _AE = Role.SDR, Role.AE
_NADIA, _GREG = "nadia.petrov", "greg.lawson"

STAFF: tuple[Person, ...] = (
    _person("Greg Lawson", Role.SALES_DIRECTOR, "America/New_York", "US"),
    _person("Nadia Petrov", Role.SDR_MANAGER, "Europe/London", "GB", manager=_GREG),
    _person(
        "Amara Okafor",
        _SDR,
        "America/New_York",
        "US",
        pools=(NORTH_AMERICA,),
        manager=_NADIA,
        habits=Habits(pace=0.7, never=0.01),
    ),
    _person(
        "Luis Ferreira",
        _SDR,
        "America/Chicago",
        "US",
        pools=(NORTH_AMERICA,),
        manager=_NADIA,
        habits=Habits(pace=5.0, never=0.07, off_hours=0.0),
    ),
    _person(
        "Dana Whitfield", _SDR, "America/Los_Angeles", "US", pools=(NORTH_AMERICA,), manager=_NADIA
    ),
    _person(
        "Jonas Keller",
        _SDR,
        "Europe/Berlin",
        "DE",
        pools=(DACH,),
        manager=_NADIA,
        habits=Habits(pace=0.8),
    ),
    _person(
        "Mira Lindner",
        _SDR,
        "Europe/Vienna",
        "AT",
        pools=(DACH,),
        manager=_NADIA,
        habits=Habits(away_days=(35, 42)),
    ),
    _person(
        "Priya Raman",
        _SDR,
        "Europe/London",
        "GB",
        pools=(UK_NORDICS,),
        manager=_NADIA,
        habits=Habits(pace=0.6, never=0.01, off_hours=0.15),
    ),
    _person(
        "Oskar Nyberg",
        _SDR,
        "Europe/Stockholm",
        "SE",
        pools=(UK_NORDICS,),
        manager=_NADIA,
        habits=Habits(starts=time(8, 0), ends=time(16, 30)),
    ),
    _person(
        "Hiro Tanaka",
        _SDR,
        "Asia/Tokyo",
        "JP",
        pools=(APAC,),
        manager=_NADIA,
        habits=Habits(starts=time(9, 0), ends=time(18, 0)),
    ),
    _person(
        "Asha Menon",
        _SDR,
        "Asia/Singapore",
        "SG",
        pools=(APAC,),
        manager=_NADIA,
        habits=Habits(pace=1.4),
    ),
    _person(
        "Helena Voss",
        _AE,
        "Europe/Berlin",
        "DE",
        pools=(ENTERPRISE_EMEA,),
        manager=_GREG,
        habits=Habits(pace=1.3),
    ),
    _person(
        "Marcus Bell",
        _AE,
        "America/New_York",
        "US",
        pools=(ENTERPRISE_AMERICAS,),
        manager=_GREG,
        habits=Habits(pace=1.8, never=0.05),
    ),
    _person("Sofia Ricci", _AE, "Europe/Rome", "IT", pools=(MID_EMEA,), manager=_GREG),
    _person(
        "Tom Adeyemi",
        _AE,
        "America/Toronto",
        "CA",
        pools=(MID_AMERICAS,),
        manager=_GREG,
        habits=Habits(pace=1.2),
    ),
    _person(
        "Ines Moreau",
        Role.ACCOUNT_MANAGER,
        "Europe/Paris",
        "FR",
        manager=_GREG,
        habits=Habits(pace=1.5),
    ),
)
"""Everybody, managers before those they manage."""

BY_KEY: dict[str, Person] = {person.key: person for person in STAFF}
BY_EMAIL: dict[str, Person] = {person.email: person for person in STAFF}

FORMER = ("former.rep", "Former", "Rep")
"""Left the company: an archived HubSpot owner and an inactive Salesforce user."""

QUEUES: tuple[tuple[str, str], ...] = (
    ("Inbound triage", "Inbound_Triage"),
    ("Inbound DACH", "Inbound_DACH"),
)
CHANNELS: tuple[str, ...] = ("sales-inbound", "sales-dach", "sales-ops")

_SDR_POOL_OF_REGION = {
    "DACH": DACH,
    "UK": UK_NORDICS,
    "Nordics": UK_NORDICS,
    "Americas": NORTH_AMERICA,
    "APAC": APAC,
}


def pool_members(pool: str) -> tuple[Person, ...]:
    """The people of a pool, in the order of `STAFF`."""
    return tuple(person for person in STAFF if pool in person.pools)


def reps_of_region(region: str) -> tuple[Person, ...]:
    """Who would take a lead of that region when a person decides; the AE where there is no SDR."""
    return pool_members(_SDR_POOL_OF_REGION.get(region, MID_EMEA))


def account_executive(region: str, employees: int) -> Person:
    """The account executive of a region and company size."""
    americas, enterprise = region == "Americas", employees >= 1000
    if enterprise:
        return pool_members(ENTERPRISE_AMERICAS if americas else ENTERPRISE_EMEA)[0]
    return pool_members(MID_AMERICAS if americas else MID_EMEA)[0]
