"""The look of every figure in the book: one colour a role, one set of matplotlib defaults."""

from __future__ import annotations

import os
import sys
from typing import Any

import matplotlib
from cycler import cycler
from matplotlib.figure import Figure

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


def figure_style() -> None:
    """Give every later figure of this session the book's look; `explore` uses it by itself.

    In a notebook whose theme is dark a figure's lightness is inverted, as on the book's dark pages.

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
        shell.display_formatter.formatters["text/html"].for_type(Figure, _for_either_theme)


def _for_either_theme(figure: Figure) -> str | None:
    """A figure as HTML that heeds JupyterLab's theme; nothing if there is nothing in it."""
    from IPython.core.pylabtools import print_figure

    if not (figure.axes or figure.lines):
        return None
    return (
        '<style>[data-jp-theme-light="false"] .afterzero-figure '
        "{ filter: invert(0.93) hue-rotate(180deg); }</style>"
        f'<img class="afterzero-figure" alt="" src="data:image/png;base64,{print_figure(figure, base64=True)}">'
    )
