"""The chapters' sources: how much code is hidden, and how much of it at once."""

import re
from pathlib import Path

import pytest
from bookbuild import contents, myst

ROOT = Path(__file__).parents[1]
PAGES = [*contents.chapters(ROOT), ROOT / "book" / "index.md"]
WORD = re.compile(r"[A-Za-z][A-Za-z'-]+")


def code_lines(cell: myst.Directive) -> int:
    return sum(bool(line.strip()) for line in cell.body.splitlines())


def split(page):
    """The words of a page's prose outside all blocks, its visible and its hidden cells; claims are neither."""
    found = myst.read(page)
    cells = [block for block in found if block.kind == "code-cell" and "claim(" not in block.body]
    hidden = [
        cell for cell in cells if re.search(r"(hide|remove)-(input|cell)", str(cell.options.get("tags")))
    ]
    prose = re.sub(r"^(`{3,}|:{3,})\{.*?^\1\s*$", "", page.read_text(encoding="utf8"), flags=re.M | re.S)
    return len(WORD.findall(prose)), [cell for cell in cells if cell not in hidden], hidden


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_code_of_a_page_is_short(page):
    words, visible, hidden = split(page)
    assert sum(map(code_lines, hidden)) <= words / 30, (
        f"{sum(map(code_lines, hidden))} lines are hidden beside {words} words of prose, "
        "one for 30 words is allowed: move drawings to the figures module"
    )
    assert max(map(code_lines, hidden)) <= 40
    assert max(map(code_lines, visible), default=0) <= 15


def test_hidden_code_is_counted():
    """The counts of one chapter by hand: there is hidden code, and less of it than of words by far."""
    words, visible, hidden = split(PAGES[0])
    assert words > 2000
    assert len(visible) > len(hidden) > 5
    assert sum(map(code_lines, hidden)) > 50
