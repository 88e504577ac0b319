"""Great Expectations over the leads of an hour: is there as much, and the same, as usual?

These expectations are about the batch, not about a lead. They warn and stop nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from baton.errors import InvariantError
from baton.validation.verdicts import batch_definition, expectations

NOT_LISTED = "(not listed in the policy)"
"""Stands for the values of a choice field that the policy does not know."""
_MOST_SHOWN, _LONGEST_SHOWN = 3, 40


class DriftKind(StrEnum):
    """What is not as usual."""

    VOLUME = "volume"
    NULLS = "nulls"
    NEW_VALUES = "new_values"


@dataclass(frozen=True, slots=True)
class Usual:
    """What an hour's leads are expected to be.

    `rows`: least and most leads. `empty`: the largest share of leads without a value, from 0 to 1,
    by label. `values`: the known values by label.
    """

    rows: tuple[int, int] | None = None
    empty: Mapping[str, float] = field(default_factory=dict)
    values: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Drift:
    """One thing that is not as usual, in words for an admin."""

    kind: DriftKind
    label: str
    words: str


def unusual(leads: Sequence[Mapping[str, str | None]], usual: Usual) -> tuple[Drift, ...]:
    """Return what is not as usual in these leads (values by label; None: not known).

    Raises:
        InvariantError: Great Expectations could not evaluate an expectation.
    """
    import pandas as pd

    gx, gxe = expectations()
    asked = _expectations(gxe, usual, has_rows=bool(leads))
    if not asked:
        return ()
    labels = list(dict.fromkeys([*usual.empty, *usual.values]))
    columns = {label: f"v{number}" for number, label in enumerate(labels)}
    frame = pd.DataFrame(
        {
            name: pd.Series([lead.get(label) for lead in leads], dtype=object)
            for label, name in columns.items()
        }
        or {"lead": pd.Series(range(len(leads)), dtype=object)}
    )
    suite = gx.ExpectationSuite(name="hour")
    for number, one in enumerate(asked):
        given = {"column": columns[one.label]} if one.label else {}
        suite.add_expectation(one.make(meta={"number": number}, **given, **one.terms))
    batch = batch_definition().get_batch(batch_parameters={"dataframe": frame})
    results = batch.validate(suite, result_format={"result_format": "SUMMARY"}).results
    return tuple(_drift(result, asked) for result in results if not result.success)


@dataclass(frozen=True, slots=True)
class _Asked:
    kind: DriftKind
    label: str
    make: Any
    terms: Mapping[str, Any]


def _expectations(gxe: Any, usual: Usual, *, has_rows: bool) -> list[_Asked]:
    asked = []
    if usual.rows is not None:
        least, most = usual.rows
        terms = {"min_value": least, "max_value": most}
        asked.append(_Asked(DriftKind.VOLUME, "", gxe.ExpectTableRowCountToBeBetween, terms))
    if not has_rows:
        return asked
    for label, share in usual.empty.items():
        mostly = {"mostly": max(0.0, 1.0 - share)}
        asked.append(_Asked(DriftKind.NULLS, label, gxe.ExpectColumnValuesToNotBeNull, mostly))
    for label, values in usual.values.items():
        known = {"value_set": sorted(values)}
        asked.append(_Asked(DriftKind.NEW_VALUES, label, gxe.ExpectColumnValuesToBeInSet, known))
    return asked


def _drift(result: Any, asked: Sequence[_Asked]) -> Drift:
    one = asked[result.expectation_config.meta["number"]]
    if result.exception_info.get("raised_exception"):
        reason = result.exception_info.get("exception_message")
        raise InvariantError(f"the expectation '{one.kind}' could not be evaluated: {reason}")
    seen = result.result
    match one.kind:
        case DriftKind.VOLUME:
            least, most = one.terms["min_value"], one.terms["max_value"]
            words = f"{seen['observed_value']} leads in the hour; usual are {least} to {most}"
        case DriftKind.NULLS:
            share = round(float(seen["unexpected_percent"] or 0))
            usual = round(100 * (1 - one.terms["mostly"]))
            words = f"{one.label} is empty in {share} % of the leads; at most {usual} % is usual"
        case DriftKind.NEW_VALUES:
            shown = _shown(seen.get("partial_unexpected_list") or ())
            count = seen.get("unexpected_count", 0)
            words = f"{one.label} has values that are new ({count} leads): {shown}"
    return Drift(one.kind, one.label, words)


def _shown(values: Sequence[object]) -> str:
    distinct = list(dict.fromkeys(str(value)[:_LONGEST_SHOWN] for value in values))
    more = " and others" if len(distinct) > _MOST_SHOWN else ""
    return ", ".join(f"'{value}'" for value in distinct[:_MOST_SHOWN]) + more
