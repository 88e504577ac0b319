"""Does what the policy says of leads' data fit its fields: answers kept, enrichment, drift."""

from __future__ import annotations

from collections.abc import Iterator

from baton.policy.fields import FieldType
from baton.policy.findings import Finding, Level
from baton.policy.models import Policy

_FREE_TEXT = (FieldType.TEXT, FieldType.CHOICE, FieldType.LIST)


def data_rules_fit(policy: Policy) -> Iterator[Finding]:
    """Yield what is asked of fields that cannot give it."""
    yield from _profile(policy)
    yield from _enrichment(policy)
    yield from _drift(policy)


def _profile(policy: Policy) -> Iterator[Finding]:
    for at, label in enumerate(policy.profile.keep):
        field = policy.fields.get(label)
        if field is not None and field.derived:
            message = f"'{label}' is worked out by Baton: it is no answer that could be kept"
            yield Finding(Level.ERROR, "not-an-answer", message, ("profile", "keep", at))


def _enrichment(policy: Policy) -> Iterator[Finding]:
    seen: set[str] = set()
    for at, step in enumerate(policy.enrichment):
        if step.provider in seen:
            message = f"the provider '{step.provider}' stands here twice"
            yield Finding(Level.ERROR, "twice", message, ("enrichment", at, "provider"))
        seen.add(step.provider)
        for label in step.fills:
            field = policy.fields.get(label)
            path = ("enrichment", at, "fills", label)
            if field is not None and field.personal:
                message = f"'{label}' is personal: providers are asked about companies only"
                yield Finding(Level.ERROR, "personal", message, path)
            elif field is not None and field.derived:
                message = f"'{label}' is worked out by Baton: a provider cannot fill it"
                yield Finding(Level.ERROR, "derived", message, path)


def _drift(policy: Policy) -> Iterator[Finding]:
    values = policy.drift.new_values if policy.drift is not None else None
    for at, label in enumerate(values.fields if values else ()):
        field = policy.fields.get(label)
        path = ("drift", "new_values", "fields", at)
        if field is not None and field.personal:
            message = f"'{label}' is personal: its values are not to be shown"
            yield Finding(Level.ERROR, "personal", message, path)
        elif field is not None and field.type not in _FREE_TEXT:
            message = f"'{label}' is a {field.type.value}: each of its values is new"
            hint = "watch fields with few values, such as choices"
            yield Finding(Level.WARNING, "always-new", message, path, hint)
