"""What chapter 10 asked of its network, asked of any other: `report`."""

import jax.numpy as jnp
import numpy as np
from jax import Array

from labnoise import DriftTerms, Noise, drift_terms, label_noise_flow, project

TRUSTED = 0.1  # how much faster than its limit SGD may be


def report(noise: Noise, x0: Array, t: float = 1.0) -> str:
    """Where label noise takes a network from x0, up to the slow time t, and when that can be trusted.

    Parameters
    ----------
    noise : Noise
        With `Σ = c∇²L` on Γ, such as `LabelNoise(problem, delta)` or `SampledLabels(problem)`.
    x0 : (D,)
    t : number > 0

    Returns
    -------
    str
        A few lines: the dimension of Γ at Φ(x0), the spectrum of the Hessian, the four terms of the main theorem, the
        sharpness along the flow, and the learning rates: `x = (η/2)tr∇²L` is by how much a batch of one is faster than
        its limit, to first order in η, and `η|K_i|² < 2` for all examples, `∇²L = (1/n)Σ K_iᵀK_i`, keeps its cloud
        finite.

    Raises
    ------
    ValueError
        As `project` and `label_noise_flow`.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from afterzero.own import report
    >>> from labnoise import LabelNoise, landscapes
    >>> print(report(LabelNoise(landscapes.hyperbola(), 0.5), jnp.array([2.0, 0.5])))
    D = 2 weights, 1 conditions of rank 1: Γ has dimension 1
    Hessian: trace 8.5, eigenvalues from 8.5 down to 8.5
    terms: tangent noise 0, compensation 0, mixed 0, normal 0.91
    sharpness along the flow: 8.5 (t = 0), 6.06 (t = 0.5), 4.86 (t = 1)
    learning rates: a clock within 10 % below 0.0235; a finite cloud below 0.235
    """
    problem = noise.problem
    x = project(problem, x0)
    K, _ = problem.conditions(x)
    sizes = np.asarray(jnp.linalg.svd(K, compute_uv=False))
    rank = int((sizes > 1e-7 * sizes[0]).sum())
    values = sizes[:rank] ** 2 / problem.num_examples
    lines = [
        f"D = {x.size} weights, {len(K)} conditions of rank {rank}: Γ has dimension {x.size - rank}",
        f"Hessian: trace {values.sum():.3g}, eigenvalues from {values[0]:.3g} down to {values[-1]:.2g}",
    ]
    terms = drift_terms(problem, noise, x)
    if isinstance(terms, DriftTerms):  # as many conditions as weights, or more: there is no smaller factor
        tangent_noise = jnp.sqrt(jnp.trace(terms.tangent_noise))
    else:
        tangent_noise = jnp.linalg.norm(terms.tangent_factor)
    named = {
        "tangent noise": tangent_noise,
        "compensation": jnp.linalg.norm(terms.compensation),
        "mixed": jnp.linalg.norm(terms.mixed),
        "normal": jnp.linalg.norm(terms.normal),
    }
    lines.append(
        "terms: " + ", ".join(f"{name} {size if size > 1e-6 else 0:.3g}" for name, size in named.items())
    )
    times = jnp.array([0.0, t / 2, t])
    along = []
    for state in label_noise_flow(noise, x0, times):
        conditions, _ = problem.conditions(state)
        along.append(float((conditions**2).sum() / problem.num_examples))
    passed = ", ".join(f"{value:.3g} (t = {time:g})" for value, time in zip(along, times, strict=True))
    lines.append(f"sharpness along the flow: {passed}")
    each = jnp.linalg.norm(K.reshape(problem.num_examples, -1, x.size), ord=2, axis=(1, 2)) ** 2
    lines.append(
        f"learning rates: a clock within {TRUSTED:.0%} below {2 * TRUSTED / values.sum():.3g}; "
        f"a finite cloud below {2 / float(each.max()):.3g}".replace("%", " %")
    )
    return "\n".join(lines)
