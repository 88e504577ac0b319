"""Reason codes: each leads on, silence is never the end, and nothing goes round for ever."""

from __future__ import annotations

import re
from collections.abc import Iterator

from baton.policy.actions import ActionKind, MustGive, ReturnRule
from baton.policy.findings import Finding, Level
from baton.policy.models import Disposition, Outcome, Policy

_SILENCE = re.compile(
    r"\b(no|without)[ _-]?(reply|response|answer|contact)"
    r"|\b(never|not|n't|did ?n.t)[ _-](replied|reply|responded|respond|answered|answer|reached)"
    r"|\b(un(responsive|reachable)|silen(t|ce)|ghosted)\b",
    re.IGNORECASE,
)
_FINAL = {ActionKind.DISQUALIFY, ActionKind.REMOVE_FROM_MARKETING}
_FITTING = {
    Outcome.ACCEPTED: {ActionKind.ACCEPT},
    Outcome.RECYCLE: {ActionKind.RECYCLE, ActionKind.NURTURE_LIST, ActionKind.KEEP_WORKING},
    Outcome.DISQUALIFIED: _FINAL,
}


def is_silence(code: Disposition) -> bool:
    """Tell whether a reason says only that the buyer did not answer."""
    return bool(_SILENCE.search(code.code) or _SILENCE.search(code.rep_sees))


def dispositions_lead_on(policy: Policy) -> Iterator[Finding]:
    """Yield dead ends, endless rounds and reasons that a rep could not tell apart."""
    shown: dict[str, str] = {}
    for name, code in policy.dispositions.items():
        other = shown.setdefault(code.rep_sees.casefold(), name)
        if other != name:
            message = f"'{name}' and '{other}' look the same to the rep: '{code.rep_sees}'"
            yield _error("twice", name, "rep_sees", message)
        yield from _fits_its_outcome(name, code)
        yield from _silence_is_not_the_end(name, code)
        yield from _comes_back(name, code)
    yield from _all_outcomes_can_be_given(policy)


def _fits_its_outcome(name: str, code: Disposition) -> Iterator[Finding]:
    fitting = _FITTING[code.outcome]
    if code.action.kind not in fitting:
        words = " or ".join(sorted(kind.value.replace("_", " ") for kind in fitting))
        message = f"the outcome '{code.outcome}' cannot be followed by '{_said(code)}'"
        yield _error("reason-without-action", name, "then", message, f"it leads to {words}")
    if code.action.kind is ActionKind.NURTURE_LIST and not code.action.list:
        yield _error("reason-without-action", name, "then", "which nurture list?")


def _silence_is_not_the_end(name: str, code: Disposition) -> Iterator[Finding]:
    if not is_silence(code):
        return
    if code.outcome is not Outcome.RECYCLE:
        message = f"'{name}': no response is never an outcome of its own; it can only recycle"
        yield _error("silence-is-final", name, "outcome", message, "outcome: recycle")
    if code.then_after_cap is not None and code.then_after_cap.kind in _FINAL:
        message = f"'{name}': no response must not end the lead, not even after several rounds"
        yield _error("silence-is-final", name, "after_that", message, "after_that: {nurture: ...}")
    if code.allowed_after is None:
        message = f"'{name}' may be given without any work done"
        hint = "allowed_after: 6 touches over 10 days"
        yield Finding(Level.WARNING, "no-work", message, ("dispositions", name), hint)


def _comes_back(name: str, code: Disposition) -> Iterator[Finding]:
    if code.outcome is not Outcome.RECYCLE:
        return
    rule = code.returns.rule if code.returns else None
    if rule is ReturnRule.ON_THAT_DATE and code.must_give is not MustGive.DATE:
        message = f"'{name}' returns on a date that nobody has to give"
        yield _error("dead-end", name, "returns", message, "add must_give: date")
    if (
        rule is None
        and code.return_days is None
        and code.action.kind is not ActionKind.KEEP_WORKING
    ):
        message = f"'{name}' sends the lead back and never returns it"
        hint = "add returns: 'on that date', 'after 60 days' or 'on a new hand raise'"
        yield _error("dead-end", name, "returns", message, hint)
    if code.then_after_cap is not None and code.then_after_cap.kind is ActionKind.RECYCLE:
        message = f"after its last round '{name}' only begins another one"
        hint = "after_that: {nurture: LIST} or disqualify"
        yield _error("unbounded-recycle", name, "after_that", message, hint)
    by_itself = rule is ReturnRule.AFTER_DAYS or (rule is None and code.return_days is not None)
    if by_itself and (code.at_most is None or code.then_after_cap is None):
        message = f"'{name}' may send a lead round and round"
        hint = "say at_most: how often, and after_that: what then"
        yield _error("unbounded-recycle", name, "then", message, hint)


def _all_outcomes_can_be_given(policy: Policy) -> Iterator[Finding]:
    given = {code.outcome for code in policy.dispositions.values()}
    for outcome in Outcome:
        if outcome not in given:
            message = f"no reason code has the outcome '{outcome}'"
            yield Finding(Level.ERROR, "missing-outcome", message, ("dispositions",))


def _said(code: Disposition) -> str:
    return code.action.kind.value.replace("_", " ")


def _error(kind: str, name: str, key: str, message: str, hint: str | None = None) -> Finding:
    return Finding(Level.ERROR, kind, message, ("dispositions", name, key), hint)
