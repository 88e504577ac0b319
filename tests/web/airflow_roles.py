"""What each role of Airflow's simple auth manager may see and do: printed as a line of JSON.

A process of its own: Airflow reads its settings when it is imported. Only the log-in is left out.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any
from unittest.mock import patch

from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from fastapi import HTTPException, Request

from baton.web.access import airflow_visitor

ROLES = ("VIEWER", "USER", "OP", "ADMIN", None)


async def judged(role: str | None) -> dict[str, bool]:
    """Return what somebody of a role may do with the pages."""
    user = SimpleAuthManagerUser(username=f"a {role}", role=role)

    async def logged_in(*_args: Any, **_kwargs: Any) -> SimpleAuthManagerUser:
        return user

    request = Request({"type": "http", "headers": [], "method": "GET", "path": "/"})
    with (
        patch("airflow.api_fastapi.core_api.security.get_user", logged_in),
        patch("airflow.api_fastapi.app.get_auth_manager", SimpleAuthManager),
    ):
        try:
            visitor = await airflow_visitor(request)
        except HTTPException as refused:
            return {"sees": refused.status_code != 403, "acts": False}
        return {"sees": True, "acts": visitor.may_act}


print(json.dumps({role or "none": asyncio.run(judged(role)) for role in ROLES}))
