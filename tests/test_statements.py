"""Each numbered statement of the book has a test that guards it, and the page names that test."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CHAPTERS = sorted((ROOT / "book").glob("[0-9][0-9]-*.md"))
STATEMENT = re.compile(r"^`{3,}\{prf:(?:theorem|lemma|proposition|corollary)\}.*?^:label: (\S+)", re.M | re.S)
GUARD = re.compile(r"\{prf:ref\}`([^`]+)` (?:is guarded )?by `(test_\w+)`")


def guards() -> dict[str, set[str]]:
    """For each label in a `statement` marker, the tests that carry it."""
    found: dict[str, set[str]] = {}
    for path in (ROOT / "tests").rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf8"))):
            for mark in getattr(node, "decorator_list", []):
                if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.statement":
                    found.setdefault(ast.literal_eval(mark.args[0]), set()).add(node.name)
    return found


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_every_numbered_statement_is_guarded_and_says_by_what(chapter):
    text = chapter.read_text(encoding="utf8")
    labels = STATEMENT.findall(text)
    assert labels, "a chapter without a numbered statement"
    named = dict(GUARD.findall(text))
    known = guards()
    for label in labels:
        assert label in known, f"no test is marked @pytest.mark.statement({label!r}, ...)"
        assert label in named, f"the text does not say which test guards {label}"
    for label, test in named.items():
        assert test in known.get(label, set()), f"{test}, which the text names for {label}, does not guard it"
