"""Great Expectations over a batch: one verdict a lead.

Each rule of the policy becomes one expectation on one column, checked for the rows it binds.
Great Expectations and pandas are imported inside functions: together they cost ten seconds of
CPU, which only a process that judges leads may pay (see docs/adr/0006).
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

from baton.errors import InvariantError
from baton.leads.facts import Problem
from baton.leads.verdict import Failure, Verdict
from baton.policy.facts import Facts, FactValue
from baton.policy.models import Policy
from baton.validation.rules import ALWAYS, FieldRule, RuleKind, field_rules

if TYPE_CHECKING:
    import pandas as pd

KEY = "lead"
NOT_BOUND = "(not asked for)"


@dataclass(frozen=True, slots=True)
class LeadToJudge:
    """A lead as the validator sees it.

    `scopes` names what binds it beside ``always``: its triggers, and the band that would hand it
    off. `problems` are the values that could not be read, to explain what is missing.
    """

    key: str
    facts: Facts
    scopes: frozenset[str]
    problems: tuple[Problem, ...] = ()


def preload() -> None:
    """Import what judging needs, so that processes forked from this one have it."""
    batch_definition()


class LeadValidator:
    """Judges batches of leads against the field rules of one policy."""

    def __init__(self, policy: Policy) -> None:
        self._rules = field_rules(policy)

    def verdicts(self, leads: Sequence[LeadToJudge]) -> dict[str, Verdict]:
        """Return the verdict of each lead by its key.

        Raises:
            InvariantError: Great Expectations could not evaluate a rule.
        """
        failures: dict[str, list[Failure]] = {lead.key: [] for lead in leads}
        bound = self._bound(leads)
        if bound:
            problems = {(lead.key, p.label): p.message for lead in leads for p in lead.problems}
            for rule, keys in self._unexpected(leads, bound):
                for key in keys:
                    words = rule.words(problem=problems.get((key, rule.label)))
                    failures[key].append(Failure(rule.label, rule.kind.value, words))
        return {
            key: Verdict(ok=not found, failures=tuple(found)) for key, found in failures.items()
        }

    def _bound(self, leads: Sequence[LeadToJudge]) -> list[tuple[FieldRule, list[bool]]]:
        """Return each rule that binds some lead of the batch, with a mask of the rows it binds."""
        scopes = [lead.scopes | {ALWAYS} for lead in leads]
        masks = [(rule, [rule.applies_to(held) for held in scopes]) for rule in self._rules]
        return [(rule, mask) for rule, mask in masks if any(mask)]

    def _unexpected(
        self, leads: Sequence[LeadToJudge], bound: Sequence[tuple[FieldRule, list[bool]]]
    ) -> Iterable[tuple[FieldRule, list[str]]]:
        gx, gxe = expectations()
        definition = batch_definition()
        batch = definition.get_batch(batch_parameters={"dataframe": _frame(leads, bound)})
        suite = gx.ExpectationSuite(name="policy")
        for number, (rule, _mask) in enumerate(bound):
            suite.add_expectation(_expectation(gxe, rule, number))
        results = batch.validate(
            suite,
            result_format={
                "result_format": "COMPLETE",
                "unexpected_index_column_names": [KEY],
                "include_unexpected_rows": False,
            },
        )
        for result in results.results:
            rule = bound[result.expectation_config.meta["number"]][0]
            if result.exception_info.get("raised_exception"):
                reason = result.exception_info.get("exception_message")
                msg = f"the rule '{rule.kind}' on '{rule.label}' could not be evaluated: {reason}"
                raise InvariantError(msg)
            if not result.success:
                yield rule, [row[KEY] for row in result.result["unexpected_index_list"]]


def expectations() -> tuple[Any, Any]:
    """Return the modules of Great Expectations; the first call of a process imports them."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    import great_expectations as gx
    import great_expectations.expectations as gxe

    # It sets its own level on import, and announces hundreds of internal registrations.
    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    return gx, gxe


@cache
def batch_definition() -> Any:
    """Return the one asset of this process; making a data context costs more than a batch."""
    gx, _gxe = expectations()
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_pandas("ledger").add_dataframe_asset("leads")
    return asset.add_batch_definition_whole_dataframe("batch")


def _frame(
    leads: Sequence[LeadToJudge], bound: Sequence[tuple[FieldRule, list[bool]]]
) -> pd.DataFrame:
    """Return one row a lead and one column a rule (labels may hold any sign).

    A row that a rule does not bind holds what no expectation objects to; that is four times as
    fast as a row condition on each expectation.
    """
    import pandas as pd

    columns: dict[str, list[Any]] = {KEY: [lead.key for lead in leads]}
    for number, (rule, mask) in enumerate(bound):
        unbound = NOT_BOUND if rule.kind is RuleKind.REQUIRED else None
        columns[f"v{number}"] = [
            _plain(lead.facts.get(rule.label)) if binds else unbound
            for lead, binds in zip(leads, mask, strict=True)
        ]
    return pd.DataFrame({name: pd.Series(v, dtype=object) for name, v in columns.items()})


def _plain(value: FactValue) -> Any:
    """Return a value that pandas can compare; blank text and empty lists count as missing."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, tuple):
        return ";".join(value) or None
    if isinstance(value, str):
        return value.strip() or None
    return value


def _expectation(gxe: Any, rule: FieldRule, number: int) -> Any:
    shared = {"column": f"v{number}", "meta": {"number": number}}
    match rule.kind:
        case RuleKind.REQUIRED:
            return gxe.ExpectColumnValuesToNotBeNull(**shared)
        case RuleKind.AT_LEAST:
            return gxe.ExpectColumnValuesToBeBetween(min_value=float(rule.bound or 0), **shared)
        case RuleKind.AT_MOST:
            return gxe.ExpectColumnValuesToBeBetween(max_value=float(rule.bound or 0), **shared)
        case RuleKind.MATCHES:
            return gxe.ExpectColumnValuesToMatchRegex(regex=str(rule.bound), **shared)
