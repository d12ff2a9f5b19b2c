"""What the browser tests share: a Chromium, the built book on a local server, and a page that keeps a record."""

from __future__ import annotations

import contextlib
import functools
import http.server
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).parents[1]
HTML = ROOT / "_build" / "html"
sys.path.append(str(ROOT / "tools"))

import chromium as installed  # noqa: E402

# Chromium's own services would ask other hosts; the tests are about what the pages ask.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-sync",
    "--no-first-run",
]

# How long a page may take is measured in benchmarks/, not by tests that share a machine: these only give up on it.
PATIENCE = 120_000  # milliseconds
expect.set_options(timeout=30_000)


def pages() -> list[str]:
    """Every page of the built book, as a path below its top."""
    chapters = [path.relative_to(HTML).as_posix() for path in (HTML / "book").rglob("*.html")]
    others = [path.name for path in HTML.glob("*.html") if path.name != "index.html"]  # that one redirects
    return sorted(chapters) + sorted(others)


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    path = installed.find()
    if path is None:
        raise RuntimeError("no Chromium found: run `make browser` first, or set CHROMIUM to its path")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """The folder on a free port of this machine; yields the address."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


class Record:
    """All that a page asked for, and all that went wrong in it."""

    def __init__(self, page: Page) -> None:
        self.requests: list[str] = []
        self.problems: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("requestfailed", lambda request: self.problems.append(f"failed: {request.url}"))
        page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        page.on("console", self._console)
        page.on("response", self._response)

    def _console(self, message) -> None:
        if message.type in ("error", "warning"):
            self.problems.append(f"console {message.type}: {message.text}")

    def _response(self, response) -> None:
        if response.status >= 400:
            self.problems.append(f"{response.status}: {response.url}")

    def outside(self, home: str) -> list[str]:
        return [url for url in self.requests if not url.startswith((home, "data:", "blob:"))]


def window(width: int) -> dict[str, int]:
    """The window of a desktop, or of a telephone."""
    return {"width": width, "height": 900 if width > 600 else 844}


def open_page(browser: Browser, url: str, width: int = 1280, scale: float = 1.0) -> tuple[Page, Record]:
    """A fresh page in a fresh profile, opened at `url` and fully typeset, on a screen of `scale` dots a pixel."""
    context = browser.new_context(viewport=window(width), device_scale_factor=scale)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    record = Record(page)
    page.goto(url)
    settle(page)
    return page, record


def settle(page: Page) -> None:
    """Wait until book.js has typeset the whole page, on pages that have maths."""
    page.wait_for_function("['typeset', 'none'].includes(document.documentElement.dataset.maths)")


def load_all_pictures(page: Page) -> None:
    """Also those far from the window, which the browser would leave for later."""
    page.evaluate("""async () => {
        scrollTo(0, 0);
        const pictures = [...document.querySelectorAll("img")].filter(picture => picture.src);
        for (const picture of pictures) picture.loading = "eager";
        await Promise.all(pictures.map(picture => picture.decode().catch(() => {})));
    }""")
