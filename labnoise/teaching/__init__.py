"""Exercises that mark themselves, quizzes, answers that outlive a session, and pictures that a reader moves."""

from labnoise.teaching._check import check
from labnoise.teaching._exercise import Exercise, exercise, find_exercise, withdraw
from labnoise.teaching._keep import source
from labnoise.teaching._quiz import Quiz, quiz
from labnoise.teaching._verdict import Verdict

__all__ = ["Exercise", "Quiz", "Verdict", "check", "exercise", "find_exercise", "quiz", "source", "withdraw"]
