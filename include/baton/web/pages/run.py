"""The leads of one Airflow run: where the link on a task in Airflow's grid leads to."""

from __future__ import annotations

from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from baton.ledger.pages.page_people import names
from baton.ledger.pages.page_run import judged, outcomes
from baton.web import DAG_OF_RUNS
from baton.web.access import Visitor
from baton.web.site import Site

PAGE: Final = 100


def router(site: Site) -> APIRouter:
    """Return the routes of the page."""
    routes = APIRouter()

    @routes.get("/run", response_class=HTMLResponse)
    def run(
        request: Request,
        run: Annotated[str, Query(max_length=500)] = "",
        before: int | None = None,
        visitor: Visitor = site.reader(),
    ) -> HTMLResponse:
        with site.ledger() as conn:
            found = judged(conn, run, limit=PAGE + 1, before_id=before)
            counts = outcomes(conn, run)
            called = names(conn)
        lines = found[:PAGE]
        goes_on = len(found) > PAGE
        return site.page(
            request,
            visitor,
            "run.html",
            run=run,
            lines=lines,
            counts=counts,
            names=called,
            dag=DAG_OF_RUNS,
            more=urlencode({"run": run, "before": lines[-1].id}) if goes_on else "",
        )

    return routes
