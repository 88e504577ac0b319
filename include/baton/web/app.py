"""The pages as a FastAPI application. Nobody sees anything without having logged in to Airflow."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from fastapi import FastAPI, HTTPException, Request, Response

from baton.clock import Clock, SystemClock
from baton.errors import BatonError
from baton.settings import Settings
from baton.web.access import Access, Visitor, airflow_visitor
from baton.web.pages import ROUTERS
from baton.web.seals import Seals
from baton.web.site import Site

_HEADERS: Final = {
    # Nothing is loaded from elsewhere, no text becomes a script; Airflow shows the page in a frame.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    # Names of people: not for a shared cache.
    "Cache-Control": "no-store",
}
_FOR_A_DAY: Final = "private, max-age=86400"


def create_app(
    access: Access = airflow_visitor,
    *,
    secret: bytes,
    database_url: Callable[[], str] = lambda: Settings.from_environment().database_url,
    clock: Clock | None = None,
) -> FastAPI:
    """Return the application.

    `access` says who a request comes from, and refuses whoever is unknown; every route asks it.
    `secret` seals forms (see `baton.web.seals`). `database_url` is asked when it is needed: the
    ledger may come and go.
    """
    site = Site(access, clock or SystemClock(), Seals(secret), database_url)
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.state.site = site
    app.middleware("http")(_with_headers)
    for router in ROUTERS:
        app.include_router(router(site))
    app.add_exception_handler(BatonError, _trouble(site))
    app.add_exception_handler(HTTPException, _refusal(site))
    return app


async def _with_headers(
    request: Request, call_next: Callable[[Request], Awaitable[Response]]
) -> Response:
    response = await call_next(request)
    response.headers.update(_HEADERS)
    if "/static/" in request.url.path and response.status_code < 400:
        response.headers["Cache-Control"] = _FOR_A_DAY
    return response


def _trouble(site: Site) -> Callable[[Request, Exception], Awaitable[Response]]:
    """Say what is wrong and how to mend it, where the ledger (say) cannot be read."""

    async def answer(request: Request, error: Exception) -> Response:
        visitor = await _whoever(site, request)
        return site.page(request, visitor, "trouble.html", status=503, text=str(error))

    return answer


def _refusal(site: Site) -> Callable[[Request, Exception], Awaitable[Response]]:
    """Say why a request was refused, as a page."""

    async def answer(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if error.status_code == 401:
            return Response("Log in to Airflow first.", 401, media_type="text/plain")
        visitor = await _whoever(site, request)
        return site.page(
            request, visitor, "refused.html", status=error.status_code, text=error.detail
        )

    return answer


async def _whoever(site: Site, request: Request) -> Visitor:
    try:
        return await site.access(request)
    except HTTPException:
        return Visitor("", "you may not see these pages")
