"""Questions that mark themselves with no kernel and no JavaScript: radio buttons and a style sheet."""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

_STYLE = """<style>
.quiz { margin: 1rem 0; padding: .6rem 1rem; border: 1px solid #8888; border-radius: .3rem; }
.quiz legend { float: left; width: 100%; margin: 0 0 .4rem; padding: 0; font: inherit; font-weight: 600; }
.quiz div { clear: both; display: grid; grid-template-columns: auto 1fr; align-items: baseline; column-gap: .5rem; \
padding: .2rem 0; }
.quiz label { margin: 0; padding: .35rem 0; cursor: pointer; }
.quiz p { display: none; grid-column: 1 / -1; margin: .2rem 0 .4rem 1.6rem; padding-left: .6rem; }
.quiz .wrong p { border-left: .3rem solid #d55e00; }
.quiz .right p { border-left: .3rem solid #009e73; }
.quiz input:checked ~ p { display: block; }
</style>"""


class Quiz:
    """A question with its options, made by `quiz`; the last expression of a cell shows it.

    Attributes
    ----------
    question : str
    options : pairs (value, feedback)
    right : int
        The index of the right option.
    """

    def __init__(self, question: str, options: Sequence[tuple[Any, str]], right: int) -> None:
        self.question = question
        self.options = options
        self.right = right

    def __repr__(self) -> str:
        return f"{self.question} {' / '.join(str(value) for value, _ in self.options)}"

    def _repr_html_(self) -> str:
        # The name makes one choice of the buttons; it must be the same in every build.
        content = repr((self.question, [(str(value), text) for value, text in self.options]))
        name = "quiz-" + hashlib.sha256(content.encode()).hexdigest()[:8]
        rows = []
        for i, (value, feedback) in enumerate(self.options):
            kind, opening = ("right", "Right:") if i == self.right else ("wrong", "Not quite:")
            # data-lm-... keeps keys from JupyterLab, which would move to another cell, or cut this one.
            rows.append(
                f'<div class="{kind}"><input type="radio" name="{name}" id="{name}-{i}" autocomplete="off" '
                f"data-lm-suppress-shortcuts> "
                f'<label for="{name}-{i}">{_typeset(value)}</label>'
                f"<p><strong>{opening}</strong> {_typeset(feedback)}</p></div>"
            )
        return (
            f'{_STYLE}\n<fieldset class="quiz">'
            f"<legend>{_typeset(self.question)}</legend>\n{chr(10).join(rows)}\n</fieldset>"
        )


def quiz(question: str, options: Sequence[tuple[Any, str]], answer: Any) -> Quiz:
    """A question whose right option is found by computing it.

    Parameters
    ----------
    question : str
        Dollar signs enclose mathematics, here and in the options.
    options : pairs (value, feedback)
        At least two. The feedback appears when the option is chosen.
    answer : number, array or str
        The option whose value equals it, numbers within rounding, is the right one.

    Returns
    -------
    Quiz

    Raises
    ------
    ValueError
        If the answer is none of the options or more than one, or if there are fewer than two.

    Examples
    --------
    >>> from labnoise import quiz
    >>> eta = 0.1
    >>> asked = quiz(
    ...     "By which factor does doubling η shorten the slow clock?",
    ...     [(2, "that is the fast clock"), (4, "time is η²·steps")],
    ...     answer=(2 * eta) ** 2 / eta**2,
    ... )
    >>> asked.right
    1
    """
    values = [value for value, _ in options]
    if len(values) < 2:
        raise ValueError(f"options = {values}: give at least two (value, feedback) pairs")
    matching = [i for i, value in enumerate(values) if _equal(value, answer)]
    if len(matching) != 1:
        raise ValueError(
            f"answer = {answer!r} is {'several' if matching else 'none'} of the options {values}: "
            "it must be exactly one"
        )
    return Quiz(question, options, matching[0])


def _equal(value: Any, answer: Any) -> bool:
    if isinstance(value, str) or isinstance(answer, str):
        return isinstance(value, str) and isinstance(answer, str) and value == answer
    return bool(np.shape(value) == np.shape(answer) and np.all(np.isclose(value, answer)))


def _typeset(text: Any) -> str:
    """HTML in which `$...$` is mathematics, in the book and in JupyterLab."""
    parts = re.split(r"\$([^$]+)\$", str(text))
    return "".join(
        f'<span class="math notranslate nohighlight">\\({html.escape(part)}\\)</span>'
        if i % 2
        else html.escape(part)
        for i, part in enumerate(parts)
    )
