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
        where = f"Python {platform.python_version()}, {os.cpu_count()} cores of {processor()}, {platform.system()}"
        (RESULTS / f"{name}.md").write_text(f"{text}\n\n*Measured by `benchmarks/{name}.py`: {where}.*\n")


def processor() -> str:
    """What Linux calls it, and how fast it said it runs; elsewhere the kind."""
    try:
        told = dict(
            line.split(":", 1) for line in Path("/proc/cpuinfo").read_text().splitlines() if ":" in line
        )
        names = {name.strip(): value.strip() for name, value in told.items()}
        return f"{names['model name']} ({platform.machine()}, {float(names['cpu MHz']) / 1000:.2f} GHz)"
    except (OSError, KeyError):
        return platform.machine()


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
