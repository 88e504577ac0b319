"""The ways through the pages, as a person goes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from tests.browser.conftest import UNTIL
from tests.browser.looking import Looker
from tests.browser.served import Served, served
from tests.web.conftest import admin

from baton.ledger.database import embedded, engine

ESCAPE = "\ue00c"
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


def test_the_first_line_of_today_leads_to_exactly_those_leads(look: Looker, pages: Served) -> None:
    look.open(pages.url + "/")
    said = look.one(".tasks li:first-child strong").text
    look.send(".tasks .button.primary")
    shown = look.all("tbody tr")
    assert (int(said.split()[0]), said.endswith("late: nobody has been in touch")) == (
        len(shown),
        True,
    )
    assert all(one.text.endswith("late") for one in look.all("tbody .touched"))


def test_a_lead_says_why_and_is_given_to_somebody_else(look: Looker, own_pages: Served) -> None:
    look.open(own_pages.url + "/handoffs?state=working&band=hot")
    look.send("tbody th a")
    look.one("#why ~ form button").click()
    answer = _answered(look, "")
    look.one("#why ~ form a.button").click()
    assert _answered(look, answer) != answer
    owner = look.one(".deeds option[value^=person]:not([selected])").get_attribute("value")
    look.one(f".deeds option[value='{owner}']").click()
    look.one("#reason-reassign").send_keys("asked for by the buyer")
    look.one("#actions details[open] button").click()
    assert "Give H" in look.one("dialog[open]").text
    look.send("dialog[open] button.primary")
    assert look.one("[role=status]").text.startswith("Done")
    assert "hop 2" in look.one(".figures").text
    assert "asked for by the buyer" in look.one(".line").text
    assert "by nadia" in look.one(".line").text


def test_quarantine_is_worked_through_from_the_keyboard(look: Looker, own_pages: Served) -> None:
    look.open(own_pages.url + "/review?tab=quarantine")
    before = len(look.all("[data-line]"))
    _press(look, "r")
    look.one("#reason").send_keys("mended in HubSpot")
    _press(look, ESCAPE, "j", "x", "j", "x")
    chosen = [one.get_attribute("class") for one in look.all("[data-line]")]
    assert chosen.index("here") == 2
    look.one("button[data-many]").click()
    assert look.one("dialog[open] p").text == "Re-check: all 2 chosen?"
    look.send("dialog[open] button.primary")
    assert "2 done" in look.one("[role=status]").text
    assert look.text().count("somebody asked for it: the next run judges it again") == 2
    assert len(look.all("[data-line]")) == before


def test_the_agreement_is_read_and_its_cases_hold(look: Looker, pages: Served) -> None:
    look.open(pages.url + "/policy")
    look.one(".contents a[href='#who-gets-it']").click()
    assert look.one("#who-gets-it").is_displayed()
    look.send(".views a[href$='/policy/versions']")
    assert "ops" in look.one(".history .now").text
    look.send(".views a[href$='/policy/cases']")
    look.send("a.primary")
    assert look.one(".figure:nth-child(2) dd").text == "0"


def test_all_writes_are_stopped_and_resumed(look: Looker, own_pages: Served) -> None:
    look.open(own_pages.url + "/sync")
    for button, said in (("danger", "stopped"), ("primary", "going out")):
        look.one("#reason").send_keys("wrong owners")
        look.one(f".switch button.{button}").click()
        look.send("dialog[open] button.primary")
        assert said in look.one("#writes").text
    assert "wrong owners" in look.text()


def test_clocks_run_by_airflows_clock_and_not_by_the_laptops(look: Looker, pages: Served) -> None:
    look.open(pages.url + "/handoffs?state=open")
    shown = {
        datetime.fromisoformat(str(one.get_attribute("datetime"))): one.text
        for one in look.all("time[data-due]")
    }
    assert shown
    assert {due: words.endswith("late") for due, words in shown.items()} == {
        due: due < UNTIL for due in shown
    }


def test_whoever_waits_sees_that_something_is_under_way(look: Looker, pages: Served) -> None:
    look.open(pages.url + "/")
    slow = {"offline": False, "latency": 1500, "downloadThroughput": -1, "uploadThroughput": -1}
    look.driver.execute_cdp_cmd("Network.enable", {})
    look.driver.execute_cdp_cmd("Network.emulateNetworkConditions", slow)
    try:
        # Selenium waits for the next page before it looks again: the page remembers what it showed.
        look.driver.execute_script(
            "const root = document.documentElement;"
            "new MutationObserver(() => sessionStorage.setItem('shown', root.dataset.loading))"
            ".observe(root, {attributeFilter: ['data-loading']})"
        )
        look.send(".top a[href$=team]")
    finally:
        look.driver.execute_cdp_cmd("Network.emulateNetworkConditions", slow | {"latency": 0})
    assert look.one("h1").text == "Team"
    assert look.driver.execute_script("return sessionStorage.getItem('shown')") == "yes"
    assert look.one("html").get_attribute("data-loading") is None


def _press(look: Looker, *keys: str) -> None:
    from selenium.webdriver.common.action_chains import ActionChains

    for key in keys:
        ActionChains(look.driver).send_keys(key).perform()


def _answered(look: Looker, before: str) -> str:
    """Return the answer to a question that the page asks without being left."""
    from selenium.webdriver.support.ui import WebDriverWait

    waiting = WebDriverWait(look.driver, 20, poll_frequency=0.05)
    waiting.until(lambda _driver: look.one("#answer").text not in ("", before))
    return str(look.one("#answer").text)


def _row(look: Looker, name: str) -> Any:
    return look.one("table.team").find_element(
        BY_PATH, f".//tr[th//*[normalize-space(text())='{name}']]"
    )
