"""How a load is shown in a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from crm_sandbox.loading import Advance, LoadReport


@contextmanager
def progress_bar(*, quiet: bool) -> Iterator[Advance]:
    """A progress bar on standard error, gone when done; nothing when `quiet`."""
    columns = (TextColumn("loading"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    bar = Progress(*columns, console=console, transient=True, disable=quiet)
    with bar:
        task = bar.add_task("load", total=None)

        def advance(done: int, of: int) -> None:
            bar.update(task, completed=done, total=of)

        yield advance


def print_report(report: LoadReport) -> None:
    """The summary, and each reason with every row it struck."""
    console = Console(highlight=False, soft_wrap=True)
    for remark in report.remarks:
        console.print(f"note: {remark}", markup=False)
    console.print(
        f"{report.rows} rows: {report.created} contacts created, {report.updated} updated "
        f"(their e-mail was there already), {len(report.refusals)} refused, {report.empty} empty."
    )
    if report.companies_created or report.companies_reused:
        console.print(
            f"{report.companies_created} companies created, {report.companies_reused} were there."
        )
    by_reason: dict[str, list[int]] = {}
    for refusal in report.refusals:
        by_reason.setdefault(refusal.reason, []).append(refusal.row)
    for reason, rows in sorted(by_reason.items(), key=lambda item: -len(item[1])):
        console.print(f"refused, {reason}: rows {row_ranges(rows)}", markup=False)


def row_ranges(rows: Iterable[int]) -> str:
    """Row numbers as ranges: 2-5, 9."""
    ranges: list[list[int]] = []
    for row in sorted(rows):
        if ranges and row == ranges[-1][1] + 1:
            ranges[-1][1] = row
        else:
            ranges.append([row, row])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in ranges)
