"""SGD near one minimum: the Ornstein–Uhlenbeck process `dΔ = −ηHΔ dt + ησ dW`, time counted in steps."""

import jax
import jax.numpy as jnp
from jax import Array

from labnoise import _checks
from labnoise._linalg import RANK, hessian_matrix, semidefinite_factor
from labnoise._pytree import Pytree


class OU(Pytree, static=()):
    """The process that `ornstein_uhlenbeck` returns. Time is counted in steps.

    In the eigenbasis of H all is elementary: entry (i, j) of a covariance decays at the rate `η(λ_i + λ_j)` per
    step.

    Attributes
    ----------
    hessian : H (D, D)
    cov : Σ (D, D)
    learning_rate : η
    eigenvalues : (D,)
        Of H, increasing; those that are zero up to rounding are exactly 0.
    basis : (D, D)
        Orthonormal eigenvectors, one a column.
    """

    def __init__(self, hessian: Array, cov: Array, learning_rate: Array | float):
        self.hessian, self.cov, self.learning_rate = hessian, cov, learning_rate
        eigenvalues, self.basis = jnp.linalg.eigh(hessian)
        self.eigenvalues = jnp.where(eigenvalues > RANK * eigenvalues[-1], eigenvalues, 0.0)

    def _in_basis(self, entries: Array) -> Array:
        return self.basis @ entries @ self.basis.T

    def _noise(self) -> tuple[Array, Array, Array]:
        """Σ in the eigenbasis, λ_i + λ_j, and where both directions are normal to Γ."""
        normal = self.eigenvalues > 0
        both = normal[:, None] & normal[None, :]
        return self.basis.T @ self.cov @ self.basis, self.eigenvalues[:, None] + self.eigenvalues, both

    @property
    def stationary_covariance(self) -> Array:
        """S (D, D) with `HS + SH = ηΣ_⊥`, in the normal space, for tangent directions never become stationary."""
        noise, sums, both = self._noise()
        return self._in_basis(jnp.where(both, self.learning_rate * noise / jnp.where(both, sums, 1.0), 0.0))

    @property
    def discrete_stationary_covariance(self) -> Array:
        """S (D, D) with `HS + SH − ηHSH = ηΣ_⊥`, that of the recursion `Δ ← (I − ηH)Δ + noise` itself."""
        noise, sums, both = self._noise()
        rate = sums - self.learning_rate * jnp.outer(self.eigenvalues, self.eigenvalues)
        return self._in_basis(jnp.where(both, self.learning_rate * noise / jnp.where(both, rate, 1.0), 0.0))

    def mean(self, num_steps: Array | float, x0: Array) -> Array:
        """`e^{−ηHk} x0`, shape (D,): the mean k = `num_steps` steps after a start at x0."""
        x0 = jnp.asarray(x0, self.basis.dtype)
        return self.basis @ (
            jnp.exp(-self.learning_rate * self.eigenvalues * num_steps) * (self.basis.T @ x0)
        )

    def covariance(self, num_steps: Array | float) -> Array:
        """`η² ∫₀ᵏ e^{−ηHs} Σ e^{−ηHs} ds` (D, D), the covariance k = `num_steps` steps after a fixed start.

        In tangent directions it grows like η²k for ever.
        """
        noise, sums, _ = self._noise()
        rate = self.learning_rate * sums
        grown = jnp.where(rate > 0, -jnp.expm1(-rate * num_steps) / jnp.where(rate > 0, rate, 1.0), num_steps)
        return self._in_basis(self.learning_rate**2 * noise * grown)

    def sample(self, key: Array, num_steps: Array, x0: Array) -> Array:
        """An exact path (k, D) at the increasing times `num_steps` (k,), in steps, from x0; (R, k, D) for R keys."""
        _checks.keys(key)
        num_steps, x0 = jnp.asarray(num_steps, float), jnp.asarray(x0, self.basis.dtype)
        durations = jnp.diff(num_steps, prepend=0.0)
        if _checks.concrete(durations) and not (durations >= 0).all():
            _checks.fail("num_steps", num_steps, "times are at least 0 and increasing")
        durations = jnp.where(durations >= 0, durations, jnp.nan)

        def step(x: Array, now: tuple[Array, Array]) -> tuple[Array, Array]:
            duration, draw = now
            x = self.mean(duration, x) + semidefinite_factor(self.covariance(duration)) @ draw
            return x, x

        def path(key: Array) -> Array:
            draws = jax.random.normal(key, (*num_steps.shape, x0.size), x0.dtype)
            return jax.lax.scan(step, x0, (durations, draws))[1]

        return jax.vmap(path)(key) if key.ndim else path(key)


def ornstein_uhlenbeck(hessian: Array, cov: Array, learning_rate: Array | float) -> OU:
    """The linearization of SGD at a minimizer, `dΔ = −ηHΔ dt + ησ dW`, `σσᵀ = Σ`, solved exactly.

    Δ is the displacement from the minimizer, and the time t is counted in steps of SGD. The process is that of
    Uhlenbeck & Ornstein (1930); SGD near a minimum was read in this way by Mandt, Hoffman & Blei (2017), and its
    stationary covariance in discrete time is that of Liu, Ziyin & Ueda (2021).

    Parameters
    ----------
    hessian : H (D, D), symmetric, positive semidefinite
    cov : Σ (D, D)
    learning_rate : η > 0 with `ηλ_max < 2`, beyond which the recursion itself is unstable

    Returns
    -------
    OU

    Raises
    ------
    ValueError
        If an argument is not such, or a Hessian in float32 has eigenvalues that may be zero or rounding.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from labnoise import ornstein_uhlenbeck
    >>> near = ornstein_uhlenbeck(jnp.diag(jnp.array([0.0, 2.0])), jnp.eye(2), 0.1)
    >>> print(near.stationary_covariance.round(6))                   # ηΣ/(2λ)
    [[0.    0.   ]
     [0.    0.025]]
    >>> print(near.discrete_stationary_covariance.round(6))          # ηΣ/(λ(2 − ηλ))
    [[0.       0.      ]
     [0.       0.027778]]
    """
    hessian = hessian_matrix(hessian)
    cov = _checks.covariance("cov", cov, hessian.shape[0], beside="hessian")
    _checks.positive("learning_rate", learning_rate)
    if _checks.concrete(hessian, learning_rate):
        largest = float(jnp.linalg.eigvalsh(hessian)[-1])
        if learning_rate * largest >= 2:
            _checks.fail("learning_rate", learning_rate, f"it must be below 2/λ_max = {2 / largest:.4g}")
    return OU(hessian, cov, learning_rate)
