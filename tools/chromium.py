"""Find a Chromium for the browser tests, or install one, and print its path.

An existing browser is taken first (CHROMIUM, then the PATH, then Playwright's own). Failing that, Playwright
downloads its build; where that cannot be had, Debian's package is installed if we may.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find() -> str | None:
    """The path of a Chromium that starts, or None."""
    candidates = [os.environ.get("CHROMIUM"), *map(shutil.which, NAMES), _playwrights_own()]
    for path in candidates:
        if path and Path(path).exists():
            return path
    return None


def _playwrights_own() -> str | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as p:
        return p.chromium.executable_path


def _run(*command: str) -> bool:
    try:
        return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0
    except FileNotFoundError:
        return False


def install() -> None:
    print("No Chromium here: trying Playwright's download, then Debian's package", file=sys.stderr)
    if _run(sys.executable, "-m", "playwright", "install", "chromium") and find():
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        _run("apt-get", "update", "-qq")
        _run("apt-get", "install", "-y", "-qq", "chromium", "fonts-liberation")


def main() -> int:
    if not find():
        install()
    path = find()
    if path is None:
        print(
            "error: the browser tests need Chromium and none could be installed. Install it (on Debian and "
            "Ubuntu: sudo apt-get install chromium) or name one: CHROMIUM=/path/to/chromium make test",
            file=sys.stderr,
        )
        return 1
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
