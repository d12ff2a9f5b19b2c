"""The drawings of chapter 3."""

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
from afterzero.figures import plane
from matplotlib.colors import LogNorm

from labnoise import landscapes
from labnoise.widgets import COLORS

HYPERBOLA = landscapes.hyperbola()
RADIUS = 0.3  # of the circle about the start
# Across the whole picture, from the corner inwards: there the fibres move least, and with them the dots.
FIBRE_SUMS = np.geomspace(7.2, 0.05, 60)
S_END, T_END = 1.5, 1.2  # what the two clocks show
T_GRID = np.linspace(0, T_END, 61)


def fibre(q, sums):
    """The points with u² − v² = q and u + v = s, for positive sums s (…), as (2, …).

    They are linear in q: so a fibre drawn at fixed sums moves smoothly, also through the diagonal q = 0.
    """
    return np.array([sums + q / sums, sums - q / sums]) / 2


def half_bar(start, end):
    """Half of the bar that ∂Φ makes of the circle about the start: along the tangent at the end, |∂Φ| = |x|/|Φ(x)|."""
    size, length = np.linalg.norm(start), np.linalg.norm(end)
    return RADIUS * size / length * np.array([end[0], -end[1]]) / length


def stage_drag(fig):
    """The plane of two weights with Γ, and what moves with the start."""
    fig.set_size_inches(5.2, 4.7)
    axes = fig.subplots()
    plane.plot_gamma(axes, np.geomspace(1 / 3.6, 3.6, 200))
    axes.annotate("Γ", (0.36, 3.15), color=COLORS["manifold"], size=14)
    axes.set(xlabel="weight u", ylabel="weight v", xlim=(0, 3.6), ylim=(0, 3.6), aspect="equal")
    return {
        "fibre": axes.plot([], [], ":", lw=1.5, color=COLORS["gradient"])[0],
        "flow": axes.plot([], [], lw=2.2, color=COLORS["gradient"])[0],
        "cloud": axes.plot([], [], ".", ms=4, color=COLORS["sgd"], alpha=0.7)[0],
        "smear": axes.plot([], [], ".", ms=5, color=COLORS["sgd"], alpha=0.7)[0],
        "circle": axes.plot([], [], lw=1.5, color=COLORS["limit"])[0],
        "bar": axes.plot([], [], lw=3, color=COLORS["limit"], solid_capstyle="butt")[0],
        "start": axes.plot([], [], "o", ms=9, mfc="none", mew=2, color=COLORS["guide"])[0],
        "end": axes.plot([], [], "o", ms=8, color=COLORS["gradient"])[0],
    }


def show_drag(artists, start, end, cloud, smear):
    """A start and its cloud, and to where gradient flow takes them."""
    q = start[0] ** 2 - start[1] ** 2
    artists["flow"].set_data(*fibre(q, np.geomspace(start.sum(), end.sum(), 30)))
    artists["fibre"].set_data(*fibre(q, FIBRE_SUMS))
    artists["cloud"].set_data(*cloud.T)
    artists["smear"].set_data(*smear.T)
    artists["circle"].set_data(*(start[:, None] + RADIUS * plane.circle(61)))
    bar = half_bar(start, end)
    artists["bar"].set_data(*np.transpose([end - bar, end + bar]))
    artists["start"].set_data(*start[:, None])
    artists["end"].set_data(*end[:, None])
    return (
        f"From ({start[0]:.2f}, {start[1]:.2f}), where u² − v² = {q:.2f}, gradient flow ends at "
        f"({end[0]:.2f}, {end[1]:.2f}). "
        f"A circle of diameter {2 * RADIUS:.2f} becomes a bar of length {2 * np.linalg.norm(bar):.2f}."
    )


def stage_clocks(fig, s, flow):
    """The weight u on both clocks, with gradient flow, states `flow` at the times `s`, on the fast one."""
    fig.set_size_inches(6.6, 3.5)
    left, right = fig.subplots(1, 2, sharey=True)
    left.plot(s, flow[:, 0], "--", color=COLORS["gradient"], lw=2.2, label="gradient flow")
    left.legend(loc="lower left")
    left.set(title="fast clock", xlabel="s = η · steps", ylabel="weight u", xlim=(0, S_END), ylim=(0.9, 2.9))
    right.set(title="slow clock", xlabel="t = η² · steps", xlim=(0, T_END))
    left.set_xticks([0, 0.5, 1])
    right.plot([], [], color=COLORS["manifold"], lw=2.5, label="Φ of the path")
    right.plot([], [], "--", color=COLORS["limit"], lw=1.8, label="prediction, label noise")
    right.legend(loc="lower left")
    return {
        "fast": left.plot([], [], color=COLORS["sgd"], lw=1)[0],
        "slow": right.plot([], [], color=COLORS["sgd"], lw=0.6, alpha=0.5)[0],
        "end": right.plot([], [], color=COLORS["manifold"], lw=2.5)[0],
        "limit": right.plot([], [], "--", color=COLORS["limit"], lw=1.8)[0],
    }


def clock_steps(eta):
    """The steps at which paths are drawn, up to `T_END` at the smallest η: all until `S_END`, then ever fewer."""
    steps = list(range(round(S_END / eta) + 1))
    while steps[-1] < T_END / eta**2:
        steps.append(steps[-1] + max(2, steps[-1] // 120))
    return np.array(steps)


def show_clocks(artists, eta, noise, steps, states, ends, limit, flow):
    """A path, its Φ and, if there is one, the limit of its Φ at `T_GRID`; `flow` is s and u of gradient flow.

    The points drawn are those of the same steps at every η, so that they move with it; the panels cut off the rest.
    """
    s, t = eta * steps, eta**2 * steps
    early = np.arange(steps[0], np.argmax(np.diff(steps) > 1) + 1)
    artists["fast"].set_data(s[early], states[early, 0])
    artists["slow"].set_data(t, states[:, 0])
    artists["end"].set_data(t, ends[:, 0])
    artists["limit"].set_data(*(([], []) if limit is None else (T_GRID, limit[:, 0])))
    strays = np.abs(states[:, 0] - np.interp(s, *flow))[s <= S_END].max()
    shown = t <= T_END
    return (
        f"{noise.capitalize()}, η = {eta:.3g}: up to s = {S_END} the path strays {strays:.2f} from gradient flow in u. "
        f"On the slow clock it jitters {jitter(t[shown], states[shown], ends[shown]):.3f} (root mean square) about its "
        f"Φ, which goes from u = {ends[0, 0]:.2f} to {np.interp(T_END, t, ends[:, 0]):.2f}."
    )


def jitter(t, states, ends):
    """Root mean square distance of a path from its Φ, once it has come down to Γ, after t = 0.1."""
    late = t > 0.1
    squares = np.sum((states - ends)[late] ** 2, axis=-1)
    return np.sqrt(np.mean(np.trapezoid(squares, t[late], axis=0)) / np.ptp(t[late]))


def hat(x):
    """A loss whose minimizers are the unit circle and whose gradient flow follows θ = 1/(1 − r²) inside it."""
    r2 = x @ x
    omega, theta = 1 / (1 - r2), jnp.arctan2(x[1], x[0])
    chi = 4 * r2**2 / (4 * r2**2 + (1 - r2) ** 4)
    return jnp.exp(-omega) * (1 - chi * jnp.sin(theta - omega))


def spiral(r):
    """The points of θ = 1/(1 − r²) at the distances r from the centre, (…, 2)."""
    z = r * np.exp(1j / (1 - r**2))
    return np.stack([z.real, z.imag], axis=-1)


def plot_spiral():
    """A path that converges to a circle, with −∇L/|∇L| along it, and how long it grows on the way."""
    distance = np.geomspace(0.5, 1e-3, 4000)
    points = spiral(1 - distance)
    length = np.append(0, np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1)))
    some = points[:1500:150]
    down = -np.array(jax.vmap(jax.grad(hat))(some))
    down /= np.linalg.norm(down, axis=1, keepdims=True)
    _, (left, right) = plt.subplots(1, 2, figsize=(6.4, 3.1))
    left.plot(*plane.circle(61), color=COLORS["manifold"], lw=2.5)
    left.plot(*points[distance > 0.015].T, color=COLORS["limit"], lw=0.8)
    left.quiver(*some.T, *down.T, color=COLORS["gradient"], scale=7, width=0.012, zorder=3)
    left.set(aspect="equal", xlabel="x₁", ylabel="x₂")
    right.loglog(distance[300:], length[300:], color=COLORS["limit"])
    right.set(xlabel="distance from the circle", ylabel="length of the path")
    right.invert_xaxis()
    plt.show()


def mistaken(starts, ends):
    """|∂Φ(x) − T(p)| = |x − p|/|p| on the hyperbola, for x (…, 2) and p = Φ(x)."""
    return np.linalg.norm(starts - ends, axis=-1) / np.linalg.norm(ends, axis=-1)


def oblique_points(ends):
    """The points x ≠ p with Φ(x) = p at which ∂Φ is an oblique projection, for p (2, …) on the hyperbola, as (2, …)."""
    u, v = ends
    kappa = 4 / (u**2 - v**2)
    return np.array([u + kappa * v, v - kappa * u])


def plot_mistaken():
    """How far ∂Φ is from the tangent projection, on the hyperbola's half plane u + v > 0."""
    reach = 3.4
    grid = np.linspace(-reach, reach, 240)
    starts = np.stack(np.meshgrid(grid, grid), axis=-1)
    inside = starts.sum(axis=-1) > 0
    shading = np.where(inside, mistaken(starts, np.asarray(HYPERBOLA.project(starts))), np.nan)
    _, axes = plt.subplots(figsize=(5.2, 4.3))
    shown = axes.imshow(
        shading, cmap="Greys", norm=LogNorm(0.05, 5), extent=(-reach, reach) * 2, origin="lower"
    )
    bar = plt.colorbar(shown, ax=axes, extend="min", label="|∂Φ − T|")
    ticks = [0.05, 0.1, 0.2, 0.5, 1, 2, 5]
    bar.set_ticks(ticks, labels=[f"{tick:g}" for tick in ticks])
    bar.minorticks_off()
    plane.plot_gamma(axes, np.geomspace(1 / reach, reach, 200))
    u = np.geomspace(1.1, 6, 200)
    oblique = oblique_points((u, 1 / u))
    axes.plot(*oblique, "--", color=COLORS["limit"])
    axes.plot(*oblique[::-1], "--", color=COLORS["limit"])
    axes.set(xlabel="weight u", ylabel="weight v", xlim=(-reach, reach), ylim=(-reach, reach))
    plt.show()


def plot_edge(ratios, shares, predict):
    """Shares of runs on the other branch, a list for each η, against z₀/√η and a prediction, a function of it."""
    _, axes = plt.subplots(figsize=(5.6, 3.1))
    fine = np.linspace(0, 0.8, 100)
    axes.plot(fine, [predict(ratio) for ratio in fine], "--", color=COLORS["limit"], label="prediction")
    for (eta, share), marker in zip(shares.items(), "os^", strict=True):
        fill = None if marker == "^" else "none"
        axes.plot(ratios, share, marker, color=COLORS["sgd"], mfc=fill, label=f"η = {eta}")
    axes.set(xlabel="distance from the edge, z₀/√η", ylabel="share on the other branch", ylim=(-0.02, 0.56))
    axes.legend()
    plt.show()
