"""The static front in a real browser, opened from a folder: no kernel, no server, no network."""

import re
import shutil
from pathlib import Path

import example_widgets as examples
import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

from labnoise import quiz
from labnoise.teaching import Verdict
from labnoise.teaching.widgets.assets import ASSETS
from labnoise.widgets import Control

pytestmark = pytest.mark.browser

CHROMIUM = "/usr/bin/chromium"
PAGE = """<!doctype html>
<html lang="en" data-theme="light"><head><meta charset="utf-8"><title>Widgets</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="../_static/explore.css">
<style>
body {{ max-width: 45rem; margin: auto; padding: 0 1rem; font: 1rem/1.5 sans-serif; }}
html[data-theme="dark"] {{ background: #14181e; color: #ced6dd; --pst-color-text-base: #ced6dd;
  --pst-color-text-muted: #9ca4af; --pst-color-border: #48566b; --pst-color-primary: #3fb1c5; }}
</style></head>
<body><main><h1>Widgets</h1>{body}</main>
<script src="../_static/gestures.js"></script><script src="../_static/explore.js"></script></body></html>
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder as a build leaves it: one page with three widgets, a quiz and a verdict."""
    root = tmp_path_factory.mktemp("site")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LABNOISE_FRAMES", str(root / "_frames"))
        widgets = [
            examples.clocks(
                eta=Control([0.01, 0.03, 0.1], label="learning rate η", start=0.03), step=[1, 401, 801, 1201]
            ),
            examples.pad(),
            examples.whole(),
        ]
        outputs = [widget._repr_mimebundle_()["text/html"] for widget in widgets]
    outputs.append(quiz("How much is $2^2$?", [(2, "that is $2$"), (4, "it is")], answer=2**2)._repr_html_())
    outputs += [
        Verdict(status, "And so on.")._repr_html_()
        for status in ("correct", "almost", "not yet", "not answered yet")
    ]
    (root / "book").mkdir()
    (root / "_static").mkdir()
    for asset in ASSETS:
        shutil.copy(asset, root / "_static")
    (root / "book" / "page.html").write_text(PAGE.format(body="\n".join(outputs)))
    return root


@pytest.fixture(scope="module")
def browser():
    options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
    options += ["--disable-sync", "--disable-component-update"]
    with sync_playwright() as playwright:
        path = CHROMIUM if Path(CHROMIUM).exists() else None  # else Playwright's own
        browser = playwright.chromium.launch(executable_path=path, args=options)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser):
    """Open the page of a site; at the end no error may have been heard that the test did not ask for."""
    contexts, heard = [], []

    def visit(site, errors=None, loaded=None, **options):
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        heard_here = heard if errors is None else errors
        page.on("pageerror", lambda error: heard_here.append(str(error)))
        page.on("console", lambda message: message.type == "error" and heard_here.append(message.text))
        page.on("request", lambda request: request.url.startswith("file:") or heard.append(request.url))
        if loaded is not None:
            page.on("request", lambda request: request.url.endswith(".webp") and loaded.append(request.url))
        page.goto((site / "book" / "page.html").as_uri())
        return page

    yield visit
    for context in contexts:
        context.close()
    assert heard == []


def widget(page, number):
    figure = page.locator("figure.explore").nth(number)
    figure.scroll_into_view_if_needed()
    return figure, figure.locator(".explore-frame").first, figure.locator(".explore-sentence")


def place(figure, across, down):
    """Page coordinates of a place in the drag area, as fractions of it."""
    box = figure.locator(".explore-pad").bounding_box()
    return box["x"] + across * box["width"], box["y"] + down * box["height"]


def test_arrow_keys_move_picture_sentence_and_label(site, visit):
    page = visit(site)
    figure, frame, sentence = widget(page, 0)
    before = frame.get_attribute("src")
    figure.get_by_label("learning rate η").focus()
    page.keyboard.press("ArrowRight")
    expect(sentence).to_have_text(re.compile(r"^After 1 steps with η = 0.1 and label noise"))
    expect(frame).not_to_have_attribute("src", before)
    expect(frame).to_have_attribute("alt", sentence.inner_text())
    expect(figure.locator("output").first).to_have_text("0.1")
    expect(figure.get_by_label("learning rate η")).to_have_attribute("aria-valuetext", "0.1")
    assert frame.evaluate("image => image.naturalWidth") == 1584

    figure.get_by_label("noise").focus()
    page.keyboard.press("ArrowDown")
    expect(sentence).to_contain_text("none noise")


def test_only_the_latest_of_many_quick_moves_stays(site, visit):
    page = visit(site)
    figure, frame, sentence = widget(page, 1)
    figure.get_by_label("x", exact=True).focus()
    for key in ["ArrowRight"] * 5 + ["ArrowLeft"] * 9 + ["ArrowRight"] * 2:
        page.keyboard.press(key)
    expect(sentence).to_have_text("The point lies at (0.0398, -2).")
    expect(frame).to_have_attribute("alt", "The point lies at (0.0398, -2).")


def test_the_pointer_drags_two_controls(site, visit):
    page = visit(site)
    figure, _, sentence = widget(page, 1)
    page.mouse.move(*place(figure, 0.5, 0.5))
    page.mouse.move(*place(figure, 0.2, 0.2))
    expect(sentence).to_have_text("The point lies at (0.1, -2).")  # not pressed yet
    page.mouse.down()
    page.mouse.move(*place(figure, 0.9, 0.25))
    expect(sentence).to_have_text("The point lies at (0.631, 1).")
    page.mouse.move(*place(figure, 3, 9))  # beyond the picture the drag goes on
    page.mouse.up()
    expect(sentence).to_have_text("The point lies at (1, -2).")
    expect(figure.locator("output").first).to_have_text("1")


def test_a_finger_drags_what_can_be_dragged_and_scrolls_elsewhere(site, visit):
    page = visit(site, viewport={"width": 390, "height": 700}, has_touch=True, is_mobile=True)
    figure, _, sentence = widget(page, 1)
    page.touchscreen.tap(*place(figure, 0.5, 0.5))
    expect(sentence).to_have_text("The point lies at (0.1, 0).")
    touch = "element => getComputedStyle(element).touchAction"
    assert figure.locator(".explore-pad").evaluate(touch) == "none"
    assert figure.locator(".explore-picture").evaluate(touch) == "auto"
    assert figure.locator("input").first.evaluate(touch) == "pan-y"


def test_a_phone_shows_two_panels_one_below_the_other(site, visit):
    page = visit(site, viewport={"width": 390, "height": 844})
    figure, _, sentence = widget(page, 0)
    first, second = figure.locator(".explore-sheet").all()
    left, right = first.bounding_box(), second.bounding_box()
    assert right["y"] == pytest.approx(left["y"] + left["height"], abs=1)
    assert left["width"] > 1.8 * figure.bounding_box()["width"]  # twice the size, the other half is cut off
    figure.get_by_label("step").focus()
    page.keyboard.press("ArrowRight")
    expect(sentence).to_contain_text("After 401 steps")
    sources = figure.locator(".explore-frame").evaluate_all("images => images.map((image) => image.src)")
    assert sources[0] == sources[1]
    assert figure.get_by_label("step").bounding_box()["y"] < 844  # the controls stay in reach
    page.set_viewport_size({"width": 1280, "height": 844})
    expect(second).to_be_hidden()


def test_play_runs_to_the_end_can_be_stopped_and_starts_again(site, visit):
    page = visit(site)
    figure, _, sentence = widget(page, 0)
    play = figure.get_by_role("button", name="Play")
    play.click()
    expect(play).to_have_attribute("aria-pressed", "true")
    expect(sentence).to_contain_text("After 401 steps")
    play.click()
    expect(play).to_have_attribute("aria-pressed", "false")
    page.wait_for_timeout(1300)  # two steps' time
    expect(sentence).to_contain_text("After 401 steps")
    play.click()
    expect(sentence).to_contain_text("After 1201 steps", timeout=5000)
    expect(play).to_have_attribute("aria-pressed", "false")
    play.click()
    expect(sentence).to_contain_text("After 1 steps")
    page.keyboard.press("Escape")
    expect(play).to_have_attribute("aria-pressed", "false")


def test_play_steps_once_a_press_when_motion_is_unwelcome(site, visit):
    page = visit(site, reduced_motion="reduce")
    figure, _, sentence = widget(page, 0)
    play = figure.get_by_role("button", name="Play")
    play.click()
    expect(sentence).to_contain_text("After 401 steps")
    page.wait_for_timeout(1300)
    expect(sentence).to_contain_text("After 401 steps")
    expect(play).to_have_attribute("aria-pressed", "false")


def test_without_javascript_the_first_setting_is_there(site, visit):
    page = visit(site, java_script_enabled=False)
    _, frame, sentence = widget(page, 0)
    expect(sentence).to_contain_text("After 1 steps with η = 0.03")
    expect(frame).to_be_visible()
    expect(page.get_by_text("And so on.").first).to_be_visible()


def test_a_missing_frame_is_told_in_place_and_the_rest_works(site, visit, tmp_path):
    shutil.copytree(site, tmp_path / "site")
    page_source = (tmp_path / "site/book/page.html").read_text()
    frames = re.findall(r'data-frames="(\w+)"', page_source)
    folder = tmp_path / "site/_frames" / frames[1]
    (folder / "54.webp").unlink()  # x at its seventh stop, y at its first
    errors = []
    page = visit(tmp_path / "site", errors)
    figure, frame, sentence = widget(page, 1)
    alarm = figure.get_by_role("alert")
    figure.get_by_label("x", exact=True).focus()
    page.keyboard.press("ArrowRight")
    expect(alarm).to_contain_text(f"This picture is not there: ../_frames/{frames[1]}/54.webp.")
    expect(sentence).to_have_text("The point lies at (0.158, -2).")
    expect(frame).to_have_attribute("alt", "The point lies at (0.1, -2).")  # the last good picture
    page.keyboard.press("ArrowRight")
    expect(sentence).to_have_text("The point lies at (0.251, -2).")
    expect(figure.locator(".explore-problem")).to_be_hidden()
    assert errors
    assert all("ERR_FILE_NOT_FOUND" in error for error in errors)


def test_a_page_without_its_frames_says_so(site, visit, tmp_path):
    for part in ("book", "_static"):
        shutil.copytree(site / part, tmp_path / "site" / part)
    page = visit(tmp_path / "site", [])
    figure, _, sentence = widget(page, 0)
    expect(figure.get_by_role("alert")).to_contain_text("This picture is not there: ../_frames/")
    figure.get_by_label("noise").select_option("none")
    expect(sentence).to_contain_text("none noise")  # the words do not need the picture


def test_the_setting_as_code_follows_the_controls(site, visit):
    page = visit(site, permissions=["clipboard-read", "clipboard-write"])
    figure, *_ = widget(page, 0)
    code = figure.locator("pre")
    expect(code).to_be_hidden()
    figure.get_by_role("button", name="Copy this setting as code").click()
    expect(figure.get_by_role("button", name="Copied")).to_be_visible()
    expect(code).to_contain_text("draw_clocks(stage_clocks(fig), eta=0.03, step=1, noise='label')")
    assert page.evaluate("navigator.clipboard.readText()") == code.inner_text()
    figure.get_by_label("noise").select_option("none")
    expect(code).to_contain_text("noise='none'")


def test_little_is_loaded_before_the_reader_comes_near(site, visit):
    loaded = []
    page = visit(site, loaded=loaded)
    page.wait_for_timeout(500)
    assert (
        len(loaded) <= 2 * 2 + 1
    )  # the light backgrounds and first frames of two widgets, the frame of the third
    figure, *_ = widget(page, 0)
    figure.locator("input").first.focus()
    page.wait_for_timeout(500)
    assert len(loaded) > 8  # then the neighbours


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_it_fits_and_is_accessible(site, visit, theme, width):
    page = visit(site, viewport={"width": width, "height": 900})
    page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
    page.get_by_role("button", name="Copy this setting as code").first.click()
    page.get_by_role("radio").first.check()
    scroll = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert scroll[0] <= scroll[1]
    violations = Axe().run(page, options={"preload": False}).response["violations"]
    assert violations == [], [violation["id"] for violation in violations]


def test_dark_mode_has_its_own_background_and_nothing_jumps(site, visit):
    page = visit(site)
    figure, frame, _ = widget(page, 0)
    picture = figure.locator(".explore-picture")
    box = picture.bounding_box()
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    expect(figure.locator(".explore-dark").first).to_be_visible()
    expect(figure.locator(".explore-light").first).to_be_hidden()
    page.wait_for_function("document.querySelector('.explore-dark').naturalWidth > 0")
    assert picture.bounding_box() == box
    assert frame.bounding_box() == pytest.approx(box)


def test_a_quiz_marks_itself_by_keyboard_without_javascript(site, visit):
    page = visit(site, java_script_enabled=False)
    question = page.get_by_role("group", name="How much is")
    wrong, right = question.get_by_text("Not quite:"), question.get_by_text("Right:")
    expect(wrong).to_be_hidden()
    expect(right).to_be_hidden()
    question.get_by_role("radio").first.focus()
    page.keyboard.press("Space")
    expect(wrong).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(right).to_be_visible()
    expect(wrong).to_be_hidden()


def test_the_picture_follows_the_input_within_a_frame(site, visit):
    """The full measurement is in benchmarks/widgets.py; this one only catches a blunder."""
    page = visit(site)
    figure, *_ = widget(page, 0)
    figure.locator("input").nth(1).focus()
    page.wait_for_timeout(1000)
    times = (
        figure.locator("input")
        .nth(1)
        .evaluate(
            """async (input) => {
            const figure = input.closest("figure"), times = [];
            for (let i = 0; i < 12; i += 1) {
                const before = performance.now(), old = figure.querySelector(".explore-frame");
                input.value = [1, 2, 3, 2][i % 4];
                input.dispatchEvent(new Event("input", { bubbles: true }));
                const changed = () => figure.querySelector(".explore-frame") !== old;
                while (!changed()) await new Promise((next) => setTimeout(next));
                times.push(performance.now() - before);
            }
            return times;
        }"""
        )
    )
    assert np.median(times) < 100
