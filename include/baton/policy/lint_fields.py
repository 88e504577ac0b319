"""Fields: can what is required ever be known?"""

from __future__ import annotations

from collections.abc import Iterator

from baton.policy.fields import DERIVED_FACTS, OUTCOME_FACTS
from baton.policy.findings import Finding, Level
from baton.policy.models import Policy
from baton.policy.parts import Path
from baton.policy.reading import did_you_mean


def fields_have_a_source(policy: Policy) -> Iterator[Finding]:
    """Yield derived fields that Baton does not work out, and what is required and never known."""
    known = DERIVED_FACTS | {label for step in policy.enrichment for label in step.fills}
    unknown = {name for name, field in policy.fields.items() if field.derived} - known
    for name in policy.fields:
        if name in unknown:
            message = f"nothing provides '{name}': Baton works out no such fact"
            hint = did_you_mean(name, known) or "name its HubSpot property: hubspot: ..."
            yield Finding(Level.WARNING, "no-source", message, ("fields", name), hint)
    yield from _one_label_each(policy)
    for path, label in _required(policy):
        if label in unknown:
            message = f"'{label}' is required, and nothing provides it"
            hint = "no lead could ever be handed off: name its HubSpot property under 'fields'"
            yield Finding(Level.ERROR, "required-without-source", message, path, hint)
        elif label in OUTCOME_FACTS:
            message = f"'{label}' is found out by the decision itself: it cannot be required before"
            yield Finding(Level.ERROR, "required-without-source", message, path, "take it out")


def _one_label_each(policy: Policy) -> Iterator[Finding]:
    """Labels are read without regard to case; and of one property one label is enough."""
    labels: dict[str, str] = {}
    names: dict[tuple[str, str], str] = {}
    for label, field in policy.fields.items():
        other = labels.setdefault(" ".join(label.split()).casefold(), label)
        if other != label:
            message = f"'{label}' and '{other}' are one label: upper and lower case do not count"
            yield Finding(Level.ERROR, "twice", message, ("fields", label), "rename one of them")
        for system, name in (
            (f"HubSpot {field.object}", field.hubspot),
            ("Salesforce", field.salesforce),
        ):
            first = names.setdefault((system, name), label) if name else label
            if first != label:
                message = f"'{label}' and '{first}' are the same {system} field '{name}'"
                hint = "keep one of them, or mend the name"
                yield Finding(Level.WARNING, "twice", message, ("fields", label), hint)


def _required(policy: Policy) -> Iterator[tuple[Path, str]]:
    for key, labels in policy.required.items():
        yield from ((("required", key, at), label) for at, label in enumerate(labels))
    for name, trigger in policy.triggers.items():
        path: Path = ("triggers", name, "required")
        yield from (((*path, at), label) for at, label in enumerate(trigger.required))
    for name, stage in policy.stages.items():
        yield from ((("stages", name, "needs", at), one) for at, one in enumerate(stage.needs))
