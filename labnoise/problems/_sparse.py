"""The overparametrized linear model of sparse recovery (Li, Wang & Arora 2022, section 6).

`f_i(x) = ⟨z_i, w(x)⟩` with weights `w = u⊙u − v⊙v`, x = (u, v), or `w = v⊙v`, x = v.
"""

import jax
import jax.numpy as jnp
import numpy as np
import scipy
from jax import Array

from labnoise import _checks
from labnoise.problems._dual import RESIDUAL, dual_projection, explain_no_projection
from labnoise.problems._least_squares import LeastSquares


class SparseRegression(LeastSquares, static=("parametrization",)):
    """Least squares on the products of parameters, `L(x) = (loss_scale/n) Σ_i (⟨z_i, w(x)⟩ − y_i)²`.

    Parameters
    ----------
    design : Z (n, d), rows z_i
    targets : y (n,)
    parametrization : "difference", x = (u, v) and w = u⊙u − v⊙v, D = 2d; or "square", w = x⊙x, D = d
    loss_scale : positive number

    Raises
    ------
    ValueError
        If shapes disagree, an entry is not finite, the parametrization does not exist, the rows of `design`
        are linearly dependent, or the parametrization is "square" and no w > 0 has Zw = y.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from labnoise import SparseRegression
    >>> problem = SparseRegression(jnp.array([[1.0, 2.0, 0.0]]), jnp.array([4.0]))
    >>> problem.weights(jnp.array([1.0, 2.0, 1.0, 1.0, 0.0, 1.0])).tolist()
    [0.0, 4.0, 0.0]
    >>> (problem.minimum_norm()[:2]).round(3).tolist(), problem.basis_pursuit().tolist()
    ([0.8, 1.6], [0.0, 2.0, 0.0])
    """

    design: Array

    def __init__(
        self,
        design: Array,
        targets: Array,
        parametrization: str = "difference",
        loss_scale: Array | float = 1.0,
    ):
        self.design = _checks.real_array("design", design, 2)
        self.targets = _checks.real_array("targets", targets, 1)
        n, d = self.design.shape
        if n == 0 or d == 0:
            _checks.fail("the shape of design", (n, d), "pass at least one example and one feature")
        if self.targets.shape != (n,):
            _checks.fail("the shape of targets", self.targets.shape, f"design has n = {n} rows; pass ({n},)")
        _checks.one_of("parametrization", parametrization, ("difference", "square"))
        _checks.positive("loss_scale", loss_scale)
        self.parametrization = parametrization
        self.loss_scale = loss_scale
        if _checks.concrete(self.design, self.targets):
            self._check_reachable()

    def _check_reachable(self) -> None:
        n, d = self.design.shape
        rank = int(np.linalg.matrix_rank(np.asarray(self.design)))
        if rank < n:
            _checks.fail(
                "the rank of design", rank, f"its n = {n} rows must be independent; drop rows or draw anew"
            )
        if self.parametrization == "square":
            # the largest margin r with some w ≥ r, Zw = y
            columns = np.column_stack([self.design, np.asarray(self.design).sum(1)])
            margin = scipy.optimize.linprog(
                np.append(np.zeros(d), -1.0),
                A_eq=columns,
                b_eq=self.targets,
                bounds=[(0, None)] * d + [(None, 1.0)],
            )
            if margin.status != 0 or margin.x[-1] <= 0:
                _checks.fail(
                    "targets", self.targets, 'no w > 0 has Zw = y; take parametrization="difference"'
                )

    def weights(self, x: Array) -> Array:
        """w(x), shape (d,)."""
        if self.parametrization == "square":
            return x**2
        d = self.design.shape[1]
        return x[:d] ** 2 - x[d:] ** 2

    def predict(self, x: Array) -> Array:
        """Z w(x), shape (n,)."""
        size = self.design.shape[1] * (1 if self.parametrization == "square" else 2)
        if x.shape != (size,):
            _checks.fail(
                "the shape of x", x.shape, f'parametrization="{self.parametrization}" needs ({size},)'
            )
        # transposed once and not in each step: both products of a gradient then run along memory
        return self.weights(x) @ jax.lax.optimization_barrier(self.design.T)

    def outputs(self, x: Array, indices: Array | None = None) -> Array:
        """As for any least squares, but only the rows that are asked for are multiplied."""
        return super().outputs(x) if indices is None else self.design[indices] @ self.weights(x)

    def own_sharpness(self, x: Array) -> Array:
        """`tr∇²L(x) = 8·loss_scale Σ_j m_j x_j²`, and for "square" `(4·loss_scale/n) Σ_ij r_i z_ij` more."""
        moments = jnp.tile(self.second_moments, x.size // self.design.shape[1])
        trace = 4 * self.curvature * moments @ x**2
        if self.parametrization == "square":  # of "difference" the two halves cancel
            trace += 2 * self.curvature / self.num_examples * (self.residual(x) @ self.design).sum()
        return trace

    def own_projection(self, x0: Array) -> Array:
        """Φ(x0), by an n-dimensional convex problem; NaN where it has no solution."""
        point, residual = _project(self, x0)
        if _checks.concrete(residual):
            explain_no_projection(x0, residual)
        return jnp.where(residual < RESIDUAL, point, jnp.nan)

    def label_noise_path(self, x0: Array, t: Array, c: Array | float) -> Array:
        """The limit at the times t (k,), in any order and `inf` among them, `Φ(x0 ⊙ e^{−4sctm})`, s = `loss_scale`."""
        if not _checks.concrete(self, x0, t, c):
            return _anneal(self, x0, t, c)[0]
        finite = np.array(t)
        for k in np.flatnonzero(
            np.isinf(finite)
        ):  # solved below; the NaN of `_anneal` would stop `jax_debug_nans`
            finite[k] = finite[k - 1] if k else 0.0
        path, residuals = _anneal(self, x0, jnp.asarray(finite), c)
        if _checks.concrete(path):
            explain_no_projection(x0, np.asarray(residuals).max(initial=0.0))
            ends = np.flatnonzero(np.isinf(t))  # the linear program at t = ∞ needs concrete numbers
            if ends.size:
                path = path.at[ends].set(self._end_of_anneal(x0))
        return path

    def _end_of_anneal(self, x0: Array) -> Array:
        w = self.basis_pursuit(self.second_moments)
        parts = [w] if self.parametrization == "square" else [w, -w]
        return jnp.sign(x0) * jnp.sqrt(jnp.maximum(jnp.concatenate(parts), 0.0))

    @property
    def second_moments(self) -> Array:
        """`m_j = (1/n) Σ_i z_ij²`, shape (d,).

        For "difference" `tr∇²L = 8·loss_scale Σ_j m_j (u_j² + v_j²)`.
        """
        return jnp.mean(self.design**2, axis=0)

    def minimum_norm(self) -> Array:
        """The interpolating weights of least Euclidean norm, `Z†y`, shape (d,): the kernel regime."""
        return jnp.linalg.lstsq(self.design, self.targets)[0]

    def basis_pursuit(self, feature_weights: Array | None = None) -> Array:
        """A minimizer of `Σ_j a_j|w_j|` subject to Zw = y, shape (d,); "square" demands w ≥ 0 as well.

        With a = `feature_weights` = 1, the default, this is basis pursuit; with a = `second_moments` it is where
        label noise ends. A linear program, solved by HiGHS on concrete values only.

        Raises
        ------
        ValueError
            If `feature_weights` is not a vector (d,) of positive numbers, or the program has no solution.
        """
        d = self.design.shape[1]
        if feature_weights is None:
            feature_weights = jnp.ones(d)
        price = np.asarray(_checks.real_array("feature_weights", feature_weights, 1))
        if price.shape != (d,) or (price <= 0).any():
            _checks.fail("feature_weights", feature_weights, f"pass {d} positive numbers, one a feature")
        signs = (1,) if self.parametrization == "square" else (1, -1)
        design = np.concatenate([sign * np.asarray(self.design) for sign in signs], axis=1)
        solution = scipy.optimize.linprog(
            np.tile(price, len(signs)), A_eq=design, b_eq=self.targets, method="highs-ds"
        )
        if solution.status != 0:
            raise ValueError(f"targets: basis pursuit has no solution; HiGHS says: {solution.message}")
        w = np.asarray(signs) @ solution.x.reshape(len(signs), d)
        return jnp.asarray(_polish(np.asarray(self.design), np.asarray(self.targets), w))

    def recovery_rate(self, w_star: Array) -> Array:
        """γ*, the rate at which label noise recovers `w_star` (d,): `|w(t) − w*|` falls as `e^{−8scγ*t}`, shape ().

        Here t = η²·steps, s is `loss_scale`, and the noise has Σ = c∇²L on Γ.

        `γ* = max_ν min_{j∉S} (m_j − |Zᵀν|_j)` subject to `(Zᵀν)_S = m_S sign(w*_S)`, S the support of w*: the
        margin of the best dual certificate, a linear program (for "square" with Zᵀν in place of its absolute
        value). Positive if and only if w* is the limit of the flow as t → ∞ and is unique.

        Raises
        ------
        ValueError
            If `w_star` does not interpolate, or has no dual certificate at all.
        """
        w = np.asarray(_checks.real_array("w_star", w_star, 1))
        Z, m = np.asarray(self.design), np.asarray(self.second_moments)
        n, d = Z.shape
        if w.shape != (d,) or np.abs(Z @ w - self.targets).max() > 1e-6 * (1 + np.abs(self.targets).max()):
            _checks.fail("w_star", w_star, f"pass weights ({d},) with Zw = y")
        support = np.abs(w) > 1e-9 * np.abs(w).max()
        off = Z[:, ~support].T
        signs = (1,) if self.parametrization == "square" else (1, -1)
        bounds = np.concatenate([np.column_stack([sign * off, np.ones(len(off))]) for sign in signs])
        certificate = scipy.optimize.linprog(
            np.append(np.zeros(n), -1.0),
            A_ub=bounds,
            b_ub=np.tile(m[~support], len(signs)),
            A_eq=np.column_stack([Z[:, support].T, np.zeros(support.sum())]),
            b_eq=m[support] * np.sign(w[support]),
            bounds=(None, None),
        )
        if certificate.status != 0:
            _checks.fail("w_star", w_star, f"it has no dual certificate; HiGHS says: {certificate.message}")
        return jnp.asarray(certificate.x[-1])


@jax.jit
def _project(problem: SparseRegression, x0: Array) -> tuple[Array, Array]:
    square = problem.parametrization == "square"
    return dual_projection(problem.design, problem.targets, square, x0, jnp.zeros_like(x0))[:2]


@jax.jit
def _anneal(problem: SparseRegression, x0: Array, t: Array, c: Array | float) -> tuple[Array, Array]:
    """The states at finite times and the residuals of the dual; NaN where t = ∞ or the dual is unsolved."""
    moments, square = problem.second_moments, problem.parametrization == "square"
    rate = 2 * problem.curvature * c * jnp.tile(moments, x0.size // moments.size)

    def at(before: tuple[Array, Array], time: Array) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
        last, s = before
        now = jnp.where(jnp.isinf(time), last, time)
        # a later time starts from the solution at the one before; from an earlier one Newton would overflow
        start = jnp.where(now >= last, s, 0.0)
        point, residual, s = dual_projection(problem.design, problem.targets, square, x0, -rate * now, start)
        solved = residual < RESIDUAL
        point = jnp.where(solved & jnp.isfinite(time), point, jnp.nan)
        return (now, jnp.where(solved, s, 0.0)), (point, residual)

    return jax.lax.scan(at, (jnp.zeros((), t.dtype), jnp.zeros_like(problem.targets)), t)[1]


def _polish(design: np.ndarray, targets: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Solve for the values on the support, which the linear program found only to its own tolerance."""
    support = np.abs(w) > 1e-7 * np.abs(w).max(initial=0.0)
    polished = np.zeros_like(w)
    if support.any():
        polished[support] = np.linalg.lstsq(design[:, support], targets)[0]
    return polished


def random_sparse_regression(
    key: Array,
    n: int,
    d: int,
    sparsity: int,
    design: str = "gaussian",
    parametrization: str = "difference",
    loss_scale: Array | float = 1.0,
) -> tuple[SparseRegression, Array]:
    """A random instance of sparse recovery and its true weights w* (d,), so that `y = Zw*`.

    Entries of Z are N(0, 1), or ±1 with equal chance for design="boolean". The support of w* is uniform
    among those of size κ = `sparsity`, its values ±1, all +1 if the parametrization is "square".

    Parameters
    ----------
    key : a JAX key
    n, d, sparsity : int
        Examples, features, and entries of w* that are not zero; `sparsity` may be 0.
    design : "gaussian" or "boolean"
    parametrization, loss_scale
        As in `SparseRegression`.

    Returns
    -------
    The problem, and w* (d,)

    Raises
    ------
    ValueError
        If n or d is not a whole number ≥ 1, or `sparsity` not one ≥ 0, if `sparsity` > d, n > d, or the design does
        not exist.

    Examples
    --------
    >>> import jax
    >>> from labnoise import random_sparse_regression
    >>> problem, w_star = random_sparse_regression(jax.random.key(0), n=20, d=50, sparsity=3)
    >>> problem.design.shape, int((w_star != 0).sum())
    ((20, 50), 3)
    """
    n, d, sparsity = (
        _checks.count("n", n),
        _checks.count("d", d),
        _checks.count("sparsity", sparsity, least=0),
    )
    if sparsity > d:
        _checks.fail("sparsity", sparsity, f"at most d = {d} weights can differ from zero")
    if n > d:
        _checks.fail(
            "n", n, f"with more than d = {d} examples nothing is overparametrized; lower n or raise d"
        )
    _checks.one_of("design", design, ("gaussian", "boolean"))
    entries, support, signs = jax.random.split(key, 3)
    sampler = jax.random.normal if design == "gaussian" else jax.random.rademacher
    Z = sampler(entries, (n, d), float)
    values = jax.random.rademacher(signs, (d,), float)
    if parametrization == "square":
        values = jnp.abs(values)
    # of a shape that does not depend on the sparsity, so that nothing is compiled anew for another
    values = jnp.where(jnp.arange(d) < sparsity, values, 0.0)
    w_star = jnp.zeros(d).at[jax.random.permutation(support, d)].set(values)
    return SparseRegression(Z, Z @ w_star, parametrization, loss_scale), w_star
