"""Real builds of a small book with this book's configuration: two at once, one that is killed, one after an edit."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HEAD = """---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---

"""
PAGE = f"""{HEAD}# A page

{{words}}

```{{{{code-cell}}}} python
import pathlib, time
while not pathlib.Path("{{gate}}").exists():
    time.sleep(0.1)
print("the gate", "is open")
```
"""
# The kernel has this project's `afterzero`, not the small book's: the cell names that and never calls it.
CHAPTER = f"""{HEAD}# A chapter

```{{code-cell}} python
:tags: [hide-input]
from time import time_ns

def draw(fig):
    from afterzero.figures import ch03 as figures
    return figures.stage(fig)

print("executed at", time_ns())
```

```{{ledger}}
```
"""
FIGURES = """def _axes(fig):
    return fig.subplots()


def stage(fig):
    return _axes(fig).plot([], [])
"""


@pytest.fixture
def book(tmp_path):
    """A folder with the book's machinery, and a front page whose cell waits for a file named gate."""
    top = tmp_path / "small-book"
    shutil.copytree(ROOT / "labnoise" / "teaching" / "widgets", top / "labnoise" / "teaching" / "widgets")
    for name in ("_ext", "_static", "_templates"):
        shutil.copytree(ROOT / "book" / name, top / "book" / name)
    for name in ("_config.yml", "pyproject.toml", "book/references.bib", "book/ledger.json"):
        shutil.copy(ROOT / name, top / name)
    (top / "requirements.txt").touch()
    (top / "_toc.yml").write_text("format: jb-book\nroot: book/index\n")
    write(top, "First words.")
    return top


def write(top: Path, words: str) -> None:
    (top / "book" / "index.md").write_text(PAGE.format(words=words, gate=top / "gate"))


def build(top: Path) -> subprocess.Popen:
    """Start a build as `make book` does, in a process group of its own."""
    command = [str(Path(sys.executable).with_name("jupyter-book")), "build", "."]
    return subprocess.Popen(
        [*command, "--warningiserror", "--nitpick", "--keep-going"],
        cwd=top,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env={**os.environ, "BOOK_REPOSITORY_URL": ""},
    )


def wait_until_executing(top: Path, running: subprocess.Popen) -> None:
    end = time.monotonic() + 120
    while not (top / "_build" / ".unfinished").exists():
        assert running.poll() is None, running.stdout.read()
        assert time.monotonic() < end
        time.sleep(0.1)


def test_a_second_build_stops_and_a_killed_one_leaves_nothing_stale(book):
    first = build(book)
    wait_until_executing(book, first)
    second = build(book)
    said, _ = second.communicate(timeout=120)
    assert second.returncode != 0
    assert "another build is writing to" in said, said
    assert first.poll() is None, "the first build was disturbed"

    os.killpg(first.pid, signal.SIGKILL)
    first.communicate()
    (book / "gate").touch()
    write(book, "Second words.")
    third = build(book)
    said, _ = third.communicate(timeout=180)
    assert third.returncode == 0, said
    page = (book / "_build" / "html" / "book" / "index.html").read_text()
    assert "Second words." in page
    assert "First words." not in page
    assert "the gate is open" in page
    assert not (book / "_build" / ".unfinished").exists()


@pytest.fixture
def chapter(book):
    """The source of a chapter that joins the book, whose cell draws with a function of `afterzero.figures`."""
    toc = "parts: [{numbered: true, chapters: [{file: book/03-chapter}]}]\n"
    (book / "_toc.yml").write_text((book / "_toc.yml").read_text() + toc)
    (book / "book" / "figures").mkdir()
    (book / "book" / "figures" / "ch03.py").write_text(FIGURES)
    (book / "book" / "03-chapter.md").write_text(CHAPTER)
    (book / "gate").touch()
    return book


def built(top: Path) -> dict[str, str]:
    """Build the book and return its pages."""
    running = build(top)
    said, _ = running.communicate(timeout=180)
    assert running.returncode == 0, said
    return {path.stem: path.read_text() for path in (top / "_build" / "html" / "book").glob("*.html")}


def test_an_edited_drawing_is_shown_and_executes_only_the_chapter_that_has_it(chapter):
    before = built(chapter)
    fold = re.search(r"<details class=.admonition hide.*?</details>", before["03-chapter"], re.DOTALL)[0]
    own, drawn = re.split(r"<p[^>]*>From <code.*afterzero\.figures\.ch03.*</p>", fold)
    text = re.sub("<[^>]*>", "", drawn)
    assert "time_ns" in own
    assert text.strip() == FIGURES.strip()
    assert '<span class="k">return</span>' in drawn, "its code has the colours of code"
    assert drawn.count("<pre>") == own.count("<pre>") == 1, "it gets a button to copy like all code"
    assert re.search(r'<section id="chapter-1">\s*<h2>.*Chapter 1<', before["03-chapter"]), "of the ledger"

    figures = chapter / "book" / "figures" / "ch03.py"
    figures.write_text(figures.read_text().replace(".plot(", ".scatter("))
    executed = (chapter / "_build" / "executed").glob("executed/*/base.ipynb")
    times = {path: path.stat().st_mtime_ns for path in executed}
    after = built(chapter)
    assert "scatter" in after["03-chapter"]
    stamp = r"executed at \d+"
    assert re.search(stamp, after["03-chapter"])[0] != re.search(stamp, before["03-chapter"])[0]
    kept = [path for path, time in times.items() if path.exists() and path.stat().st_mtime_ns == time]
    assert len(times) == 2
    assert len(kept) == 1, "the front page was executed again"


def test_two_pages_execute_at_once_and_one_that_fails_is_named(chapter):
    """The front page waits for a file that the chapter's cell makes."""
    page = chapter / "book" / "03-chapter.md"
    page.write_text(CHAPTER.replace('print("executed at", time_ns())', 'raise OSError("no such luck")'))
    running = build(chapter)
    said, _ = running.communicate(timeout=180)
    assert running.returncode != 0, said
    assert re.search(r"03-chapter\.md failed:(?s:.*)OSError.*no such luck", said), said

    (chapter / "gate").unlink()
    gate = f'from pathlib import Path\nPath("{chapter / "gate"}").touch()\nprint("executed at", time_ns())'
    page.write_text(CHAPTER.replace('print("executed at", time_ns())', gate))
    write(chapter, "Other words.")
    front = chapter / "book" / "index.md"
    # a cell without outputs in the cache
    front.write_text(front.read_text().replace("the gate", "the other gate"))
    assert "the other gate is open" in built(chapter)["index"]


def test_a_readers_own_settings_of_matplotlib_change_no_picture(chapter, tmp_path, monkeypatch):
    own = tmp_path / "own" / "matplotlib"
    own.mkdir(parents=True)
    (own / "matplotlibrc").write_text("figure.facecolor: red\n")
    monkeypatch.delenv("MPLCONFIGDIR", raising=False)
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(own.parent))
    shown = 'import matplotlib\nprint("faces are", matplotlib.rcParams["figure.facecolor"])'
    page = chapter / "book" / "03-chapter.md"
    page.write_text(CHAPTER.replace('print("executed at", time_ns())', shown))
    assert "faces are white" in built(chapter)["03-chapter"]
    fonts = chapter / "_build" / "matplotlib"
    (list_of_fonts,) = fonts.glob("fontlist-*.json")
    list_of_fonts.write_text(list_of_fonts.read_text()[:1000])
    list_of_fonts.with_suffix(".json.matplotlib-lock").touch()
    page.write_text(CHAPTER.replace('print("executed at", time_ns())', shown + "  # again"))
    assert "faces are white" in built(chapter)["03-chapter"]
    assert [path.name for path in fonts.glob("fontlist*")] == [list_of_fonts.name]


OTHER = f"""{HEAD}# Another chapter

By {{prf:ref}}`def-late`, {{numref}}`fig-late`, {{eq}}`eq-late`, {{ref}}`sec-late` and {{doc}}`/book/03-chapter`.
"""
STATED = """
(sec-late)=
## A late section

```{prf:definition}
:label: def-early
One.
```

```{prf:definition}
:label: def-late
Two.
```

```{math}
:label: eq-late
x = 1
```

```{figure} picture.png
:name: fig-late
A picture.
```

After {cite:t}`li2022what`.
"""


def test_all_pages_show_a_changed_title_number_and_label(chapter):
    """And a change of words has only the page written that has them."""
    toc, page = chapter / "_toc.yml", chapter / "book" / "03-chapter.md"
    toc.write_text(toc.read_text().replace("}]}]", "}, {file: book/04-other}, {file: book/sources}]}]"))
    (chapter / "book" / "sources.md").write_text(f"{HEAD}# Sources\n\n```{{bibliography}}\n```\n")
    shutil.copy(ROOT / "book" / "_static" / "card.png", chapter / "book" / "picture.png")
    (chapter / "book" / "04-other.md").write_text(OTHER)
    text = CHAPTER.replace("```{ledger}\n```\n", "") + STATED
    page.write_text(text)
    before = built(chapter)
    assert "Definition 1.2" in before["04-other"]

    html = chapter / "_build" / "html" / "book" / "04-other.html"
    written = html.stat().st_mtime_ns
    text = text.replace("Two.", "Two and a half.")
    page.write_text(text)
    os.utime(page, (0, 0))  # as from an archive: older than the last build
    assert "Two and a half." in built(chapter)["03-chapter"]
    assert html.stat().st_mtime_ns == written

    text = text.replace("# A chapter", "# A renamed chapter")
    text = text.replace("## A late section", "## A last section").replace("def-early", "def-early-on")
    text = text.replace(
        "\n:label: def-late", "\n:label: def-new\nNew.\n```\n\n```{prf:definition}\n:label: def-late"
    )
    page.write_text(text)
    after = built(chapter)
    for name in ("index", "04-other"):
        assert "A renamed chapter" in after[name], name
        assert "A chapter" not in after[name], name
    assert "Definition 1.3" in after["04-other"]
    assert "A last section" in after["04-other"]

    assert ">2022</a>" in after["03-chapter"]
    sources = chapter / "book" / "references.bib"
    sources.write_text(sources.read_text().replace("{2022}", "{2031}"))
    after = built(chapter)
    assert ">2031</a>" in after["03-chapter"], "of a source that is told on another page"
    toc.write_text(toc.read_text().replace("numbered: true", "numbered: true, caption: The course"))
    after = built(chapter)
    assert all("The course" in after[name] for name in ("index", "03-chapter", "04-other"))

    page.write_text(text.replace("def-late", "def-later"))
    running = build(chapter)
    said, _ = running.communicate(timeout=180)
    assert running.returncode != 0, "a label that is gone"
    assert "def-late" in said

    (chapter / "book" / "04-other.md").rename(chapter / "book" / "04-moved.md")
    toc.write_text(toc.read_text().replace("04-other", "04-moved"))
    (chapter / "book" / "04-moved.md").write_text(OTHER.replace("def-late", "def-later"))
    after = built(chapter)
    assert "04-other" not in after
    assert "Definition 1.3" in after["04-moved"]
