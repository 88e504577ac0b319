"""Who is looking, and what they may do: asked of Airflow's auth manager, at every request.

Whoever may see the runs of the handoff Dag may read; whoever may start them may act. So an
organisation grants Baton's pages where it grants its Dags, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Literal, Protocol

from fastapi import HTTPException, Request

DAG = "lead_handoff"
"""The Dag whose permissions the pages follow."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who has logged in. `why_not` says why they may not act; empty if they may."""

    name: str
    why_not: str = ""

    @property
    def may_act(self) -> bool:
        """Tell whether this person may change something."""
        return not self.why_not


class Access(Protocol):
    """How a request is known to come from somebody."""

    def __call__(self, request: Request) -> Awaitable[Visitor]:
        """Return who is asking. Raises HTTPException 401 (unknown) or 403 (may not read)."""


async def airflow_visitor(request: Request) -> Visitor:
    """Ask Airflow who sends this request, and what they may do."""
    from airflow.api_fastapi.app import get_auth_manager
    from airflow.api_fastapi.auth.managers.models.resource_details import (
        DagAccessEntity,
        DagDetails,
    )
    from airflow.api_fastapi.core_api.security import bearer_scheme, get_user

    user = await get_user(request, bearer_credentials=await bearer_scheme(request))
    manager, dag = get_auth_manager(), DagDetails(id=DAG)

    def may(method: Literal["GET", "POST"]) -> bool:
        entity = DagAccessEntity.RUN
        return manager.is_authorized_dag(
            method=method, access_entity=entity, details=dag, user=user
        )

    name = user.get_name()
    if not may("GET"):
        raise HTTPException(403, f"{name} may not see the runs of {DAG}, so not these pages either")
    if _nobody_in_particular(user):
        return Visitor(name, "nobody in particular is logged in: log in under a name of your own")
    if not may("POST"):
        return Visitor(name, f"you may look, but not act: that needs the right to run {DAG}")
    return Visitor(name)


def _nobody_in_particular(user: object) -> bool:
    """Tell whether everybody gets this user: an action would stand under no one's name."""
    from airflow.configuration import conf

    everybody_is_admin = conf.getboolean("core", "simple_auth_manager_all_admins", fallback=False)
    return everybody_is_admin or bool(getattr(user, "is_anonymous", False))
