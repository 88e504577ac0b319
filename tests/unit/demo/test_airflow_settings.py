from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

import pytest

from baton.demo.airflow_settings import ADMIN, VIEWER, AirflowPlan, prepare_home
from baton.demo.airflow_stack import free_port, port_is_free

PROJECT = Path(__file__).resolve().parents[3]


@pytest.fixture
def plan(tmp_path: Path) -> AirflowPlan:
    made = AirflowPlan(
        home=tmp_path / "airflow",
        dags_folder=PROJECT / "dags",
        plugins_folder=PROJECT / "plugins",
        config_source=PROJECT / "config",
        database_url="postgresql+psycopg://postgres@/airflow?host=/run/db",
        api_port=18081,
        variables={"BATON_MODE": "observe"},
    )
    prepare_home(made)
    return made


def test_someone_elses_airflow_settings_do_not_leak_in(plan: AirflowPlan) -> None:
    made = plan.environment(
        {
            "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
            "AIRFLOW_HOME": "/elsewhere",
            "AIRFLOW_CONN_HUBSPOT_DEFAULT": "{}",
            "BATON_PRELOAD": "1",
            "LANG": "C",
        }
    )
    assert made["AIRFLOW__CORE__EXECUTOR"] == "LocalExecutor"
    assert made["AIRFLOW_HOME"] == str(plan.home)
    assert made["AIRFLOW_CONN_HUBSPOT_DEFAULT"] == "{}"
    assert made["BATON_MODE"] == "observe"
    assert made["LANG"] == "C"
    assert "BATON_PRELOAD" not in made


def test_a_proxy_never_stands_between_the_components(plan: AirflowPlan) -> None:
    made = plan.environment({"NO_PROXY": "example.test"})
    assert made["NO_PROXY"] == made["no_proxy"] == "example.test,127.0.0.1,localhost"


def test_secrets_are_private_and_stay(plan: AirflowPlan) -> None:
    first = prepare_home(plan)
    assert prepare_home(plan) == first
    assert set(first.passwords) == {ADMIN, VIEWER}
    assert len(set(first.passwords.values())) == 2
    for path in plan.home.glob("*.json"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not any(word in repr(first) for word in first.passwords.values())


def test_two_homes_have_different_secrets(plan: AirflowPlan, tmp_path: Path) -> None:
    other = prepare_home(replace(plan, home=tmp_path / "other"))
    assert other.jwt_secret != prepare_home(plan).jwt_secret


def test_local_settings_are_brought_up_to_date(plan: AirflowPlan) -> None:
    copy = plan.home / "config" / "airflow_local_settings.py"
    copy.write_text("old")
    prepare_home(plan)
    assert copy.read_text() == (PROJECT / "config" / "airflow_local_settings.py").read_text()


def test_a_port_in_use_is_not_chosen() -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert not port_is_free(port)
        assert free_port(port) != port
    assert free_port(port) == port
