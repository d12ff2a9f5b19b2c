"""The drawings of chapter 5, and the law of an angle that moves with drift and noise."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.collections import LineCollection
from scipy.linalg import expm

from labnoise.widgets import COLORS

TERMS = {
    "tangent noise": COLORS["gaussian"],
    "compensation": COLORS["manifold"],
    "mixed": COLORS["minibatch"],
    "normal": COLORS["limit"],
}
THETA = 0.8  # where the point of the dial starts
ANGLES = np.linspace(-np.pi, np.pi, 181)
EDGES = np.linspace(-np.pi, np.pi, 41)
SHARES = (np.arange(40) + 0.5) / 40  # of the runs, at which the dial shows the angle that they stay below


def on_circle(theta):
    """The points (…, 3) of the unit circle in the plane z = 0 at the angles theta (…)."""
    theta = np.asarray(theta)
    return np.stack([np.cos(theta), np.sin(theta), 0 * theta], axis=-1)


def tangent(theta):
    """The direction (3,) of the circle at an angle, counterclockwise."""
    return np.array([-np.sin(theta), np.cos(theta), 0])


def law_on_circle(variance, drift, start, t, angles):
    """The density of θ(t) at some angles, dθ = √variance dW + drift(θ) dt, by Fourier modes."""
    # without drift mode n has the weight exp(−½ variance n² t): beyond these it is rounding
    most = int(np.clip(np.sqrt(74 / (variance * t)) + 8, 16, 48))
    modes, grid = np.arange(-most, most + 1), 2 * np.pi * np.arange(256) / 256
    drift_modes = np.fft.fft(drift(grid)) / 256
    mixing = drift_modes[(modes[:, None] - modes[None, :]) % 256]
    generator = -np.diag(0.5 * variance * modes**2) - 1j * modes[:, None] * mixing
    density = expm(t * generator) @ np.exp(-1j * modes * start) / (2 * np.pi)
    return np.real(np.exp(1j * np.outer(angles, modes)) @ density)


def shared_histogram(angles):
    """The density of some angles in the bars between `EDGES`; one between two middles counts for both, in proportion.

    Unlike a plain histogram it moves without jumps when the angles do.
    """
    bars, width = len(EDGES) - 1, EDGES[1] - EDGES[0]
    place = (np.asarray(angles) - EDGES[0]) / width - 0.5
    below = np.floor(place).astype(int)
    shares = np.concatenate([1 - (place - below), place - below])
    counts = np.bincount(np.concatenate([below, below + 1]) % bars, shares, bars)
    return counts / (np.size(angles) * width)


def law_gap(angles, law):
    """The largest distance between the distribution functions of some angles and of a density on `ANGLES`."""
    empirical = np.searchsorted(np.sort(angles), ANGLES) / len(angles)
    return np.abs(empirical - cumulated(law)).max()


def cumulated(law):
    """The distribution function of a density, on `ANGLES`."""
    return np.concatenate([[0], np.cumsum((law[1:] + law[:-1]) / 2) * (ANGLES[1] - ANGLES[0])])


def mean(law):
    """The mean of a density on `ANGLES`."""
    return np.trapezoid(ANGLES * law, ANGLES)


def spread(law):
    """The standard deviation of a density on `ANGLES`."""
    return np.trapezoid((ANGLES - mean(law)) ** 2 * law, ANGLES) ** 0.5


def view(points):
    """Points (..., 3) of space as seen obliquely from above, (..., 2)."""
    x, y, z = np.moveaxis(np.asarray(points), -1, 0)
    turn = -2.75  # so that the angle 0.4 is in front
    across, away = np.cos(turn) * y - np.sin(turn) * x, np.sin(turn) * y + np.cos(turn) * x
    return np.stack([-across, 0.6 * away + 0.9 * z], axis=-1)


def bars(a):
    """Grey bars around the circle: the width 1/√h of the up-and-down valley."""
    theta = 2 * np.pi * np.arange(24) / 24
    half = 0.16 * np.exp(-0.5 * a * np.cos(theta))[:, None] * np.array([0, 0, 1])
    return list(view(np.stack([on_circle(theta) - half, on_circle(theta) + half], axis=1)))


def arrow(axes, colour, lift=0.0):
    """An arrow without a length yet, from the angle THETA, a little above or below the circle."""
    start = view(on_circle(THETA) + np.array([0, 0, lift]))
    # All of them similar, however short, so that one grows out of nothing without a change of shape.
    shape = {
        "width": 0.03,
        "headlength": 4,
        "headaxislength": 3.5,
        "headwidth": 2.8,
        "minshaft": 2.2,
        "minlength": 0,
    }
    return axes.quiver(*start, 0, 0, color=colour, angles="xy", scale_units="xy", scale=1, zorder=5, **shape)


def stage_dial(fig):
    """The circle in space with a point at the angle THETA, and the axis for the angles travelled."""
    fig.set_size_inches(7.0, 3.4)
    left, right = fig.subplots(1, 2)
    left.plot(*view(on_circle(np.linspace(0, 2 * np.pi, 200))).T, color=COLORS["manifold"], lw=2.5)
    left.plot(*view(on_circle(THETA)), "o", color=COLORS["sgd"], ms=7, zorder=6)
    for i, (name, colour) in enumerate(TERMS.items()):
        left.text(-1.35 + 1.35 * (i % 2), 1.15 - 0.17 * (i // 2), "→ " + name, color=colour, weight="bold")
    left.set(xlim=(-1.4, 1.4), ylim=(-1.2, 1.3), aspect="equal")
    left.axis("off")
    right.set(xlabel="angle travelled", ylabel="share of runs below it", xlim=(-np.pi, np.pi), ylim=(0, 1))
    right.set_xticks([-2, 0, 2])
    right.set_yticks([0, 0.5, 1])
    right.axvline(0, color=COLORS["guide"], lw=0.8)
    right.text(-2.9, 0.9, "SGD", color=COLORS["sgd"], weight="bold")
    right.text(-2.9, 0.81, "limit", color=COLORS["limit"], weight="bold")
    widths = left.add_collection(LineCollection(bars(1.0), colors=COLORS["guide"], lw=2, zorder=1))
    return {
        "widths": widths,
        "noise": arrow(left, TERMS["tangent noise"]),
        "esion": arrow(left, TERMS["tangent noise"]),
        "compensation": arrow(left, TERMS["compensation"]),
        "mixed": arrow(left, TERMS["mixed"], 0.32),
        "normal": arrow(left, TERMS["normal"], -0.2),
        "runs": right.plot(SHARES, SHARES, "o", ms=4, alpha=0.5, mew=0, color=COLORS["sgd"])[0],
        "law": right.plot(SHARES, SHARES, "--", color=COLORS["limit"], lw=2.2)[0],
    }


def show_dial(artists, a, along, mixed, normal, travelled, law):
    """The four terms as arrows, the angles travelled by SGD and limit in order; returns their means and spreads."""
    arrows = {
        "noise": 0.9 * np.sqrt(along) * tangent(THETA),
        "esion": -0.9 * np.sqrt(along) * tangent(THETA),
        "compensation": -0.8 * along * on_circle(THETA),
        "mixed": 1.6 * mixed * tangent(THETA),
        "normal": 1.6 * normal * tangent(THETA),
    }
    for name, vector in arrows.items():
        artists[name].set_UVC(*view(vector))
    artists["widths"].set_segments(bars(a))
    artists["runs"].set_xdata(np.sort(travelled).reshape(SHARES.size, -1).mean(axis=1))
    artists["law"].set_xdata(np.interp(SHARES, cumulated(law), ANGLES))
    return (
        f"velocities along the circle {mixed:+.2f} (mixed) and {normal:+.2f} (normal); inwards {0.5 * along:.2f} "
        f"(compensation). Angle travelled, mean and standard deviation: SGD {travelled.mean():+.2f} and "
        f"{travelled.std():.2f}, limit {mean(law):+.2f} and {spread(law):.2f}."
    )


def plot_four_terms(places, sway):
    """The terms at several places, angle → DriftTerms; `sway` is the standard deviation of the tangent noise."""
    _, axes = plt.subplots(figsize=(6.4, 4.3))
    axes.plot(*view(on_circle(np.linspace(0, 2 * np.pi, 200))).T, color=COLORS["manifold"], lw=2)
    axes.add_collection(LineCollection(bars(1.0), colors=COLORS["guide"], lw=2, alpha=0.6))
    for theta, found in places.items():
        point, half = on_circle(theta), 0.5 * sway * tangent(theta)
        arrows = [
            ("tangent noise", half, 0),
            ("tangent noise", -half, 0),
            ("compensation", np.array(found.compensation), 0),
            ("mixed", np.array(found.mixed), 0.11),
            ("normal", np.array(found.normal), -0.11),
        ]
        for name, vector, lift in arrows:
            axes.quiver(
                *view(point + np.array([0, 0, lift])),
                *view(1.5 * vector),
                color=TERMS[name],
                angles="xy",
                scale_units="xy",
                scale=1,
                width=0.008,
                zorder=4,
            )
        axes.plot(*view(point), "o", color=COLORS["manifold"], ms=6, zorder=5)
    for i, (name, colour) in enumerate(TERMS.items()):
        axes.text(-1.3 + 0.68 * i, 1.0, "→ " + name, color=colour, weight="bold")
    axes.set(xlim=(-1.4, 1.4), ylim=(-0.85, 1.1), aspect="equal")
    axes.axis("off")
    plt.show()


def plot_ring(eta, t, angles, density):
    """The angles of SGD at the late time t as bars, and the stationary law."""
    _, axes = plt.subplots(figsize=(6.4, 2.8))
    axes.hist(
        angles,
        24,
        range=(-np.pi, np.pi),
        density=True,
        alpha=0.45,
        color=COLORS["sgd"],
        label=f"SGD, η = {eta:g}, t = {t:g}",
    )
    axes.plot(ANGLES, density, "--", color=COLORS["limit"], lw=2.2, label="von Mises")
    axes.set(xlabel="angle θ", ylabel="density", xlim=(-np.pi, np.pi), ylim=(0, 0.4))
    axes.set_xticks([-np.pi, 0, np.pi], ["−π", "0, narrow", "π, wide"])
    axes.legend(loc="upper center", ncols=2)
    plt.show()


def stage_motor(fig):
    """The circle with fourteen points, and the axis for the velocity."""
    fig.set_size_inches(7.0, 3.4)
    left, right = fig.subplots(1, 2)
    left.plot(np.cos(ANGLES), np.sin(ANGLES), color=COLORS["manifold"], lw=2.5)
    left.set(xlim=(-1.45, 1.45), ylim=(-1.45, 1.45), aspect="equal")
    left.axis("off")
    right.set(xlabel="angle θ", ylabel="velocity dθ/dt", xlim=(0, 2 * np.pi), ylim=(-0.22, 0.45))
    right.set_xticks([0, np.pi, 2 * np.pi], ["0", "π", "2π"])
    right.axhline(0, color=COLORS["guide"], lw=1)
    return {
        "trail": left.plot([], [], color=COLORS["guide"], lw=1.2)[0],
        "dots": left.scatter([], [], s=40, color=COLORS["limit"], zorder=3),
        "first": left.plot([], [], "o", ms=11, mfc="none", mew=2.2, color=COLORS["sgd"], zorder=4)[0],
        "curve": right.plot([], [], color=COLORS["limit"])[0],
        "here": right.plot([], [], "o", ms=11, mfc="none", mew=2.2, color=COLORS["sgd"])[0],
    }


def show_motor(artists, t, phases, path, velocity):
    """Points (14, times) that have followed the limit up to t; velocity is a function of the angle."""
    grid = np.linspace(0, 2 * np.pi, 200)
    now, curve, speed = path[:, -1], velocity(grid), velocity(path[0, -1])
    radius = 1.05 + 0.25 * np.linspace(0, 1, path.shape[1])  # the trail of the ringed point, wound outwards
    artists["trail"].set_data(radius * np.cos(path[0]), radius * np.sin(path[0]))
    artists["dots"].set_offsets(np.stack([np.cos(now), np.sin(now)], axis=1))
    artists["first"].set_data([np.cos(now[0])], [np.sin(now[0])])
    artists["curve"].set_data(grid, curve)
    turns = (now[0] - path[0, 0]) / (2 * np.pi)
    # once for each turn back and forth: one that leaves the axes on the one side comes in on the other
    artists["here"].set_data(now[0] - 2 * np.pi * np.arange(-2, 5), np.full(7, speed))
    spread = "never rests" if curve.min() > 0 else "has points of rest"
    return (
        f"With {phases}, at t = {t:.0f}, the ringed point has made {turns:+.2f} turns and its velocity is "
        f"{speed:+.3f}. The least velocity on the circle is {curve.min():+.3f}: this motor {spread}."
    )


def stage_law(fig):
    """Bars for SGD's angles and a curve for the law of the limit."""
    fig.set_size_inches(5.4, 3.0)
    axes = fig.subplots()
    axes.set(xlabel="angle θ", ylabel="density", xlim=(-np.pi, np.pi), ylim=(0, 1.0))
    axes.set_xticks([-np.pi, -np.pi / 2, 0, np.pi / 2, np.pi], ["−π", "−π/2", "0", "π/2", "π"])
    bar = axes.stairs(np.zeros(40), EDGES, fill=True, alpha=0.45, color=COLORS["sgd"], label="SGD")
    curve = axes.plot(ANGLES, 0 * ANGLES, "--", color=COLORS["limit"], lw=2.2, label="limit")[0]
    axes.legend(loc="upper right")
    return {"bars": bar, "curve": curve}


def show_law(artists, eta, t, landscape, saved, law):
    """The angles of the runs at the time t, saved (runs, times) every 0.2 from 0 on, and the density of the limit's."""
    before = min(int(5 * t + 1e-9), saved.shape[1] - 2)
    share = 5 * t - before
    angles = saved[:, before + round(share)]
    counts = [shared_histogram(saved[:, time]) for time in (before, before + 1)]
    artists["bars"].set_data((1 - share) * counts[0] + share * counts[1])
    artists["curve"].set_ydata(law)
    expected = np.trapezoid(np.cos(ANGLES) * law, ANGLES)
    return (
        f"On {'the ring' if landscape == 'ring' else 'the landscape with four terms'} at η = {eta:.3g}, t = {t:.3g}: "
        f"E cosθ = {np.cos(angles).mean():+.3f}, in the limit {expected:+.3f}; "
        f"the distribution functions differ by at most {law_gap(angles, law):.3f}."
    )


def plot_rates(etas, bias, spreads, errors, per_eta):
    """Bias and spread of SGD on the motor against the learning rate."""
    _, axes = plt.subplots(figsize=(6.4, 3.2))
    axes.plot(
        etas, np.sqrt(per_eta * etas), "--", color=COLORS["limit"], label=f"√({per_eta:.4f} η), predicted"
    )
    axes.plot(etas, 2.2 * etas, color=COLORS["guide"], lw=1.2, label="2.2 η")
    axes.plot(etas, spreads, "o", color=COLORS["sgd"], label="spread")
    axes.errorbar(etas, bias, 2 * errors, fmt="s", color=COLORS["minibatch"], capsize=3, label="bias")
    axes.set(xscale="log", yscale="log", xlabel="learning rate η", ylabel="radians")
    axes.set_xticks([0.05, 0.1, 0.2], ["0.05", "0.1", "0.2"])
    axes.set_yticks([0.1, 0.2, 0.4], ["0.1", "0.2", "0.4"])
    axes.minorticks_off()
    axes.legend(loc="upper left", ncols=2)
    plt.show()


def plot_crossing(crossing, times, ended):
    """Shares of runs, learning rate → first times, that have been in the other valley; and of limits that ended."""
    _, axes = plt.subplots(figsize=(6.4, 2.9))
    for (eta, when), style in zip(crossing.items(), (":", "-.", "-"), strict=True):
        shares = [np.mean(when <= t) for t in times]
        axes.plot(times, shares, style, color=COLORS["sgd"], lw=1.6, label=f"SGD, η = {eta}")
    axes.plot(times, ended, "--", color=COLORS["limit"], lw=2.2, label="limit has ended")
    axes.set(xlabel="t = η² · steps", ylabel="share of runs", xlim=(0, 1), ylim=(0, 0.75))
    axes.legend(loc="upper left")
    plt.show()
