"""The recorded inputs of a decision, worked out again for another policy.

Facts are stored as one policy read them. Under another one territory, segment, mail lists, bounds,
required fields, permissions, tests on personal facts may come out differently. So the stored
snapshot (with the person's data, while they are there) is read twice, by the policy of then and by
the other, and only where the two readings differ is the recorded input replaced. What neither can
read again (an enrichment of then, a relation to an account) stays as it was recorded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any

from baton.decision.inputs import DecisionInputs, gather, personal_labels
from baton.leads.enrichment import enrich
from baton.leads.facts import hand_raise_properties, read_facts
from baton.leads.model import LeadSnapshot, captured_at
from baton.leads.verdict import Failure, Verdict
from baton.ledger.leads.persons import Person
from baton.ledger.leads.snapshots import SeenSnapshot
from baton.policy.facts import Facts, FactValue, known
from baton.policy.models import Policy
from baton.validation.plain import PlainValidator

__all__ = ["Doubt", "Rederivation"]

_NO_MATTER = frozenset(
    {
        "name", "hash", "agreed", "stages", "bands", "pools", "queues", "sla", "dispositions",
        "timers", "calendars", "channels", "quiet_hours", "work", "commitments", "guards",
        "write_back", "salesforce", "digest", "drift", "recommended",
    }
)  # fmt: skip
"""Parts of a policy from which no input of a decision is made."""
_MERGED = frozenset({"facts", "observed", "personal_known", "verdict"})
"""Inputs that are merged entry by entry."""


class Doubt(StrEnum):
    """Why an input could not be worked out again."""

    PERSON_GONE = "the person has been erased, and the other policy asks something new of them"
    SNAPSHOT_GONE = "what was seen then is not there any more"


@dataclass(frozen=True, slots=True)
class Rederivation:
    """Works inputs out again for `other`; one for each policy of the past."""

    then: Policy
    other: Policy
    needed: bool = field(init=False)
    _validators: tuple[PlainValidator, PlainValidator] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """See once whether the policies differ in anything of which inputs are made."""
        named = set(type(self.then).model_fields) - _NO_MATTER
        differ = any(getattr(self.then, name) != getattr(self.other, name) for name in named)
        object.__setattr__(self, "needed", differ)
        both = PlainValidator.of(self.then), PlainValidator.of(self.other)
        object.__setattr__(self, "_validators", both)

    def unread_fields(self) -> Iterator[str]:
        """Yield the fields of the other policy whose property was not read from HubSpot then."""
        held = {(one.object, one.hubspot) for one in self.then.fields.values()}
        for label, one in self.other.fields.items():
            if one.hubspot and (one.object, one.hubspot) not in held:
                yield label

    def apply(
        self, stored: DecisionInputs, seen: SeenSnapshot | None, person: Person | None
    ) -> tuple[DecisionInputs, Doubt | None]:
        """Return the inputs for the other policy, and what could not be judged, if anything."""
        if not self.needed:
            return stored, None
        if seen is None:
            return self._without_personal(stored), Doubt.SNAPSHOT_GONE
        before = self._gathered(self.then, 0, stored, seen, person)
        after = self._gathered(self.other, 1, stored, seen, person)
        found = self._without_personal(_merged(stored, before, after))
        new_tests = after.observed.keys() - stored.observed.keys()
        gone = person is None and (bool(new_tests) or self._asks_of_persons())
        return found, Doubt.PERSON_GONE if gone else None

    def _gathered(
        self,
        policy: Policy,
        which: int,
        stored: DecisionInputs,
        seen: SeenSnapshot,
        person: Person | None,
    ) -> DecisionInputs:
        """Make the inputs from the snapshot as `policy` reads it."""
        contact, company = seen.content.get("contact") or {}, seen.content.get("company") or {}
        raw = person.raw if person is not None else {}
        properties = {**contact, **raw}
        raised = captured_at(properties, hand_raise_properties(policy)) or seen.captured_at
        snapshot = LeadSnapshot(
            stored.lead_key, seen.modified_at, seen.seen_at, raised, properties, company
        )
        read = read_facts(snapshot, policy)
        held = {**self._not_in_snapshot(stored, person), **read.facts}
        facts = enrich(held, snapshot, policy).facts
        return gather(
            policy,
            lead_key=stored.lead_key,
            facts=facts,
            captured_at=raised,
            decided_at=stored.decided_at,
            verdict=self._validators[which].verdict(facts, problems=read.problems),
            relations=stored.relations,
            history=stored.history,
            position=stored.position,
            problems=read.problems,
            released=stored.released,
        )

    def _not_in_snapshot(
        self, stored: DecisionInputs, person: Person | None
    ) -> dict[str, FactValue]:
        """Return recorded facts that stand for themselves: told earlier, or found by a provider.

        Without the person also what their address told: the domain stays when the address is gone.
        """
        fields_then = self.then.fields
        of_address = {"E-mail domain", "Company domain"} if person is None else set()
        return {
            label: value
            for label, value in stored.facts.items()
            if label in of_address or not getattr(fields_then.get(label), "derived", True)
        }

    def _asks_of_persons(self) -> bool:
        """Tell whether permissions or mail lists differ in what they look up in an address."""
        then, other = self.then, self.other
        if then.mail != other.mail:
            return True
        if (then.permission, then.suppress) == (other.permission, other.suppress):
            return False
        personal = personal_labels(other)
        conditions = [rule.when for rule in other.suppress]
        wanted = other.permission
        conditions += [
            one
            for one in (wanted.hand_off_unless, wanted.email_unless, wanted.call_unless)
            if one is not None
        ]
        return any(personal & condition.labels() for condition in conditions)

    def _without_personal(self, inputs: DecisionInputs) -> DecisionInputs:
        """Take out the facts that the other policy calls personal."""
        personal = personal_labels(self.other) & inputs.facts.keys()
        if not personal:
            return inputs
        facts = {label: value for label, value in inputs.facts.items() if label not in personal}
        named = sorted({*inputs.personal_known, *personal})
        return replace(inputs, facts=facts, personal_known=tuple(named))


def _merged(
    stored: DecisionInputs, before: DecisionInputs, after: DecisionInputs
) -> DecisionInputs:
    """Replace in `stored` what differs between `before` and `after`."""
    changes: dict[str, Any] = {
        one.name: getattr(after, one.name)
        for one in fields(stored)
        if one.name not in _MERGED and getattr(before, one.name) != getattr(after, one.name)
    }
    known_then, known_now = set(before.personal_known), set(after.personal_known)
    named = (set(stored.personal_known) | (known_now - known_then)) - (known_then - known_now)
    return replace(
        stored,
        facts=_facts(stored.facts, before.facts, after.facts),
        observed=_observed(stored.observed, before.observed, after.observed),
        personal_known=tuple(sorted(named)),
        verdict=_verdict(stored.verdict, before.verdict, after.verdict),
        **changes,
    )


def _facts(stored: Facts, before: Facts, after: Facts) -> Facts:
    found = dict(stored)
    for label in {*before, *after}:
        value = after.get(label)
        if before.get(label) == value:
            continue
        if known(value):
            found[label] = value
        else:
            found.pop(label, None)
    return found


def _observed(
    stored: Mapping[str, bool], before: Mapping[str, bool], after: Mapping[str, bool]
) -> Mapping[str, bool]:
    """Return the outcomes of the other policy's tests: the recorded ones where nothing differs."""
    return {
        test: stored[test] if test in stored and before.get(test) == outcome else outcome
        for test, outcome in after.items()
    }


def _verdict(stored: Verdict, before: Verdict, after: Verdict) -> Verdict:
    new = [one for one in after.failures if one not in before.failures]
    over: set[Failure] = set(before.failures) - set(after.failures)
    failures = (*(one for one in stored.failures if one not in over and one not in new), *new)
    return Verdict(ok=not failures, failures=failures)
