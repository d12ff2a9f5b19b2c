"""Chapters are executed two at a time, before Sphinx reads them one by one: each alone leaves a core half idle.

What is executed lies in the cache, where MyST-NB finds it. It would itself execute a chapter only when it reads it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from jupyter_cache.base import CacheBundleIn
from jupyter_cache.cache.main import JupyterCacheBase
from jupyter_cache.executors.utils import ExecutionResult, single_nb_execution
from myst_nb.core.read import create_nb_reader
from nbformat import NotebookNode
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging

from . import cache

TOGETHER = 2  # each is a kernel of one to two gigabytes

logger = logging.getLogger(__name__)


def execute(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    """On `env-before-read-docs`: what will be read and has no outputs in the cache is executed."""
    with cache.opened(app.config.nb_execution_cache_path) as store:
        waiting = list(_without_outputs(env, docnames, store))
        if len(waiting) < 2:
            return
        config = env.mystnb_config

        def run(pair: tuple[Path, NotebookNode]) -> ExecutionResult:
            path, notebook = pair
            return single_nb_execution(
                notebook, str(path.parent), config.execution_timeout, config.execution_allow_errors
            )

        with ThreadPoolExecutor(TOGETHER) as pool:
            for (path, notebook), result in zip(waiting, pool.map(run, waiting), strict=True):
                if result.err is not None:
                    logger.warning("%s failed:\n%s", path, result.exc_string)
                    continue
                bundle = CacheBundleIn(notebook, str(path), data={"execution_seconds": result.time})
                store.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
                logger.info("%s executed in %.0f seconds", path.name, result.time)


def _without_outputs(
    env: BuildEnvironment, docnames: Iterable[str], store: JupyterCacheBase
) -> Iterator[tuple[Path, NotebookNode]]:
    for name in docnames:
        path = Path(env.doc2path(name))
        text = path.read_text(encoding="utf8")
        reader = create_nb_reader(str(path), env.myst_config, env.mystnb_config, text)
        if reader is None:
            continue
        notebook = reader.read(text)
        try:
            store.match_cache_notebook(notebook)
        except KeyError:
            yield path, notebook
