"""Rewrite the exercise cells of every chapter from the solutions in book/exercises/."""

import sys
from pathlib import Path

from labnoise.teaching.stubs import main

BOOK = Path(__file__).parents[1] / "book"

if __name__ == "__main__":
    exercises = sorted(map(str, (BOOK / "exercises").glob("ch*.py")))
    chapters = sorted(map(str, BOOK.glob("[0-9][0-9]-*.md")))
    sys.exit(main(["sync", "--exercises", *exercises, "--", *chapters]))
