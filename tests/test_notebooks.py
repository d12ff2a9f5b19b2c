"""The notebooks that the build writes say what the pages say, in any notebook program, and give no answer away."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import zipfile
from functools import cache

import nbformat
import pytest
from bookbuild import contents, notebooks
from browser import HTML, ROOT
from bs4 import BeautifulSoup
from nbclient import NotebookClient
from nbconvert import HTMLExporter

sys.path.append(str(ROOT / "tools"))

import work

FOLDER = HTML / notebooks.FOLDER
CHAPTERS = [path.stem for path in contents.chapters(ROOT)]
NAMES = [name.removesuffix(".ipynb") for name in notebooks.names(ROOT).values()]
MATHEMATICS = re.compile(r"\$\$.*?\$\$|\$[^$\n]*\$", re.DOTALL)


RAW = re.compile(  # directives, roles, keys of citations, labels
    r"\?\?|:::|%s|^`{3,}\{|^:[a-z]+:|\{[a-z:]+\}`|\b[a-z]+(?:19|20)\d\d[a-z]+\b"
    r"|\b(?:thm|prop|lem|cor|def|ex|sec|eq|fig)-[a-z0-9]+(?:-[a-z0-9]+)*\b",
    re.MULTILINE,
)


@cache
def read(name):
    return nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)


@cache
def page(name):
    text = (HTML / "book" / f"{name}.html").read_text(encoding="utf8")
    return BeautifulSoup(text, "html.parser").find("article")


def text_of(name):
    return "\n".join(cell.source for cell in read(name).cells if cell.cell_type == "markdown")


def words(text):
    """Without marks, mathematics and spaces, which the two ways of writing have in different places."""
    text = re.sub(r"\\\(.*?\\\)", "", MATHEMATICS.sub("", text), flags=re.DOTALL)
    return re.sub(r"[\s\\*`#]+", "", text.replace("&lt;", "<").replace("&gt;", ">"))


@pytest.mark.parametrize("name", NAMES)
def test_cells_need_no_name_of_a_cell_that_is_left_out(name):
    """Claims are on the page's side alone: a quiz or a figure may not use what only they define."""
    code = "\n\n".join(cell.source for cell in read(name).cells if cell.cell_type == "code")
    undefined = undefined_names(re.sub(r"^(\s*)%.*", r"\1pass", code, flags=re.MULTILINE))
    assert undefined == ""


def undefined_names(code):
    options = ("--isolated", "--quiet", "--select=F821", "--output-format=concise")
    ruff = [sys.executable, "-m", "ruff", "check", *options, "-"]
    return subprocess.run(ruff, input=code, capture_output=True, text=True).stdout


def test_a_name_that_is_defined_nowhere_is_found():
    assert "WANTED" in undefined_names("A = 1\n\n\ndef f():\n    return A + WANTED\n")


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_is_valid_and_plain(name):
    nbformat.validate(read(name))
    prose = re.sub(r"\]\([^)]*\)|`[^`]*`|<[^>]*>", "", MATHEMATICS.sub("", text_of(name)))
    assert RAW.findall(prose) == []
    assert "answer=" not in (FOLDER / f"{name}.ipynb").read_text(encoding="utf8")


@pytest.mark.parametrize("name", CHAPTERS)
def test_numbers_and_titles_are_the_pages(name):
    text = text_of(name)
    titles = [
        tag.get_text()
        for tag in page(name).select("div.proof > .admonition-title, div.exercise > .admonition-title")
    ]
    headings = re.findall(r"^#### (.*)", text, re.MULTILINE)
    assert len(titles) > 8
    assert [words(title) for title in titles] == [words(title) for title in headings]
    sections = [tag.get_text().removesuffix("#") for tag in page(name).select("h1, h2, h3")]
    found = re.findall(r"^#{1,3} (.*)", text, re.MULTILINE)
    assert [words(title) for title in sections] == [words(title) for title in found]


@pytest.mark.parametrize("name", CHAPTERS)
def test_numbers_of_equations_and_figures_are_the_pages(name):
    text = text_of(name)
    equations = [re.search(r"\((.*?)\)", tag.get_text())[1] for tag in page(name).select(".eqno")]
    assert equations == re.findall(r"\\tag\{(.*?)\}", text)
    captions = [tag.get_text() for tag in page(name).select("figcaption .caption-number")]
    assert [words(caption) for caption in captions] == [
        words(caption) for caption in re.findall(r"^\*\*(Fig\. [\d.]+)\*\*", text, re.MULTILINE)
    ]


@pytest.mark.parametrize("name", CHAPTERS)
def test_every_reference_says_what_the_page_says(name):
    """In the page's order: statements, exercises, sections, equations and citations, each by its text."""
    wanted = [
        words(tag.get_text())
        for tag in page(name).select("p a.reference.internal, li a.reference.internal")
        if not tag.find_parent(class_="toctree-wrapper")
    ]
    found = [words(text) for text in re.findall(r"(?<!\\)\[((?:\\.|[^\[\]\\])*)\]\([^)]*\)", text_of(name))]
    left = list(found)
    missing = [text for text in wanted if text not in left or left.remove(text)]
    assert missing == []


@pytest.mark.parametrize("name", NAMES)
def test_every_link_leads_somewhere(name):
    """To a neighbour that exists, and there to one of its cells."""
    for target in re.findall(r"(?<!\\)\[(?:\\.|[^\[\]\\])*\]\(([^)]*)\)", MATHEMATICS.sub("", text_of(name))):
        if target.startswith("http"):
            continue
        file, _, place = target.partition("#")
        other = file.removesuffix(".ipynb") or name
        assert other in NAMES, target
        if place:
            assert place.removeprefix("cell-id=") in {cell.id for cell in read(other).cells}, target


@pytest.mark.parametrize("name", CHAPTERS)
def test_what_the_page_folds_is_folded(name):
    cells = [cell for cell in read(name).cells if cell.cell_type == "code"]
    for cell in cells:
        folded = cell.metadata.get("jupyter", {}).get("source_hidden", False)
        assert folded or len(cell.source.splitlines()) <= 15, cell.source
        assert folded or "hide-input" not in cell.metadata.get("tags", [])
        assert "claim(" not in cell.source
    text = text_of(name)
    assert text.count("<summary>Proof</summary>") == len(page(name).select("div.proof:not([id])")) > 2
    assert text.count("<summary>Solution to Exercise") == len(page(name).select("div.solution")) > 0


@pytest.mark.parametrize("name", CHAPTERS)
def test_pictures_are_there_before_the_first_run(name):
    outputs = [output for cell in read(name).cells for output in cell.get("outputs", [])]
    pictures = [output for output in outputs if "image/png" in output.get("data", {})]
    widgets, figures = (
        page(name).select("figure.explore"),
        page(name).select(".cell_output figure:not(.explore)"),
    )
    assert len(pictures) >= len(widgets) + len(figures) > 2
    for output in pictures:
        assert len(output.metadata["image/png"]["alt"]) > 20
    assert all(
        "<script" not in data and "<style" not in data for o in outputs for data in o.get("data", {}).values()
    )


@pytest.mark.parametrize("name", CHAPTERS)
def test_an_exercise_can_be_checked_right_after_a_restart(name):
    asked = [
        cell
        for cell in read(name).cells
        if any(tag.startswith("exercise-") for tag in cell.metadata.get("tags", []))
    ]
    assert asked
    for cell in asked:
        verdicts = {}
        exec(cell.source, verdicts)  # in an empty namespace
        assert "check" in verdicts


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_quiz_is_asked_without_its_answer(name):
    asked = [cell for cell in read(name).cells if cell.source.startswith("questions.")]
    assert len(asked) == len(page(name).select("fieldset.quiz")) >= 3
    for cell, quiz in zip(asked, page(name).select("fieldset.quiz"), strict=True):
        shown = words(cell.outputs[0].data["text/markdown"])
        for option in [quiz.find("legend"), *quiz.select("label")]:
            assert words(option.get_text()) in shown
        for feedback in quiz.select("p"):
            said = words(feedback.get_text().partition(":")[2])
            assert len(said) < 10 or said not in shown  # of some only a full stop is left


@pytest.mark.parametrize("name", NAMES)
def test_plain_html_shows_it(name):
    """nbconvert's own template: folds are folds, and no mark of Markdown is left in the text."""
    html, _ = HTMLExporter(template_name="lab").from_notebook_node(read(name))
    shown = BeautifulSoup(html, "html.parser")
    assert len(shown.select("details")) == text_of(name).count("<details")
    for part in shown.select(".jp-RenderedMarkdown"):
        for literal in part.select("code, pre"):
            literal.decompose()
        left = MATHEMATICS.sub("", part.get_text())
        assert re.findall(r"^#+ |\*\*|```|\]\(|</?(?:div|details|summary)", left, re.MULTILINE) == []


def test_chapter_one_runs(tmp_path):
    for path in FOLDER.glob("01-*.ipynb"):
        shutil.copy(path, tmp_path)
    book = nbformat.read(tmp_path / f"{CHAPTERS[0]}.ipynb", as_version=4)
    NotebookClient(book, timeout=600, kernel_name="python3").execute(cwd=str(tmp_path))
    outputs = [output for cell in book.cells for output in cell.get("outputs", [])]
    assert [output for output in outputs if output.get("name") == "stderr"] == []


def test_all_of_it_is_in_one_file():
    with zipfile.ZipFile(FOLDER / notebooks.ALL) as pack:
        names = {name.removeprefix("after-zero-loss/") for name in pack.namelist()}
    wheel = next(FOLDER.glob("labnoise-*.whl")).name
    assert names == {wheel, *notebooks.names(ROOT).values()}
    with zipfile.ZipFile(FOLDER / wheel) as package:
        inside = package.namelist()
    assert {"afterzero/ch01.py", "afterzero/quizzes/ch01.py", "labnoise/py.typed"} <= set(inside)
    assert not [name for name in inside if "__pycache__" in name or "bookbuild" in name]


def notebook(*sources, tag="exercise-1.2"):
    cells = [{"cell_type": "code", "metadata": {"tags": [tag]}, "source": source} for source in sources]
    return json.dumps({"cells": cells}).encode()


@pytest.fixture
def folders(tmp_path):
    built, mine = tmp_path / "built", tmp_path / "mine"
    built.mkdir()
    (built / "01-one.ipynb").write_bytes(notebook("stub"))
    assert work.deliver(built, mine) == []
    return built, mine


def test_what_nobody_has_touched_is_renewed(folders):
    built, mine = folders
    (built / "01-one.ipynb").write_bytes(notebook("another stub"))
    assert work.deliver(built, mine) == []
    assert (mine / "01-one.ipynb").read_bytes() == notebook("another stub")


def test_work_is_never_overwritten_and_a_new_edition_brings_the_answers(folders):
    built, mine = folders
    (mine / "01-one.ipynb").write_bytes(notebook("my answer"))
    assert work.deliver(built, mine) == []  # the same edition: nothing to say
    (built / "01-one.ipynb").write_bytes(notebook("another stub", "more"))
    said = work.deliver(built, mine, "2026-11-26")
    assert len(said) == 1
    assert (mine / "01-one.ipynb").read_bytes() == notebook("my answer")
    sources = [cell["source"] for cell in json.loads((mine / "01-one.2026-11-26.ipynb").read_text())["cells"]]
    assert "my answer" in sources
    assert work.deliver(built, mine, "2026-11-26") == []
    (built / "01-one.ipynb").write_bytes(notebook("a third"))
    work.deliver(built, mine, "2026-11-26")
    assert (mine / "01-one.2026-11-26-2.ipynb").exists()


def test_a_broken_notebook_is_kept_too(folders):
    built, mine = folders
    (mine / "01-one.ipynb").write_text("no JSON")
    (built / "01-one.ipynb").write_bytes(notebook("another stub"))
    assert len(work.deliver(built, mine, "2026-11-26")) == 1
    assert (mine / "01-one.ipynb").read_text() == "no JSON"
