from __future__ import annotations

from typing import Any

import httpx
import pytest

from baton.demo.airflow_client import AirflowClient, AirflowRefusedError


class Airflow:
    """An API that forgets tokens and finishes a run when it was asked often enough."""

    def __init__(self) -> None:
        self.token = 0
        self.states = ["queued", "running", "success"]
        self.asked: list[str] = []
        self.bodies: list[Any] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(f"{request.method} {request.url.path}")
        if request.url.path == "/auth/token":
            self.token += 1
            return httpx.Response(201, json={"access_token": str(self.token)})
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return httpx.Response(401, json={})
        self.bodies.append(request.content)
        if request.url.path.endswith("/dagRuns/r1"):
            return httpx.Response(200, json={"state": self.states.pop(0)})
        if request.url.path == "/api/v2/pools":
            return httpx.Response(200, json={"create": {"errors": [{"error": "no"}]}})
        if request.url.path.endswith("/dagRuns"):
            return httpx.Response(200, json={"dag_run_id": "r1"})
        return httpx.Response(404, text="no such Dag")


@pytest.fixture
def airflow() -> Airflow:
    return Airflow()


@pytest.fixture
def client(airflow: Airflow) -> AirflowClient:
    transport = httpx.MockTransport(airflow)
    return AirflowClient("http://airflow.test", "admin", "x", transport=transport)


def test_a_run_is_started_and_waited_for(client: AirflowClient) -> None:
    assert client.run_now(["lead_handoff"], timeout_s=10) == {"lead_handoff": "success"}


def test_waiting_ends_with_the_time(client: AirflowClient, airflow: Airflow) -> None:
    airflow.states = ["running"] * 50
    assert client.wait_for_run("lead_handoff", "r1", timeout_s=0.3) == "running"


def test_an_expired_token_is_renewed(client: AirflowClient, airflow: Airflow) -> None:
    client.trigger("lead_handoff")
    airflow.token += 7
    client.trigger("lead_handoff")
    assert airflow.asked.count("POST /auth/token") == 2


def test_a_refusal_says_which_call(client: AirflowClient) -> None:
    with pytest.raises(AirflowRefusedError, match="PATCH /api/v2/dags/nope: 404 no such Dag"):
        client.pause("nope", paused=False)


def test_a_pool_that_cannot_be_made_is_an_error(client: AirflowClient) -> None:
    with pytest.raises(AirflowRefusedError, match="the pools"):
        client.set_pools({"deliver": (2, "drain")})


def test_health_of_nobody_is_empty() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("nobody", request=request)

    client = AirflowClient("http://x.test", "a", "b", transport=httpx.MockTransport(refuse))
    assert client.health() == {}
