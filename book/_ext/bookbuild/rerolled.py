"""The table of what fresh dice said of the chapters' claims, as `make reroll` left it."""

from __future__ import annotations

import json
from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from . import contents, ledger

RESULTS = "book/reroll.json"


class Rerolled(contents.Tables):
    """`{rerolled}` prints each claim of a chapter, how often it held, its least margin; `{rerolled} PAGE` of a page."""

    look = "ledger"

    def table(self, about: Path | str) -> list[str]:
        root = Path(self.env.srcdir)
        self.env.note_dependency(str(root / RESULTS))
        found = json.loads((root / RESULTS).read_text(encoding="utf8"))["claims"]
        rows = [row for row in found if row["chapter"] == Path(about).stem]
        if not rows:
            return ["The claims of this page have not been tried under other dice yet."]
        lines = ["| claim | held | least margin |", "| --- | --- | --- |"]
        for row in rows:
            text = f"*{row['claim'].partition(': ')[2]}*: {row['says']}".replace("|", "\\|").replace(
                "$", "\\$"
            )
            lines.append(f"| {text} | {row['held']} of {row['shifts']} | {ledger.number(row['least'])} |")
        return lines


class RerolledVersions(SphinxDirective):
    """`{rerolled-versions}` says of which commit and under which shifts."""

    def run(self) -> list[nodes.Node]:
        self.env.note_dependency(str(Path(self.env.srcdir) / RESULTS))
        found = json.loads((Path(self.env.srcdir) / RESULTS).read_text(encoding="utf8"))
        shifts = ", ".join(map(str, found["shifts"]))
        text = f"Commit {found['commit'][:12]}, shifts {shifts}; {found['made']}."
        return [nodes.paragraph(text=text)]
