"""The exercise engine: four verdicts, hints, answers that outlive a session, stubs that do not drift."""

import functools
import json
from decimal import Decimal
from fractions import Fraction

import example_exercises
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from labnoise import check as module_or_function
from labnoise.answers import load_answers, save_answers
from labnoise.teaching import check, exercise, find_exercise, stubs, withdraw
from labnoise.teaching._exercise import TRIALS
from labnoise.teaching._journal import FORMAT
from labnoise.teaching._record import answers, attempts


@pytest.fixture(autouse=True)
def fresh_session():
    answers.clear()
    attempts.clear()


def right(jacobian, delta):
    return 4 * delta**2 * jacobian.T @ jacobian / len(jacobian)


def test_the_package_exports_the_function():
    assert module_or_function is check


@pytest.mark.parametrize("exercise_id", ["0.1", "0.2"])
def test_examples_rehearse_well(exercise_id):
    assert stubs.rehearse(find_exercise(exercise_id)) == []


@pytest.mark.parametrize(
    "answer",
    [
        right,
        jax.jit(right),
        lambda J, d: right(J, d).tolist(),
        example_exercises.label_noise_covariance,
    ],
)
def test_a_right_answer_is_correct_however_it_is_written(answer):
    assert check("0.1", answer).status == "correct"


def test_the_usual_mistake_is_named():
    verdict = check("0.1", lambda J, d: 4 * d * J.T @ J / len(J))
    assert verdict.status == "almost"
    assert "δ²" in verdict.message
    assert check("0.2", 2.02).message.startswith("The sign")


@pytest.mark.parametrize("answer", [..., None, lambda J, d: ..., lambda J, d: None])
def test_an_untouched_stub_is_not_answered(answer):
    assert check("0.1", answer).status == "not answered yet"
    assert answers == {}


def raises(J, d):
    raise KeyError("gone")


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (raises, "KeyError"),
        (lambda J: J, "TypeError"),
        (lambda J, d: 1.0, "shape ()"),
        (lambda J, d: J, "shape (4, 3)"),
        (lambda J, d: np.full((3, 3), np.nan), "not finite"),
        (lambda J, d: "three", "number or an array"),
        (lambda J, d: {"a": J}, "number or an array"),
        (lambda J, d: [[1.0], [1.0, 2.0]], "number or an array"),
        (lambda J, d: 1j * right(J, d), "complex"),
        (3.0, "a function, not a value"),
    ],
)
def test_a_wrong_answer_never_raises_and_is_told_what_is_wrong(answer, says):
    verdict = check("0.1", answer)
    assert verdict.status == "not yet"
    assert says in verdict.message
    assert ("Hint 1 of 2" in verdict.message) == ("not finite" in verdict.message)  # a slip needs no hint
    assert attempts.keys() == ({"0.1"} if "not finite" in verdict.message else set())


def test_a_function_for_a_number():
    assert "a number, not a function" in check("0.2", right).message


def test_an_answer_may_write_into_its_arguments():
    def careless(J, d):
        covariance = right(J, d)
        J[:] = 0
        return covariance

    assert check("0.1", careless).status == "correct"


def test_every_different_attempt_opens_the_next_hint():
    hints = [check("0.2", value).message.split("Hint ")[1][0] for value in (5.0, 5.0, 6.0, 7.0, 5.0)]
    assert hints == ["1", "1", "2", "2", "1"]


def test_inputs_are_fresh_each_time():
    seen = []

    def spy(J, d):
        seen.append(float(d))
        return right(J, d)

    check("0.1", spy)
    check("0.1", spy)
    assert len(set(seen)) == len(seen) == 2 * TRIALS


@pytest.fixture(scope="module")
def factor():
    """An exercise with many right answers: what is compared is FFᵀ."""

    def squared(function):
        @functools.wraps(function)
        def product(covariance):
            root = function(covariance)
            return root if root is None or root is ... else root @ root.T

        return product

    def draw(rng):
        root = rng.standard_normal((3, 3))
        return (root @ root.T + np.eye(3),)

    @exercise(
        "0.5",
        inputs=draw,
        seen=squared,
        mistakes={
            "That is Σ itself, not its root.": lambda covariance: covariance,
            "That is the root of Σ⁻¹.": lambda covariance: np.linalg.cholesky(np.linalg.inv(covariance)),
        },
        hints=("Any root will do.", "A triangular one has a name."),
    )
    def factor(covariance):
        """A matrix F with FFᵀ = Σ, the covariance (3, 3)."""
        return np.linalg.cholesky(covariance)

    return factor


def symmetric(covariance):
    values, vectors = np.linalg.eigh(covariance)
    return vectors * np.sqrt(values) @ vectors.T


def test_of_many_right_answers_each_is_correct(factor):
    """And the mistakes, the stub and the rehearsal are those of any other exercise."""
    for answer in (
        factor,
        symmetric,
        lambda C: -np.linalg.cholesky(C),
        lambda C: np.c_[symmetric(C), [0] * 3],
    ):
        assert check("0.5", answer).status == "correct"
    assert check("0.5", lambda C: np.array(C)).message.startswith("That is Σ itself")
    assert check("0.5", lambda C: 2 * symmetric(C)).message.startswith("The values are not right.")
    assert stubs.rehearse(find_exercise("0.5")) == []
    assert stubs.stub(find_exercise("0.5")).startswith("def factor(covariance):\n")


def test_an_answer_that_is_seen_through_another_function_has_its_own_lines_and_its_own_text(factor, tmp_path):
    assert "a function, not a value" in check("0.5", 1.0).message
    assert check("0.5", lambda C: None).status == "not answered yet"

    def careless(covariance):
        return np.linalg.cholesky(-covariance)

    line = careless.__code__.co_firstlineno + 1
    message = check("0.5", careless).message
    assert "LinAlgError" in message
    assert message.endswith(f"(line {line}: return np.linalg.cholesky(-covariance))")

    check("0.5", symmetric)
    save_answers(tmp_path / "answers.jsonl")
    answers.clear()
    assert load_answers(tmp_path / "answers.jsonl", {"np": np})["0.5"].status == "correct"


def test_an_unknown_exercise_says_which_there_are():
    with pytest.raises(ValueError, match=r"'9.9'.*0\.1, 0\.2.*import"):
        check("9.9", 1.0)


def test_an_id_belongs_to_one_function():
    with pytest.raises(ValueError, match=r"0\.1.*label_noise_covariance"):
        exercise("0.1", mistakes={}, hints=())(right)


def test_a_verdict_says_it_in_words_and_escapes_the_rest():
    verdict = check("0.1", lambda J, d: exec("raise ValueError('<b>')"))
    assert repr(verdict).startswith("✗ Not yet. Your function raised ValueError: <b>")
    assert "&lt;b&gt;" in verdict._repr_html_()
    assert "Not yet." in verdict._repr_html_()


def test_the_solution_is_never_shown():
    for answer in (..., 1.0, raises, lambda J, d: 4 * d * J.T @ J / len(J)):
        verdict = check("0.1", answer)
        assert "4 * delta" not in repr(verdict) + verdict._repr_html_()


def test_an_error_and_a_shape_name_their_line():
    assert check("0.1", raises).message.endswith(
        f'(line {raises.__code__.co_firstlineno + 1}: raise KeyError("gone"))'
    )

    def transposed(J, d):
        JT = J.T
        return JT

    message = check("0.1", transposed).message
    assert "shape (3, 4)" in message
    assert message.endswith(f"(line {transposed.__code__.co_firstlineno + 2}: return JT)")


def test_an_answer_that_never_returns_is_stopped_at_its_line(monkeypatch):
    def endless(J, d):
        while True:
            try:
                d += 1
            except Exception:
                continue

    monkeypatch.setattr("labnoise.teaching._check.SECONDS", 0.2)
    verdict = check("0.1", endless)
    assert verdict.status == "not yet"
    assert verdict.slip
    assert "did not return within 0.2 s (line " in verdict.message


def test_an_answer_that_leaves_the_program_does_not(monkeypatch):
    assert "SystemExit" in check("0.1", lambda J, d: exit(3)).message


def test_answers_outlive_a_session(tmp_path):
    file = tmp_path / "answers.jsonl"
    check("0.1", right)
    check("0.2", np.float64(2.0))
    assert save_answers(file) == ["0.1", "0.2"]
    answers.clear()

    namespace = {}
    verdicts = load_answers(file, namespace)
    assert [verdict.status for verdict in verdicts.values()] == ["correct", "almost"]
    assert namespace["right"](np.eye(2), 1.0).shape == (2, 2)

    # The text of a restored function is known, so it can be saved again, and an earlier answer is not lost.
    answers.pop("0.2")
    before = file.read_text(encoding="utf8")
    assert save_answers(file) == ["0.1", "0.2"]
    assert file.read_text(encoding="utf8") == before


def test_a_right_answer_is_not_lost_to_a_later_wrong_one(tmp_path):
    file = tmp_path / "answers.jsonl"
    check("0.2", -2.0)
    save_answers(file)
    check("0.2", 5.0)
    save_answers(file)
    assert load_answers(file)["0.2"].status == "correct"


VALUES = [
    -2.0,
    np.float64(-2),
    np.int64(-2),
    Fraction(-2),
    Decimal("-2"),
    jnp.array(-2.0),
    complex(-2),
    True,
    "text",
]


@pytest.mark.parametrize("value", [*VALUES, (1.0, "two", 3j), [np.ones(2), 1], np.array([1j, 2])], ids=repr)
def test_every_value_that_can_be_checked_can_be_kept(tmp_path, value):
    file = tmp_path / "answers.jsonl"
    before = check("0.2", value)
    check("0.1", right)
    save_answers(file)
    answers.clear()
    loaded = load_answers(file, {})
    assert loaded["0.2"].status == before.status
    assert loaded["0.1"].status == "correct"


def test_a_file_of_the_first_format_still_loads(tmp_path):
    file = tmp_path / "answers.json"
    text = "def right(jacobian, delta):\n    return 4 * delta**2 * jacobian.T @ jacobian / len(jacobian)\n"
    old = {
        "0.1": {"kind": "function", "answer": text, "status": "correct"},
        "0.2": {"kind": "value", "answer": -2.0, "status": "correct"},
    }
    file.write_text(json.dumps({"format": "labnoise answers 1", "answers": old}), encoding="utf8")
    assert [verdict.status for verdict in load_answers(file, {}).values()] == ["correct", "correct"]


def test_a_withdrawn_exercise_is_said_and_costs_no_other(tmp_path):
    withdraw("0.4", "Its answer stood on the page.")
    with pytest.raises(ValueError, match=r"0\.4.*withdrawn.*stood on the page"):
        check("0.4", 1.0)
    with pytest.raises(ValueError, match="another identifier"):
        exercise("0.4", mistakes={}, hints=())(right)
    with pytest.raises(ValueError, match="another identifier"):
        withdraw("0.1", "")
    file = tmp_path / "answers.jsonl"
    check("0.2", -2.0)
    save_answers(file)
    text = file.read_text(encoding="utf8")
    file.write_text(text + text.replace('"0.2"', '"0.4"'), encoding="utf8")
    assert list(load_answers(file)) == ["0.2"]


def test_a_line_that_a_kill_cut_off_costs_that_line_only(tmp_path):
    file = tmp_path / "answers.jsonl"
    check("0.1", right)
    check("0.2", -2.0)
    save_answers(file)
    file.write_text(file.read_text(encoding="utf8")[:-20], encoding="utf8")
    assert list(load_answers(file, {})) == ["0.1"]
    check("0.2", -2.0)
    assert save_answers(file) == ["0.1", "0.2"]


def test_a_restored_answer_that_no_longer_runs_is_not_yet(tmp_path):
    file = tmp_path / "answers.jsonl"
    check("0.1", right)
    save_answers(file)
    file.write_text(file.read_text(encoding="utf8").replace("def right", "def right("), encoding="utf8")
    assert load_answers(file, {})["0.1"].status == "not yet"


def test_a_kept_cell_that_checks_nothing_is_not_yet(tmp_path):
    file = tmp_path / "answers.jsonl"
    entry = {
        "format": FORMAT,
        "exercise": "0.1",
        "text": "len([lambda J, d: J])",
        "is_value": False,
        "value": None,
    }
    file.write_text(json.dumps(entry | {"status": "correct", "time": ""}) + "\n", encoding="utf8")
    verdict = load_answers(file, {})["0.1"]
    assert verdict.status == "not yet"
    assert 'check("0.1", …)' in verdict.message


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"format": "other"}', "\x00"])
def test_a_foreign_file_is_neither_read_nor_overwritten(tmp_path, content):
    file = tmp_path / "notes.json"
    file.write_text(content)
    check("0.2", -2.0)
    with pytest.raises(ValueError, match=r"notes\.json.*another file"):
        load_answers(file)
    with pytest.raises(ValueError, match=r"notes\.json.*another file"):
        save_answers(file)
    assert file.read_text() == content


STUB = '''def label_noise_covariance(jacobian, delta):
    """The covariance of the label-noise gradient.

    `jacobian` is (n, D), `delta` the size of the label noise.
    """
    return ...

check("0.1", label_noise_covariance)
'''
CHAPTER = """# A chapter

```{code-cell} ipython3
:tags: [exercise-0.1]
old = 1
```

```{code-cell}
---
tags: [hide-input, exercise-0.2]
---
```

```{code-cell} ipython3
print("not an exercise")
```
"""


def test_the_stub_is_the_solution_without_its_body():
    assert stubs.stub(find_exercise("0.1")) == STUB
    assert stubs.stub(find_exercise("0.2")).endswith('slope = ...\ncheck("0.2", slope)\n')


def test_a_solution_without_a_task_has_no_stub():
    @exercise("0.3", mistakes={}, hints=())
    def bare():
        return 1

    with pytest.raises(ValueError, match="docstring"):
        stubs.stub(find_exercise("0.3"))


def test_stubs_are_renewed_and_drift_is_seen():
    assert stubs.drifted_stubs(CHAPTER) == ["0.1", "0.2"]
    synced = stubs.sync_stubs(CHAPTER)
    assert STUB in synced
    assert "old = 1" not in synced
    assert 'print("not an exercise")' in synced
    assert stubs.drifted_stubs(synced) == []
    assert stubs.sync_stubs(synced) == synced
    assert stubs.drifted_stubs(synced.replace("(jacobian, delta)", "(jacobian, noise)")) == ["0.1"]


def test_the_command_line(tmp_path, capsys):
    chapter = tmp_path / "00-chapter.md"
    chapter.write_text(CHAPTER)
    command = ["--exercises", example_exercises.__file__, "--", str(chapter)]
    assert stubs.main(["verify", *command]) == 1
    assert "exercise 0.1" in capsys.readouterr().out
    assert stubs.main(["sync", *command]) == 0
    assert "exercise 0.1 has been renewed" in capsys.readouterr().out
    assert stubs.main(["verify", *command]) == 0
