"""The few calls of Airflow's REST API that the demo needs, with a token that renews itself."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import httpx

from baton.errors import BatonError

__all__ = ["AirflowClient", "AirflowRefusedError"]

_TERMINAL = frozenset({"success", "failed"})


class AirflowRefusedError(BatonError):
    """Airflow's API answered, and the answer was no."""

    def __init__(self, call: str, status: int, detail: str) -> None:
        super().__init__(f"Airflow refused {call}: {status} {detail[:300]}")
        self.status = status


class AirflowClient:
    """Airflow at `base_url`, as one user. Times out after ten seconds a call."""

    def __init__(
        self,
        base_url: str,
        user: str,
        password: str,
        *,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._user, self._password = user, password
        # No proxy of the environment stands between this machine and itself.
        self._http = httpx.Client(
            base_url=base_url, timeout=10, trust_env=False, transport=transport
        )
        self._token = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def health(self) -> dict[str, str]:
        """Return component → status ("healthy", "unhealthy"); empty while nobody answers."""
        try:
            answer = self._http.get("/api/v2/monitor/health")
        except httpx.HTTPError:
            return {}
        if answer.status_code != httpx.codes.OK:
            return {}
        return {name: str(part.get("status")) for name, part in answer.json().items() if part}

    def warm_up(self) -> None:
        """Make the API that tasks talk to build itself, which takes seconds, before tasks ask.

        It is assembled on its first call (about 5 s), long enough for the first task of a fresh
        Airflow to time out and ask again.
        """
        self._http.get("/execution/health", timeout=60)

    def set_pools(self, pools: Mapping[str, tuple[int, str]]) -> None:
        """Create or resize pools: name → (slots, description)."""
        entities = [
            {"name": name, "slots": slots, "description": words, "include_deferred": False}
            for name, (slots, words) in pools.items()
        ]
        action = {"action": "create", "action_on_existence": "overwrite", "entities": entities}
        answer = self._call("PATCH", "/api/v2/pools", json={"actions": [action]})
        if errors := (answer.get("create") or {}).get("errors"):
            raise AirflowRefusedError("the pools", 400, str(errors))

    def dag_ids(self) -> set[str]:
        """Return the Dags that Airflow has parsed."""
        return {dag["dag_id"] for dag in self._call("GET", "/api/v2/dags?limit=100")["dags"]}

    def import_errors(self) -> list[str]:
        """Return file and reason of each Dag file that cannot be imported."""
        found = self._call("GET", "/api/v2/importErrors?limit=100")["import_errors"]
        return [f"{error['filename']}: {error['stack_trace']}" for error in found]

    def pause(self, dag_id: str, *, paused: bool) -> None:
        """Pause a Dag or let it run."""
        self._call("PATCH", f"/api/v2/dags/{dag_id}", json={"is_paused": paused})

    def trigger(self, dag_id: str, conf: Mapping[str, Any] | None = None) -> str:
        """Start a run now and return its id."""
        body = {"logical_date": None, "conf": dict(conf or {})}
        return str(self._call("POST", f"/api/v2/dags/{dag_id}/dagRuns", json=body)["dag_run_id"])

    def run_state(self, dag_id: str, run_id: str) -> str:
        """Return the state of a run: queued, running, success or failed."""
        return str(self._call("GET", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}")["state"])

    def runs(self, dag_id: str, *, limit: int = 100) -> list[dict[str, Any]]:
        """Return the latest runs, newest first."""
        path = f"/api/v2/dags/{dag_id}/dagRuns?limit={limit}&order_by=-run_after"
        return list(self._call("GET", path)["dag_runs"])

    def task_states(self, dag_id: str, run_id: str) -> dict[str, str]:
        """Return task id → state of a run."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances?limit=100"
        found = self._call("GET", path)["task_instances"]
        return {instance["task_id"]: str(instance["state"]) for instance in found}

    def wait_for_run(self, dag_id: str, run_id: str, *, timeout_s: float) -> str:
        """Wait until a run has ended, or the time is over; return its last state."""
        end = time.monotonic() + timeout_s
        while (state := self.run_state(dag_id, run_id)) not in _TERMINAL:
            if time.monotonic() >= end:
                break
            time.sleep(0.2)
        return state

    def run_now(self, dag_ids: Sequence[str], *, timeout_s: float) -> dict[str, str]:
        """Start a run of each Dag, wait for all, return Dag → last state."""
        started = {dag_id: self.trigger(dag_id) for dag_id in dag_ids}
        return {
            dag_id: self.wait_for_run(dag_id, run_id, timeout_s=timeout_s)
            for dag_id, run_id in started.items()
        }

    def _call(self, method: str, path: str, *, json: Any = None) -> dict[str, Any]:
        answer = self._send(method, path, json)
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            self._token = ""
            answer = self._send(method, path, json)
        if answer.is_error:
            raise AirflowRefusedError(f"{method} {path}", answer.status_code, answer.text)
        body: dict[str, Any] = answer.json() if answer.content else {}
        return body

    def _send(self, method: str, path: str, json: Any) -> httpx.Response:
        if not self._token:
            self._token = self._log_in()
        return self._http.request(
            method, path, json=json, headers={"Authorization": f"Bearer {self._token}"}
        )

    def _log_in(self) -> str:
        answer = self._http.post(
            "/auth/token", json={"username": self._user, "password": self._password}
        )
        if answer.is_error:
            raise AirflowRefusedError("the log-in", answer.status_code, answer.text)
        return str(answer.json()["access_token"])
