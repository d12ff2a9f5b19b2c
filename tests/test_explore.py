"""`explore`: what it accepts, what its picture is made of, and its live front as Python sees it."""

import dataclasses
import io
import itertools
import json
import re
import sys
from functools import partial
from types import SimpleNamespace

import example_widgets as examples
import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from packs import unpack
from PIL import Image

from labnoise import explore
from labnoise.teaching.widgets.packing import FINENESS, Frame
from labnoise.teaching.widgets.picture import Picture
from labnoise.teaching.widgets.picture_files import dark, encode
from labnoise.widgets import Control, figure_style


def stage(fig):
    return fig.subplots().plot([0, 1], [0, 1])


def draw(lines, *, a, b="one"):
    lines[0].set_ydata([0, a])
    return f"The line rises to {a:.3g}."


def pixels(data):
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGBA")).astype(int)


# Controls


@pytest.mark.parametrize(
    ("values", "spacing"),
    [
        ([1, 2, 3], "integer"),
        (range(0, 100, 20), "integer"),
        (np.array([2, 4, 6]), "integer"),
        ([0.1, 0.2], "linear"),
        (np.linspace(-1, 1, 5), "linear"),
        (np.geomspace(1e-3, 1, 7), "log"),
        ([1, 10, 100], "log"),
        ([1, 2, 5, 10], "irregular"),
        (["a", "b"], "irregular"),
    ],
)
def test_the_spacing_of_the_values_decides_the_slider(values, spacing):
    assert Control(values).spacing == spacing


@pytest.mark.parametrize(
    ("values", "error", "says"),
    [
        ([], ValueError, r"a = \[\].*at least two"),
        ([1], ValueError, "at least two"),
        ([1, np.inf], ValueError, "finite"),
        ([1, float("nan")], ValueError, "finite"),
        ([2, 1], ValueError, "increasing"),
        ([1, 1], ValueError, "increasing"),
        (["x", "x"], ValueError, "once"),
        ([1, "x"], TypeError, "numbers only"),
        ([True, False], TypeError, "'off', 'on'"),
        ([[1, 2], [3, 4]], TypeError, "numbers only"),
        (3, TypeError, "sequence"),
        ("abc", TypeError, "sequence"),
        (Control([1, 2, 3]), None, None),
    ],
)
def test_bad_values_are_refused_by_name(values, error, says):
    if error is None:
        explore(draw, stage, a=values)
        return
    with pytest.raises(error, match=says) as caught:
        explore(draw, stage, a=values)
    assert "a = " in str(caught.value)


@pytest.mark.parametrize("start", [0.3, "x"])
def test_a_start_off_the_grid_is_refused(start):
    with pytest.raises(ValueError, match=r"start = .*choose one of \[0.1, 0.2\]"):
        Control([0.1, 0.2], start=start)


def test_a_start_may_differ_by_rounding():
    control = Control(np.linspace(0, 1, 11), start=0.1 + 0.2)
    assert control.index == 3


@pytest.mark.parametrize("format", ["3", "{}", "{:e}", "{:.3g} or {:.2f}", "{:>8.3g}", "{x:.3g}"])
def test_a_format_that_the_page_cannot_write_is_refused(format):
    with pytest.raises(ValueError, match=r"format = .*write one number as in '\{:.3g\}'"):
        explore(draw, stage, a=Control([0.1, 0.2], format=format))


def test_at_most_three_ranges_and_one_select():
    with pytest.raises(ValueError, match="three ranges and one select"):
        explore(draw, stage, a=[1, 2], b=[1, 2], c=[1, 2], d=[1, 2])
    with pytest.raises(ValueError, match="three ranges and one select"):
        explore(draw, stage, a=["x", "y"], b=["x", "y"])
    with pytest.raises(ValueError, match="at least one control"):
        explore(draw, stage)


@pytest.mark.parametrize("dice", [1, 0, -3, 2.0, True, "8"])
def test_dice_are_at_least_two(dice):
    with pytest.raises(ValueError, match=r"dice = .*at least 2"):
        explore(draw, stage, dice=dice, a=[1, 2])


def test_dice_need_a_draw_that_throws_them():
    with pytest.raises(TypeError, match=r"does not fit the controls \['a', 'throw'\]"):
        explore(draw, stage, dice=2, a=[1, 2])
    with pytest.raises(ValueError, match="throw is what `dice` gives"):
        explore(lambda lines, throw: "Thrown.", stage, dice=2, throw=[1, 2])


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"play": "z"}, r"play = 'z'.*\['a'\]"),
        ({"play": "b"}, "play = 'b'"),
        ({"drag": ("a", "z")}, "drag = 'z'"),
        ({"drag": "a"}, r"drag = 'a'.*two different"),
        ({"drag": ("a", "a")}, "two different"),
    ],
)
def test_play_and_drag_name_ranges(given, says):
    with pytest.raises(ValueError, match=says):
        explore(draw, stage, a=[1.0, 2.0], b=["one", "two"], **given)


def test_nothing_to_drag_in():
    with pytest.raises(ValueError, match="no axes"):
        explore(lambda text, a: "Text.", lambda fig: fig.text(0, 0, "text"), drag=("a", None), a=[1, 2])


# Draw and stage


@pytest.mark.parametrize("sentence", [None, "", "  ", 3])
def test_draw_returns_a_sentence(sentence):
    with pytest.raises(TypeError, match="sentence that says what is seen"):
        explore(lambda lines, a: sentence, stage, a=[1, 2])


def test_a_misspelt_control_is_told_first():
    with pytest.raises(TypeError, match=r"draw\(lines.*does not fit the controls \['alpha'\]"):
        explore(draw, stage, alpha=[1, 2])


@pytest.mark.parametrize("returned", [None, [], {}, 3, "line"])
def test_a_stage_returns_artists(returned):
    with pytest.raises(TypeError, match="return the artists"):
        explore(draw, lambda fig: returned, a=[1, 2])


def test_a_stage_does_not_return_its_figure():
    with pytest.raises(TypeError, match="returned its figure"):
        explore(draw, lambda fig: fig, a=[1, 2])


def test_a_change_that_would_not_be_seen_is_refused():
    def careless(lines, *, a):
        lines[0].axes.set_title(f"a = {a}")
        return "A title that never moves."

    with pytest.raises(ValueError, match=r"careless changed something that the stage did not return"):
        explore(careless, stage, a=[1, 2])


@pytest.mark.parametrize(
    "pack",
    [
        lambda a, b: (a, [b]),
        lambda a, b: {"a": a, "b": b, "data": np.arange(3)},
        lambda a, b: SimpleNamespace(a=a, b=b, text="data", number=3),
        lambda a, b: np.array([a, b], dtype=object),
        lambda a, b: dataclasses.make_dataclass("Artists", ["a", "b"])(a, b),
        lambda a, b: [a, a, b, None],
    ],
)
def test_a_stage_returns_its_artists_in_any_container(pack):
    def two(fig):
        ax = fig.subplots()
        return pack(*ax.plot([0, 1], [0, 1]), ax.text(0, 0, "text"))

    picture = explore(lambda artists, a: "Fine.", two, a=[1, 2]).definition.picture
    assert len(picture.moving) == 2


def recorded(picture, **values):
    return Frame.of(*picture.frame(values))


def test_a_picture_is_a_background_and_the_moving_artists():
    picture = Picture(draw, stage, {"a": 1.0})
    first, second, again = (recorded(picture, a=a) for a in (0.2, 1.0, 0.2))
    assert picture.size == (792, 396)
    assert second.sentence == "The line rises to 1."
    assert first.names == ("artist[0]",)
    assert np.array_equal(first.numbers, again.numbers)  # nothing of the frame before is left
    assert first.shapes == second.shapes
    moved = (second.numbers - first.numbers) / FINENESS
    axes = picture.fig.axes[0].get_window_extent()
    assert moved[moved != 0] == pytest.approx(
        [-0.8 * axes.height / np.ptp(picture.fig.axes[0].get_ylim())], abs=0.1
    )
    background = picture.background()
    assert set(background.names) == {"background"}
    assert len(background.shapes) > 10  # spines, ticks and their labels


def test_a_moving_axis_label_is_not_in_the_background():
    def labelled(fig):
        return fig.subplots().set_xlabel("mmmmmmmmmmmm")

    def relabel(label, *, a):
        label.set_text(f"label {a}")
        return "The label."

    def bare(fig):
        ax = fig.subplots()
        ax.set_xlabel("label 1", alpha=0)
        return ax.text(0, 0, "")

    moving = Picture(relabel, labelled, {"a": 1}).background()
    without = Picture(lambda lines, a: "None.", bare, {"a": 1}).background()
    invisible = [shape for shape in without.shapes if shape not in moving.shapes]
    assert len(without.shapes) - len(moving.shapes) == len(invisible) == 1  # the label of opacity 0


def test_the_session_style_neither_matters_nor_changes():
    before = Picture(draw, stage, {"a": 1.0}).background().numbers
    with plt.style.context("dark_background"):
        during = Picture(draw, stage, {"a": 1.0}).background().numbers
        assert plt.rcParams["axes.facecolor"] == "black"
    assert np.array_equal(before, during)
    assert plt.get_fignums() == []


def test_the_poster_is_the_whole_picture_for_both_themes():
    light, dim = (
        np.asarray(image).astype(int) for image in Picture(draw, stage, {"a": 1.0}).poster({"a": 1.0})
    )
    assert light.shape == dim.shape == (792, 1584, 4)
    assert (light[..., 3] == 0).mean() > 0.9  # the page shows through
    ink = light[..., 3] == 255
    assert light[ink][:, :3].min() < 60 < 190 < dim[ink][:, :3].max()  # dark ink, and light ink
    blue = [0, 114, 178]
    assert any((image[ink][:, :3] == blue).all(axis=1).any() for image in (light, dim))


def test_dark_inverts_ink_and_keeps_colour():
    row = np.array([[[30, 30, 30, 255], [255, 255, 255, 128], [0, 114, 178, 255]]], dtype=np.uint8)
    turned = np.asarray(dark(Image.fromarray(row)))
    assert turned[0].tolist() == [[225, 225, 225, 255], [0, 0, 0, 128], [0, 114, 178, 255]]


def test_files_are_small_and_look_the_same():
    image, _ = examples.clocks().definition.picture.poster({"eta": 0.05, "step": 2001, "noise": "label"})
    data = encode(image)
    assert len(data) < 40_000
    page = np.array([255, 255, 255])
    seen, wanted = (
        p[..., :3] * (p[..., 3:] / 255) + page * (1 - p[..., 3:] / 255)
        for p in (pixels(data), np.asarray(image).astype(int))
    )
    assert np.abs(seen - wanted).mean() < 1
    shaded = Image.linear_gradient("L").convert("RGBA")
    assert np.abs(pixels(encode(shaded)) - np.asarray(shaded)).mean() < 2  # no bands in smooth shading


def test_two_panels_are_cut_between_them_and_nothing_else_is():
    def cut(*panels, title=""):
        def some(fig):
            axes = fig.subplots(1, len(panels), width_ratios=panels)
            fig.suptitle(title)
            return np.atleast_1d(axes)[-1].plot([0, 1])

        return Picture(lambda lines, a: "Fine.", some, {"a": 1}).split()

    assert cut(1, 1) == pytest.approx(0.5, abs=0.02)
    assert cut(1) is None
    assert cut(1, 1, 1) is None
    assert cut(1, 4) is None
    assert cut(1, 1, title="A title that reaches from the one to the other") is None


# The static front, as files; test_explore_static.py opens it


@pytest.fixture
def static(tmp_path, monkeypatch):
    monkeypatch.setenv("LABNOISE_FRAMES", str(tmp_path / "frames"))
    return tmp_path / "frames"


def html_of(explorer):
    return explorer._repr_mimebundle_()["text/html"]


def spec_of(page):
    return json.loads(re.search(r'<script type="application/json">(.*?)</script>', page)[1])


def test_the_static_front_holds_every_stop(static):
    explorer = examples.pad(y=[-1, 1])
    page = html_of(explorer)
    (folder,) = static.iterdir()
    spec = spec_of(page)
    assert f'data-frames="{folder.name}"' in page
    assert {file.name for file in folder.iterdir()} == {
        "0.js",
        "stage.js",
        "light.webp",
        "dark.webp",
        "report.json",
    }
    x, y = spec["controls"]
    assert set(range(11)) <= set(x["nodes"])
    assert set(range(2)) <= set(y["nodes"])
    header, rows = unpack(folder / "0.js")
    assert len(header["sentences"]) == len(rows) == len(x["nodes"]) * len(y["nodes"])
    picture = explorer.definition.picture
    for number, (here, there) in enumerate(itertools.product(x["nodes"], y["nodes"])):
        control = explorer.controls
        frame, sentence = picture.frame({"x": control[0].at(here), "y": control[1].at(there)})
        assert header["sentences"][number] == sentence
        assert np.abs(rows[number] - frame.numbers).max() <= 0.5 / FINENESS
    assert "Continuous, within 1 pixel of the computed picture: x, y." in page


def test_every_choice_and_throw_has_a_file(static):
    def thrown(lines, *, a, b, throw):
        lines[0].set_ydata([throw, a])
        return f"{b}, throw {throw}."

    page = html_of(explore(thrown, stage, dice=3, a=[0.0, 1.0], b=["x", "y"]))
    (folder,) = static.iterdir()
    sentences = [unpack(folder / f"{number}.js")[0]["sentences"][0] for number in range(6)]
    assert sentences == [f"{b}, throw {throw}." for b in "xy" for throw in range(3)]
    assert "Throw again" in page
    assert spec_of(page)["dice"] == 3
    assert spec_of(page)["code"] is None  # a function made inside another one has no name to copy
    assert spec_of(html_of(examples.throws()))["code"]["throw"] == "throw"


def test_what_is_stepped_is_said_on_the_page_and_why_in_the_report(static):
    def growing(lines, *, a, b):
        lines[0].set_data(np.arange(int(a)), np.arange(int(a)))
        return "It grows."

    page = html_of(explore(growing, stage, a=Control([1.0, 4.0, 7.0], label="length ="), b=[1, 2, 5]))
    assert "Shown is the nearest of 3: length. Shown is the nearest of 3: b." in page
    (folder,) = static.iterdir()
    why = json.loads((folder / "report.json").read_text())["stepped because"]
    assert re.fullmatch(
        r"artist\[0\] has \d points at the one and \d at the other \(a = .* and a = .*\)", why["a"]
    )
    assert why["b"] == "it runs through single values"


def test_a_draw_that_forgets_its_key_is_named(static):
    random = np.random.default_rng(0)

    def careless(lines, *, a):
        lines[0].set_ydata(random.random(2))
        return "A throw."

    with pytest.raises(
        ValueError, match=r"careless gave two different pictures at \{'a': 1\}.*from a fixed key"
    ):
        html_of(explore(careless, stage, a=[1, 2]))


def test_a_draw_that_remembers_where_it_was_is_named(static):
    def remembering(lines, *, a):
        if a == 1:
            lines[0].set_ydata([0, lines[0].get_ydata()[1] + 1])
        return "A memory."

    with pytest.raises(ValueError, match="remembering gave two different pictures"):
        html_of(explore(remembering, stage, a=[1, 2]))


def test_pictures_that_are_too_large_are_refused(static):
    noise = np.random.default_rng(0).random((3, 100_000))

    def heavy(lines, *, a):
        lines[0].set_data(noise[a - 1], noise[a % 3])
        return "Much."

    with pytest.raises(ValueError, match=r"the pictures of heavy take \d+ kB for one choice.*at most 400 kB"):
        html_of(explore(heavy, stage, a=[1, 2, 3]))
    assert list(static.iterdir()) == []


def test_the_same_widget_is_drawn_into_the_same_folder(static):
    pages = {html_of(examples.pad(y=[-1, 1])) for _ in range(2)}
    assert len(pages) == 1
    assert len(list(static.iterdir())) == 1


def test_a_build_that_dies_leaves_nothing_half_made(static):
    def fails(lines, *, a):
        if a == 2:
            raise RuntimeError("too far")
        return "Fine so far."

    with pytest.raises(RuntimeError, match="too far"):
        html_of(explore(fails, stage, a=[1, 2]))
    assert list(static.iterdir()) == []


def test_text_cannot_end_its_element(static):
    page = html_of(explore(lambda lines, a: "</script><b>", stage, a=Control([1, 2], label="<i>a</i>")))
    assert page.count("</script>") == 1
    assert "<b>" not in page
    assert "<i>" not in page
    (folder,) = static.iterdir()
    assert unpack(folder / "0.js")[0]["sentences"][0] == "</script><b>"


def run_code(code, namespace, **chosen):
    """Run the code to copy with the chosen stops, and return the sentence."""
    setting = ", ".join(f"{name}={code['values'][i][stop]}" for i, (name, stop) in enumerate(chosen.items()))
    *setup, last = (code["before"] + setting + code["after"]).splitlines()
    exec("\n".join(setup), namespace)
    sentence = eval(last, namespace)
    plt.close(namespace["fig"])
    return sentence


def test_a_copied_setting_runs_as_it_is_and_brings_its_imports(static):
    code = spec_of(html_of(examples.clocks(eta=[0.01, 0.05], step=[1, 401])))["code"]
    assert code["before"].startswith(
        "import matplotlib.pyplot as plt\nfrom example_widgets import draw_clocks, stage_clocks\n\n"
    )
    assert run_code(code, {}, eta=1, step=1, noise=1).startswith("After 401 steps")


def test_copied_code_imports_what_the_notebook_does_not_define(static, monkeypatch):
    monkeypatch.setattr(examples.draw_pad, "__module__", "__main__")
    code = spec_of(html_of(examples.pad()))["code"]
    assert "from example_widgets import stage_pad\n" in code["before"]
    assert "__main__" not in code["before"]
    assert run_code(code, {"draw_pad": examples.draw_pad}, x=10, y=0) == "The point lies at (1, -2)."


def test_copied_code_has_one_import_a_module_in_order(static, monkeypatch):
    monkeypatch.setattr(examples.draw_pad, "__module__", "a_module")
    lines = spec_of(html_of(examples.pad()))["code"]["before"].splitlines()
    assert lines[:4] == [
        "import matplotlib.pyplot as plt",
        "from a_module import draw_pad",
        "from example_widgets import stage_pad",
        "",
    ]


def test_a_chapter_that_defines_its_functions_imports_none(static, monkeypatch):
    monkeypatch.setattr(examples.draw_whole, "__module__", "__main__")
    lines = spec_of(html_of(examples.whole()))["code"]["before"].splitlines()
    assert lines == [
        "import matplotlib.pyplot as plt",
        "",
        "fig = plt.figure(figsize=(7.2, 3.6))",
        "draw_whole(fig, ",
    ]


@pytest.mark.parametrize("nameless", [lambda lines, a: draw(lines, a=a), partial(draw, b="two")])
def test_a_function_without_a_name_has_no_code_to_copy(static, nameless):
    page = html_of(explore(nameless, stage, a=[1, 2]))
    assert spec_of(page)["code"] is None
    assert "explore-copy" not in page


def test_drag_stops_lie_where_the_axes_show_them(static):
    pad = spec_of(html_of(examples.pad()))["pad"]
    left, right = pad["left"], pad["left"] + pad["width"]
    assert pad["x"]["stops"][:: pad["x"]["finer"]] == pytest.approx(
        np.linspace(left, right, 11), abs=1e-3
    )  # a log axis
    assert pad["y"]["stops"][0] == pytest.approx(pad["top"] + pad["height"], abs=1e-3)  # upside down
    assert pad["y"]["stops"][-1] == pytest.approx(pad["top"], abs=1e-3)


# The live front


def turn(live, name, given):
    """Turn a control to a place, or type a text, as the browser does."""
    which = [control.name for control in live._definition.controls].index(name)
    live.canvas.turned = [which, given, live.canvas.heard + 1]


def test_a_slider_moves_picture_and_sentence():
    live = examples.clocks().live
    control = live._by_name["eta"]
    before, moves = live.canvas.frame, live.canvas.moves
    turn(live, "eta", control.place(0.0777))  # between two stops
    assert "η = 0.0777" in live.sentence
    assert live.canvas.frame != before
    assert live.canvas.moves == moves + 1
    assert "0.0777" in live.canvas.labels


def test_a_typed_value_moves_the_picture_or_is_refused_in_place():
    live = examples.clocks().live
    turn(live, "eta", "0,0123")
    assert live.values["eta"] == 0.0123
    good = live.canvas.frame
    for typed in ("7", "much", "nan", ""):
        turn(live, "eta", typed)
        assert "choose a number from 0.01 to" in live.canvas.problem
        assert live.values["eta"] == 0.0123
        assert live.canvas.frame == good
    turn(live, "step", "17.5")
    assert "whole number" in live.canvas.problem
    turn(live, "step", "17")
    assert (live.values["step"], live.canvas.problem) == (17, "")


@pytest.mark.parametrize(
    ("values", "spacing"),
    [
        ([1e-8, 2e-8, 3e-8], "linear"),
        ([1e-9, 2e-9, 5e-9, 9e-9], "irregular"),
        ([-3e-9, -2e-9, 5e-9], "irregular"),
        ([1e-12, 1e-11, 1e-10], "log"),
        ([-2, 0, 2], "integer"),
    ],
)
def test_tiny_and_negative_numbers_are_spaced_as_they_are(values, spacing):
    assert Control(values, name="x").spacing == spacing


@pytest.mark.parametrize(
    "values",
    [[0.0, 0.5, 1.0], [1, 3, 5], [1e-9, 1e-8, 1e-7], [1, 2, 5, 9], ["a", "b"], [-1.0, 0.0, 1.0]],
    ids=str,
)
def test_every_place_of_a_slider_has_a_value_and_back(values):
    control = Control(values, name="x")
    assert [control.at(i) for i in range(len(values))] == control.values
    assert [control.place(value) for value in control.values] == list(range(len(values)))
    for place in np.linspace(0, len(values) - 1, 23):
        value = control.at(place)
        assert control.at(control.place(value)) == pytest.approx(value, rel=1e-12)
        assert control.accept(value) == value


def test_show_moves_to_exact_values_at_once():
    explorer = examples.clocks()
    moves = explorer.live.canvas.moves
    sentence = explorer.show(eta=0.01234, step=17, noise="none")
    assert sentence == "After 17 steps with η = 0.0123 and none noise, the sharpness is 9.11."
    assert explorer.live.values == {"eta": 0.01234, "step": 17, "noise": "none"}
    assert explorer.live.canvas.moves == moves + 1


def test_turning_one_control_leaves_the_others_exact():
    explorer = examples.pad()
    explorer.show(x=0.123456, y=0.123456)
    turn(explorer.live, "y", explorer.live._by_name["y"].place(0.14))
    assert explorer.live.values == {"x": 0.123456, "y": pytest.approx(0.14)}


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"alpha": 1}, "alpha is no control"),
        ({"eta": 0.5}, "eta = 0.5: choose a number from 0.01 to"),
        ({"eta": "x"}, "choose a number"),
        ({"eta": float("nan")}, "choose a number"),
        ({"step": 1.5}, "whole number"),
        ({"noise": "pink"}, r"choose one of \['label', 'none'\]"),
    ],
)
def test_show_refuses_what_a_control_cannot_show(values, says):
    explorer = examples.clocks()
    with pytest.raises(ValueError, match=says):
        explorer.show(**values)


def test_a_draw_that_raises_says_so_in_place_and_recovers():
    def fragile(lines, *, a):
        if a > 1.5:
            raise ZeroDivisionError("a is too large")
        lines[0].set_ydata([0, a])
        return f"a is {a}."

    explorer = explore(fragile, stage, a=[1.0, 1.5, 2.0])
    canvas = explorer.live.canvas
    good = canvas.frame
    turn(explorer.live, "a", 2)
    assert canvas.problem == "ZeroDivisionError: a is too large (at a = 2.0)"
    assert canvas.frame == good
    with pytest.raises(RuntimeError, match="too large"):
        explorer.show(a=1.9)
    turn(explorer.live, "a", 0)
    assert canvas.problem == ""
    assert explorer.live.sentence == "a is 1.0."


def test_the_pointer_sets_what_lies_under_it():
    explorer = examples.pad()
    picture, live = explorer.definition.picture, explorer.live
    live.canvas.pointer = [picture.across(0.2), picture.down(1.5)]
    assert live.values == pytest.approx({"x": 0.2, "y": 1.5})
    live.canvas.pointer = [2.0, -1.0]  # beyond the picture
    assert live.values == {"x": 1.0, "y": 2.0}


def test_every_throw_is_another_one():
    def thrown(lines, *, a, throw):
        lines[0].set_ydata([throw, a])
        return f"Throw {throw}."

    explorer = explore(thrown, stage, dice=2, a=[1.0, 2.0])
    live = explorer.live
    frames = {bytes(live.canvas.frame)}
    for _ in range(3):  # more than the static book has
        live.canvas.thrown += 1
        frames.add(bytes(live.canvas.frame))
    assert len(frames) == 4
    assert live.sentence == "Throw 3."
    assert explorer.show(throw=1) == "Throw 1."
    with pytest.raises(ValueError, match="throw = -1: choose a whole number"):
        explorer.show(throw=-1)


def test_a_live_move_is_small():
    live = examples.clocks().live
    turn(live, "step", "2001")
    assert len(live.canvas.frame) < 5_000


def test_every_kind_of_slider_can_be_made():
    explorer = explore(draw, stage, a=[1, 2, 5], b=["one", "two"])
    assert explorer.live.canvas.controls.count("<option") == 2
    turn(explorer.live, "a", 1.4)
    assert explorer.live.values["a"] == 2
    assert explorer.show(a=5, b="two") == "The line rises to 5."
    with pytest.raises(ValueError, match=r"a = 3 is not among"):
        explorer.show(a=3)
    whole = examples.whole()
    assert len(whole.live.canvas.stage) < 200  # nothing: all of it moves
    assert whole.show(n=2).startswith("There are 2 bars")


def test_with_a_kernel_it_shows_itself_as_a_widget(monkeypatch):
    monkeypatch.delenv("LABNOISE_FRAMES", raising=False)
    bundle = examples.pad()._repr_mimebundle_()
    bundle = bundle[0] if isinstance(bundle, tuple) else bundle
    assert "application/vnd.jupyter.widget-view+json" in bundle


def test_figures_in_a_notebook_heed_its_theme(monkeypatch):
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])  # the shell puts its own there
    InteractiveShell.instance()
    try:
        for frames in ("anywhere", None):
            with matplotlib.rc_context(), monkeypatch.context() as setting, capture_output() as shown:
                if frames:
                    setting.setenv("LABNOISE_FRAMES", frames)
                figure_style()
            styles = [output.data["text/html"] for output in shown.outputs]
            assert len(styles) == (0 if frames else 1)
        assert '[data-jp-theme-light="false"] .jp-RenderedImage img' in styles[0]
    finally:
        InteractiveShell.clear_instance()
