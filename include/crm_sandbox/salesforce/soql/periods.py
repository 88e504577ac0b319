"""Date literals: the half-open interval of days that each names, in UTC."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from crm_sandbox.salesforce.soql.syntax import Period

Days = tuple[date, date]
_DAY = timedelta(days=1)


def days_of(period: Period, today: date) -> Days:
    """The first day, and the day after the last one."""
    if period.count is None:
        return _FIXED[period.name](today)
    return _COUNTED[period.name](today, period.count)


def _week(today: date, offset: int) -> Days:
    # Weeks start on Sunday, as in the default locale of an org.
    start = today - timedelta(days=(today.weekday() + 1) % 7) + timedelta(weeks=offset)
    return start, start + timedelta(weeks=1)


def _month(today: date, offset: int) -> Days:
    number = today.year * 12 + today.month - 1 + offset

    def first(index: int) -> date:
        return date(index // 12, index % 12 + 1, 1)

    return first(number), first(number + 1)


def _year(today: date, offset: int) -> Days:
    return date(today.year + offset, 1, 1), date(today.year + offset + 1, 1, 1)


_FIXED: dict[str, Callable[[date], Days]] = {
    "TODAY": lambda today: (today, today + _DAY),
    "YESTERDAY": lambda today: (today - _DAY, today),
    "TOMORROW": lambda today: (today + _DAY, today + 2 * _DAY),
    "LAST_WEEK": lambda today: _week(today, -1),
    "THIS_WEEK": lambda today: _week(today, 0),
    "NEXT_WEEK": lambda today: _week(today, 1),
    "LAST_MONTH": lambda today: _month(today, -1),
    "THIS_MONTH": lambda today: _month(today, 0),
    "NEXT_MONTH": lambda today: _month(today, 1),
    "LAST_90_DAYS": lambda today: (today - 90 * _DAY, today + _DAY),
    "NEXT_90_DAYS": lambda today: (today + _DAY, today + 91 * _DAY),
    "LAST_YEAR": lambda today: _year(today, -1),
    "THIS_YEAR": lambda today: _year(today, 0),
    "NEXT_YEAR": lambda today: _year(today, 1),
}
_COUNTED: dict[str, Callable[[date, int], Days]] = {
    "LAST_N_DAYS": lambda today, n: (today - n * _DAY, today + _DAY),
    "NEXT_N_DAYS": lambda today, n: (today + _DAY, today + (n + 1) * _DAY),
    "N_DAYS_AGO": lambda today, n: (today - n * _DAY, today - (n - 1) * _DAY),
}
PERIODS = frozenset(_FIXED)
COUNTED_PERIODS = frozenset(_COUNTED)
