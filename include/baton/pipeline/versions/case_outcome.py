"""Compares what came out of a case with what its author expected."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from baton.decision.decision import Decision
from baton.errors import PolicyError
from baton.pipeline.versions.case_lead import moment_of
from baton.pipeline.versions.policy_cases import NOBODY, Expected
from baton.policy.wording import points_in_words
from baton.routing.ladder import OwnerKind

_MILLI = Decimal(1000)


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Something that came out otherwise; both sides in words."""

    what: str
    expected: str
    got: str


def mismatches(expect: Expected, decision: Decision, at: datetime) -> tuple[Mismatch, ...]:
    """Return everything in which a decision differs from what was expected.

    Raises PolicyError for an expected moment that is none.
    """
    found: list[Mismatch] = []
    for name in expect.asked:
        compare = _COMPARE.get(name, _same)
        told = compare(name, getattr(expect, name), decision, at)
        found += [told] if isinstance(told, Mismatch) else list(told or ())
    return tuple(found)


def outcome_of(decision: Decision) -> dict[str, object]:
    """Return what a case may ask of a decision, by the names of `Expected`."""
    route, terms, score = decision.route, decision.terms, decision.score
    owner = route.owner if route else None
    user = owner is not None and owner.kind is OwnerKind.USER
    return {
        "outcome": decision.outcome.value,
        "state": decision.lead_state.value if decision.lead_state else None,
        "reason": decision.reason_code,
        "band": decision.band,
        "trigger": decision.trigger,
        "score": Decimal(score.total_milli) / _MILLI if score else None,
        "fit": Decimal(score.fit_milli) / _MILLI if score else None,
        "intent": Decimal(score.intent_milli) / _MILLI if score else None,
        "owner": owner.key if owner and user else None,
        "queue": owner.key if owner and not user else None,
        "pool": route.pool if route else None,
        "rule": route.rule_id if route else None,
        "recipient": route.recipient if route else None,
        "channel": route.channel if route else None,
        "change_owner": route.change_owner if route else None,
        "first_touch_due": terms.first_touch_due if terms else None,
        "tell_manager_at": terms.tell_manager_at if terms else None,
        "reassign_at": terms.reassign_at if terms else None,
        "missing": tuple(sorted({failure.label for failure in decision.failures})),
        "may_email": decision.may_email,
        "may_call": decision.may_call,
        "origin": str(getattr(decision, "origin", "buyer")),
        "says": decision.words,
        "opening": decision.package.opening if decision.package else None,
    }


def points_of(decision: Decision) -> dict[str, Decimal]:
    """Return the points that each rule gave."""
    reasons = decision.score.reasons if decision.score else ()
    return {reason.rule: Decimal(reason.points_milli) / _MILLI for reason in reasons}


Told = Mismatch | Iterable[Mismatch] | None
Compare = Callable[[str, object, Decision, datetime], Told]


def _same(name: str, wanted: object, decision: Decision, at: datetime) -> Told:
    got = outcome_of(decision)[name]
    nothing = wanted in (NOBODY, "none", None) and name != "outcome"
    asked = None if nothing else wanted
    plain = getattr(asked, "value", asked)
    return None if got == plain else Mismatch(name, _shown(asked), _shown(got))


def _owner(name: str, wanted: object, decision: Decision, at: datetime) -> Told:
    names = tuple(one.lower() for one in wanted) if isinstance(wanted, tuple) else ()
    got = outcome_of(decision)["owner"]
    if got in names or (got is None and names in ((NOBODY,), ("none",), ())):
        return None
    return Mismatch(name, " or ".join(names) or NOBODY, _shown(got or NOBODY))


def _moment(name: str, wanted: object, decision: Decision, at: datetime) -> Told:
    if wanted in (None, "never"):
        return _same(name, None, decision, at)
    try:
        asked = moment_of(wanted, at) if isinstance(wanted, str | datetime) else None
    except ValueError as error:
        raise PolicyError(f"'{name}': {error}") from error
    got = outcome_of(decision)[name]
    return None if got == asked else Mismatch(name, _shown(asked), _shown(got))


def _contains(name: str, wanted: object, decision: Decision, at: datetime) -> Told:
    got = str(outcome_of(decision)[name] or "")
    if str(wanted).casefold() in got.casefold():
        return None
    return Mismatch(name, f"… {wanted} …", got or "nothing")


def _beyond(name: str, wanted: object, decision: Decision, at: datetime) -> Told:
    got = outcome_of(decision)["score"]
    if not (isinstance(got, Decimal) and isinstance(wanted, Decimal)):
        return Mismatch(name.replace("_", " "), _shown(wanted), _shown(got))
    if (got > wanted) if name == "score_above" else (got < wanted):
        return None
    return Mismatch(name.replace("_", " "), _shown(wanted), _shown(got))


def _points(name: str, wanted: object, decision: Decision, at: datetime) -> Told:
    given = points_of(decision)
    asked = wanted.items() if isinstance(wanted, dict) else ()
    return [
        Mismatch(f"points of '{rule}'", _shown(points), _shown(given.get(rule, Decimal(0))))
        for rule, points in asked
        if given.get(rule, Decimal(0)) != points
    ]


def _gives(name: str, wanted: object, decision: Decision, at: datetime) -> Told:
    given = points_of(decision)
    rules = wanted if isinstance(wanted, tuple) else ()
    if name == "gives":
        return [Mismatch(f"rule '{one}'", "gives points", "gave none")
                for one in rules if one not in given]  # fmt: skip
    return [
        Mismatch(f"rule '{one}'", "gives no points", f"gave {_shown(given[one])}")
        for one in rules
        if one in given
    ]


def _missing(name: str, wanted: object, decision: Decision, at: datetime) -> Told:
    asked = tuple(sorted(wanted)) if isinstance(wanted, tuple) else ()
    return _same(name, asked, decision, at)


_COMPARE: dict[str, Compare] = {
    "owner": _owner,
    "first_touch_due": _moment,
    "tell_manager_at": _moment,
    "reassign_at": _moment,
    "says": _contains,
    "opening": _contains,
    "score_above": _beyond,
    "score_below": _beyond,
    "points": _points,
    "gives": _gives,
    "gives_not": _gives,
    "missing": _missing,
}


def _shown(value: object) -> str:
    if value is None or value == ():
        return "none"
    if isinstance(value, Decimal):
        return points_in_words(value)
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S} UTC"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(str(part) for part in value)
    return str(getattr(value, "value", value))
