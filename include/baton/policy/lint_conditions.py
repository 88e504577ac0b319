"""Conditions against the fields that they read: could they ever hold?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pycountry

from baton.policy.conditions import Condition, Operator, Test
from baton.policy.fields import OUTCOME_FACTS, Field, FieldType
from baton.policy.findings import Finding, Level
from baton.policy.models import Policy
from baton.policy.parts import Path, conditions
from baton.policy.reading import did_you_mean
from baton.policy.territories import country_code_of

_NUMBERS = {FieldType.INTEGER, FieldType.NUMBER}
_DATES = {FieldType.DATE, FieldType.DATETIME}
_NO_TEXTS = _NUMBERS | _DATES | {FieldType.BOOLEAN}
_OF_TEXTS = {Operator.MATCHES, Operator.CONTAINS}
_ORDERED = {
    Operator.AT_LEAST,
    Operator.AT_MOST,
    Operator.ABOVE,
    Operator.BELOW,
    Operator.BETWEEN,
}
_A = {
    FieldType.INTEGER: "a whole number",
    FieldType.EMAIL: "an e-mail address",
    FieldType.URL: "a web address",
    FieldType.DATETIME: "an instant",
}
"""The kinds that do not read well after "a"."""
_ALSO_CALLED = {"UK": "GB", "EL": "GR"}
_EQUAL = {Operator.IS, Operator.IS_NOT, Operator.IN, Operator.NOT_IN}


def conditions_fit(policy: Policy) -> Iterator[Finding]:
    """Yield tests that no value of their field can pass."""
    for path, condition in conditions(policy):
        yield from _asked_too_early(path, condition)
        for test in condition.tests():
            field = policy.fields.get(test.label)
            wrong = _misfit(test, field) if field else None
            if field and wrong:
                yield Finding(
                    Level.ERROR, "impossible-test", wrong, (*path, test.label), _mend(test, field)
                )


def _asked_too_early(path: Path, condition: Condition) -> Iterator[Finding]:
    """Score, band and what follows are found out last: only routes and the words to the rep know."""
    if path[0] in {"route", "enablement"}:
        return
    for label in sorted(condition.labels() & OUTCOME_FACTS):
        message = f"'{label}' is not known yet when this is asked: it could never hold"
        hint = "only route and enablement may ask for it"
        yield Finding(Level.ERROR, "impossible-test", message, (*path, label), hint)


def _misfit(test: Test, field: Field) -> str | None:
    kind = field.type
    if test.operator in _ORDERED:
        return _misfit_of_order(test, field)
    if test.operator is Operator.WITHIN_DAYS and kind not in _DATES:
        return f"'within_days' needs a date, and '{field.label}' is {_a(kind)}"
    if test.operator in _OF_TEXTS and kind in _NO_TEXTS:
        return f"'{test.operator}' looks into a text, and '{field.label}' is {_a(kind)}"
    if test.operator not in _EQUAL:
        return None
    operands = test.operand if isinstance(test.operand, tuple) else (test.operand,)
    return next((wrong for part in operands if (wrong := _misfit_of_value(part, field))), None)


def _misfit_of_order(test: Test, field: Field) -> str | None:
    bounds = test.operand if isinstance(test.operand, tuple) else (test.operand,)
    with_dates = isinstance(bounds[0], date)
    if field.type in (_DATES if with_dates else _NUMBERS):
        return None
    asked = "a date" if with_dates else "a number"
    return f"'{test.operator}' compares {asked}, and '{field.label}' is {_a(field.type)}"


def _misfit_of_value(value: object, field: Field) -> str | None:
    kind = field.type
    if (kind is FieldType.BOOLEAN) != isinstance(value, bool):
        if kind is FieldType.BOOLEAN:
            return f"'{field.label}' is yes or no: it can be true or false, not '{value}'"
        return f"'{field.label}' is {_a(kind)}, not yes or no"
    if kind in _NUMBERS and not isinstance(value, int | Decimal):
        return f"'{field.label}' is {_a(kind)}, and '{value}' is none"
    if kind is FieldType.CHOICE and field.values and value not in field.values.values():
        return f"'{field.label}' never is '{value}'"
    if kind is FieldType.COUNTRY and not _is_country(value):
        return f"'{value}' is not an ISO country code"
    return None


def _a(kind: FieldType) -> str:
    return _A.get(kind, f"a {kind}")


def _is_country(value: object) -> bool:
    return isinstance(value, str) and pycountry.countries.get(alpha_2=value.upper()) is not None


def _mend(test: Test, field: Field) -> str | None:
    operands = test.operand if isinstance(test.operand, tuple) else (test.operand,)
    if field.type is FieldType.CHOICE and field.values:
        odd = next((part for part in operands if part not in field.values.values()), "")
        known = ", ".join(field.values.values())
        return did_you_mean(str(odd), field.values.values()) or f"it is one of {known}"
    if test.operator in _OF_TEXTS and field.type in _NUMBERS:
        return "write between, at_least, at_most, above or below"
    if field.type is FieldType.COUNTRY:
        return _country_in_full(next((part for part in operands if not _is_country(part)), ""))
    if field.type in _NUMBERS:
        return "a range is written {FIELD: {at_least: 50}}; also at_most, above, below, between"
    return None


def _country_in_full(odd: object) -> str:
    code = _ALSO_CALLED.get(str(odd).upper())
    said = f"{odd} is {code}" if code else country_code_of(str(odd))
    rule = "countries are two letters, as DE or NO"
    return f"{said}; {rule}" if said else rule
