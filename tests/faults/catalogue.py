"""Every case of the fault matrix: which call, what happens to it, what else happens meanwhile.

A case is named by its number alone; the same number is the same case as long as the catalogue is.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from typing import Any


class Course(StrEnum):
    """What happens around the struck call."""

    RETRY = "retried later"
    KILLED = "killed"
    OVERLAP = "overlapping run"
    HUMAN = "human edit"
    THREE_KILLED = "three workers of different steps killed at once"


class Moment(StrEnum):
    """Where a worker is stopped: around the call, or around the commit that follows it."""

    BEFORE = "before the call"
    AFTER = "after the call"
    BEFORE_COMMIT = "before the next commit"
    AFTER_COMMIT = "after the next commit"


class Edit(StrEnum):
    """What a person does at the worst moment."""

    OWNER = "a manager gives the lead to somebody else"
    STATUS = "the owner moves the lead on"
    TASK_DONE = "the owner completes the task"
    TASK_WORDS = "the owner rewrites the task"
    PROFILE = "marketing corrects the contact"
    FORM = "the buyer submits another form"


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to a call. `rule` is the sandbox's fault rule without its place."""

    name: str
    rule: tuple[tuple[str, Any], ...]

    @property
    def waits(self) -> bool:
        """Whether the client has to wait for its time-out."""
        return ("kind", "timeout") in self.rule


def _fault(name: str, kind: str, **rule: Any) -> Fault:
    return Fault(name, tuple(sorted({"kind": kind, **rule}.items())))


REFUSED = _fault("refused before", "503")
ERROR = _fault("server error", "500")
GATEWAY = _fault("bad gateway page", "502_html")
RESET = _fault("reset before", "reset")
TIMEOUT = _fault("time-out before", "timeout")
TRUNCATED = _fault("answer cut off", "truncated", when="after")
LIMITED = _fault("429", "429", retry_after=0)
QUOTA = _fault("daily quota used up", "429", policy="DAILY")
SESSION = _fault("session expired", "401")
LOCKED = _fault("row lock", "423")
PARTIAL = _fault("partial batch", "partial")
LOST = _fault("lost after commit", "reset", when="after")
LATE = _fault("time-out after commit", "timeout", when="after")
ERROR_AFTER = _fault("server error after commit", "500", when="after")

READING = (REFUSED, ERROR, GATEWAY, RESET, TIMEOUT, TRUNCATED, LIMITED, SESSION)
WRITING = (*READING, LOST, LATE, ERROR_AFTER)
FAULTS = (*WRITING, QUOTA, LOCKED, PARTIAL)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address outside that the chain calls."""

    name: str
    api: str
    path: str
    method: str
    faults: tuple[Fault, ...]

    @property
    def writes(self) -> bool:
        """Whether a call of it changes something there."""
        return LOST in self.faults


def _hubspot(name: str, method: str, path: str, *faults: Fault, writes: bool = False) -> Endpoint:
    usual = WRITING if writes else READING
    return Endpoint(f"hubspot.{name}", "hubspot", path, method, (*usual, QUOTA, *faults))


def _salesforce(
    name: str, method: str, path: str, *faults: Fault, writes: bool = False
) -> Endpoint:
    usual = WRITING if writes else READING
    return Endpoint(f"salesforce.{name}", "salesforce", path, method, (*usual, *faults))


def _slack(name: str, path: str, *, writes: bool = False) -> Endpoint:
    return Endpoint(f"slack.{name}", "slack", path, "POST", WRITING if writes else READING)


_LOGIN_FAULTS = (REFUSED, ERROR, GATEWAY, RESET, TIMEOUT, TRUNCATED)

ACCOUNT = _hubspot("account", "GET", r"/account-info/v3/details$")
LISTING = _hubspot("contacts", "GET", r"/objects/contacts$")
SEARCH = _hubspot("search", "POST", r"/objects/contacts/search$")
READ = _hubspot("read", "POST", r"/contacts/batch/read$")
COMPANIES = _hubspot("companies", "POST", r"/companies/batch/read$")
UPDATE = _hubspot("update", "POST", r"/contacts/batch/update$", PARTIAL, writes=True)
LIST_FIND = _hubspot("find_list", "GET", r"/crm/v3/lists/object-type-id/")
LIST_ADD = _hubspot("add_to_list", "PUT", r"/memberships/add$", writes=True)
LOGIN = Endpoint("salesforce.login", "salesforce", r"/oauth2/token$", "POST", _LOGIN_FAULTS)
COMPOSITE = _salesforce("composite", "POST", r"/composite$", QUOTA)
QUERY = _salesforce("query", "GET", r"/query$", QUOTA)
_SPOILED = (QUOTA, LOCKED, PARTIAL)
CREATE_LEAD = _salesforce(
    "create_lead", "PATCH", r"/sobjects/Lead/HubSpot_Contact_Id__c$", *_SPOILED, writes=True
)
UPDATE_RECORD = _salesforce("update", "PATCH", r"/composite/sobjects$", *_SPOILED, writes=True)
CREATE_TASK = _salesforce(
    "create_task", "PATCH", r"/sobjects/Task/Handoff_Key__c$", *_SPOILED, writes=True
)
LOOKUP = _slack("lookup", r"/users\.lookupByEmail$")
OPEN = _slack("open", r"/conversations\.open$")
POST = _slack("post", r"/chat\.postMessage$", writes=True)


@dataclass(frozen=True, slots=True)
class Call:
    """One call that the chain makes in an act; `nth`: the how manieth of its endpoint there."""

    act: str
    endpoint: Endpoint
    nth: int = 1

    @property
    def name(self) -> str:
        """How reports call it."""
        return f"{self.act}: {self.endpoint.name}" + (f" #{self.nth}" if self.nth > 1 else "")


def _calls(act: str, *endpoints: Endpoint | tuple[Endpoint, int]) -> list[Call]:
    return [Call(act, *one) if isinstance(one, tuple) else Call(act, one) for one in endpoints]


CALLS: tuple[Call, ...] = (
    *_calls("first load", LISTING),
    *_calls("pull", ACCOUNT, SEARCH, READ, COMPANIES, LOGIN, COMPOSITE),
    *_calls(
        "deliver",
        LOGIN, COMPOSITE, CREATE_LEAD, UPDATE_RECORD, (UPDATE_RECORD, 2),
        CREATE_TASK, LOOKUP, OPEN, POST, (POST, 2),
    ),
    *_calls("write back", UPDATE),
    *_calls("news", COMPOSITE, UPDATE_RECORD, (UPDATE_RECORD, 2), POST),
    *_calls(
        "outcome", LOGIN, QUERY, (QUERY, 2), (QUERY, 3), (QUERY, 4), UPDATE, LIST_FIND, LIST_ADD
    ),
    *_calls(
        "clock", QUERY, (QUERY, 2), COMPOSITE, UPDATE_RECORD, CREATE_TASK, LOOKUP, POST, (POST, 2)
    ),
    *_calls("references", LOGIN, QUERY, (QUERY, 2), (QUERY, 3)),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Death:
    """A worker that runs one step and is killed at one call of it."""

    step: str
    call: Call
    moment: Moment


@dataclass(frozen=True, slots=True)
class Strike:
    """A fault at a call; `count`: how many times running it strikes."""

    call: Call
    fault: Fault
    count: int = 1


@dataclass(frozen=True, slots=True)
class Case:
    """One case. The first strike is where the course begins; a second one comes on top.

    `deaths`: the workers that die at once, in a course of several. `moment`: where the worker is
    stopped. `lease_over`: the peer of an overlapping run comes when the stopped worker's lease has
    run out. `edit`: what the person does.
    """

    seed: int
    strikes: tuple[Strike, ...]
    course: Course
    moment: Moment = Moment.BEFORE
    lease_over: bool = False
    edit: Edit | None = None
    deaths: tuple[Death, ...] = ()

    @property
    def act(self) -> str:
        """The act that it plays in."""
        return (self.strikes or self.deaths)[0].call.act

    @property
    def name(self) -> str:
        """The case in one line."""
        struck = " and ".join(
            f"{one.call.name} / {one.fault.name}" + (f" x{one.count}" if one.count > 1 else "")
            for one in self.strikes
        )
        if self.deaths:
            struck = ", ".join(f"{one.call.name} {one.moment.value}" for one in self.deaths)
        return f"case {self.seed}: {struck} / {self.course.value}{self._details()}"

    def _details(self) -> str:
        if self.course in (Course.RETRY, Course.THREE_KILLED):
            return ""
        more = f", {self.edit.value}" if self.edit else ""
        late = ", its lease over" if self.lease_over else ""
        return f" {self.moment.value}{late}{more}"


_EDITS = {
    "first load": (Edit.FORM, Edit.PROFILE),
    "pull": (Edit.FORM, Edit.PROFILE),
    "deliver": (Edit.OWNER, Edit.TASK_DONE, Edit.STATUS, Edit.FORM, Edit.TASK_WORDS),
    "write back": (Edit.OWNER, Edit.STATUS, Edit.PROFILE, Edit.TASK_DONE),
    "news": (Edit.TASK_WORDS, Edit.OWNER, Edit.TASK_DONE, Edit.STATUS),
    "outcome": (Edit.OWNER, Edit.FORM, Edit.TASK_DONE),
    "clock": (Edit.OWNER, Edit.STATUS, Edit.TASK_DONE, Edit.TASK_WORDS),
    "references": (Edit.PROFILE,),
}
_AROUND = (Moment.BEFORE, Moment.AFTER)


def _courses(call: Call) -> Iterator[list[dict[str, Any]]]:
    """Yield the variants of each course at a call."""
    yield [{"course": Course.RETRY, "count": count} for count in (1, 8)]
    yield [{"course": Course.KILLED, "moment": moment} for moment in Moment]
    yield [
        {"course": Course.OVERLAP, "moment": moment, "lease_over": over}
        for moment, over in itertools.product(_AROUND, (False, True))
    ]
    yield [
        {"course": Course.HUMAN, "moment": moment, "edit": edit}
        for edit, moment in itertools.product(_EDITS[call.act], _AROUND)
    ]


@cache
def matrix() -> tuple[Case, ...]:
    """Return each call with each of its faults in each course.

    Variants take turns from fault to fault; calls that write get two of each course, others one.
    """
    found: list[Case] = []
    for call in CALLS:
        wanted = 2 if call.endpoint.writes else 1
        for turn, fault in enumerate(call.endpoint.faults):
            for variants in _courses(call):
                for step in range(min(wanted, len(variants))):
                    variant = dict(variants[(turn * wanted + step) % len(variants)])
                    strike = Strike(call, fault, variant.pop("count", 1))
                    found.append(Case(len(found) + 1, (strike,), **variant))
    return tuple(found)


def _traits(case: Case) -> set[tuple[str, str]]:
    """Return the pairs that a case covers: endpoint and fault, endpoint and course, fault and course."""
    first = case.strikes[0]
    traits = {(one.call.endpoint.name, one.fault.name) for one in case.strikes}
    traits |= {(first.call.endpoint.name, case.course.value), (first.fault.name, case.course.value)}
    return traits


CHOSEN = 150
"""How many cases every test run plays."""
FOUND = (500, 716, 818, 882)
"""Cases that have found a defect once: among those of every test run. 500: the owner is written, the
answer lost, a manager gives the lead back, and the repeated write took it away again.
716: a task's answer lost, its owner changed it, and the repeated write took that back.
818: a worker frozen past its lease right before it posted doubled the message.
882: likewise with the answer of the second message lost, and nobody took it back."""


@cache
def pairs() -> tuple[Case, ...]:
    """Return cases, most with two strikes, that together cover every pair of traits."""
    singles = matrix()
    traits = {one.seed: _traits(one) for one in singles}
    missing = set().union(*traits.values())
    chosen: list[Case] = []
    while missing and len(chosen) < CHOSEN:
        first = max(singles, key=lambda one: (len(traits[one.seed] & missing), -one.seed))
        left = missing - _traits(first)
        others = [
            one.strikes[0]
            for one in singles
            if one.act == first.act
            and one.strikes[0].call.endpoint != first.strikes[0].call.endpoint
        ]
        second = max(
            others,
            key=lambda one: (one.call.endpoint.name, one.fault.name) in left,
            default=None,
        )
        made = replace(first, seed=len(singles) + 1 + len(chosen))
        if second is not None:
            # Insistence ends early enough for the second one to strike as well.
            strike = replace(first.strikes[0], count=min(2, first.strikes[0].count))
            made = replace(made, strikes=(strike, Strike(second.call, second.fault)))
        missing -= _traits(made)
        chosen.append(made)
    return tuple(chosen)


@cache
def three_at_once() -> tuple[Case, ...]:
    """Return the cases in which one worker of each step of the hot lane dies, all at once."""
    first = len(matrix()) + len(pairs()) + 1
    steps = (
        ("qualify_and_route", READ),
        ("deliver_and_notify", CREATE_TASK),
        ("write_back", UPDATE),
    )
    return tuple(
        Case(
            first + number,
            (),
            Course.THREE_KILLED,
            deaths=tuple(Death(step, Call("three steps", call), moment) for step, call in steps),
        )
        for number, moment in enumerate(_AROUND)
    )


def all_cases() -> tuple[Case, ...]:
    """Return every case there is, in the order of their numbers."""
    return (*matrix(), *pairs(), *three_at_once())


def uncovered(cases: Sequence[Case]) -> set[tuple[str, str]]:
    """Return the pairs of the whole matrix that these cases leave out."""
    return set().union(*map(_traits, matrix())) - set().union(*map(_traits, cases))


@cache
def chosen_cases() -> tuple[Case, ...]:
    """Return the cases of every test run: the pairs, and as many of the matrix as there is room."""
    found = tuple(case(seed) for seed in FOUND)
    room = CHOSEN - len(pairs()) - len(found)
    spread = [one for one in matrix()[:: len(matrix()) // room] if one.seed not in FOUND]
    return (*pairs(), *found, *spread[:room])


def case(seed: int) -> Case:
    """Return the case of that number. Raises LookupError with the numbers there are."""
    cases = all_cases()
    if not 1 <= seed <= len(cases):
        raise LookupError(f"there is no case {seed}: there are 1 to {len(cases)}")
    return cases[seed - 1]
