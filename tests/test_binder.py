"""Every chapter as a reader of Binder meets it: opened, run, its widgets moved, an exercise done, answers kept.

For `make binder-check`, which makes an environment from .binder/ alone. Of chapter 1 in this environment, test_lab.py
asks all this and more.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import nbformat
import pytest
from bookbuild import contents, notebooks
from browser import HTML, ROOT, chromium
from jupyterlab import NOTEBOOK, add_cell, jupyterlab, move_every_widget, open_chapter, restart, run, run_all
from playwright.sync_api import expect

pytestmark = pytest.mark.binder

CHAPTERS = [f"{path.stem}.ipynb" for path in contents.chapters(ROOT)]
FOLDER = Path(os.environ.get("BINDER_NOTEBOOKS", HTML / notebooks.FOLDER))
STUB = re.compile(r'^(def (\w+)\()[^`]*?^check\("([\d.]+)", \2\)', re.MULTILINE)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with jupyterlab(
        tmp_path_factory.mktemp("binder"), os.environ.get("BINDER_PYTHON", sys.executable), FOLDER
    ) as url:
        yield url


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_reader_works_through_a_chapter(lab, chapter):
    cells = nbformat.read(FOLDER / chapter, as_version=4).cells
    source = next(cell.source for cell in cells if STUB.search(cell.source))
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        open_chapter(page, lab, chapter)
        expect(page.locator(".jp-Notebook")).to_have_count(1)
        run_all(page)
        complaints = page.locator(".jp-Notebook").locator("[data-mime-type$=error], [data-mime-type$=stderr]")
        assert complaints.all_inner_texts() == []
        move_every_widget(page)
        do_an_exercise(page, source)
        page.evaluate(f"() => {{ {NOTEBOOK} return panel.sessionContext.shutdown(); }}")


def do_an_exercise(page, source):
    """Answer wrong, then right, save, restart the kernel, load."""
    stub, name, number = STUB.search(source).groups()
    expect(run(page, stub).locator(".verdict")).to_contain_text("Not answered yet")
    for body, says in [
        ("return 0.123", "Not yet"),
        (
            f'from labnoise.teaching import find_exercise\n    return find_exercise("{number}").solution(*given)',
            "Correct",
        ),
    ]:
        answer = f'{stub}*given):\n    {body}\n\ncheck("{number}", {name})'
        expect(run(page, stub, answer).locator(".verdict")).to_contain_text(says, timeout=60_000)
    solutions = f"ch{number.split('.')[0]:0>2}"
    imports = f"from afterzero import {solutions}\nfrom labnoise.answers import load_answers, save_answers\n"
    add_cell(page, "# keep")
    expect(run(page, "# keep", f"# keep\n{imports}save_answers('{solutions}.json')")).to_contain_text(
        f"'{number}'"
    )
    restart(page)
    outputs = run(page, "# keep", f"# keep\n{imports}print(load_answers('{solutions}.json'))\n{name}")
    expect(outputs).to_contain_text(f"'{number}': ✓ Correct")
    expect(outputs).to_contain_text(f"function __main__.{name}")
