"""A Chromium of the system, driven by Playwright, and cards to open in it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "formats")]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests; without it they are skipped, saying so."""
    program = next((found for name in NAMES if (found := shutil.which(name))), None)
    if program is None:
        pytest.skip("no card is tried in a browser: no Chromium on this machine (Debian: apt-get install chromium)")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is missing (pip install govern-ml[dev])")
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield started
        started.close()


@dataclass
class Opened:
    """A card in a page, with all it asked for and said."""

    page: Page
    context: BrowserContext
    requests: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def texts(self, selector: str) -> list[str]:
        """The texts of all elements of a selector, spaces made single."""
        return [" ".join(t.split()) for t in self.page.locator(selector).all_inner_texts()]


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Opened]]:
    """Open the HTML of a card as a file; afterwards it must have asked for nothing and said nothing."""
    made: list[Opened] = []

    def go(html: str, *, width: int = 1280, dark: bool = False, scripts: bool = True, anchor: str = "",
           **more: Any) -> Opened:
        file = tmp_path / f"card{len(made)}.html"
        file.write_text(html, encoding="utf-8")
        context = browser.new_context(viewport={"width": width, "height": 900}, java_script_enabled=scripts,
                                      color_scheme="dark" if dark else "light", **more)
        page = context.new_page()
        page.set_default_timeout(10_000)
        found = Opened(page, context)
        page.on("request", lambda r: found.requests.append(r.url))
        page.on("console", lambda m: found.said.append(m.text))
        page.on("pageerror", lambda e: found.said.append(str(e)))
        page.on("dialog", lambda d: (found.said.append(f"dialog {d.message}"), d.dismiss()))
        page.goto(file.as_uri() + anchor)
        made.append(found)
        return found

    yield go
    for found in made:
        found.context.close()
        assert [r for r in found.requests if not r.startswith(("file:///", "data:font/"))] == []
        assert len([r for r in found.requests if r.startswith("file:")]) == 1
        assert found.said == []
