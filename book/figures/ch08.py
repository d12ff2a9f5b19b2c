"""The drawings of chapter 8."""

import matplotlib.pyplot as plt
import numpy as np
from afterzero.figures import plane

from labnoise.widgets import COLORS

T_MAX = 4.0  # what is shown of the slow motion of heavy ball
METHOD_COLORS = {
    "label noise": COLORS["label"],
    "heavy ball": "#8c564b",
    "Local SGD": COLORS["gaussian"],
    "sharpness-aware": COLORS["gradient"],
    "noise taken back": COLORS["minibatch"],
    "normalized": COLORS["guide"],
}
SHOWN = np.geomspace(100, 40_000, 40)  # steps at which a curve is drawn


def stage_methods(fig):
    """The curve Γ, and the unbalance against steps and, below, against clocks: in two columns, which fit a phone."""
    fig.set_size_inches(7.2, 4.2)
    left, top, bottom = fig.subplot_mosaic([["left", "top"], ["left", "bottom"]]).values()
    plane.plot_gamma(left, np.linspace(0.62, 2.4, 100))
    left.set(xlabel="u", ylabel="v", xlim=(0.6, 2.4), ylim=(0.3, 1.7))
    top.set(xlabel="steps", xscale="log", xlim=(100, 40_000))
    bottom.set(xlabel="clock", xscale="log", xlim=(2e-3, 4))
    for axes, ticks in ((top, (100, 1000, 10_000)), (bottom, (0.01, 0.1, 1))):
        axes.set(ylabel="unbalance q", ylim=(-0.1, 4))
        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.minorticks_off()
    for i, (name, color) in enumerate(METHOD_COLORS.items()):
        left.text(1.42, 1.64 - 0.085 * i, name, color=color, weight="bold", va="top")
    found = {}
    for name, color in METHOD_COLORS.items():
        (dot,) = left.plot([], [], "o", ms=9, color=color, mec="white", zorder=3)
        lines = [axes.plot([], [], color=color, lw=1.8)[0] for axes in (top, bottom)]
        marks = [
            axes.plot([], [], "o", ms=7, color=color, mec="white", zorder=3)[0] for axes in (top, bottom)
        ]
        found[name] = [dot, *lines, *marks]
    return found


def show_methods(artists, k, runs, clocks, steps, point):
    """`runs` name → q, a function of the steps; `clocks` per step; `steps` made by each; `point` of an unbalance."""
    for name, (dot, by_step, by_clock, at_step, at_clock) in artists.items():
        clock, now = clocks[name], steps[name]
        by_step.set_data(SHOWN, runs[name](SHOWN))
        times = np.geomspace(2e-3, min(4, 40_000 * clock), 40)
        by_clock.set_data(times, runs[name](times / clock))
        q = float(runs[name](now))
        at_step.set_data([now], [q])
        at_clock.set_data([now * clock], [q])
        dot.set_data(*[[value] for value in point(q)])


def stage_local(fig, worker):
    """The multiplier against a, and x in the channel over that of one worker, (t, x)."""
    fig.set_size_inches(7.0, 3.3)
    left, right = fig.subplots(1, 2)
    left.set(xlabel="2αλ, one curvature's", ylabel="drift, in that of one worker", xscale="log")
    left.set(xlim=(0.05, 300), ylim=(0, 1.05))
    left.set_xticks([0.1, 1, 10, 100], ["0.1", "1", "10", "100"])
    left.axhline(1, color=COLORS["guide"], ls=":", lw=1.2)
    right.set(xlabel="t", ylabel="x", xlim=(0, 0.8), ylim=(0.83, 1.005))
    right.plot(*worker, color=COLORS["guide"], ls=":", lw=1.8)
    right.text(0.03, 0.842, "one worker (dotted)", color=COLORS["guide"])
    return {
        "multiplier": left.plot([], [], color=COLORS["limit"], lw=2.2)[0],
        "dots": left.plot([], [], "o", ms=8, color=COLORS["sgd"], mec="white")[0],
        "average": right.plot([], [], color=COLORS["guide"], ls="--", lw=1.8)[0],
        "path": right.plot([], [], color=COLORS["limit"], lw=2.4)[0],
    }


def show_local(artists, multiplier, curvatures, path, average):
    """`multiplier` of a; the two a's of the curvatures now; the paths (t, x) at this α and for α = 0."""
    a = np.geomspace(0.05, 300, 60)
    artists["multiplier"].set_data(a, multiplier(a))
    artists["dots"].set_data(curvatures, multiplier(np.asarray(curvatures)))
    artists["path"].set_data(*path)
    artists["average"].set_data(*average)


def plot_one_against_all(flows, runs):
    """The coordinate of the square model that tells the two flows apart; `flows` and `runs` name → τ, values."""
    _, axes = plt.subplots(figsize=(6.4, 3.2))
    for name, color in (("one example", COLORS["sgd"]), ("all examples", COLORS["minibatch"])):
        axes.plot(*flows[name], color=color, lw=2)
        axes.plot(*runs[name], "o", color=color, ms=5, mec="white", clip_on=False, zorder=3)
    axes.set(xlabel="clock τ = ηρ²·steps", ylabel="second weight", xlim=(0, 0.3), ylim=(0, 0.75))
    axes.text(0.115, 0.53, "all examples: ½ λmax falls", color=COLORS["minibatch"], weight="bold")
    axes.text(0.03, 0.12, "one example:\n½ tr ∇²L falls", color=COLORS["sgd"], weight="bold")
    plt.show()


def plot_speed_limit(measured, law):
    """Half-lives times η^(2/3) against a = (1 − β)/η^(2/3); `measured` η → (a, half-lives), `law` of a."""
    _, axes = plt.subplots(figsize=(6.4, 3.2))
    shades = (COLORS["gaussian"], COLORS["sgd"], COLORS["gradient"])
    for (eta, (a, lives)), color in zip(measured.items(), shades, strict=True):
        axes.plot(a, lives, "o", color=color, ms=7, mec="white", label=f"η = {eta:g}")
    grid = np.geomspace(0.24, 4.4, 60)
    axes.plot(grid, law(grid), "--", color=COLORS["limit"], lw=2)
    axes.set(xscale="log", yscale="log", ylim=(0.3, 20))
    axes.set(xlabel=r"$(1-\beta)\,/\,\eta^{2/3}$", ylabel=r"half-life $\cdot\;\eta^{2/3}$")
    axes.set_xticks([0.25, 0.5, 1, 2, 4], ["0.25", "0.5", "1", "2", "4"])
    axes.set_yticks([1, 10], ["1", "10"])
    axes.minorticks_off()
    axes.text(1.12, 0.55, "the limit", color=COLORS["limit"], weight="bold")
    axes.legend()
    plt.show()


def plot_tie(curves, flow):
    """x of SAM against τ near the tie x = 0; `curves` label → (τ, x), and the limit."""
    _, axes = plt.subplots(figsize=(6.4, 3.2))
    axes.axhline(0, color=COLORS["guide"], ls=":", lw=1.2)
    for (label, curve), color in zip(
        curves.items(), (COLORS["sgd"], COLORS["minibatch"], COLORS["gradient"]), strict=True
    ):
        axes.plot(*curve, color=color, lw=2, label=label)
    axes.plot(*flow, "--", color=COLORS["limit"], lw=2, label="limit")
    axes.set(xlabel="clock τ = ηρ²·steps", ylabel="x", xlim=(0, 5), ylim=(-0.6, 0.6))
    axes.legend(loc="upper right")
    plt.show()


def stage_heavy(fig, limit):
    """The unbalance against steps and against t = (η/(1−β))²·steps, with its limit, a function of t."""
    fig.set_size_inches(6.6, 3.2)
    left, right = fig.subplots(1, 2, sharey=True)
    t = np.linspace(0, T_MAX, 100)
    right.plot(t, limit(t), "--", color=COLORS["limit"], lw=2.5)
    left.set(xlabel="steps", ylabel="unbalance q", xlim=(0, 20_000), ylim=(0, 4))
    left.set_xticks([0, 10_000, 20_000], ["0", "10 000", "20 000"])
    right.set(xlabel="t = (η/(1−β))² · steps", xlim=(0, T_MAX))
    right.tick_params(labelleft=True)  # on a phone it stands below the other
    right.text(1.6, 1.0, "limit", color=COLORS["limit"], weight="bold")
    return [axes.plot([], [], color=COLORS["sgd"], lw=2)[0] for axes in (left, right)]


def show_heavy(lines, beta, eta, steps, q, limit):
    """The unbalance q of heavy ball on both clocks."""
    t = (eta / (1 - beta)) ** 2 * steps
    lines[0].set_data(steps, q)
    lines[1].set_data(t, q)
    i = min(np.searchsorted(t, 1.0), len(t) - 1)
    return (
        f"η = {eta:.2g}, β = {beta:.2g}: the effective learning rate is {eta / (1 - beta):.3g}, "
        f"and 20 000 steps are t = {t[-1]:.3g}. "
        f"At t = {t[i]:.2f} the unbalance is {q[i]:.2f}; the limit has {limit(t[i]):.2f}."
    )
