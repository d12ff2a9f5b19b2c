"""Where the launch buttons point: BOOK_REPOSITORY_URL, else git's origin, else there are none.

Colab opens notebooks from a branch of GitHub only: BOOK_NOTEBOOKS_BRANCH names the one to which the built notebooks are
pushed, with the package's wheel beside them, and without it there is no button for Colab.
"""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from pathlib import Path

COLAB = "https://colab.research.google.com"


def repository(root: Path) -> tuple[str, str] | None:
    """(https URL, branch) of the book's repository, or None when nobody says where it is."""
    url = os.environ.get("BOOK_REPOSITORY_URL") or _git(root, "remote", "get-url", "origin")
    url = re.sub(r"^(?:ssh://)?git@([^:/]+)[:/]", r"https://\1/", url).removesuffix(".git").rstrip("/")
    if not re.match(r"https://(?:www\.)?(github|gitlab)\.[^/]+/[^/]+/[^/]+$", url):
        return None  # a local path or a host that Binder does not know: no button rather than a dead one
    branch = os.environ.get("BOOK_REPOSITORY_BRANCH") or _git(root, "branch", "--show-current") or "main"
    return url, branch


def notebooks_on_github(root: Path) -> tuple[str, str] | None:
    """("owner/name", branch) where the built notebooks are pushed, or None where they are not."""
    where, branch = repository(root), os.environ.get("BOOK_NOTEBOOKS_BRANCH")
    if not branch or where is None or not where[0].startswith("https://github.com/"):
        return None
    return where[0].removeprefix("https://github.com/"), branch


def in_colab(root: Path, notebook: str) -> str | None:
    """The address under which Colab opens a built notebook."""
    where = notebooks_on_github(root)
    return where and f"{COLAB}/github/{where[0]}/blob/{where[1]}/{notebook}"


def package(root: Path) -> str:
    """What pip installs where there is no wheel beside a notebook: the pushed wheel, else the sources, else nothing."""
    if where := notebooks_on_github(root):
        version = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf8"))["project"]["version"]
        return f"labnoise @ https://github.com/{where[0]}/raw/{where[1]}/labnoise-{version}-py3-none-any.whl"
    if where := repository(root):
        return f"labnoise @ git+{where[0]}@{where[1]}"
    return ""


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
        "colab_url": COLAB if notebooks_on_github(Path(app.srcdir)) else "",
    }


def _git(root: Path, *words: str) -> str:
    try:
        answer = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.strip() if answer.returncode == 0 else ""
