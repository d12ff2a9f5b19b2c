"""Real builds of a book of one page, with this book's configuration: two at once, and one that is killed."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = """---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---

# A page

{words}

```{{code-cell}} python
import pathlib, time
while not pathlib.Path("{gate}").exists():
    time.sleep(0.1)
print("the gate", "is open")
```
"""


@pytest.fixture
def book(tmp_path):
    """A folder with the book's machinery, and one page whose cell waits for a file named gate."""
    top = tmp_path / "book-of-one-page"
    shutil.copytree(ROOT / "labnoise" / "teaching" / "widgets", top / "labnoise" / "teaching" / "widgets")
    for name in ("_ext", "_static", "_templates"):
        shutil.copytree(ROOT / "book" / name, top / "book" / name)
    for name in ("_config.yml", "book/references.bib"):
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
