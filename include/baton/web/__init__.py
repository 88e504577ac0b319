"""The review pages: what was handed off, what waits, what failed. Served by Airflow."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send


MENU_ENTRY = {
    "name": "Baton",
    "href": "baton/",
    "destination": "nav",
    "category": "browse",
    "url_route": "baton",
}
"""The pages' place in Airflow's menu; the address is relative, below whatever path Airflow has."""


async def serve(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request: the ASGI application, which is built when the first request comes.

    Airflow imports its plugins in every process, task processes too; only its API server serves.
    """
    await _app()(scope, receive, send)


@cache
def _app() -> ASGIApp:
    from airflow.configuration import conf

    from baton.web.app import create_app

    # The secret with which Airflow signs log-ins: the same on every API server.
    return create_app(secret=conf.get_mandatory_value("api", "secret_key").encode())
