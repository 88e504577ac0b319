"""``baton policy schema``: the JSON Schema of a policy's files, for editors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from baton.cli.shell import FAILED, err, out


def schema(
    file: Annotated[
        Path, typer.Option("--out", help="Where the schema stands; - prints it.")
    ] = Path("include/policy/policy.schema.json"),
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; fail if the file is out of date.")
    ] = False,
) -> None:
    """Write the JSON Schema with which an editor completes and checks a policy while one types.

    Examples: `baton policy schema`, `baton policy schema --check`
    """
    from baton.policy.schema import schema_text

    text = schema_text()
    if str(file) == "-":
        typer.echo(text, nl=False)
        return
    before = file.read_text(encoding="utf-8") if file.is_file() else None
    if before == text:
        out().print(f"{file} is up to date", markup=False)
        return
    if check:
        what = "is missing" if before is None else "is out of date"
        err().print(f"{file} {what}: run 'baton policy schema'", style="red", markup=False)
        raise typer.Exit(FAILED)
    if not file.parent.is_dir():
        err().print(f"there is no directory {file.parent}", style="red", markup=False)
        raise typer.Exit(FAILED)
    file.write_text(text, encoding="utf-8")
    out().print(f"wrote {file}", markup=False)
