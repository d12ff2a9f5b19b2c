"""Quizzes: the right option is computed, and the page needs no script."""

import numpy as np
import pytest

from labnoise import quiz

OPTIONS = [(2, "that is $\\eta$"), (4.0, "the slow clock runs in $\\eta^2 k$"), ("neither", "it does")]


def test_the_right_option_is_computed():
    shown = quiz("How much?", OPTIONS, answer=(2 * 0.1) ** 2 / 0.1**2)._repr_html_()
    assert shown.count('class="right"') == 1
    assert shown.index('class="right"') < shown.index(">4.0<") < shown.index("slow clock")
    assert quiz("Which?", OPTIONS, answer="neither").right == 2


def test_vectors_are_options_too():
    assert quiz("Where?", [([1, 0], "no"), ([0, 1], "yes")], answer=np.array([0.0, 1.0])).right == 1


@pytest.mark.parametrize(
    ("options", "answer", "says"),
    [
        (OPTIONS, 5, "none of the options"),
        ([(1, "a"), (1.0, "b")], 1, "several of the options"),
        ([(1, "a")], 1, "at least two"),
    ],
)
def test_a_quiz_has_exactly_one_right_option(options, answer, says):
    with pytest.raises(ValueError, match=says):
        quiz("?", options, answer)


def test_mathematics_is_marked_and_the_rest_escaped():
    shown = quiz("Is $a<b$ & so on?", OPTIONS, 4)._repr_html_()
    assert '<span class="math notranslate nohighlight">\\(a&lt;b\\)</span> &amp; so on?' in shown


def test_the_page_is_the_same_in_every_build():
    assert quiz("?", OPTIONS, 4)._repr_html_() == quiz("?", OPTIONS, 4)._repr_html_()
    assert "script" not in quiz("?", OPTIONS, 4)._repr_html_()
