"""Metrics: how fast buyers hear from a person, what sales took, and what came of it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from baton.audit.metrics import METRICS
from baton.web.access import Visitor
from baton.web.pages.metrics_charts import funnel_chart, pace_chart, shares_chart
from baton.web.pages.metrics_look import FEW, ROWS, WEEKS, look
from baton.web.site import Site
from baton.web.windows import LENGTHS, WindowAsked


def router(site: Site) -> APIRouter:
    """Return the routes of the page."""
    routes = APIRouter()

    @routes.get("/metrics", response_class=HTMLResponse)
    def metrics(
        request: Request,
        asked: Annotated[WindowAsked, Depends()],
        visitor: Visitor = site.reader(),
    ) -> HTMLResponse:
        now = site.clock.now()
        window = asked.window(now)
        with site.ledger() as conn:
            shown = look(conn, now, window)
        return site.page(
            request,
            visitor,
            "metrics.html",
            shown=shown,
            window=window,
            lengths=LENGTHS,
            few=FEW,
            rows=ROWS,
            weeks=WEEKS,
            metrics=METRICS,
            charts={
                "funnel": funnel_chart(shown.funnel),
                "pace": pace_chart(shown.weeks),
                "shares": shares_chart(shown.weeks),
            },
        )

    return routes
