"""Shows Baton's pages in Airflow: served beside Airflow's own, found under Browse in its menu."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin

from baton.web import MENU_ENTRY, RunLink, serve


class BatonPlugin(AirflowPlugin):
    """Registers the pages. Imported by every Airflow process, so it imports next to nothing."""

    name = "baton"
    # Lists, because Airflow declares them so.
    fastapi_apps = [{"app": serve, "url_prefix": "/baton", "name": "Baton"}]  # noqa: RUF012
    external_views = [MENU_ENTRY]  # noqa: RUF012
    global_operator_extra_links = [RunLink()]  # noqa: RUF012
