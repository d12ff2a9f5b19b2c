"""Wrong answers that a checker once took, or named wrongly or not at all: each gets the verdict that it should."""

from importlib import import_module
from itertools import product

import numpy as np
import pytest
from scipy.linalg import expm, solve_continuous_lyapunov
from scipy.optimize import linprog
from scipy.special import zeta

from labnoise.teaching import find_exercise

pytestmark = pytest.mark.usefixtures("one_seed")
ch01, ch02, ch03, ch04, ch05, ch06, ch07, ch08 = (
    import_module(f"afterzero.ch0{number}") for number in range(1, 9)
)


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


def one_sign(J, delta, B):
    """The double sum over the places in the batch: with one sign the terms with k ≠ l do not vanish."""
    n, total = len(J), 0.0
    for k, l in product(range(B), repeat=2):
        pairs = [(i, i) for i in range(n)] if k == l else list(product(range(n), repeat=2))
        total = total + sum(np.outer(J[i], J[j]) for i, j in pairs) / len(pairs)
    return 4 * delta**2 / B**2 * total


def in_wrong_basis(H, cov, eta):
    values, Q = np.linalg.eigh(H)
    pairs = product(range(len(H)), repeat=2)
    return sum(eta * cov[i, j] / (values[i] + values[j]) * np.outer(Q[:, i], Q[:, j]) for i, j in pairs)


def back_the_wrong_way(H, cov, eta):
    Q = np.linalg.eigh(H)[1]
    return Q.T @ Q.T @ solve_continuous_lyapunov(H, eta * cov) @ Q @ Q


def always_s(n, eta, s, t):
    jump = eta * (np.sqrt(n) * np.eye(n) - np.ones((n, n)) / np.sqrt(n))
    return sum(jump @ jump.T / n for _ in range(int(s / eta**2)))


def left_rotated(H, C):
    values, Q = np.linalg.eigh(H)
    rotated, found = Q.T @ C @ Q, np.zeros_like(H)
    for i, j in product(range(len(H)), repeat=2):
        if min(values[i], values[j]) > 1e-9 * values[-1]:
            found[i, j] = rotated[i, j] / (values[i] + values[j])
    return found


def noise_alone(theta, k, beta):
    phases = [theta - 2 * np.pi * i / k for i in range(k)]
    return sum((1 + np.sin(p + beta)) * np.sin(p + beta) / (8 + 4 * np.cos(p)) for p in phases)


def signs_without_moments(Z, w_star):
    """linprog on the dual variables split into two non-negative halves."""
    on, m = w_star != 0, np.mean(Z**2, axis=0)
    off, zeros = Z[:, ~on].T, np.zeros((on.sum(), 1))
    found = linprog(
        [*np.zeros(2 * len(Z)), -1, 1],
        A_ub=np.block(
            [[s * off, -s * off, np.ones((len(off), 1)), -np.ones((len(off), 1))] for s in (1, -1)]
        ),
        b_ub=[*m[~on], *m[~on]],
        A_eq=np.hstack([Z[:, on].T, -Z[:, on].T, zeros, zeros]),
        b_eq=np.sign(w_star[on]),
    )
    return -found.fun


def with_np_cov(Z, v, y, delta):
    gradients = np.array([(z @ v**2 - target) * z * v for z, target in zip(Z, y, strict=True)])
    label = sum(np.outer(z * v, z * v) for z in Z) / len(Z)
    return np.stack([delta**2 * label, 2 * delta**2 * np.cov(gradients.T)])


def by_kronecker(H, cov, workers, alpha, power=1.0):
    """Exercise 8.3 as an equation for all entries at once; ψ of H ⊗ I + I ⊗ H by its matrix exponential."""
    A = np.kron(H, np.eye(3)) + np.kron(np.eye(3), H)
    psi = np.eye(9) - np.linalg.solve(power * alpha * A, np.eye(9) - expm(-power * alpha * A))
    return np.linalg.solve(A, (np.eye(9) / workers + (1 - 1 / workers) * psi) @ cov.ravel()).reshape(3, 3)


ACCEPTED = {
    "1.5: the untested guess": ("1.5", lambda: -2.0),
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


def drawn_classes(J, chances, p, y):
    """The covariance over examples and classes with these chances, outcome by outcome; p and y make the gradients."""
    n, q = p.shape
    each = [(chances[i, a] / n, J[i].T @ (p[i] - np.eye(q)[a])) for i, a in product(range(n), range(q))]
    mean = sum(c * g for c, g in each)
    return sum(c * np.outer(g - mean, g - mean) for c, g in each)


NAMED = [
    ("1.2", lambda J, delta, B: 4 * delta**2 / (B * J.shape[1]) * J.T @ J, "number D"),
    ("1.2", lambda J, delta, B: 4 * delta**2 / (B * len(J) ** 2) * J.T @ J, "n twice"),
    ("1.2", one_sign, "one sign"),
    ("1.3", lambda r, J: 2 * np.cov((r[:, None] * J).T, bias=True), "enters squared"),
    ("2.2", in_wrong_basis, "has to be rotated"),
    ("2.2", back_the_wrong_way, "go back with the transpose"),
    ("2.2", lambda H, cov, eta: eta**2 * solve_continuous_lyapunov(H, cov), "not η²"),
    ("2.5", lambda c, eta: eta * np.mean(c) / (2 - eta * np.mean(c)), "mean curvature"),
    ("2.5", lambda c, eta: eta * np.max(c) / (2 - eta * np.max(c)), "stiffest"),
    ("3.7", lambda m, g, p: (2 + g + p - m, -1 - g - p, (1 - m + g + p) / 2), "by its square"),
    ("3.7", lambda m, g, p: (2 + p - g - 2 * m, m - 1 + g - p, (1 - m - g + p) / 2), "not larger"),
    ("3.8", lambda h, r, e: ch03._rules(h.max(), r, e), "steepest"),
    ("3.9", lambda x, cov: ch03._rates(x, cov, x * [1, -1], factor=2.0), "enters the variance squared"),
    ("3.10", lambda v, Z, zeta, p: v * np.exp(Z.T @ zeta), "That is p = 2"),
    ("3.4", lambda u, v, m, l: u**2 - (m / l) ** 2 * v**2, "not squared"),
    ("4.1", always_s, "taken s"),
    ("4.4", lambda b, t: np.array([(1 - b) ** 2 * t, (1 + b**2) * t]), "The sign"),
    ("4.4", lambda b, t: np.array([(1 + b) ** 2, 1 + b**2]), "time is missing"),
    ("4.8", lambda g, J, T: T @ ch04._in_order(g, J), "one order"),
    (
        "4.8",
        lambda g, J, T: -T @ np.mean([j @ a for a, j in zip(g, J, strict=True)], axis=0),
        "Twice too large",
    ),
    (
        "4.8",
        lambda g, J, T: -0.5 * T @ np.mean([j.T @ a for a, j in zip(g, J, strict=True)], axis=0),
        "transposed",
    ),
    ("5.1", symmetrized, "symmetrizing ½H†NCN"),
    ("5.1", left_rotated, "rotate back"),
    ("5.4", lambda J, dJ: 2 * np.trace(J.T @ dJ) / np.trace(J.T @ J), "ln tr"),
    ("5.6", leading_noise, "phase shift has the wrong sign"),
    ("5.6", noise_alone, "the noise alone"),
    ("6.3", signs_without_moments, "m_j is missing"),
    ("6.9", lambda Z, s: np.mean((s * Z) ** 2, axis=0), "in the new units"),
    ("6.9", lambda Z, s: np.mean(Z**2, axis=0), "without the change of units"),
    ("6.11", lambda Z, w: ch06.best_margin(Z, w), "That is γ*"),
    ("6.11", ch06._left_out, "cannot be left out"),
    ("7.1", with_np_cov, "np.cov"),
    ("7.8", lambda eta, p: np.array([eta * zeta(p), eta**2 * zeta(2 * p)]), "continues the sum"),
    ("7.9", lambda x, speed: ch07._mixture(ch07._pull(x, mixed=0.5), speed), "factor 1, not ½"),
    ("7.9", ch07._half_tangent, "correlation is above 1"),
    ("8.3", lambda H, cov, K, a: ch08.local_moment(H, cov, 1, a) / K, "an average after each step"),
    ("8.3", lambda H, cov, K, a: by_kronecker(H, cov, K, a, power=0.5), "twice as fast"),
    ("8.3", lambda H, cov, K, a: by_kronecker(H, cov, 1, a), "SGD of one worker"),
    ("8.6", lambda k, e, d, b, r, s, D: ch08.equal_steps(k, e, d, b, r, s, 1), "in each coordinate"),
    (
        "8.6",
        lambda k, e, d, b, r, s, D: ch08.equal_steps(k, e, d, b, r, s, D) / [1 - b, 1, 1, 1],
        "the square",
    ),
    ("8.6", lambda k, e, d, b, r, s, D: ch08.equal_steps(k, e, d, b, r, s, D) / [1, 2, 2, 2], "c = 2δ²"),
    ("8.7", lambda H, p, r, e: ch08.designed_probe(H, p + 1, r, e), "λ^(p − 1), not λ^p"),
    ("8.7", lambda H, p, r, e: (ch08.designed_probe(H, p, r, e)[0], e * r**2), "forgotten the trace"),
    ("9.1", lambda J, p: np.eye(len(p)) - np.linalg.pinv(J) @ J, "orthogonal projection"),
    ("9.1", lambda J, p: np.eye(len(p)) - J.T @ np.linalg.inv(J * p @ J.T) @ (J * p), "Transposed"),
    ("9.4", lambda z, w: np.where(z == z.min(), z @ w / z, 0.0), "SGD ends"),
    ("9.5", lambda u, v, e: u**2 - v**2, "for e = 0"),
    ("10.1", lambda J, logits: J.shape[2] - J.shape[0] * (J.shape[1] - logits), "Count what is independent"),
    (
        "10.1",
        lambda J, logits: J.shape[2] - np.linalg.matrix_rank(J.reshape(-1, J.shape[2]), tol=1e-8),
        "shift",
    ),
    ("10.3", lambda J, g, eta, delta: delta * np.sqrt(eta * g @ g), "project g"),
    ("10.3", lambda J, g, eta, delta: eta * delta**2 * g @ np.linalg.pinv(J) @ J @ g, "the variance"),
    (
        "10.5",
        lambda A, y, nu: nu @ y / np.linalg.eigvalsh(np.tensordot(nu, A, 1)).max(),
        "Relative to M",
    ),
    ("10.7", lambda J, p, y, batch: drawn_classes(J, p, p, y) / batch, "own chances"),
    ("10.7", lambda J, p, y, batch: drawn_classes(J, y, y, y) / batch, "drawing the examples"),
]


@pytest.mark.parametrize(("exercise_id", "answer", "says"), NAMED)
def test_a_usual_mistake_is_named(exercise_id, answer, says):
    verdict = find_exercise(exercise_id).mark(answer)
    assert verdict.status == "almost"
    assert says in verdict.message
    assert " Or: " not in verdict.message


def test_the_moment_of_local_sgd_by_another_way_is_right():
    assert find_exercise("8.3").mark(by_kronecker).status == "correct"


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
    ("exercise_id", "answer"),
    [("2.5", "divided by Σ λ"), ("6.9", "s_j m_j"), ("6.11", "zero"), ("7.9", "eigh"), ("8.6", "/ D")],
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
