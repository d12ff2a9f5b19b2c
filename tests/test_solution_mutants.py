"""Every exercise's solution is mutated on its syntax tree, and no mutant may be marked correct.

The mutants run in this process, on the checker itself: mutmut and cosmic-ray would run a test suite for each of them.
"""

import ast
import copy
import inspect
import textwrap
import warnings
from importlib import import_module

import numpy as np
import pytest

from labnoise.teaching import find_exercise
from labnoise.teaching._exercise import _exercises

pytestmark = pytest.mark.usefixtures("one_seed")
CHAPTERS = [import_module(f"afterzero.ch0{number}") for number in range(1, 8)]
EXERCISES = [name for name in _exercises if not name.startswith(("0.", "example"))]
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
    """Each mutant once: its source by the line, or the template, in which it differs."""
    tree = without_decorators(function)
    original = ast.unparse(tree).splitlines()
    found = {}

    def keep(label=None):
        source = ast.unparse(ast.fix_missing_locations(tree))
        pairs = zip(source.splitlines(), original, strict=True)
        if changed := [pair for pair in pairs if pair[0] != pair[1]]:
            found.setdefault(source, label or excerpt(*changed[0]))

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
                    keep()
                for template in templates if isinstance(node, ast.Return) else ():
                    put(around(template, child))
                    keep(template)
                put(child)
    return {label: source for source, label in found.items()}


def survivors(exercise):
    """The mutants that are marked correct, and the number of all."""
    function = inspect.unwrap(exercise.solution)
    (case,) = exercise._cases(np.random.default_rng(), 1)
    right = function(*case)
    turned = ARRAYS[: 0 if isinstance(right, tuple) else np.ndim(right)]
    templates = () if isinstance(right, tuple) else (*ANY_RESULT, *CLIPPED, *turned)
    helpers = [function.__globals__[name] for name in function.__code__.co_names if name.startswith("_")]
    found, every = [], {}
    for part in (function, *helpers):
        every |= mutants(part, templates)
    for label, source in every.items():
        namespace = dict(function.__globals__)
        exec(ast.unparse(without_decorators(function)), namespace)
        exec(source, namespace)
        answer = namespace[function.__name__]
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            if exercise.wants_number:
                try:
                    answer = answer()
                except Exception:  # no answer at all
                    continue
            if exercise.mark(answer).status == "correct":
                found.append(label)
    return found, len(every)


@pytest.mark.parametrize("exercise_id", EXERCISES)
def test_no_mutant_of_a_solution_is_marked_correct(exercise_id):
    exercise = find_exercise(exercise_id)
    equivalent = inspect.unwrap(exercise.solution).__globals__.get("EQUIVALENT", {}).get(exercise_id, {})
    found, count = survivors(exercise)
    assert count > 5
    assert sorted(found) == sorted(equivalent)
