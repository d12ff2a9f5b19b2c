"""The objects of Li, Wang & Arora (ICLR 2022) as small, tested functions."""

from labnoise.check import check
from labnoise.quiz import quiz
from labnoise.widgets import explore

__all__ = ["check", "explore", "quiz"]
