"""Wrong answers that a checker once took, or named wrongly or not at all: each gets the verdict that it should."""

from importlib import import_module

import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.special import zeta

from labnoise.teaching import find_exercise

pytestmark = pytest.mark.usefixtures("one_seed")
ch01, ch02, ch03, ch04, ch05, ch06, ch07 = (import_module(f"afterzero.ch0{number}") for number in range(1, 8))


def one_sided(Z, w_star):
    """The unknowns left non-negative, as linprog has them: no solution, and x is None."""
    on = w_star != 0
    moments, n = np.mean(Z**2, axis=0), len(Z)
    off = Z[:, ~on].T
    found = linprog(
        np.append(np.zeros(n), -1.0),
        A_ub=np.block([[off, np.ones((len(off), 1))], [-off, np.ones((len(off), 1))]]),
        b_ub=np.tile(moments[~on], 2),
        A_eq=np.column_stack([Z[:, on].T, np.zeros(on.sum())]),
        b_eq=moments[on] * np.sign(w_star[on]),
        bounds=(0, None),
    )
    return found.x[-1]


def symmetrized(H, C):
    values, Q = np.linalg.eigh(H)
    N = Q[:, values > 1e-9 * values[-1]]
    projected, inverse = N @ N.T @ C @ N @ N.T, np.linalg.pinv(H, rcond=1e-9)
    return (inverse @ projected + projected @ inverse) / 4


def leading_noise(theta, k, beta, sign=-1):
    psi = theta - 2 * np.pi * np.arange(k) / k
    return 0.25 * np.sum((1 + np.sin(psi + sign * beta)) * np.sin(psi) / (2 + np.cos(psi)))


ACCEPTED = {
    "1.5: the untested guess": ("1.5", lambda: -2.0),
    "3.1: the signs of the start": ("3.1", lambda: lambda x, y: np.sign(x) * ch03.projection(x, y)),
    "4.2: without the first window": (
        "4.2",
        lambda: lambda rates, m: min(rates[k : k + m].sum() for k in range(1, len(rates) - m + 1)),
    ),
    "4.2: without the last window": (
        "4.2",
        lambda: lambda rates, m: min(rates[k : k + m].sum() for k in range(len(rates) - m)),
    ),
    "5.3: the slope": ("5.3", lambda: ch05._fit()[0]),
    "5.3: a bare one": ("5.3", lambda: 1.0),
    "6.3: clipped at 0": ("6.3", lambda: lambda Z, w: max(ch06.best_margin(Z, w), 0.0)),
    "6.4: one size too few": ("6.4", lambda: 48),
}


@pytest.mark.parametrize(("exercise_id", "answer"), ACCEPTED.values(), ids=ACCEPTED)
def test_a_wrong_answer_is_refused(exercise_id, answer):
    for _ in range(10):
        assert find_exercise(exercise_id).mark(answer()).status == "almost"


def test_one_sided_bounds_are_explained():
    verdict = find_exercise("6.3").mark(one_sided)
    assert verdict.status == "not yet"
    assert "bounds" in verdict.message


NAMED = [
    ("1.2", lambda J, delta, B: 4 * delta**2 / (B * J.shape[1]) * J.T @ J, "number D"),
    ("1.2", lambda J, delta, B: 4 * delta**2 / (B * len(J) ** 2) * J.T @ J, "n twice"),
    ("1.2", ch01._one_sign, "one sign"),
    ("1.3", lambda r, J: 2 * np.cov((r[:, None] * J).T, bias=True), "enters squared"),
    ("2.2", ch02._not_rotated, "has to be rotated"),
    ("2.2", ch02._back_with_transpose, "go back with the transpose"),
    ("2.2", lambda H, cov, eta: eta * ch02.stationary_covariance(H, cov, eta), "not η²"),
    ("2.5", lambda c, eta: eta * np.mean(c) / (2 - eta * np.mean(c)), "mean curvature"),
    ("2.5", lambda c, eta: eta * np.max(c) / (2 - eta * np.max(c)), "stiffest"),
    ("3.1", ch03._nearest, "nearest"),
    ("3.3", lambda x, end: np.outer(end * [1, -1], x) / (end @ end), "gradient of q"),
    ("3.3", lambda x, end: np.outer(end, x * [1, -1]) / (end @ end), "sign is missing in the tangent"),
    ("3.4", lambda u, v, m, l: u**2 - (m / l) ** 2 * v**2, "not squared"),
    ("4.1", lambda n, eta, s, t: ch04._in_steps(n, eta, s), "taken s"),
    ("4.4", lambda b, t: np.array([(1 - b) ** 2 * t, (1 + b**2) * t]), "The sign"),
    ("4.4", lambda b, t: np.array([(1 + b) ** 2, 1 + b**2]), "time is missing"),
    ("5.1", symmetrized, "symmetrizing ½H†NCN"),
    ("5.1", ch05._not_rotated_back, "rotate back"),
    ("5.4", lambda J, dJ: 2 * np.trace(J.T @ dJ) / np.trace(J.T @ J), "ln tr"),
    ("5.6", leading_noise, "phase shift has the wrong sign"),
    ("5.6", ch05._shifted_twice, "the noise alone"),
    ("6.1", lambda Z, u, v: 2 * np.mean(Z**2, axis=0) @ (u**2 + v**2), "8, not 2"),
    ("6.1", lambda Z, u, v: 8 * np.mean(Z**2, axis=0) @ np.abs(u**2 - v**2), "ℓ₁"),
    ("6.3", lambda Z, w: ch06._certificate(Z, w, factor=np.ones(Z.shape[1])), "m_j is missing"),
    ("7.1", lambda Z, v, y, delta: ch07._covariances(Z, v, y, delta, sample=True), "np.cov"),
    ("7.8", lambda eta, p: np.array([eta * zeta(p), eta**2 * zeta(2 * p)]), "continues the sum"),
    ("7.9", lambda x, speed: ch07._mixture(ch07._pull(x, mixed=0.5), speed), "factor 1, not ½"),
    ("7.9", ch07._half_tangent, "correlation is above 1"),
]


@pytest.mark.parametrize(("exercise_id", "answer", "says"), NAMED)
def test_a_usual_mistake_is_named(exercise_id, answer, says):
    verdict = find_exercise(exercise_id).mark(answer)
    assert verdict.status == "almost"
    assert says in verdict.message
    assert " Or: " not in verdict.message


def test_swapped_axes_are_not_taken_for_a_sign():
    message = find_exercise("5.3").mark(np.polyfit(ch05._ratios(), ch05.ETAS, 1)[1]).message
    assert "other way round" in message
    assert "positive" not in message


@pytest.mark.parametrize(("answer", "says"), [(48, "at t = 2, and for basis pursuit"), (72, "t = 0.5")])
def test_a_number_of_examples_is_named_by_every_method_that_gives_it(answer, says):
    assert says in find_exercise("6.4").mark(answer).message


def test_no_method_gives_64_examples():
    assert find_exercise("6.4").mark(64).status == "not yet"


def test_the_bound_on_the_learning_rate_is_marked():
    def mean_is_lost(z, delta, eta):
        return ch02.stationary_variance(z, delta, eta)[0], 1 / np.mean(z**2)

    assert "before the mean" in find_exercise("2.3").mark(mean_is_lost).message


@pytest.mark.parametrize(
    ("exercise_id", "answer"), [("2.5", "divided by Σ λ"), ("6.1", "8 Σ m_j"), ("7.9", "eigh")]
)
def test_the_second_hint_is_not_the_answer(exercise_id, answer):
    assert answer not in find_exercise(exercise_id).hints[1]


def test_noises_of_another_make_are_right_and_near_misses_are_not():
    """Exercise 7.9: the noise of least normal variance with the wanted drift; then one slip after another."""

    def least_normal(x, speed):
        frame, length = ch07._frame(x)
        wanted, q = speed * length**3, x[0] ** 2 - x[1] ** 2
        # b = (wanted + qd/2)/2 and b² = d(1 − d)
        roots = np.roots([q**2 / 16 + 1, wanted * q / 4 - 1, wanted**2 / 4]).real
        d = max(roots.min(), 0)
        b = (wanted + q * d / 2) / 2
        return frame @ np.array([[1 - d, b], [b, d]]) @ frame.T

    exercise = find_exercise("7.9")
    assert exercise.mark(least_normal).status == "correct"
    for slip in (
        lambda cov: 1.001 * cov,
        lambda cov: cov + 1e-4 * np.array([[0, 1], [-1, 0]]),
        lambda cov: cov.T[::-1, ::-1],
        lambda cov: 0.999 * cov + 0.0005 * np.eye(2),
    ):
        assert exercise.mark(lambda x, speed, slip=slip: slip(least_normal(x, speed))).status != "correct"
