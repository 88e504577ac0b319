"""Reads ``when``: the YAML of a condition into its structure.

Grammar, from short to long::

    when: open opportunity                     # a yes/no field is true
    when: {Form: Demo request}                 # is
    when: {Country: [DE, AT]}                  # in
    when: {Company size: {at_least: 200, below: 1000}}
    when: {Industry: {in: lists/unserved.csv}} # first column of a CSV list of the policy
    when: {Form: Demo request, Country: DE}    # both
    when: {any: [..., ...]}                    # also all, none

Labels are matched without regard to case and stored as the policy spells them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

from pydantic import ValidationInfo

from baton.policy.conditions import AllOf, AnyOf, Condition, NoneOf, Operand, Operator, Test
from baton.policy.durations import ClockKind, parse_duration
from baton.policy.patterns import PatternError, check_pattern
from baton.policy.reading import Reading, did_you_mean, problem, reading_of

Path = tuple[str | int, ...]

_GROUPS: Mapping[str, type[AllOf | AnyOf | NoneOf]] = {"all": AllOf, "any": AnyOf, "none": NoneOf}
_OPERATORS = {operator.value: operator for operator in Operator}
_LISTS = {Operator.IN, Operator.NOT_IN}
_ORDERED = {Operator.AT_LEAST, Operator.AT_MOST, Operator.ABOVE, Operator.BELOW}
_DEEPEST = 12


def read_condition(value: object, info: ValidationInfo) -> Condition:
    """Read a condition within a policy; errors point at the part that is wrong."""
    return parse_condition(value, reading_of(info))


def parse_condition(node: object, reading: Reading | None = None) -> Condition:
    """Read a condition. Without `reading`, labels are taken as they stand and lists are refused."""
    return _Reader(reading).condition(node, ())


class _Reader:
    def __init__(self, reading: Reading | None) -> None:
        self.reading = reading

    def condition(self, node: object, path: Path) -> Condition:
        if len(path) > _DEEPEST:
            raise problem("this condition is nested too deeply to be read by anybody", path=path)
        if isinstance(node, Condition):
            return node
        if isinstance(node, str):
            return Test(self.label(node, path), Operator.IS, True)
        if not isinstance(node, Mapping) or not node:
            raise problem(
                "a condition is a field with what it must be, for example "
                "{Company size: {between: [50, 1000]}}",
                path=path,
            )
        parts = tuple(self.part(key, value, (*path, str(key))) for key, value in node.items())
        return parts[0] if len(parts) == 1 else AllOf(parts)

    def part(self, key: object, value: object, path: Path) -> Condition:
        if str(key) in _GROUPS:
            return self.group(str(key), value, path)
        if str(key) in _OPERATORS:
            raise problem(
                f"'{key}' is an operator and needs a field before it",
                path=path,
                hint=f"write {{FIELD: {{{key}: ...}}}}",
            )
        label = self.label(str(key), path)
        if isinstance(value, Mapping):
            return self.operators(label, value, path)
        if isinstance(value, Sequence) and not isinstance(value, str):
            return self.test(label, Operator.IN, value, path)
        return self.test(label, Operator.IS, value, path)

    def group(self, key: str, value: object, path: Path) -> Condition:
        if not isinstance(value, Sequence) or isinstance(value, str) or not value:
            raise problem(f"'{key}' takes a list of conditions", path=path)
        parts = tuple(self.condition(part, (*path, at)) for at, part in enumerate(value))
        return _GROUPS[key](parts)

    def operators(self, label: str, asked: Mapping[object, object], path: Path) -> Condition:
        if not asked:
            raise problem(f"nothing is asked of '{label}'", path=path)
        tests = []
        for name, operand in asked.items():
            operator = _OPERATORS.get(str(name))
            if operator is None:
                raise problem(
                    f"'{name}' is not an operator",
                    path=(*path, str(name)),
                    hint=did_you_mean(str(name), _OPERATORS)
                    or f"use one of {', '.join(_OPERATORS)}",
                )
            tests.append(self.test(label, operator, operand, (*path, str(name))))
        return tests[0] if len(tests) == 1 else AllOf(tuple(tests))

    def label(self, text: str, path: Path) -> str:
        if self.reading is None:
            return text
        label = self.reading.label(text)
        if label is None:
            raise problem(
                f"there is no field '{text}'",
                path=path,
                hint=did_you_mean(text, self.reading.labels.values())
                or "declare it under 'fields'",
            )
        return label

    def test(self, label: str, operator: Operator, value: object, path: Path) -> Test:
        source = value if self.is_list_name(operator, value) else None
        if isinstance(source, str):
            return Test(label, operator, self.listed(source, path), source)
        return Test(label, operator, _operand(operator, value, path))

    def is_list_name(self, operator: Operator, value: object) -> bool:
        return (
            operator in _LISTS | {Operator.CONTAINS}
            and isinstance(value, str)
            and value.endswith(".csv")
        )

    def listed(self, name: str, path: Path) -> tuple[str, ...]:
        lists = self.reading.lists if self.reading else {}
        if name not in lists:
            raise problem(f"there is no list '{name}'", path=path, hint=did_you_mean(name, lists))
        return lists[name].first_column()


def _operand(operator: Operator, value: object, path: Path) -> Operand:
    match operator:
        case Operator.EXISTS:
            if not isinstance(value, bool):
                raise problem("'exists' takes true or false", path=path)
            return value
        case Operator.WITHIN_DAYS:
            return _days(value, path)
        case Operator.BETWEEN:
            return _bounds(value, path)
        case Operator.MATCHES:
            return _pattern(value, path)
        case Operator.IN | Operator.NOT_IN:
            return _several(operator, value, path)
        case Operator.CONTAINS if isinstance(value, Sequence) and not isinstance(value, str):
            return _several(operator, value, path)
    if operator in _ORDERED:
        return _ordered(operator, value, path)
    return _scalar(value, path)


def _days(value: object, path: Path) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 36500:
        return value
    try:
        length = parse_duration(value)
    except ValueError:
        length = None
    if length is None or length.seconds % 86400 or length.kind is ClockKind.WORKING:
        raise problem(
            f"'within_days' takes a whole number of days, not '{value}'",
            path=path,
            hint="write, for example, 'within_days: 14'; nothing shorter than a day can be asked",
        )
    return length.days


def _bounds(value: object, path: Path) -> Operand:
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != 2:
        raise problem("'between' takes two values: [lowest, highest]", path=path)
    low, high = (_ordered(Operator.BETWEEN, part, path) for part in value)
    if isinstance(low, date) != isinstance(high, date):
        raise problem("'between' takes two numbers or two dates", path=path)
    if low > high:  # type: ignore[operator]  # both are numbers, or both are dates
        raise problem(f"'between' runs backwards: {low} is more than {high}", path=path)
    return (low, high)


def _ordered(operator: Operator, value: object, path: Path) -> Operand:
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return value
    if isinstance(value, date):
        return _aware(value)
    raise problem(f"'{operator}' takes a number or a date, not '{value}'", path=path)


def _pattern(value: object, path: Path) -> str:
    if not isinstance(value, str):
        raise problem("'matches' takes a regular expression", path=path, hint="put it in quotes")
    try:
        check_pattern(value)
    except PatternError as error:
        raise problem(str(error), path=path, hint=error.hint) from None
    return value


def _several(operator: Operator, value: object, path: Path) -> Operand:
    if not isinstance(value, Sequence) or isinstance(value, str) or not value:
        raise problem(f"'{operator}' takes a list of values or the name of a CSV list", path=path)
    return tuple(_scalar(part, (*path, at)) for at, part in enumerate(value))


def _scalar(value: object, path: Path) -> Operand:
    if isinstance(value, str | bool | int | Decimal):
        return value
    if isinstance(value, date):
        return _aware(value)
    raise problem(
        "a value is missing here" if value is None else "one value is expected here", path=path
    )


def _aware(value: date) -> date:
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    return value
