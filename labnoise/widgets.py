"""Widgets under the name by which chapters and readers import them."""

from labnoise.teaching.widgets import COLORS, Control, Explorer, explore, figure_style

__all__ = ["COLORS", "Control", "Explorer", "explore", "figure_style"]
