"""The numbered statements of chapter 4, each against something that does not share its derivation.

Where the statement is about laws, the other side is an exact law or an enumeration of all throws of the dice.
"""

from itertools import permutations, product

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from afterzero import ch04
from afterzero.figures.ch04 import two_weights
from scipy import stats
from scipy.integrate import solve_ivp

from labnoise import (
    FiniteNoise,
    GaussianNoise,
    LabelNoise,
    LeastSquares,
    Loss,
    compare,
    drift_terms,
    gradient_flow,
    landscapes,
    project,
    sgd,
)

A, B, D = 0.5, 0.25, 0.5
CIRCLE = landscapes.circle(A, B, D)
HYPERBOLA = landscapes.hyperbola()
DELTA = 0.5


def jumps(outcomes, xi):
    """√Ξ(e_ξ − 1/Ξ) for each ξ."""
    return np.sqrt(outcomes) * (np.eye(outcomes)[xi] - 1 / outcomes)


@pytest.mark.statement("prop-not-pathwise", asked=4.0)
@pytest.mark.parametrize("outcomes", [2, 3, 5])
def test_halving_eta_with_the_same_dice_changes_everything(outcomes, measured):
    """In standard errors: the mean square of the change, at two η; and its law, against the normal one."""
    rng, throws = np.random.default_rng(outcomes), 6000
    for n in (25, 100):
        zeta = jumps(outcomes, rng.integers(outcomes, size=(throws, 4 * n)))
        change = zeta.sum(1) / np.sqrt(4 * n) - zeta[:, :n].sum(1) / np.sqrt(n)
        square = np.sum(change**2, axis=1)
        measured(abs(square.mean() - (outcomes - 1)) / (square.std() / np.sqrt(throws)))
    # the second entry, whose variance in the limit is 1 − 1/Ξ; steps of a lattice blur the law by O(η)
    law = stats.norm(0, np.sqrt(1 - 1 / outcomes))
    assert stats.kstest(change[:, 1], law.cdf).statistic < 0.06


@pytest.mark.statement("lem-integral-equation", asked=1e-11)
@pytest.mark.parametrize("eta", [0.02, 0.1])
def test_sgd_is_the_integral_equation(eta, measured):
    """The package's run against sums over Z and A; the outcomes are read off the run itself."""

    def sigma(x):
        columns = jnp.stack(
            [jnp.array([x[1], 0.3]), jnp.array([-0.2, x[0]]), jnp.array([0.5, x[0] * x[1]])], 1
        )
        return columns - columns.mean(1, keepdims=True)

    rule, steps = FiniteNoise(HYPERBOLA, sigma), 300
    X = np.asarray(sgd(rule, jnp.array([1.4, 0.9]), eta, steps, jax.random.key(0), save_every=1).states)
    sigmas, slopes = jax.vmap(sigma)(X[:-1]), np.asarray(jax.vmap(HYPERBOLA.gradient)(X[:-1]))
    kicks = -(np.diff(X, axis=0) / eta + slopes)  # √Ξ σ_ξ
    misfit = np.linalg.norm(np.sqrt(3) * np.asarray(sigmas) - kicks[:, :, None], axis=1)
    xi = misfit.argmin(axis=1)
    assert misfit.min(axis=1).max() < 1e-9
    assert set(xi) == {0, 1, 2}
    Z, clock = np.vstack([np.zeros(3), eta * np.cumsum(jumps(3, xi), axis=0)]), eta * np.arange(steps + 1)
    pull = np.cumsum(slopes * np.diff(clock)[:, None], axis=0)
    noise = np.cumsum(np.einsum("kde,ke->kd", sigmas, np.diff(Z, axis=0)), axis=0)
    measured(np.abs(X[0] - pull - noise - X[1:]).max())


@pytest.mark.statement("prop-driving-process", asked=1e-12)
@pytest.mark.parametrize("outcomes", [2, 3, 4])
def test_the_driving_process_by_enumeration_and_by_reflection(outcomes, measured):
    """All Ξ⁵ throws of five dice give the moments exactly; the maximum has the law of |normal| in the limit."""
    eta, steps = 0.3, 5
    throws = np.array(list(product(range(outcomes), repeat=steps)))
    dZ = eta * jumps(outcomes, throws)
    Z = dZ.cumsum(axis=1)
    s, t = 2.5 * eta**2, 4.2 * eta**2  # two steps, and four
    covariance = np.einsum("wi,wj->ij", Z[:, 1], Z[:, 3]) / len(throws)
    error = np.abs(covariance - ch04.driving_covariance(outcomes, eta, s, t)).max()
    error = max(error, np.abs(Z.mean(axis=0)).max())
    error = max(error, np.abs(np.linalg.norm(dZ, axis=2) - eta * np.sqrt(outcomes - 1)).max())
    error = max(error, np.abs((dZ**2).sum((1, 2)) - (outcomes - 1) * eta**2 * steps).max())
    # a martingale: given the first three throws, the next jump has mean zero
    error = max(error, np.abs(dZ.reshape(outcomes**3, outcomes**2, steps, -1)[:, :, 3].mean(axis=1)).max())
    measured(error)

    rng, eta, paths = np.random.default_rng(outcomes), 0.025, 2000
    dZ1 = np.sqrt(outcomes) * (rng.random((paths, 1600)) < 1 / outcomes) - 1 / np.sqrt(outcomes)
    largest = np.maximum((eta * dZ1.cumsum(axis=1)).max(axis=1), 0)
    mean = np.sqrt(1 - 1 / outcomes) * np.sqrt(2 / np.pi)
    # a walk looks at its maximum at the steps only: it falls short by O(η)
    assert -1.5 * eta - 4 * largest.std() / np.sqrt(paths) < largest.mean() - mean < 0.03
    assert abs((eta**2 * dZ1**2).sum(axis=1).mean() - (1 - 1 / outcomes)) < 0.01


@pytest.mark.statement("prop-clock", asked=1e-9)
@pytest.mark.parametrize("eta", [0.3, 0.11, 0.05])
def test_the_clock_gains_at_least_the_formula(eta, measured):
    starts = np.linspace(0, 3, 40_001)
    for s in (0.01, 0.237, 1.414):
        gain = eta * (np.floor((starts + s) / eta**2) - np.floor(starts / eta**2))
        formula = eta * np.floor(s / eta**2)
        measured(abs(gain.min() - formula))
        assert formula >= s / eta - eta
        steps = round(s / eta**2)
        if steps > 1:
            assert ch04.least_gain(np.full(3 * steps, eta), steps) == pytest.approx(eta * steps)


def valley_loss(x):
    return 0.5 * (1 - x[0]) * x[1] ** 2


VALLEY_WITH_AN_END = Loss(valley_loss)


@pytest.mark.statement("prop-ito-phi", asked=1e-4)
@pytest.mark.parametrize("point", [(1.6, 0.9), (0.5, 1.7)])
def test_one_step_moves_phi_by_itos_second_order_term(point, measured):
    """Φ by the package's integrator, at the outcomes of one step, Richardson-extrapolated to η = 0.

    The formula takes ∂Φ and ∂²Φ from differences of Φ, so that no derivative is shared either. Noise with mean
    third moments and with a part along the gradient and along Γ.
    """
    x = jnp.array(point)
    kicks = np.array([[1.0, 0.2], [-0.4, 0.9], [-0.6, -1.1]])  # mean zero
    slope, H = np.asarray(HYPERBOLA.gradient(x)), np.asarray(HYPERBOLA.hessian(x))
    phi = jax.jit(jax.vmap(lambda x: project(HYPERBOLA, x)))

    def per_eta(eta):
        return (
            np.asarray(phi(x - eta * (slope + kicks))).mean(axis=0) - np.asarray(phi(x[None]))[0]
        ) / eta**2

    coarse, middle, fine = (per_eta(eta) for eta in (8e-3, 4e-3, 2e-3))
    first, second = 2 * middle - coarse, 2 * fine - middle
    extrapolated = (4 * second - first) / 3

    h, e = 1e-3, np.eye(2)
    at = lambda *shifts: np.asarray(phi(jnp.stack([x + h * s for s in shifts])))  # noqa: E731
    gradient = np.stack([(a - b) / (2 * h) for a, b in (at(e[i], -e[i]) for i in range(2))], axis=1)
    second_derivative = np.zeros((2, 2, 2))
    for i, j in product(range(2), repeat=2):
        pp, pm, mp, mm = at(e[i] + e[j], e[i] - e[j], -e[i] + e[j], -e[i] - e[j])
        second_derivative[:, i, j] = (pp - pm - mp + mm) / (4 * h**2)
    Sigma = kicks.T @ kicks / 3
    formula = 0.5 * (np.einsum("aij,ij->a", second_derivative, Sigma) - gradient @ H @ slope)
    measured(np.abs(extrapolated - formula).max() / np.abs(formula).max())
    assert np.abs(gradient @ slope).max() < 1e-5
    assert np.abs(gradient @ H @ slope).max() > 1e-3  # the term that the differential equation has not


@pytest.mark.statement("prop-stay-near", asked=1.0)
@pytest.mark.parametrize("eta", [0.04, 0.01])
def test_the_loss_stays_below_its_bound(eta, measured):
    """The mean loss, as a part of the bound, at every step; constants by brute force over K."""
    low, high = 0.3, 2.8
    side = np.linspace(low, high, 101)
    u, v = (part.ravel() for part in np.meshgrid(side, side))
    rho = u * v - 1
    largest_kick = 2 * (np.abs(rho) + DELTA) * np.hypot(u, v)
    G, mu = largest_kick.max(), np.min(2 * (u**2 + v**2))  # |∇L|²/(2L) = 2(u² + v²)
    d = eta * G
    wide = np.linspace(low - d, high + d, 101)
    u2, v2 = (part.ravel() for part in np.meshgrid(wide, wide))
    hessians = np.array([[2 * v2**2, 4 * u2 * v2 - 2], [4 * u2 * v2 - 2, 2 * u2**2]]).transpose(2, 0, 1)
    C = np.linalg.eigvalsh(hessians).max()
    assert 2 * eta * mu <= 1
    steps, x0 = 400, jnp.array([2.2, 0.9])
    keys = jax.random.split(jax.random.key(0), 400)
    x = np.asarray(sgd(LabelNoise(HYPERBOLA, DELTA), x0, eta, steps, keys, save_every=1).states)
    inside = np.logical_and.accumulate(((x >= low) & (x <= high)).all(-1), axis=1)
    loss = np.mean((x[..., 0] * x[..., 1] - 1) ** 2 * inside, axis=0)
    bound = (1 - 2 * eta * mu) ** np.arange(steps + 1) * loss[0] + C * G**2 / (4 * mu) * eta
    measured((loss / bound).max())
    assert loss[0] > 0.9
    # and the plateau is proportional to η: (ηc/4) tr∇²L, about
    plateau = np.mean((x[:, -50:, 0] * x[:, -50:, 1] - 1) ** 2)
    trace = np.mean(2 * np.sum(x[:, -50:] ** 2, axis=-1))
    assert plateau == pytest.approx(eta * 2 * DELTA**2 / 4 * trace, rel=0.35)


def test_the_bound_on_the_loss_is_nearly_sharp_for_a_parabola():
    """L = ½λx², kicks ±1: E L by its exact recursion is more than 0.6 of the bound, so no factor 2 is to spare."""
    curvature, eta, x0 = 1.5, 0.001, 0.1
    radius = 0.11  # six standard deviations: the walk does not leave
    G, square, ratios = curvature * radius + 1, x0**2, []
    for k in range(6000):
        bound = (1 - 2 * eta * curvature) ** k * curvature * x0**2 / 2 + G**2 * eta / 4
        ratios.append(curvature * square / 2 / bound)
        square = (1 - eta * curvature) ** 2 * square + eta**2
    assert 0.6 < ratios[-1] < max(ratios) <= 1


def angles(rule, eta, t, replicas, seed):
    keys = jax.random.split(jax.random.key(seed), replicas)
    x = np.asarray(sgd(rule, jnp.array([1.0, 0.0]), eta, round(t / eta**2), keys).states[:, -1])
    return np.arctan2(x[:, 1], x[:, 0])


def circle_factor(x):
    r = x / jnp.linalg.norm(x)
    return jnp.array([[-r[1], r[0]], [r[0], r[1]]]) @ jnp.linalg.cholesky(jnp.array([[A, B], [B, D]]))


LOPSIDED = jnp.array([[7.0, *[-1.0] * 7], [0.0, 6.0, *[-1.0] * 6]])
LOPSIDED = LOPSIDED / jnp.linalg.norm(LOPSIDED, axis=1, keepdims=True)
EIGHT = FiniteNoise(CIRCLE, lambda x: circle_factor(x) @ LOPSIDED)
FOUR = FiniteNoise(CIRCLE, lambda x: jnp.hstack([circle_factor(x), -circle_factor(x)]) / jnp.sqrt(2.0))


@pytest.mark.statement("thm-katzenberger", asked=4.0)
def test_sgd_on_the_circle_has_the_limits_law(measured):
    """Mean, variance and the third central moment of the limit N(−b, a), from two η, in standard errors.

    The mixed term enters with its full weight: half of it would put the mean at −b/2, ten sigma away.
    """
    t, replicas = 1.0, 6000
    samples = [angles(FOUR, eta, t, replicas, seed) for seed, eta in ((0, 0.08), (1, 0.04))]
    for moment, target in (
        (lambda x: x, -B * t),
        (lambda x: (x - x.mean()) ** 2, A * t),
        (lambda x: (x - x.mean()) ** 3, 0.0),
    ):
        coarse, fine = (moment(sample) for sample in samples)
        value = 2 * fine.mean() - coarse.mean()  # the error of order η goes; 0.01 is left for η²
        sigma = np.hypot(2 * fine.std(), coarse.std()) / np.sqrt(replicas)
        measured(max(abs(value - target) - 0.01, 0) / sigma)
    assert stats.kstest(samples[1], stats.norm(-B, np.sqrt(A)).cdf).statistic < 0.04


@pytest.mark.statement("thm-sgd-limit", asked=4.0)
def test_sgd_from_off_the_curve_tends_to_the_limit_at_fixed_times(measured):
    """Noise along and across the circle, started far off it: Φ(x₀) has the start's angle, then the law N(−bt, at).

    And the path itself does not converge: it still begins at x₀, a fixed distance from the limit.
    """
    start, replicas, t = jnp.array([1.7 * np.cos(0.4), 1.7 * np.sin(0.4)]), 4000, 0.5
    found = []
    for seed, eta in ((2, 0.06), (3, 0.03)):
        keys = jax.random.split(jax.random.key(seed), replicas)
        run = sgd(GaussianNoise(CIRCLE, CIRCLE.cov), start, eta, round(t / eta**2), keys)
        x = np.asarray(run.states)
        found.append(np.arctan2(x[:, -1, 1], x[:, -1, 0]))
        assert np.abs(np.linalg.norm(x[:, -1], axis=1) - 1).mean() < 3 * np.sqrt(eta * D)  # near Γ
        assert np.linalg.norm(x[0, 0]) == pytest.approx(1.7)
    for moment, target in ((lambda x: x, 0.4 - B * t), (lambda x: (x - x.mean()) ** 2, A * t)):
        coarse, fine = (moment(sample) for sample in found)
        sigma = np.hypot(2 * fine.std(), coarse.std()) / np.sqrt(replicas)
        measured(max(abs(2 * fine.mean() - coarse.mean() - target) - 0.01, 0) / sigma)


@pytest.mark.statement("cor-equal-covariance", asked=1e-12)
def test_equal_covariances_have_the_same_limit(measured):
    """Equal Σ, and laws that differ visibly at a large η and not at a small one; a different Σ differs at any."""
    for point in ([1.0, 0.0], [0.6, -1.1]):
        x = jnp.array(point)
        measured(float(jnp.abs(EIGHT.covariance(x) - FOUR.covariance(x)).max()))
        measured(float(jnp.abs(EIGHT.covariance(x) - CIRCLE.cov(x)).max()))
    differ = []
    for eta in (0.2, 0.04):
        eight, four = angles(EIGHT, eta, 1.0, 3000, 5), angles(FOUR, eta, 1.0, 3000, 6)
        differ.append(compare.ks(eight[:, None], four[:, None]))
    assert float(differ[0].p_value) < 1e-4
    assert float(differ[1].p_value) > 1e-3
    assert float(differ[1].statistic) < 0.6 * float(differ[0].statistic)
    other = landscapes.circle(A, -B, D)
    turned = angles(GaussianNoise(other, other.cov), 0.04, 1.0, 3000, 7)
    assert float(compare.ks(turned[:, None], four[:, None]).p_value) < 1e-6


@pytest.mark.statement("cor-deterministic", asked=0.01)
def test_label_noise_tends_to_its_limit_in_probability(measured):
    """The share of runs that are ever far from the closed form, after the layer: all, then none."""
    x0, replicas = jnp.array([1.8, 0.2]), 300
    q0 = 1.8**2 - 0.2**2
    shares = []
    for eta in (0.08, 0.01):
        steps = round(1 / eta**2)
        keys = jax.random.split(jax.random.key(8), replicas)
        run = sgd(LabelNoise(HYPERBOLA, DELTA), x0, eta, steps, keys, save_every=-(-steps // 44))
        t, x = np.asarray(run.steps) * eta**2, np.asarray(run.states)
        w = np.sqrt(q0**2 * np.exp(-8 * DELTA**2 * t) + 4)
        limit = np.sqrt(
            np.stack([w + q0 * np.exp(-4 * DELTA**2 * t), w - q0 * np.exp(-4 * DELTA**2 * t)], -1) / 2
        )
        far = np.linalg.norm(x - limit, axis=-1)[:, t >= 0.1].max(axis=1)
        shares.append(np.mean(far > 0.25))
    assert shares[0] > 0.5
    measured(shares[1])


@pytest.mark.statement("prop-exit", asked=1e-8)
def test_the_limit_leaves_the_valley_with_an_end(measured):
    """Φ against the package's integrator, the drift against `drift_terms`, and SGD at half the time."""
    for x, y in ((0.2, 0.7), (-1.0, -2.0), (0.6, 0.3)):
        closed = jnp.array([1 - jnp.sqrt((1 - x) ** 2 - y**2 / 2), 0.0])
        end = gradient_flow(VALLEY_WITH_AN_END, jnp.array([x, y]), jnp.array([400.0]))[-1]
        measured(float(jnp.abs(end - closed).max()))
    for x in (-2.0, 0.1, 0.9):
        cov = jnp.diag(jnp.array([0.0, 1.7 * (1 - x)]))
        total = drift_terms(VALLEY_WITH_AN_END, cov, jnp.array([x, 0.0])).total
        measured(float(jnp.abs(total - jnp.array([1.7 / 4, 0.0])).max()))
    c, eta, x0 = 1.7, 0.03, -1.0

    def sigma(x):
        return jnp.sqrt(c * jnp.maximum(1 - x[0], 0.0) / 2) * jnp.array([[0.0, 0.0], [1.0, -1.0]])

    half = 2 * (1 - x0) / c
    run = sgd(
        FiniteNoise(VALLEY_WITH_AN_END, sigma),
        jnp.array([x0, 0.0]),
        eta,
        round(half / eta**2),
        jax.random.split(jax.random.key(9), 400),
    )
    x = np.asarray(run.states[:, -1, 0])
    assert abs(np.median(x) - (x0 + c * half / 4)) < 0.05
    # half-way there a few runs, and no more, are ahead of the limit by half of what is left
    assert np.mean(~(x < 0.5)) < 0.05


def test_the_explosion_of_the_exercise():
    """The limit dx/dt = s(1 + x²)/4 of L = ½e^{−x}y², with the drift from the package, by small steps."""
    loss, x, t, s = Loss(lambda p: 0.5 * jnp.exp(-p[0]) * p[1] ** 2), 0.3, 0.0, 1.9
    for point in (0.3, -0.8):
        cov = jnp.diag(jnp.array([0.0, s * (1 + point**2)]))
        drift = drift_terms(loss, cov, jnp.array([point, 0.0])).total[0]
        assert float(drift) == pytest.approx(s * (1 + point**2) / 4, rel=1e-9)
    while x < 1e4:  # steps that keep pace with the explosion, midpoint rule
        dt = 1e-3 / (1 + x)
        middle = x + dt / 2 * s * (1 + x**2) / 4
        x, t = x + dt * s * (1 + middle**2) / 4, t + dt
    assert t == pytest.approx(ch04.explosion_time(0.3, s), abs=2e-3)


def test_shakes_that_take_each_other_back():
    """Z → 0 uniformly, [Z](1) → 2, and q falls twice as fast as under independent shakes."""
    eta, rng = 0.01, np.random.default_rng(0)
    signs = rng.choice([-1.0, 1.0], size=(10_001, 50))
    shakes = np.diff(signs, axis=0)
    assert np.abs(eta * shakes.cumsum(axis=0)).max() <= 2 * eta + 1e-12
    assert (eta**2 * shakes**2).sum(axis=0).mean() == pytest.approx(
        ch04.two_variances(-1.0, 1.0)[1], rel=0.02
    )
    u, v = np.full(50, 2.0), np.full(50, 0.5)
    for shake in shakes:
        slope = 2 * (u * v - 1 - DELTA * shake)
        u, v = u - eta * slope * v, v - eta * slope * u
    assert np.median(u**2 - v**2) == pytest.approx(3.75 * np.exp(-8 * DELTA**2), rel=0.15)


def test_without_replacement_the_driving_process_vanishes_and_its_variation_does_not():
    """Every throw of two epochs of three outcomes: |Z| ≤ ηΞ^{3/2}, [Z] = P after an epoch, and the sum of ∫Z dZ."""
    eta, outcomes = 0.1, 3
    for first, second in product(permutations(range(outcomes)), repeat=2):
        dZ = eta * jumps(outcomes, np.array(first + second))
        Z = np.vstack([np.zeros(outcomes), dZ.cumsum(axis=0)])
        assert np.linalg.norm(Z, axis=1).max() <= eta * outcomes**1.5
        np.testing.assert_allclose(Z[[3, 6]], 0, atol=1e-15)
        np.testing.assert_allclose(dZ[:3].T @ dZ[:3], 3 * eta**2 * (np.eye(3) - 1 / 3), atol=1e-15)
        assert np.sum(Z[:-1] * dZ) == pytest.approx(-0.5 * (outcomes - 1) * 6 * eta**2)
        assert np.linalg.norm(dZ[2]) == pytest.approx(eta * np.sqrt(outcomes - 1))  # no surprise, but a way


def outcomes_at(noise, x):
    """The stochastic gradients (Ξ, D) of finite noise and their derivatives (Ξ, D, D)."""

    def gradients(x):
        sigma = noise.sigma(x)
        return noise.problem.gradient(x) + jnp.sqrt(sigma.shape[1]) * sigma.T

    return gradients(x), jax.jacobian(gradients)(x)


def five_kicks(x):
    """A factor that is no gradient and turns with the point, five columns that add up to zero."""
    kicks = circle_factor(x) @ jnp.array([[1.0, -0.5, 0.3, 0.2, -1.0], [0.4, 1.0, -0.7, -0.5, -0.2]])
    bent = kicks * (1 + jnp.outer(jnp.array([x[0], x[1] ** 2]), jnp.arange(5.0)) / 4)
    return bent - bent.mean(axis=1, keepdims=True)


@pytest.mark.parametrize(("noise", "known"), [(FOUR, -B / 2), (FiniteNoise(CIRCLE, five_kicks), None)])
def test_reshuffling_goes_where_the_exercise_says(noise, known):
    """All orders of an epoch, Richardson-extrapolated: Φ moves by Ξη² times the velocity of exercise 4.8."""
    x = jnp.array([np.cos(0.4), np.sin(0.4)])
    g, J = map(np.asarray, outcomes_at(noise, x))
    tangent = np.array([-np.sin(0.4), np.cos(0.4)])
    velocity = ch04.reshuffled_velocity(g, J, np.outer(tangent, tangent)) @ tangent
    orders = jnp.array(list(permutations(range(len(g)))))

    @jax.jit
    def per_time(eta):
        def epoch(order):
            end = x
            for xi in order:
                end = end - eta * outcomes_at(noise, end)[0][xi]
            return jnp.arctan2(end[1], end[0]) - 0.4

        return jax.vmap(epoch)(orders).mean() / (eta**2 * len(g))

    coarse, fine = float(per_time(2e-4)), float(per_time(1e-4))
    assert 2 * fine - coarse == pytest.approx(velocity, abs=1e-5)
    assert abs(velocity) > 0.05
    assert known is None or velocity == pytest.approx(known)


def test_under_label_noise_reshuffling_has_the_limit_of_independent_dice():
    """The velocity of exercise 4.8 against `drift_terms`, where three examples times two signs are the outcomes."""
    z = jnp.array([[0.7, 0.2], [1.1, -0.4], [-0.5, 0.9]])

    def predict(x):
        return z @ jnp.array([x[0] * x[1], x[0] + x[2] ** 2 * x[1]])

    x = jnp.array([1.2, 0.7, 0.4])
    problem = LeastSquares(predict, predict(x))
    noise = LabelNoise(problem, DELTA)

    def gradients(x):
        slopes = jax.jacobian(predict)(x)
        residual = predict(x) - predict(jnp.array([1.2, 0.7, 0.4]))
        return jnp.vstack([2 * (residual - sign * DELTA)[:, None] * slopes for sign in (1, -1)])

    values, vectors = np.linalg.eigh(np.asarray(problem.hessian(x)))
    T = vectors[:, :1] @ vectors[:, :1].T
    assert values[0] < 1e-9 < 1e-3 < values[1]
    velocity = ch04.reshuffled_velocity(np.asarray(gradients(x)), np.asarray(jax.jacobian(gradients)(x)), T)
    drift = drift_terms(problem, noise.covariance(x), x).total
    np.testing.assert_allclose(T @ np.asarray(drift), velocity, atol=1e-9)
    np.testing.assert_allclose(np.asarray(drift), velocity, atol=1e-9)
    assert np.linalg.norm(velocity) > 0.01


@pytest.mark.parametrize("eta", [0.02, 0.005])
def test_noise_that_comes_all_at_once_throws_the_weights_off_the_curve(eta):
    """A burst of 1/η shakes of size 1/√η: [Z] = 1 and jumps of √η, but rms |uv − 1| does not fall with η."""
    shakes = np.random.default_rng(0).choice([-1.0, 1.0], size=(round(1 / eta), 2000)) / np.sqrt(eta)
    assert (eta**2 * shakes**2).sum(axis=0) == pytest.approx(np.ones(2000))
    u, v = np.full(2000, 2.0), np.full(2000, 0.5)
    for shake in shakes:
        slope = 2 * (u * v - 1 - DELTA * shake)
        u, v = u - eta * slope * v, v - eta * slope * u
    assert np.sqrt(np.mean((u * v - 1) ** 2)) > 0.5


@pytest.mark.parametrize("h", [0.05, 0.15])
def test_a_clock_in_leaps_has_a_limit_of_its_own(h):
    """q(1) of runs whose gradient counts in every (1/η)th step, against eq-leaps; Katzenberger's is far away."""
    eta, rng = 0.01, np.random.default_rng(0)
    k = np.arange(1, 10_001)
    shakes = rng.choice([-1.0, 1.0], size=(len(k), 100))
    x = two_weights(shakes, eta, (2.0, 0.5), np.where(k % 100, 0, h / eta))[-1]
    rate = lambda t, q: -8 * DELTA**2 * q / (2 - 2 * h * np.sqrt(q**2 + 4))  # noqa: E731
    limit = solve_ivp(rate, (0, 1), [3.75], rtol=1e-8).y[0, -1]
    assert np.mean(x[:, 0] ** 2 - x[:, 1] ** 2) == pytest.approx(limit, abs=0.04)
    assert 3.75 * np.exp(-4 * DELTA**2) - limit > 0.2


@pytest.mark.parametrize("eta", [0.04, 0.02])
def test_a_prize_that_nobody_wins_keeps_the_weights_off_the_curve(eta):
    """Shakes of mean zero, −1 or a rare prize: without it [Z](1) = 1 and jumps of η, and uv = 1 − δ for any η."""
    chance, steps = eta**3, round(1 / eta**2)
    prize = (1 - chance) / chance
    assert chance * prize - (1 - chance) == pytest.approx(0, abs=1e-12)
    assert 1 - (1 - chance) ** steps == pytest.approx(eta, rel=0.05)
    assert eta**2 * steps * (chance * prize**2 + 1 - chance) == pytest.approx(eta**-3, rel=1e-3)
    x = two_weights(np.full((steps, 1), -1.0), eta, (2.0, 0.5))[-1]
    assert x.prod() == pytest.approx(1 - DELTA, abs=1e-6)


def test_three_derivatives_of_the_loss_are_not_enough_for_two_of_phi():
    """∂²Φ at the start of the path that ends at x = 0, by differences, grows with the terms like Σ n^(−½)."""

    def bump(s):
        inside = (s > 1) & (s < 2)
        z = np.where(inside, 2 * s - 3, 0.0)
        value = np.where(inside, np.exp(-1 / (1 - z**2)), 0.0)
        return value, value * -4 * z / (1 - z**2) ** 2

    def start(end, terms):
        """x at y = 0.9 of the path of gradient flow that ends at (end, 0)."""
        n = np.arange(1, terms + 1)
        size, scale = n**-0.5 / 8.0**n, 2.0**n

        def slope(log_y, x):
            y = np.exp(log_y)
            value, derivative = bump(scale * y)
            across = y + np.sum(size * scale * derivative * np.sin(scale * x[0]))
            return [np.sum(size * scale * value * np.cos(scale * x[0])) * y / across]

        span = (-terms * np.log(2), np.log(0.9))
        return solve_ivp(slope, span, [end], rtol=1e-12, atol=1e-20, max_step=0.05).y[0, -1]

    def second(terms):
        h = 2.0**-terms / 4
        return (start(h, terms) - 2 * start(0, terms) + start(-h, terms)) / h**2

    at = {terms: second(terms) for terms in (4, 8, 12)}
    growth = [at[8] - at[4], at[12] - at[8]]
    sums = [np.sum(np.arange(a + 1, a + 5) ** -0.5) for a in (4, 8)]
    assert growth[0] / sums[0] == pytest.approx(growth[1] / sums[1], rel=0.1)
    assert abs(growth[1]) > 0.1
