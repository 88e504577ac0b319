"""The review pages: what was handed off, what waits, what failed. Served by Airflow."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

if TYPE_CHECKING:
    from airflow.sdk.types import TaskInstanceKey
    from starlette.types import ASGIApp, Receive, Scope, Send


MENU_ENTRY = {
    "name": "Baton",
    "href": "baton/",
    "destination": "nav",
    "category": "browse",
    "url_route": "baton",
}
"""The pages' place in Airflow's menu; the address is relative, below whatever path Airflow has."""


DAG_OF_RUNS = "lead_handoff"
"""The Dag whose runs judge leads."""


class RunLink:
    """The button on a task in Airflow's grid that leads to the leads of its run.

    Airflow asks for it in the API server only, by name and `get_link`, for every task there is;
    those of other Dags get none.
    """

    name = "Leads of this run"

    def get_link(self, _operator: object, *, ti_key: TaskInstanceKey) -> str:
        """Return the address of the page, below whatever path Airflow has; empty: no button."""
        if ti_key.dag_id != DAG_OF_RUNS:
            return ""
        from airflow.configuration import conf

        path = urlsplit(conf.get("api", "base_url", fallback="") or "").path.rstrip("/")
        return f"{path}/baton/run?{urlencode({'run': ti_key.run_id})}"


async def serve(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request: the ASGI application, which is built when the first request comes.

    Airflow imports its plugins in every process, task processes too; only its API server serves.
    """
    await _app()(scope, receive, send)


@cache
def _app() -> ASGIApp:
    from airflow.configuration import conf

    from baton.web.app import create_app
    from baton.web.outside import addresses, airflow_connection

    # The secret with which Airflow signs log-ins: the same on every API server.
    secret = conf.get_mandatory_value("api", "secret_key").encode()
    return create_app(secret=secret, links=addresses(airflow_connection))
