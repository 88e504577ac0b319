"""One Chromium for all tests of this folder, and pages over ninety days of the simulated market."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.browser.looking import Looker
from tests.browser.market import fill
from tests.browser.market_kept import keep, restore, what_makes_it
from tests.browser.served import Served, served
from tests.web.conftest import admin, viewer

from baton.ledger.database import engine

UNTIL = datetime(2026, 11, 20, 9, tzinfo=UTC)
DAYS = 90


@pytest.fixture(scope="session")
def played(request: pytest.FixtureRequest, new_database: Callable[..., str]) -> str:
    """The name of a ledger after days of the market; only to be copied: nobody is connected to it.

    Playing them takes a minute, so pytest's cache keeps the ledger until what makes it changes.
    """
    cache = getattr(request.config, "cache", None)
    kept = cache.mkdir("market") / f"{what_makes_it(UNTIL, DAYS)}.dump" if cache else None
    if kept is not None and kept.exists():
        url = new_database()
        restore(url, kept)
    else:
        url = new_database(template="baton_template")
        fill(url, UNTIL, DAYS)
        if kept is not None:
            keep(url, kept)
    return str(engine.ledger_url(url).database)


@pytest.fixture(scope="session")
def market(played: str, new_database: Callable[..., str]) -> str:
    """The URL of a ledger after days of the market; tests leave it as it is."""
    return new_database(template=played)


@pytest.fixture(scope="session")
def pages(market: str) -> Iterator[Served]:
    """The pages, as somebody sees them who may act."""
    with served(market, admin, UNTIL) as found:
        yield found


@pytest.fixture(scope="session")
def viewers_pages(market: str) -> Iterator[Served]:
    """The pages, as somebody sees them who may only look."""
    with served(market, viewer, UNTIL) as found:
        yield found


@pytest.fixture(scope="session")
def driver() -> Iterator[Any]:
    """Chromium under its driver; tests are skipped where one of them is missing."""
    names = ("chromium", "chromium-browser", "google-chrome")
    browser = next(filter(None, map(shutil.which, names)), None)
    chromedriver = shutil.which("chromedriver")
    if not browser or not chromedriver:
        pytest.skip(
            "no browser to look at the pages with: chromium and chromedriver are missing"
            " (Debian: apt-get install chromium chromium-driver)"
        )
    webdriver = pytest.importorskip("selenium.webdriver")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for argument in ARGUMENTS:
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(executable_path=chromedriver)
    found = webdriver.Chrome(options=options, service=service)
    found.set_script_timeout(60)
    yield found
    found.quit()


ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-proxy-server",
)


@pytest.fixture
def look(driver: Any) -> Looker:
    """What looks at pages; the browser's log is empty at the beginning of a test."""
    found = Looker(driver)
    found.log()
    found.shape(width=1440, dark=False)
    return found
