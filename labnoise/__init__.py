"""The objects of Li, Wang & Arora (ICLR 2022) as small, tested functions."""

from labnoise.widgets import explore

__all__ = ["explore"]
