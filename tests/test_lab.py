"""A reader's copy of a chapter in a real JupyterLab, with no extension: it is readable, runs, and its widgets move.

The tests follow one reader through one notebook, in the order in which they stand here.
"""

from __future__ import annotations

import re

import nbformat
import pytest
from bookbuild import notebooks
from browser import HTML, Record, chromium
from jupyterlab import (
    NOTEBOOK,
    add_cell,
    changed,
    jupyterlab,
    look,
    move_every_widget,
    open_chapter,
    restart,
    run,
    run_all,
)
from playwright.sync_api import expect

pytestmark = pytest.mark.lab

CHAPTER = "01-after-zero-loss.ipynb"
BOOK = nbformat.read(HTML / notebooks.FOLDER / CHAPTER, as_version=4)
SOURCE = "\n".join(cell.source for cell in BOOK.cells if cell.cell_type == "code")
TEXT = "\n".join(cell.source for cell in BOOK.cells if cell.cell_type == "markdown")


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with jupyterlab(tmp_path_factory.mktemp("lab")) as url:
        yield url


@pytest.fixture(scope="module")
def opened(lab):
    """The chapter as JupyterLab opens it, and the record of the page."""
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        record = Record(page)
        open_chapter(page, lab, CHAPTER)
        yield page, record


@pytest.fixture(scope="module")
def page(opened):
    """The chapter, all its cells run."""
    run_all(opened[0])
    return opened[0]


def test_the_chapter_opens_as_a_notebook(opened):
    page, _ = opened
    expect(page.locator(".jp-FileEditor")).to_have_count(0)
    expect(page.locator(".jp-Notebook")).to_have_count(1)
    codes = [cell for cell in BOOK.cells if cell.cell_type == "code"]
    expect(page.locator(".jp-CodeCell")).to_have_count(len(codes), timeout=60_000)


def test_before_the_first_run_pictures_are_seen_and_long_cells_are_folded(opened):
    page, _ = opened
    drawn = sum("image/png" in out.get("data", {}) for cell in BOOK.cells for out in cell.get("outputs", []))
    expect(page.locator(".jp-Notebook .jp-RenderedImage img")).to_have_count(drawn)
    folded = sum(cell.metadata.get("jupyter", {}).get("source_hidden", False) for cell in BOOK.cells)
    expect(page.locator(".jp-CodeCell .jp-InputPlaceholder")).to_have_count(folded)
    lines = page.evaluate(
        f"() => {{ {NOTEBOOK} return notebook.widgets.filter(({{model, inputHidden}}) => "
        "model.type === 'code' && !inputHidden)"
        ".map(({model}) => model.sharedModel.source.split('\\n').length); }"
    )
    assert max(lines) <= 15
    expect(page.locator(".jp-Notebook fieldset.quiz")).to_have_count(0)


def test_statements_and_exercises_are_typeset(opened):
    page, _ = opened
    titles = re.findall(r"^#### (.+)$", TEXT, re.MULTILINE)
    headings = page.locator(".jp-MarkdownCell h4")
    expect(headings).to_have_count(len(titles))
    assert [text.removesuffix("¶") for text in headings.all_inner_texts()] == titles
    text = "\n".join(page.locator(".jp-MarkdownCell").all_inner_texts())
    assert len(text) > 10_000
    assert re.findall(r"```|:::|\?\?|\{(?:prf|exercise|solution|eq|cite|ref)\b|\]\(|<div|</|\*\*", text) == []
    folds = page.locator(".jp-MarkdownCell details")
    expect(folds).to_have_count(TEXT.count("<details"))
    assert folds.evaluate_all("folds => folds.every(fold => !fold.open)")


def test_the_mathematics_is_typeset(opened):
    page, record = opened
    formulas = page.locator(".jp-MarkdownCell mjx-container[display=true]")
    expect(formulas).to_have_count(TEXT.count("\n$$\n") // 2 + TEXT.startswith("$$"), timeout=60_000)
    expect(page.locator(".jp-MarkdownCell [data-mml-node=merror]")).to_have_count(0)
    assert [line for line in record.problems if "Undefined control sequence" in line] == []


def test_a_link_to_a_distant_statement_jumps_there(opened):
    page, _ = opened
    page.locator(".jp-MarkdownCell a", has_text="Proposition 1.8").first.click()
    expect(page.locator("h4", has_text="Proposition 1.8")).to_be_in_viewport()


def test_every_cell_runs_without_complaint(page):
    complaints = page.locator(".jp-Notebook").locator("[data-mime-type$=error], [data-mime-type$=stderr]")
    assert complaints.all_inner_texts() == []


def test_widgets_quizzes_and_verdicts_are_shown(page):
    expect(page.locator(".explore-live canvas.explore-above")).to_have_count(
        len(re.findall(r"= explore\($", SOURCE, re.MULTILINE))
    )
    expect(page.locator("fieldset.quiz")).to_have_count(
        len(re.findall(r"^questions\.", SOURCE, re.MULTILINE))
    )
    verdicts = page.locator(".jp-Notebook .verdict")
    expect(verdicts).to_have_count(len(re.findall(r"^check\(", SOURCE, re.MULTILINE)))
    for verdict in verdicts.all():
        expect(verdict).to_contain_text("Not answered yet")


def test_every_widget_moves(page):
    move_every_widget(page)


def where(page):
    """The notebook's active cell, its mode and how many cells it has: what a stray key would change."""
    return page.evaluate(
        f"() => {{ {NOTEBOOK} return [notebook.activeCellIndex, notebook.mode, notebook.widgets.length]; }}"
    )


def test_arrow_keys_move_a_slider(page):
    widget = page.locator(".explore-live").first
    handle = widget.locator("input[type=range]").first
    handle.focus()
    before, place = look(widget), float(handle.input_value())
    handle.press("ArrowRight")
    changed(widget, before)
    expect(handle).to_be_focused()
    assert float(handle.input_value()) == place + 1
    expect(handle).to_have_attribute("aria-valuetext", re.compile(r"^0\.\d+$"))
    handle.press("PageUp")
    assert float(handle.input_value()) == min(place + 11, float(handle.get_attribute("max")))


def test_a_value_is_typed_or_refused(page):
    widget = page.locator(".explore-live").first
    typed, before = widget.locator(".explore-value").first, look(widget)
    typed.fill("much")
    typed.press("Enter")
    expect(widget.locator(".explore-problem")).to_contain_text("choose a number from")
    typed.fill("0.0133")
    typed.press("Enter")
    expect(widget.locator(".explore-problem")).to_be_empty()  # else the sentence is
    changed(widget, before)


def test_keys_in_a_widget_or_a_quiz_are_not_the_notebooks(page):
    """In a notebook's command mode an arrow key goes to another cell, b inserts one and x cuts one."""
    widget = page.locator(".explore-live").first
    quiz = page.locator("fieldset.quiz").first
    for control, keys in [
        (widget.locator("input[type=range]").first, ["b", "x", "ArrowUp", "ArrowDown"]),
        (widget.locator("select"), ["b", "x", "ArrowDown", "ArrowUp"]),
        (page.locator(".explore-play").last, ["b", "x", "ArrowDown"]),
        (quiz.locator("input").first, ["b", "x", "ArrowDown"]),
    ]:
        control.focus()
        before = where(page)
        for key in keys:
            control.press(key)
            assert where(page) == before, f"{key} on {control}"
    expect(quiz.locator("input").nth(1)).to_be_checked()


def test_the_pointer_drags_in_the_picture(page):
    widget = page.locator(".explore-live").first
    widget.scroll_into_view_if_needed()
    box = widget.locator(".explore-pad").bounding_box()
    before = look(widget)
    page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 0.7 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.15 * box["width"], box["y"] + 0.3 * box["height"], steps=5)
    page.mouse.up()
    changed(widget, before)
    expect(widget.locator(".explore-sentence")).to_contain_text(re.compile(r"at u = 0\.[45]"))


def test_another_noise_is_selected(page):
    widget = page.locator(".explore-live").first
    before = look(widget)
    widget.locator("select").select_option("mini-batch noise")
    assert changed(widget, before)[1].startswith("With mini-batch noise")


def test_play_runs_to_the_end_and_stops(page):
    widget = page.locator(".explore-live").last
    button, before = widget.locator(".explore-play"), look(widget)
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    changed(widget, before)
    expect(button).to_have_attribute("aria-pressed", "false", timeout=60_000)
    expect(widget.locator(".explore-sentence")).to_contain_text("t = 1.50")


def test_play_can_be_stopped(page):
    widget = page.locator(".explore-live").nth(1)
    button, before = widget.locator(".explore-play"), look(widget)
    button.click()
    changed(widget, before)
    button.click()
    expect(button).to_have_attribute("aria-pressed", "false")


def test_quizzes_mark_themselves(page):
    for quiz in page.locator("fieldset.quiz").all():
        for choice in ("wrong", "right"):
            option = quiz.locator(f".{choice}").first
            option.locator("input").check()
            expect(option.locator("p")).to_be_visible()
            expect(quiz.locator("p:visible")).to_have_count(1)
        expect(quiz.locator(".MathJax, mjx-container, .katex").first).to_be_visible()


def test_an_answer_is_marked(page):
    part = "def label_noise_covariance"
    number = re.search(r'check\("([\d.]+)", label_noise_covariance\)', SOURCE)[1]
    for factor, says in [(2, "Almost"), (4, "Correct")]:
        answer = (
            f"{part}(J, delta, batch_size):\n"
            f"    return {factor} * delta**2 / (batch_size * len(J)) * J.T @ J\n\n"
            f'check("{number}", label_noise_covariance)'
        )
        expect(run(page, part, answer).locator(".verdict")).to_contain_text(says)


def test_an_answer_outlives_its_kernel_and_its_tab(page, lab):
    """Nothing was saved. The widgets say that their kernel is gone; in a new tab the answer is back."""
    number = re.search(r'check\("([\d.]+)", label_noise_covariance\)', SOURCE)[1]
    restart(page)
    for widget in page.locator(".explore-live").all():
        expect(widget.locator(".explore-problem")).to_contain_text("The kernel has restarted")

    tab = page.context.browser.new_page(viewport={"width": 1280, "height": 1000})
    open_chapter(tab, lab, CHAPTER)
    tab.evaluate("window.jupyterapp.commands.execute('notebook:move-cursor-down')")
    add_cell(tab, "# answers")
    loading = (
        "# answers\nfrom labnoise.answers import load_answers\nprint(load_answers())\nlabel_noise_covariance"
    )
    outputs = run(tab, "# answers", loading)
    expect(outputs).to_contain_text(f"'{number}': ✓ Correct")
    expect(outputs).to_contain_text("function __main__.label_noise_covariance")
    tab.close()


def test_no_other_host_was_asked_and_nothing_failed(opened, lab):
    _, record = opened
    assert record.outside(lab) == []
    assert [line for line in record.problems if line.startswith(("error:", "failed:"))] == []
