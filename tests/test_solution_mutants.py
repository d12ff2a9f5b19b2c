"""Every exercise's solution is mutated on its syntax tree, and no mutant may be marked correct.

Mutated is all that the solution calls in its chapter's module. Of an experiment, a function that keeps its result
because it takes seconds, TRIED mutants are tried, spread over its lines, but for those that say how long it runs. All
run in this process, on the checker itself: mutmut and cosmic-ray would run a test suite for each of them.
`pytest -rP` shows how many there are.
"""

import ast
import copy
import inspect
import re
import signal
import textwrap
import warnings
from collections import Counter
from importlib import import_module

import numpy as np
import pytest

from labnoise.teaching import find_exercise
from labnoise.teaching._exercise import _exercises

pytestmark = pytest.mark.usefixtures("one_seed")
CHAPTERS = [import_module(f"afterzero.ch{number:02}") for number in range(1, 11)]
EXERCISES = [name for name in _exercises if not name.startswith(("0.", "example"))]
TRIED, PATIENCE = 5, 3  # mutants; seconds for one of an experiment
SWAPPED_CALLS = {"min": "max", "max": "min", "floor": "ceil", "sum": "mean", "mean": "sum", "sin": "cos"}
OPERATORS = {
    ast.Add: [ast.Sub],
    ast.Sub: [ast.Add],
    ast.Mult: [ast.Div],
    ast.Div: [ast.Mult],
    ast.MatMult: [],
    ast.Pow: [ast.Mult],
}


def parse(text):
    return ast.parse(text, mode="eval").body


def around(template, node):
    """The expression of the template, with the node where it says `_`."""

    class Put(ast.NodeTransformer):
        def visit_Name(self, name):
            return copy.deepcopy(node) if name.id == "_" else name

    return Put().visit(parse(template))


def mutations(node):
    """What may stand in place of an expression: the slips of a hand and of a head."""
    if isinstance(node, ast.BinOp):
        yield node.left  # a term or a factor dropped
        yield node.right
        for operator in OPERATORS.get(type(node.op), []):
            yield ast.BinOp(node.left, operator(), node.right)
        if isinstance(node.op, ast.Sub | ast.Div | ast.Pow | ast.MatMult):
            yield ast.BinOp(node.right, node.op, node.left)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield node.operand
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        for value in (node.value - 1, node.value + 1, node.value / 2, node.value * 2):
            yield ast.Constant(type(node.value)(value))
    if isinstance(node, ast.Attribute) and node.attr == "T":
        yield node.value
    if isinstance(node, ast.Call):
        if len(node.args) == 2:
            yield ast.Call(node.func, node.args[::-1], node.keywords)
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if called in SWAPPED_CALLS:
            other = copy.deepcopy(node)
            if isinstance(other.func, ast.Attribute):
                other.func.attr = SWAPPED_CALLS[called]
            else:
                other.func.id = SWAPPED_CALLS[called]
            yield other
        if called == "len":
            yield around("_ - 1", node)
            yield around("_ + 1", node)
        if called == "sliding_window_view":
            yield around("_[1:]", node)
            yield around("_[:-1]", node)


# What may be returned in place of a result: wrong by a factor, an offset or a sign, clipped, turned, transposed.
ANY_RESULT = ("-(_)", "0.5 * (_)", "2 * (_)", "4 * (_)", "1 + (_)", "(_) ** 2", "np.abs(_)")
CLIPPED = ("np.maximum(_, 0)", "np.minimum(_, 0)")
ARRAYS = ("np.flip(_)", "np.transpose(_)")


def without_decorators(function):
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    tree.body[0].decorator_list = []
    return tree


def excerpt(line, original, width=100):
    """The changed line, or of a long one the part around the first change."""
    line, original = line.strip(), original.strip()
    first = next((i for i, (a, b) in enumerate(zip(line, original, strict=False)) if a != b), len(original))
    start = max(0, first - width // 2)
    return line if len(line) <= width else line[start : start + width].strip()


def mutants(function, templates):
    """Each mutant once: where it differs (function, line, column), what there is to see, and its source."""
    tree = without_decorators(function)
    original = ast.unparse(tree).splitlines()
    found = {}

    def keep(place, label=None):
        source = ast.unparse(ast.fix_missing_locations(tree))
        pairs = zip(source.splitlines(), original, strict=True)
        if changed := [pair for pair in pairs if pair[0] != pair[1]]:
            key = (function.__name__, place.lineno - tree.body[0].lineno, place.col_offset)
            found.setdefault(source, (*key, label or excerpt(*changed[0])))

    for node in ast.walk(ast.Module(tree.body[0].body, [])):
        for field, value in list(ast.iter_fields(node)):
            for i, child in enumerate(value if isinstance(value, list) else [value]):
                if not isinstance(child, ast.expr):
                    continue

                def put(other):
                    if isinstance(value, list):  # noqa: B023
                        value[i] = other  # noqa: B023
                    else:
                        setattr(node, field, other)  # noqa: B023

                for other in mutations(child):
                    put(other)
                    keep(child)
                for template in templates if isinstance(node, ast.Return) else ():
                    put(around(template, child))
                    keep(child, template)
                put(child)
    return [(*key, source) for source, key in found.items()]


def names(code):
    """The global names that a function's code uses, also in its lambdas and comprehensions."""
    inner = [names(each) for each in code.co_consts if inspect.iscode(each)]
    return [*code.co_names, *(name for each in inner for name in each)]


def called(function, found=()):
    """The function and all that it calls in its module, in turn."""
    found = [*found, function]
    for name in names(inspect.unwrap(function).__code__):
        part = inspect.unwrap(function).__globals__.get(name)
        if (
            inspect.isfunction(inspect.unwrap(part))
            and part.__module__ == function.__module__
            and part not in found
        ):
            found = called(part, found)
    return found


def give_up(*_):
    raise TimeoutError


def is_experiment(part):
    return hasattr(part, "cache_info")


def spread(mutated, experiment):
    """TRIED of an experiment's mutants, the first on each line before the others; its length stays what it is."""
    text = textwrap.dedent(inspect.getsource(inspect.unwrap(experiment)))
    text, lines = text[text.index("def ") :].splitlines(), {}
    for each in mutated:
        if not re.search(r"\b(int|round|range)\(", text[each[1]]):
            lines.setdefault(each[1], []).append(each)
    turns = [
        each[turn]
        for turn in range(max(map(len, lines.values())))
        for each in lines.values()
        if turn < len(each)
    ]
    return turns[:TRIED]


def survivors(exercise):
    """The mutants that are marked correct, by what is to be seen of them, and the number of all."""
    function = inspect.unwrap(exercise.solution)
    (case,) = exercise._cases(np.random.default_rng(), 1)
    right = function(*case)
    turned = ARRAYS[: 0 if isinstance(right, tuple) else np.ndim(right)]
    templates = () if isinstance(right, tuple) else (*ANY_RESULT, *CLIPPED, *turned)
    parts, every = called(function), []
    signal.signal(signal.SIGALRM, give_up)
    for part in parts:
        mutated = mutants(inspect.unwrap(part), () if is_experiment(part) else templates)
        every += spread(mutated, part) if is_experiment(part) else mutated
    times = Counter(label for *_, label, _ in every)
    found = []
    for name, line, column, label, source in every:
        namespace = dict(function.__globals__)
        for part in parts:
            changed = any(each.__name__ == name for each in called(part))
            if changed or not is_experiment(part):
                exec(ast.unparse(without_decorators(inspect.unwrap(part))), namespace)
        exec(source, namespace)
        answer = namespace[function.__name__]
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            if exercise.wants_number:
                signal.setitimer(signal.ITIMER_REAL, PATIENCE)  # a loop may have lost its end
                try:
                    answer = answer()
                except Exception:  # no answer at all
                    continue
                finally:
                    signal.setitimer(signal.ITIMER_REAL, 0)
            if exercise.mark(answer).status == "correct":
                found.append(label if times[label] == 1 else f"{label} in {name}, {line}:{column}")
    return found, len(every)


@pytest.mark.parametrize("exercise_id", EXERCISES)
def test_no_mutant_of_a_solution_is_marked_correct(exercise_id):
    exercise = find_exercise(exercise_id)
    equivalent = inspect.unwrap(exercise.solution).__globals__.get("EQUIVALENT", {}).get(exercise_id, {})
    found, count = survivors(exercise)
    print(f"exercise {exercise_id}: {count} mutants, {len(found)} of them marked correct")
    assert count > 5
    assert sorted(found) == sorted(equivalent)
