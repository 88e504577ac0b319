"""Changing a fact together with everything that follows from it.

Territory follows from Country, Segment from Company size: whoever asks "what if the company were
larger?" must get the segment of a larger company, or the answer is about a lead that cannot be.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from baton.decision.inputs import DecisionInputs, personal_labels
from baton.leads.enrichment import enrich
from baton.leads.meetings import meeting_facts
from baton.leads.model import LeadSnapshot
from baton.leads.permission import Permissions, permissions
from baton.leads.verdict import Verdict
from baton.policy.conditions import Condition
from baton.policy.facts import Facts, FactValue, known
from baton.policy.models import Policy


@dataclass(frozen=True, slots=True)
class FactChange:
    """One fact that is another; `after` None: not known.

    `condition`: what the new value meets, in words. `only_known`: no more is said than that it is
    known; of a personal fact the value is not there either.
    """

    label: str
    before: FactValue
    after: FactValue
    condition: str = ""
    only_known: bool = False


@dataclass(frozen=True, slots=True)
class FactsThatFollow:
    """The facts of recorded inputs, parted into those that stand for themselves and the rest."""

    inputs: DecisionInputs
    policy: Policy
    roots: Facts

    @classmethod
    def of(cls, inputs: DecisionInputs, policy: Policy) -> FactsThatFollow:
        """Find out which facts follow: those that the others give back when they are taken away.

        A derived fact whose source is not stored (what an e-mail address told) stands for itself.
        """
        roots = dict(inputs.facts)
        for label in list(roots):
            field = policy.fields.get(label)
            if field is None or not field.derived:
                continue
            without = {name: value for name, value in roots.items() if name != label}
            if _complete(without, inputs, policy) == inputs.facts:
                roots = without
        return cls(inputs, policy, roots)

    def with_changes(
        self, changes: Sequence[FactChange], *, at: datetime | None = None
    ) -> DecisionInputs:
        """Return the inputs as they would have been, with what follows worked out anew.

        `at`: decided at another moment.
        """
        personal = personal_labels(self.policy)
        roots = dict(self.roots)
        for change in changes:
            roots.pop(change.label, None)
            if known(change.after) and change.label not in personal:
                roots[change.label] = change.after
        captured = self._captured(roots, changes)
        moment = at or self.inputs.decided_at
        asked = replace(self.inputs, captured_at=captured, decided_at=moment)
        facts = _complete(roots, asked, self.policy)
        labels = {change.label for change in changes}
        moved = labels | {
            label
            for label in {*facts, *self.inputs.facts}
            if facts.get(label) != self.inputs.facts.get(label)
        }
        seen = {one.label for one in changes if one.only_known and one.label in personal}
        return replace(
            asked,
            facts=facts,
            verdict=_without(self.inputs.verdict, moved),
            permissions=self._permissions(facts, moment),
            personal_known=tuple(sorted({*self.inputs.personal_known, *seen})),
        )

    def _captured(self, roots: Facts, changes: Sequence[FactChange]) -> datetime:
        """Return when a hand was last raised, where the changes say anything about that."""
        raises = self.policy.hand_raise_times
        if not any(change.label in raises for change in changes):
            return self.inputs.captured_at
        instants = [at for label in raises if isinstance(at := roots.get(label), datetime)]
        return max(instants, default=self.inputs.captured_at)

    def _permissions(self, facts: Facts, moment: datetime) -> Permissions | None:
        """Return the permissions with these facts; the recorded ones where these hang on a person."""
        if self.inputs.permissions is None or not self._public_permissions:
            return self.inputs.permissions
        return permissions(facts, self.policy, moment)

    @property
    def _public_permissions(self) -> bool:
        """Tell whether the public facts alone give the permissions that were recorded."""
        found = permissions(self.inputs.facts, self.policy, self.inputs.decided_at)
        return found == self.inputs.permissions

    def untouchable(self) -> frozenset[str]:
        """Return the labels that cannot be changed, because permissions may hang on them.

        Permissions were judged with personal facts, which are not stored. Where a rule reads both
        kinds, or the stored answer is not what the public facts give, its labels stay as they are.
        """
        personal = personal_labels(self.policy)
        rules = list(_of_permission(self.policy))
        mixed = {label for rule in rules if rule.labels() & personal for label in rule.labels()}
        if self.inputs.permissions is not None and not self._public_permissions:
            mixed |= {label for rule in rules for label in rule.labels()}
        return frozenset(mixed)


def _complete(roots: Facts, inputs: DecisionInputs, policy: Policy) -> Facts:
    """Work out what follows from `roots`, as it was done when the lead was read."""
    snapshot = LeadSnapshot(
        hubspot_id=inputs.lead_key,
        modified_at=inputs.decided_at,
        seen_at=inputs.decided_at,
        captured_at=inputs.captured_at,
        properties={},
    )
    personal = personal_labels(policy)
    found = dict(enrich(roots, snapshot, policy).facts)
    found |= meeting_facts(policy.meetings, found, inputs.decided_at)
    return {
        label: value for label, value in found.items() if label not in personal and known(value)
    }


def _without(verdict: Verdict, labels: Iterable[str]) -> Verdict:
    """Return the verdict without the failures of facts that are others now."""
    changed = frozenset(labels)
    failures = tuple(one for one in verdict.failures if one.label not in changed)
    return Verdict(not failures, failures)


def _of_permission(policy: Policy) -> Iterable[Condition]:
    wanted = policy.permission
    for condition in (wanted.hand_off_unless, wanted.email_unless, wanted.call_unless):
        if condition is not None:
            yield condition
    yield from (rule.when for rule in policy.suppress)
