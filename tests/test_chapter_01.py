"""The numbered statements of chapter 1, each against something that does not share its derivation.

Random models are small networks with tanh units; targets are asymmetric, so that no sign or factor hides.
"""

from itertools import permutations, product

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from afterzero import ch01

from labnoise import FiniteNoise, GaussianNoise, LabelNoise, LeastSquares, MinibatchNoise, sgd

SEEDS = [0, 1, 2]


def network(seed, n=3, width=4, features=5):
    """A two-layer network on n examples, and the point at which it fits its targets exactly."""
    inner, outer, inputs = jax.random.split(jax.random.key(seed), 3)
    z = jax.random.normal(inputs, (n, features))
    x = jnp.concatenate(
        [jax.random.normal(inner, (width * features,)), 1.5 + jax.random.normal(outer, (width,))]
    )

    def predict(x):
        return jnp.tanh(z @ x[: width * features].reshape(features, width)) @ x[width * features :]

    return LeastSquares(predict, targets=predict(x)), x


def relative(a, b):
    return float(jnp.abs(a - b).max() / jnp.abs(b).max())


@pytest.mark.statement("lem-noise-factor", asked=1e-12)
@pytest.mark.parametrize("seed", SEEDS)
def test_every_finite_stochastic_gradient_has_a_noise_factor(seed, measured):
    """σ built from the outcomes of a mini-batch by hand: same outcomes, and covariance by a plain sum."""
    problem, x = network(seed)
    x = x + 0.3
    per_example = [jax.grad(lambda p, i=i: problem.residual(p)[i] ** 2) for i in range(3)]

    def sigma(x):
        outcomes = jnp.stack([g(x) for g in per_example], axis=1)
        return (outcomes - problem.gradient(x)[:, None]) / jnp.sqrt(3)

    assert float(jnp.abs(sigma(x).sum(1)).max()) < 1e-12
    rule = FiniteNoise(problem, sigma)
    outcomes = np.array([g(x) for g in per_example])
    centred = outcomes - outcomes.mean(0)
    by_hand = sum(np.outer(row, row) for row in centred) / 3
    measured(
        max(relative(rule.covariance(x), by_hand), relative(MinibatchNoise(problem).covariance(x), by_hand))
    )
    keys = jax.random.split(jax.random.key(0), 60)
    drawn = np.array(jax.vmap(rule.sample_gradient, (0, None))(keys, x))
    distances = np.abs(drawn[:, None] - outcomes[None]).max(axis=2)
    assert distances.min(axis=1).max() < 1e-12  # every draw is an outcome …
    assert set(distances.argmin(axis=1)) == {0, 1, 2}  # … and every outcome is drawn


@pytest.mark.statement("thm-manifold", asked=1e-12)
@pytest.mark.parametrize("seed", SEEDS)
def test_zero_loss_is_a_manifold_where_the_jacobian_has_full_rank(seed, measured):
    """Hessian by autodiff of the loss against (2/n)JᵀJ; tangent vectors by following Γ itself."""
    problem, x = network(seed)
    jacobian, hessian = problem.jacobian(x), problem.hessian(x)
    n, dimension = jacobian.shape
    assert np.linalg.matrix_rank(jacobian) == np.linalg.matrix_rank(hessian, tol=1e-9) == n
    measured(relative(hessian, 2 / n * jacobian.T @ jacobian))

    kernel = np.linalg.svd(jacobian)[2][n:]
    assert kernel.shape == (dimension - n, dimension)
    for direction in kernel[:3]:
        far, near = (np.abs((on_gamma(problem, x + step * direction) - x) / step - direction).max()
                     for step in (1e-3, 1e-4))  # fmt: skip
        assert near < 0.2 * far < 0.02  # the curve through x leaves along the direction, up to O(step)


def on_gamma(problem, x):
    """The point of Γ that Newton's method finds from x."""
    for _ in range(8):
        x = x - jnp.linalg.pinv(problem.jacobian(x)) @ problem.residual(x)
    assert float(problem.loss(x)) < 1e-24
    return x


def test_zero_loss_is_no_manifold_at_a_crossing():
    cross = LeastSquares(lambda x: x[:1] * x[1:], targets=jnp.array([0.0]))
    origin = jnp.zeros(2)
    assert np.linalg.matrix_rank(cross.jacobian(origin)) == 0
    assert float(jnp.abs(cross.hessian(origin)).max()) == 0
    circle = 0.1 * np.exp(1j * np.linspace(0, 2 * np.pi, 401)[:-1])
    signs = np.sign(np.round(circle.real * circle.imag, 12))
    assert (np.diff(np.append(signs, signs[0])) != 0).sum() >= 4  # four branches meet the circle


@pytest.mark.statement("prop-label-noise", asked=1e-12)
@pytest.mark.parametrize("batch_size", [1, 2, 3])
@pytest.mark.parametrize("seed", SEEDS)
def test_label_noise_on_gamma_is_c_times_the_hessian(seed, batch_size, measured):
    """Exact enumeration of every batch and every sign, with and without replacement, in plain loops."""
    problem, x = network(seed)
    delta = 0.7
    jacobian, hessian = np.array(problem.jacobian(x)), problem.hessian(x)
    expected = 2 * delta**2 / batch_size * hessian
    error = relative(LabelNoise(problem, delta, batch_size).covariance(x), expected)
    for batches in (list(product(range(3), repeat=batch_size)), list(permutations(range(3), batch_size))):
        outcomes = np.array(
            [
                -2
                / batch_size
                * sum(delta * sign * jacobian[i] for i, sign in zip(batch, signs, strict=True))
                for batch in batches
                for signs in product((-1, 1), repeat=batch_size)
            ]
        )
        assert np.abs(outcomes.mean(0)).max() < 1e-12
        error = max(error, relative(outcomes.T @ outcomes / len(outcomes), expected))
    measured(error)


def test_one_sign_for_the_batch_is_no_multiple_of_the_hessian():
    problem, x = network(0)
    summed = problem.jacobian(x).sum(0)
    shared = 4 * 0.7**2 / 9 * jnp.outer(summed, summed)
    assert np.linalg.matrix_rank(shared, tol=1e-9) == 1 < np.linalg.matrix_rank(problem.hessian(x), tol=1e-9)


@pytest.mark.statement("prop-minibatch", asked=1e-14)
@pytest.mark.parametrize("seed", SEEDS)
def test_minibatch_noise_dies_on_gamma(seed, measured):
    problem, x = network(seed)
    rule = MinibatchNoise(problem, batch_size=2)
    run = sgd(rule, x, 0.01, 200, jax.random.key(seed))
    measured(float(max(jnp.abs(rule.covariance(x)).max(), jnp.abs(run.states[-1] - x).max())))
    for away in (0.1, 0.5, 2.0):
        nearby = x + away * jax.random.normal(jax.random.key(seed), x.shape)
        bound = 4 / 2 * (problem.jacobian(nearby) ** 2).sum(1).max() * problem.loss(nearby)
        assert 0 < float(jnp.trace(rule.covariance(nearby))) <= float(bound)


Z = jnp.sqrt(jnp.array([0.5, 1.5]))
TWO_WEIGHTS = LeastSquares(lambda x: Z * x[0] * x[1], targets=Z)
DELTA = 0.6


@pytest.mark.statement("prop-unbalance", asked=1e-12)
@pytest.mark.parametrize("rule", [LabelNoise(TWO_WEIGHTS, DELTA), MinibatchNoise(TWO_WEIGHTS)])
def test_unbalance_law_is_exact(rule, measured):
    eta = 0.05
    states = np.array(sgd(rule, jnp.array([2.0, 0.3]), eta, 500, jax.random.key(0), save_every=1).states)
    u, v = states.T
    q = u**2 - v**2
    slope = (u[:-1] - u[1:]) / (eta * v[:-1])
    assert np.abs((v[:-1] - v[1:]) / (eta * u[:-1]) - slope).max() < 1e-9  # one slope serves both weights
    measured(np.abs(q[1:] - q[:-1] * (1 - eta**2 * slope**2)).max() / q[0])


@pytest.mark.statement("cor-clock", asked=1e-12)
@pytest.mark.parametrize("eta", [0.01, 0.05])
def test_nothing_moves_before_eta_to_the_minus_two(eta, measured):
    """Both bounds, at every step of a run, and the time that they imply for a half."""
    run = sgd(
        LabelNoise(TWO_WEIGHTS, DELTA), jnp.array([2.0, 0.5]), eta, int(2 / eta**2), jax.random.key(1), 1
    )
    u, v = np.array(run.states).T
    slope = (u[:-1] - u[1:]) / (eta * v[:-1])
    assert eta * np.abs(slope).max() <= 0.5
    clock = eta**2 * np.cumsum(slope**2)
    fall = np.log((u[0] ** 2 - v[0] ** 2) / np.abs(u**2 - v**2)[1:])
    measured(max((clock - fall).max(), (fall - 4 / 3 * clock).max(), 0.0))
    halved = 1 + np.argmax(fall >= np.log(2))
    assert halved >= 3 * np.log(2) / (4 * np.abs(slope).max() ** 2 * eta**2)


@pytest.mark.statement("prop-slopes", asked=1e-12)
@pytest.mark.parametrize("point", [(2.0, 0.7), (1.3, 0.2), (0.4, 2.5)])
def test_slopes_of_three_algorithms(point, measured):
    """E s² read off the packages' exact covariances: tr Σ + |∇L|² = E s² (u² + v²)."""
    x = jnp.array(point)
    r, m4, size = point[0] * point[1] - 1, float(jnp.mean(Z**4)), float(jnp.sum(x**2))

    def mean_square_slope(rule):
        return float((jnp.trace(rule.covariance(x)) + jnp.sum(TWO_WEIGHTS.gradient(x) ** 2)) / size)

    errors = [
        mean_square_slope(GaussianNoise(TWO_WEIGHTS, 0.0)) - 4 * r**2,
        mean_square_slope(MinibatchNoise(TWO_WEIGHTS)) - 4 * m4 * r**2,
        mean_square_slope(LabelNoise(TWO_WEIGHTS, DELTA)) - 4 * m4 * r**2 - 4 * DELTA**2,
    ]
    # Gaussian noise: E q after a step is q of the mean, plus η²(Σ_uu − Σ_vv)
    eta, cov = 0.1, GaussianNoise(TWO_WEIGHTS, 0.3).covariance(x)
    mean = x - eta * TWO_WEIGHTS.gradient(x)
    expected = mean[0] ** 2 - mean[1] ** 2 + eta**2 * (cov[0, 0] - cov[1, 1])
    errors.append(float(expected - (x[0] ** 2 - x[1] ** 2) * (1 - 4 * eta**2 * r**2)))
    measured(float(np.abs(errors).max()))


def test_half_lives_follow_the_slow_clock():
    """The exercise's measurement: ln 2/(4δ²) in t = η²·steps, less a relative error of order η."""
    slow = np.array(ch01.ETAS) ** 2 * ch01.half_lives(ch01.ETAS) / np.log(2)
    assert (slow < 1).all()
    assert (1 - slow < 8 * np.array(ch01.ETAS)).all()


def test_the_unbalance_follows_the_predicted_exponential():
    """E q(t) → q(0)e^{−4δ²t} with an error of order η: 4 sigma around the value extrapolated from two η."""
    t, replicas, ratios, sigmas = 1.0, 4000, [], []
    for eta in (0.02, 0.01):
        keys = jax.random.split(jax.random.key(5), replicas)
        x = sgd(LabelNoise(TWO_WEIGHTS, 0.5), jnp.array([2.0, 0.5]), eta, round(t / eta**2), keys).states[
            :, -1
        ]
        q = x[:, 0] ** 2 - x[:, 1] ** 2
        ratios.append(float(q.mean() / (3.75 * jnp.exp(-4 * 0.25 * t))))
        sigmas.append(float(q.std() / q.mean() / np.sqrt(replicas)))
    extrapolated, sigma = 2 * ratios[1] - ratios[0], np.hypot(2 * sigmas[1], sigmas[0])
    assert abs(extrapolated - 1) < 4 * sigma + 0.01**2 * 30  # what is left is of order η²
    assert ratios[1] < 1  # and it comes from below: the cloud around Γ speeds the fall up
