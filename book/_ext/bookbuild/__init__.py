"""What the book needs of Sphinx and YAML cannot say.

Each function below is one such need, connected to one Sphinx event in `setup`.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

from filelock import FileLock, Timeout
from myst_parser.sphinx_ext.mathjax import html_visit_displaymath
from PIL import Image
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.ext.mathjax import html_visit_math
from sphinx.util import logging

from labnoise.teaching.widgets.assets import ASSETS
from labnoise.teaching.widgets.static import REPORT

from . import (
    ahead,
    cache,
    compiled,
    docstrings,
    downloads,
    drawings,
    exercises,
    launch,
    ledger,
    notebooks,
    progress,
    rerolled,
    settings,
    stale,
    styles,
)

logger = logging.getLogger(__name__)


def lock_the_build(app: Sphinx, config) -> None:
    """Two builds into one folder would tear each other's files: the second one says so and stops."""
    lock = FileLock(Path(app.outdir).parent / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise ExtensionError(
            f"another build is writing to {app.outdir}: wait until it has finished, then build again"
        ) from None
    app.afterzero_lock = lock  # type: ignore[attr-defined]  # held until the process ends


def key_the_execution_cache(app: Sphinx, config) -> None:
    """Outputs that something besides the cells could have changed are made anew."""
    root, folder = Path(app.srcdir), Path(app.outdir).parent / "executed"
    app.afterzero_stale = cache.select(folder, cache.output_keys(root))  # type: ignore[attr-defined]
    config.nb_execution_cache_path = str(folder)
    # Sphinx compares this value with the last build's: a new one has every page read, or written, anew.
    config.afterzero_pages_key = cache.pages_key(root)
    compiled.heal()
    compiled.keep_quiet()
    frames = folder / "frames"
    frames.mkdir(exist_ok=True)
    os.environ["LABNOISE_FRAMES"] = str(frames)  # the kernel inherits it and shows widgets' static front
    os.environ["LABNOISE_PROGRESS"] = "0"
    os.environ["JAX_PLATFORMS"] = "cpu"  # the same numbers on every machine that builds the book
    # Threads of two kernels would wait for each other, at full speed.
    os.environ["OPENBLAS_NUM_THREADS"] = "1"


def keep_matplotlib_apart(app: Sphinx, config) -> None:
    """A reader's own settings, and the list of fonts of another installation, would change the pictures."""
    folder = os.environ.setdefault("MPLCONFIGDIR", str(Path(app.outdir).parent / "matplotlib"))
    for left in Path(folder).glob("*.matplotlib-lock"):
        left.unlink()  # of a build that was killed: each kernel would wait for it
    for fonts in Path(folder).glob("fontlist-*.json"):
        try:
            json.loads(fonts.read_text(encoding="utf8"))
        except ValueError:  # torn, by a kill or a full disk
            fonts.unlink()
    if not any(Path(folder).glob("fontlist-*.json")):
        # Not left to the kernels: each would make the list, and say on stderr that it takes a while.
        subprocess.run([sys.executable, "-c", "import matplotlib.font_manager"], check=True)


def read_stale_pages(app: Sphinx, env, added: set[str], changed: set[str], removed: set[str]) -> set[str]:
    """Pages whose outputs are made anew, though Sphinx finds their sources as they were."""
    return app.afterzero_stale & env.found_docs  # type: ignore[attr-defined]


def copy_assets(app: Sphinx) -> None:
    """The widgets' script and style lie in labnoise, for JupyterLab too."""
    static = Path(app.outdir) / "_static"
    static.mkdir(parents=True, exist_ok=True)
    for asset in ASSETS:
        shutil.copyfile(asset, static / asset.name)


def load_katex(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Pages with formulas load KaTeX, which book.js calls: they are ready sooner than with MathJax, by 0.2 s of 1.2."""
    if 'class="math' in context.get("body", ""):
        for name in ("katex", "auto-render", "copy-tex"):
            app.add_js_file(f"katex/{name}.min.js", defer="defer")


def drop_repeated_ids(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Extensions give all proofs of a page the same id, and all contents of exercises: nothing links to them."""
    if "body" in context:
        context["body"] = re.sub(r' id="(proof|(proof|exercise|solution)-content)"', "", context["body"])


def drop_plain_spans(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Names, punctuation and spaces have the colour of all code: without spans for them a page is a third smaller."""
    if "body" in context:
        context["body"] = re.sub(r'<span class="(?:n|nn|p|w)">([^<]*)</span>', r"\1", context["body"])


def drop_unused_assets(app: Sphinx, exception: Exception | None) -> None:
    """Themes and extensions ship what no page of this book loads."""
    for name in ("vendor/fontawesome/6.5.2/js", "sphinx-thebe.js", "sphinx-thebe.css"):
        path = Path(app.outdir) / "_static" / name
        if path.is_dir():
            shutil.rmtree(path)
        path.unlink(missing_ok=True)


def drop_slow_tab_stops(app: Sphinx, exception: Exception | None) -> None:
    """The theme lays out the whole page for each box that might scroll; book.js gives these boxes their tab stops."""
    if exception or app.builder.format != "html":
        return
    name = "static/scripts/pydata-sphinx-theme.js"
    theme = Path(import_module("pydata_sphinx_theme").__file__).parent / "theme" / "pydata_sphinx_theme"
    call = r',"complete"===document\.readyState\?(\w+)\(\):window\.addEventListener\("load",\1\)'
    script, found = re.subn(call, "", (theme / name).read_text(encoding="utf8"))
    if found != 1:
        raise ExtensionError(
            "the theme's script no longer looks for boxes that scroll as it did: see book.js"
        )
    (Path(app.outdir) / f"_{name}").write_text(script, encoding="utf8")


def shrink_figures(app: Sphinx, exception: Exception | None) -> None:
    """A figure of lines and a few colours needs no more than a palette of 256, and a third of the bytes."""
    if exception or app.builder.format != "html":
        return
    for path in (Path(app.outdir) / "_images").glob("*.png"):
        with Image.open(path) as picture:
            if picture.mode == "P":
                continue
            shrunk = picture.convert("RGB").quantize(256)
        shrunk.save(path, optimize=True)


def copy_frames(app: Sphinx, exception: Exception | None) -> None:
    """Every widget on a built page gets its pictures beside it; one that has none fails the build."""
    if exception or app.builder.format != "html":
        return
    source, target = Path(os.environ["LABNOISE_FRAMES"]), Path(app.outdir) / "_frames"
    used = set()
    for page in Path(app.outdir).joinpath("book").rglob("*.html"):
        used.update(re.findall(r'data-frames="([0-9a-f]+)"', page.read_text(encoding="utf8")))
    for name in sorted(used):
        if not (source / name).is_dir():
            raise ExtensionError(
                f"the pictures of widget {name} are gone: run `make clean`, then build again"
            )
        report = json.loads((source / name / REPORT).read_text(encoding="utf8"))
        for control, why in report["stepped because"].items():
            if why is not None:
                logger.info("%s: %s is stepped, because %s", report["draw"], control, why)
        if not (target / name).is_dir():
            shutil.copytree(source / name, target / name)
    if target.is_dir():
        for folder in target.iterdir():
            if folder.name not in used:
                shutil.rmtree(folder)


def finish(app: Sphinx, exception: Exception | None) -> None:
    """Only a build without a warning counts as finished: after any other the next one starts afresh."""
    if exception is None and app._warncount == 0:
        cache.mark_finished(Path(app.outdir).parent)


def setup(app: Sphinx) -> dict:
    app.add_config_value("afterzero_pages_key", "", "env")
    app.connect("config-inited", lock_the_build, priority=1)
    app.connect("config-inited", key_the_execution_cache, priority=2)
    app.connect("config-inited", keep_matplotlib_apart, priority=2)
    app.connect("config-inited", launch.set_repository, priority=3)
    app.connect("env-get-outdated", read_stale_pages)
    app.connect("env-get-outdated", stale.changed)
    app.connect("env-before-read-docs", ahead.execute)
    app.connect("env-updated", stale.remember)
    app.connect("env-get-updated", stale.touched, priority=900)  # after Sphinx has counted
    app.connect("builder-inited", ledger.check)
    app.connect("builder-inited", copy_assets)
    app.add_html_math_renderer("katex", (html_visit_math, None), (html_visit_displaymath, None))
    app.connect("html-page-context", load_katex)
    app.add_directive("ledger", ledger.Ledger)
    app.add_directive("ledger-versions", ledger.LedgerVersions)
    app.add_directive("rerolled", rerolled.Rerolled)
    app.add_directive("rerolled-versions", rerolled.RerolledVersions)
    app.add_directive("settings", settings.Settings)
    app.add_directive("progress", progress.Progress)
    app.add_directive("solutions", exercises.Solutions)
    app.connect("write-started", exercises.number_by_label)
    app.connect("doctree-read", drawings.show)
    app.connect("autodoc-process-docstring", docstrings.to_rest, priority=400)  # before Napoleon
    app.connect("autodoc-process-docstring", docstrings.without_double_brackets, priority=600)
    app.connect("doctree-resolved", notebooks.write, priority=900)
    app.connect("html-page-context", downloads.offer_notebook, priority=900)
    app.connect("html-page-context", downloads.open_notebook, priority=900)
    app.connect("html-page-context", drop_repeated_ids)
    app.connect("html-page-context", drop_plain_spans)
    app.connect("build-finished", stale.drop_removed)
    app.connect("build-finished", drop_unused_assets)
    app.connect("build-finished", drop_slow_tab_stops)
    app.connect("html-page-context", styles.link, priority=900)
    app.connect("build-finished", shrink_figures)
    app.connect("build-finished", copy_frames)
    app.connect("build-finished", notebooks.finish)
    app.connect("build-finished", styles.write, priority=800)  # after the theme has written pygments.css
    app.connect("build-finished", finish, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
