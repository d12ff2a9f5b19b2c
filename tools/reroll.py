"""Run all pages that have claims under other dice and see which of these still hold: `make reroll SHIFTS=8`.

    python tools/reroll.py [--shifts 8] [--chapter N | --in-turn] [--write]

They are the chapters, 1, 2, …, and the page `errata`.

The shifts are drawn from the hash of the last commit, so that nobody tunes to them. A claim stands if it holds under
every shift and its mean margin is at least three standard errors of a single margin from zero, or if it is the printed
book's own frequency; and if its change makes it fail every time.
"""

import argparse
import hashlib
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from math import isfinite
from pathlib import Path
from statistics import mean, stdev

import jupytext
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "book" / "_ext"))

from bookbuild import contents  # noqa: E402

RESULTS = ROOT / "book" / "reroll.json"
ENOUGH = 6  # shifts to tell from them how far a margin scatters


def commit() -> str:
    """The hash of the last commit."""
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def draw_shifts(commit: str, number: int) -> list[int]:
    """Whole numbers between 1 and a million that follow from the commit."""
    return [1 + int(hashlib.sha256(f"{commit} {i}".encode()).hexdigest(), 16) % 10**6 for i in range(number)]


def pages(root: Path) -> dict[str, Path]:
    """The chapters by their numbers, and by their names the other pages that have claims."""
    numbered = contents.chapters(root)
    others = [path for page in contents.pages(root) if (path := root / f"{page}.md") not in numbered]
    with_claims = [
        path for path in others if "from afterzero.claims import" in path.read_text(encoding="utf8")
    ]
    return {str(i): path for i, path in enumerate(numbered, 1)} | {path.stem: path for path in with_claims}


def run(chapter: Path, shift: int) -> list[dict]:
    """The claims of one page under one shift."""
    with tempfile.TemporaryDirectory() as folder:
        record = Path(folder) / "claims.jsonl"
        settings = {"AFTERZERO_SHIFT": str(shift), "AFTERZERO_CLAIMS": str(record)}
        settings |= {"LABNOISE_PROGRESS": "0", "JAX_PLATFORMS": "cpu", "OPENBLAS_NUM_THREADS": "1"}
        client = NotebookClient(jupytext.read(chapter), timeout=900, kernel_name="python3")
        stopped = []
        try:
            client.execute(cwd=str(chapter.parent), env=os.environ | settings)
        except CellExecutionError as error:  # the other pages are worth knowing about
            says = f"an error under the shift {shift}: {str(error).strip().splitlines()[-1]}"
            stopped = [
                {"claim": "every cell runs", "says": says, "shift": shift, "margin": -1.0, "broken": -1.0}
            ]
        lines = record.read_text(encoding="utf8").splitlines() if record.exists() else []
    return [entry | {"chapter": chapter.stem} for entry in [*map(json.loads, lines), *stopped]]


def table(found: list[dict]) -> list[dict]:
    """One row a claim: how often it held, its least and mean margin, whether its change broke it every time."""
    rows = {}
    for entry in found:
        rows.setdefault((entry["chapter"], entry["claim"], entry["says"]), []).append(entry)
    return [
        {
            "chapter": chapter,
            "claim": claim,
            "says": says,
            "shifts": len(entries),
            "held": sum(entry["margin"] > 0 for entry in entries),
            "least": min(margins := [entry["margin"] for entry in entries]),
            "sigmas": sigmas(margins),
            "can_fail": all(entry["broken"] < 0 for entry in entries),
        }
        for (chapter, claim, says), entries in rows.items()
    ]


def sigmas(margins: list[float]) -> float | None:
    """How many standard deviations the margins lie from zero; None where they do not vary, or are no numbers."""
    if len(margins) < 2 or not all(map(isfinite, margins)) or stdev(margins) == 0:
        return None
    return mean(margins) / stdev(margins)


def faults(rows: list[dict]) -> list[str]:
    """What is wrong with a claim, a sentence each."""
    found = []
    for row in rows:
        where = f"{row['chapter']}, “{row['claim']}”"
        if row["held"] < row["shifts"]:
            found.append(f"{where}: held under {row['held']} of {row['shifts']} shifts ({row['says']})")
        elif row["shifts"] >= ENOUGH and row["sigmas"] is not None and row["sigmas"] < 3:
            found.append(
                f"{where}: its margin is only {row['sigmas']:.1f} standard deviations of it from zero"
            )
        if not row["can_fail"]:
            found.append(f"{where}: it holds with its change as well, and so says nothing")
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    every, here = pages(ROOT), commit()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shifts", type=int, default=8)
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument("--chapter", choices=every, help="this one only")
    chosen.add_argument("--in-turn", action="store_true", help="one, which the commit chooses")
    parser.add_argument("--write", action="store_true", help="keep the table, which the book prints")
    given = parser.parse_args(arguments)
    chapters = list(every.values())
    if given.in_turn:
        chapters = [chapters[draw_shifts(here, given.shifts + 1)[-1] % len(chapters)]]
    elif given.chapter:
        chapters = [every[given.chapter]]
    jobs = [(chapter, shift) for chapter in chapters for shift in draw_shifts(here, given.shifts)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = [entry for entries in pool.map(lambda job: run(*job), jobs) for entry in entries]
    rows = table(found)
    for row in rows:
        sigmas = "  —" if row["sigmas"] is None else f"{row['sigmas']:5.1f}"
        held = f"{row['held']}/{row['shifts']}  least {row['least']:9.3g}  {sigmas} σ"
        print(f"{held}  {row['chapter'][:2]}  {row['claim']}")
    if given.write:
        packages = ", ".join(f"{name} {version(name)}" for name in ("labnoise", "jax", "numpy"))
        about = {
            "commit": here,
            "shifts": draw_shifts(here, given.shifts),
            "made": f"{packages}, Python {platform.python_version()}",
        }
        RESULTS.write_text(
            json.dumps(about | {"claims": rows}, indent=1, ensure_ascii=False) + "\n", encoding="utf8"
        )
    print(f"{len(rows)} claims, {len(jobs)} executions")
    if wrong := faults(rows):
        raise SystemExit("\n".join(wrong))


if __name__ == "__main__":
    main()
