"""The drawings of chapter 4, and the two weights whose labels are shaken by hand."""

import matplotlib.pyplot as plt
import numpy as np
from scipy import stats

from labnoise.widgets import COLORS

GRID = np.linspace(-3, 3, 301)

# The steps at which the collapse shows runs: all in common, so that at a larger η more of them are beyond t = 1.
EARLY = np.arange(0, 160, 4)
LATE = np.unique(20 * np.round(np.geomspace(160, 10_000, 86) / 20).astype(int))


def two_weights(shakes, eta, x0, gain=1.0, delta=0.5):
    """SGD on (uv − 1)² with the labels shaken by δ·shakes (steps, runs); the gradient itself counts `gain` times,
    a number or one for each step.

    Returns all states, (steps + 1, runs, 2).
    """
    x = np.empty((len(shakes) + 1, shakes.shape[1], 2))
    x[0] = x0
    gains = np.broadcast_to(gain, len(shakes))
    for k, shake in enumerate(shakes):
        u, v = x[k, :, 0], x[k, :, 1]
        slope = 2 * (gains[k] * (u * v - 1) - delta * shake)
        x[k + 1, :, 0] = u - eta * slope * v
        x[k + 1, :, 1] = v - eta * slope * u
    return x


def broken_lines(t, paths):
    """Several paths as one line with gaps."""
    gap = np.full((len(paths), 1), np.nan)
    return np.tile(np.append(t, np.nan), len(paths)), np.hstack([paths, gap]).ravel()


def normal_gap(below, normal):
    """The largest distance of a distribution function with jumps from a continuous one, both at its atoms."""
    return max(np.abs(below - normal).max(), np.abs(np.append(0, below[:-1]) - normal).max())


def smooth_quantile(x, level):
    """The quantile of each column of x (runs, …) by Harrell and Davis: a mean of all values in order, weighted most
    about the one asked for.

    Unlike a single value it moves smoothly with x.
    """
    n = len(x)
    below = stats.beta.cdf(np.arange(n + 1) / n, (n + 1) * level, (n + 1) * (1 - level))
    return np.tensordot(np.diff(below), np.sort(x, axis=0), axes=1)


def calmed(t, x):
    """Paths x (…, times) that go back to where they began once t is past 1, where the panel ends.

    What is not seen need not be followed: there the runs of a large η change with it by more than can be interpolated.
    """
    return x[..., :1] + (x - x[..., :1]) * np.exp(-2 * np.log(np.maximum(t, 1)) ** 2)


def stage_collapse(fig):
    """Two panels of paths over slow time: the hyperbola and a circle."""
    fig.set_size_inches(6.4, 3.3)
    left, right = fig.subplots(1, 2)
    left.set(title="hyperbola, label noise", ylabel="unbalance q", ylim=(0, 4.2))
    right.set(title="circle", ylabel="angle θ", ylim=(-1.9, 2.6))
    artists = []
    for axes in (left, right):
        axes.set(xlabel="t = η² · steps", xlim=(0, 1))
        artists.append(
            {
                "runs": axes.plot([], [], color=COLORS["sgd"], lw=0.6, alpha=0.45)[0],
                "band": [axes.plot([], [], color=COLORS["sgd"], lw=2)[0] for _ in range(2)],
                "limit": [axes.plot([], [], "--", color=COLORS["limit"], lw=w)[0] for w in (1.5, 2.5, 1.5)],
            }
        )
    return artists


def show_collapse(panels, eta, seen, times):
    """What is seen in each panel: times (saves,), paths (runs, saves) and the limit's quantiles (3, times)."""
    said = []
    for artists, (t, x, band) in zip(panels, seen.values(), strict=True):
        levels = np.array([smooth_quantile(x, level) for level in (0.1, 0.9)])
        artists["runs"].set_data(*broken_lines(t, calmed(t, x[:11])))
        for line, level in zip(artists["band"], calmed(t, levels), strict=True):
            line.set_data(t, level)
        for line, level in zip(artists["limit"], band, strict=True):
            line.set_data(times, level)
        low, high = (np.interp(1, t, level) for level in levels)
        ends = band[[0, 2], -1]
        aim = f"{ends[0]:.2f}" if ends[0] == ends[1] else f"{ends[0]:.2f} to {ends[1]:.2f}"
        said.append(f"from {low:.2f} to {high:.2f} (limit: {aim})")
    return (
        f"At η = {eta:.3g}, {round(1 / eta**2)} steps make t = 1. There the middle 80% of the runs have q {said[0]}, "
        f"and on the circle, with {list(seen)[1]}, θ {said[1]}."
    )


def stage_walk(fig):
    """Two entries of the driving process, and the law of one of them at t = 1."""
    fig.set_size_inches(6.4, 3.1)
    left, right = fig.subplots(1, 2)
    left.set(xlabel="slow time t", ylabel="entries of Z", xlim=(0, 1), ylim=(-3, 3))
    right.set(xlabel="value of Z¹(1)", ylabel="probability below", xlim=(-3, 3), ylim=(-0.02, 1.02))
    steps = {"drawstyle": "steps-post"}
    return {
        "first": left.plot([], [], color=COLORS["sgd"], lw=1.4, **steps)[0],
        "second": left.plot([], [], color=COLORS["gaussian"], lw=1.4, **steps)[0],
        "spread": [left.plot([], [], "--", color=COLORS["limit"], lw=1.5)[0] for _ in range(2)],
        "law": right.plot([], [], color=COLORS["sgd"], **steps)[0],
        "normal": right.plot([], [], "--", color=COLORS["limit"], lw=2)[0],
    }


def show_walk(artists, eta, Xi, times, t, Z, atoms, below):
    """A path Z (steps, 2) at the times t; the exact law of Z¹(1), atoms and probabilities; and its limits."""
    sd = np.sqrt(1 - 1 / Xi)
    some = slice(None, None, max(1, len(t) // 500))  # at most two a pixel
    artists["first"].set_data(t[some], Z[some, 0])
    artists["second"].set_data(t[some], Z[some, 1])
    for line, sign in zip(artists["spread"], (2, -2), strict=True):
        line.set_data(times, sign * sd * np.sqrt(times))
    near = np.abs(atoms) < 3.5
    artists["law"].set_data(np.concatenate([[-9], atoms[near], [9]]), np.concatenate([[0], below[near], [1]]))
    artists["normal"].set_data(GRID, stats.norm.cdf(GRID / sd))
    distance = normal_gap(below, stats.norm.cdf(atoms / sd))
    return (
        f"η = {eta:.3g}, Ξ = {Xi}: jumps of length {eta * np.sqrt(Xi - 1):.3f}; the two distribution functions "
        f"are at most {distance:.3f} apart."
    )


def plot_layers(layers):
    """The weight v of one run with and without its layer, η → times, X, Y and the limit."""
    _, panels = plt.subplots(1, 2, figsize=(6.4, 3.0), sharey=True)
    for axes, which, title in zip(panels, (1, 2), ("SGD itself, X", "without its layer, Y"), strict=True):
        for eta, color in ((0.04, COLORS["gaussian"]), (0.01, COLORS["sgd"])):
            t, paths = layers[eta][0], layers[eta][which]
            early = t < 0.15
            axes.plot(t[early], paths[early, 0, 1], color=color, lw=1.3, label=f"η = {eta}")
        axes.plot(t[early], layers[eta][3][early, 0, 1], "--", color=COLORS["limit"], lw=2.5, label="limit")
        axes.set(title=title, xlabel="slow time t", xlim=(0, 0.15), ylim=(-0.7, 1.3))
    panels[0].set_ylabel("weight v")
    panels[1].legend(loc="lower right")
    plt.show()


def plot_jumps_that_remain(axes, eta, paths):
    """The first entry of two driving processes."""
    for Z, color, name in zip(
        paths, (COLORS["sgd"], COLORS["minibatch"]), ("Ξ = 3", "Ξ = 1/η²"), strict=True
    ):
        t = np.arange(1, len(Z) + 1) * eta**2
        axes.plot(t, Z, drawstyle="steps-post", color=color, lw=1.1, label=name)
    axes.set(title="jumps that remain", xlabel="slow time t", ylabel="first entry of Z")
    axes.set(xlim=(0, 6), ylim=(-4, 4))
    axes.legend(loc="lower left", ncols=2)


def plot_variation(axes, time, taken_back):
    """The median unbalance under label noise that is left alone and under one that is taken back."""
    names, colours = ("label noise", "taken back"), (COLORS["sgd"], COLORS["minibatch"])
    for x, color, name in zip(taken_back, colours, names, strict=True):
        axes.plot(time, np.median(x[..., 0] ** 2 - x[..., 1] ** 2, axis=1), color=color, label=name)
    axes.axhline(3.75, color=COLORS["limit"], ls="--", label="from Z = 0")
    axes.set(title="driven by nothing", xlabel="slow time t", ylabel="unbalance q")
    axes.set(xlim=(0, 1), ylim=(0, 6.4))
    axes.legend(loc="upper right")


def plot_round_trips(axes, etas):
    """The square that Z encloses, integrand over integrator, on its way up by 2η and back; how often up to t = 1."""
    for eta, color in zip(etas, (COLORS["minibatch"], COLORS["gaussian"], COLORS["sgd"]), strict=True):
        side = 2 * eta
        name = f"η = {eta}: {1 / side**2:.0f} times"
        axes.plot([0, side, side, 0, 0], [0, 0, side, side, 0], color=color, lw=1.8, label=name)
    axes.set(title="round trips of Z", xlabel="Z", ylabel="integrand Z(s−)", aspect="equal")
    axes.set(xlim=(-0.02, 0.44), ylim=(-0.02, 0.44), xticks=[0, 0.2, 0.4], yticks=[0, 0.2, 0.4])
    axes.legend(loc="center", bbox_to_anchor=(0.5, 0.69), handlelength=1, fontsize=9, labelspacing=0.2)


def plot_taken_back(eta, pair, etas):
    """The unbalance at η of label noise left alone and taken back; and the round trips of the latter's Z."""
    _, (left, right) = plt.subplots(1, 2, figsize=(6.4, 3.1))
    plot_variation(left, np.arange(len(pair[0])) * eta**2, pair)
    plot_round_trips(right, etas)
    plt.show()


def plot_lottery(axes, time, paths):
    """The product uv of one run under label noise, and the median of those that have won no prize."""
    left, played = (x.prod(axis=-1) for x in paths)
    axes.plot(time, left[:, 0], color=COLORS["sgd"], lw=0.5, label="label noise")
    axes.plot(time, np.median(played, axis=1), color=COLORS["minibatch"], lw=1.5, label="lottery")
    axes.axhline(1, color=COLORS["limit"], ls="--")
    axes.set(title="a prize hardly ever won", xlabel="slow time t", ylabel="uv", xlim=(0, 1), ylim=(0, 2.4))
    axes.legend(loc="upper right")


def plot_leaps(axes, time, x, times, settled, smooth):
    """The median unbalance if the clock runs in leaps, the limit for leaps and Katzenberger's."""
    q = np.median(x[..., 0] ** 2 - x[..., 1] ** 2, axis=1)
    axes.plot(time, q, color=COLORS["minibatch"], label="in leaps")
    axes.plot(times, settled, color=COLORS["limit"], ls="--", label="limit for leaps")
    axes.plot(times, smooth, color=COLORS["guide"], ls=":", lw=2, label="Katzenberger's")
    axes.set(title="a clock in leaps", xlabel="slow time t", ylabel="unbalance q", xlim=(0, 1), ylim=(0, 6.4))
    axes.legend(loc="upper right")


def plot_clocks(axes, etas, distances):
    """The distance from the curve under the clock of SGD and under one that stands still."""
    axes.plot(etas, distances[:, 0], "o-", color=COLORS["sgd"], label="A = η⌊t/η²⌋")
    axes.plot(etas, distances[:, 1], "s-", color=COLORS["minibatch"], label="A = η²⌊t/η²⌋")
    axes.set(title="a clock that stays", xlabel="learning rate η", ylabel="|uv − 1|, rms")
    axes.set(xlim=(0, 0.085), ylim=(0, 1.25))
    axes.legend(loc="center right", bbox_to_anchor=(1, 0.43))


def plot_broken(eta, paths, lottery, leaps, distances):
    """Conditions broken: `distances` is a pair (learning rates, values), `leaps` a run and its limits."""
    _, grid = plt.subplots(2, 2, figsize=(6.4, 5.0))
    time = np.arange(len(lottery[0])) * eta**2
    plot_jumps_that_remain(grid[0, 0], eta, paths)
    plot_lottery(grid[0, 1], time, lottery)
    plot_leaps(grid[1, 0], time, *leaps)
    plot_clocks(grid[1, 1], *distances)
    plt.show()


def plot_valley(runs):
    """The coordinate x along a valley that ends, η → times and (saves, runs), NaN for runs that are gone."""
    _, axes = plt.subplots(figsize=(6.4, 3.1))
    colours = (COLORS["minibatch"], COLORS["gaussian"], COLORS["sgd"])
    for (eta, (t, x)), color in zip(runs.items(), colours, strict=True):
        low, middle, high = np.quantile(np.nan_to_num(x, nan=10.0), [0.1, 0.5, 0.9], axis=1)
        axes.plot(t, middle, color=color, label=f"SGD, η = {eta}")
        axes.fill_between(t, low, high, color=color, alpha=0.25, lw=0)
    axes.plot([0, 4], [0, 1], "--", color=COLORS["limit"], lw=2.5, label="limit")
    axes.axvline(4, color=COLORS["guide"], ls=":", lw=1.5)
    axes.annotate("t*", (4.04, 0.05), color=COLORS["guide"])
    axes.axhline(1, color=COLORS["guide"], lw=1)
    axes.annotate("end of the valley", (0.1, 1.05), color=COLORS["guide"])
    axes.set(xlabel="slow time t", ylabel="coordinate x", xlim=(0, 4.6), ylim=(0, 1.7))
    axes.legend(loc="upper left", bbox_to_anchor=(0.02, 0.62), fontsize=9)
    plt.show()
