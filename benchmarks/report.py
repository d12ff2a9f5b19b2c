"""A benchmark's table: printed, and with --write kept in benchmarks/results/ for the book's page Measurements."""

from __future__ import annotations

import os
import platform
import sys
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
