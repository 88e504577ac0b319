"""Run the migrations on the connection that `baton.ledger.database.migrate` hands over."""

from __future__ import annotations

from alembic import context

from baton.ledger.tables.schema import metadata


def _run() -> None:
    connection = context.config.attributes.get("connection")
    if connection is None:
        raise RuntimeError("run 'baton db migrate': migrations need a connection handed to them")
    context.configure(
        connection=connection,
        target_metadata=metadata,
        version_table="baton_alembic_version",
        transaction_per_migration=False,
    )
    with context.begin_transaction():
        context.run_migrations()


_run()
