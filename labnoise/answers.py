"""Answers under the name by which chapters and readers import them."""

from labnoise.teaching.answers import load_answers, save_answers

__all__ = ["load_answers", "save_answers"]
