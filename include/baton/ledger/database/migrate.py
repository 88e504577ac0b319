"""Bring a ledger to the tables of this version of Baton, or say that it is not there yet."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from baton.errors import MigrationNeededError
from baton.ledger.database.engine import ledger_engine, transaction

VERSION_TABLE = "baton_alembic_version"
COMMAND = "baton db migrate"
# Any constant will do: it keeps two migrations of one database from running at once.
_LOCK = 7_302_155_164


def upgrade(url: str, revision: str = "head") -> str:
    """Migrate the ledger at `url` forward to `revision`. Return the revision it is at then.

    All or nothing: one transaction. Running it again, or twice at once, does no harm.
    """
    return _run(url, lambda config: command.upgrade(config, revision))


def downgrade(url: str, revision: str) -> str | None:
    """Migrate the ledger at `url` back to `revision` (``base`` drops everything)."""
    return _run(url, lambda config: command.downgrade(config, revision)) or None


@functools.cache
def head() -> str:
    """Return the revision that this version of Baton needs."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    assert revision is not None
    return revision


def current_revision(connection: Connection) -> str | None:
    """Return the revision the ledger is at; None if it was never migrated."""
    return MigrationContext.configure(
        connection, opts={"version_table": VERSION_TABLE}
    ).get_current_revision()


def check_current(engine: Engine) -> None:
    """Raise MigrationNeededError, with the command, unless the ledger's tables are ours.

    Raises LedgerUnavailableError if there is no database.
    """
    with transaction(engine) as connection:
        found = current_revision(connection)
    wanted = head()
    if found == wanted:
        return
    if found is None:
        raise MigrationNeededError(
            f"the ledger's database '{engine.url.database}' has no tables yet: run '{COMMAND}'"
        )
    if found not in _known_revisions():
        raise MigrationNeededError(
            f"the ledger is at revision '{found}', which this version of Baton does not know: "
            "it was made by a newer one; upgrade Baton"
        )
    raise MigrationNeededError(
        f"the ledger is at revision '{found}', this version of Baton needs '{wanted}': "
        f"run '{COMMAND}'"
    )


def _known_revisions() -> set[str]:
    scripts = ScriptDirectory.from_config(_config())
    return {script.revision for script in scripts.walk_revisions()}


def _run(url: str, step: Callable[[Config], None]) -> str:
    engine = ledger_engine(url)
    with transaction(engine) as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        config = _config()
        config.attributes["connection"] = connection
        step(config)
        return current_revision(connection) or ""


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parents[1] / "migrations"))
    return config
