"""Recorded pictures: every kind of artist, as numbers."""

import matplotlib.patches
import matplotlib.patheffects
import numpy as np
import pytest
from matplotlib.backend_bases import RendererBase
from matplotlib.figure import Figure

from labnoise.teaching.widgets.recording import Recorder, record

DPI = 100


@pytest.fixture
def axes():
    """Axes that fill a page of 400 by 200 pixels, x from 0 to 4 and y from 0 to 2: a hundred pixels a unit."""
    fig = Figure(figsize=(4, 2), dpi=DPI)
    ax = fig.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, 4), ylim=(0, 2))
    return ax


def recorded(*artists):
    return record([(f"artist {i}", artist) for i, artist in enumerate(artists)], 400, 200, DPI)


STYLE, CLIP = 9, 4


def vertices(listed, skip=STYLE + CLIP):
    return listed.numbers[skip:].reshape(-1, 2)


def test_a_line_is_its_vertices_in_pixels_from_the_top_left(axes):
    listed = recorded(*axes.plot([1, 2, 3], [0.5, 1, 2], color="#ff0000", lw=3.6))
    (shape,) = listed.shapes
    assert (shape["kind"], shape["codes"], shape["clip"], shape["cut"]) == ("path", [1, 1, 2, 2], True, None)
    assert vertices(listed) == pytest.approx(np.array([[100, 150], [200, 100], [300, 0]]))
    width, *colours = listed.numbers[:STYLE]
    assert width == pytest.approx(5)
    assert colours == pytest.approx([64, 0, 0, 64, 0, 0, 0, 0])  # a line and no face
    assert listed.numbers[STYLE : STYLE + CLIP] == pytest.approx([0, 0, 400, 200])


def test_marks_are_one_mark_and_its_places(axes):
    listed = recorded(*axes.plot([1, 2], [1, 1], "s", ms=7.2, mew=0, alpha=0.5))
    (shape,) = listed.shapes
    assert (shape["kind"], shape["count"]) == ("marks", 2)
    mark, places = np.split(vertices(listed), [-2])
    assert places == pytest.approx(np.array([[100, 100], [200, 100]]))
    assert np.ptp(mark, axis=0) == pytest.approx([10, 10])
    assert listed.numbers[8] == pytest.approx(32)


def test_a_scatter_of_equal_marks_is_one_operation_and_of_unequal_ones_several(axes):
    x = np.arange(1, 4)
    equal = recorded(axes.scatter(x, x / 2, s=20, color="g"))
    unequal = recorded(axes.scatter(x, x / 2, s=[10, 20, 30], color="g"))
    assert [shape["kind"] for shape in equal.shapes] == ["marks"]
    assert [shape["kind"] for shape in unequal.shapes] == ["path"] * 3
    assert vertices(equal)[-3:] == pytest.approx(np.stack([100 * x, 200 - 50 * x], axis=-1))


def test_dashes_caps_and_joins_are_in_pixels_and_in_the_canvas_words(axes):
    (line,) = axes.plot(
        [0, 1], [0, 1], ls=(0, (4, 2)), lw=2, dash_capstyle="projecting", dash_joinstyle="bevel"
    )
    (shape,) = recorded(line).shapes
    assert shape["dashes"] == pytest.approx([8 * DPI / 72, 4 * DPI / 72], abs=0.01)
    assert (shape["cap"], shape["join"]) == ("square", "bevel")


def test_gaps_break_a_line(axes):
    listed = recorded(*axes.plot([0, 1, 2, 3, 4], [0, 1, np.nan, 1, 0]))
    assert listed.shapes[0]["codes"] == [1, 1, 2, 1, 1, 1, 2, 1]
    assert len(vertices(listed)) == 4


def test_curves_and_closures_are_kept(axes):
    circle = axes.add_patch(matplotlib.patches.Circle((1, 1), 0.5))
    codes = recorded(circle).shapes[0]["codes"]
    assert codes[::2] == [1, 4, 79]
    assert codes[3] % 3 == 0


def test_text_is_drawn_as_curves(axes):
    listed = recorded(axes.text(1, 1, "Γ"))
    assert listed.shapes[0]["kind"] == "path"
    assert np.abs(vertices(listed, STYLE) - [100, 100]).max() < 20
    more = recorded(axes.text(1, 1, "ΓΓ"))
    assert more.shapes != listed.shapes


def test_an_image_is_kept_once_with_its_place(axes):
    pixels = np.zeros((2, 4))
    grey = recorded(axes.imshow(pixels, extent=(1, 3, 0.5, 1.5), cmap="Greys", vmin=-1, vmax=1))
    coloured = recorded(axes.imshow(pixels, extent=(1, 3, 0.5, 1.5), cmap="viridis", vmin=-1, vmax=1))
    assert grey.shapes[0]["kind"] == "image"
    axes.set(xlim=(0, 4), ylim=(0, 2))
    box = grey.numbers[STYLE + CLIP :]
    assert box[2] / box[3] == pytest.approx(2, rel=0.05)
    assert list(grey.images) == [grey.shapes[0]["image"]]
    assert (grey.shapes[0]["grey"], coloured.shapes[0]["grey"]) == (True, False)


def test_a_clip_that_is_a_path_is_kept(axes):
    (line,) = axes.plot([0, 4], [0, 2])
    circle = matplotlib.patches.Circle((1, 1), 0.5, transform=axes.transData)
    line.set_clip_path(circle)
    (shape,) = recorded(line).shapes
    assert shape["cut"][::2] == [1, 4, 79]
    assert shape["clip"]  # by the axes as well


def test_hatches_gouraud_shading_and_path_effects_are_drawn(axes):
    bar = axes.bar([1], [1], hatch="/", facecolor="w", edgecolor="k")[0]
    assert [shape["kind"] for shape in recorded(bar).shapes] == ["path", "path"]
    shaded = axes.tripcolor([0, 1, 0], [0, 0, 1], [0, 1, 2], shading="gouraud")
    assert [shape["kind"] for shape in recorded(shaded).shapes] == ["image"]
    text = axes.text(1, 1, "a", path_effects=[matplotlib.patheffects.withStroke(linewidth=3, foreground="y")])
    assert len(recorded(text).shapes) == 2


def test_what_is_invisible_is_not_drawn_and_what_is_far_is_still_a_number(axes):
    (gone,) = axes.plot([0, 1], [0, 1], visible=False)
    (nothing,) = axes.plot([], [])
    (far,) = axes.plot([0, 1e30], [0, 1])
    assert recorded(gone, nothing).shapes == []
    assert np.isfinite(recorded(far).numbers).all()
    assert np.abs(recorded(far).numbers * 16).max() < 2**31


@pytest.mark.parametrize(
    "look", [{}, {"alpha": 0.4}, {"edgecolors": "face", "lw": 0.5}, {"edgecolors": "face", "alpha": 0.4}]
)
def test_a_mesh_at_once_is_what_it_is_cell_by_cell(axes, monkeypatch, look):
    x, y = np.meshgrid([0.0, 1.0, 2.5, 4.0], [0.0, 0.7, 2.0])
    mesh = axes.pcolormesh(x + 0.1 * y, y, np.arange(6.0).reshape(2, 3), **look)
    calls = []
    monkeypatch.setattr(
        Recorder, "draw_path", lambda *given, draw=Recorder.draw_path: calls.append(draw(*given))
    )
    at_once = recorded(mesh)
    assert not calls
    monkeypatch.setattr(Recorder, "draw_quad_mesh", RendererBase.draw_quad_mesh)
    one_by_one = recorded(mesh)
    assert len(calls) == 6
    assert (at_once.shapes, at_once.names) == (one_by_one.shapes, one_by_one.names)
    np.testing.assert_allclose(at_once.numbers, one_by_one.numbers, atol=1e-9)
