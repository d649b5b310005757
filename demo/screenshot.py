"""Makes docs/demo.png, the picture in the README: python demo/screenshot.py, after npm run build, with Chromium."""

import functools
import shutil
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from playwright.sync_api import expect, sync_playwright

DEMO = Path(__file__).resolve().parent


def main() -> None:
    handler = functools.partial(SimpleHTTPRequestHandler, directory=DEMO / "dist")
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server, sync_playwright() as playwright:
        Thread(target=server.serve_forever, daemon=True).start()
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
        page = browser.new_page(viewport={"width": 1180, "height": 948})
        page.goto(f"http://127.0.0.1:{server.server_port}")
        page.get_by_role("button", name="Tabloid rumour").click()
        expect(page.locator(".sentence.low")).to_have_count(1, timeout=120_000)
        expect(page.locator("#status")).to_contain_text(" tagged", timeout=120_000)
        page.locator(".sentence.low").hover()
        page.screenshot(path=DEMO.parent / "docs" / "demo.png")
        browser.close()
        server.shutdown()


if __name__ == "__main__":
    main()
