"""A page's resolved document as Markdown that every notebook program shows: plain text, HTML and dollar mathematics."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from urllib.parse import quote, unquote

from docutils import nodes

BOX = '<div style="border-left: 4px solid {colour}; padding-left: 1em; margin: 1em 0">'
STATEMENT, EXERCISE, OTHER = "#0072b2", "#009e73", "#999999"
SPECIAL = re.compile(r"([\\`*_\[\]$])")
REFERENCES = {"std-numref", "std-ref", "prf-ref"}  # set as code on the page's way, not on the page
NAMED = ("exercise_enumerable_node", "citation")
LOOKS_LIKE_A_LIST = re.compile(r"^(\s*)(?:(\d+)([.)])|([-+#]))(?=\s)", re.MULTILINE)

PLACES: dict[int, dict[str, dict[str, str]]] = {}  # of a build: asked often, and not to be kept by Sphinx
Link = Callable[[str], str | None]  # what Sphinx links to → where a notebook finds it; None if nowhere


class Numbers:
    """The numbers that Sphinx has given on one page."""

    def __init__(self, env, docname: str) -> None:
        self.sections = env.toc_secnumbers.get(docname, {})
        self.figures = env.toc_fignumbers.get(docname, {})

    def of(self, kind: str, node: nodes.Element) -> str:
        known = self.figures.get(kind, {})
        return next((".".join(map(str, known[name])) for name in node["ids"] if name in known), "")

    def of_section(self, section: nodes.section) -> str:
        names = ["", *(f"#{name}" for name in section["ids"])]
        top = not isinstance(section.parent, nodes.section)
        found = [self.sections[name] for name in (names if top else names[1:]) if self.sections.get(name)]
        return ".".join(map(str, found[0])) + ". " if found else ""


def heading(node: nodes.Node, numbers: Numbers) -> str | None:
    """The text of the heading that a notebook shows for a node, if it shows one."""
    kind = type(node).__name__
    if isinstance(node, nodes.section):
        title = next((part for part in node.children if isinstance(part, nodes.title)), None)
        return numbers.of_section(node) + title.astext() if title is not None else None
    if "countertype" in getattr(node, "attributes", {}):
        name = f"{node['realtype'].title()} {numbers.of(node['countertype'], node)}"
        title = _plain_title(node)
        return f"{name} ({title})" if title else name
    if kind == "exercise_enumerable_node":
        return f"Exercise {numbers.of('exercise', node)} ({_plain_title(node)})"
    if kind == "citation":
        return node[0].astext()
    if isinstance(node, nodes.term):
        return node.astext()
    return None


def _plain_title(node: nodes.Element) -> str:
    """What an author called a statement or an exercise, without its kind and number."""
    title = node[0]
    sub = [part for part in title.children if type(part).__name__ == "exercise_subtitle"]
    text = (sub[0] if sub else title).astext().strip()
    text = re.sub(r"^(Exercise)\s*(%s)?\s*", "", text)
    return text[1:-1] if text.startswith("(") and text.endswith(")") else text


def is_code(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Element) and node.get("nb_element") == "cell_code"


def parts(node: nodes.Element, level: int = 0) -> Iterator[tuple[nodes.Node, int]]:
    """What a page consists of, in its order, with the level of the heading above; of lists of entries each entry."""
    for part in node.children:
        if isinstance(part, nodes.section):
            yield from parts(part, level + 1)
        elif (
            type(part).__name__ == "glossary"
            or "glossary" in getattr(part, "attributes", {}).get("classes", [])
            or (part.children and all(type(child).__name__ == "citation" for child in part.children))
        ):
            yield from parts(part, level)
        else:
            yield part, level


def _is_numbered(node: nodes.Node) -> bool:
    return isinstance(node, nodes.math_block) and bool(node.get("label"))


def start(node: nodes.Node) -> str | None:
    """The name of the cell that begins with a part of a page, where links may lead to this."""
    kind = type(node).__name__
    owner: nodes.Node | None = None
    if isinstance(node, nodes.title) and isinstance(node.parent, nodes.section):
        owner = node.parent
    elif is_code(node):
        owner = next(node.findall(nodes.figure), None)
    elif isinstance(node, nodes.definition_list_item):
        owner = node.next_node(nodes.term)
    elif "countertype" in getattr(node, "attributes", {}) or kind in NAMED or _is_numbered(node):
        owner = node
    if owner is None or not owner["ids"]:
        return None
    return re.sub(r"[^\w-]", "-", owner["ids"][0], flags=re.ASCII)[:64]


class Writer:
    """Markdown of the parts of one page."""

    def __init__(self, numbers: Numbers, link: Link) -> None:
        self.numbers, self.link = numbers, link

    # Blocks

    def blocks(self, parts: list[nodes.Node], level: int) -> str:
        """Some blocks, with blank lines between them."""
        return "\n\n".join(text for part in parts if (text := self.block(part, level).strip("\n")))

    def block(self, node: nodes.Node, level: int) -> str:
        for kind in type(node).__mro__:
            write = getattr(self, f"_{kind.__name__}", None)
            if write:
                return write(node, level)
        raise NotImplementedError(
            f"{type(node).__name__}: book/_ext/bookbuild/markdown.py has no way to write it"
        )

    def _section(self, node: nodes.section, level: int) -> str:
        return self.blocks(node.children, level)

    def _title(self, node: nodes.title, level: int) -> str:
        number = self.numbers.of_section(node.parent) if isinstance(node.parent, nodes.section) else ""
        return f"{'#' * level} {number}{self.inlines(node)}"

    def _paragraph(self, node: nodes.paragraph, level: int) -> str:
        return LOOKS_LIKE_A_LIST.sub(_harmless, self.inlines(node))

    def _math_block(self, node: nodes.math_block, level: int) -> str:
        number = self.numbers.of("displaymath", node) if node.get("label") else ""
        tag = f" \\tag{{{number}}}" if number else ""
        text = re.sub(r"\n\s*\n", "\n", node.astext().strip())
        return f"$$\n{text}{tag}\n$$"

    def _bullet_list(self, node: nodes.Element, level: int) -> str:
        return "\n".join(self._item(item, "- ", level) for item in node.children)

    def _enumerated_list(self, node: nodes.Element, level: int) -> str:
        first = node.get("start", 1)
        return "\n".join(self._item(item, f"{i}. ", level) for i, item in enumerate(node.children, first))

    def _item(self, node: nodes.Element, mark: str, level: int) -> str:
        lines = self.blocks(node.children, level).split("\n")
        return mark + "\n".join([lines[0], *(" " * len(mark) + line if line else "" for line in lines[1:])])

    def _definition_list(self, node: nodes.Element, level: int) -> str:
        return self.blocks(node.children, level)

    def _definition_list_item(self, node: nodes.Element, level: int) -> str:
        terms = [part for part in node.children if isinstance(part, nodes.term)]
        rest = [part for part in node.children if isinstance(part, nodes.definition)]
        heads = "\n\n".join(f"#### {self.inlines(term)}" for term in terms)
        return heads + "\n\n" + self.blocks([part for one in rest for part in one.children], level)

    def _block_quote(self, node: nodes.Element, level: int) -> str:
        return "\n".join(f"> {line}".rstrip() for line in self.blocks(node.children, level).split("\n"))

    def _literal_block(self, node: nodes.Element, level: int) -> str:
        return f"```{node.get('language', '')}\n{node.astext()}\n```"

    def _figure(self, node: nodes.figure, level: int) -> str:
        number = self.numbers.of("figure", node)
        caption = next((self.inlines(part) for part in node.findall(nodes.caption)), "")
        text = f"**Fig. {number}** {caption}" if number else caption
        described = next((image.get("alt", "") for image in node.findall(nodes.image)), "")
        if described:
            text += "\n\n" + _folded("The picture in words", escape(" ".join(described.split())))
        return text

    def _image(self, node: nodes.image, level: int) -> str:
        return f"*{escape(node.get('alt', ''))}*"

    def _table(self, node: nodes.table, level: int) -> str:
        rows = [
            [
                " ".join(self.blocks(entry.children, level).split("\n")).replace("|", "\\|")
                for entry in row.findall(nodes.entry)
            ]
            for row in node.findall(nodes.row)
        ]
        lines = [f"| {' | '.join(row)} |" for row in rows]
        return "\n".join([lines[0], "|" + " --- |" * len(rows[0]), *lines[1:]])

    def _Admonition(self, node: nodes.Element, level: int) -> str:
        """Statements, exercises and their solutions, and what else stands in a box."""
        kind = type(node).__name__
        name = heading(node, self.numbers)
        if kind == "proof_node":
            return self.blocks(node.children, level)
        if kind == "solution_node":
            name = f"Solution to Exercise {node['target_label'].removeprefix('ex-').replace('-', '.')}"
            return _folded(name, self.blocks(node.children[1:], level + 1))
        title = f"#### {_title_text(self.inlines(node[0]), name)}" if name else f"**{self.inlines(node[0])}**"
        colour = EXERCISE if kind.startswith("exercise") else STATEMENT if name else OTHER
        body = self.blocks(node.children[1:], level + 1)
        if "dropdown" in node["classes"]:
            return _folded(node[0].astext(), body)
        return f"{BOX.format(colour=colour)}\n\n{title}\n\n{body}\n\n</div>"

    def _admonition(self, node: nodes.Element, level: int) -> str:
        if "proof" in node["classes"]:  # its first paragraph begins with the word, as the fold does
            return _folded("Proof", re.sub(r"^Proof\. ", "", self.blocks(node.children, level + 1)))
        return self._Admonition(node, level)

    def _container(self, node: nodes.Element, level: int) -> str:
        return self.blocks(node.children, level)

    def _citation(self, node: nodes.Element, level: int) -> str:
        return f"##### {escape(node[0].astext())}\n\n{self.blocks(node.children[1:], level)}"

    def _Element(self, node: nodes.Element, level: int) -> str:
        if any(isinstance(part, nodes.Text) for part in node.children) or isinstance(node, nodes.Inline):
            return self.inlines(node)
        return self.blocks(node.children, level)

    def _target(self, node: nodes.Element, level: int) -> str:
        return ""

    _raw = _comment = _index = _toctree = _substitution_definition = _system_message = _colspec = _target
    _compact_paragraph = _paragraph

    # What stands in a line

    def inlines(self, node: nodes.Node) -> str:
        return "".join(self.inline(part) for part in node.children)

    def inline(self, node: nodes.Node) -> str:
        if isinstance(node, nodes.Text):
            return escape(node.astext())
        if isinstance(node, nodes.math):
            return f"${' '.join(node.astext().split())}$"
        if isinstance(node, nodes.math_block):
            return f"\n\n{self._math_block(node, 0)}\n\n"
        if isinstance(node, nodes.emphasis):
            return _around("*", self.inlines(node))
        if isinstance(node, nodes.strong):
            return _around("**", self.inlines(node))
        if isinstance(node, nodes.literal) and not REFERENCES & set(node["classes"]):
            return _code(node.astext())
        if isinstance(node, nodes.reference):
            text = self.inlines(node)
            where = node.get("refuri") or f"#{node.get('refid', '')}"
            found = where if not node.get("internal") and "refuri" in node else self.link(where)
            return f"[{text}]({found})" if found else text
        if isinstance(node, nodes.raw | nodes.image | nodes.target | nodes.comment) and not node.children:
            return ""
        return self.inlines(node)


def _title_text(inline: str, name: str) -> str:
    """A box's heading: its number from `name`, its words as they were written, mathematics and all."""
    start = name.split(" (")[0]
    words = re.sub(r"^(Exercise)\s*(%s)?\s*", "", inline.strip())
    if not words:
        return start
    return f"{start} {words}" if words.startswith("(") else f"{start} ({words})"


def _harmless(found: re.Match) -> str:
    """At the start of a line of prose a number with a point, or a sign, is no item of a list."""
    indent, number, point, sign = found.groups()
    return f"{indent}{number}\\{point}" if number else f"{indent}\\{sign}"


def _folded(title: str, body: str) -> str:
    return f'<details style="margin: 0 0 1em">\n<summary>{title}</summary>\n\n{body}\n\n</details>'


def _around(mark: str, text: str) -> str:
    inner = text.strip()
    if not inner:
        return text
    before, after = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
    return f"{before}{mark}{inner}{mark}{after}"


def _code(text: str) -> str:
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def escape(text: str) -> str:
    """Text that Markdown is to show as it stands."""
    return SPECIAL.sub(r"\\\1", text).replace("<", "&lt;").replace(">", "&gt;")


class Links:
    """Where a notebook's links lead: a heading of its own or of a neighbour, and nothing that does not exist."""

    def __init__(self, env, docname: str, names: dict[str, str]) -> None:
        self.env, self.docname, self.names = env, docname, names

    def __call__(self, uri: str) -> str | None:
        page, _, place = unquote(uri).partition("#")
        docname = self.docname
        if page:
            folder = PurePosixPath(self.docname).parent
            docname = str(folder / page).removesuffix(".html")
            docname = re.sub(r"[^/]+/\.\./", "", docname)
        if docname not in self.names:
            return None
        cell = places(self.env, docname).get(place) if place else None
        file = "" if docname == self.docname else quote(self.names[docname])
        return f"{file}#cell-id={cell}" if cell else file or None


def places(env, docname: str) -> dict[str, str]:
    """Identifier of a place on a page → the notebook's cell in which it is.

    Links to headings, which other programs know too, fail in JupyterLab where a title has mathematics or Greek.
    """
    known = PLACES.setdefault(id(env), {})
    if docname not in known:
        found = {
            entry.citation_id: entry.citation_id
            for entry in env.get_domain("cite").citations
            if entry.bibliography_key.docname == docname
        }
        cell, waiting = None, []
        for part, _ in parts(env.get_doctree(docname)):
            if part is not None and start(part):
                cell = start(part)
            inside = [part, *part.findall(nodes.Element)] if isinstance(part, nodes.Element) else []
            if isinstance(part, nodes.title):
                inside.append(part.parent)
            names = [name for node in inside for name in (*node["ids"], node.get("refid", "")) if name]
            waiting += names
            if cell:
                found.update(dict.fromkeys(waiting, cell))
                waiting = []
        known[docname] = found
    return known[docname]
