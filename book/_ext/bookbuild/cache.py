"""The cache of executed chapters: what it is keyed on, and how a torn one is noticed."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from jupyter_cache import get_cache

# jupyter-cache looks at a chapter's cells alone. Their outputs also depend on these.
OUTPUTS_FOLLOW = ("labnoise", "book/exercises", "book/figures", "book/experiments", "requirements.txt")
PAGES_FOLLOW = (
    "book/_static",
    "book/_templates",
    "book/_ext",
    "labnoise/teaching/widgets",
    "benchmarks/results",
)
SOURCES = {".py", ".js", ".css", ".html", ".svg", ".png", ".md", ".csv"}
UNFINISHED = ".unfinished"


def code_key(root: Path) -> str:
    """A hash over every file that a chapter's outputs depend on besides the chapter itself."""
    return _hash(root, OUTPUTS_FOLLOW)


def pages_key(root: Path) -> str:
    """A hash over what every built page contains or loads: Sphinx alone would not notice a new style sheet."""
    return _hash(root, PAGES_FOLLOW)


def _hash(root: Path, names: tuple[str, ...]) -> str:
    digest = hashlib.sha256()
    for name in names:
        top = root / name
        inside = sorted(path for path in top.rglob("*") if path.suffix in SOURCES)
        for path in [top] if top.is_file() else inside:
            digest.update(path.relative_to(root).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def select(caches: Path, key: str) -> Path:
    """The cache folder for this key; folders of other keys go, and so does all that a torn build left."""
    build = caches.parent
    folder = caches / key
    marker = build / UNFINISHED
    if marker.exists():
        # The last build was killed or failed: pages may be half-written and warnings already swallowed.
        shutil.rmtree(build / "html", ignore_errors=True)
        shutil.rmtree(build / ".doctrees", ignore_errors=True)
        if not _is_whole(folder):
            shutil.rmtree(folder, ignore_errors=True)
    if caches.is_dir():
        for other in caches.iterdir():
            if other.name != key:
                shutil.rmtree(other)
    build.mkdir(parents=True, exist_ok=True)
    marker.touch()
    return folder


def mark_finished(build: Path) -> None:
    (build / UNFINISHED).unlink(missing_ok=True)


def _is_whole(folder: Path) -> bool:
    """True if each record of the cache still has its notebook, readable, and each notebook its record."""
    if not folder.is_dir():
        return True
    try:
        store = get_cache(folder)
        records = store.list_cache_records()
        for record in records:
            store.get_cache_bundle(record.pk)
    except Exception:
        return False
    kept = {record.hashkey for record in records}
    return kept == {path.name for path in (folder / "executed").glob("*") if path.is_dir()}
