"""Every exercise of the book: its solution, its stub, its usual mistakes, and the cell that the reader sees."""

import re
from importlib import import_module
from pathlib import Path

import pytest
from bookbuild import contents

from labnoise.teaching import find_exercise
from labnoise.teaching.stubs import drifted_stubs, rehearse

ROOT = Path(__file__).parents[1]
CHAPTERS = contents.chapters(ROOT)
pytestmark = pytest.mark.usefixtures("one_seed")
TAG = re.compile(r"\bexercise-(\d+\.\d+)")
FOUND = [(chapter, exercise_id) for chapter in CHAPTERS for exercise_id in TAG.findall(chapter.read_text())]


def load(chapter):
    import_module(f"afterzero.ch{chapter.name[:2]}")


@pytest.mark.parametrize(("chapter", "exercise_id"), FOUND, ids=[exercise_id for _, exercise_id in FOUND])
def test_solution_stub_and_mistakes_are_marked_as_they_should(chapter, exercise_id):
    load(chapter)
    assert rehearse(find_exercise(exercise_id)) == []


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_stubs_are_what_the_solutions_give(chapter):
    load(chapter)
    assert drifted_stubs(chapter.read_text()) == [], "run `make exercises`"


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_has_the_exercises_that_it_should(chapter):
    """At least four, two of them marked, one for the pen with its full solution; and three questions."""
    text = chapter.read_text()
    statements = re.findall(r"^`{3,}\{exercise\} (.).*\n:label: (\S+)", text, re.M)
    keyboard = [label for mark, label in statements if mark == "⌨"]
    pen = [label for mark, label in statements if mark == "✍"]
    labels = [label for _, label in statements]
    number = int(chapter.name[:2])
    assert all(re.fullmatch(rf"ex-{number}-[1-9]\d*", label) for label in labels)
    assert len(set(labels)) == len(labels)
    assert len(keyboard) + len(pen) == len(statements) >= 4
    assert len(keyboard) >= 2
    assert {f"ex-{tag.replace('.', '-')}" for tag in TAG.findall(text)} == set(keyboard)
    assert len(pen) >= 1
    for label in pen:
        assert re.search(rf"^`{{3,}}\{{solution\}} {label}\n:class: dropdown", text, re.M), (
            f"{label} is unsolved"
        )
    assert len(re.findall(r"^questions\.\w+\(", text, re.M)) >= 3
