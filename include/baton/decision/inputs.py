"""What a decision is made of. Personal values are not part of it.

Conditions of the policy may read personal facts (an e-mail address, say). They are judged once,
when the inputs are gathered, and only their outcome is kept, together with which personal facts
were known at all. So stored inputs hold no personal data, and the decision can be repeated byte for
byte even after the person has been erased.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import Self

from pydantic import TypeAdapter

from baton.decision.canonical import canonical_bytes, fact_from_json, fact_to_json, hash_of
from baton.errors import InvariantError
from baton.leads.facts import Problem
from baton.leads.history import NEW_LEAD, LeadHistory
from baton.leads.meetings import meeting_facts
from baton.leads.permission import Permissions, permissions
from baton.leads.relations import CrmRelations, relation_facts
from baton.leads.verdict import GOOD, Verdict
from baton.policy.conditions import AllOf, AnyOf, Condition, NoneOf, Test
from baton.policy.facts import Facts, known
from baton.policy.models import Policy
from baton.policy.roster import Roster


@dataclass(frozen=True, slots=True)
class Handover:
    """Why an open handoff cannot stay with its owner (`because`: "left the company").

    `pool`, `person` (an e-mail) or `queue` is tried before the policy's ladder, where somebody
    named it.
    """

    because: str
    pool: str | None = None
    person: str | None = None
    queue: str | None = None


@dataclass(frozen=True, slots=True)
class DecisionInputs:
    """Everything a decision depends on, save policy, roster and what it reads in the book.

    `lead_key` names the lead without personal data. `facts` hold no personal ones;
    `personal_known` are the labels of those that were known, `observed` the outcomes of the
    policy's tests on them. `position` is the place in the batch. `released` lists reasons for
    holding that no longer hold this lead, because a person let it pass or its deadline is over.
    `had_it`: owners who had the lead on this handoff and do not get it again, where its next owner
    is looked for (`decide.reassign`); None: an ordinary decision.
    `sated`: who is given no more of others' leads in this run (`guards.share_of_a_book`).
    `handover`: why it cannot stay with its present owner, where that is so.
    `told` says, by label, when and where an answer was given, or which provider found a value.
    `awaiting`: providers that failed and that the policy waits for.
    `tester`: the e-mail of the colleague whose test this is. `colleagues`: the e-mail of who was
    last given somebody of the same company, where the policy keeps them together.
    Make it with `gather`.
    """

    lead_key: str
    facts: Facts
    verdict: Verdict
    relations: CrmRelations
    history: LeadHistory
    captured_at: datetime
    decided_at: datetime
    position: int = 0
    problems: tuple[Problem, ...] = ()
    permissions: Permissions | None = None
    personal_known: tuple[str, ...] = ()
    observed: Mapping[str, bool] = field(default_factory=dict)
    released: tuple[str, ...] = ()
    had_it: tuple[str, ...] | None = None
    sated: tuple[str, ...] = ()
    handover: Handover | None = None
    told: Mapping[str, str] = field(default_factory=dict)
    awaiting: tuple[str, ...] = ()
    tester: str | None = None
    colleagues: str | None = None

    def to_json(self) -> dict[str, object]:
        """Return the inputs as plain JSON values."""
        value: dict[str, object] = _adapter().dump_python(self, mode="json", exclude={"facts"})
        value["facts"] = {label: fact_to_json(fact) for label, fact in self.facts.items()}
        return value

    @classmethod
    def from_json(cls, value: Mapping[str, object] | bytes | str) -> Self:
        """Read what `to_json` or `canonical` gave. InvariantError if it is damaged."""
        content = json.loads(value) if isinstance(value, bytes | str) else value
        stored = content.get("facts")
        if not isinstance(stored, Mapping):
            raise InvariantError("stored inputs have no facts")
        facts = {label: fact_from_json(fact) for label, fact in stored.items()}
        found = _adapter().validate_python({**content, "facts": {}})
        return replace(found, facts=facts)  # type: ignore[return-value]  # the adapter's is this class

    def canonical(self) -> bytes:
        """Return the inputs as canonical JSON."""
        return canonical_bytes(self.to_json())

    @property
    def hash(self) -> str:
        """Return the SHA-256 of the canonical form."""
        return hash_of(self.canonical())


@cache
def _adapter() -> TypeAdapter[DecisionInputs]:
    return TypeAdapter(DecisionInputs)


def gather(
    policy: Policy,
    *,
    lead_key: str,
    facts: Facts,
    captured_at: datetime,
    decided_at: datetime,
    verdict: Verdict = GOOD,
    relations: CrmRelations | None = None,
    history: LeadHistory = NEW_LEAD,
    position: int = 0,
    problems: tuple[Problem, ...] = (),
    released: tuple[str, ...] = (),
    told: Mapping[str, str] | None = None,
    awaiting: tuple[str, ...] = (),
    colleagues: str | None = None,
    roster: Roster | None = None,
) -> DecisionInputs:
    """Make the inputs of a decision from all facts of a lead, personal ones included.

    Adds what the CRM tells, asks for permissions, judges the policy's tests on personal facts, and
    leaves the personal values behind. With `roster` that includes the address of a stranger who
    meets the condition for testers: only a colleague's may be stored.
    """
    related = relations or CrmRelations()
    held = {
        **facts,
        **relation_facts(related),
        **meeting_facts(policy.meetings, facts, decided_at),
    }
    if not known(held.get("Company name")) and related.account_name:
        held["Company name"] = related.account_name
    personal = personal_labels(policy)
    return DecisionInputs(
        lead_key=lead_key,
        facts={
            label: value for label, value in held.items() if label not in personal and known(value)
        },
        verdict=verdict,
        relations=related,
        history=history,
        captured_at=captured_at,
        decided_at=decided_at,
        position=position,
        problems=problems,
        permissions=permissions(held, policy, decided_at),
        personal_known=tuple(sorted(label for label in personal if known(held.get(label)))),
        observed={
            words: test.evaluate(held, decided_at) for words, test in policy.personal_tests.items()
        },
        released=released,
        told=told or {},
        awaiting=awaiting,
        tester=tester_of(policy, held, decided_at, roster),
        colleagues=colleagues,
    )


def tester_of(policy: Policy, facts: Facts, moment: datetime, roster: Roster | None) -> str | None:
    """Return the e-mail of the colleague who tries the chain with this lead, or None.

    With `roster` an address that is neither in it nor named by the policy is nobody's.
    """
    for tester in policy.testers:
        if tester.when.evaluate(facts, moment):
            if tester.to:
                return tester.to
            key = _mailbox(facts)
            known_one = roster is None or (key is not None and roster.rep(key) is not None)
            return key if known_one else None
    return None


def _mailbox(facts: Facts) -> str | None:
    """Return the lead's own address in lower case, without what follows a plus."""
    name, at, domain = str(facts.get("E-mail") or "").strip().lower().partition("@")
    return f"{name.partition('+')[0]}@{domain}" if at and domain else None


def personal_labels(policy: Policy) -> frozenset[str]:
    """Return the labels of the policy's personal fields."""
    return policy.personal


def refuse_personal(inputs: DecisionInputs, policy: Policy) -> None:
    """Raise InvariantError when facts hold a personal value: it would be stored for ever."""
    found = sorted(personal_labels(policy) & inputs.facts.keys())
    if found:
        raise InvariantError(
            "personal facts among the inputs of a decision (" + ", ".join(found) + "); "
            "make the inputs with gather()"
        )


@dataclass(frozen=True, slots=True)
class Observed:
    """Judges conditions: personal tests by what was observed, all others on the facts."""

    personal: frozenset[str]
    outcomes: Mapping[str, bool]

    def holds(self, condition: Condition, facts: Facts, moment: datetime) -> bool:
        """Tell whether a condition holds; a personal test that nobody observed does not."""
        if not self.personal:
            return condition.evaluate(facts, moment)
        match condition:
            case Test(label=label):
                if label in self.personal:
                    return self.outcomes.get(condition.describe(), False)
                return condition.evaluate(facts, moment)
            case AllOf(parts):
                return all(self.holds(part, facts, moment) for part in parts)
            case AnyOf(parts):
                return any(self.holds(part, facts, moment) for part in parts)
            case NoneOf(parts):
                return not any(self.holds(part, facts, moment) for part in parts)
            case _:
                return condition.evaluate(facts, moment)
