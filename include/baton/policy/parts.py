"""Walks over a policy: every condition and every mention of a label, with its path in the YAML."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from baton.policy.conditions import Condition
from baton.policy.models import Policy, ScoreRule
from baton.policy.phrases import slots

Path = tuple[str | int, ...]


def conditions(policy: Policy) -> Iterator[tuple[Path, Condition]]:
    """Yield every condition of the policy with its path."""
    for path, rule in score_rules(policy):
        yield (*path, "when"), rule.when
    for name, trigger in policy.triggers.items():
        yield ("triggers", name, "when"), trigger.when
    for at, suppression in enumerate(policy.suppress):
        yield ("suppress", at, "when"), suppression.when
    for at, route in enumerate(policy.route):
        if not route.fallback:
            yield ("route", at, "when"), route.when
    for name in ("segments", "product_lines", "deal_sizes"):
        for at, group in enumerate(getattr(policy, name)):
            yield (name, at, "when"), group.when
    for at, opening in enumerate(policy.enablement.openings):
        yield ("enablement", "openings", at, "when"), opening.when
    for at, content in enumerate(policy.enablement.content):
        yield ("enablement", "content", at, "when"), content.when
    yield from _single_conditions(policy)


def _single_conditions(policy: Policy) -> Iterator[tuple[Path, Condition]]:
    permission = policy.permission
    for name in ("hand_off_unless", "email_unless", "call_unless"):
        condition = getattr(permission, name)
        if condition is not None:
            yield ("permission", name), condition
    if policy.customers is not None:
        yield ("customers", "when"), policy.customers.when
    for at, tester in enumerate(policy.testers):
        yield ("testers", at, "when"), tester.when
    if policy.imports is not None:
        yield ("imports", "when"), policy.imports.when


def score_rules(policy: Policy) -> Iterator[tuple[Path, ScoreRule]]:
    """Yield every score rule with its path."""
    for half, rules in (("fit", policy.scoring.fit), ("intent", policy.scoring.intent)):
        for at, rule in enumerate(rules):
            yield ("score", half, at), rule


def label_mentions(policy: Policy) -> Iterator[tuple[Path, str]]:
    """Yield every label that is named outside conditions, with its path."""
    yield from _mentions_of_fields(policy)
    yield from _mentions_of_scores(policy)
    yield from _mentions_in_words(policy)
    for name, stage in policy.stages.items():
        yield from _listed(("stages", name, "needs"), stage.needs)
    for name, trigger in policy.triggers.items():
        yield from _listed(("triggers", name, "required"), trigger.required)
        if trigger.at is not None:
            yield ("triggers", name, "at"), trigger.at
    for name, pool in policy.pools.items():
        yield from _listed(("pools", name, "fit_by"), pool.fit_by)
    if policy.meetings is not None:
        yield ("meetings", "booked_at"), policy.meetings.booked_at
        yield ("meetings", "host"), policy.meetings.host


def _mentions_of_fields(policy: Policy) -> Iterator[tuple[Path, str]]:
    yield from _listed(("hand_raise_times",), policy.hand_raise_times)
    yield from _listed(("recommended",), policy.recommended)
    for name, field in policy.fields.items():
        if field.else_from is not None:
            yield ("fields", name, "else_from"), field.else_from
    for key, labels in policy.required.items():
        yield from _listed(("required", key), labels)
    yield from _mentions_of_data(policy)


def _mentions_of_data(policy: Policy) -> Iterator[tuple[Path, str]]:
    yield from _listed(("profile", "keep"), policy.profile.keep)
    for at, step in enumerate(policy.enrichment):
        yield from ((("enrichment", at, "fills", label), label) for label in step.fills)
    drift = policy.drift
    if drift is not None and drift.nulls is not None:
        yield from _listed(("drift", "nulls", "fields"), drift.nulls.fields)
    if drift is not None and drift.new_values is not None:
        yield from _listed(("drift", "new_values", "fields"), drift.new_values.fields)


def _mentions_in_words(policy: Policy) -> Iterator[tuple[Path, str]]:
    for path, text in sentences(policy):
        yield from ((path, label) for label in slots(text))


def sentences(policy: Policy) -> Iterator[tuple[Path, str]]:
    """Yield every sentence into which values of a lead are put, with its path."""
    for path, rule in score_rules(policy):
        yield (*path, "say"), rule.say
    for at, opening in enumerate(policy.enablement.openings):
        yield ("enablement", "openings", at, "say"), opening.say
    for at, content in enumerate(policy.enablement.content):
        yield ("enablement", "content", at, "title"), content.title
    for at, suppression in enumerate(policy.suppress):
        yield ("suppress", at, "say"), suppression.say
    for at, route in enumerate(policy.route):
        yield ("route", at, "say"), route.say


def _mentions_of_scores(policy: Policy) -> Iterator[tuple[Path, str]]:
    for path, rule in score_rules(policy):
        for name, label in (("since", rule.since), ("for_each", rule.for_each)):
            if label is not None:
                yield (*path, name), label


def _listed(path: Path, labels: Iterable[str]) -> Iterator[tuple[Path, str]]:
    for at, label in enumerate(labels):
        yield (*path, at), label
