"""Each numbered statement of the book has a test that guards it, the page names that test, and the ledger lists it."""

import json
import re
from pathlib import Path

import pytest
from bookbuild import contents, ledger

ROOT = Path(__file__).parents[1]
CHAPTERS = contents.chapters(ROOT)
GUARD = re.compile(r"\{prf:ref\}`([^`]+)` (?:is guarded )?by `(test_\w+)`")


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_the_page_says_by_which_test_each_statement_is_guarded(chapter):
    labels = [label for label, kind in ledger.numbered(chapter).items() if kind in ledger.PROVED]
    assert labels, "a chapter without a numbered statement"
    named = dict(GUARD.findall(chapter.read_text(encoding="utf8")))
    known = {name: {test.split("::")[1] for test in tests} for name, tests in ledger.guards(ROOT).items()}
    for label in labels:
        assert label in named, f"the text does not say which test guards {label}"
    for label, test in named.items():
        assert test in known.get(label, ()), f"{test}, which the text names for {label}, does not guard it"


def test_no_statement_is_without_a_test_and_no_test_without_a_statement():
    assert not ledger.gaps(ROOT)


def test_gaps_are_found(tmp_path):
    """Both kinds, in a book of one chapter."""
    (tmp_path / "book").mkdir()
    (tmp_path / "tests").mkdir()
    (tmp_path / "_toc.yml").write_text(
        "root: book/index\nparts: [{numbered: true, chapters: [{file: book/01-chapter}]}]\n"
    )
    block = "```{prf:lemma} Name\n:label: lem-there\n```\n"
    (tmp_path / "book" / "01-chapter.md").write_text(block)
    assert len(ledger.gaps(tmp_path)) == 1
    test = "import pytest\n\n\n@pytest.mark.statement({name!r}, asked=1)\ndef test_it(): ...\n"
    (tmp_path / "tests" / "test_it.py").write_text(test.format(name="lem-there"))
    assert not ledger.gaps(tmp_path)
    (tmp_path / "tests" / "test_gone.py").write_text(test.format(name="lem-gone"))
    assert ledger.gaps(tmp_path) == [
        "tests/test_gone.py::test_it names the statement lem-gone, which no chapter has"
    ]


def test_the_ledger_holds_these_tests_and_no_others():
    records = json.loads((ROOT / ledger.RECORDS).read_text(encoding="utf8"))["records"]
    kept = {(record["statement"], record["test"]) for record in records}
    marked = {(name, test) for name, tests in ledger.guards(ROOT).items() for test in tests}
    assert kept == marked, "run `make ledger`"
    assert all(0 <= record["measured"] <= record["asked"] for record in records)


@pytest.mark.parametrize("directive", ["ledger", "solutions", "settings"])
def test_pages_at_the_back_go_through_all_chapters(directive):
    """Without an argument a directive makes a section for each chapter; see also test_builds.py."""
    page = {"settings": "reproducibility"}.get(directive, directive)
    assert f"\n```{{{directive}}}\n```\n" in (ROOT / "book" / f"{page}.md").read_text(encoding="utf8")


def test_the_front_page_lists_all_chapters_in_their_order():
    page = (ROOT / "book" / "index.md").read_text(encoding="utf8")
    assert re.findall(r"^\d+\. \{doc\}`[^`]*<(.*)>`", page, re.M) == [chapter.stem for chapter in CHAPTERS]
    assert re.findall(r"\{progress\} (\S+)", page) == [chapter.stem for chapter in CHAPTERS]
