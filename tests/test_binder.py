"""Every chapter as a reader of Binder meets it: opened, run, its widgets moved, an exercise done, answers kept.

`make binder-check` tries all chapters in an environment made from .binder/ alone. Here one chapter, in this one.
"""

from __future__ import annotations

import os
import re
import sys

import pytest
from browser import ROOT, chromium
from jupyterlab import NOTEBOOK, add_cell, changed, jupyterlab, look, open_chapter, restart, run, run_all
from playwright.sync_api import expect

pytestmark = pytest.mark.lab

PYTHON = os.environ.get("BINDER_PYTHON", sys.executable)
CHAPTERS = sorted(path.name for path in (ROOT / "book").glob("[0-9][0-9]-*.md"))
TRIED = CHAPTERS if "BINDER_PYTHON" in os.environ else ["04-katzenberger.md"]
STUB = re.compile(r'^```\{code-cell\}[^`]*?^(def (\w+)\()[^`]*?^check\("([\d.]+)", \2\)', re.MULTILINE)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with jupyterlab(tmp_path_factory.mktemp("binder"), PYTHON) as url:
        yield url


@pytest.mark.parametrize("chapter", TRIED)
def test_a_reader_works_through_a_chapter(lab, chapter):
    source = (ROOT / "book" / chapter).read_text(encoding="utf8")
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


def move_every_widget(page):
    widgets = page.locator(".explore-live")
    assert widgets.count() >= 2
    for widget in widgets.all():
        widget.scroll_into_view_if_needed()
        for handle in widget.locator(".noUi-handle").all():
            before = look(widget)
            at_end = handle.get_attribute("aria-valuenow") == handle.get_attribute("aria-valuemax")
            for _ in range(5):
                handle.press("ArrowLeft" if at_end else "ArrowRight")
            changed(widget, before)
        for select in widget.locator("select").all():
            before = look(widget)
            options = [option.get_attribute("value") for option in select.locator("option").all()]
            select.select_option(next(value for value in options if value != select.input_value()))
            changed(widget, before)


def do_an_exercise(page, source):
    """Answer wrong, then right, save, restart the kernel, load."""
    stub, name, number = STUB.search(source).groups()
    expect(run(page, stub).locator(".verdict")).to_contain_text("Not answered yet")
    for body, says in [
        ("return 0.123", "Not yet"),
        (
            f'from labnoise.check import find_exercise\n    return find_exercise("{number}").solution(*given)',
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
