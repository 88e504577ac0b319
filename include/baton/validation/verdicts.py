"""Great Expectations over a batch: one verdict a lead.

Each rule of the policy is checked for the leads it binds: what must not be missing by one
expectation over all such values, every comparison by an expectation of its own.
Great Expectations and pandas are imported inside functions: together they cost ten seconds of
CPU, which only a process that judges leads may pay (see docs/adr/0006).
"""

from __future__ import annotations

import gc
import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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

ROW = "row"
NOT_ASKED = "(not asked for)"


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
        questions = self._questions(leads)
        if questions:
            problems = {(lead.key, p.label): p.message for lead in leads for p in lead.problems}
            # A question may be about several rules; a verdict names them in their own order.
            for cell in sorted(_unexpected(questions), key=lambda one: one.number):
                rule, key = cell.rule, cell.lead.key
                words = rule.words(problem=problems.get((key, rule.label)))
                failures[key].append(Failure(rule.label, rule.kind.value, words))
        return {
            key: Verdict(ok=not found, failures=tuple(found)) for key, found in failures.items()
        }

    def _questions(self, leads: Sequence[LeadToJudge]) -> list[_Question]:
        """Return what is to be asked about these leads: only what some rule binds them to.

        What Great Expectations costs is a sum for each expectation, however few its rows are. So
        everything that must not be missing is one question; values of different labels are only
        compared apart, because they may be of different types.
        """
        scopes = [lead.scopes | {ALWAYS} for lead in leads]
        asked: dict[int, list[_Cell]] = {}
        for number, rule in enumerate(self._rules):
            question = -1 if rule.kind is RuleKind.REQUIRED else number
            asked.setdefault(question, []).extend(
                _Cell(number, rule, lead)
                for lead, held in zip(leads, scopes, strict=True)
                if rule.applies_to(held)
            )
        return [_Question(cells) for cells in asked.values() if cells]


@dataclass(frozen=True, slots=True)
class _Cell:
    """One value to look at: what a rule, the `number`th of its policy, is about in a lead."""

    number: int
    rule: FieldRule
    lead: LeadToJudge

    @property
    def value(self) -> Any:
        return _plain(self.lead.facts.get(self.rule.label))


@dataclass(frozen=True, slots=True)
class _Question:
    """The cells that one expectation is about; their rules are of one kind and bound."""

    cells: Sequence[_Cell]

    @property
    def rule(self) -> FieldRule:
        """One of the rules."""
        return self.cells[0].rule

    def column(self, height: int) -> list[Any]:
        """Return the values, and below them what no expectation objects to."""
        nothing = NOT_ASKED if self.rule.kind is RuleKind.REQUIRED else None
        return [cell.value for cell in self.cells] + [nothing] * (height - len(self.cells))


def _unexpected(questions: Sequence[_Question]) -> Iterator[_Cell]:
    """Ask Great Expectations; return the cells that break their rule."""
    gx, gxe = expectations()
    batch = batch_definition().get_batch(batch_parameters={"dataframe": _frame(questions)})
    suite = gx.ExpectationSuite(name="policy")
    for number, question in enumerate(questions):
        suite.add_expectation(_expectation(gxe, question.rule, number))
    results = batch.validate(
        suite,
        result_format={
            "result_format": "COMPLETE",
            "unexpected_index_column_names": [ROW],
            "include_unexpected_rows": False,
        },
    )
    for result in results.results:
        question = questions[result.expectation_config.meta["number"]]
        if result.exception_info.get("raised_exception"):
            reason = result.exception_info.get("exception_message")
            labels = ", ".join(f"'{label}'" for label in {c.rule.label: 0 for c in question.cells})
            msg = f"the rule '{question.rule.kind}' on {labels} could not be evaluated: {reason}"
            raise InvariantError(msg)
        if not result.success:
            for row in result.result["unexpected_index_list"]:
                yield question.cells[row[ROW]]


def expectations() -> tuple[Any, Any]:
    """Return the modules of Great Expectations; the first call of a process imports them."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    with _nothing_thrown_away():
        import great_expectations as gx
        import great_expectations.expectations as gxe

    # It sets its own level on import, and announces hundreds of internal registrations.
    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    return gx, gxe


@contextmanager
def _nothing_thrown_away() -> Iterator[None]:
    """Do not look for garbage while modules are made: it is a fifth of what this import costs."""
    looked_for = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if looked_for:
            gc.enable()


@cache
def batch_definition() -> Any:
    """Return the one asset of this process; making a data context costs more than a batch."""
    gx, _gxe = expectations()
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_pandas("ledger").add_dataframe_asset("leads")
    return asset.add_batch_definition_whole_dataframe("batch")


def _frame(questions: Sequence[_Question]) -> pd.DataFrame:
    """Return one column a question and one row a cell, as many as the longest column has."""
    import pandas as pd

    height = max(len(question.cells) for question in questions)
    columns = {
        f"v{number}": pd.Series(question.column(height), dtype=object)
        for number, question in enumerate(questions)
    }
    return pd.DataFrame({ROW: range(height)} | columns)


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
