"""Opening the outside for a task: settings and connections as Airflow holds them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from baton.pipeline.context import Context


@contextmanager
def task_context() -> Iterator[Context]:
    """Yield the Context of a task; everything heavy is imported here, not with the Dag file.

    Raises:
        ConfigurationError: a setting or connection is missing; the message says which.
        LedgerUnavailableError, MigrationNeededError: the ledger is not ready.
    """
    from baton.orchestration.connections import (
        hubspot_connection,
        raw_connection,
        salesforce_connection,
        slack_connection,
    )
    from baton.pipeline.context import Connections, open_context
    from baton.settings import Settings

    connections = Connections(hubspot_connection(), salesforce_connection(), slack_connection())
    settings = Settings.from_environment()
    ctx = open_context(
        replace(settings, pages_url=settings.pages_url or pages_below_airflow()),
        connections,
        pooled=True,
        raw_connection=raw_connection,
        # Airflow sets it for every task.
        run=os.environ.get("AIRFLOW_CTX_DAG_RUN_ID"),
    )
    try:
        yield ctx
    finally:
        ctx.engine.dispose()


def pages_below_airflow() -> str:
    """Return where the pages are by Airflow's own address; empty if it does not know that."""
    from airflow.configuration import conf

    base = (conf.get("api", "base_url", fallback="") or "").rstrip("/")
    return f"{base}/baton" if base.startswith(("https://", "http://")) else ""
