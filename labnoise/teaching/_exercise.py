"""Exercises that mark themselves: a reader's answer against the solution, on fresh random inputs."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from typing import Any

import numpy as np

from labnoise.teaching._limits import TooSlow
from labnoise.teaching._lines import raised_at, returned_at
from labnoise.teaching._verdict import Verdict

TRIALS = 12  # fresh inputs per check: a mistake that agrees by luck on one does not on all
MORE = 24  # further inputs before a mistake is named: two mistakes that agree by luck must part
Inputs = Callable[[np.random.Generator], tuple[Any, ...]]


@dataclass(frozen=True)
class Exercise:
    """One exercise, made and registered by `exercise`.

    Attributes
    ----------
    id : str
        Chapter and number, such as "5.3".
    solution : function
        Of the inputs; of nothing where the answer is a value.
    inputs : functions rng -> tuple of arguments, used in turn; none where the answer is a value
    mistakes : what is said to the reader → the function, or the value, that makes the mistake
    hints : sequence of str
    rtol : positive number
        The error allowed, relative to the largest entry of the right answer.
    after : str
        What is said of a right answer.
    raised : a piece of an error's message → what is added when the answer raises such an error
    seen : of a function, the function whose results are compared; solution and mistakes are seen already
    """

    id: str
    solution: Callable[..., Any]
    inputs: Sequence[Inputs]
    mistakes: Mapping[str, Any]
    hints: Sequence[str]
    rtol: float
    after: str = ""
    raised: Mapping[str, str] = field(default_factory=dict)
    seen: Callable[[Callable[..., Any]], Callable[..., Any]] | None = None

    @property
    def wants_number(self) -> bool:
        """Without inputs the answer is a value, not a function."""
        return not self.inputs

    def mark(self, answer: Any) -> Verdict:
        """The verdict on an answer, without a hint and without a memory of it."""
        if answer is None or answer is ...:
            return Verdict("not answered yet", "Replace the ... and run the cell again.")
        answer = _as_seen(answer, self.seen)
        if callable(answer) == self.wants_number:
            wanted = "a number, not a function" if self.wants_number else "a function, not a value"
            return Verdict("not yet", f"The answer is {wanted}.", slip=True)
        rng = np.random.default_rng()
        cases = self._cases(rng, 1 if self.wants_number else TRIALS)
        given = []
        for case in cases:
            try:
                given.append(_apply(answer, case))
            except TooSlow as error:
                return Verdict(
                    "not yet", _located(f"Your function was stopped: {error}", error, answer), slip=True
                )
            except (Exception, SystemExit) as error:  # the reader's code may do anything
                said = _located(f"Your function raised {type(error).__name__}: {error}", error, answer)
                remarks = [remark for piece, remark in self.raised.items() if piece in str(error)]
                return Verdict("not yet", " ".join([said, *remarks]), slip=True)
            if given[-1] is None or given[-1] is ...:
                return Verdict("not answered yet", "Your function returns nothing so far.")
        right = [_apply(self.solution, case) for case in cases]
        faults = [_fault(a, b, self.rtol) for a, b in zip(given, right, strict=True)]
        if not any(faults):
            return Verdict("correct", self.after)
        if names := self._mistakes_made(answer, cases, given, rng):
            return Verdict("almost", " Or: ".join(names))
        fault = next(fault for fault in faults if fault)
        if not fault.slip:
            return Verdict("not yet", fault.text)
        where = returned_at(answer) if callable(answer) else ""
        return Verdict("not yet", f"{fault.text} ({where})" if where else fault.text, slip=True)

    def _cases(self, rng: np.random.Generator, count: int) -> list[tuple[Any, ...]]:
        return [self.inputs[i % len(self.inputs)](rng) if self.inputs else () for i in range(count)]

    def _mistakes_made(
        self, answer: Any, cases: list[tuple[Any, ...]], given: list[Any], rng: np.random.Generator
    ) -> list[str]:
        """The mistakes that explain an answer: on further inputs, too, and to the last digit if that decides."""
        fits = [name for name, mistake in self.mistakes.items() if _makes(mistake, cases, given, self.rtol)]
        if fits and not self.wants_number:
            cases = self._cases(rng, MORE)
            try:
                given = [_apply(answer, case) for case in cases]
            except (Exception, SystemExit, TooSlow):  # no mistake raises
                return []
            fits = [name for name in fits if _makes(self.mistakes[name], cases, given, self.rtol)]
        exact = [name for name in fits if _makes(self.mistakes[name], cases, given, 1e-9)]
        return exact or fits


_exercises: dict[str, Exercise] = {}
_withdrawn: dict[str, str] = {}


class Withdrawn(ValueError):
    """The exercise was in an earlier edition and is gone."""


def withdraw(exercise_id: str, why: str) -> None:
    """Say that an exercise of an earlier edition is gone; its identifier is never given to another.

    Parameters
    ----------
    exercise_id : str
    why : str
        What a reader who has answered it is told.

    Raises
    ------
    ValueError
        If there is an exercise of that identifier.

    Examples
    --------
    >>> from labnoise.teaching import withdraw
    >>> withdraw("example.0", "Its answer stood on the page.")
    """
    if exercise_id in _exercises:
        raise ValueError(f"exercise_id = {exercise_id!r} is an exercise: give the new one another identifier")
    _withdrawn[exercise_id] = why


def exercise(
    exercise_id: str,
    *,
    inputs: Inputs | Sequence[Inputs] = (),
    mistakes: Mapping[str, Any],
    hints: Sequence[str],
    rtol: float = 1e-6,
    after: str = "",
    raised: Mapping[str, str] | None = None,
    seen: Callable[[Callable[..., Any]], Callable[..., Any]] | None = None,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register the decorated function as the solution of an exercise.

    Its signature and docstring become the stub that the reader fills in (`labnoise.teaching.stubs`).

    Parameters
    ----------
    exercise_id : str
        Chapter and number, such as "5.3".
    inputs : function rng -> tuple of arguments, or several, optional
        One fresh random case, from a `numpy.random.Generator`. Several are used in turn, so that each kind of
        case comes in every check. Without any the answer is a value, and the solution a function of nothing
        that returns it.
    mistakes : dict
        Maps what is said to the reader to the function that makes that mistake; for a value, to the wrong
        value or to a function of nothing that returns it. A mistake is named if it explains the answer on all
        inputs; two that both do are both named.
    hints : sequence of str
        Given one by one, a further one with each different attempt.
    rtol : positive number
        An answer is right if each entry is within `rtol` times the largest entry of the right one.
    after : str
        Said of a right answer: what it means, or what to look at next.
    raised : dict, optional
        Maps a piece of an error's message to what is added if the answer raises an error that says it.
    seen : function, optional
        Where many answers are right: turns a function (answer, solution or mistake) into the one whose results are
        compared, say the drift of the noise that it designs. It keeps the name by `functools.wraps`, and passes on
        what is no answer yet, `...` and None.

    Returns
    -------
    A decorator that returns the function as it was.

    Raises
    ------
    ValueError
        If another function has that id, or an exercise that was withdrawn had it.

    Examples
    --------
    >>> from labnoise.teaching import check, exercise
    >>> @exercise(
    ...     "example.1",
    ...     inputs=lambda rng: (rng.standard_normal((4, 3)), rng.uniform(0.1, 0.9)),
    ...     mistakes={"It is δ², not δ.": lambda J, delta: 4 * delta / len(J) * J.T @ J},
    ...     hints=("Write down one example's gradient.", "Its noise has variance δ²."),
    ... )
    ... def covariance(J, delta):
    ...     \"\"\"The covariance of label noise, from the Jacobian J (n, D).\"\"\"
    ...     return 4 * delta**2 / len(J) * J.T @ J
    >>> check("example.1", lambda J, delta: 4 * delta / len(J) * J.T @ J)
    ≈ Almost. It is δ², not δ.
    """

    def register(solution: Callable[..., Any]) -> Callable[..., Any]:
        if exercise_id in _withdrawn:
            raise ValueError(
                f"exercise_id = {exercise_id!r} was withdrawn: give the new one another identifier"
            )
        known = _exercises.get(exercise_id)
        if known and _origin(known.solution) != _origin(solution):
            raise ValueError(
                f"exercise_id = {exercise_id!r}: {_origin(known.solution)} has it already; choose another"
            )
        _exercises[exercise_id] = Exercise(
            exercise_id,
            _as_seen(solution, seen),
            (inputs,) if callable(inputs) else tuple(inputs),
            {name: _as_seen(mistake, seen) for name, mistake in mistakes.items()},
            tuple(hints),
            rtol,
            after,
            dict(raised or {}),
            seen,
        )
        return solution

    return register


def find_exercise(exercise_id: str) -> Exercise:
    """The exercise of that id.

    Exercises that an installed package announces (entry points of the group "labnoise.exercises", each a
    function that imports them) are found without having been imported.

    Raises
    ------
    ValueError
        If there is none, or it was withdrawn.
    """
    if exercise_id not in _exercises and exercise_id not in _withdrawn:
        for announced in entry_points(group="labnoise.exercises"):
            announced.load()()
    if exercise_id in _withdrawn:
        raise Withdrawn(f"exercise_id = {exercise_id!r} was withdrawn: {_withdrawn[exercise_id]}")
    if exercise_id not in _exercises:
        known = ", ".join(_exercises) or "none"
        raise ValueError(
            f"exercise_id = {exercise_id!r}: the exercises known so far are {known}; import the chapter's "
            "exercises (the chapter's first cell does), or correct the number"
        )
    return _exercises[exercise_id]


def _apply(function_or_value: Any, case: tuple[Any, ...]) -> Any:
    """The result on one case; the arguments are copied, for an answer may write into them."""
    return function_or_value(*copy.deepcopy(case)) if callable(function_or_value) else function_or_value


def _makes(mistake: Any, cases: list[tuple[Any, ...]], given: list[Any], rtol: float) -> bool:
    """Whether a mistake explains all that was given; one that cannot be made on these inputs does not."""
    try:
        with np.errstate(all="ignore"):  # a wrong formula may take the root of a negative number
            return not any(
                _fault(a, _apply(mistake, case), rtol) for a, case in zip(given, cases, strict=True)
            )
    except Exception:  # say, a transposed matrix that does not fit
        return False


@dataclass(frozen=True)
class Fault:
    """What is wrong with a result, in words, and whether that is only its form."""

    text: str
    slip: bool = True


def _fault(given: Any, right: Any, rtol: float) -> Fault | None:
    """What is wrong with a result, if anything is."""
    if isinstance(right, tuple | list):
        if not isinstance(given, tuple | list) or len(given) != len(right):
            return Fault(f"The answer consists of {len(right)} parts.")
        return next((fault for a, b in zip(given, right, strict=True) if (fault := _fault(a, b, rtol))), None)
    if isinstance(right, str):
        return (
            None if isinstance(given, str) and given == right else Fault("The answer is another one.", False)
        )
    if isinstance(given, str):
        return Fault("The answer is a number or an array, not text.")
    wanted = np.asarray(right)
    try:
        got = np.asarray(given)
        if np.iscomplexobj(got) and not np.iscomplexobj(wanted):
            return Fault("Your answer is complex, the right one is real.")
        got = got.astype(np.result_type(wanted.dtype, float))
    except (TypeError, ValueError):
        return Fault(f"The answer is a number or an array, not {type(given).__name__}.")
    if got.shape != wanted.shape:
        return Fault(f"Your answer has shape {got.shape}, the right one has shape {wanted.shape}.")
    finite = np.isfinite(wanted)  # a mistake's result may not be
    if not np.array_equal(np.isfinite(got), finite):
        return Fault("Your answer is not finite.", False)
    got, wanted = got[finite], wanted[finite]
    scale = np.max(np.abs(wanted), initial=0) or 1.0
    near = np.max(np.abs(got - wanted), initial=0) <= rtol * scale
    return None if near else Fault("The values are not right.", False)


def _located(said: str, error: BaseException, answer: Callable[..., Any]) -> str:
    """What is said of an error, with the line of the answer at which it came up."""
    where = raised_at(error, answer)
    return f"{said} ({where})" if where else said


def _as_seen(function: Any, seen: Callable[[Callable[..., Any]], Callable[..., Any]] | None) -> Any:
    """The function whose results are compared; itself if it is one already."""
    if seen is None or not callable(function) or hasattr(function, "seen_by"):
        return function
    shown = seen(function)
    shown.seen_by = seen  # type: ignore[attr-defined]
    return shown


def _origin(function: Callable[..., Any]) -> str:
    function = inspect.unwrap(function)
    return f"{function.__code__.co_filename}:{function.__qualname__}"
