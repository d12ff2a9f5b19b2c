"""The Sphinx extension's parts, each on a folder made for the test."""

import sys
from pathlib import Path

import nbformat
import pytest
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "book" / "_ext"))

from bookbuild import cache, downloads, exercises, launch, progress, settings  # noqa: E402


@pytest.fixture
def sources(tmp_path):
    for name in ("labnoise/dynamics/_sgd.py", "book/exercises/ch01.py", "requirements.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# {name}\n")
    return tmp_path


@pytest.mark.parametrize("name", ["labnoise/dynamics/_sgd.py", "book/exercises/ch01.py", "requirements.txt"])
def test_a_change_in_what_chapters_depend_on_changes_the_key(sources, name):
    before = cache.code_key(sources)
    assert cache.code_key(sources) == before
    (sources / name).write_text("# another line\n")
    assert cache.code_key(sources) != before


def test_a_new_style_sheet_changes_every_page_and_no_output(sources):
    outputs, pages = cache.code_key(sources), cache.pages_key(sources)
    (sources / "book" / "_static").mkdir()
    (sources / "book" / "_static" / "book.css").write_text("a {}")
    assert cache.code_key(sources) == outputs
    assert cache.pages_key(sources) != pages


def test_a_new_file_changes_the_key_and_a_compiled_one_does_not(sources):
    before = cache.code_key(sources)
    (sources / "labnoise" / "sgd.pyc").write_text("")
    assert cache.code_key(sources) == before
    (sources / "labnoise" / "noise.py").write_text("")
    assert cache.code_key(sources) != before


KERNEL = {"name": "python3", "display_name": "Python 3"}


def executed(folder: Path) -> str:
    """Put one executed notebook into the cache and return its hash."""
    cell = nbformat.v4.new_code_cell("1 + 1", execution_count=1)
    book = nbformat.v4.new_notebook(cells=[cell], metadata={"kernelspec": KERNEL})
    return get_cache(folder).cache_notebook_bundle(CacheBundleIn(book, "a.ipynb")).hashkey


def test_a_finished_build_keeps_its_pages_and_outputs(tmp_path):
    folder = cache.select(tmp_path / "executed", "k1")
    executed(folder)
    (tmp_path / "html").mkdir()
    cache.mark_finished(tmp_path)
    assert cache.select(tmp_path / "executed", "k1") == folder
    assert (tmp_path / "html").is_dir()
    assert len(get_cache(folder).list_cache_records()) == 1


def test_a_killed_build_loses_its_pages_and_keeps_whole_outputs(tmp_path):
    folder = cache.select(tmp_path / "executed", "k1")
    executed(folder)
    (tmp_path / "html").mkdir()
    (tmp_path / ".doctrees").mkdir()
    cache.select(tmp_path / "executed", "k1")  # the first never called mark_finished
    assert not (tmp_path / "html").exists()
    assert not (tmp_path / ".doctrees").exists()
    assert len(get_cache(folder).list_cache_records()) == 1


@pytest.mark.parametrize("damage", ["cut", "gone", "unrecorded"])
def test_a_killed_build_loses_torn_outputs(tmp_path, damage):
    folder = cache.select(tmp_path / "executed", "k1")
    notebook = folder / "executed" / executed(folder) / "base.ipynb"
    if damage == "cut":
        notebook.write_text(notebook.read_text()[:40])
    elif damage == "gone":
        notebook.unlink()
    else:
        (folder / "executed" / "0123").mkdir()
    cache.select(tmp_path / "executed", "k1")
    assert not (folder / "executed").exists()


def test_outputs_of_other_code_are_dropped(tmp_path):
    old = cache.select(tmp_path / "executed", "k1")
    old.mkdir(parents=True)
    cache.select(tmp_path / "executed", "k2")
    assert not old.exists()


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


@pytest.mark.parametrize("where", [None, ("https://github.com/someone/book", "main")])
def test_a_downloaded_chapter_begins_with_its_installation(where):
    book = downloads.notebook(ROOT / "book" / "01-after-zero-loss.md", where)
    nbformat.validate(book)
    first = book.cells[0]
    assert first.cell_type == "code"
    assert "labnoise" in first.source
    assert ("%pip install" in first.source) == (where is not None)
    assert downloads.notebook(ROOT / "book" / "01-after-zero-loss.md", where) == book


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
quiz("Why?", options, 1)
```

```{code-cell} python
quiz("How?", options, 1)
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
    assert [match["label"] for match in exercises.EXERCISE.finditer(CHAPTER)] == ["ex-9-1"]


@pytest.mark.parametrize("sheet", ["book/_static/book.css", "labnoise/teaching/widgets/explore.css"])
def test_every_brace_of_a_style_sheet_is_closed(sheet):
    """One that is not puts all rules below it into the one above, and no browser complains."""
    text = (ROOT / sheet).read_text(encoding="utf8")
    assert text.count("{") == text.count("}")
