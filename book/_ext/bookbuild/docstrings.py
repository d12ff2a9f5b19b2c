"""The package's docstrings, written to be read in a terminal, as reStructuredText.

`like this` is code, and so are one to three words in quotation marks; an indented block before the first section is
a display that keeps its lines; no other character means anything. Napoleon then reads the sections, in NumPy's style.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sphinx.application import Sphinx

_RULE = re.compile(r"^\s*-{3,}\s*$")
_CODE = re.compile(r"""(`[^`]+`|\w+="\w+"|(?<![\w=])"\w+(?: \w+){0,2}")""")
_SHAPE = re.compile(r"^(.*\*\*[^*]+\*\*) \(\*(\(.*?)\*\)( --.*)?$")
_SPECIAL = re.compile(r"[*|\\]|(?<=\w)_(?!\w)")


def to_rest(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Rewrite one docstring in place."""
    lines[:] = list(_rewritten(lines))


def without_double_brackets(
    app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]
) -> None:
    """After Napoleon: a parameter of shape (D,) is not shown as ((D,))."""
    lines[:] = [_SHAPE.sub(r"\1 *\2*\3", line) for line in lines]


def _rewritten(lines: list[str]) -> Iterator[str]:
    rules = [i for i, line in enumerate(lines) if _RULE.match(line)]
    end_of_text = rules[0] - 1 if rules else len(lines)
    display = example = False
    for i, line in enumerate(lines):
        indented, blank = line.startswith("    "), not line.strip()
        if i < end_of_text and indented and not display and (i == 0 or not lines[i - 1].strip()):
            display = True
            yield from ("::", "")
        elif display and not blank and (not indented or i >= end_of_text):
            display = False
        example = not blank and (example or line.lstrip().startswith(">>>"))
        yield line if display or example or i in rules else _escaped(line)


def _escaped(line: str) -> str:
    parts = _CODE.split(line)
    return "".join(
        f"``{part.strip('`')}``" if i % 2 else _SPECIAL.sub(r"\\\g<0>", part) for i, part in enumerate(parts)
    )
