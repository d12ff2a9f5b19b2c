"""The marking command: fifteen files, five of them honest, and marks that are right for all."""

import csv
import json
import time

import pytest

from labnoise.teaching import mark
from labnoise.teaching._journal import FORMAT

RIGHT = """
def stationary_covariance(H, cov, eta):
    values, Q = np.linalg.eigh(H)
    return eta * Q @ (Q.T @ cov @ Q / (values[:, None] + values)) @ Q.T

check("2.2", stationary_covariance)
"""
WITH_HELPER = """
from labnoise import check

def turned(Q, A):
    return Q.T @ A @ Q

def stationary_covariance(H, cov, eta):
    values, Q = jnp.linalg.eigh(H)
    return eta * turned(Q.T, turned(Q, cov) / (values[:, None] + values))

check("2.2", stationary_covariance)
"""
HALF = RIGHT.replace("return eta", "return 0.5 * eta")
LOOP = """
def stationary_covariance(H, cov, eta):
    while True:
        pass

check("2.2", stationary_covariance)
"""
SOLUTION = """
from afterzero import ch02
check("2.2", ch02.stationary_covariance)
"""
HOSTILE = {
    "monkeypatching": """
import labnoise.teaching._exercise as engine
engine.Exercise.mark = lambda self, answer: engine.Verdict("correct")
import numpy as np
np.allclose = np.array_equal = lambda *given, **more: True
def stationary_covariance(H, cov, eta):
    return 0 * H
check("2.2", stationary_covariance)
""",
    "exit": "import sys\nsys.exit()\ncheck('2.2', None)\n",
    "killed": RIGHT.replace("    values", "    import os; os._exit(0)\n    values", 1),
    "memory": "block = np.ones(10**11)\n" + RIGHT,
    "recursion": "def stationary_covariance(H, cov, eta):\n    return stationary_covariance(H, cov, eta)\n"
    'check("2.2", stationary_covariance)\n',
    "solution": SOLUTION,
    "written": RIGHT.replace("    values", "    open('WRITTEN', 'w').write('x')\n    values", 1),
}


def kept(*answers, status="correct"):
    """A file as a notebook writes it."""
    lines = [
        {"format": FORMAT, "exercise": exercise, "text": text, "is_value": False, "value": None}
        | {"status": status, "time": "2026-01-01T00:00:00+00:00"}
        for exercise, text in answers
    ]
    return "".join(json.dumps(line) + "\n" for line in lines)


@pytest.fixture(scope="module")
def marked(tmp_path_factory):
    """The table of the fifteen files, file → rows; and how long it took."""
    folder = tmp_path_factory.mktemp("answers")
    value = {"format": FORMAT, "exercise": "6.4", "text": "", "is_value": True, "value": 48.0}
    honest = {
        "ada": kept(("2.2", RIGHT)),
        "bob": kept(("2.2", WITH_HELPER)),
        "cleo": kept(("2.2", HALF), status="not yet"),
        "dan": json.dumps(value | {"status": "correct", "time": ""}) + "\n",
        "eve": json.dumps(
            {
                "format": "labnoise answers 1",
                "answers": {
                    "2.2": {"kind": "function", "answer": RIGHT.partition("check")[0], "status": "correct"}
                },
            }
        ),
    }
    for name, text in honest.items():
        (folder / f"{name}.json").write_text(text, encoding="utf8")
    written = folder.parent / "written.txt"
    for name, text in HOSTILE.items():
        text = text.replace("WRITTEN", str(written))
        (folder / f"{name}.json").write_text(kept(("2.2", text)), encoding="utf8")
    (folder / "loop.json").write_text(kept(("2.2", LOOP), ("9.99", RIGHT)), encoding="utf8")
    (folder / "nojson.json").write_text("[" * 100_000, encoding="utf8")
    (folder / "encoding.json").write_text(kept(("2.2", RIGHT)), encoding="utf-16")
    out = folder.parent / "marks.csv"
    begun = time.monotonic()
    assert mark.main([str(folder), "--out", str(out), "--yes"]) == 0
    took = time.monotonic() - begun
    with out.open(encoding="utf8", newline="") as file:
        rows = list(csv.DictReader(file))
    page = out.with_suffix(".html").read_text(encoding="utf8")
    return (
        {
            name: [row for row in rows if row["file"] == f"{name}.json"]
            for name in [*honest, *HOSTILE, "loop", "nojson", "encoding"]
        },
        took,
        page,
    )


def test_honest_answers(marked):
    found, _, _ = marked
    assert [found[name][0]["status"] for name in ("ada", "bob", "eve")] == ["correct"] * 3
    assert found["cleo"][0]["status"] in ("almost", "not yet")
    assert found["dan"][0]["status"] in ("almost", "not yet")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("monkeypatching", "values"),
        ("exit", "SystemExit"),
        ("killed", "ended the program"),
        ("memory", "MemoryError"),
        ("recursion", "RecursionError"),
        ("solution", "ImportError"),
        ("loop", "did not end in time"),
    ],
)
def test_hostile_answers(marked, name, reason):
    found, _, _ = marked
    assert found[name][0]["status"] == "not yet"
    assert reason in found[name][0]["reason"]


def test_nothing_is_written(marked, tmp_path_factory):
    """The file is there and empty: its making is not prevented, its content is, and the answer is right."""
    found, _, _ = marked
    assert (tmp_path_factory.getbasetemp() / "written.txt").stat().st_size == 0
    assert found["written"][0]["status"] == "correct"


def test_what_cannot_be_read_or_is_not_known_is_a_row(marked):
    found, _, page = marked
    assert [found[name][0]["status"] for name in ("nojson", "encoding")] == ["unreadable"] * 2
    assert "UTF-8" in found["encoding"][0]["reason"]
    assert (found["loop"][1]["exercise"], found["loop"][1]["status"]) == ("9.99", "unknown")
    assert page.count("<tr class=") == 16
    assert "<script" not in page


def test_it_takes_at_most_a_minute(marked):
    assert marked[1] < 60


def test_it_asks_first_and_says_what_is_not_prevented(tmp_path, capsys, monkeypatch):
    (tmp_path / "ada.json").write_text(kept(("2.2", RIGHT)), encoding="utf8")
    monkeypatch.setattr("builtins.input", lambda question: "n")
    assert mark.main([str(tmp_path), "--out", str(tmp_path / "marks.csv")]) == 1
    said = capsys.readouterr().out
    assert "NOT prevented" in said
    assert said.index("NOT prevented") < said.index("Nothing was run")
    assert not (tmp_path / "marks.csv").exists()


def test_a_folder_that_is_none_is_refused(tmp_path):
    with pytest.raises(SystemExit):
        mark.main([str(tmp_path / "missing"), "--yes"])
    with pytest.raises(ValueError, match="no files"):
        mark.mark_folder(tmp_path)


def test_the_start_of_its_process_is_not_the_answers_time(monkeypatch, tmp_path):
    start = mark.Process.start

    def slow_start(process):
        if process.running is None:
            time.sleep(mark.PER_ANSWER + 0.1)
        return start(process)

    monkeypatch.setattr(mark, "PER_ANSWER", 2.0)
    monkeypatch.setattr(mark.Process, "start", slow_start)
    file = tmp_path / "ada.json"
    file.write_text(kept(("2.2", RIGHT)), encoding="utf8")
    assert [one.status for one in mark.mark_file(file)] == ["correct"]
