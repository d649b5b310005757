"""A real browser for the tests of pages: headless Chromium, driven by Playwright, with axe-core for accessibility."""

import shutil
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="module")  # not the session: an open Playwright has an event loop that other tests would meet
def chromium() -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if path is None:
        pytest.skip("no Chromium on the PATH; install it (apt-get install chromium) to test the pages in it")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path)
        yield browser
        browser.close()


@pytest.fixture
def browser_page(chromium) -> Iterator[Page]:
    """A page that must cause no error in the console, and ask for nothing outside its own origin.

    Set its size by ``set_viewport_size``, and light or dark by ``emulate_media(color_scheme=…)``.
    """
    context = chromium.new_context()
    urls: list[str] = []
    errors: list[str] = []
    context.on("request", lambda request: urls.append(request.url))
    context.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    context.on("weberror", lambda error: errors.append(str(error.error)))
    yield context.new_page()
    context.close()
    assert not errors, errors
    outside = [url for url in urls if not _is_inside(url, urls[0])]
    assert not outside, outside


def assert_accessible(page: Page) -> None:
    """Fails on what axe-core calls a serious or critical violation."""
    violations = Axe().run(page).response["violations"]
    found = [
        f"{violation['id']}: {violation['help']}: {node['html'][:200]} {node.get('failureSummary', '')}"
        for violation in violations
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]
    assert not found, "\n".join(found)


def _is_inside(url: str, first: str) -> bool:
    """Whether a request is to the origin of the first one, or to no network at all."""
    asked, own = urlsplit(url), urlsplit(first)
    return asked.scheme in ("data", "blob") or (asked.scheme, asked.netloc) == (own.scheme, own.netloc)
