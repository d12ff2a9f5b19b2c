"""The static front in a real browser, opened from a folder: no kernel, no server, no network."""

import base64
import io
import json
import re
import shutil
from pathlib import Path

import example_widgets as examples
import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import expect, sync_playwright

from labnoise import quiz
from labnoise.teaching import Verdict
from labnoise.teaching.widgets.assets import ASSETS, LOADED
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
{scripts}</body></html>
"""


def small_clocks():
    eta = Control(np.geomspace(0.01, 0.1, 3), label="learning rate η", start=0.0316227766)
    return examples.clocks(eta=eta, step=[1, 401, 801, 1201])


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder as a build leaves it: one page with five widgets, a quiz and verdicts."""
    root = tmp_path_factory.mktemp("site")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LABNOISE_FRAMES", str(root / "_frames"))
        widgets = [
            small_clocks(),
            examples.pad(),
            examples.whole(),
            examples.kinds(),
            examples.throws(),
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
    scripts = "".join(
        f'<script src="../_static/{asset.name}"></script>' for asset in LOADED if asset.suffix == ".js"
    )
    (root / "book" / "page.html").write_text(PAGE.format(body="\n".join(outputs), scripts=scripts))
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
            page.on("request", lambda request: "/_frames/" in request.url and loaded.append(request.url))
        page.goto((site / "book" / "page.html").as_uri())
        return page

    yield visit
    for context in contexts:
        context.close()
    assert heard == []


def widget(page, number):
    figure = page.locator("figure.explore").nth(number)
    figure.scroll_into_view_if_needed()
    return figure, figure.locator(".explore-poster").first, figure.locator(".explore-sentence")


def picture(figure):
    """What the script has drawn, to be compared."""
    return figure.locator(".explore-above").first.evaluate("canvas => canvas.toDataURL()")


def drawn(figure):
    """Wait for the first picture of the script, and return it."""
    figure.locator(".explore-drawn").wait_for()
    return picture(figure)


def put(figure, name, place):
    """Move a range to any place between its stops, as a pointer would."""
    figure.locator(f"[name={name}]").evaluate(
        """(input, place) => {
            input.value = place;
            input.dispatchEvent(new Event("input", { bubbles: true }));
        }""",
        place,
    )


def place(figure, across, down):
    """Page coordinates of a place in the drag area, as fractions of it."""
    box = figure.locator(".explore-pad").bounding_box()
    return box["x"] + across * box["width"], box["y"] + down * box["height"]


def test_arrow_keys_move_picture_sentence_and_label(site, visit):
    page = visit(site)
    figure, poster, sentence = widget(page, 0)
    slider = figure.get_by_label("learning rate η")
    slider.focus()
    before = drawn(figure)
    page.keyboard.press("ArrowRight")
    expect(sentence).to_have_text(re.compile(r"^After 1 steps with η = 0.1 and label noise"))
    assert picture(figure) != before
    expect(poster).to_have_attribute("alt", sentence.inner_text())
    expect(poster).to_have_css("opacity", "0")
    expect(figure.locator("output").first).to_have_text("0.1")
    expect(slider).to_have_attribute("aria-valuetext", "0.1")
    put(figure, "eta", 1.37)
    page.keyboard.press("ArrowLeft")  # from between two stops to the next one
    assert slider.input_value() == "1"

    figure.get_by_label("noise").focus()
    page.keyboard.press("ArrowDown")
    expect(sentence).to_contain_text("none noise")


def test_the_script_draws_what_matplotlib_draws(site, visit):
    """Every kind of artist, point for point, on canvas and by matplotlib's own renderer."""
    page = visit(site, viewport={"width": 1600, "height": 900})
    page.add_style_tag(content="body { max-width: none !important; }")
    figure, *_ = widget(page, 3)
    figure.locator("input").first.focus()
    image = drawn(figure).partition(",")[2]
    canvas = np.asarray(Image.open(io.BytesIO(base64.b64decode(image))).convert("RGBA")).astype(float)
    definition = examples.kinds().definition
    definition.picture.frame(definition.start)
    definition.picture.canvas.draw()
    agg = np.asarray(definition.picture.canvas.buffer_rgba()).astype(float)
    assert canvas.shape == agg.shape
    seen, wanted = (p[..., :3] * p[..., 3:] / 255 + 255 - p[..., 3:] for p in (canvas, agg))
    # Antialiasing, the phase of dashes and of hatches differ; nothing is missing and nothing lies elsewhere.
    blocks = np.abs(seen - wanted).mean(axis=-1)[:392].reshape(49, 8, 99, 8).mean(axis=(1, 3))
    assert blocks.mean() < 8  # of 255
    assert np.quantile(blocks, 0.9) < 30
    off = {
        (down, across): np.abs(np.roll(seen, (down, across), axis=(0, 1)) - wanted).mean()
        for down in (-1, 0, 1)
        for across in (-1, 0, 1)
    }
    assert min(off, key=off.get) == (0, 0)


PLACES = np.random.default_rng(3).uniform(0.02, 0.98, (12, 2))


@pytest.mark.parametrize("number", [0, 1])
def test_between_stops_picture_and_sentence_are_those_of_draw(site, visit, number):
    page = visit(site)
    figure, _, sentence = widget(page, number)
    explorer = small_clocks() if number == 0 else examples.pad()
    ranges = [control for control in explorer.controls if control.is_range]
    figure.locator("input").first.focus()
    drawn(figure)
    page.evaluate("""() => {
        const draw = exploreDraw;
        window.exploreDraw = (context, scale, picture, dark) => {
            window.shown = [...picture.numbers];
            draw(context, scale, picture, dark);
        };
    }""")
    nodes = {
        control["name"]: control["nodes"]
        for control in json.loads(figure.locator("script").text_content())["controls"]
        if "nodes" in control
    }
    for shares in PLACES:
        values, near = {}, {}
        for control, share in zip(ranges, shares, strict=True):
            place = share * (len(control.values) - 1)
            if control.name == "step":  # is stepped
                place = float(round(place))
            put(figure, control.name, place)
            values[control.name] = control.at(place)
            near[control.name] = control.at(
                min(nodes[control.name], key=lambda node, place=place: abs(node - place))
            )
            shown = figure.locator(f"[name={control.name}]").get_attribute("aria-valuetext")
            assert shown == control.say(values[control.name])
        others = {} if number else {"noise": "label"}
        wanted, _ = explorer.definition.picture.frame({**values, **others})
        assert np.abs(np.array(page.evaluate("shown")) - wanted.numbers).max() <= 1
        _, words = explorer.definition.picture.frame({**near, **others})
        named = [
            f"{control.label} = {control.say(near[control.name])}"
            for control in ranges
            if control.say(near[control.name]) != control.say(values[control.name])
        ]
        expect(sentence).to_have_text(
            words + (f" (Numbers computed at {', '.join(named)}.)" if named else "")
        )


def test_a_slow_drag_shows_many_pictures_between_two_stops(site, visit):
    page = visit(site)
    figure, *_ = widget(page, 1)
    figure.locator("input").first.focus()
    drawn(figure)
    seen = set()
    for place_between in np.linspace(4, 5, 41):
        put(figure, "x", place_between)
        seen.add(picture(figure))
    assert len(seen) >= 30


FITS = """figure => {
    const bottom = Math.max(...[...figure.children].map(part => part.getBoundingClientRect().bottom));
    return figure.matches(".explore-held") && Math.abs(bottom - figure.getBoundingClientRect().bottom) < 1;
}"""


@pytest.mark.parametrize("width", [1280, 390])
def test_a_moving_widget_keeps_its_height_and_what_it_shows_has_room(site, visit, width):
    """The page around it is then not laid out anew, which takes longer than a frame where it is long."""
    page = visit(site, viewport={"width": width, "height": 900})
    figure, *_ = widget(page, 1)
    figure.locator("input").first.focus()
    drawn(figure)
    page.wait_for_function(FITS, arg=figure.element_handle())
    heights = set()
    for across in np.linspace(0, 4, 15):
        put(figure, "x", across)
        put(figure, "y", 4 - across)
        page.evaluate("new Promise(requestAnimationFrame)")
        heights.add(figure.bounding_box()["height"])
    assert len(heights) == 1
    figure.get_by_role("button", name="Copy this setting as code").click()
    page.wait_for_function(
        "([figure, before]) => figure.getBoundingClientRect().height > before + 20",
        arg=[figure.element_handle(), heights.pop()],
    )
    assert figure.evaluate(FITS)
    page.set_viewport_size({"width": 700 - width // 4, "height": 900})
    page.wait_for_function(FITS, arg=figure.element_handle())


def test_dice_change_picture_and_sentence_and_come_round(site, visit):
    page = visit(site, permissions=["clipboard-read", "clipboard-write"])
    figure, _, sentence = widget(page, 4)
    button = figure.get_by_role("button", name="Throw again")
    button.focus()
    seen = {(drawn(figure), sentence.inner_text())}
    for throw in (1, 2, 3):
        button.press("Enter")
        expect(sentence).to_contain_text(f"throw {throw}")
        seen.add((picture(figure), sentence.inner_text()))
    assert len({image for image, _ in seen}) == len({words for _, words in seen}) == 4
    figure.get_by_role("button", name="Copy this setting as code").click()
    expect(figure.locator("pre")).to_contain_text("throw=3")
    button.press("Enter")
    expect(sentence).to_contain_text("throw 0")
    assert picture(figure) in {image for image, _ in seen}


def test_numbers_are_written_as_python_writes_them(site, visit):
    page = visit(site)
    random = np.random.default_rng(0)
    numbers = [
        *(10.0 ** random.uniform(-9, 9, 60) * random.choice([-1, 1], 60)),
        0.0,
        1.0,
        1e5,
        123456.0,
        1e-4,
        *(i / 16 for i in range(-40, 41)),  # many lie half-way between two numbers that are written
        *(i / 2 for i in range(-10, 41)),
        1234.5,
        0.00048828125,
    ]
    for form in ("{:.3g}", "{:g}", "{:.2f}", "{:.0f}", "{:.1f}", "{:.2g}", "η = {:.1g} a step", "{:.0g}"):
        written = page.evaluate(
            "([form, numbers]) => numbers.map((n) => exploreFormat(form, n))", [form, numbers]
        )
        assert written == [form.format(number) for number in numbers]


def test_the_canvas_is_as_fine_as_what_is_zoomed_in_or_printed(site, visit):
    page = visit(site, has_touch=True)
    figure, *_ = widget(page, 1)
    figure.locator("input").first.focus()
    drawn(figure)
    canvas = figure.locator(".explore-above").first
    fineness = "canvas => canvas.width / canvas.clientWidth"
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert canvas.evaluate(fineness) == pytest.approx(4, abs=0.01)
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert canvas.evaluate(fineness) == pytest.approx(1, abs=0.01)
    page.context.new_cdp_session(page).send("Emulation.setPageScaleFactor", {"pageScaleFactor": 2})
    page.wait_for_function(
        f"canvas => Math.abs(({fineness})(canvas) - 2) < 0.01", arg=canvas.element_handle()
    )


def test_the_canvas_is_as_fine_as_the_screen_and_follows_its_size(site, visit):
    page = visit(site, device_scale_factor=2)
    figure, *_ = widget(page, 1)
    figure.locator("input").first.focus()
    drawn(figure)
    canvas = figure.locator(".explore-above").first
    fineness = "canvas => canvas.width / canvas.clientWidth"
    assert canvas.evaluate(fineness) == pytest.approx(2, abs=0.01)
    before = canvas.evaluate("canvas => canvas.width")
    page.set_viewport_size({"width": 400, "height": 900})
    page.wait_for_function(
        "([canvas, before]) => canvas.width < before", arg=[canvas.element_handle(), before]
    )
    assert canvas.evaluate(fineness) == pytest.approx(2, abs=0.01)


def test_only_the_latest_of_many_quick_moves_stays(site, visit):
    page = visit(site)
    figure, frame, sentence = widget(page, 1)
    figure.get_by_label("x", exact=True).focus()
    for key in ["ArrowRight"] * 5 + ["ArrowLeft"] * 9 + ["ArrowRight"] * 2:
        page.keyboard.press(key)
    expect(sentence).to_have_text("The point lies at (0.0398, -2).")
    expect(frame).to_have_attribute("alt", "The point lies at (0.0398, -2).")
    shown = picture(figure)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    assert picture(figure) == shown


def test_the_pointer_drags_two_controls(site, visit):
    page = visit(site)
    figure, _, sentence = widget(page, 1)
    page.mouse.move(*place(figure, 0.5, 0.5))
    page.mouse.move(*place(figure, 0.2, 0.2))
    expect(sentence).to_have_text("The point lies at (0.1, -2).")  # not pressed yet
    page.mouse.down()
    page.mouse.move(*place(figure, 0.9, 0.25))
    expect(sentence).to_contain_text("The point lies at (0.631, 1).")
    assert float(figure.get_by_label("x", exact=True).input_value()) == pytest.approx(9, abs=0.05)
    page.mouse.move(
        *place(figure, 0.87, 0.3)
    )  # between the stops, which lie at 0.8 and 0.9, at 0.25 and 0.375
    assert float(figure.get_by_label("x", exact=True).input_value()) == pytest.approx(8.7, abs=0.05)
    assert float(figure.get_by_label("y", exact=True).input_value()) == pytest.approx(5.6, abs=0.05)
    page.mouse.move(*place(figure, 3, 9))  # beyond the picture the drag goes on
    page.mouse.up()
    expect(sentence).to_have_text("The point lies at (1, -2).")
    expect(figure.locator("output").first).to_have_text("1")


def test_a_finger_drags_what_can_be_dragged_and_scrolls_elsewhere(site, visit):
    page = visit(site, viewport={"width": 390, "height": 700}, has_touch=True, is_mobile=True)
    figure, _, sentence = widget(page, 1)
    page.touchscreen.tap(*place(figure, 0.5, 0.5))
    expect(sentence).to_contain_text("The point lies at (0.1, 0).")
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
    both = "all => all.map((canvas) => canvas.toDataURL())"
    before = figure.locator(".explore-above").evaluate_all(both)
    put(figure, "eta", 0.5)
    after = figure.locator(".explore-above").evaluate_all(both)
    assert len({*before, *after}) == 4
    assert figure.get_by_label("step").bounding_box()["y"] < 844  # the controls stay in reach
    page.set_viewport_size({"width": 1280, "height": 844})
    expect(second).to_be_hidden()


def test_play_glides_to_the_end_can_be_stopped_and_starts_again(site, visit):
    page = visit(site)
    figure, _, sentence = widget(page, 0)
    play, slider = figure.get_by_role("button", name="Play"), figure.get_by_label("step")
    play.click()
    expect(play).to_have_attribute("aria-pressed", "true")
    expect(sentence).to_contain_text("After 401 steps", timeout=5000)
    play.click()
    expect(play).to_have_attribute("aria-pressed", "false")
    here = slider.input_value()
    page.wait_for_timeout(700)
    assert slider.input_value() == here
    begin = page.evaluate("performance.now()")
    play.click()
    expect(sentence).to_contain_text("After 1201 steps", timeout=8000)
    assert page.evaluate("performance.now()") - begin < 6000 * (
        1 - float(here) / 3
    )  # the last stop's half is reached
    expect(play).to_have_attribute("aria-pressed", "false", timeout=3000)
    assert slider.input_value() == "3"
    play.click()
    expect(sentence).to_contain_text("After 1 steps")
    page.keyboard.press("Escape")
    expect(play).to_have_attribute("aria-pressed", "false")


def test_play_takes_six_seconds_and_shows_what_lies_between(site, visit):
    page = visit(site)
    figure, *_ = widget(page, 4)
    slider = figure.locator("input").first
    figure.get_by_role("button", name="Play").click()
    figure.locator(".explore-drawn").wait_for()
    first = slider.evaluate("async (input) => [performance.now(), Number(input.value)]")
    page.wait_for_timeout(1500)
    then = slider.evaluate("async (input) => [performance.now(), Number(input.value)]")
    figure.get_by_role("button", name="Play").click()
    speed = (then[1] - first[1]) / (then[0] - first[0])
    assert speed == pytest.approx(float(slider.get_attribute("max")) / 6000, rel=0.1)
    assert not float(slider.input_value()).is_integer()


def test_play_steps_once_a_press_when_motion_is_unwelcome(site, visit):
    page = visit(site, reduced_motion="reduce")
    figure, _, sentence = widget(page, 0)
    play = figure.get_by_role("button", name="Play")
    play.click()
    expect(sentence).to_contain_text("After 401 steps")
    page.wait_for_timeout(700)
    expect(sentence).to_contain_text("After 401 steps")
    expect(play).to_have_attribute("aria-pressed", "false")


def test_without_javascript_the_first_setting_is_there(site, visit):
    page = visit(site, java_script_enabled=False)
    _, frame, sentence = widget(page, 0)
    expect(sentence).to_contain_text("After 1 steps with η = 0.0316")
    expect(frame).to_be_visible()
    expect(page.get_by_text("And so on.").first).to_be_visible()


def test_a_missing_file_is_told_in_place_and_the_rest_works(site, visit, tmp_path):
    shutil.copytree(site, tmp_path / "site")
    page_source = (tmp_path / "site/book/page.html").read_text()
    frames = re.findall(r'data-frames="(\w+)"', page_source)
    folder = tmp_path / "site/_frames" / frames[0]
    (folder / "1.js").unlink()  # the second choice of noise
    errors = []
    page = visit(tmp_path / "site", errors)
    figure, _, sentence = widget(page, 0)
    alarm = figure.get_by_role("alert")
    figure.get_by_label("noise").select_option("none")
    expect(alarm).to_contain_text(f"This picture is not there: ../_frames/{frames[0]}/1.js.")
    expect(sentence).to_have_text("")  # nothing is said of what is not shown
    figure.get_by_label("noise").select_option("label")
    expect(sentence).to_contain_text("label noise")
    expect(figure.locator(".explore-problem")).to_be_hidden()
    shutil.copy(site / "_frames" / frames[0] / "1.js", folder)
    figure.get_by_label("noise").select_option("none")  # it is tried again
    expect(sentence).to_contain_text("none noise")
    assert errors
    assert all("ERR_FILE_NOT_FOUND" in error for error in errors)


def test_a_page_without_its_pictures_says_so(site, visit, tmp_path):
    for part in ("book", "_static"):
        shutil.copytree(site / part, tmp_path / "site" / part)
    page = visit(tmp_path / "site", [])
    figure, *_ = widget(page, 0)
    expect(figure.get_by_role("alert")).to_contain_text("This picture is not there: ../_frames/")
    expect(page.get_by_role("group", name="How much is")).to_be_visible()


def test_the_script_that_draws_is_loaded_at_the_first_touch_and_told_where_it_is_missing(
    site, visit, tmp_path
):
    shutil.copytree(site, tmp_path / "site")
    drawing = tmp_path / "site/_static/display.js"
    drawing.unlink()
    errors = []
    page = visit(tmp_path / "site", errors)
    assert not errors  # nothing has asked for it
    figure, _, sentence = widget(page, 0)
    figure.get_by_label("noise").select_option("none")
    expect(figure.get_by_role("alert")).to_contain_text("This picture is not there: ../_static/display.js")
    shutil.copy(site / "_static" / "display.js", drawing)
    figure.get_by_label("noise").select_option("label")
    expect(sentence).to_contain_text("label noise")
    assert page.evaluate("document.querySelectorAll('head script').length") == 0
    assert all("ERR_FILE_NOT_FOUND" in error for error in errors)


def test_the_setting_as_code_follows_the_controls(site, visit):
    page = visit(site, permissions=["clipboard-read", "clipboard-write"])
    figure, *_ = widget(page, 0)
    code = figure.locator("pre")
    expect(code).to_be_hidden()
    figure.get_by_role("button", name="Copy this setting as code").click()
    expect(figure.get_by_role("button", name="Copied")).to_be_visible()
    expect(code).to_contain_text(
        "draw_clocks(stage_clocks(fig), eta=0.03162277660168379, step=1, noise='label')"
    )
    assert page.evaluate("navigator.clipboard.readText()") == code.inner_text()
    figure.get_by_label("noise").select_option("none")
    expect(code).to_contain_text("noise='none'")


def test_in_between_the_code_has_the_value_that_is_shown(site, visit):
    page = visit(site)
    figure, *_ = widget(page, 1)
    put(figure, "x", 4.5)
    put(figure, "y", 3.25)
    value = re.search(r"x=([^,]*), y=([^)]*)\)", figure.locator("pre").text_content())
    assert float(value[1]) == pytest.approx(0.01 * 100**0.45, rel=1e-5)
    assert float(value[2]) == -0.375


def test_little_is_loaded_before_the_first_touch_and_then_what_is_wanted(site, visit):
    loaded = []
    page = visit(site, loaded=loaded)
    figure, *_ = widget(page, 0)
    page.wait_for_timeout(300)
    assert {Path(url).name for url in loaded} == {"light.webp"}  # no picture of the other theme, no data
    loaded.clear()
    figure.locator("input").first.focus()
    drawn(figure)
    assert [Path(url).name for url in loaded] == ["stage.js", "0.js"]
    figure.get_by_label("noise").select_option("none")
    expect(figure.locator(".explore-sentence")).to_contain_text("none noise")
    assert [Path(url).name for url in loaded] == ["stage.js", "0.js", "1.js"]


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


def test_dark_mode_has_its_own_picture_before_and_after_the_first_touch(site, visit):
    page = visit(site)
    figure, *_ = widget(page, 0)
    box = figure.locator(".explore-picture").bounding_box()
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    expect(figure.locator(".explore-dark").first).to_be_visible()
    expect(figure.locator(".explore-light").first).to_be_hidden()
    page.wait_for_function("document.querySelector('.explore-dark').naturalWidth > 0")
    assert figure.locator(".explore-picture").bounding_box() == box
    figure.locator("input").first.focus()
    drawn(figure)
    assert figure.locator(".explore-picture").bounding_box() == box
    ink = """canvas => {
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        let sum = 0, count = 0;
        for (let i = 0; i < data.length; i += 4) if (data[i + 3] === 255) { sum += data[i]; count += 1; }
        return sum / count;
    }"""
    below = figure.locator(".explore-below").first
    assert below.evaluate(ink) > 150
    page.evaluate("document.documentElement.dataset.theme = 'light'")
    page.wait_for_function(f"canvas => ({ink})(canvas) < 150", arg=below.element_handle())


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


def test_the_picture_follows_the_input_at_once(site, visit):
    """The full measurement is in benchmarks/widgets.py; this one only catches a blunder."""
    page = visit(site)
    figure, *_ = widget(page, 0)
    figure.locator("input").nth(1).focus()
    drawn(figure)
    times = figure.locator("input").first.evaluate(
        """(input) => {
            const times = [];
            for (let i = 0; i < 20; i += 1) {
                const before = performance.now();
                input.value = 0.1 + 0.09 * i;
                input.dispatchEvent(new Event("input", { bubbles: true }));
                times.push(performance.now() - before);
            }
            return times;
        }"""
    )
    assert np.median(times) < 50
