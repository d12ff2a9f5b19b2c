"""The cache of executed pages: what each page's outputs depend on, and how a torn cache is noticed.

jupyter-cache knows a page's outputs by its cells alone. Beside it `keys.json` says, for each page, under which key its
outputs were made: a hash over all else that could change them. Outputs made under another key than today's go.
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from jupyter_cache import get_cache
from jupyter_cache.cache.main import JupyterCacheBase

from . import contents, myst, sources

EVERY_OUTPUT_FOLLOWS = ("labnoise", "requirements.txt")
EVERY_PAGE_FOLLOWS = (
    "book/_static",
    "book/_templates",
    "book/_ext",
    "labnoise/teaching/widgets",
    "benchmarks/results",
)
RESULTS = "book/experiments/results"
SOURCES = {".py", ".js", ".css", ".html", ".svg", ".png", ".md", ".csv"}
UNFINISHED = ".unfinished"
KEYS = "keys.json"


def output_keys(root: Path) -> dict[str, str]:
    """For each page a hash over every file that its outputs depend on besides the page itself."""
    common = list(_files(root, EVERY_OUTPUT_FOLLOWS))
    return {page: _hash(root, [*common, *_imported(root, page)]) for page in contents.pages(root)}


def pages_key(root: Path) -> str:
    """A hash over what every built page contains or loads: Sphinx alone would not notice a new style sheet."""
    return _hash(root, _files(root, EVERY_PAGE_FOLLOWS))


def _files(root: Path, names: Iterable[str]) -> Iterator[Path]:
    for name in names:
        top = root / name
        yield from [top] if top.is_file() else (path for path in top.rglob("*") if path.suffix in SOURCES)


def _imported(root: Path, page: str) -> set[Path]:
    """The modules of `afterzero` behind a page's cells, and the stored results that either reads."""
    cells = myst.code(root / f"{page}.md")
    modules = sources.needed(root, cells)
    return modules.union(*(_tables(root, code) for code in (cells, *map(sources.read, modules))))


def _tables(root: Path, code: ast.AST) -> set[Path]:
    """The stored results that some code reads; where it computes a name, all that this could be."""
    found: set[Path] = set()
    for node in ast.walk(code):
        if isinstance(node, ast.Call) and node.args and ast.unparse(node.func).split(".")[-1] == "read":
            name = node.args[0]
            parts = name.values if isinstance(name, ast.JoinedStr) else [name]
            pattern = "".join(str(part.value) if isinstance(part, ast.Constant) else "*" for part in parts)
            found.update((root / RESULTS).glob(f"{pattern}.csv"))
    return found


def _hash(root: Path, files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(path.relative_to(root).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


@contextmanager
def opened(folder: Path | str) -> Iterator[JupyterCacheBase]:
    """jupyter-cache, which leaves its database open; from Python 3.13 on that is a warning."""
    store = get_cache(folder)
    try:
        yield store
    finally:
        store.db.dispose()


def select(folder: Path, keys: dict[str, str]) -> set[str]:
    """Drop from the cache what these keys no longer stand for, and all that a torn build left.

    Returns the pages whose key is not that of the last build: Sphinx has to read them anew.
    """
    build = folder.parent
    marker = build / UNFINISHED
    if marker.exists():
        # The last build was killed or failed: pages may be half-written and warnings already swallowed.
        shutil.rmtree(build / "html", ignore_errors=True)
        shutil.rmtree(build / ".doctrees", ignore_errors=True)
        if not _is_whole(folder):
            shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    marker.touch()
    store = folder / KEYS
    before = json.loads(store.read_text()) if store.exists() else {}
    stale = {page for page, key in keys.items() if before.get(page) != key}
    _keep(folder, keys.keys() - stale)
    store.write_text(json.dumps(keys, indent=1) + "\n")
    return stale


def mark_finished(build: Path) -> None:
    (build / UNFINISHED).unlink(missing_ok=True)


def _keep(folder: Path, pages: set[str]) -> None:
    """Drop the outputs of all other pages, and the pictures of widgets that no output names any more.

    Outputs with a warning go too: such a page fails the build, and what it warned of may be mended outside its cells.
    """
    with opened(folder) as store:
        for record in store.list_cache_records():
            wanted = any(record.uri.endswith(f"/{page}.md") for page in pages)
            if not wanted or _complained(folder / "executed" / record.hashkey / "base.ipynb"):
                store.remove_cache(record.pk)
    outputs = [path.read_text(encoding="utf8") for path in (folder / "executed").glob("*/base.ipynb")]
    shown = {name for text in outputs for name in re.findall(r'data-frames=\\"([0-9a-f]+)', text)}
    for pictures in (folder / "frames").glob("*"):
        if pictures.name not in shown:
            shutil.rmtree(pictures)


def _complained(notebook: Path) -> bool:
    cells = json.loads(notebook.read_text(encoding="utf8"))["cells"]
    return any(output.get("name") == "stderr" for cell in cells for output in cell.get("outputs", ()))


def _is_whole(folder: Path) -> bool:
    """True if the keys and each record's notebook can be read, and each notebook has its record."""
    if not folder.is_dir():
        return True
    try:
        json.loads((folder / KEYS).read_text())
        with opened(folder) as store:
            records = store.list_cache_records()
            for record in records:
                store.get_cache_bundle(record.pk)
    except Exception:
        return False
    kept = {record.hashkey for record in records}
    return kept == {path.name for path in (folder / "executed").glob("*") if path.is_dir()}
