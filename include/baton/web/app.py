"""The pages as a FastAPI application. Nobody sees anything without having logged in to Airflow."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from html import escape
from typing import Final
from urllib.parse import urlencode

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException as AnyHTTPException

from baton.clock import Clock, SystemClock
from baton.errors import BatonError
from baton.settings import Settings
from baton.web.access import Access, Visitor, airflow_visitor
from baton.web.addresses import base_of, root_of
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
_WORDS: Final = {405: "This address shows something; it takes no form."}
_FOR_A_DAY: Final = "private, max-age=86400"


def create_app(
    access: Access = airflow_visitor,
    *,
    secret: bytes,
    database_url: Callable[[], str] = lambda: Settings.from_environment().database_url,
    clock: Clock | None = None,
    links: Mapping[str, str] | None = None,
) -> FastAPI:
    """Return the application.

    `access` says who a request comes from, and refuses whoever is unknown; every route asks it.
    `secret` seals forms (see `baton.web.seals`). `database_url` is asked when it is needed: the
    ledger may come and go. `links`: see `baton.web.outside`.
    """
    site = Site(access, clock or SystemClock(), Seals(secret), database_url, links or {})
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.state.site = site
    app.middleware("http")(_with_headers)
    for router in ROUTERS:
        app.include_router(router(site))
    app.add_exception_handler(BatonError, _trouble(site))
    app.add_exception_handler(AnyHTTPException, _refusal(site))
    app.add_exception_handler(RequestValidationError, _refusal(site))
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
        visitor = await _whoever(site, request) or Visitor("", "you may not see these pages")
        return site.page(request, visitor, "trouble.html", status=503, text=str(error))

    return answer


def _refusal(site: Site) -> Callable[[Request, Exception], Awaitable[Response]]:
    """Say why a request was refused, as a page."""

    async def answer(request: Request, error: Exception) -> Response:
        status, text = 422, "The address or the form says something that this page cannot read."
        if isinstance(error, AnyHTTPException):
            status, text = error.status_code, _WORDS.get(error.status_code, str(error.detail))
        visitor = await _whoever(site, request) if status != 401 else None
        if visitor is None:
            return _log_in_first(request, 403 if status == 403 else 401)
        return site.page(request, visitor, "refused.html", status=status, text=text)

    return answer


def _log_in_first(request: Request, status: int) -> Response:
    """Say so; to somebody who came by a link, with the way to the log-in and back here."""
    words = "Log in to Airflow first."
    if (
        status != 401
        or request.method != "GET"
        or "text/html" not in request.headers.get("accept", "")
    ):
        return Response(words, status, media_type="text/plain")
    base = base_of(request)
    here = base + request.url.path.removeprefix(root_of(request))
    back = f"{here}?{request.url.query}" if request.url.query else here
    airflow = base.removesuffix(base[base.rfind("/") :] if base else "")
    address = f"{airflow}/api/v2/auth/login?{urlencode({'next': back})}"
    return HTMLResponse(
        '<!doctype html><html lang="en"><title>Log in</title><main><h1>Log in to Airflow first</h1>'
        f'<p><a href="{escape(address)}">To the log-in, and back here</a></p></main></html>',
        status,
    )


async def _whoever(site: Site, request: Request) -> Visitor | None:
    """Return who asks; None for somebody who may not read: not even told what there is not."""
    try:
        return await site.access(request)
    except HTTPException:
        return None
