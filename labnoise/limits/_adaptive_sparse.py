"""The adaptive flow of the sparse model, in coordinates in which nothing is stiff and no entry of x changes its sign.

Let u be the size of an entry of x = (u, v), m the second moment of its feature, `κ² = 4cm·∂²ℓ/∂f²`, p = 1/(√V + ε).
With multipliers μ (n,) that keep Zw = y, and `a = Zᵀμ` for u, `−Zᵀμ` for v, the flow is

    u' = −½(κp)²u + pua,        V' = rate·(κ²u² − V).
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from labnoise.limits._runge_kutta import integrate
from labnoise.problems import SparseRegression

# Of the trace of `Z diag(pu²) Zᵀ`, which becomes singular where fewer entries are left than there are examples.
_RIDGE = 1e-13
# In each stretch of time. An entry that comes to its end costs about 40, all but a few of them short.
_MAX_STEPS = 100_000
_Flow = tuple[Array, Array, Array, Array]


class _Entries(NamedTuple):
    """The entries of x: those at zero, or of a feature that is zero in all examples, are not `live` and never move."""

    problem: SparseRegression
    sign: Array
    live: Array
    kappa: Array

    def signed_sum(self, values: Array) -> Array:
        """Of values (D,) those of u less those of v, over the live ones, shape (d,)."""
        signed = jnp.where(self.live, self.sign * values, 0.0)
        return signed.reshape(-1, self.problem.design.shape[1]).sum(0)

    def pulls(self, u: Array, weights: Array, losses: Array) -> tuple[Array, Array]:
        """The a (D,) of u', and the a by which a move `pua` takes x back to Γ, from `weights` pu², `losses` (κpu)²."""
        Z = self.problem.design
        matrix = 2 * (Z * self.signed_sum(self.sign * weights)) @ Z.T
        matrix += _RIDGE * jnp.trace(matrix) * jnp.eye(len(Z))
        off = Z @ self.signed_sum(u**2) - self.problem.targets
        sides = jnp.stack([Z @ self.signed_sum(losses), -off], axis=1)
        both = jax.scipy.linalg.cho_solve(jax.scipy.linalg.cho_factor(matrix), sides).T @ Z
        along, back = self.sign * jnp.tile(both, u.size // Z.shape[1])
        return along, back


def sparse_flow(
    problem: SparseRegression,
    x: Array,
    V: Array | None,
    t: Array,
    c: Array | float,
    eps: Array | float,
    rate: Array | float,
) -> _Flow:
    """States and second moments (k, D) at the times t from `x` on Γ; which are right, and how far they came (k,).

    V (D,) is V(0), None where it is settled always.
    """
    d = problem.design.shape[1]
    kappa = jnp.sqrt(4 * c * problem.curvature * jnp.tile(problem.second_moments, x.size // d))
    live = kappa * jnp.abs(x) > 0
    entries = _Entries(
        problem, jnp.where(jnp.arange(x.size) < d, 1.0, -1.0), live, jnp.where(live, kappa, 1.0)
    )
    u = jnp.where(live, jnp.abs(x), 1.0)
    sizes, moments, solid, reached = (
        _settled(entries, u, t, eps) if V is None else _lagging(entries, u, V, t, eps, rate)
    )
    return jnp.where(live, jnp.sign(x) * sizes, x), moments, solid, reached


def _settled(entries: _Entries, u: Array, t: Array, eps: Array | float) -> _Flow:
    """V = κ²u². In `own_time`, which runs down by one per unit of t, an entry passes its end without a trace."""
    e = eps / entries.kappa

    def field(q: Array) -> tuple[Array, Array]:
        u = size_at(q, e)
        share = jnp.where(u > 0, u / (u + e), 0.0)
        along, back = entries.pulls(u, share * u / entries.kappa, share**2)
        pace = jnp.where(entries.live, 2 / entries.kappa * (u + e), 0.0)
        return pace * along - entries.live, pace * back

    path, solid, reached = integrate(field, own_time(u, e), t, max_steps=_MAX_STEPS)
    sizes = size_at(path, e)
    return sizes, jnp.where(entries.live, (entries.kappa * sizes) ** 2, 0.0), solid, reached


def own_time(u: Array, e: Array) -> Array:
    """`q = u² + 4eu + 2e² ln u`, e = ε/κ: where V has settled, u falls on its own such that q' = −1.

    For `u' = −½(κp)²u = −u/(2(u + e)²)`. At e = 0 that is the time u² until u = 0, where u stays for q < 0.
    """
    return u**2 + 4 * e * u + 2 * e**2 * jnp.log(u)


def size_at(q: Array, e: Array) -> Array:
    """The u whose `own_time` is q."""
    scale = jnp.where(e > 0, e, 1.0)
    target = q / scale**2 - 2 * jnp.log(scale)  # z² + 4z + 2 ln z, z = u/e
    # from a start above the root of a convex function Newton comes down, in five steps to rounding for any target
    above = jnp.log(jnp.sqrt(jnp.maximum(target, 5.0) + 4) - 2)
    log = jnp.where(target > 5, above, jnp.minimum(target / 2, 0.0))
    for _ in range(5):
        z = jnp.exp(log)
        log -= (z * (z + 4) + 2 * log - target) / (2 * z * (z + 2) + 2)
    return jnp.where(e > 0, scale * jnp.exp(log), jnp.sqrt(jnp.maximum(q, 0.0)))


def _lagging(
    entries: _Entries, u: Array, V: Array, t: Array, eps: Array | float, rate: Array | float
) -> _Flow:
    """V behind κ²u². In ln u and ln V: u falls ever faster as V decays, and may yet return."""
    kappa, known = entries.kappa, V > 0

    def preconditioner(log_V: Array) -> Array:
        return 1 / (jnp.exp(jnp.maximum(log_V, -600.0) / 2) + eps)  # with ε = 0, too, a number

    def field(state: Array) -> tuple[Array, Array]:
        log_u, log_V = jnp.split(state, 2)
        u, p = jnp.exp(log_u), preconditioner(log_V)
        along, back = entries.pulls(u, p * u**2, (kappa * p * u) ** 2)
        of_u = jnp.where(entries.live, p * along - (kappa * p) ** 2 / 2, 0.0)
        of_V = rate * (jnp.where(entries.live, jnp.exp(2 * (jnp.log(kappa) + log_u) - log_V), 0.0) - 1)
        still = jnp.zeros_like(p)
        return jnp.concatenate([of_u, of_V]), jnp.concatenate([jnp.where(entries.live, p * back, 0.0), still])

    def size(state: Array) -> Array:
        # an error in ln u counts by its size, or as the time by which u, falling at its rate, is late
        fall = (kappa * preconditioner(jnp.split(state, 2)[1])) ** 2 / 2
        return jnp.sqrt(state.size) * (1 + jnp.abs(state) + jnp.concatenate([fall, jnp.zeros_like(fall)]))

    start = jnp.concatenate([jnp.log(u), jnp.log(jnp.where(known, V, 1.0))])
    path, solid, reached = integrate(field, start, t, size=size, max_steps=_MAX_STEPS)
    sizes, moments = jnp.split(jnp.exp(path), 2, axis=1)
    return sizes, jnp.where(known, moments, 0.0), solid, reached
