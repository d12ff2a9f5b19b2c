"""How long each chapter runs from a cold kernel, as a reader runs it and as the build does, and each of its figures.

python benchmarks/chapters.py [--write]
"""

from __future__ import annotations

import os
import re
import resource
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "book" / "_ext"))

import jupytext
import report
from bookbuild import contents
from nbclient import NotebookClient

ROOT = Path(__file__).parents[1]
ASKED_S = 60


def run(chapter: Path, builds: bool) -> tuple[float, float, list[tuple[str, float]]]:
    """Seconds on the clock, seconds of CPU, and the seconds of each figure and widget.

    The build draws a widget's pictures at many settings, between which the page moves; a reader's kernel draws one.
    """
    notebook = jupytext.read(chapter)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory() as frames:
        os.environ |= {"LABNOISE_PROGRESS": "0", "JAX_PLATFORMS": "cpu"}
        os.environ.pop("LABNOISE_FRAMES", None)
        if builds:
            os.environ["LABNOISE_FRAMES"] = frames
        NotebookClient(notebook, timeout=600, record_timing=True).execute(cwd=str(chapter.parent))
    clock = time.perf_counter() - begin
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    section, shown = "", []
    for cell in notebook.cells:
        headings = re.findall(r"^#+ (.+)$", cell.source, re.MULTILINE) if cell.cell_type == "markdown" else []
        section = headings[-1] if headings else section
        figure = cell.metadata.get("mystnb", {}).get("figure", {}).get("name")
        if cell.cell_type == "code" and (figure or "explore(" in cell.source):
            stamps = cell.metadata["execution"]
            first, last = (
                datetime.fromisoformat(stamps[name].replace("Z", "+00:00"))
                for name in ("iopub.execute_input", "shell.execute_reply")
            )
            name = f"{{numref}}`{figure}`" if figure else f"the widget of *{section}*"
            shown.append((name, (last - first).total_seconds()))
    return clock, cpu, shown


def main() -> None:
    os.environ.pop("JAX_COMPILATION_CACHE_DIR", None)  # what one chapter compiles is not to serve the next
    rows = []
    for chapter in contents.chapters(ROOT):
        clock, cpu, shown = run(chapter, builds=False)
        building, building_cpu, built = run(chapter, builds=True)
        title = f"{{doc}}`/book/{chapter.stem}`"
        times = f"**{clock:.0f} s** (asked ≤ {ASKED_S}), CPU {cpu:.0f} s"
        rows.append([f"**{title}**", times, f"**{building:.0f} s**, CPU {building_cpu:.0f} s"])
        rows += [
            [name, f"{seconds:.1f} s", f"{longer:.1f} s"]
            for (name, seconds), (_, longer) in zip(shown, built, strict=True)
        ]
    report.publish(
        "chapters", ["chapter, figure", "a reader's run, from cold", "the build's, from cold"], rows
    )


if __name__ == "__main__":
    main()
