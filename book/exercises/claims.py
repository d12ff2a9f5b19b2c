"""What the chapters say of their experiments, as assertions that fresh dice try again.

A claim is a function that returns its margin, by how much what is said holds: positive where it is so. In a build a
claim that does not hold stops the page. `make reroll` runs the chapters under other dice (`afterzero.dice`) and keeps,
for every claim, how often it held and by how much; and each claim is run once more with a change under which it must
fail, so that none is true whatever happens.
"""

import inspect
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from afterzero import dice


def claim(name: str, says: str, margin: Callable[..., float], fails: dict[str, Any]) -> None:
    """Assert what a paragraph says of an experiment.

    Parameters
    ----------
    name : str
        The chapter and a few words, such as "1 distance falls like √η".
    says : str
        The sentence, with its numbers.
    margin : function of keywords with defaults
        Positive where the sentence is true: an allowed error less the error, a number less its bound.
    fails : dict
        Other values for some of these keywords, with which the sentence must be false.

    Raises
    ------
    AssertionError
        If the claim is false, or true with the change as well. Under `make reroll` it is recorded instead.

    Examples
    --------
    >>> from afterzero.claims import claim
    >>> coarse, fine = 0.131, 0.0925
    >>> claim(
    ...     "example: the distance falls like √η", "the ratio is √2 within 5 %",
    ...     lambda power=0.5: 0.05 - abs(coarse / fine / 2**power - 1),
    ...     fails={"power": 1.0},
    ... )
    """
    unknown = set(fails) - set(inspect.signature(margin).parameters)
    if unknown or not fails:
        raise ValueError(f"{name}: fails = {fails}: name at least one keyword of the margin, and only such")
    holds, broken = float(margin()), float(margin(**fails))
    record = os.environ.get("AFTERZERO_CLAIMS")
    if record:
        entry = {"claim": name, "says": says, "shift": dice.shift(), "margin": holds, "broken": broken}
        with Path(record).open("a", encoding="utf8") as file:
            file.write(json.dumps(entry, ensure_ascii=False) + "\n")
        return
    if not holds > 0:
        raise AssertionError(f"“{name}” is false: {says} (margin {holds:.3g})")
    if not broken < 0:
        raise AssertionError(
            f"“{name}” cannot fail: with {fails} its margin is {broken:.3g}, which should be negative"
        )
