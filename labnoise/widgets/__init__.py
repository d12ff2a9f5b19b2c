"""Pictures that a reader moves: one definition, one front with a kernel and one without."""

from labnoise.widgets.controls import Control
from labnoise.widgets.explorer import Explorer, explore
from labnoise.widgets.style import COLORS, figure_style

__all__ = ["COLORS", "Control", "Explorer", "explore", "figure_style"]
