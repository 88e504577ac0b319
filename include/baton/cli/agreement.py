"""``baton policy test``, ``document`` and ``diff``: what a policy does, says, and changes."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from baton.cli.installation import ledger
from baton.cli.policy_words import (
    changes_as_json,
    changes_as_markdown,
    results_as_json,
    show_changes,
    show_results,
)
from baton.cli.shell import FAILED, out

if TYPE_CHECKING:
    from baton.pipeline.versions.case_run import CaseResult
    from baton.policy.document_parts import Document
    from baton.policy.models import Policy

DEFAULT = Path("include/policy")
Overlay = Annotated[
    Path | None,
    typer.Option("--overlay", help="A YAML file whose values replace those of the policy."),
]
Roster = Annotated[
    Path | None, typer.Option("--roster", help="Who is there (default: DIR/roster.yaml).")
]


class Format(StrEnum):
    """How a difference is written."""

    TEXT = "text"
    MARKDOWN = "md"
    JSON = "json"


class Page(StrEnum):
    """How the document is written."""

    HTML = "html"
    MARKDOWN = "md"


def run_cases(
    directory: Annotated[Path, typer.Argument(help="The policy's directory.")] = DEFAULT,
    overlay: Overlay = None,
    cases: Annotated[
        list[Path] | None,
        typer.Option("--cases", help="Case files (default: DIR/cases/*.yaml). May be repeated."),
    ] = None,
    roster: Roster = None,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="List what passed too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For a machine to read.")] = False,
) -> None:
    """Decide on the policy's own cases and compare what comes out with what was agreed.

    No CRM, no server and no ledger are needed. Exits with 1 when a case fails, with 2 when a case or
    the policy cannot be read.

    Example: `baton policy test include/policy -v`
    """
    results = results_of(directory, overlay, cases=cases, roster=roster)
    if as_json:
        typer.echo(results_as_json(results))
        passed = all(one.passed for one in results)
    else:
        passed = show_results(results, verbose=verbose)
    if not passed or not results:
        raise typer.Exit(FAILED)


def results_of(
    directory: Path,
    overlay: Path | None,
    *,
    cases: list[Path] | None = None,
    roster: Path | None = None,
) -> list[CaseResult]:
    """Read a policy with its cases and run them."""
    from baton.errors import ConfigurationError
    from baton.pipeline.versions import case_run
    from baton.pipeline.versions.policy_cases import case_files, read_cases
    from baton.policy.bundle import ROSTER_FILE, read_bundle
    from baton.policy.loader import parse_policy, read_roster

    policy = parse_policy(read_bundle(directory, overlay))
    people = roster or directory / ROSTER_FILE
    if not people.is_file():
        raise ConfigurationError(f"there is no roster {people}: name one with --roster")
    files = cases or case_files(directory, overlay)
    return case_run.run_cases(read_cases(files, policy), policy, read_roster(people))


def document(
    directory: Annotated[
        Path | None, typer.Argument(help="The policy's directory (default: include/policy).")
    ] = None,
    active: Annotated[
        bool, typer.Option("--active", help="The policy that is current in the ledger.")
    ] = False,
    overlay: Overlay = None,
    page: Annotated[Page, typer.Option("--format", help="One page, or Markdown.")] = Page.HTML,
    file: Annotated[
        Path | None, typer.Option("--out", help="Write it there (default: standard output).")
    ] = None,
    roster: Annotated[
        Path | None, typer.Option("--roster", help="Name the people of the pools from this roster.")
    ] = None,
) -> None:
    """Write the agreement between marketing and sales as people read it, from the policy itself.

    With `--active` it says since when it is in force, who is in the pools, and that a review is
    overdue. Without it, the same policy always gives the same text.

    Example: `baton policy document --active --out agreement.html`
    """
    from baton.errors import ConfigurationError
    from baton.policy.document import as_html, as_markdown

    if active and (directory or overlay):
        raise ConfigurationError("name a directory or say --active, not both")
    made = _of_active() if active else _of_directory(directory or DEFAULT, overlay, roster)
    text = as_html(made) if page is Page.HTML else as_markdown(made)
    if file is None:
        typer.echo(text, nl=False)
        return
    file.write_text(text, encoding="utf-8")
    out().print(f"wrote {file}", markup=False)


def _of_directory(directory: Path, overlay: Path | None, roster: Path | None) -> Document:
    from baton.policy.bundle import read_bundle
    from baton.policy.document import document_of
    from baton.policy.loader import parse_policy, read_roster

    people = read_roster(roster) if roster else None
    return document_of(parse_policy(read_bundle(directory, overlay)), roster=people)


def _of_active() -> Document:
    from baton.clock import SystemClock
    from baton.ledger.agreements import policies, rosters
    from baton.pipeline.versions.policy_versions import ACTIVE, named_version
    from baton.policy.document import Activated, document_of
    from baton.policy.roster import roster_from_json

    with ledger() as conn:
        policy = named_version(conn, ACTIVE)
        last = policies.activations(conn, limit=1)[0]
        people = rosters.current(conn)
    return document_of(
        policy,
        roster=roster_from_json(people.content) if people else None,
        today=SystemClock().now().date(),
        activated=Activated(last.at, last.by_whom),
    )


def diff(
    before: Annotated[str, typer.Argument(help="A directory, a version's hash, or 'active'.")],
    after: Annotated[str, typer.Argument(help="A directory, a version's hash, or 'active'.")],
    overlay: Annotated[
        Path | None,
        typer.Option("--overlay", help="A YAML file laid over every directory that is compared."),
    ] = None,
    style: Annotated[Format, typer.Option("--format", help="How to write it.")] = Format.TEXT,
) -> None:
    """Say in words what changed from one policy to another.

    Example: `baton policy diff active include/policy --format md`
    """
    from baton.policy.difference_words import changes

    found = changes(_policy(before, overlay), _policy(after, overlay))
    if style is Format.JSON:
        typer.echo(changes_as_json(found))
    elif style is Format.MARKDOWN:
        typer.echo(changes_as_markdown(found, f"What changes from {before} to {after}"))
    else:
        show_changes(found)


def _policy(name: str, overlay: Path | None) -> Policy:
    from baton.errors import ConfigurationError
    from baton.pipeline.versions.policy_versions import ACTIVE, named_version
    from baton.policy.bundle import read_bundle
    from baton.policy.loader import parse_policy

    if Path(name).is_dir():
        return parse_policy(read_bundle(Path(name), overlay))
    if name != ACTIVE and not set(name.lower()) <= set("0123456789abcdef"):
        raise ConfigurationError(
            f"there is no directory {name}; a version is named by the beginning of its hash, "
            f"the current one by '{ACTIVE}'"
        )
    with ledger() as conn:
        return named_version(conn, name)
