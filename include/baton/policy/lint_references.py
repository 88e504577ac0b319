"""Names that one part of a policy uses for another: do they exist?"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from baton.policy.crm_models import WRITTEN_BACK
from baton.policy.findings import Finding, Level
from baton.policy.metric_names import METRIC_NAMES
from baton.policy.models import Policy
from baton.policy.parts import Path, conditions, label_mentions
from baton.policy.reading import did_you_mean
from baton.policy.targets import Target, TargetKind


def references_exist(policy: Policy) -> Iterator[Finding]:
    """Yield what is named but not there: fields, pools, queues, bands, triggers, channels, clocks."""
    yield from _labels(policy)
    for at, target in targets(policy):
        if target.kind is TargetKind.POOL:
            yield from _known("pool", target.name, policy.pools, (*at, "pool"))
        elif target.kind is TargetKind.QUEUE:
            yield from _known("queue", target.name, policy.queues, (*at, "queue"))
    for name, trigger in policy.triggers.items():
        path: Path = ("triggers", name)
        yield from _known("band", trigger.band, policy.bands, (*path, "band"))
        yield from _known("channel", trigger.channel, policy.channels, (*path, "channel"))
        yield from _known("clock under 'sla'", trigger.sla, policy.sla, (*path, "sla"))
    for name, band in policy.bands.items():
        yield from _known("channel", band.channel, policy.channels, ("bands", name, "channel"))
    if policy.digest is not None and policy.digest.channel is not None:
        channel = policy.digest.channel
        yield from _known("channel", channel, policy.channels, ("digest", "channel"))
    occasions = {"always", *policy.triggers, *policy.bands}
    for key in policy.required:
        yield from _known("trigger or band", key, occasions, ("required", key))
    if policy.imports is not None:
        yield from _known("clock under 'sla'", policy.imports.sla, policy.sla, ("imports", "sla"))
    for key in policy.sla:
        yield from _known("band or trigger", key, _clock_keys(policy), ("sla", key))
    yield from _words_of_facts(policy)
    yield from _what_baton_knows(policy)
    yield from _recipients_have_a_pool(policy)


def targets(policy: Policy) -> Iterator[tuple[Path, Target]]:
    """Yield everybody that the routing ladder points at, with the path."""
    for at, route in enumerate(policy.route):
        yield ("route", at, "otherwise" if route.fallback else "to"), route.to
        if route.if_nobody is not None:
            yield ("route", at, "if_nobody"), route.if_nobody


def _what_baton_knows(policy: Policy) -> Iterator[Finding]:
    """Check the names of what Baton itself measures, writes and keeps quiet about."""
    for what in policy.write_back.properties:
        path: Path = ("write_back", "properties", what)
        yield from _known("value to write back", what, WRITTEN_BACK, path, in_full=True)
    for side in ("marketing", "sales"):
        for at, commitment in enumerate(getattr(policy.commitments, side)):
            path = ("commitments", side, at)
            yield from _known("metric", commitment.metric, METRIC_NAMES, (*path, "metric"))
            yield from _known("band", commitment.band, policy.bands, (*path, "band"))
    if policy.quiet_hours is not None:
        quiet = policy.quiet_hours
        for at, band in enumerate(quiet.except_bands):
            yield from _known("band", band, policy.bands, ("quiet_hours", "except_bands", at))
        for at, trigger in enumerate(quiet.except_triggers):
            path = ("quiet_hours", "except_triggers", at)
            yield from _known("trigger", trigger, policy.triggers, path)


def _recipients_have_a_pool(policy: Policy) -> Iterator[Finding]:
    """Warn of a role that a trigger or band asks for and that no pool has."""
    roles = {pool.recipient for pool in policy.pools.values() if pool.recipient}
    asked = [(("triggers", name), one.recipient) for name, one in policy.triggers.items()]
    asked += [(("bands", name), one.recipient) for name, one in policy.bands.items()]
    for path, recipient in asked:
        if recipient is not None and recipient not in roles:
            message = f"no pool has the recipient '{recipient}'"
            hint = did_you_mean(recipient, roles) or f"say recipient: {recipient} for a pool"
            yield Finding(
                Level.WARNING, "recipient-without-pool", message, (*path, "recipient"), hint
            )


def _clock_keys(policy: Policy) -> set[str]:
    named = {trigger.sla for trigger in policy.triggers.values() if trigger.sla}
    imported = {policy.imports.sla} if policy.imports and policy.imports.sla else set()
    return {*policy.bands, *policy.triggers, *named, *imported}


def _labels(policy: Policy) -> Iterator[Finding]:
    for path, label in label_mentions(policy):
        yield from _known("field", label, policy.fields, path)
    for path, condition in conditions(policy):
        for label in sorted(condition.labels()):
            yield from _known("field", label, policy.fields, path)


def _words_of_facts(policy: Policy) -> Iterator[Finding]:
    """Check conditions on derived facts whose values the policy itself defines."""
    named = [trigger.recipient for trigger in policy.triggers.values()]
    named += [band.recipient for band in policy.bands.values()]
    recipients = {recipient for recipient in named if recipient}
    defined: dict[str, Collection[str]] = {
        "Band": policy.bands,
        "Trigger": policy.triggers,
        "Territory": policy.territories.names(),
        "Segment": {group.name for group in policy.segments},
        "Product line": {group.name for group in policy.product_lines},
        "Deal size": {group.name for group in policy.deal_sizes},
        "Recipient": recipients,
    }
    for path, condition in conditions(policy):
        for test in condition.tests():
            operands = test.operand if isinstance(test.operand, tuple) else (test.operand,)
            for operand in operands:
                if test.label in defined and isinstance(operand, str):
                    yield from _known(
                        test.label.lower(), operand, defined[test.label], (*path, test.label)
                    )


def _known(
    what: str, name: str | None, known: Collection[str], path: Path, *, in_full: bool = False
) -> Iterator[Finding]:
    if name is not None and name not in known:
        hint = did_you_mean(name, known)
        if hint is None and in_full:
            hint = f"known are: {', '.join(known)}"
        yield Finding(Level.ERROR, "unknown-name", f"there is no {what} '{name}'", path, hint)
