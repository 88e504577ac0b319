"""Stages with a PostgreSQL server of their own: for the benchmark and the module command."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.faults.stage import Stage

from baton.ledger.database import embedded, migrate

TEMPLATE = "baton_template"


@contextmanager
def stages(count: int) -> Iterator[tuple[Stage, ...]]:
    """Open that many stages on one server; everything is gone at the end."""
    directory = Path(tempfile.mkdtemp(prefix="baton-faults-"))
    server = embedded.start(directory / "pg", durable=False)
    try:
        embedded.ensure_database(server.address, TEMPLATE)
        migrate.upgrade(server.address.url(TEMPLATE))
        with ExitStack() as stack:
            yield tuple(
                stack.enter_context(Stage(server.address, TEMPLATE, directory / str(number)))
                for number in range(count)
            )
    finally:
        embedded.stop(directory / "pg")
        shutil.rmtree(directory, ignore_errors=True)
