"""Every page in a real browser: links, log, accessibility, light and dark, laptop and phone."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.browser.looking import Looker
from tests.browser.market import ODD
from tests.browser.routes import Crawled, crawl, pages_of
from tests.browser.served import Served

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

ANSWERS_OF_FORMS = {"/lead/{lead_id}/why"}
"""Pages that need to be asked something first."""
SHAPES = [(width, dark) for width in (1440, 390) for dark in (False, True)]


@pytest.fixture(scope="session")
def crawled(pages: Served) -> Crawled:
    return crawl(pages.app, pages.url)


def test_every_link_leads_somewhere_and_every_page_is_linked(
    pages: Served, crawled: Crawled
) -> None:
    broken = {
        address: (status, crawled.came_from.get(address))
        for address, status in crawled.status.items()
        if status >= 400 and not (status == 422 and address not in crawled.came_from)
    }
    assert broken == {}
    assert crawled.dangling == []
    shown = {one.path for one in pages_of(pages.app)} - ANSWERS_OF_FORMS
    assert shown <= set(crawled.by_route)


def test_no_page_complains_overflows_or_shuts_anybody_out(
    look: Looker, pages: Served, crawled: Crawled
) -> None:
    found: dict[str, Any] = {}
    for address in crawled.by_route.values():
        look.shape(width=1440, dark=False)
        look.open(pages.url + address)
        for width, dark in SHAPES:
            look.shape(width=width, dark=dark)
            look.settled()
            where = f"{address} {width} {'dark' if dark else 'light'}"
            if violations := look.violations():
                found[where] = violations
            if (over := look.overflow()) > 0:
                found[f"{where} is too wide"] = over
        if complaints := look.log():
            found[f"{address} log"] = complaints
    assert found == {}, "\n".join(f"{where}: {what}" for where, what in found.items())


@pytest.mark.parametrize("path", ["/nothing/of/the/kind", "/team?days=12", "/lead/999999999"])
def test_refusals_are_pages_too(look: Looker, pages: Served, path: str) -> None:
    look.open(pages.url + path)
    assert look.one("h1").text
    assert "Traceback" not in look.text()
    assert look.violations() == []


def test_odd_names_are_shown_as_text(look: Looker, pages: Served) -> None:
    look.open(pages.url + "/handoffs")
    assert ODD["first_name"] in look.text()
    look.one("tbody a[href*='/lead/']").click()
    look.settled()
    assert ODD["company_name"][:30] in look.text()
    assert look.log() == []


def test_a_keyboard_gets_to_the_content_at_once(look: Looker, pages: Served) -> None:
    from selenium.webdriver.common.keys import Keys

    look.open(pages.url + "/team")
    look.one("body").send_keys(Keys.TAB)
    focused = look.driver.switch_to.active_element
    assert focused.text == "Skip to the content"
    focused.send_keys(Keys.ENTER)
    assert look.driver.switch_to.active_element.get_attribute("id") == "content"


def test_whoever_may_only_look_is_offered_nothing_to_do(
    viewers_pages: Served, crawled: Crawled
) -> None:
    for address in crawled.by_route.values():
        page = httpx.get(viewers_pages.url + address, trust_env=False, timeout=60).text
        forms = re.findall(r'<form[^>]*method="post".*?</form>', page, re.S)
        for form in forms:
            assert "<button" not in form or 'role="search"' in form, address


def test_what_looks_at_the_pages_is_what_its_note_says() -> None:
    folder = Path(__file__).parent / "vendor"
    known = hashlib.sha256((folder / "axe.min.js").read_bytes()).hexdigest()
    assert f"SHA-256: {known}" in (folder / "README.md").read_text(encoding="utf-8")
