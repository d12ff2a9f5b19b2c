"""The look of every figure in the book: one colour a role, one set of matplotlib defaults."""

from __future__ import annotations

import os
import sys
from typing import Any

import matplotlib
from cycler import cycler

# The colour of each role, which it keeps through the whole book: "sgd", "limit", "gradient", "manifold", "label",
# "minibatch", "gaussian" and "guide". Okabe and Ito's palette, told apart by colour-blind readers, each legible on
# white and on the dark page; no figure relies on colour alone.
COLORS = {
    "sgd": "#0072b2",  # the iterate, and anything measured on it
    "limit": "#d55e00",  # the limiting dynamics, and any prediction
    "gradient": "#009e73",  # gradient descent and gradient flow, without noise
    "manifold": "#cc79a7",  # Γ, and the points of Γ
    "label": "#0072b2",  # label noise: what the book is about, so it shares SGD's colour
    "minibatch": "#e69f00",
    "gaussian": "#56b4e9",
    "guide": "#808080",  # reference lines and moving text: grey that reads on white and on dark
}

STYLE: dict[Any, Any] = {
    "figure.figsize": (7.2, 3.6),
    "figure.dpi": 110,
    "figure.constrained_layout.use": True,
    "font.size": 11,
    "axes.titlesize": 11,
    "axes.labelsize": 11,
    "xtick.labelsize": 10,
    "ytick.labelsize": 10,
    "legend.fontsize": 10,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#444444",
    "axes.labelcolor": "#222222",
    "text.color": "#222222",
    "xtick.color": "#444444",
    "ytick.color": "#444444",
    "xtick.labelcolor": "#222222",
    "ytick.labelcolor": "#222222",
    "axes.prop_cycle": cycler(color=["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"]),
    "lines.linewidth": 1.8,
    "image.cmap": "cividis",
    "savefig.facecolor": "white",
}

# JupyterLab's name for its dark theme, and for a picture among outputs.
_FOR_DARK_THEMES = """<style>
[data-jp-theme-light="false"] .jp-RenderedImage img { filter: invert(0.93) hue-rotate(180deg); }
</style>"""


def figure_style() -> None:
    """Give every later figure of this session the book's look; `explore` uses it by itself.

    In JupyterLab's dark theme the lightness of the notebook's figures is inverted, as on the book's dark pages.

    Examples
    --------
    >>> import matplotlib
    >>> from labnoise.teaching.widgets import figure_style
    >>> with matplotlib.rc_context():           # only so that this example changes nothing else
    ...     figure_style()
    ...     matplotlib.rcParams["axes.spines.top"]
    False
    """
    matplotlib.rcParams.update(STYLE)
    interactive = sys.modules.get("IPython")
    shell = interactive.get_ipython() if interactive else None
    if (
        shell is not None and "LABNOISE_FRAMES" not in os.environ
    ):  # the book's pages have a style sheet for it
        from IPython.display import HTML, display

        display(HTML(_FOR_DARK_THEMES))
