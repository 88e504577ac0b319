"""The kinds of values that a policy holds, each read from the way people write it."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, InstanceOf
from pydantic import Field as Setting

from baton.policy.actions import Action, read_action
from baton.policy.condition_reader import read_condition
from baton.policy.conditions import Condition
from baton.policy.durations import Duration, parse_duration, parse_duration_or_never
from baton.policy.reading import read_email
from baton.policy.references import read_names
from baton.policy.targets import Target, read_if_nobody, read_target

When = Annotated[InstanceOf[Condition], BeforeValidator(read_condition)]
Length = Annotated[InstanceOf[Duration], BeforeValidator(parse_duration)]
LengthOrNever = Annotated[InstanceOf[Duration] | None, BeforeValidator(parse_duration_or_never)]
Whom = Annotated[Target, BeforeValidator(read_target)]
IfNobody = Annotated[Target, BeforeValidator(read_if_nobody)]
Then = Annotated[Action, BeforeValidator(read_action)]
Names = Annotated[frozenset[str], BeforeValidator(read_names)]
Email = Annotated[str, BeforeValidator(read_email)]
Points = Annotated[Decimal, Setting(ge=-1000, le=1000, max_digits=7, decimal_places=3)]


def milli(points: Decimal) -> int:
    """Return points in thousandths, exactly."""
    return int(points * 1000)
