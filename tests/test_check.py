"""The exercise engine: four verdicts, hints, answers that outlive a session, stubs that do not drift."""

import json

import example_exercises
import jax
import numpy as np
import pytest

from labnoise import check as module_or_function
from labnoise.answers import load_answers, save_answers
from labnoise.teaching import check, exercise, find_exercise, stubs
from labnoise.teaching._exercise import TRIALS
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
    assert ("Hint 1 of 2" in verdict.message) == ("raised" not in verdict.message)  # a slip needs no hint


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


def test_answers_outlive_a_session(tmp_path):
    file = tmp_path / "answers.json"
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
    assert save_answers(file) == ["0.1", "0.2"]
    assert "def right" in json.loads(file.read_text())["answers"]["0.1"]["answer"]


def test_a_restored_answer_that_no_longer_runs_is_not_yet(tmp_path):
    file = tmp_path / "answers.json"
    check("0.1", right)
    save_answers(file)
    file.write_text(file.read_text().replace("def right", "def right("))
    assert load_answers(file, {})["0.1"].status == "not yet"


def test_a_saved_lambda_without_a_name_is_not_yet(tmp_path):
    file = tmp_path / "answers.json"
    check("0.1", right)
    save_answers(file)
    content = json.loads(file.read_text())
    content["answers"]["0.1"]["answer"] = "len([lambda J, d: J])\n"
    file.write_text(json.dumps(content))
    verdict = load_answers(file, {})["0.1"]
    assert verdict.status == "not yet"
    assert "def" in verdict.message


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
