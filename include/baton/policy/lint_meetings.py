"""Booked meetings: can the decision read them, and does a rule use them?"""

from __future__ import annotations

from collections.abc import Iterator

from baton.policy.fields import FieldType
from baton.policy.findings import Finding, Level
from baton.policy.models import Policy
from baton.policy.targets import TargetKind

_INSTANTS = {FieldType.DATE, FieldType.DATETIME}


def meetings_can_be_read(policy: Policy) -> Iterator[Finding]:
    """Yield fields that hold no instant or a personal value, and a section without its rule."""
    rules = [at for at, one in enumerate(policy.route) if one.to.kind is TargetKind.MEETING_HOST]
    meetings = policy.meetings
    if meetings is None:
        for at in rules:
            message = "the policy does not say where a booked meeting stands"
            hint = "write meetings: {booked_at: FIELD, host: FIELD}"
            yield Finding(Level.ERROR, "no-meetings", message, ("route", at, "to"), hint)
        return
    booked, host = policy.fields.get(meetings.booked_at), policy.fields.get(meetings.host)
    if booked is not None and booked.type not in _INSTANTS:
        message = f"'{booked.label}' holds no instant: it is a {booked.type}"
        yield Finding(Level.ERROR, "wrong-type", message, ("meetings", "booked_at"))
    if host is not None and host.personal:
        message = f"'{host.label}' is personal: the decision never sees its value"
        hint = "name the field with the colleague's e-mail"
        yield Finding(Level.ERROR, "personal", message, ("meetings", "host"), hint)
    if not rules:
        message = "no rule sends a lead with a booked meeting to its host"
        hint = "add - {id: meeting, when: meeting booked, to: meeting host}"
        yield Finding(Level.WARNING, "unused-meetings", message, ("meetings",), hint)
