"""Airflow's metadata for the demo: empty at every start, and migrated only once."""

from __future__ import annotations

import shutil
from importlib.metadata import version

from psycopg import sql

from baton.demo.airflow_stack import AirflowStack
from baton.ledger.database import embedded
from baton.ledger.database.embedded import AIRFLOW_DATABASE, DatabaseAddress

__all__ = ["fresh_airflow"]


def fresh_airflow(address: DatabaseAddress, stack: AirflowStack) -> None:
    """Give Airflow an empty, migrated database, and forget the task logs of the last demo.

    A Dag that was unpaused in the last demo would else run before its time. Migrating takes ten
    seconds; a copy of what it made, kept under Airflow's version, takes less than one.

    Raises:
        AirflowMigrationError: with the end of what Airflow said.
    """
    stack.prepare()
    shutil.rmtree(stack.plan.home / "logs", ignore_errors=True)
    template = "airflow_" + version("apache-airflow").replace(".", "_")
    embedded.drop_database(address, AIRFLOW_DATABASE)
    if _exists(address, template):
        embedded.ensure_database(address, AIRFLOW_DATABASE, template=template)
        return
    embedded.ensure_database(address, AIRFLOW_DATABASE)
    stack.migrate()
    draft = f"{template}_draft"
    embedded.drop_database(address, draft)
    embedded.ensure_database(address, draft, template=AIRFLOW_DATABASE)
    # Renamed when complete: a template cut short must never be taken for a whole one.
    with address.connect("postgres") as connection:
        connection.execute(
            sql.SQL("ALTER DATABASE {} RENAME TO {}").format(
                sql.Identifier(draft), sql.Identifier(template)
            )
        )


def _exists(address: DatabaseAddress, name: str) -> bool:
    with address.connect("postgres") as connection:
        query = "SELECT 1 FROM pg_database WHERE datname = %s"
        return connection.execute(query, (name,)).fetchone() is not None
