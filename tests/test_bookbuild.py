"""The Sphinx extension's parts, each on a folder made for the test."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import jupytext
import nbformat
import pytest
from bookbuild import (
    cache,
    compiled,
    contents,
    downloads,
    drawings,
    exercises,
    launch,
    myst,
    notebooks,
    progress,
    settings,
    sources,
)
from IPython.core.interactiveshell import InteractiveShell
from jupyter_cache.base import CacheBundleIn

ROOT = Path(__file__).parents[1]


CELL = "```{{code-cell}} python\n{code}\n```\n"
BOOK = {
    "_toc.yml": """root: book/index
parts: [{numbered: true, chapters: [{file: book/03-third}, {file: book/06-sixth}, {file: book/07-seventh}]}]
""",
    "book/index.md": "# A book",
    "book/03-third.md": CELL.format(
        code="%magic\nfrom afterzero import ch03\nfrom afterzero.figures import ch03 as figures"
    ),
    "book/06-sixth.md": CELL.format(
        code="import afterzero.ch06\nfrom afterzero.experiments import recovery\n"
        "from afterzero.experiments.results import read\nread(f'recovery-{design}')"
    ),
    "book/07-seventh.md": CELL.format(code="from afterzero.experiments import noises\nnoises.stored"),
    "book/exercises/__init__.py": "",
    "book/exercises/ch03.py": "",
    "book/exercises/ch06.py": "",
    "book/figures/__init__.py": "",
    "book/figures/ch03.py": "from . import shared",
    "book/figures/shared.py": "",
    "book/experiments/__init__.py": "",
    "book/experiments/recovery.py": "",
    "book/experiments/noises.py": "from .results import read\nstored = read('noises')",
    "book/experiments/results.py": "def read(name): ...",
    "book/experiments/results/recovery-few.csv": "",
    "book/experiments/results/noises.csv": "",
    "labnoise/dynamics/_sgd.py": "",
    "requirements.txt": "",
}


@pytest.fixture
def book(tmp_path):
    """The sources of a small book: three chapters that import different things."""
    for name, text in BOOK.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf8")
    (tmp_path / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    return tmp_path


CHAPTERS = {"book/03-third", "book/06-sixth", "book/07-seventh"}
ALL = {"book/index", *CHAPTERS}


@pytest.mark.parametrize(
    ("name", "pages"),
    [
        ("labnoise/dynamics/_sgd.py", ALL),
        ("requirements.txt", ALL),
        ("book/exercises/__init__.py", CHAPTERS),
        ("book/exercises/ch03.py", {"book/03-third"}),
        ("book/figures/ch03.py", {"book/03-third"}),
        ("book/figures/shared.py", {"book/03-third"}),
        ("book/experiments/recovery.py", {"book/06-sixth"}),
        ("book/experiments/results.py", {"book/06-sixth", "book/07-seventh"}),
        ("book/experiments/results/recovery-few.csv", {"book/06-sixth"}),
        ("book/experiments/results/noises.csv", {"book/07-seventh"}),
        ("book/index.md", set()),  # jupyter-cache itself looks at the cells of a page
        ("labnoise/dynamics/_sgd.pyc", set()),
    ],
)
def test_a_change_makes_those_pages_anew_that_depend_on_it(book, name, pages):
    before = cache.output_keys(book)
    assert before.keys() == ALL
    assert cache.output_keys(book) == before
    (book / name).write_text("# another line\n")
    after = cache.output_keys(book)
    assert {page for page in ALL if after[page] != before[page]} == pages


def test_a_new_file_changes_the_keys(book):
    before = cache.output_keys(book)
    (book / "labnoise" / "noise.py").write_text("")
    (book / "book/experiments/results/recovery-more.csv").write_text("")
    after = cache.output_keys(book)
    assert all(after[page] != before[page] for page in ALL)


def test_a_name_that_code_computes_could_be_any_table(book):
    (book / "book/07-seventh.md").write_text(CELL.format(code="read(name)"))
    before = cache.output_keys(book)
    (book / "book/experiments/results/recovery-few.csv").write_text("1")
    assert cache.output_keys(book)["book/07-seventh"] != before["book/07-seventh"]


def test_each_chapter_of_this_book_depends_on_its_own_exercises():
    """And on another's only where it imports them, as chapter 7 does."""
    for chapter in contents.chapters(ROOT):
        needed = sources.needed(ROOT, myst.code(chapter))
        assert ROOT / "book" / "exercises" / f"ch{chapter.stem[:2]}.py" in needed
        assert ROOT / "book" / "exercises" / "__init__.py" in needed


def test_a_new_style_sheet_changes_every_page_and_no_output(book):
    outputs, pages = cache.output_keys(book), cache.pages_key(book)
    (book / "book" / "_static").mkdir()
    (book / "book" / "_static" / "book.css").write_text("a {}")
    assert cache.output_keys(book) == outputs
    assert cache.pages_key(book) != pages


KERNEL = {"name": "python3", "display_name": "Python 3"}


def executed(folder: Path, page: str = "a", frames: str = "12ab") -> str:
    """Put one executed notebook and the pictures that it names into the cache, and return its hash."""
    output = nbformat.v4.new_output("display_data", {"text/html": f'<figure data-frames="{frames}">'})
    cell = nbformat.v4.new_code_cell(f"widget_of_{page}", execution_count=1, outputs=[output])
    book = nbformat.v4.new_notebook(cells=[cell], metadata={"kernelspec": KERNEL})
    (folder / "frames" / frames).mkdir(parents=True, exist_ok=True)
    with cache.opened(folder) as store:
        return store.cache_notebook_bundle(CacheBundleIn(book, f"/anywhere/{page}.md")).hashkey


def kept(folder: Path) -> set[str]:
    """Pages whose outputs are in the cache."""
    with cache.opened(folder) as store:
        return {Path(record.uri).stem for record in store.list_cache_records()}


def pictures(folder: Path) -> set[str]:
    return {path.name for path in (folder / "frames").iterdir()}


def test_a_finished_build_keeps_its_pages_and_outputs(tmp_path):
    folder = tmp_path / "executed"
    assert cache.select(folder, {"a": "k1"}) == {"a"}
    executed(folder)
    (tmp_path / "html").mkdir()
    cache.mark_finished(tmp_path)
    assert cache.select(folder, {"a": "k1"}) == set()
    assert (tmp_path / "html").is_dir()
    assert kept(folder) == {"a"}
    assert pictures(folder) == {"12ab"}


def test_outputs_under_another_key_are_dropped_with_pictures_that_only_they_show(tmp_path):
    folder = tmp_path / "executed"
    cache.select(folder, {"a": "k1", "b": "k1", "c": "k1"})
    for page, frames in (("a", "1"), ("b", "2"), ("c", "1"), ("gone", "3")):
        executed(folder, page, frames)
    cache.mark_finished(tmp_path)
    assert cache.select(folder, {"a": "k2", "b": "k2", "c": "k1"}) == {"a", "b"}
    assert kept(folder) == {"c"}
    assert pictures(folder) == {"1"}
    assert cache.select(folder, {"a": "k2", "b": "k2", "c": "k1"}) == set()


def test_a_killed_build_loses_its_pages_and_keeps_whole_outputs(tmp_path):
    folder = tmp_path / "executed"
    cache.select(folder, {"a": "k1"})
    executed(folder)
    (tmp_path / "html").mkdir()
    (tmp_path / ".doctrees").mkdir()
    cache.select(folder, {"a": "k1"})  # the first never called mark_finished
    assert not (tmp_path / "html").exists()
    assert not (tmp_path / ".doctrees").exists()
    assert kept(folder) == {"a"}


@pytest.mark.parametrize("damage", ["cut", "gone", "unrecorded", "unkeyed"])
def test_a_killed_build_loses_torn_outputs(tmp_path, damage):
    folder = tmp_path / "executed"
    cache.select(folder, {"a": "k1"})
    notebook = folder / "executed" / executed(folder) / "base.ipynb"
    if damage == "cut":
        notebook.write_text(notebook.read_text()[:40])
    elif damage == "gone":
        notebook.unlink()
    elif damage == "unkeyed":
        (folder / cache.KEYS).write_text("{")
    else:
        (folder / "executed" / "0123").mkdir()
    assert cache.select(folder, {"a": "k1"}) == {"a"}
    assert not (folder / "executed").exists()


def test_outputs_with_a_warning_are_not_kept(tmp_path):
    """The build that made them has failed; what they warn of may be gone without a change of any cell."""
    folder = tmp_path / "executed"
    cache.select(folder, {"a": "k1", "b": "k1"})
    executed(folder, "b")
    notebook = folder / "executed" / executed(folder, "a") / "base.ipynb"
    book = nbformat.read(notebook, 4)
    book.cells[0].outputs.append(nbformat.v4.new_output("stream", name="stderr", text="UserWarning: torn"))
    nbformat.write(book, notebook)
    cache.select(folder, {"a": "k1", "b": "k1"})
    assert kept(folder) == {"b"}


COMPILE = "import jax; jax.jit(lambda x: x + 1)(1.0).block_until_ready()"


@pytest.mark.parametrize("damage", ["cut", "zeros"])
def test_a_torn_entry_of_the_store_of_compiled_programs_heals(tmp_path, monkeypatch, damage):
    """And one that is torn later is no warning of a kernel's; all that is whole stays."""
    environment = {
        **os.environ,
        compiled.VARIABLE: str(tmp_path),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "PYTHONWARNINGS": "",
    }

    def said():
        command = [sys.executable, "-c", COMPILE]
        return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stderr

    assert said() == ""
    entries = sorted(tmp_path.glob(compiled.ENTRIES))
    assert entries
    assert compiled.heal(tmp_path) == []
    for entry in entries:
        whole = entry.read_bytes()
        half = whole[: len(whole) // 2]
        entry.write_bytes({"cut": half, "zeros": half + bytes(len(half))}[damage])
    assert "Error reading persistent compilation cache entry" in said()

    monkeypatch.setenv("PYTHONWARNINGS", "default::FutureWarning")
    compiled.keep_quiet()
    compiled.keep_quiet()
    assert os.environ["PYTHONWARNINGS"].count("Error reading") == 1
    loud, environment["PYTHONWARNINGS"] = environment["PYTHONWARNINGS"], os.environ["PYTHONWARNINGS"]
    assert said() == ""

    monkeypatch.setenv(compiled.VARIABLE, str(tmp_path))
    (tmp_path / "another").touch()
    assert sorted(compiled.heal()) == [entry.name for entry in entries]
    assert compiled.heal() == []
    environment["PYTHONWARNINGS"] = loud
    assert said() == ""
    assert sorted(tmp_path.glob(compiled.ENTRIES)) == entries
    assert said() == ""


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://github.com/someone/after-zero-loss", "https://github.com/someone/after-zero-loss"),
        ("https://github.com/someone/after-zero-loss.git", "https://github.com/someone/after-zero-loss"),
        ("git@github.com:someone/after-zero-loss.git", "https://github.com/someone/after-zero-loss"),
        ("ssh://git@gitlab.com/someone/book", "https://gitlab.com/someone/book"),
        ("/srv/git/book.git", None),
        ("https://example.org/book", None),
    ],
)
def test_the_repository_is_taken_from_the_environment(monkeypatch, tmp_path, url, expected):
    monkeypatch.setenv("BOOK_REPOSITORY_URL", url)
    monkeypatch.setenv("BOOK_REPOSITORY_BRANCH", "spring")
    assert launch.repository(tmp_path) == (expected and (expected, "spring"))


def test_without_a_repository_there_are_no_launch_buttons(monkeypatch, tmp_path):
    monkeypatch.delenv("BOOK_REPOSITORY_URL", raising=False)
    assert launch.repository(tmp_path) is None


HUB = "https://github.com/someone/book"
WHEEL = f"labnoise @ {HUB}/raw/notebooks/labnoise-9.8.7-py3-none-any.whl"


@pytest.mark.parametrize(
    ("url", "branch", "source"),
    [
        ("", "", ""),
        ("", "notebooks", ""),
        (HUB, "", f"labnoise @ git+{HUB}@main"),
        (HUB, "notebooks", WHEEL),
        # of which Colab knows nothing
        ("https://gitlab.com/a/b", "notebooks", "labnoise @ git+https://gitlab.com/a/b@main"),
    ],
)
def test_what_is_installed_and_whether_colab_is_offered(monkeypatch, tmp_path, url, branch, source):
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "9.8.7"\n')
    monkeypatch.setenv("BOOK_REPOSITORY_URL", url)
    monkeypatch.setenv("BOOK_REPOSITORY_BRANCH", "main")
    monkeypatch.setenv("BOOK_NOTEBOOKS_BRANCH", branch)
    assert launch.package(tmp_path) == source
    config = SimpleNamespace(html_theme_options={})
    launch.set_repository(SimpleNamespace(srcdir=tmp_path), config)
    offered = source == WHEEL
    assert config.html_theme_options["launch_buttons"].get("colab_url", "") == launch.COLAB * offered
    address = f"{launch.COLAB}/github/someone/book/blob/notebooks/01-a.ipynb" if offered else None
    assert launch.in_colab(tmp_path, "01-a.ipynb") == address


@pytest.mark.parametrize("package", ["", WHEEL])
def test_a_notebook_begins_with_what_is_kept_and_its_installation(package):
    note, first = notebooks.opening(package)
    assert "answers.jsonl" in note.source
    assert len(first.source.splitlines()) <= 15
    assert repr(package) in first.source


@pytest.fixture
def installs(monkeypatch, tmp_path):
    """Run the installing cell as a notebook does, in an empty folder; what it asks pip for, and how it ended."""
    monkeypatch.chdir(tmp_path)
    asked = []
    shell = InteractiveShell()
    shell.register_magic_function(asked.append, magic_name="pip")

    def run(package, present):
        there = importlib.util.find_spec
        monkeypatch.setattr(
            "importlib.util.find_spec",
            lambda name, *rest: (
                None if name in ("labnoise", "afterzero") and name not in present else there(name, *rest)
            ),
        )
        result = shell.run_cell(notebooks.opening(package)[1].source)
        return asked, result.error_in_exec

    yield run
    shell.history_manager.end_session()
    InteractiveShell.clear_instance()


def test_where_the_package_is_the_installing_cell_does_nothing(installs):
    assert installs(WHEEL, ["labnoise", "afterzero"]) == ([], None)


@pytest.mark.parametrize("present", [[], ["labnoise"]])
def test_elsewhere_it_installs_what_was_pushed(installs, present):
    """As in Colab, which opens a notebook and nothing beside it."""
    assert installs(WHEEL, present) == ([f'install --quiet "{WHEEL}"'], None)


def test_a_wheel_beside_the_notebook_serves_first(installs, tmp_path):
    (tmp_path / "labnoise-1.0-py3-none-any.whl").touch()
    assert installs(WHEEL, []) == (['install --quiet "labnoise-1.0-py3-none-any.whl"'], None)


def test_without_either_it_says_what_to_do(installs, capsys):
    asked, error = installs("", [])
    assert asked == []
    assert "Put the labnoise-….whl of after-zero-loss.zip beside this notebook" in str(error)


@pytest.mark.parametrize(
    ("page", "opens"), [("book/03-third", "03-third.ipynb"), ("book/api", "00-contents.ipynb")]
)
def test_a_button_opens_the_readers_copy_in_binder_and_the_built_one_in_colab(monkeypatch, book, page, opens):
    monkeypatch.setenv("BOOK_REPOSITORY_URL", "https://github.com/a/b")
    monkeypatch.setenv("BOOK_NOTEBOOKS_BRANCH", "notebooks")
    binder = {"url": f"https://mybinder.org/v2/gh/a/b/main?urlpath=lab/tree/{page}.md"}
    colab = {"url": f"{launch.COLAB}/github/a/b/blob/main/{page}.md"}  # as the theme has it
    context = {"header_buttons": [{"label": "launch-buttons", "buttons": [binder, colab]}]}
    downloads.open_notebook(SimpleNamespace(srcdir=book), page, "", context, None)
    assert binder["url"] == f"https://mybinder.org/v2/gh/a/b/main?urlpath=lab/tree/my-work/{opens}"
    assert colab["url"] == f"{launch.COLAB}/github/a/b/blob/notebooks/{opens}"


CHAPTER = """# A chapter

````{exercise} ⌨ Count
:label: ex-9-1
How many?
````

```{code-cell} python
ETA, steps = 0.1, 20
START = jnp.ones(2)


def runs(rate):
    eta = rate
    return sgd(noise, START, rate, steps, key)


for eta in (ETA, 0.2):
    runs(eta)
questions.why(options)
```

```{code-cell} python
questions.how()
```
"""


def test_settings_are_those_of_the_code(tmp_path):
    """A name means what it means where the call stands: an argument is not the constant of the same name outside."""
    path = tmp_path / "09-chapter.md"
    path.write_text(CHAPTER, encoding="utf8")
    assert settings.experiments(path) == [
        ("sgd(noise, START, rate, steps, key)", "START = jnp.ones(2), steps = 20", "runs(eta)")
    ]


def test_what_can_be_done_in_a_chapter_is_counted(tmp_path):
    path = tmp_path / "09-chapter.md"
    path.write_text(CHAPTER, encoding="utf8")
    assert progress.tasks(path) == (2, 1)
    assert exercises.stated(path) == [("ex-9-1", "⌨", "Count")]


NESTED = """---
title: "```{no-directive}"
---

1. In a list:

   ```{progress} 01-chapter
   ```

`````{exercise} ⌨ Count
:label: ex-9-1
:class: dropdown

````{prf:lemma}
As in
```python
text = "```{no-directive}"
```
````

:::{note} Look
Here.
:::
`````

```{code-cell} python
---
tags: [hide-input]
mystnb: {figure: {name: fig-x}}
---
~~~{no-directive}
~~~
```
"""


def test_directives_are_read_with_what_belongs_to_them():
    found = [(each.kind, each.argument, each.options, each.within) for each in myst.directives(NESTED)]
    assert found == [
        ("progress", "01-chapter", {}, ()),
        ("exercise", "⌨ Count", {"label": "ex-9-1", "class": "dropdown"}, ()),
        ("prf:lemma", "", {}, ("exercise",)),
        ("note", "Look", {}, ("exercise",)),
        ("code-cell", "python", {"tags": ["hide-input"], "mystnb": {"figure": {"name": "fig-x"}}}, ()),
    ]


@pytest.mark.parametrize("chapter", contents.chapters(ROOT), ids=lambda path: path.stem)
def test_cells_are_those_that_a_notebook_has(chapter):
    notebook = [cell.source for cell in jupytext.read(chapter).cells if cell.cell_type == "code"]
    assert [cell.rstrip() for cell in myst.cells(chapter)] == [source.rstrip() for source in notebook]


def test_the_table_of_contents_is_read_in_its_order(book):
    assert contents.pages(book) == ["book/index", "book/03-third", "book/06-sixth", "book/07-seventh"]
    assert [path.stem for path in contents.chapters(book)] == ["03-third", "06-sixth", "07-seventh"]


FIGURES = """import numpy as np

from .shared import landscape

# As wide as a page.
WIDTH = 7


def unused(fig): ...


def _axes(fig):
    return fig.subplots(width=WIDTH)


@np.vectorize
def stage(fig):
    landscape(_axes(fig))
"""


def test_the_source_of_what_a_cell_draws_with_is_found(book):
    """Also what that calls, in its own module or another; and nothing else."""
    (book / "book/figures/ch03.py").write_text(FIGURES)
    (book / "book/figures/shared.py").write_text("def landscape(axes):\n    axes.plot()\n")
    names = sources.imports(myst.parsed("import numpy as np\nfrom afterzero.figures import ch03 as figures"))
    found = drawings.drawings(book, myst.parsed("explore(draw, stage=figures.stage, x=np.pi)"), names)
    assert list(found) == ["afterzero.figures.ch03", "afterzero.figures.shared"]
    assert found["afterzero.figures.shared"] == "def landscape(axes):\n    axes.plot()"
    own = found["afterzero.figures.ch03"]
    assert own.startswith("# As wide as a page.\nWIDTH = 7\n\n\ndef _axes(fig):")
    assert own.endswith("@np.vectorize\ndef stage(fig):\n    landscape(_axes(fig))")
    assert "unused" not in own


@pytest.mark.parametrize(
    ("imported", "used"),
    [
        ("import afterzero.figures.ch03", "afterzero.figures.ch03.unused"),
        ("import afterzero.figures.ch03 as f", "f.unused"),
        ("from afterzero.figures.ch03 import unused as u", "u"),
    ],
)
def test_drawings_are_found_however_they_are_imported(book, imported, used):
    (book / "book/figures/ch03.py").write_text(FIGURES)
    found = drawings.drawings(book, myst.parsed(f"{used}(fig)"), sources.imports(myst.parsed(imported)))
    assert found == {"afterzero.figures.ch03": "def unused(fig): ..."}


@pytest.mark.parametrize("sheet", ["book/_static/book.css", "labnoise/teaching/widgets/explore.css"])
def test_every_brace_of_a_style_sheet_is_closed(sheet):
    """One that is not puts all rules below it into the one above, and no browser complains."""
    text = (ROOT / sheet).read_text(encoding="utf8")
    assert text.count("{") == text.count("}")
