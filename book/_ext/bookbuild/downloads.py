"""Each chapter as an .ipynb that runs on its own."""

from __future__ import annotations

from pathlib import Path

import jupytext
import nbformat

from . import launch

FOLDER = "_notebooks"

INSTALL = """\
# Run this cell first: it installs what the chapter imports, unless it is here already.
# (In Binder, and in a checkout of the book after `make book`, it is.)
import importlib.util

if importlib.util.find_spec("labnoise") is None or importlib.util.find_spec("afterzero") is None:
    %pip install --quiet "labnoise @ git+{url}@{branch}"
"""

INSTALL_BY_HAND = """\
# Run this cell first: it says what to install, unless it is here already.
import importlib.util

if importlib.util.find_spec("labnoise") is None or importlib.util.find_spec("afterzero") is None:
    raise SystemExit(
        "This chapter imports labnoise, which comes with the book's sources. "
        "In the folder that holds the book's pyproject.toml run:  pip install .  "
        "Then restart the kernel and run this cell again."
    )
"""


def notebook(source: Path, where: tuple[str, str] | None) -> nbformat.NotebookNode:
    """The MyST chapter as a notebook without outputs, after a cell that sees to the installation."""
    chapter = jupytext.read(source)
    first = INSTALL.format(url=where[0], branch=where[1]) if where else INSTALL_BY_HAND
    cell = nbformat.v4.new_code_cell(first)
    cell.id = "install"
    for number, other in enumerate(chapter.cells):
        other.id = f"cell-{number}"  # jupytext draws random ones; the same source gives the same file
    chapter.cells.insert(0, cell)
    chapter.metadata.pop("jupytext", None)
    return chapter


def offer_notebook(app, pagename, templatename, context, doctree) -> None:
    """The theme offers an .ipynb only where a hub is configured, and an executed one: replace it by ours."""
    metadata = app.env.metadata.get(pagename, {})
    for group in context.get("header_buttons", []):
        if group.get("label") != "download-buttons":
            continue
        group["buttons"] = [b for b in group["buttons"] if b["label"] != "download-notebook-button"]
        if "kernelspec" not in metadata:
            continue
        source = Path(app.env.doc2path(pagename))
        name = f"{FOLDER}/{source.stem}.ipynb"
        target = Path(app.outdir) / name
        target.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook(source, launch.repository(Path(app.srcdir))), target)
        group["buttons"].insert(
            0,
            {
                "type": "link",
                "url": context["pathto"](name, 1),
                "text": ".ipynb",
                "icon": "fas fa-code",
                "tooltip": "Download this chapter as a notebook that runs on its own",
                "label": "download-notebook-button",
            },
        )
