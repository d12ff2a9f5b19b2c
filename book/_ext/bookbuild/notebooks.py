"""Each chapter as a notebook that any program shows: written from the page's resolved document.

The numbers, links and words are the page's; the pictures are those of the build; quizzes come without their answers.
"""

from __future__ import annotations

import base64
import html
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from pathlib import Path

import nbformat
from docutils import nodes
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image
from sphinx.application import Sphinx

from . import cache, contents, launch
from .markdown import Links, Numbers, Writer, escape, is_code, parts, start

FOLDER = "_notebooks"
CONTENTS = "00-contents.ipynb"
ALL = "after-zero-loss.zip"
RANDOM = re.compile(r"[0-9a-f]{8}")  # what nbformat calls a cell without a name
WITH_CHAPTERS = ("notation", "glossary", "errata", "bibliography")  # what chapters link to

NOTE = """\
*This is a copy of yours: change what you like.
Run the next cell first.
What cells show is kept only where you save the notebook; an answer that `check` has marked is kept at once, \
in `answers.jsonl` beside this notebook, and `load_answers()` brings it back.
In Binder and in Colab both are gone when the session ends: download them before.*"""

INSTALL = """\
# In Binder and after `make lab` the book's package is here; elsewhere this cell installs it.
from importlib.util import find_spec
from pathlib import Path

if find_spec("labnoise") is None or find_spec("afterzero") is None:
    wheels = [str(path) for path in Path().glob("labnoise-*.whl")]  # beside this notebook
    source = wheels[-1] if wheels else {source!r}
    if not source:
        raise SystemExit("Put the labnoise-….whl of {ALL} beside this notebook and run this again.")
    %pip install --quiet "{{source}}"

from labnoise.answers import load_answers  # load_answers() brings your answers back
"""
# An exercise's cell runs after a restart, too, before the chapter's first cell has.
CHECK = "from labnoise import check\n\n"


def names(root: Path) -> dict[str, str]:
    """Page → its notebook's file name, in the order in which they are read."""
    found = {"book/index": CONTENTS}
    found |= {f"book/{path.stem}": f"{path.stem}.ipynb" for path in contents.chapters(root)}
    return found | {f"book/{name}": f"{name}.ipynb" for name in WITH_CHAPTERS}


def write(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """On `doctree-resolved`: the notebook of a page, if it has one."""
    root = Path(app.srcdir)
    known = names(root)
    if docname not in known or app.builder.name != "html":
        return
    writer = Writer(Numbers(app.env, docname), Links(app.env, docname, known))
    if docname == "book/index":
        cells = [new_markdown_cell(table_of_contents(app, doctree, writer, known), id="contents")]
    else:
        cells = list(cells_of(doctree, writer, executed(app, docname)))
    if any(cell.cell_type == "code" for cell in cells):
        cells[1:1] = opening(launch.package(root))
    given: set[str] = set()
    for number, cell in enumerate(cells):
        if cell.id in given or RANDOM.fullmatch(cell.id):  # the same page gives the same file
            cell.id = f"{'code' if cell.cell_type == 'code' else 'text'}-{number}"
        given.add(cell.id)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    book = new_notebook(cells=cells, metadata={"kernelspec": kernel, "language_info": {"name": "python"}})
    nbformat.validate(book)
    target = Path(app.outdir) / FOLDER / known[docname]
    target.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(book, target)


def executed(app: Sphinx, docname: str) -> list:
    """The cells of a page with what they showed, from the cache of the build's executions."""
    path = Path(app.outdir).parent / "jupyter_execute" / f"{docname}.ipynb"
    if not path.exists():  # a page without code
        return []
    cells = nbformat.read(path, as_version=4)
    with cache.opened(app.config.nb_execution_cache_path) as store:
        return store.merge_match_into_notebook(cells)[1].cells


def opening(package: str) -> list:
    """What stands below a chapter's title: what is kept, and the cell that sees to the installation."""
    code = new_code_cell(INSTALL.format(source=package, ALL=ALL).rstrip(), id="install")
    return [new_markdown_cell(NOTE, id="note"), code]


def table_of_contents(app: Sphinx, doctree: nodes.document, writer: Writer, known: dict[str, str]) -> str:
    """The first page of the folder: the chapters, then what stands at the back."""
    chapters = [writer.block(part, 2) for part in doctree.findall(nodes.enumerated_list)][:1]
    back = [
        f"- [{escape(app.env.titles[page].astext())}]({name})"
        for page, name in known.items()
        if page.removeprefix("book/") in WITH_CHAPTERS and page in app.env.titles
    ]
    return "\n\n".join(
        [
            f"# {escape(app.env.titles['book/index'].astext())}",
            *chapters,
            "At the back:",
            "\n".join(back),
            NOTE.replace("This is a copy of yours", "All files here are copies of yours")
            .replace("Run the next cell first.", "In each chapter run the first cell first.")
            .replace("beside this notebook", "beside them"),
        ]
    )


def cells_of(doctree: nodes.document, writer: Writer, executed: list):
    """The cells of a page; text goes on in one until something begins to which links may lead."""
    text: list[str] = []
    name: dict[str, str] = {}

    def flush():
        if text:
            yield new_markdown_cell("\n\n".join(text), **name)
            text.clear()

    for part, level in parts(doctree):
        if is_code(part):
            yield from flush()
            cell = code_cell(part, executed[part["cell_index"]])
            cell.id = start(part) or cell.id
            name = {}
            yield cell
            if caption := next(part.findall(nodes.figure), None):
                text.append(writer.block(caption, level))
        elif written := writer.block(part, level).strip("\n"):
            if start(part):
                yield from flush()
                name = {"id": start(part)}
            text.append(written)
    yield from flush()


def code_cell(node: nodes.Element, executed):
    """A cell with what the build saw it show; folded where the page folds it."""
    tags = executed.metadata.get("tags", [])
    source = executed.source
    if any(tag.startswith("exercise-") for tag in tags):
        source = CHECK + source
    cell = new_code_cell(source, metadata={"tags": tags} if tags else {})
    if "hide-input" in tags or len(cell.source.splitlines()) > 15:
        # JupyterLab and Notebook read the first, Colab the second.
        cell.metadata |= {"jupyter": {"source_hidden": True}, "cellView": "form"}
    picture = next(node.findall(nodes.image), None)
    alt = " ".join(picture.get("alt", "").split()) if picture is not None else ""
    for output in executed.outputs:
        last = cell.outputs[-1] if cell.outputs else {}
        if output.output_type == "stream" and output.name == last.get("name"):
            last.text += output.text
        else:
            cell.outputs += shown(output, alt)
    return cell


def shown(output, alt: str) -> list:
    """An output as a notebook can show it before it is run, without script, style sheet or an answer."""
    if output.output_type == "stream":
        return [new_output("stream", name=output.name, text=output.text)]
    data = output.data
    page = data.get("text/html", "")
    if 'class="explore"' in page:
        sentence = html.unescape(re.search(r'<p class="explore-sentence"[^>]*>(.*?)</p>', page, re.DOTALL)[1])
        say = f"{escape(sentence)} *Run this cell, and the picture moves.*"
        width = int(re.search(r'<img class="explore-poster[^>]* width="(\d+)"', page)[1])
        return [
            _picture(_png(first_picture(page)), sentence, {"width": width}),
            _display({"text/markdown": say, "text/plain": sentence}),
        ]
    if 'class="quiz"' in page:
        return [_display({"text/markdown": question(page), "text/plain": "Run this cell to answer."})]
    if "image/png" in data:
        with Image.open(io.BytesIO(base64.b64decode(data["image/png"]))) as picture:
            return [_picture(_png(picture), alt or data.get("text/plain", ""))]
    kept = {
        kind: data[kind]
        for kind in ("text/html", "text/markdown", "text/latex", "text/plain")
        if kind in data
    }
    return [_display(kept)]


def _display(data: dict, metadata: dict | None = None):
    return new_output("display_data", data=data, metadata=metadata or {})


def _picture(png: str, alt: str, size: dict | None = None):
    metadata = {"image/png": {"alt": alt, **(size or {})}, "alt": alt}
    return _display({"image/png": png, "text/plain": alt}, metadata)


def _png(picture: Image.Image) -> str:
    """A figure of lines and a few colours needs no more than a palette of 256."""
    white = Image.new("RGBA", picture.size, "white")
    white.alpha_composite(picture.convert("RGBA"))
    file = io.BytesIO()
    white.convert("RGB").quantize(256).save(file, "PNG", optimize=True)
    return base64.b64encode(file.getvalue()).decode()


def first_picture(page: str) -> Image.Image:
    """What a widget shows before it is moved."""
    name = re.search(r'<img class="explore-poster explore-light[^"]*" src="\.\./_frames/([^"]+)"', page)[1]
    picture = Image.open(Path(os.environ["LABNOISE_FRAMES"]) / name).convert("RGBA")
    below = Image.new("RGBA", picture.size, "white")
    below.alpha_composite(picture)
    return below


def question(page: str) -> str:
    """A quiz's question and options, in Markdown, with no word on which is right."""

    def text(part: str) -> str:
        pieces = re.split(r'<span class="math[^>]*>\\\((.*?)\\\)</span>', part)
        return "".join(
            f"${html.unescape(piece)}$" if i % 2 else escape(html.unescape(piece))
            for i, piece in enumerate(pieces)
        )

    asked = re.search(r"<legend>(.*?)</legend>", page, re.DOTALL)[1]
    options = re.findall(r"<label[^>]*>(.*?)</label>", page, re.DOTALL)
    lines = "\n".join(f"- {text(option)}" for option in options)
    return f"**{text(asked)}**\n\n{lines}\n\n*Run this cell, and choose.*"


def finish(app: Sphinx, exception: Exception | None) -> None:
    """Beside the notebooks a wheel of the package, and all of it in one file."""
    if exception or app.builder.format != "html":
        return
    folder = Path(app.outdir) / FOLDER
    if not folder.is_dir():
        return
    wanted = set(names(Path(app.srcdir)).values())
    for path in folder.glob("*.ipynb"):
        if path.name not in wanted:
            path.unlink()
    wheel(Path(app.srcdir), folder)
    with zipfile.ZipFile(folder / ALL, "w", zipfile.ZIP_DEFLATED) as pack:
        for path in sorted(folder.iterdir()):
            if path.suffix in (".ipynb", ".whl"):
                entry = zipfile.ZipInfo(f"after-zero-loss/{path.name}")  # of no date: the same in every build
                pack.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)


def wheel(root: Path, folder: Path) -> None:
    """Made in a copy, for setuptools leaves its own files beside the sources."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf8"))
    sources = sorted(set(project["tool"]["setuptools"]["package-dir"].values()))
    if not all((root / source).is_dir() for source in sources):
        return  # another book with this configuration, which has no package of its own
    newest = max(
        path.stat().st_mtime
        for path in [
            root / "pyproject.toml",
            *(file for source in sources for file in (root / source).rglob("*")),
        ]
        if "__pycache__" not in path.parts
    )
    if any(made.stat().st_mtime > newest for made in folder.glob("*.whl")):
        return
    for old in folder.glob("*.whl"):
        old.unlink()
    with tempfile.TemporaryDirectory() as copy:
        for source in sources:
            shutil.copytree(root / source, Path(copy) / source, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("pyproject.toml", "README.md", "LICENSE"):
            shutil.copy(root / name, copy)
        pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
        same = os.environ | {"SOURCE_DATE_EPOCH": "1700000000"}  # in every build
        subprocess.run([*pip, "--wheel-dir", str(folder), copy], check=True, env=same)
