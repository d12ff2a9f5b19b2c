"""Chapter 10: solutions, inputs to try answers on, usual mistakes and hints."""

import numpy as np
from scipy.linalg import eigh

from labnoise.teaching import exercise


def _jacobians(rng):
    """The gradients of outputs (n, q, D) of which some may depend on each other, and whether they are logits."""
    n, q = rng.integers(2, 5), rng.integers(2, 5)
    J = rng.standard_normal((n, q, n * q + rng.integers(2, 6)))
    kind = rng.integers(4)
    if kind == 1:
        J[-1] = J[0]  # an image that comes twice
    if kind > 1:
        J[0, 1:] = J[0, 0] + 1e-12 * J[1, 1:]  # outputs that move together, up to rounding
    return J, bool(rng.integers(2))


def _rank(J):
    return np.linalg.matrix_rank(J.reshape(-1, J.shape[2]), tol=1e-8)


@exercise(
    "10.1",
    inputs=_jacobians,
    mistakes={
        "Count what is independent: some of these gradients depend on others, and then nq is too much.": (
            lambda J, logits: J.shape[2] - J.shape[0] * (J.shape[1] - logits)
        ),
        "A common shift of an example's logits changes no chance: it is no condition on the weights.": (
            lambda J, logits: J.shape[2] - _rank(J)
        ),
        "Subtract one logit, or their mean, from the others: to leave one out keeps the common shift.": (
            lambda J, logits: J.shape[2] - _rank(J[:, :-1] if logits else J)
        ),
        "The shift of the logits matters for cross-entropy only.": (
            lambda J, logits: J.shape[2] - _rank(J - J.mean(axis=1, keepdims=True))
        ),
        "The shift is common to the logits of one example, not to the examples for one class.": (
            lambda J, logits: J.shape[2] - _rank(J - logits * J.mean(axis=0, keepdims=True))
        ),
        "That is the rank, the number of conditions. The dimension is what they leave.": (
            lambda J, logits: J.shape[2] - dimension_of_gamma(J, logits)
        ),
        "An example has q outputs, and each is a condition.": lambda J, logits: J.shape[2] - J.shape[0],
        "Rounding makes almost every matrix one of full rank: give matrix_rank a tolerance.": (
            lambda J, logits: (
                J.shape[2]
                - np.linalg.matrix_rank(
                    (J - logits * J.mean(axis=1, keepdims=True)).reshape(-1, J.shape[2]), tol=1e-15
                )
            )
        ),
    },
    hints=(
        "The tangent directions are those that change nothing that the loss sees. What does cross-entropy not see?",
        "The dimension of a kernel is D minus a rank, and np.linalg.matrix_rank(matrix, tol=1e-8) counts it.",
    ),
    after="Nothing but J was needed, at one point. This is how the condition of the theory is checked on a network.",
)
def dimension_of_gamma(J, logits):
    """Dimension of Γ near a point where the outputs have the gradients J (n, q, D).

    logits: the loss is cross-entropy (True) or squared (False). Below 1e-8 a singular value is rounding.
    """
    if logits:
        J = J - J.mean(axis=1, keepdims=True)
    return J.shape[2] - np.linalg.matrix_rank(J.reshape(-1, J.shape[2]), tol=1e-8)


def _probe(rng):
    n, D = rng.integers(2, 5), rng.integers(7, 10)
    return rng.standard_normal((n, D)), rng.standard_normal(D), rng.uniform(0.01, 0.1), rng.uniform(0.4, 1.5)


def _normal(J, g):
    return J.T @ np.linalg.solve(J @ J.T, J @ g)


@exercise(
    "10.3",
    inputs=_probe,
    mistakes={
        "That is the variance; its root is asked for.": lambda J, g, eta, delta: (
            output_spread(J, g, eta, delta) ** 2
        ),
        "The cloud lies across Γ only: project g on the normal directions first.": (
            lambda J, g, eta, delta: delta * np.sqrt(eta) * np.linalg.norm(g)
        ),
        "T g is what the cloud does not move. The normal part N g is wanted.": (
            lambda J, g, eta, delta: delta * np.sqrt(eta) * np.linalg.norm(g - _normal(J, g))
        ),
        "The cloud has the covariance S = (ηc/2)N, with a ½.": (
            lambda J, g, eta, delta: np.sqrt(2) * output_spread(J, g, eta, delta)
        ),
        "For this loss c = 2δ².": lambda J, g, eta, delta: np.sqrt(0.5) * output_spread(J, g, eta, delta),
        "c is proportional to δ², so that the spread is proportional to δ.": (
            lambda J, g, eta, delta: np.sqrt(eta * delta) * np.linalg.norm(_normal(J, g))
        ),
        "The covariance of the cloud is proportional to η, not to η².": (
            lambda J, g, eta, delta: eta * delta * np.linalg.norm(_normal(J, g))
        ),
        "N is Jᵀ(JJᵀ)⁻¹J. JᵀJ is the Hessian, up to a factor, and no projection.": (
            lambda J, g, eta, delta: delta * np.sqrt(eta) * np.linalg.norm(J @ g)
        ),
    },
    hints=(
        "Which covariance has the cloud under label noise (chapter 2), and what does it give to a linear function?",
        "To first order the output changes by ⟨g, Δ⟩ with Cov Δ = (ηc/2)N: its variance is a quadratic form in g.",
    ),
    after="On a training image g is a row of J, N g = g, and the spread is δ√η|∇f_i|: largest where the network "
    "is sharpest. On an image far from all training images it may be nearly zero, right or wrong.",
)
def output_spread(J, g, eta, delta):
    """Standard deviation of an output with gradient g (D,) under label noise ±delta at the learning rate eta.

    J (n, D) are the gradients of the training outputs, at the point of Γ about which the weights spread.
    """
    normal = J.T @ np.linalg.solve(J @ J.T, J @ g)
    return delta * np.sqrt(eta) * np.linalg.norm(normal)


def _measurements(rng):
    """Symmetric A (n, d, d), targets of a positive matrix, and numbers ν with ⟨ν, y⟩ > 0."""
    n, d = rng.integers(3, 6), rng.integers(3, 6)
    A = rng.standard_normal((n, d, d))
    A = (A + A.transpose(0, 2, 1)) / 2
    root = rng.standard_normal((d, 2))
    y = np.einsum("nij,ij->n", A, root @ root.T)
    aside = rng.standard_normal(n)
    aside -= aside @ y / (y @ y) * y
    return A, y, y + rng.uniform(0, 2) * np.linalg.norm(y) / np.linalg.norm(aside) * aside


def _relative(A, nu):
    """The eigenvalues of Σν_iA_i relative to M."""
    return eigh(np.einsum("n,nij->ij", nu, A), 8 / len(A) * np.einsum("nij,njk->ik", A, A), eigvals_only=True)


@exercise(
    "10.5",
    inputs=_measurements,
    mistakes={
        "Relative to M, not by themselves: eigh takes a second matrix.": (
            lambda A, y, nu: nu @ y / np.linalg.eigvalsh(np.einsum("n,nij->ij", nu, A))[-1]
        ),
        "μM − Σν_iA_i has to be positive semidefinite: that takes the largest eigenvalue, not the smallest.": (
            lambda A, y, nu: nu @ y / _relative(A, nu)[0]
        ),
        "The sign of an eigenvalue matters: one that is very negative does no harm.": (
            lambda A, y, nu: nu @ y / abs(_relative(A, nu)).max()
        ),
        "Divide by μ: μ tr(MX) is at least ⟨ν, y⟩.": lambda A, y, nu: nu @ y * _relative(A, nu)[-1],
        "The bound holds only after ν has been made small enough: divide by μ.": lambda A, y, nu: nu @ y,
        "M = (8/n)ΣA_i²: the gradient of ⟨A_i, UUᵀ⟩ is 2A_iU, and H has the factor 2/n.": (
            lambda A, y, nu: nu @ y / (2 * _relative(A, nu)[-1])
        ),
        "M is a mean over the n examples: (8/n)ΣA_i².": lambda A, y, nu: (
            nu @ y / _relative(A, nu)[-1] * len(A)
        ),
    },
    hints=(
        "Which μ makes μM − Σν_iA_i positive semidefinite, and no smaller one does?",
        "scipy.linalg.eigh(S, M, eigvals_only=True) solves Sv = μMv; take M from the first part of the proposition.",
    ),
    after="A bound for every network with these outputs, of whatever width, from n numbers. At the end of the flow "
    "the right ν makes it tight.",
)
def certified(A, y, nu):
    """The lower bound ⟨nu, y⟩/μ of the sharpness of every U with ⟨A_i, UUᵀ⟩ = y_i; A (n, d, d) symmetric."""
    M = 8 / len(A) * np.einsum("nij,njk->ik", A, A)
    return nu @ y / eigh(np.einsum("n,nij->ij", nu, A), M, eigvals_only=True)[-1]


def _classifier(rng):
    n, q, D = rng.integers(2, 5), rng.integers(2, 5), rng.integers(3, 6)
    p, y = rng.dirichlet(2 * np.ones(q), n), rng.dirichlet(2 * np.ones(q), n)
    return rng.standard_normal((n, q, D)), p, y, int(rng.integers(2, 6))


def _sampled(J, p, y, batch, chances=None, centred=True, crossed=True, drawn=True, share=1.0):
    """The covariance with one thing after another done wrongly."""
    chances, n = y if chances is None else chances, len(J)
    label = sum(
        j.T @ (np.diag(c) - crossed * np.outer(c, c)) @ j for j, c in zip(J, chances, strict=True)
    ) / (n * share)
    g = np.einsum("nqd,nq->nd", J, p - y)
    g = g - centred * g.mean(axis=0)
    return (label + drawn * g.T @ g / n) / batch


@exercise(
    "10.7",
    inputs=_classifier,
    mistakes={
        "The labels are drawn from the targets y, not from what the network believes.": (
            lambda J, p, y, batch: _sampled(J, p, y, batch, chances=p)
        ),
        "Drawn from the network's own chances the labels would have mean gradient zero; they are drawn from y.": (
            lambda J, p, y, batch: _sampled(J, p, y, batch, chances=p, drawn=False)
        ),
        "Off Γ the examples' gradients differ, and drawing the examples is noise, too.": (
            lambda J, p, y, batch: _sampled(J, p, y, batch, drawn=False)
        ),
        "A covariance is the second moment minus the square of the mean: subtract the mean gradient.": (
            lambda J, p, y, batch: _sampled(J, p, y, batch, centred=False)
        ),
        "The covariance of a drawn class is diag y − yyᵀ.": (
            lambda J, p, y, batch: _sampled(J, p, y, batch, crossed=False)
        ),
        "A mean over a batch divides the covariance by B, not by B².": (
            lambda J, p, y, batch: _sampled(J, p, y, batch) / batch
        ),
        "A mean over a batch divides the covariance by B.": lambda J, p, y, batch: _sampled(J, p, y, 1),
        "One example of n is drawn: the labels' part is a mean over the examples as well.": (
            lambda J, p, y, batch: _sampled(J, p, y, batch, share=1 / len(J))
        ),
    },
    hints=(
        "Given the example i the gradient is J_iᵀ(p_i − e_c), c drawn from y_i. What are its mean and covariance?",
        "The law of total covariance: the mean of the covariances given i, plus the covariance of the means given i.",
    ),
    after="At p = y the second part is gone and the first is ∇²L/B: sampled labels are label noise.",
)
def sampled_covariance(J, p, y, batch):
    """Covariance (D, D) of the gradient of `batch` examples, drawn with replacement, whose classes are drawn from y.

    J (n, q, D): gradients of the logits; p, y (n, q): the network's chances, and the targets.
    """
    n = len(J)
    label = sum(j.T @ (np.diag(c) - np.outer(c, c)) @ j for j, c in zip(J, y, strict=True)) / n
    g = np.einsum("nqd,nq->nd", J, p - y)
    g = g - g.mean(axis=0)
    return (label + g.T @ g / n) / batch


# Mutants of the solutions that are right, too, and why (tests/test_solution_mutants.py).
EQUIVALENT = {
    "10.1": {
        "np.abs(_)": "a dimension is not negative",
        "np.maximum(_, 0)": "a dimension is not negative",
        "J = J.mean(axis=1, keepdims=True) - J": "a rank keeps its value if the matrix changes its sign",
        "return J.shape[2] - np.linalg.matrix_rank(J.reshape(-1, J.shape[2]), tol=5e-09)": (
            "no singular value lies near the tolerance"
        ),
        "return J.shape[2] - np.linalg.matrix_rank(J.reshape(-1, J.shape[2]), tol=2e-08)": (
            "no singular value lies near the tolerance"
        ),
        "return J.shape[2] - np.linalg.matrix_rank(J.reshape(-2, J.shape[2]), tol=1e-08)": (
            "NumPy takes any negative length for the one that is left"
        ),
    },
    "10.3": {
        "np.abs(_)": "a standard deviation is positive",
        "np.maximum(_, 0)": "a standard deviation is positive",
    },
    "10.5": {
        "np.abs(_)": "the bound is positive, as ⟨ν, y⟩ and μ are",
        "np.maximum(_, 0)": "the bound is positive, as ⟨ν, y⟩ and μ are",
        "return y @ nu / eigh(np.einsum('n,nij->ij', nu, A), M, eigvals_only=True)[-1]": "⟨ν, y⟩ = ⟨y, ν⟩",
    },
    "10.7": {
        "g = g.mean(axis=0) - g": "a covariance keeps its value if all deviations change sign",
        "np.transpose(_)": "a covariance is symmetric",
        "g = np.einsum('nqd,nq->nd', J, y - p)": "a covariance keeps its value if all deviations change sign",
    },
}
