"""The numbered statements of chapter 10, each against something that does not share its derivation.

Derivatives by complex steps of networks written in NumPy, outcomes one by one, moments by their recursion.
"""

import itertools

import jax.numpy as jnp
import numpy as np
import pytest
from afterzero import ch10
from scipy.optimize import minimize

from labnoise import CrossEntropy, LeastSquares, SampledLabels, label_noise_flow, project


def hidden_layer(x, inputs, width):
    """f of the weights (b, w, v), real or complex."""
    features = inputs.shape[1]
    b, w, v = x[:width], x[width : width * (features + 1)].reshape(features, width), x[-width:]
    return np.tanh(inputs @ w + b) @ v


def complex_jacobian(function, x):
    """∂f by complex steps, exact to rounding, shape (…, D)."""
    columns = [function(x + 1e-30j * axis).imag / 1e-30 for axis in np.eye(len(x))]
    return np.stack(columns, axis=-1)


@pytest.mark.statement("prop-network-rank", asked=1e-12)
def test_the_rank_of_a_network_with_one_hidden_layer(measured):
    """Rank n with independent inputs and a single live unit; with more inputs and enough units; less if two agree."""
    rng = np.random.default_rng(0)

    def sizes(inputs, width, v=None):
        x = rng.standard_normal(width * (inputs.shape[1] + 2))
        x[-width:] = x[-width:] if v is None else v
        J = complex_jacobian(lambda x: hidden_layer(x, inputs, width), x)
        return np.linalg.svd(J, compute_uv=False)

    independent = rng.standard_normal((4, 3))  # with the 1 as many as there is room for
    assert np.linalg.matrix_rank(np.column_stack([independent, np.ones(4)])) == 4
    for v in ([0.7], [0.0, 1e-3], [0.0, -2.0, 0.0]):
        found = sizes(independent, len(v), v)
        assert found[3] > 1e-6 * max(abs(np.array(v)))
    assert len(sizes(independent, 3, 0.0)) == 4
    many = rng.standard_normal((6, 1))
    for v in (None, 0.0):
        found = sizes(many, 6, v)
        assert found[5] > 1e-7 * found[0]
    twice = np.concatenate([many, many[:1]])
    found = sizes(twice, 8)
    measured(found[6] / found[0])
    assert found[5] > 1e-7 * found[0]


def softmax(f):
    chances = np.exp(f)
    return chances / chances.sum(axis=-1, keepdims=True)


def vector_outputs(x):
    """Outputs (2, 3) of 14 weights for two inputs."""
    inputs = np.array([[1.0, 0.3], [-0.4, 1.2]])
    return np.tanh(inputs @ x[:4].reshape(2, 2)) @ x[4:10].reshape(2, 3) + 0.3 * np.sin(x[10:13]) * x[13]


@pytest.mark.statement("prop-two-losses", asked=1e-7)
def test_the_hessian_and_its_rank_for_both_losses(measured):
    """Whole Hessians by differences of complex steps, where the targets are what the network says."""
    rng = np.random.default_rng(1)
    x = rng.standard_normal(14)
    f = vector_outputs(x)
    y = softmax(f)
    J = complex_jacobian(vector_outputs, x)
    losses = {
        "squares": lambda x: ((vector_outputs(x) - f) ** 2).sum() / 2,
        "cross-entropy": lambda x: -(y * np.log(softmax(vector_outputs(x)))).sum() / 2,
    }
    expected = {
        "squares": J.reshape(6, 14).T @ J.reshape(6, 14),
        "cross-entropy": sum(j.T @ (np.diag(p) - np.outer(p, p)) @ j for j, p in zip(J, y, strict=True)) / 2,
    }
    for logits, (name, loss) in enumerate(losses.items()):
        h = 1e-5

        def slope(x, loss=loss):
            return complex_jacobian(lambda x: np.array(loss(x)), x)

        H = np.array([(slope(x + h * axis) - slope(x - h * axis)) / (2 * h) for axis in np.eye(14)])
        measured(abs(H - expected[name]).max())
        values, vectors = np.linalg.eigh(H)
        rank = (values > 1e-6 * values[-1]).sum()
        assert rank == 6 - 2 * logits
        assert ch10.dimension_of_gamma(J, bool(logits)) == 14 - rank
        moved = J @ vectors[:, : 14 - rank]
        measured(abs(moved - logits * moved.mean(axis=1, keepdims=True)).max() / 100)
        assert loss(x) <= min(loss(x + 0.1 * rng.standard_normal(14)) for _ in range(50))
    shift = J[0].mean(axis=0)
    assert np.linalg.norm(shift) > 0.1  # the kernel of J is smaller than the tangent space


@pytest.mark.statement("prop-one-unit", asked=1e-6)
def test_no_hidden_layer_is_flatter_than_this(measured):
    """The least |∇f|² of one, two and three units by a numerical minimizer; and networks that fit several images."""
    rng = np.random.default_rng(2)

    def psi(s):
        return 2 * s / (s + np.sqrt(1 + s * s))

    def price(units, r):
        t, v = np.tanh(units[0]), units[1]
        return np.sum(t**2 + v**2 * (1 - t**2) ** 2 * r**2)

    for r, y in ((0.3, 1.0), (1.5, -0.4), (3.7, 1.0)):
        for width in (1, 2, 3):
            fit = {"type": "eq", "fun": lambda u, y=y: np.tanh(u.reshape(2, -1)[0]) @ u.reshape(2, -1)[1] - y}
            found = [
                minimize(
                    lambda u, r=r: price(u.reshape(2, -1), r),
                    rng.standard_normal(2 * width),
                    constraints=fit,
                    method="SLSQP",
                    options={"ftol": 1e-13, "maxiter": 500},
                )
                for _ in range(12)
            ]
            least = min(end.fun for end in found if end.success)
            measured(abs(least - psi(abs(y) * r)))
        theta = abs(y) * r / np.sqrt(1 + (y * r) ** 2)
        t = np.sqrt(theta)
        measured(abs(price(np.array([[np.arctanh(t)], [y / t]]), r) - psi(abs(y) * r)))
        shared = [m * psi(abs(y) * r / m) for m in (1, 2, 8, 1000)]
        assert (np.diff(shared) > 0).all()
        assert abs(shared[-1] - 2 * abs(y) * r) < 0.01 * (1 + r)  # exercise 10.4
    inputs, y = rng.standard_normal((4, 3)), np.array([1.0, -1.0, 0.5, -2.0])
    lengths = np.sqrt(1 + (inputs**2).sum(axis=1))
    bound = 2 * np.mean(psi(abs(y) * lengths))
    for scale in (0.3, 1.0, 3.0, 10.0):
        for _ in range(20):
            x = scale * rng.standard_normal(6 * 5)
            features = np.tanh(inputs @ x[6:24].reshape(3, 6) + x[:6])
            x[-6:] = np.linalg.lstsq(features, y, rcond=None)[0]
            J = complex_jacobian(lambda x: hidden_layer(x, inputs, 6), x)
            assert 2 * np.mean((J**2).sum(axis=1)) > bound


def sensing(seed, n=9, d=4):
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((n, d, d))
    A = (A + A.transpose(0, 2, 1)) / 2
    u = rng.standard_normal(d)
    y = np.einsum("nij,i,j->n", A, u, u)
    problem = LeastSquares(lambda x: jnp.einsum("nij,ir,jr->n", A, x.reshape(d, -1), x.reshape(d, -1)), y)
    return A, y, np.outer(u, u), problem, rng


@pytest.mark.statement("prop-sensing", asked=1e-6)
def test_the_sharpness_of_matrix_sensing_is_a_weighted_trace(measured):
    """The trace by second differences of the loss; the bound at many points of Γ; the end of the flow."""
    A, y, truth, problem, rng = sensing(3, n=6)
    M = 8 / len(A) * np.einsum("nij,njk->ik", A, A)

    def loss(U):
        return np.mean((np.einsum("nij,ir,jr->n", A, U, U) - y) ** 2)

    nus = [y + rng.standard_normal(len(y)) for _ in range(20)]
    bound = max(ch10.certified(A, y, nu) for nu in nus if nu @ y > 0)
    assert bound > 0.2 * np.trace(M @ truth)
    for width in (4, 6):
        start = rng.standard_normal(4 * width)
        x = np.asarray(project(problem, start))
        U = x.reshape(4, -1)
        h = 1e-4
        axes = np.eye(x.size).reshape(-1, *U.shape)
        trace = sum(loss(U + h * axis) + loss(U - h * axis) - 2 * loss(U) for axis in axes) / h**2
        measured(abs(trace / np.trace(M @ U @ U.T) - 1))
        assert np.trace(M @ U @ U.T) > bound
    path = np.asarray(label_noise_flow(problem, start, jnp.array([0.0, 8.0]), 0.5))
    U = path[-1].reshape(4, -1)
    nu = np.linalg.lstsq((A @ U).reshape(len(A), -1).T, (M @ U).ravel(), rcond=None)[0]
    flat = np.trace(M @ U @ U.T)
    measured(abs(nu @ y - flat) / flat)
    measured(abs(flat - ch10.certified(A, y, nu)) / flat)


@pytest.mark.statement("prop-sampled-labels", asked=1e-12)
def test_sampled_labels_are_label_noise(measured):
    """Every outcome of a batch of two with its probability; on Γ the Hessian; and the package's covariance."""
    rng = np.random.default_rng(4)
    weights = rng.standard_normal((6, 8))

    def outputs(x):
        return jnp.tanh(x @ weights).reshape(2, 4)[:, :3] + x[:3] * x[3:6]

    x = jnp.asarray(rng.standard_normal(6))
    J = complex_jacobian(lambda x: np.tanh(x @ weights).reshape(2, 4)[:, :3] + x[:3] * x[3:6], np.asarray(x))
    p = softmax(np.asarray(outputs(x)))
    for y in (rng.dirichlet(np.ones(3), 2), p):
        single = [
            (y[i, a] / 2, J[i].T @ (p[i] - np.eye(3)[a])) for i, a in itertools.product(range(2), range(3))
        ]
        pairs = [(c * d, (g + h) / 2) for (c, g), (d, h) in itertools.product(single, repeat=2)]
        mean = sum(chance * g for chance, g in pairs)
        cov = sum(chance * np.outer(g - mean, g - mean) for chance, g in pairs)
        problem = CrossEntropy(outputs, y)
        measured(abs(mean - problem.gradient(x)).max())
        measured(abs(cov - ch10.sampled_covariance(J, p, y, 2)).max())
        measured(abs(cov - SampledLabels(problem, 2).covariance(x)).max())
    measured(abs(cov - problem.hessian(x) / 2).max())


@pytest.mark.statement("prop-trust", asked=1e-9)
def test_the_plateau_of_label_noise_with_batches_of_one(measured):
    """The second moments of the residuals, by their own recursion; and a rate beyond which they grow."""
    rng = np.random.default_rng(5)
    n, delta = 3, 0.7

    def moments(J, eta, steps):
        K, C = J @ J.T, np.zeros((n, n))
        for _ in range(steps):
            kicks = sum((C[i, i] + delta**2) * np.outer(K[i], K[i]) for i in range(n))
            C = C - 2 * eta / n * (K @ C + C @ K) + 4 * eta**2 / n * kicks
        return np.diag(C)

    J = rng.standard_normal((n, 7))
    g = (J**2).sum(axis=1)
    for share in (0.1, 0.5, 0.9):
        eta = share / g.max()
        squares = moments(J, eta, 20_000)
        measured(abs((1 - eta * g) @ squares / (eta * delta**2 * g.sum()) - 1))
    J = J / np.sqrt(g)[:, None]
    measured(abs(moments(J, 0.3, 20_000).mean() / (delta**2 * 0.3 / 0.7) - 1))
    assert moments(J, 1.05, 4000).mean() > 1.5 * moments(J, 1.05, 1000).mean()
