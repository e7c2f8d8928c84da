"""A headless Chromium for the tests of pages, and the reason why there is none."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ARTEFACTS = Path(__file__).parents[2] / "build" / "screenshots"
"""The folder for screenshots, which people look at."""

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = ("--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")


def missing() -> str:
    """Return why there is no browser, or ""."""
    if not any(map(shutil.which, _NAMES)):
        return "there is no Chromium: apt-get install chromium"
    return "" if find_spec("playwright") else "playwright is not installed: pip install 'tune-jobs[browser]'"


@contextmanager
def chromium() -> Iterator[Any]:
    """Run a headless Chromium within the block, and yield playwright's browser."""
    from playwright.sync_api import sync_playwright

    path = next(filter(None, map(shutil.which, _NAMES)))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(_FLAGS))
        yield browser
        browser.close()


class Page:
    """A page in a browser, with everything that it said on its console.

    Args:
        browser: The browser.
        url: The address of the page.
        width: The width of the window in pixels.
        scheme: "light" or "dark".
    """

    def __init__(self, browser: Any, url: str, width: int = 1280, scheme: str = "light") -> None:
        self.context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        self.context.grant_permissions(["clipboard-read", "clipboard-write"])
        self.page = self.context.new_page()
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(url)
        self.page.wait_for_selector("html[data-ready=yes]")

    def draw_all(self) -> None:
        """Draw every figure, also those that are not seen."""
        self.page.evaluate("Figures.drawAll()")
        self.page.wait_for_timeout(300)

    def screenshot(self, name: str) -> None:
        """Keep a picture of the whole page."""
        ARTEFACTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=ARTEFACTS / f"{name}.png", full_page=True)

    def problems(self) -> list[str]:
        """Return what axe-core finds wrong with the page for people who cannot see it or use no mouse."""
        from axe_playwright_python.sync_playwright import Axe

        found = Axe().run(self.page).response["violations"]
        return [f"{rule['id']}: {node['html'][:160]}" for rule in found for node in rule["nodes"]]

    def close(self) -> None:
        """Close the page."""
        self.context.close()
