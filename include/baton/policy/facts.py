"""What a condition looks at: facts by field label."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import TypeAlias

FactValue: TypeAlias = str | int | Decimal | bool | date | datetime | tuple[str, ...] | None
"""One value. Number fields are Decimal, integers int; instants are aware and in UTC; None: unknown."""

Facts: TypeAlias = Mapping[str, FactValue]
"""Values by field label ("Company size"). An absent label and None both mean: unknown."""


def known(value: FactValue) -> bool:
    """Tell whether there is a value at all: None, blank text and an empty list are none."""
    if value is None or value == ():
        return False
    return not (isinstance(value, str) and not value.strip())
