"""One style sheet for all pages: those of the theme and its extensions, less the rules that no page can use.

They come as fifteen sheets of 0.6 MB, and until the last one is there and parsed a browser paints nothing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import tinycss2
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

SHEET = "all.css"
# Linked by the theme's template, not by way of Sphinx.
THEME = [
    "basic.css",
    "styles/bootstrap.css",
    "styles/pydata-sphinx-theme.css",
    "vendor/fontawesome/6.5.2/css/all.min.css",
]
# Whole: these name classes that scripts put together.
WHOLE = {"katex/katex.min.css", "book.css", "explore.css"}
# Bootstrap's script puts together, of all its classes, those of its tooltips.
PUT_TOGETHER = "bs-"


def link(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Every page links the one sheet; what it would have linked goes into it."""
    app.afterzero_sheets = THEME + [  # type: ignore[attr-defined]
        Path(sheet.filename).relative_to("_static").as_posix() for sheet in context["css_files"]
    ]
    context["css_files"] = [f"_static/{SHEET}"]


def write(app: Sphinx, exception: Exception | None) -> None:
    """Write the sheet, once all pages are there to be looked at. A build that wrote no page leaves it as it was."""
    if exception or app.builder.format != "html" or not hasattr(app, "afterzero_sheets"):
        return
    static = Path(app.outdir) / "_static"
    names = words(Path(app.outdir))
    parts = []
    for name in app.afterzero_sheets:
        css = (static / name).read_text(encoding="utf8")
        parts.append(rebase(css if name in WHOLE else without_unused(css, names), name))
    (static / SHEET).write_text("\n".join(parts), encoding="utf8")


def words(html: Path) -> set[str]:
    """All that could be the name of a class or an id, in any page or script."""
    files = [*html.rglob("*.html"), *html.rglob("*.js")]
    return {
        word for file in files for word in re.findall(r"[^\s\"'`<>=.,;(){}\[\]]+", file.read_text("utf8"))
    }


def rebase(css: str, name: str) -> str:
    """What a sheet asks for, it asks for beside itself."""
    folder = os.path.dirname(name)
    return re.sub(
        r"url\(\s*[\"']?(?![\"']?(?:data:|#))([^\"')]+)[\"']?\s*\)",
        lambda found: f"url({os.path.normpath(os.path.join(folder, found[1]))})",
        css,
    )


def without_unused(css: str, names: set[str]) -> str:
    return _kept(tinycss2.parse_stylesheet(css, skip_whitespace=True), names)


def _kept(rules: list, names: set[str]) -> str:
    kept = []
    for rule in rules:
        if rule.type == "error":
            raise ExtensionError(f"a style sheet of the theme cannot be read: {rule.message}")
        if rule.type == "qualified-rule":
            selectors = [alternative for alternative in _split(rule.prelude) if _usable(alternative, names)]
            if selectors:
                kept.append(
                    f"{','.join(map(tinycss2.serialize, selectors))}{{{tinycss2.serialize(rule.content)}}}"
                )
        elif rule.type == "at-rule" and rule.lower_at_keyword in ("media", "supports") and rule.content:
            inside = _kept(tinycss2.parse_rule_list(rule.content, skip_whitespace=True), names)
            if inside:
                kept.append(f"@{rule.at_keyword}{tinycss2.serialize(rule.prelude)}{{{inside}}}")
        elif rule.type == "at-rule":
            kept.append("" if rule.lower_at_keyword == "charset" else rule.serialize())
        elif rule.value.startswith("!"):  # a comment that says whose the sheet is
            kept.append(rule.serialize())
    return "\n".join(kept)


def _split(selectors: list) -> Iterator[list]:
    """The alternatives of a selector, which commas part."""
    alternative: list = []
    for token in selectors:
        if token == ",":
            yield alternative
            alternative = []
        else:
            alternative.append(token)
    yield alternative


def _usable(selector: list, names: set[str]) -> bool:
    """False if it asks for a class or an id that no page has. What is in brackets, as in :not(), is not looked at."""
    asked = [
        token.value for before, token in pairwise(["", *selector]) if token.type == "hash" or before == "."
    ]
    return all(name in names or name.startswith(PUT_TOGETHER) for name in asked)
