"""The ledger: each numbered statement, the tests that guard it, the error that they allow and the one they found.

Statements are read from the chapters, guards from the `statement` markers of the tests, errors from what the tests
recorded (`make ledger` renews book/ledger.json).
"""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

from . import contents, myst

PROVED = {"theorem", "lemma", "proposition", "corollary"}
LABEL = re.compile(r"(thm|lem|prop|cor|def|ex)-[a-z0-9-]+")
RECORDS = "book/ledger.json"


def test_files(root: Path) -> list[Path]:
    return sorted((root / "tests").rglob("test_*.py"))


def numbered(chapter: Path) -> dict[str, str]:
    """Label → kind of each numbered block of a chapter, in their order."""
    return {
        directive.options["label"]: directive.kind.removeprefix("prf:")
        for directive in myst.read(chapter)
        if directive.kind.startswith("prf:") and "label" in directive.options
    }


def guards(root: Path) -> dict[str, list[str]]:
    """For each name in a `statement` marker, the tests that carry it, as `tests/test_x.py::test_y`."""
    found: dict[str, list[str]] = {}
    for path in test_files(root):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf8"))):
            for mark in getattr(node, "decorator_list", []):
                if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.statement":
                    test = f"{path.relative_to(root).as_posix()}::{node.name}"  # type: ignore[attr-defined]
                    found.setdefault(ast.literal_eval(mark.args[0]), []).append(test)
    return found


def gaps(root: Path) -> list[str]:
    """What is wrong between chapters and tests, a sentence each."""
    known = guards(root)
    labels = {label: kind for path in contents.chapters(root) for label, kind in numbered(path).items()}
    found = [
        f"{label} is not guarded: mark a test with @pytest.mark.statement({label!r}, asked=...)"
        for label, kind in labels.items()
        if kind in PROVED and label not in known
    ]
    found += [
        f"{tests[0]} names the statement {name}, which no chapter has"
        for name, tests in known.items()
        if LABEL.fullmatch(name) and name not in labels
    ]
    return found


def check(app: Sphinx) -> None:
    """A statement without a test, or a test of a statement that is gone, fails the build."""
    found = gaps(Path(app.srcdir))
    if found:
        raise ExtensionError("; ".join(found))


def number(value: float) -> str:
    """Two digits, and powers of ten where decimals would be long."""
    if value == 0 or 1e-3 <= abs(value) < 1e4:
        return f"{value:.2g}" if abs(value) < 100 else f"{value:.0f}"
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa}·10{str(int(exponent)).translate(str.maketrans('-0123456789', '⁻⁰¹²³⁴⁵⁶⁷⁸⁹'))}"


def rows(root: Path, names: list[str], known: dict[str, list[str]]) -> list[str]:
    """Lines of a Markdown table, one for each test of each of `names`."""
    records = {
        (record["statement"], record["test"]): record
        for record in json.loads((root / RECORDS).read_text(encoding="utf8"))["records"]
    }
    lines = ["| statement | guarded by | asked | measured |", "| --- | --- | --- | --- |"]
    for name in names:
        for test in known[name]:
            record = records.get((name, test))
            if record is None:
                raise ExtensionError(f"{RECORDS} has no record of {test}: run `make ledger`")
            shown = f"{{prf:ref}}`{name}`" if LABEL.fullmatch(name) else name.replace("|", "\\|")
            function = test.split("::")[1]
            lines.append(
                f"| {shown} | `{function}` | {number(record['asked'])} | {number(record['measured'])} |"
            )
    return lines


class Ledger(contents.Tables):
    """`{ledger}` prints the statements of the chapters, `{ledger} package` those that stand in none."""

    look = "ledger"

    def table(self, about: Path | str) -> list[str]:
        root = Path(self.env.srcdir)
        for path in [root / RECORDS, *test_files(root)]:
            self.env.note_dependency(str(path))
        known = guards(root)
        if about == "package":
            names = [name for name in known if not LABEL.fullmatch(name)]
        else:
            names = [name for name in numbered(Path(about)) if name in known]
        return rows(root, names, known)


class LedgerVersions(SphinxDirective):
    """`{ledger-versions}` says on what the records were made."""

    def run(self) -> list[nodes.Node]:
        self.env.note_dependency(str(Path(self.env.srcdir) / RECORDS))
        made = json.loads((Path(self.env.srcdir) / RECORDS).read_text(encoding="utf8"))["made"]
        return [nodes.paragraph(text=made)]
