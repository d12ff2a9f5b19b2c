"""Rewrite the exercise cells of every chapter from the solutions in book/exercises/."""

import sys
from pathlib import Path

from labnoise.teaching.stubs import main

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "book" / "_ext"))

from bookbuild import contents  # noqa: E402

if __name__ == "__main__":
    exercises = sorted(map(str, (ROOT / "book" / "exercises").glob("ch*.py")))
    sys.exit(main(["sync", "--exercises", *exercises, "--", *map(str, contents.chapters(ROOT))]))
