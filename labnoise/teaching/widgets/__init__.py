"""Pictures that a reader moves: one definition, one front with a kernel and one without."""

from labnoise.teaching.widgets.controls import Control
from labnoise.teaching.widgets.explorer import Explorer, explore
from labnoise.teaching.widgets.style import COLORS, figure_style

__all__ = ["COLORS", "Control", "Explorer", "explore", "figure_style"]
