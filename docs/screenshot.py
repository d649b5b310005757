"""Makes docs/report.png, the picture in the README: python docs/screenshot.py, with Chromium on the PATH."""

import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from claimsift import cli

DOCS = Path(__file__).resolve().parent


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        page_path = Path(folder) / "report.html"
        cli.main(["score", str(DOCS.parent / "examples"), "-o", str(page_path), "--explain"])
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
        page = browser.new_page(viewport={"width": 1360, "height": 820})
        page.goto(page_path.as_uri())
        page.locator("article mark.unverified_report").nth(3).hover()
        page.screenshot(path=DOCS / "report.png")
        browser.close()


if __name__ == "__main__":
    main()
