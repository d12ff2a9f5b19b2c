"""What a change can touch: pages are written anew when anything is that other pages show of them.

Sphinx writes a page whose own source or own numbers changed. Titles stand in every side bar, numbers and labels in
cross-references, and it would leave both as they were on all other pages.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment


def changed(app: Sphinx, env: BuildEnvironment, added: set, modified: set, removed: set) -> set[str]:
    """Pages that are, with all that they include, not what was read last: Sphinx looks only at times of files."""
    before = getattr(env, "afterzero_contents", {})
    return {page for page in env.all_docs.keys() & env.found_docs if before.get(page) != _contents(env, page)}


def remember(app: Sphinx, env: BuildEnvironment) -> None:
    env.afterzero_contents = {page: _contents(env, page) for page in env.found_docs}  # type: ignore[attr-defined]


def touched(app: Sphinx, env: BuildEnvironment) -> set[str]:
    """All pages if what they show of each other has changed, after Sphinx has counted: see `shared`."""
    now = hashlib.sha256(repr(shared(env)).encode()).hexdigest()
    before = getattr(env, "afterzero_shared", now)
    env.afterzero_shared = now  # type: ignore[attr-defined]  # kept with the environment, of which it is a part
    return set() if now == before else set(env.found_docs)


def shared(env: BuildEnvironment) -> object:
    """What a page can show of another one: the contents, titles, numbers, labels and sources of the book."""
    citations = env.get_domain("cite").data if "cite" in env.domains else {}
    cited = sorted(
        (each.docname, each.citation_ref_id, [target.key for target in each.targets])
        for each in citations.get("citation_refs", ())
    )
    entries = [(each.key, each.formatted_entry) for each in citations.get("citations", ())]
    named = sorted((key, entry.label, str(entry.text)) for key, entry in entries)
    contents = Path(env.srcdir, "_toc.yml")  # the captions of its parts stand in every side bar
    proofs = getattr(env, "proof_list", {})
    exercises = getattr(env, "sphinx_exercise_registry", {})
    domains = (env.domaindata[name] for name in ("std", "math", "py") if name in env.domaindata)
    return _plain(
        [
            env.titles,
            env.toctree_includes,
            env.toc_secnumbers,
            env.toc_fignumbers,
            *domains,
            cited,
            named,
            contents.read_text(encoding="utf8") if contents.is_file() else "",
            {label: {key: proof[key] for key in proof if key != "node"} for label, proof in proofs.items()},
            {
                label: [part.astext() for part in each["node"].children[:1]]
                for label, each in exercises.items()
            },
        ]
    )


def _plain(value: object) -> object:
    """The same in an order that is always the same, of nodes the text."""
    if isinstance(value, nodes.Node):
        return value.astext()
    if isinstance(value, dict):
        return sorted((repr(key), repr(_plain(part))) for key, part in value.items())
    if isinstance(value, (set, frozenset)):
        return sorted(repr(_plain(part)) for part in value)
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    return repr(value)


def _contents(env: BuildEnvironment, page: str) -> str:
    digest = hashlib.sha256()
    files = {Path(env.srcdir, name) for name in env.dependencies[page]} if page in env.dependencies else set()
    for path in [Path(env.doc2path(page)), *sorted(files)]:
        digest.update(path.read_bytes() if path.is_file() else b"gone")
    return digest.hexdigest()


def drop_removed(app: Sphinx, exception: Exception | None) -> None:
    """A page that has left the book, or has another name, is not to be found any more."""
    if exception or app.builder.format != "html":
        return
    out = Path(app.outdir)
    for path in (out / "book").rglob("*.html"):
        if path.relative_to(out).with_suffix("").as_posix() not in app.env.found_docs:
            path.unlink()
