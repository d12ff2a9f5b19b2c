"""Where a widget's pictures are computed: continuous ranges are right between the nodes, others are named."""

import numpy as np
import pytest

from labnoise.teaching.widgets.grid import Grid, difference, mixed, refine, stencil
from labnoise.teaching.widgets.packing import FINENESS, Frame
from labnoise.teaching.widgets.recording import DisplayList
from labnoise.widgets import Control

SIZE = (800, 400)


def frame_of(numbers, count=None):
    """A line that is drawn through some numbers of pixels."""
    count = count or len(numbers)
    shape = {"kind": "path", "codes": [1, 1, 2, count - 1]}
    return Frame.of(DisplayList([shape], ["curve"], np.asarray(numbers, dtype=float), {}), "Words.")


def search(curve, *controls, combinations=((0, 0),)):
    """The grid of pictures whose numbers are curve(values, combination), and a memory of what was drawn."""
    drawn = {}

    def frame(places, combination):
        if (places, combination) not in drawn:
            values = [control.at(place) for control, place in zip(controls, places, strict=True)]
            drawn[places, combination] = curve(*values)
        return drawn[places, combination]

    return refine(frame, list(controls), list(combinations), SIZE), frame


def worst(grid, frame, count=200):
    """The largest error at random settings, none of them a node, in pixels."""
    random = np.random.default_rng(1)
    errors = []
    for _ in range(count):
        places = tuple(
            random.uniform(0, nodes[-1]) if why is None else float(random.choice(nodes))
            for nodes, why in zip(grid.nodes, grid.why_stepped, strict=True)
        )
        between = mixed([(frame(node, (0, 0)), weight) for node, weight in grid.around(places)])
        errors.append(np.abs(between - frame(places, (0, 0)).numbers).max() / FINENESS)
    return max(errors)


def test_the_weights_are_those_of_the_cubic_through_four_nodes():
    nodes = [0.0, 1.0, 1.5, 3.0, 4.0, 7.0]
    for power in range(4):
        for place in np.linspace(0, 7, 29):
            weights = stencil(nodes, place)
            assert sum(weight * node**power for node, weight in weights) == pytest.approx(
                place**power, abs=1e-9
            )
    assert stencil(nodes, 1.5) == [(1.5, 1.0)]
    assert [node for node, _ in stencil(nodes, 0.5)] == [0, 1, 1.5, 3]
    assert [node for node, _ in stencil([0.0, 2.0], 1.0)] == [0, 2]


def test_a_smooth_range_needs_few_nodes_and_is_right_between_them():
    grid, frame = search(lambda a: frame_of([400 * a**2, 100 * a]), Control(np.linspace(0, 1, 4), name="a"))
    assert grid.why_stepped == [None]
    assert len(grid.nodes[0]) == 4
    assert worst(grid, frame) < 0.1


def test_nodes_are_added_where_it_bends():
    def curve(a, b):
        return frame_of([400 + 300 * np.tanh(20 * (a - 0.2)), 50 * b + 200 * a * b])

    grid, frame = search(
        curve, Control(np.linspace(0, 1, 5), name="a"), Control(np.geomspace(0.1, 1, 4), name="b")
    )
    assert grid.why_stepped == [None, None]
    assert worst(grid, frame) <= 1
    beyond = np.array(grid.nodes[0]) / 4
    assert np.sum(np.abs(beyond - 0.2) < 0.2) > 2 * np.sum(beyond > 0.6)
    assert set(range(5)) <= set(grid.nodes[0])
    assert set(range(4)) <= set(grid.nodes[1])


def test_a_kink_is_approached_and_a_jump_is_stepped():
    kink, frame = search(lambda a: frame_of([100 * abs(a - 0.3), 0]), Control(np.linspace(0, 1, 5), name="a"))
    assert kink.why_stepped == [None]
    assert worst(kink, frame) <= 1
    jump, _ = search(lambda a: frame_of([100 * (a > 0.3), 0]), Control(np.linspace(0, 1, 5), name="a"))
    assert "a = 0." in jump.why_stepped[0]
    assert "too fast near" in jump.why_stepped[0]
    assert jump.nodes == [[0, 1, 2, 3, 4]]


def test_only_the_range_that_changes_the_shapes_is_stepped():
    def curve(a, b):
        return frame_of([100 * a] * int(2 + 3 * b))

    grid, _ = search(curve, Control([0.0, 1.0, 2.0], name="a"), Control([0.0, 1.0, 2.0], name="b"))
    assert grid.why_stepped[0] is None
    assert "curve has" in grid.why_stepped[1]
    assert "points at the one and" in grid.why_stepped[1]
    assert "b = " in grid.why_stepped[1]


def test_shapes_that_change_with_two_ranges_together_step_both():
    def curve(a, b):
        inside = 0.4 < a < 0.6 and 0.4 < b < 0.6  # no node and no middle of an interval lies there
        return frame_of([100 * a, 100 * b] + [0] * inside)

    controls = [Control(np.array([0.0, 1 / 3, 2 / 3, 1.0]) + 0.03, name=name) for name in "ab"]
    grid, _ = search(curve, *controls)
    assert all(grid.why_stepped)


def test_every_choice_and_throw_is_tried():
    drawn = set()

    def frame(places, combination):
        drawn.add(combination)
        return frame_of([100 * places[0] ** 2 * (1 + combination[0]), 0])

    refine(frame, [Control([0.0, 1.0, 2.0], name="a")], [(i, j) for i in range(2) for j in range(3)], SIZE)
    assert len(drawn) == 6


def test_single_values_and_neighbouring_whole_numbers_are_stepped():
    irregular, _ = search(lambda a: frame_of([a, 0]), Control([1, 2, 5], name="a"))
    counts, _ = search(lambda a: frame_of([a, 0]), Control([1, 2, 3], name="a"))
    assert irregular.why_stepped == counts.why_stepped == ["it runs through single values"]


def test_whole_numbers_with_gaps_move_from_one_to_the_next():
    seen = set()

    def curve(steps):
        seen.add(steps)
        return frame_of([0.3 * steps, 0])

    grid, _ = search(curve, Control([0, 100, 200], name="steps"))
    assert grid.why_stepped == [None]
    assert all(isinstance(steps, int) for steps in seen)


def test_what_lies_far_outside_the_picture_does_not_matter():
    def away(a):
        return frame_of([5e4 + 1e3 * np.sin(40 * a), 100 * a])

    assert search(away, Control(np.linspace(0, 1, 4), name="a"))[0].nodes == [[0, 1, 2, 3]]


def test_the_last_range_is_the_fastest():
    grid = Grid([[0.0, 1.0], [0.0, 0.5, 1.0]], [None, None])
    assert list(grid.places())[:4] == [(0, 0), (0, 0.5), (0, 1), (1, 0)]


@pytest.mark.parametrize(
    ("one", "other", "says"),
    [
        (
            [("a", {"codes": [1, 2]})],
            [("a", {"codes": [1, 3]})],
            "a has 2 points at the one and 3 at the other",
        ),
        ([("a", {"codes": [1, 1]})], [], "a is drawn by 1 strokes at the one and by 0 at the other"),
        ([("a", {"count": 4})], [("a", {"count": 5})], "a has 4 marks at the one and 5 at the other"),
        ([("a", {"image": "x"})], [("a", {"image": "y"})], "a is an image, and another one at the other"),
        ([("a", {"cap": "butt"})], [("a", {"cap": "butt", "dashes": [1, 2]})], "a changes its dashes"),
        ([("b", {}), ("a", {"cap": "butt"})], [("b", {}), ("a", {"cap": "round"})], "a changes its cap"),
    ],
)
def test_what_differs_is_named(one, other, says):
    frames = [
        Frame.of(DisplayList([shape for _, shape in listed], [name for name, _ in listed]), "Words.")
        for listed in (one, other)
    ]
    assert difference(*frames) == says
