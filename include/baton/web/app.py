"""The pages as a FastAPI application. Nobody sees anything without having logged in to Airflow."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from baton.clock import Clock, SystemClock
from baton.errors import BatonError
from baton.settings import Settings
from baton.web.today import Today, look

_HERE = Path(__file__).parent
_HEADERS = {
    # Nothing is loaded from elsewhere and no script runs; Airflow shows the page in a frame.
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    # Names of people: not for a shared cache.
    "Cache-Control": "no-store",
}


def create_app(
    authenticated: Callable[..., Any],
    *,
    database_url: Callable[[], str] = lambda: Settings.from_environment().database_url,
    clock: Clock | None = None,
) -> FastAPI:
    """Return the application.

    `authenticated` is the dependency that refuses whoever is not logged in; every route has it,
    also those added later. `database_url` is asked at each request: the ledger may come and go.
    """
    time = clock or SystemClock()
    app = FastAPI(
        dependencies=[Depends(authenticated)], docs_url=None, redoc_url=None, openapi_url=None
    )
    app.middleware("http")(_with_headers)
    pages = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )

    # Not `async`: the ledger is read in a thread, so that a slow one does not stop Airflow's API.
    @app.get("/", response_class=HTMLResponse)
    def today(request: Request) -> HTMLResponse:
        try:
            seen: Today | None = look(database_url(), time.now())
            trouble = ""
        except BatonError as error:
            seen, trouble = None, str(error)
        base = str(request.scope.get("root_path", "")).rstrip("/")
        page = pages.get_template("today.html").render(today=seen, trouble=trouble, base=base)
        return HTMLResponse(page, status_code=200 if seen else 503)

    @app.get("/style.css")
    def style() -> Response:
        return Response((_HERE / "templates" / "style.css").read_text(), media_type="text/css")

    return app


async def _with_headers(
    request: Request, call_next: Callable[[Request], Awaitable[Response]]
) -> Response:
    response = await call_next(request)
    response.headers.update(_HEADERS)
    return response
