"""What people change most in a policy, in sentences of its own: section by section.

A sentence that finds nothing to say answers None; the difference is then told with its path.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from decimal import Decimal

from baton.policy.actions import Returns
from baton.policy.conditions import Condition
from baton.policy.difference import Difference, Kind
from baton.policy.durations import Duration
from baton.policy.plain_words import entries, phrase, shown
from baton.policy.route_models import Lapse
from baton.policy.score_models import Band, ScoreRule, Trigger
from baton.policy.terms_models import Disposition, SlaTerms, Timer
from baton.policy.wording import (
    action_in_words,
    condition_in_words,
    counted,
    edge_in_words,
    joined,
    length_in_words,
    list_name,
    points_in_words,
    return_in_words,
)


def are_names(value: object) -> bool:
    return isinstance(value, AbstractSet)


def set_change(before: object, after: object) -> str:
    """Say which names came and went."""
    old = {str(part) for part in before} if isinstance(before, Iterable) else set()
    new = {str(part) for part in after} if isinstance(after, Iterable) else set()
    told = []
    for verb, names in (("added", sorted(new - old)), ("removed", sorted(old - new))):
        if names:
            told.append(f"{counted(len(names), 'entry', 'entries')} {verb} ({entries(names)})")
    return joined(told) or "the same entries, written otherwise"


def instead(after: object, before: object) -> str:
    new, old = shown(after), shown(before)
    if new == old:
        return f"written otherwise: {after!r}, before {before!r}"
    return f"{new} instead of {old}"


def before_what(following: object) -> str:
    return f"before '{following}'" if following else "last"


Words = Callable[[Difference], str | None]


def _came_or_went(one: Difference, name: str, told: Callable[[object], str]) -> str | None:
    """Say that a named part is new, gone, or stands elsewhere in the order; else None."""
    match one.kind:
        case Kind.ADDED:
            return f"{name} is new: {told(one.after)}"
        case Kind.REMOVED:
            return f"{name} is gone. It said: {told(one.before)}"
        case Kind.MOVED:
            return f"{name} now comes {before_what(one.after)}"
    return None


def _score_rule(value: object) -> str:
    if not isinstance(value, ScoreRule):
        return shown(value)
    sign = points_in_words(value.points)
    return f"{sign} points when {condition_in_words(value.when)}"


def _score(one: Difference) -> str | None:
    if len(one.path) < 3:
        return None
    half, rule = one.path[1], one.path[2]
    if half == "groups":
        if len(one.path) == 4 and one.path[3] == "at_most":
            return f"the group '{rule}' gives at most {instead(one.after, one.before)} points"
        return _came_or_went(one, f"the ceiling of the group '{rule}'", shown)
    subject = f"the rule '{rule}' ({half})"
    if len(one.path) == 3:
        return _came_or_went(one, subject, _score_rule)
    sentences: dict[str | int, str] = {
        "points": f"{subject} gives {shown(one.after)} points instead of {shown(one.before)}",
        "when": f"{subject} now counts when {shown(one.after)}; before, when {shown(one.before)}",
        "say": f"{subject} now tells the rep {shown(one.after)}; before, {shown(one.before)}",
        "halves_every": f"the points of {subject} halve every {_instead_never(one)}",
        "group": f"{subject} now belongs to the group {instead(one.after, one.before)}",
        "up_to": f"{subject} counts at most {instead(one.after, one.before)} times",
        "for_each": f"{subject} now counts for each {instead(one.after, one.before)}",
    }
    return sentences.get(one.path[3])


def _instead_never(one: Difference) -> str:
    after = length_in_words(one.after) if isinstance(one.after, Duration) else "never"
    before = length_in_words(one.before) if isinstance(one.before, Duration) else "never"
    return f"{after} instead of {before}"


def _band(one: Difference) -> str | None:
    name = f"the band '{one.path[1]}'" if len(one.path) > 1 else "the bands"
    if len(one.path) == 2:
        return _came_or_went(one, name, lambda v: edge_in_words(v) if isinstance(v, Band) else "")
    old, new = one.holder_before, one.holder
    match one.path[2] if len(one.path) > 2 else None:
        case "above" | "from_" if isinstance(old, Band) and isinstance(new, Band):
            return f"{name} now begins {edge_in_words(new)} instead of {edge_in_words(old)}"
        case "stays_above":
            return _stays(name, one)
        case "hands_off":
            does = "now hands a lead to sales" if one.after else "no longer hands a lead to sales"
            return f"{name} {does} on its own"
    return None


def _stays(name: str, one: Difference) -> str:
    """Say down to which score a lead keeps its band; that score itself has left it."""
    if one.after is None:
        return f"{name} is now left at its edge; it was kept above {shown(one.before)}"
    if one.before is None:
        return f"{name} is now kept while the score is above {shown(one.after)}"
    return f"{name} is kept while the score is above {instead(one.after, one.before)}"


def _trigger(one: Difference) -> str | None:
    if len(one.path) < 2:
        return None
    holder = one.holder or one.holder_before
    label = holder.label if isinstance(holder, Trigger) else str(one.path[1])
    name = f"the trigger '{label}'"
    if len(one.path) == 2:
        value = one.after or one.before
        name = f"the trigger '{value.label}'" if isinstance(value, Trigger) else name
        return _came_or_went(
            one, name, lambda v: condition_in_words(v.when) if isinstance(v, Trigger) else shown(v)
        )
    match one.path[2]:
        case "when":
            return f"{name} now fires when {shown(one.after)}; before, when {shown(one.before)}"
        case "recipient":
            return f"{name} now goes to {instead(one.after, one.before)}"
        case "channel":
            return f"{name} is told in the channel {instead(one.after, one.before)}"
        case "hands_off":
            does = "now hands a lead to sales" if one.after else "no longer hands a lead to sales"
            return f"{name} {does} on its own"
        case "min_score":
            return f"{name} needs a score of at least {instead(one.after, one.before)}"
    return None


def _route(one: Difference) -> str | None:
    if len(one.path) < 2:
        return None
    name = f"the route rule '{one.path[1]}'"
    if len(one.path) == 2:
        return _came_or_went(one, name, _route_rule)
    match one.path[2]:
        case "when":
            return f"{name} now applies when {shown(one.after)}; before, when {shown(one.before)}"
        case "to":
            old, new = one.holder_before, one.holder
            return f"{name} now sends to {_whom(new, 'to')}, before to {_whom(old, 'to')}"
        case "if_nobody":
            old, new = _whom(one.holder_before, "if_nobody"), _whom(one.holder, "if_nobody")
            return f"{name}: if nobody is there, the lead goes to {new}, before to {old}"
        case "change_owner":
            does = "changes" if one.after else "no longer changes"
            return f"{name} {does} the owner in Salesforce"
        case "reassign":
            does = "keeps" if one.after == Lapse.NEVER else "no longer keeps"
            return f"{name}: who gets the lead {does} it when the clock runs out"
    return None


def _route_rule(value: object) -> str:
    when, to = getattr(value, "when", None), getattr(value, "to", None)
    if not isinstance(when, Condition):
        return shown(value)
    return f"{condition_in_words(when)} → {shown(to)}"


def _whom(rule: object, part: str) -> str:
    target = getattr(rule, part, None)
    if target is None:
        return "the next rule" if part == "if_nobody" else "nobody"
    return shown(target)


_STEPS = {
    "first_touch": "a person of sales must answer within",
    "remind_at": "the owner is reminded after",
    "tell_manager_at": "the manager is told after",
    "reassign_at": "the lead goes to somebody else after",
}


def _sla(one: Difference) -> str | None:
    if len(one.path) < 2:
        return None
    name = f"'{one.path[1]}'"
    if len(one.path) == 2:
        return _came_or_went(one, f"the response time of {name}", _terms)
    step = _STEPS.get(str(one.path[2]))
    return f"for {name}, {step} {_instead_never(one)}" if step and len(one.path) == 3 else None


def _terms(value: object) -> str:
    if not isinstance(value, SlaTerms):
        return shown(value)
    return f"first answer within {length_in_words(value.first_touch)}"


def _disposition(one: Difference) -> str | None:
    if len(one.path) < 2:
        return None
    name = f"the reason code '{one.path[1]}'"
    if len(one.path) == 2:
        return _came_or_went(
            one, name,
            lambda v: f"{v.rep_sees}: {action_in_words(v.action)}" if isinstance(v, Disposition) else "",
        )  # fmt: skip
    old, new = one.holder_before, one.holder
    if not (isinstance(old, Disposition) and isinstance(new, Disposition)):
        return None
    match one.path[2]:
        case "action":
            return _both(f"after {name}", action_in_words(new.action), action_in_words(old.action))
        case "rep_sees":
            return f"{name} now reads {instead(new.rep_sees, old.rep_sees)} for the rep"
        case "allowed_after":
            work = instead(new.allowed_after, old.allowed_after)
            return f"{name} may be used after {work}"
        case "at_most":
            return (
                f"{name} may send a lead back {_times(new.at_most)}, before {_times(old.at_most)}"
            )
        case "returns":
            return _both(f"a lead with {name} returns", _or(new.returns), _or(old.returns))
    return None


def _both(subject: str, now: str, before: str) -> str | None:
    return f"{subject}: {now}; before: {before}" if now != before else None


def _or(returns: Returns | None) -> str:
    return return_in_words(returns) if returns else "as its action says"


def _times(number: int | None) -> str:
    return "without limit" if number is None else f"at most {counted(number, 'time')} in a row"


def _timer(one: Difference) -> str | None:
    if len(one.path) < 2:
        return None
    state = f"a lead that is {phrase(one.path[1])}"
    if len(one.path) == 3 and one.path[2] == "after":
        return f"{state} waits at most {instead(one.after, one.before)}"
    if len(one.path) == 3:
        return f"{state} for too long: {instead(phrase(one.after), phrase(one.before))}"
    if isinstance(one.after, Timer) and isinstance(one.before, Timer):
        return None
    return _came_or_went(one, f"the timer for {state}", shown)


def _required(one: Difference) -> str | None:
    if len(one.path) != 3 or one.kind not in (Kind.ADDED, Kind.REMOVED):
        return None
    label = one.path[2]
    who = "every lead" if one.path[1] == "always" else f"a lead of '{one.path[1]}'"
    does = "now needs" if one.kind is Kind.ADDED else "no longer needs"
    return f"{who} {does} {label}"


def _territory(one: Difference) -> str | None:
    if len(one.path) < 2:
        return None
    where = " › ".join(str(part) for part in one.path[1:])
    match one.kind:
        case Kind.ADDED:
            return f"{where} now belongs to the territory {shown(one.after)}"
        case Kind.REMOVED:
            return f"{where} belongs to no territory any more; it was {shown(one.before)}"
        case Kind.MOVED:
            return None
    return f"{where} now belongs to {instead(one.after, one.before)}"


def _list(one: Difference) -> str | None:
    gone, come = one.before, one.after
    if not (isinstance(gone, AbstractSet) and isinstance(come, AbstractSet)):
        return None
    return f"the list “{list_name(str(one.path[1]))}”: {set_change(gone, come)}"


def _mail(one: Difference) -> str | None:
    if len(one.path) == 2 and are_names(one.before) and are_names(one.after):
        return f"the list of {phrase(one.path[1])} mail: {set_change(one.before, one.after)}"
    return None


def _suppression(one: Difference) -> str | None:
    if len(one.path) < 2:
        return None
    name = f"the reason '{one.path[1]}' for never handing off"
    if len(one.path) == 2:
        return _came_or_went(one, name, lambda v: shown(getattr(v, "when", v)))
    if one.path[2] == "when":
        return f"{name} now holds when {shown(one.after)}; before, when {shown(one.before)}"
    return None


def _commitment(one: Difference) -> str | None:
    if len(one.path) < 3:
        return None
    side, name = one.path[1], one.path[2]
    said = getattr(one.holder or one.holder_before, "say", None) or getattr(
        one.after or one.before, "say", None
    )
    subject = f"the promise of {side} about {phrase(name)}"
    if len(one.path) == 3 and one.kind in (Kind.ADDED, Kind.REMOVED):
        return _came_or_went(one, subject, lambda _value: f"“{said}”")
    if isinstance(one.before, Decimal) and isinstance(one.after, Decimal):
        return f"{subject}: {phrase(one.path[-1])} {instead(one.after, one.before)}"
    if one.path[-1] == "band":
        return f"{subject} counts {one.after or 'all'} leads instead of {one.before or 'all'}"
    return None


def _pool(one: Difference) -> str | None:
    if len(one.path) == 3 and one.path[2] == "distribute":
        old, new = phrase(one.before), phrase(one.after)
        return f"the pool '{one.path[1]}' now shares its leads by {new}, before by {old}"
    return None


OF_SECTION: Mapping[str, Words] = {
    "scoring": _score,
    "bands": _band,
    "triggers": _trigger,
    "route": _route,
    "sla": _sla,
    "dispositions": _disposition,
    "timers": _timer,
    "required": _required,
    "territories": _territory,
    "lists": _list,
    "mail": _mail,
    "suppress": _suppression,
    "commitments": _commitment,
    "pools": _pool,
}
