"""A benchmark's table: printed, and with --write kept in benchmarks/results/ for the book's page Measurements."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


def publish(name: str, head: list[str], rows: list[list[str]]) -> None:
    lines = ["| " + " | ".join(cells) + " |" for cells in [head, ["---"] * len(head), *rows]]
    text = "\n".join(lines)
    print(text)
    if "--write" in sys.argv:
        RESULTS.mkdir(exist_ok=True)
        where = f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}"
        (RESULTS / f"{name}.md").write_text(f"{text}\n\n*Measured by `benchmarks/{name}.py`: {where}.*\n")


def run_parts(name: str, parts: dict[str, Callable[[], None]]) -> None:
    """Run the parts named on the command line, or all; several each in a process, so that peak memory is its own.

    A part prints its rows, cells between bars; the rows of all make the table.
    """
    wanted = [word for word in sys.argv[1:] if word in parts] or list(parts)
    if len(wanted) == 1:
        parts[wanted[0]]()
        return
    rows = []
    for part in wanted:
        command = [sys.executable, sys.argv[0], part]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        rows += [[cell.strip() for cell in line.split("|")] for line in output.splitlines() if "|" in line]
    publish(name, ["what", "asked", "measured"], rows)
