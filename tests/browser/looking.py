"""Looking at a page in a browser: its shape, its log, and what axe-core finds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

_AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
_RUN = """
const done = arguments[arguments.length - 1]
axe.run(document, {resultTypes: ["violations"]}).then(
  (found) => done(found.violations.filter((one) => ["serious", "critical"].includes(one.impact))
    .map((one) => `${one.impact} ${one.id}: ${one.help} at ` +
      one.nodes.slice(0, 3).map((node) => `${node.target} ${node.failureSummary}`).join(" | "))),
  (error) => done([`axe failed: ${error}`]))
"""
_QUIET = (
    "(document.readyState === 'complete') && "
    "[...document.querySelectorAll('[data-chart]')].every((one) => one.dataset.drawn)"
)


@dataclass(frozen=True)
class Looker:
    """A browser with a page in it."""

    driver: Any

    def shape(self, *, width: int, dark: bool) -> None:
        """Show the page that wide, in light or dark, as a person's system asks for it."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        still = {"name": "prefers-reduced-motion", "value": "reduce"}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme, still]})
        height = 900 if width > 600 else 844
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600},
        )

    def open(self, url: str) -> None:
        """Open a page and wait until everything is drawn."""
        self.driver.get(url)
        self.settled()

    def settled(self) -> None:
        """Wait until the page stands still."""
        from selenium.webdriver.support.ui import WebDriverWait

        WebDriverWait(self.driver, 20, poll_frequency=0.05).until(
            lambda driver: driver.execute_script(f"return {_QUIET}")
        )

    def log(self) -> list[str]:
        """Return what the browser has complained about since the last time."""
        return [f"{one['level']} {one['message']}" for one in self.driver.get_log("browser")]

    def violations(self) -> list[str]:
        """Return the serious and critical violations that axe-core finds on the page."""
        if not self.driver.execute_script("return typeof window.axe === 'object'"):
            self.driver.execute_script(_AXE)
        found: list[str] = self.driver.execute_async_script(_RUN)
        return found

    def overflow(self) -> int:
        """Return by how many pixels the page is wider than the window."""
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        return int(self.driver.execute_script(f"return {wide}"))

    def one(self, selector: str) -> Any:
        """Return the element that a CSS selector finds."""
        return self.driver.find_element("css selector", selector)

    def all(self, selector: str) -> list[Any]:
        """Return all elements that a CSS selector finds."""
        found: list[Any] = self.driver.find_elements("css selector", selector)
        return found

    def text(self) -> str:
        """Return the page's text as it is shown."""
        return str(self.one("body").text)

    def send(self, selector: str) -> None:
        """Press a button that leads to another page, and wait for that page."""
        from selenium.webdriver.support import expected_conditions
        from selenium.webdriver.support.ui import WebDriverWait

        before = self.one("html")
        self.one(selector).click()
        WebDriverWait(self.driver, 20, poll_frequency=0.05).until(
            expected_conditions.staleness_of(before)
        )
        self.settled()
