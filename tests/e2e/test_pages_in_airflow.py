"""The pages as they are met in a running Airflow: by its menu, in its frame."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import select
from tests.browser.conftest import driver, look
from tests.browser.looking import Looker
from tests.e2e.live import LiveRelay

from baton.ledger.tables import record
from baton.web import DAG_OF_RUNS

pytestmark = [pytest.mark.airflow, pytest.mark.browser, pytest.mark.timeout(600)]

__all__ = ["driver", "look"]

NAME_ASKED = "input[name=username]"


@pytest.fixture
def logged_in(running: LiveRelay, look: Looker) -> Looker:
    """The browser, logged in by the form as the admin, unless it is already."""
    look.driver.get(running.stack.plan.base_url)
    if _until(look, lambda _driver: look.all(NAME_ASKED) or _menu(look)) != _menu(look):
        look.one(NAME_ASKED).send_keys("admin")
        look.one("input[name=password]").send_keys(running.stack.prepare().passwords["admin"])
        look.one("button[type=submit]").click()
        _until(look, lambda _driver: _menu(look))
    return look


def _menu(look: Looker) -> list[Any]:
    """Return the buttons of Airflow's menu under which plugins stand, if it is there."""
    return [one for one in look.all("button") if "Browse" in (one.text or "")]


def _waited(look: Looker, selector: str, *, holding: str = "") -> Any:
    """Return the element that holds the words, as soon as it is there."""

    def found(_driver: Any) -> Any:
        return next((one for one in look.all(selector) if holding in (one.text or "")), None)

    return _until(look, found)


def _until(look: Looker, true: Callable[[Any], Any]) -> Any:
    from selenium.common.exceptions import StaleElementReferenceException
    from selenium.webdriver.support.ui import WebDriverWait

    ignored = (StaleElementReferenceException,)
    waiting = WebDriverWait(look.driver, 60, poll_frequency=0.2, ignored_exceptions=ignored)
    return waiting.until(true)


def test_from_the_menu_into_the_frame_and_on_to_a_page(logged_in: Looker) -> None:
    look = logged_in
    _menu(look)[0].click()
    _waited(look, "a[href$='/plugin/baton']").click()
    look.driver.switch_to.frame(_waited(look, "iframe"))
    assert _waited(look, "h1").text == "Today"
    # Light or dark as Airflow around it.
    shown = look.one("html").get_attribute("data-theme")
    assert look.driver.execute_script(
        "return window.parent.document.documentElement.classList.contains(arguments[0])", shown
    )
    look.one(".top a[href='/baton/team']").click()
    assert _until(look, lambda _driver: look.one("h1").text == "Team")
    look.driver.switch_to.default_content()
    # Chromium warns of the sandbox of Airflow's own frame; ours are errors.
    assert [one for one in look.log() if "/baton/" in one and one.startswith("SEVERE")] == []


def test_from_a_task_in_the_grid_to_the_leads_of_its_run_and_back(
    running: LiveRelay, logged_in: Looker
) -> None:
    look, base = logged_in, running.stack.plan.base_url
    contact = running.hand_raise()
    running.settle(contact)
    decided_by = select(record.batch.c.run).join(
        record.decision, record.decision.c.batch_id == record.batch.c.id
    )
    (handoff,) = running.handoffs(contact)
    run = running.ledger(decided_by.where(record.decision.c.id == handoff.decision_id))[0].run
    in_airflow = f"{base}/dags/{DAG_OF_RUNS}/runs/{quote(run, safe='')}"
    look.driver.get(f"{in_airflow}/tasks/qualify_and_route/details")
    _until(look, lambda _driver: _pressed(look, "a[href*='/baton/run']"))
    # Airflow opens an address of its own in the same window.
    assert _waited(look, "h1", holding="Leads of a run")
    assert run in look.one(".run").text
    assert handoff.lead_id in {
        int(one.get_attribute("href").rpartition("/")[2]) for one in look.all("tbody a")
    }
    assert look.one(".run a").get_attribute("href") == in_airflow
    look.one(".home").click()
    assert _until(look, lambda _driver: _menu(look))


def _pressed(look: Looker, selector: str) -> bool:
    """Press a button of a page that is still being drawn; tell whether it was there."""
    found = look.all(selector)
    if found:
        found[0].click()
    return bool(found)
