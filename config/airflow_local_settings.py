"""Airflow reads this on every start. With BATON_PRELOAD=1 it imports what tasks need, once.

Set the variable for the scheduler (LocalExecutor) and for Celery workers, and for nothing else:
their task processes are forked from them and find these modules already there, instead of
spending seconds of CPU per task. Where processes are spawned, tasks import them on their own.
"""

from __future__ import annotations

import importlib
import logging
import os
import time

_HEAVY = (
    # What a Dag file imports: each task parses its file again.
    "airflow.providers.standard.decorators.python",
    "airflow.sdk.definitions.decorators",
    "airflow.sdk.definitions.timetables.trigger",
    "baton.orchestration.assets",
    "baton.orchestration.defaults",
    "baton.orchestration.runtime",
    "baton.orchestration.tags",
    # What its steps import.
    "great_expectations.expectations",
    "pandas",
    "hubspot.crm.companies",
    "hubspot.crm.contacts",
    "hubspot.crm.lists",
    "hubspot.discovery.crm.discovery",
    "simple_salesforce.api",
    "slack_sdk",
    "sqlalchemy.dialects.postgresql.psycopg",
    "baton.orchestration.connections",
    "baton.pipeline.delivery.deliver",
    "baton.pipeline.response.dispositions",
    "baton.pipeline.judging.qualify",
    "baton.pipeline.intake.references",
    "baton.pipeline.response.sla_watch",
    "baton.pipeline.reconciling.upkeep",
)


def _preload() -> None:
    log = logging.getLogger(__name__)
    # It announces hundreds of internal registrations at level INFO.
    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    started = time.monotonic()
    for name in _HEAVY:
        try:
            importlib.import_module(name)
        except ImportError:
            # A task that needs it will say so itself; the scheduler must start all the same.
            log.warning("could not preload %s", name)
    try:
        from baton.pipeline.preloading import keep, read_policy, warm_up

        warm_up()
        read_policy()
        keep()
    except ImportError:
        log.warning("Baton is not installed: nothing to warm up")
    log.info("preloaded what tasks need in %.1f s", time.monotonic() - started)


if os.environ.get("BATON_PRELOAD") == "1":
    _preload()
