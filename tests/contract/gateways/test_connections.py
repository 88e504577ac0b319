from __future__ import annotations

import json

import pytest

from baton.connections import (
    HubSpotConnection,
    RawConnection,
    SalesforceConnection,
    SlackConnection,
)
from baton.errors import MissingConnectionError, SettingsError

ORG = "https://acme.my.salesforce.com"


def hubspot(**parts: object) -> HubSpotConnection:
    text = json.dumps({"conn_type": "hubspot", "password": "tok-secret"} | parts)
    return HubSpotConnection.from_environment({"AIRFLOW_CONN_HUBSPOT_DEFAULT": text})


def salesforce(*, login: str | None = None, **extra: object) -> SalesforceConnection:
    whole = {"instance_url": ORG, "consumer_key": "key", "consumer_secret": "hidden"} | extra
    text = json.dumps({"conn_type": "salesforce", "login": login, "extra": whole})
    return SalesforceConnection.from_environment({"AIRFLOW_CONN_SALESFORCE_DEFAULT": text})


def test_a_missing_connection_names_variable_and_place_in_the_ui() -> None:
    for kind in (HubSpotConnection, SalesforceConnection, SlackConnection):
        with pytest.raises(MissingConnectionError) as caught:
            kind.from_environment({})
        text = str(caught.value)
        assert "AIRFLOW_CONN_" in text
        assert "Admin > Connections" in text
        assert '"conn_type"' in text


@pytest.mark.parametrize(
    ("uri", "host"),
    [
        ("hubspot://:t%2Fok@", "https://api.hubapi.com"),
        ("hubspot://:t%2Fok@http%3A%2F%2F127.0.0.1%3A8080", "http://127.0.0.1:8080"),
        ("hubspot://http://:t%2Fok@127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("hubspot://:t%2Fok@127.0.0.1:8080/http", "http://127.0.0.1:8080"),
        ("hubspot://:t%2Fok@/?base_url=http%3A%2F%2Fsandbox%3A81", "http://sandbox:81"),
        ("hubspot://:t%2Fok@/?__extra__=%7B%22daily_reserve%22%3A+9%7D", "https://api.hubapi.com"),
    ],
)
def test_the_uri_form_reads_as_airflow_reads_it(uri: str, host: str) -> None:
    connection = HubSpotConnection.from_environment({"AIRFLOW_CONN_HUBSPOT_DEFAULT": uri})
    assert connection.token == "t/ok"
    assert connection.host == host
    assert connection.daily_reserve == (9 if "__extra__" in uri else 5000)


def test_airflow_itself_reads_our_uris_the_same_way() -> None:
    from airflow.sdk import Connection

    for uri in (
        "hubspot://http://:t%2Fok@127.0.0.1:8080",
        "hubspot://:t%2Fok@http%3A%2F%2F127.0.0.1%3A8080",
        "hubspot://:t%2Fok@127.0.0.1:8080/http?daily_reserve=3",
    ):
        ours = RawConnection.parse("x", uri)
        theirs = Connection.from_uri(uri, conn_id="x")
        assert (ours.host, ours.password, ours.port, ours.schema or "") == (
            theirs.host, theirs.password, theirs.port, theirs.schema or "",
        )  # fmt: skip


def test_json_form_with_extra_as_text_or_object() -> None:
    assert hubspot(extra={"daily_reserve": 7}).daily_reserve == 7
    assert hubspot(extra='{"daily_reserve": "7"}').daily_reserve == 7
    assert hubspot(extra={"extra__hubspot__daily_reserve": 7}).daily_reserve == 7
    assert hubspot(host="127.0.0.1", schema="http", port=81).host == "http://127.0.0.1:81"
    assert hubspot(host="http://127.0.0.1:81/").host == "http://127.0.0.1:81"


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"password": ""}, "no access token"),
        ({"conn_type": "http"}, "instead of 'hubspot'"),
        ({"extra": {"dayly_reserve": 1}}, "did you mean 'daily_reserve'"),
        ({"extra": {"colour": 1}}, "unknown extra field 'colour'"),
        ({"extra": {"daily_reserve": "many"}}, "whole number"),
        ({"extra": "{"}, "not valid JSON"),
        ({"extra": "[1]"}, "not a JSON object"),
        ({"host": "http://api.hubapi.test"}, "plain http"),
        ({"host": "ftp://x"}, "http(s) address"),
        ({"port": "x"}, "port that is not a number"),
        ({"extra": {"api_paths": "v9"}}, "api_paths"),
    ],
)
def test_bad_parts_get_a_clear_text_with_an_example(parts: dict[str, object], said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        hubspot(**parts)
    assert said in str(caught.value)
    assert "AIRFLOW_CONN_HUBSPOT_DEFAULT='" in str(caught.value)
    assert "tok-secret" not in str(caught.value)


def test_broken_json_does_not_show_the_secret() -> None:
    with pytest.raises(SettingsError) as caught:
        HubSpotConnection.from_environment(
            {"AIRFLOW_CONN_HUBSPOT_DEFAULT": '{"password": "tok-secret"'}
        )
    assert "not valid JSON" in str(caught.value)
    assert "tok-secret" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_neither_json_nor_uri() -> None:
    with pytest.raises(SettingsError, match="neither JSON nor a URI"):
        HubSpotConnection.from_environment({"AIRFLOW_CONN_HUBSPOT_DEFAULT": "tok-secret"})


def test_secrets_do_not_show_in_repr() -> None:
    shown = repr(hubspot()) + repr(salesforce(login="svc", private_key="PEM-secret"))
    shown += repr(RawConnection.parse("x", '{"password": "tok-secret", "extra": {"k": "hidden"}}'))
    assert "secret" not in shown.replace("consumer_secret", "")
    assert "hidden" not in shown


def test_salesforce_client_credentials_and_jwt() -> None:
    plain = salesforce(version="v60", ca_file="/ca.pem")
    assert (plain.login_url, plain.api_version, plain.ca_file) == (ORG, "60.0", "/ca.pem")
    assert plain.private_key is None
    jwt = salesforce(login="svc@acme.test", private_key="PEM", consumer_secret="")
    assert (jwt.username, jwt.private_key) == ("svc@acme.test", "PEM")
    assert salesforce(instance_url="", domain="acme.my").login_url == ORG


def test_salesforce_ignores_airflows_own_fields_that_it_has_no_use_for() -> None:
    assert salesforce(security_token="x", organization_id="y", proxies=None).login_url == ORG


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ({"consumer_key": ""}, "no consumer_key"),
        ({"consumer_secret": ""}, "neither consumer_secret nor private_key"),
        ({"private_key": "PEM"}, "no username"),
        ({"instance_url": ""}, "no My Domain address"),
        ({"instance_url": "https://login.salesforce.com"}, "My Domain"),
        ({"instance_url": "http://127.0.0.1:1"}, "https only"),
        ({"version": "30.0"}, "below 49.0"),
        ({"version": "new"}, "not a number"),
        ({"private_key_file_path": "/nowhere"}, "cannot be read"),
    ],
)
def test_salesforce_bad_parts(extra: dict[str, object], said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        salesforce(**extra)
    assert said in str(caught.value)
    assert "hidden" not in str(caught.value)


def test_slack_base_url_ends_with_a_slash() -> None:
    for given in ("http://127.0.0.1:9/api", "http://127.0.0.1:9/api/"):
        text = json.dumps({"conn_type": "slack", "password": "x", "extra": {"base_url": given}})
        connection = SlackConnection.from_environment({"AIRFLOW_CONN_SLACK_DEFAULT": text})
        assert connection.base_url == "http://127.0.0.1:9/api/"


def test_from_airflows_own_store(monkeypatch: pytest.MonkeyPatch) -> None:
    from baton.orchestration.connections import hubspot_connection, slack_connection

    text = json.dumps({"conn_type": "hubspot", "password": "t", "extra": {"daily_reserve": 1}})
    monkeypatch.setenv("AIRFLOW_CONN_HUBSPOT_DEFAULT", text)
    assert hubspot_connection().daily_reserve == 1
    monkeypatch.delenv("AIRFLOW_CONN_SLACK_DEFAULT", raising=False)
    with pytest.raises(MissingConnectionError, match="AIRFLOW_CONN_SLACK_DEFAULT"):
        slack_connection()
