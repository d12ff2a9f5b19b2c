"""Exercises that mark themselves, quizzes, answers that outlive a session, and pictures that a reader moves."""

from labnoise.teaching._check import Exercise, Verdict, check, exercise, find_exercise, source
from labnoise.teaching._quiz import Quiz, quiz

__all__ = ["Exercise", "Quiz", "Verdict", "check", "exercise", "find_exercise", "quiz", "source"]
