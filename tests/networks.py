"""A small network with vector outputs, and the flow of label noise written anew, for tests of both losses."""

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import Partial
from scipy.integrate import solve_ivp

import labnoise  # noqa: F401  (which turns on float64)

N, Q, FEATURES, WIDTH = 2, 3, 2, 4
INPUTS = np.array([[1.5, 0.3], [-0.4, 1.5]])  # far apart, so that no curvature is small
# NumPy's numbers, as what stands here is made in every worker
X0 = jnp.asarray(np.random.default_rng(6).standard_normal(WIDTH * (FEATURES + Q)))


def network(x, inputs):
    """tanh units without biases: D = WIDTH·(FEATURES + Q) parameters, outputs (n, Q)."""
    first, second = x[: WIDTH * FEATURES].reshape(FEATURES, WIDTH), x[WIDTH * FEATURES :].reshape(WIDTH, Q)
    return jnp.tanh(inputs @ first) @ second


NETWORK = Partial(network, inputs=jnp.asarray(INPUTS))


def independent_label_noise_flow(problem, start, times, c, rank):
    """`dY/dt = −(c/4) T∇tr∇²L` from a start on Γ, with whole Hessians, by SciPy's method of order 8."""
    hessian = jax.jit(problem.hessian)
    slope = jax.jit(jax.grad(lambda x: jnp.trace(problem.hessian(x))))

    def velocity(_, x):
        vectors = np.linalg.eigh(np.asarray(hessian(x)))[1]
        tangents = vectors[:, : x.size - rank]
        return -c / 4 * tangents @ (tangents.T @ np.asarray(slope(x)))

    span = (0.0, float(times[-1]))
    solution = solve_ivp(
        velocity, span, np.asarray(start), "DOP853", np.asarray(times), rtol=1e-11, atol=1e-12
    )
    return solution.y.T
