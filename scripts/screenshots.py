"""Makes the pictures of README and docs: every page, from a running demo or from a ledger of its own.

`python scripts/screenshots.py` plays ninety days of the simulated market into a ledger, serves the
pages and writes docs/images/*.png; `--ledger URL` takes a filled one. Needs Chromium and its
driver; with Pillow the pictures have a palette, which makes them a third as large.
"""

from __future__ import annotations

import argparse
import io
import shutil
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[1]
IMAGES = PROJECT / "docs" / "images"
LIMIT = 150_000
"""Bytes that a picture may have; a taller one is cut."""
UNTIL = datetime(2026, 11, 20, 9, tzinfo=UTC)

PAGES = {
    "today": "/",
    "handoffs": "/handoffs?state=open",
    "lead": "{lead}",
    "review": "/review",
    "team": "/team",
    "metrics": "/metrics",
    "policy": "/policy",
    "sync": "/sync",
}


@dataclass(frozen=True)
class Shape:
    """How a page is looked at: width and least height in pixels, light or dark."""

    name: str
    width: int
    height: int
    dark: bool = False


SHAPES = {
    "laptop": Shape("", 1280, 800),
    "dark": Shape("-dark", 1280, 800, dark=True),
    "phone": Shape("-phone", 390, 844),
}
SHOWN = {"dark": ("today", "metrics"), "phone": ("today", "lead")}
"""The pages of which the docs show more than the laptop's picture."""


def main() -> int:
    """Make all pictures; print their names and sizes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ledger", help="the URL of a filled ledger (otherwise one is filled)")
    parser.add_argument("--days", type=int, default=90, help="days of the market to play")
    parser.add_argument("--into", type=Path, default=IMAGES, help="the folder for the pictures")
    parser.add_argument("--all", action="store_true", help="every page in every shape")
    parser.add_argument("page", nargs="*", help=", ".join(PAGES))
    options = parser.parse_args()
    sys.path.insert(0, str(PROJECT))
    from tests.browser.looking import Looker
    from tests.browser.served import served
    from tests.web.conftest import admin

    options.into.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        url = options.ledger or _filled(stack, options.days)
        pages = stack.enter_context(served(url, admin, UNTIL))
        look = Looker(_chromium(stack))
        for name in options.page or PAGES:
            address = pages.url + PAGES[name].format(lead=_a_lead(look, pages.url, name))
            for kind, shape in SHAPES.items():
                if options.all or name in SHOWN.get(kind, PAGES):
                    look.shape(width=shape.width, dark=shape.dark)
                    look.open(address)
                    path = options.into / f"{name}{shape.name}.png"
                    print(f"{path.name} {_picture(look, path, shape):,} bytes", flush=True)
    return 0


def _picture(look: Any, path: Path, shape: Shape) -> int:
    """Write a picture of the page, as high as fits into LIMIT. Return its size in bytes."""
    whole = int(look.driver.execute_script("return document.documentElement.scrollHeight"))
    height = min(whole, shape.height * 2)
    while True:
        look.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {
                "width": shape.width,
                "height": height,
                "deviceScaleFactor": 1,
                "mobile": shape.width < 600,
            },
        )
        look.settled()
        path.write_bytes(_with_a_palette(look.driver.get_screenshot_as_png()))
        size = path.stat().st_size
        if size <= LIMIT or height <= shape.height // 2:
            return size
        height = int(height * 0.85)


def _with_a_palette(picture: bytes) -> bytes:
    """Return the picture in at most 256 colours, if Pillow is there; rare ones (a red dot) stay."""
    try:
        from PIL import Image
    except ImportError:
        return picture
    found = io.BytesIO()
    whole = Image.open(io.BytesIO(picture)).convert("RGB")
    whole.quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(
        found, "PNG", optimize=True
    )
    return found.getvalue()


def _a_lead(look: Any, base: str, name: str) -> str:
    """Return the address of the first hot lead that is in somebody's hands."""
    if name != "lead":
        return ""
    look.open(f"{base}/handoffs?state=working&band=hot")
    links = look.all("tbody a[href*='/lead/']")
    if not links:
        look.open(f"{base}/handoffs")
        links = look.all("tbody a[href*='/lead/']")
    return str(links[0].get_attribute("href")).removeprefix(base)


def _filled(stack: ExitStack, days: int) -> str:
    from tests.browser.market import fill

    from baton.ledger.database import embedded, migrate

    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="baton-pictures-")))
    folder.chmod(0o755)
    server = embedded.start(folder / "postgres", durable=False)
    stop: Callable[[Path], object] = embedded.stop
    stack.callback(stop, folder / "postgres")
    migrate.upgrade(server.address.ledger())
    fill(server.address.ledger(), UNTIL, days, odd=False)
    return str(server.address.ledger())


def _chromium(stack: ExitStack) -> Any:
    from selenium import webdriver
    from tests.browser.conftest import ARGUMENTS

    options = webdriver.ChromeOptions()
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser:
        options.binary_location = browser
    for argument in (*ARGUMENTS, "--hide-scrollbars"):
        options.add_argument(argument)
    # Named, so that Selenium does not look for a driver elsewhere.
    service = webdriver.ChromeService(executable_path=shutil.which("chromedriver"))
    driver = webdriver.Chrome(options=options, service=service)
    stack.callback(driver.quit)
    return driver


if __name__ == "__main__":
    raise SystemExit(main())
