"""The ways through the pages, as a person goes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.browser.conftest import UNTIL
from tests.browser.looking import Looker
from tests.browser.served import Served, served
from tests.web.conftest import admin

from baton.ledger import embedded, engine

BY_LINK, BY_TAG, BY_PATH = "partial link text", "tag name", "xpath"

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture
def own_pages(
    played: str, postgres_server: embedded.DatabaseAddress, new_database: Callable[..., str]
) -> Iterator[Served]:
    """Pages over a copy of the market's ledger, for a test that changes it."""
    url = new_database(template=played)
    with served(url, admin, UNTIL) as found:
        yield found
    embedded.drop_database(postgres_server, engine.ledger_url(url).database or "")


def test_somebody_is_marked_away_and_comes_back(look: Looker, own_pages: Served) -> None:
    look.open(own_pages.url + "/team")
    row = _row(look, "Jonas Keller")
    assert "here" in row.text
    row.find_element(BY_LINK, "mark away").click()
    look.settled()
    assert look.one("#person").get_attribute("value") == "jonas.keller@relay.test"
    look.one("#reason").send_keys("ill")
    look.send("form.presence button")
    assert "Marked away" in look.one("[role=status]").text
    row = _row(look, "Jonas Keller")
    assert "away until" in row.text
    look.send("form.back button")
    assert "Back: leads go there again" in look.one("[role=status]").text
    assert "here" in _row(look, "Jonas Keller").text


def test_of_two_people_who_edit_at_once_the_second_is_told(look: Looker, own_pages: Served) -> None:
    look.open(own_pages.url + "/team?person=mira.lindner@relay.test")
    first = look.driver.current_window_handle
    look.driver.switch_to.new_window("tab")
    look.open(own_pages.url + "/team?person=priya.raman@relay.test")
    look.one("#reason").send_keys("at the dentist's")
    look.send("form.presence button")
    look.driver.close()
    look.driver.switch_to.window(first)
    look.one("#reason").send_keys("ill")
    look.send("form.presence button")
    assert "Nothing was done" in look.text()
    assert "priya.raman@relay.test" in look.text()


def test_the_charts_are_drawn_and_definitions_open(look: Looker, pages: Served) -> None:
    look.open(pages.url + "/metrics")
    assert [one.get_attribute("data-drawn") for one in look.all("[data-chart]")] == ["yes"] * 3
    assert len(look.all("[data-chart] canvas")) == 3
    definition = look.one(".figure details")
    meaning = definition.find_element(BY_TAG, "code")
    assert not meaning.is_displayed()
    definition.find_element(BY_TAG, "summary").click()
    assert meaning.is_displayed()
    assert "first human touch" in meaning.text
    look.shape(width=1440, dark=True)
    look.settled()
    assert len(look.all("[data-chart] canvas")) == 3
    assert look.log() == []


def test_from_the_list_of_handoffs_to_a_lead(look: Looker, pages: Served) -> None:
    look.open(pages.url + "/handoffs")
    look.send(".views a[href*='band=hot']")
    assert {one.text for one in look.all("tbody .band")} == {"hot"}
    key = look.one("tbody th a").text
    look.send("tbody th a")
    assert key in look.text()
    look.open(pages.url + "/handoffs")
    look.one("#search").send_keys(key)
    look.send("form.search button")
    assert [one.text for one in look.all("tbody th a")] == [key]
    assert key not in look.driver.current_url


def _row(look: Looker, name: str) -> Any:
    return look.one("table.team").find_element(
        BY_PATH, f".//tr[th//*[normalize-space(text())='{name}']]"
    )
