"""Shows Baton's pages in Airflow: served beside Airflow's own, found under Browse in its menu."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin

from baton.web import serve


class BatonPlugin(AirflowPlugin):
    """Registers the pages. Imported by every Airflow process, so it imports next to nothing."""

    name = "baton"
    fastapi_apps = [{"app": serve, "url_prefix": "/baton", "name": "Baton"}]
    external_views = [
        {
            "name": "Baton",
            "href": "baton/",
            "destination": "nav",
            "category": "browse",
            "url_route": "baton",
        }
    ]
