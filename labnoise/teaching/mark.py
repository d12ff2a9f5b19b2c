"""Mark a folder of answers, one file a student.

    python -m labnoise.teaching.mark FOLDER --out marks.csv

Other people's code runs in processes of its own, with limits; it is given inputs and gives back results, and the
verdicts are found here, where nothing of it reaches.
"""

from __future__ import annotations

import argparse
import csv
import html
import json
import os
import selectors
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labnoise.teaching import Verdict, _cells, _journal, find_exercise
from labnoise.teaching._exercise import Withdrawn
from labnoise.teaching._limits import TooSlow
from labnoise.teaching._worker import decode, encode

SECONDS = 10.0  # a file
PER_ANSWER = 5.0  # so that one endless loop does not take the time of all
MEMORY = 4 * 2**30
LARGEST = 5 * 10**6  # bytes of a file, and of a result
WARNING = """\
{count} files in {folder}: marking runs the programs that are in them.

Each file runs in a process of its own, at most {seconds:g} s, with at most 4 GB of memory, in an empty folder, and can
write no file larger than nothing. Verdicts are made outside of it, and the book's solutions cannot be imported there.
NOT prevented: reading files of this account, using the network, making empty files or deleting files,
starting other programs, and copying a solution's text from the book's sources.
Mark on an account, or in a container, that has nothing to lose.
"""


@dataclass(frozen=True)
class Mark:
    """A row of the table; without an exercise where a file could not be read."""

    file: str
    exercise: str
    status: str
    reason: str
    text: str = ""


class Stopped(TooSlow):
    """The answer's process has ended, or was ended."""


class Process:
    """The process in which the answers of one file run; a new one takes the place of one that ended."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.left = SECONDS
        self.running: subprocess.Popen[bytes] | None = None

    def ask(self, question: dict[str, Any], until: float) -> dict[str, Any]:
        """Its answer to a line of JSON.

        Raises
        ------
        Stopped
            If there is none within the time, or it ended.
        """
        running = self.start()
        assert running.stdin
        assert running.stdout
        try:
            running.stdin.write(json.dumps(question).encode() + b"\n")
            running.stdin.flush()
        except OSError:
            self.end()
            raise Stopped("it ended the program") from None
        said = b""
        with selectors.DefaultSelector() as selector:
            selector.register(running.stdout, selectors.EVENT_READ)
            while not said.endswith(b"\n"):
                if not selector.select(max(until - time.monotonic(), 0)):
                    self.end()
                    raise Stopped("it did not end in time")
                piece = os.read(running.stdout.fileno(), 2**16)
                if not piece or len(said) > LARGEST:
                    self.end()
                    raise Stopped("its result is too large" if piece else "it ended the program")
                said += piece
        try:
            found = json.loads(said)
            assert isinstance(found, dict)
        except (ValueError, AssertionError, RecursionError):
            self.end()
            raise Stopped("it wrote into the line to the marking program") from None
        return found

    def start(self) -> subprocess.Popen[bytes]:
        """Start it if it does not run, and wait until it has imported what it needs: that is not an answer's time."""
        if self.running is None:
            command = [
                sys.executable,
                "-I",
                "-m",
                "labnoise.teaching._worker",
                str(round(SECONDS)),
                str(MEMORY),
            ]
            known = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
            self.running = subprocess.Popen(
                command,
                cwd=self.folder,
                env=known | {"HOME": self.folder, "JAX_PLATFORMS": "cpu", "MPLBACKEND": "agg"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            assert self.running.stdout
            self.running.stdout.readline()
        return self.running

    def end(self) -> None:
        """End it, and what it has started."""
        if self.running is not None:
            if hasattr(os, "killpg"):
                os.killpg(self.running.pid, 9)
            else:
                self.running.kill()
            self.running.communicate()
            self.running = None


def mark_folder(folder: str | Path) -> list[Mark]:
    """The marks of every file in a folder, whatever is in it.

    Parameters
    ----------
    folder : path
        One file a student, as `check` keeps them or `save_answers` writes them.

    Returns
    -------
    list of Mark

    Raises
    ------
    ValueError
        If there is no such folder, or no file in it.
    """
    folder = Path(folder)
    files = sorted(path for path in folder.glob("*") if path.is_file() and not path.name.startswith("."))
    if not files:
        raise ValueError(
            f"folder = {str(folder)!r}: there are no files in it; name the folder of the answers"
        )
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return [mark for marks in pool.map(mark_file, files) for mark in marks]


def mark_file(path: Path) -> list[Mark]:
    """The marks of one file: a row an answer, or one that says why it could not be read."""
    try:
        if path.stat().st_size > LARGEST:
            raise ValueError(f"it has more than {LARGEST // 10**6} million bytes")
        saved = _journal.read(path)
    except (OSError, ValueError) as error:
        reason = str(error).partition(": ")[0] if isinstance(error, OSError) else _why(path, error)
        return [Mark(path.name, "", "unreadable", reason)]
    with tempfile.TemporaryDirectory() as empty:
        process = Process(empty)
        try:
            return [_mark(path.name, entry, process) for entry in saved.values()]
        finally:
            process.end()


def _why(path: Path, error: ValueError) -> str:
    try:
        path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        return "it is not in UTF-8, as JSON is"
    return "it holds no answers" if "holds no saved answers" in str(error) else str(error)


def _mark(file: str, entry: _journal.Entry, process: Process) -> Mark:
    try:
        verdict = _verdict(entry, process)
    except Withdrawn as gone:
        return Mark(file, entry.exercise, "withdrawn", str(gone), entry.text)
    except ValueError:
        return Mark(file, entry.exercise, "unknown", "the book has no such exercise", entry.text)
    return Mark(file, entry.exercise, verdict.status, verdict.message, entry.text)


def _verdict(entry: _journal.Entry, process: Process) -> Verdict:
    asked = find_exercise(entry.exercise)
    if entry.is_value:
        try:
            return asked.mark(_journal.unplain(entry.value))
        except (LookupError, TypeError, ValueError):
            return Verdict("not yet", "The value could not be read.")
    if process.left <= 0:
        return Verdict("not yet", f"It was not run: the file's {SECONDS:g} s were used up.")
    cell = _cells.as_cell(entry.exercise, entry.text)
    process.start()
    begun = time.monotonic()
    until = begun + min(PER_ANSWER, process.left)
    try:
        said = process.ask({"exercise": entry.exercise, "text": cell}, until)
        if "error" in said:
            return Verdict("not yet", f"The cell raised {_named(said)}")
        return asked.mark(_elsewhere(process, until) if "function" in said else decode(said["value"]))
    except Stopped as stop:
        return Verdict("not yet", f"Stopped: {stop}.")
    finally:
        process.left -= time.monotonic() - begun


def _elsewhere(process: Process, until: float) -> Callable[..., Any]:
    """A function that is applied in the answer's own process."""
    stopped: list[Stopped] = []

    def apply(*case: Any) -> Any:
        if stopped:
            raise stopped[0]
        try:
            said = process.ask({"call": encode(case)}, until)
        except Stopped as stop:
            stopped.append(stop)
            raise
        if "error" in said:
            raise type(str(said["error"])[:60], (Exception,), {"where": str(said["line"])[:200]})(
                said["says"]
            )
        return decode(said["value"])

    return apply


def _named(said: dict[str, Any]) -> str:
    where = f" ({said['line']})" if said.get("line") else ""
    return f"{said['error']}: {said['says']}{where}"


def write_csv(marks: Sequence[Mark], path: Path) -> None:
    """The table `file,exercise,status,reason`; what a spreadsheet would take for a formula gets an apostrophe."""
    with path.open("w", encoding="utf8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file", "exercise", "status", "reason"])
        for mark in marks:
            row = [mark.file, mark.exercise, mark.status, " ".join(mark.reason.split())]
            table.writerow([f"'{item}" if item.startswith(("=", "+", "-", "@")) else item for item in row])


def write_page(marks: Sequence[Mark], path: Path) -> None:
    """The same for reading, with the answers' text."""
    rows = []
    for mark in marks:
        text = (
            f"<details><summary>text</summary><pre>{html.escape(mark.text)}</pre></details>"
            if mark.text
            else ""
        )
        cells = [mark.file, mark.exercise, mark.status, mark.reason]
        rows.append(
            f'<tr class="{mark.status.replace(" ", "-")}">'
            + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells)
            + f"<td>{text}</td></tr>"
        )
    path.write_text(_PAGE.replace("ROWS", "\n".join(rows)), encoding="utf8")


_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Marks</title>
<style>
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
td, th { border-top: 1px solid #8888; padding: .3rem .6rem; text-align: left; vertical-align: top; }
tr.correct td:nth-child(3) { border-left: .3rem solid #009e73; }
tr.almost td:nth-child(3) { border-left: .3rem solid #e69f00; }
tr:not(.correct, .almost) td:nth-child(3) { border-left: .3rem solid #d55e00; }
pre { overflow-x: auto; max-width: 30rem; }
</style>
<h1>Marks</h1>
<table><thead><tr><th>file</th><th>exercise</th><th>status</th><th>reason</th><th>answer</th></tr></thead><tbody>
ROWS
</tbody></table></html>
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; 1 if it was not allowed to run the answers."""
    parser = argparse.ArgumentParser(
        prog="python -m labnoise.teaching.mark", description="Mark a folder of answers."
    )
    parser.add_argument("folder", type=Path, help="one file of answers a student")
    parser.add_argument(
        "--out", type=Path, default=Path("marks.csv"), help="the table; beside it a page, .html"
    )
    parser.add_argument("--yes", action="store_true", help="do not ask before other people's code runs")
    given = parser.parse_args(arguments)
    if not given.folder.is_dir():
        parser.error(f"{given.folder} is no folder")
    count = sum(path.is_file() for path in given.folder.glob("*"))
    print(WARNING.format(count=count, folder=given.folder, seconds=SECONDS))
    if not given.yes:
        try:
            agreed = input("Run them? [y/N] ").strip().lower() in ("y", "yes")
        except EOFError:
            agreed = False
        if not agreed:
            print("Nothing was run.")
            return 1
    marks = mark_folder(given.folder)
    write_csv(marks, given.out)
    page = given.out.with_suffix(".html")
    write_page(marks, page)
    correct = sum(mark.status == "correct" for mark in marks)
    print(f"{len(marks)} rows, {correct} correct: {given.out}, to read: {page}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
