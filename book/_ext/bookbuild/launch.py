"""Where the launch buttons point: BOOK_REPOSITORY_URL, else git's origin, else there are none."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path


def repository(root: Path) -> tuple[str, str] | None:
    """(https URL, branch) of the book's repository, or None when nobody says where it is."""
    url = os.environ.get("BOOK_REPOSITORY_URL") or _git(root, "remote", "get-url", "origin")
    url = re.sub(r"^(?:ssh://)?git@([^:/]+)[:/]", r"https://\1/", url).removesuffix(".git").rstrip("/")
    if not re.match(r"https://(?:www\.)?(github|gitlab)\.[^/]+/[^/]+/[^/]+$", url):
        return None  # a local path or a host that Binder does not know: no button rather than a dead one
    branch = os.environ.get("BOOK_REPOSITORY_BRANCH") or _git(root, "branch", "--show-current") or "main"
    return url, branch


def set_repository(app, config) -> None:
    """Without this Jupyter Book points its buttons at its own repository and at branch master."""
    options = config.html_theme_options
    where = repository(Path(app.srcdir))
    if where is None:
        options.pop("repository_url", None)
        options["launch_buttons"] = {}
        return
    options["repository_url"], options["repository_branch"] = where
    options["use_repository_button"] = True
    options["launch_buttons"] = {
        "notebook_interface": "jupyterlab",
        "binderhub_url": "https://mybinder.org",
    }


def _git(root: Path, *words: str) -> str:
    try:
        answer = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.strip() if answer.returncode == 0 else ""
