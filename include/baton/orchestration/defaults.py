"""What all Dags of Baton share: owner, retries by error type, time limits, callbacks, pools."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryRule

from baton.errors import (
    ConfigurationError,
    FatalGatewayError,
    InvariantError,
    LedgerError,
    RateLimitedError,
    RetriableGatewayError,
)

logger = logging.getLogger(__name__)

START_DATE = datetime(2026, 1, 1, tzinfo=UTC)
HUBSPOT_POOL = "hubspot_api"
SALESFORCE_POOL = "salesforce_api"
LEDGER_POOL = "ledger"
BACKFILL_POOL = "backfill"
POOLS = {HUBSPOT_POOL: 4, SALESFORCE_POOL: 4, LEDGER_POOL: 4, BACKFILL_POOL: 2}
"""Slots a pool; created at start, because a task that names a missing pool waits for ever."""

RETRY_BY_ERROR = ExceptionRetryPolicy(
    rules=[
        RetryRule(
            ConfigurationError,
            action=RetryAction.FAIL,
            reason="somebody must change the configuration; a retry cannot help",
        ),
        RetryRule(
            FatalGatewayError,
            action=RetryAction.FAIL,
            reason="the other side refuses this connection; a retry cannot help",
        ),
        RetryRule(InvariantError, action=RetryAction.FAIL, reason="a bug; look at the log"),
        RetryRule(
            RateLimitedError,
            action=RetryAction.RETRY,
            retry_delay=timedelta(seconds=60),
            reason="the API asked for a pause",
        ),
        RetryRule(
            [RetriableGatewayError, LedgerError],
            action=RetryAction.RETRY,
            retry_delay=timedelta(seconds=15),
            reason="the other side may answer in a moment",
        ),
    ]
)


def report_failure(context: Any) -> None:
    """Say in the log which task gave up, and why, without personal data.

    The message of an error of Baton names connections, fields and ids only.
    """
    instance = context.get("task_instance")
    error = context.get("exception")
    logger.error(
        "baton: %s.%s gave up after %s tries: %s",
        getattr(instance, "dag_id", "?"),
        getattr(instance, "task_id", "?"),
        getattr(instance, "try_number", "?"),
        error,
    )


DEFAULT_ARGS: dict[str, Any] = {
    "owner": "revenue-operations",
    "retries": 3,
    "retry_delay": timedelta(seconds=15),
    "retry_policy": RETRY_BY_ERROR,
    # A killed worker is noticed after the heartbeat time-out; a hanging one after this.
    "execution_timeout": timedelta(minutes=10),
    "on_failure_callback": report_failure,
}
