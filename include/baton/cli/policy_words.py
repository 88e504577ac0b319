"""How the ``baton policy`` commands show differences and the results of cases."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from baton.cli.shell import out

if TYPE_CHECKING:
    from baton.pipeline.versions.case_run import CaseResult
    from baton.policy.difference_words import Change

NO_DIFFERENCE = "no difference"


def show_changes(changes: Sequence[Change] | None, *, most: int | None = None) -> None:
    """Print what changed, section by section; None: the version before cannot be read any more."""
    if changes is None:
        out().print("  the version before cannot be read any more: no difference can be shown")
        return
    if not changes:
        out().print(f"  {NO_DIFFERENCE}")
    listed = changes if most is None else changes[:most]
    for section, group in groupby(listed, key=lambda change: change.section):
        out().print(f"  {section}", style="bold", markup=False)
        for change in group:
            out().print(f"    {change.words}", markup=False)
    if len(listed) < len(changes):
        out().print(f"    … and {len(changes) - len(listed)} more changes")


def changes_as_markdown(changes: Sequence[Change], title: str) -> str:
    """Return the changes as Markdown, for the comment under a pull request."""
    lines = [f"# {title}", ""]
    if not changes:
        lines += [f"There is {NO_DIFFERENCE}.", ""]
    for section, group in groupby(changes, key=lambda change: change.section):
        lines += [f"## {section}", "", *(f"- {_escaped(one.words)}" for one in group), ""]
    return "\n".join(lines)


def _escaped(text: str) -> str:
    from baton.policy.document import markdown_text

    return markdown_text(text)


def changes_as_json(changes: Sequence[Change]) -> str:
    """Return the changes as JSON text."""
    return json.dumps([one.to_json() for one in changes], indent=2, ensure_ascii=False)


def show_results(results: Sequence[CaseResult], *, verbose: bool = False) -> bool:
    """Print how the cases went; those that failed in full. Return whether all passed."""
    failed = [one for one in results if not one.passed]
    for one in results:
        if not one.passed:
            _show_failure(one)
        elif verbose:
            out().print(f"ok    {one.where}: {one.name}", markup=False)
            if one.decision is not None:
                out().print(f"        {one.decision.words}", markup=False)
    if not results:
        out().print("no cases: put some into cases/*.yaml beside the policy")
    elif failed:
        out().print(f"{len(failed)} of {len(results)} cases failed", style="red")
    else:
        out().print(f"{len(results)} cases passed", style="green")
    return not failed


def _show_failure(result: CaseResult) -> None:
    out().print(f"FAILED {result.where}: {result.name}", style="red", markup=False)
    if result.trouble is not None:
        out().print(f"    {result.trouble}", markup=False)
    for one in result.mismatches:
        out().print(f"    {one.what}: expected {one.expected}, got {one.got}", markup=False)
    decision = result.decision
    if decision is None:
        return
    out().print(f"    it came out as: {decision.outcome} ({decision.reason_code}): {decision.words}",
                markup=False)  # fmt: skip
    if decision.score is not None:
        given = ", ".join(
            f"{reason.rule} {reason.points_milli / 1000:+g}" for reason in decision.score.reasons
        )
        total = decision.score.total_milli / 1000
        out().print(f"    score {total:g}: {given or 'no rule gave points'}", markup=False)
    for step in decision.route.trace if decision.route else ():
        if step.chosen:
            out().print(f"    route {step.step}: {step.text}", markup=False)


def results_as_json(results: Sequence[CaseResult]) -> str:
    """Return the results of cases as JSON text."""
    return json.dumps(
        [
            {
                "name": one.name,
                "where": one.where,
                "passed": one.passed,
                "trouble": one.trouble,
                "mismatches": [
                    {"what": part.what, "expected": part.expected, "got": part.got}
                    for part in one.mismatches
                ],
            }
            for one in results
        ],
        indent=2,
        ensure_ascii=False,
    )
