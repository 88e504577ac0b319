from __future__ import annotations

import pytest

from baton.orchestration.provider import get_provider_info


def test_both_connection_types_are_declared_without_clashing() -> None:
    types = {one["connection-type"]: one for one in get_provider_info()["connection-types"]}
    assert set(types) == {"hubspot", "slack"}
    assert types["hubspot"]["ui-field-behaviour"]["relabeling"]["password"] == "Access token"


def test_airflows_slack_provider_keeps_its_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("baton.orchestration.provider._installed", lambda _: True)
    types = [one["connection-type"] for one in get_provider_info()["connection-types"]]
    assert types == ["hubspot"]


def test_the_description_satisfies_airflows_schema() -> None:
    from airflow.providers_manager import _create_provider_info_schema_validator

    _create_provider_info_schema_validator().validate(get_provider_info())


def test_every_field_of_the_form_is_one_that_the_connection_takes() -> None:
    from baton.connections import HubSpotConnection, SlackConnection

    takes = {"hubspot": HubSpotConnection.EXTRAS, "slack": SlackConnection.EXTRAS}
    for one in get_provider_info()["connection-types"]:
        assert set(one["conn-fields"]) <= takes[one["connection-type"]]


def test_the_hooks_exist_and_test_their_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    from baton.orchestration.hooks import HubSpotHook, SlackHook

    monkeypatch.setenv(
        "AIRFLOW_CONN_HUBSPOT_DEFAULT",
        '{"conn_type": "hubspot", "password": "t", "host": "http://127.0.0.1:1"}',
    )
    monkeypatch.setattr("baton.transport.RetryTerms.__init__.__defaults__", (1, 1.0, 0.01, 0.01))
    works, said = HubSpotHook().test_connection()
    assert not works
    assert "cannot be reached" in said
    monkeypatch.delenv("AIRFLOW_CONN_SLACK_DEFAULT", raising=False)
    works, said = SlackHook().test_connection()
    assert not works
    assert "AIRFLOW_CONN_SLACK_DEFAULT" in said
