"""Chapter 4: solutions, inputs to try answers on, usual mistakes and hints."""

import numpy as np

from labnoise.teaching import exercise


def _projection(outcomes):
    """I − 11ᵀ/Ξ."""
    return np.eye(outcomes) - 1 / outcomes


def _two_times(rng):
    """A number of outcomes, η, and two times in order, which have different numbers of steps."""
    early = rng.uniform(0.6, 2.0)
    return int(rng.integers(2, 6)), rng.uniform(0.2, 0.45), early, early + rng.uniform(0.3, 1.0)


def _in_steps(outcomes, eta, time):
    return eta**2 * np.floor(time / eta**2) * _projection(outcomes)


@exercise(
    "4.1",
    inputs=(_two_times, lambda rng: (lambda n, eta, s, t: (n, eta, t, s))(*_two_times(rng))),
    mistakes={
        "Between two jumps Z stands still: count the whole steps, ⌊min(s, t)/η²⌋, before you multiply by η².": (
            lambda outcomes, eta, s, t: min(s, t) * _projection(outcomes)
        ),
        "The mean is not subtracted: e_ξ has mean 1/Ξ in each entry, and the covariance is I − 11ᵀ/Ξ, not I.": (
            lambda outcomes, eta, s, t: eta**2 * np.floor(min(s, t) / eta**2) * np.eye(outcomes)
        ),
        "Z carries the factor √Ξ, and the covariance its square, Ξ: without it all is Ξ times too small.": (
            lambda outcomes, eta, s, t: (
                eta**2 * np.floor(min(s, t) / eta**2) * _projection(outcomes) / outcomes
            )
        ),
        "Each jump has the factor η, and the covariance its square: η², not η.": (
            lambda outcomes, eta, s, t: eta * np.floor(min(s, t) / eta**2) * _projection(outcomes)
        ),
        "You have taken s, which need not be the earlier of the two times.": (
            lambda outcomes, eta, s, t: _in_steps(outcomes, eta, s)
        ),
        "You have taken t, which need not be the earlier of the two times.": (
            lambda outcomes, eta, s, t: _in_steps(outcomes, eta, t)
        ),
        "The jumps after the earlier of the two times have mean zero: min(s, t), not max(s, t).": (
            lambda outcomes, eta, s, t: _in_steps(outcomes, eta, max(s, t))
        ),
        "The covariance is at the earlier of the two times, min(s, t), not at the product of both.": (
            lambda outcomes, eta, s, t: _in_steps(outcomes, eta, s * t)
        ),
    },
    hints=(
        "Write Z at the later time as Z at the earlier one plus jumps that are independent of it.",
        "One jump, η√Ξ(e_ξ − 1/Ξ), has the covariance η²Ξ (I/Ξ − 11ᵀ/Ξ²).",
        "There are ⌊min(s, t)/η²⌋ jumps in common, each independent of the others.",
    ),
    after="As η → 0 this tends to min(s, t)(I − 11ᵀ/Ξ): the covariance of the Brownian motion in the proposition.",
)
def driving_covariance(outcomes, eta, s, t):
    """E Z(s)Z(t)ᵀ, (Ξ, Ξ), from the number Ξ of outcomes, η, s and t."""
    return eta**2 * np.floor(min(s, t) / eta**2) * (np.eye(outcomes) - 1 / outcomes)


def _windows(rates, m):
    return np.convolve(rates, np.ones(m), mode="valid")


def _rates(place):
    """Learning rates whose least window is the first, the last or one between, and the least rate elsewhere."""

    def inputs(rng):
        m, steps = int(rng.integers(2, 6)), int(rng.integers(15, 30))
        start = {"first": 0, "last": steps - m, "between": int(rng.integers(m + 1, steps - m))}[place]
        rates = rng.uniform(0.2, 0.4, steps)
        rates[start : start + m] = rng.uniform(0.03, 0.06, m)
        rates[-1 if place == "first" else 0] = 0.01
        return rates, m

    return inputs


@exercise(
    "4.2",
    inputs=(_rates("first"), _rates("last"), _rates("between")),
    mistakes={
        "That is the gain of the first m steps; the condition is about the worst window, wherever it is.": (
            lambda rates, m: np.sum(rates[:m])
        ),
        "You have lost the first window, that of the steps 0, …, m − 1.": (
            lambda rates, m: _windows(rates, m)[1:].min()
        ),
        "You have lost the last window, which ends with the last step.": (
            lambda rates, m: _windows(rates, m)[:-1].min()
        ),
        "That is the gain of the last m steps, which is the least one only if the rates fall.": (
            lambda rates, m: np.sum(rates[-m:])
        ),
        "That is the largest gain; the condition is about the least.": lambda rates, m: _windows(
            rates, m
        ).max(),
        "That is the gain of the slow time t, which adds up η²; the clock A adds up η.": (
            lambda rates, m: _windows(rates**2, m).min()
        ),
        "The m smallest rates need not follow one another: look at windows of consecutive steps.": (
            lambda rates, m: np.sort(rates)[:m].sum()
        ),
        "That is the mean of a window, not its sum.": lambda rates, m: _windows(rates, m).min() / m,
    },
    hints=(
        "In step k the clock gains the learning rate η_k; the steps k, …, k + m − 1 make a window.",
        "np.lib.stride_tricks.sliding_window_view(rates, m) has one window in each row.",
    ),
    after="With a constant rate and m = ⌊s/η²⌋ this is η⌊s/η²⌋, the number of the proposition.",
)
def least_gain(rates, m):
    """The clock's least gain in m consecutive steps, from rates (steps,)."""
    return np.lib.stride_tricks.sliding_window_view(rates, m).sum(axis=1).min()


@exercise(
    "4.4",
    inputs=lambda rng: (rng.uniform(-0.9, 0.9), rng.uniform(0.5, 3.0)),
    mistakes={
        "These are the right numbers in the wrong order: first the variance of Z, then the sum of the squares.": (
            lambda b, t: np.array([(1 + b**2) * t, (1 + b) ** 2 * t])
        ),
        "The jumps are correlated, so that the variance of their sum is not the sum of their variances.": (
            lambda b, t: np.array([(1 + b**2) * t, (1 + b**2) * t])
        ),
        "The squares are not those of the sum: E(ε_k + bε_{k−1})² = 1 + b², the mixed term has mean zero.": (
            lambda b, t: np.array([(1 + b) ** 2 * t, (1 + b) ** 2 * t])
        ),
        "The sign: ε_k enters with 1 and, one step later, with +b.": (
            lambda b, t: np.array([(1 - b) ** 2 * t, (1 + b**2) * t])
        ),
        "The time is missing: there are t/η² terms.": lambda b, t: np.array([(1 + b) ** 2, 1 + b**2]),
        "In the sum each ε_k appears twice, as ε_k and as bε_k: together (1 + b)ε_k, whose variance is (1 + b)².": (
            lambda b, t: np.array([(1 + b) * t, (1 + b**2) * t])
        ),
    },
    hints=(
        "Collect the terms of the sum by ε_k: all but the first and the last appear with the factor 1 + b.",
        "For the second number square each jump first, then add: the mean of (ε_k + bε_{k−1})² is 1 + b².",
    ),
    after="They agree at b = 0 only. At b = −1 the first is zero and the second 2t: that is the noise which left Z "
    "behind and went on moving the weights.",
)
def two_variances(b, t):
    """The limits of Var Z(t) and of the mean of [Z](t), an array (2,)."""
    return np.array([(1 + b) ** 2 * t, (1 + b**2) * t])


@exercise(
    "4.5",
    inputs=lambda rng: (rng.uniform(-1.5, 1.5), rng.uniform(0.5, 3.0)),
    mistakes={
        "Your drift is twice too large: Itô's formula has ½∂²Φ, and ∂²Φ itself is ½ already.": (
            lambda x0, c: 2 / c * (np.pi / 2 - np.arctan(x0))
        ),
        "Your drift is four times too large: it is ½ · ½ · c(1 + x²).": (
            lambda x0, c: 1 / c * (np.pi / 2 - np.arctan(x0))
        ),
        "The strength c of the noise multiplies the drift, so the time is divided by it.": (
            lambda x0, c: 4 * c * (np.pi / 2 - np.arctan(x0))
        ),
        "Start at x0, not at 0: the integral of 1/(1 + x²) from x0 to infinity is π/2 − arctan x0.": (
            lambda x0, c: 4 / c * np.pi / 2
        ),
        "Mind the sign: a start further to the right explodes earlier.": (
            lambda x0, c: 4 / c * (np.pi / 2 + np.arctan(x0))
        ),
    },
    hints=(
        "On a gradient flow line dx/dy = −y/2, so x + y²/4 stays what it is: Φ(x, y) = (x + y²/4, 0).",
        "Then ½∂²Φ[Σ] has the first entry ½ · ½ · c(1 + x²), and the limit solves dx/dt = c(1 + x²)/4.",
        "Separate: c dt/4 = dx/(1 + x²), and integrate from x0 to infinity.",
    ),
    after="From x0 = 0 with c = 4 the limit is tan t, which is infinite at π/2. SGD itself is finite at every step; "
    "as η → 0 it only gets further and further by then.",
)
def explosion_time(x0, c):
    """The time at which the limit from (x0, 0) has left every compact set."""
    return 4 / c * (np.pi / 2 - np.arctan(x0))


def _along(rng, dim):
    """An orthogonal projection on a subspace that is neither zero nor all."""
    basis = np.linalg.qr(rng.standard_normal((dim, dim)))[0][:, : int(rng.integers(1, dim))]
    return basis @ basis.T


def _at_a_minimum(gradients):
    """g, J and T of outcomes whose mean is a gradient with a minimum there; each one a gradient, or not."""

    def inputs(rng):
        outcomes, dim = int(rng.integers(3, 7)), int(rng.integers(2, 5))
        T, g = _along(rng, dim), rng.standard_normal((outcomes, dim))
        J = rng.standard_normal((outcomes, dim, dim))
        J = (J + J.transpose(0, 2, 1)) / 2 if gradients else J
        H = (np.eye(dim) - T) * rng.uniform(0.5, 2.0)
        return g - g.mean(axis=0), J - J.mean(axis=0) + H, T

    return inputs


def _mean_product(g, J):
    return np.einsum("iab,ib->a", J, g) / len(g)


def _in_order(g, J):
    """The sum over i < j of J_j g_i, in the order given, for one step."""
    return np.einsum("jab,jb->a", J, np.cumsum(g, axis=0) - g) / len(g)


@exercise(
    "4.8",
    inputs=(_at_a_minimum(False), _at_a_minimum(True), _at_a_minimum(False)),
    mistakes={
        "The sign: the sum over all pairs is zero, so the sum over different ones is minus that of the J_i g_i.": (
            lambda g, J, T: T @ _mean_product(g, J) / 2
        ),
        "Twice too large: of two outcomes the one comes before the other in half of the orders only.": (
            lambda g, J, T: -T @ _mean_product(g, J)
        ),
        "Half of it is missing: −¼ belongs to the derivative of |g|², not to J g.": (
            lambda g, J, T: -T @ _mean_product(g, J) / 4
        ),
        "That is the way of one epoch, in η²; it takes the slow time Ξη².": (
            lambda g, J, T: -T @ _mean_product(g, J) * len(g) / 2
        ),
        "Φ moves along Γ: what is across has to be projected away by T.": (
            lambda g, J, T: -_mean_product(g, J) / 2
        ),
        "J is transposed: the derivative of g in the direction h is J h.": (
            lambda g, J, T: -T @ _mean_product(g, J.transpose(0, 2, 1)) / 2
        ),
        "That is one order, the one in which the outcomes are listed: take the mean over all.": (
            lambda g, J, T: T @ _in_order(g, J)
        ),
        "Z tends to zero, and yet the weights move: the products of its increments do not vanish.": (
            lambda g, J, T: np.zeros(len(T))
        ),
        "There are Ξ outcomes, all of them, in the mean: divide by Ξ, not by Ξ − 1.": (
            lambda g, J, T: -T @ _mean_product(g, J) * len(g) / (len(g) - 1) / 2
        ),
    },
    hints=(
        "Follow one epoch from a point x of Γ. In a step the gradient g_j is taken not at x but where the steps before "
        "have led: to first order, at x − η times the sum of the g_i shown so far.",
        "The terms of order η add up to zero. At order η² stand the products J_j g_i in which i is shown before j.",
        "How often, in the mean over the orders, does i come before j? What do all the J_j g_i add up to, i = j "
        "included? What of the displacement does Φ keep, and how long does an epoch take in slow time?",
    ),
    after="Where each g_i is a gradient this is −¼ T∇ tr Σ: under label noise, where Σ = c∇²L on Γ, the limit of "
    "independent dice. The random term is gone; on the circle the drift is −1/8 in place of −1/4.",
)
def reshuffled_velocity(g, J, T):
    """The velocity (D,), from g (Ξ, D), J (Ξ, D, D) and T (D, D)."""
    return -0.5 * T @ np.mean([J_i @ g_i for J_i, g_i in zip(J, g, strict=True)], axis=0)


# Mutants of the solutions that are right, too, and why (tests/test_solution_mutants.py).
EQUIVALENT = {
    "4.1": {
        "np.flip(_)": "each diagonal has equal entries",
        "np.transpose(_)": "a covariance is symmetric",
        "return eta ** 2 * np.floor(min(t, s) / eta ** 2) * (np.eye(outcomes) - 1 / outcomes)": (
            "the minimum is symmetric"
        ),
    },
    "4.2": {
        "np.abs(_)": "learning rates are positive",
        "np.maximum(_, 0)": "learning rates are positive",
    },
    "4.4": {
        "np.abs(_)": "variances are not negative",
        "np.maximum(_, 0)": "variances are not negative",
    },
    "4.8": {
        "return np.mean([J_i @ g_i for J_i, g_i in zip(J, g, strict=True)], axis=0) @ (-0.5 * T)": (
            "T is symmetric"
        ),
    },
    "4.5": {
        "np.abs(_)": "a time is positive",
        "np.maximum(_, 0)": "a time is positive",
    },
}
