"""Rewrite the exercise cells of every chapter from the solutions in book/exercises/, and the time that it says."""

import sys
from pathlib import Path

from labnoise.teaching.stubs import main

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "book" / "_ext"))

from bookbuild import contents, reading  # noqa: E402

if __name__ == "__main__":
    exercises = sorted(map(str, (ROOT / "book" / "exercises").glob("ch*.py")))
    chapters = contents.chapters(ROOT)
    failed = main(["sync", "--exercises", *exercises, "--", *map(str, chapters)])
    for chapter in chapters:
        chapter.write_text(reading.renew(chapter), encoding="utf8")
    sys.exit(failed)
