"""The parts of a policy in words: what the document and the list of differences say alike.

`Condition.describe` is exact and short, for traces. Here a condition is put as one would say it in
a meeting: lists by their name, patterns by the words they look for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from pathlib import PurePosixPath

from baton.policy.actions import Action, ActionKind, ReturnRule, Returns
from baton.policy.conditions import AllOf, AnyOf, Condition, NoneOf, Operand, Operator, Test
from baton.policy.durations import Duration
from baton.policy.score_models import Band
from baton.policy.targets import Target, TargetKind

MOST_VALUES = 8
_ALTERNATIVES = re.compile(r"(?:\\b)?\(([^()]*(?:\([^()]*\)[^()]*)*)\)(?:\\b)?|([^()\\\[\]]*\|.*)")
_CONSTANT = re.compile(r"[A-Z]+(?:_[A-Z]+)+|[A-Z]{5,}|[a-z]+(?:_[a-z]+)+")
_ORDERED = {
    Operator.AT_LEAST: "at least",
    Operator.AT_MOST: "at most",
    Operator.ABOVE: "above",
    Operator.BELOW: "below",
}


def joined(parts: Iterable[str], word: str = "and") -> str:
    """Return "a, b and c"."""
    listed = list(parts)
    if len(listed) < 2:
        return "".join(listed)
    return f"{', '.join(listed[:-1])} {word} {listed[-1]}"


def counted(number: int, one: str, several: str | None = None) -> str:
    """Return "1 rule" or "3 rules"."""
    return f"{number} {one if number == 1 else several or one + 's'}"


def points_in_words(points: Decimal) -> str:
    """Return points without zeros that say nothing: "30", "7.5"."""
    return f"{points.normalize():,f}" if points else "0"


def length_in_words(length: Duration | None) -> str:
    """Return a length as a person writes it; None is "never"."""
    return "never" if length is None else str(length)


def date_in_words(at: date) -> str:
    """Return "3 November 2026", the same in every locale; an instant with its time in UTC."""
    months = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ]
    day = f"{at.day} {months[at.month - 1]} {at.year}"
    return f"{day}, {at:%H:%M} UTC" if isinstance(at, datetime) else day


def list_name(source: str) -> str:
    """Return the name of a CSV list as one says it: "free mail"."""
    return PurePosixPath(source).stem.replace("_", " ").replace("-", " ")


def value_in_words(value: object) -> str:
    """Return one value of a condition; inner names (TOBACCO, demo_request) read as words."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime | date):
        return date_in_words(value)
    if isinstance(value, Decimal):
        return points_in_words(value)
    text = str(value)
    if not _CONSTANT.fullmatch(text):
        return text
    return text.replace("_", " ").capitalize() if text.isupper() else text.replace("_", " ")


def condition_in_words(condition: Condition) -> str:
    """Say a condition as a clause: "Form is Demo request and Country is one of DE and AT"."""
    match condition:
        case Test():
            return _test_in_words(condition)
        case AllOf(parts):
            return _linked([_grouped(part) for part in parts], "and", unlike="or") or "always"
        case AnyOf(parts):
            return _linked([_grouped(part) for part in parts], "or", unlike="and") or "never"
        case NoneOf(parts):
            inner = " or ".join(_grouped(part) for part in parts)
            return f"not ({inner})"
    return condition.describe()


def _linked(parts: list[str], word: str, *, unlike: str) -> str:
    """Join clauses; a comma stands before the word where a clause has lists of its own."""
    mixed = any(f" {unlike} " in part or f" {word} " in part for part in parts)
    return (f", {word} " if mixed else f" {word} ").join(parts)


def _grouped(part: Condition) -> str:
    several = isinstance(part, AllOf | AnyOf) and len(part.parts) > 1
    text = condition_in_words(part)
    return f"({text})" if several else text


def _test_in_words(test: Test) -> str:
    label, operand = test.label, test.operand
    match test.operator:
        case Operator.IS if isinstance(operand, bool):
            return f"{label} is {'yes' if operand else 'no'}"
        case Operator.EXISTS:
            return f"{label} is {'known' if operand else 'not known'}"
        case Operator.WITHIN_DAYS:
            return f"{label} lies within the last {operand} days"
        case Operator.BETWEEN if isinstance(operand, tuple):
            low, high = (value_in_words(part) for part in operand)
            return f"{label} is between {low} and {high}"
        case Operator.MATCHES:
            return f"{label} {pattern_in_words(str(operand))}"
        case Operator.CONTAINS:
            return f"{label} contains {_values(operand, test.source, few='or')}"
        case Operator.IN | Operator.NOT_IN:
            no = "not " if test.operator is Operator.NOT_IN else ""
            return f"{label} is {no}{_values(operand, test.source, few='or')}"
        case Operator.IS_NOT:
            return f"{label} is not {_values(operand, test.source, few='or')}"
    if test.operator in _ORDERED:
        return f"{label} is {_ORDERED[test.operator]} {value_in_words(operand)}"
    return f"{label} is {_values(operand, test.source, few='or')}"


def _values(operand: Operand, source: str | None, *, few: str) -> str:
    if source is not None:
        return f"on the list “{list_name(source)}”"
    parts = operand if isinstance(operand, tuple) else (operand,)
    words = [value_in_words(part) for part in parts]
    if len(words) > MOST_VALUES:
        words = [*words[:MOST_VALUES], f"{len(words) - MOST_VALUES} more"]
    return joined(words, few)


def pattern_in_words(pattern: str) -> str:
    """Return "contains student, pupil or intern" for a plain list of words, else the pattern."""
    match = _ALTERNATIVES.fullmatch(pattern)
    words = (match[1] or match[2] or "").split("|") if match else []
    plain = [re.sub(r"\(([^()]*)\)\??|\\w\*|\\b", r"\1", word).strip() for word in words]
    if not plain or any(re.search(r"[\\^$*+?\[\]{}()]", word) for word in plain) or not all(plain):
        return f"matches the pattern “{pattern}”"
    return f"contains {joined((f'“{word}”' for word in plain), 'or')}"


def edge_in_words(band: Band) -> str:
    """Return where a band begins: "above 75", "from 50", "everything below"."""
    if band.above is not None:
        return f"above {points_in_words(band.above)}"
    if band.from_ is not None:
        return f"from {points_in_words(band.from_)}"
    return "everything below"


def sentence(text: str) -> str:
    """Return a text with a capital at its beginning and a full stop at its end."""
    ended = text.rstrip("”").endswith((".", "!", "?", ":"))
    return text[:1].upper() + text[1:] + ("" if ended or not text else ".")


_OWNERS = {
    TargetKind.OPPORTUNITY_OWNER: "the owner of the open opportunity",
    TargetKind.ACCOUNT_OWNER: "the owner of the account",
    TargetKind.LEAD_OWNER: "the owner of the Salesforce lead",
    TargetKind.NAMED_ACCOUNT_OWNER: "the owner of the named account",
    TargetKind.LOST_OPPORTUNITY_OWNER: "the owner of the opportunity that was lost",
    TargetKind.MEETING_HOST: "the host of the meeting",
    TargetKind.WAIT: "wait until somebody is there",
    TargetKind.GO_ON: "try the next rule",
}


def target_in_words(target: Target) -> str:
    """Return who is meant: "the pool SDR DACH", "the owner of the account"."""
    if target.kind in _OWNERS:
        return _OWNERS[target.kind]
    if target.kind is TargetKind.PERSON:
        return target.name or ""
    return f"the {target}"


def action_in_words(action: Action) -> str:
    """Return what follows from a reason code."""
    match action.kind:
        case ActionKind.ACCEPT:
            return "sales goes on with it"
        case ActionKind.KEEP_WORKING:
            return "sales keeps working it"
        case ActionKind.RECYCLE:
            days = f" for {counted(action.days, 'day')}" if action.days else ""
            return f"marketing takes it back{days}, then it returns"
        case ActionKind.NURTURE_LIST:
            return f"marketing takes it back, on the list “{action.list}”"
        case ActionKind.REMOVE_FROM_MARKETING:
            return f"it is closed and leaves marketing as well, on the list “{action.list}”"
        case ActionKind.DISQUALIFY:
            return "it is closed"


def return_in_words(returns: Returns) -> str:
    """Return when a lead that went back to marketing comes again."""
    match returns.rule:
        case ReturnRule.ON_THAT_DATE:
            return "on the date that the rep gives"
        case ReturnRule.ON_EVENT:
            return "when it raises its hand again"
        case ReturnRule.AFTER_DAYS:
            return f"after {counted(returns.days or 0, 'day')}"
