"""The drawings of chapter 2."""

import matplotlib.pyplot as plt
import numpy as np
from afterzero.figures import plane

from labnoise.widgets import COLORS


def level_lines(turn, lam):
    """Four level lines of the bowl of curvatures 1 and λ, turned, in one broken line: (2, 404)."""
    ring = turn @ (plane.circle(100) / np.sqrt([[1.0], [lam]]))
    ring = np.pad(ring, ((0, 0), (0, 1)), constant_values=np.nan)
    return np.concatenate([r * ring for r in (0.25, 0.5, 0.75, 1)], axis=1)


def deviations(cov):
    """The widest and the narrowest standard deviation of a covariance (2, 2)."""
    short, long = np.sqrt(np.maximum(np.linalg.eigvalsh(cov), 0))
    return long, short


def stage_cloud(fig):
    """The plane of two weights with the minimum, and what moves: the bowl, the cloud and the predicted ellipse."""
    fig.set_size_inches(5.0, 4.6)
    axes = fig.subplots()
    axes.plot(0, 0, "+", ms=12, color=COLORS["manifold"])
    axes.set(xlim=(-0.7, 0.7), ylim=(-0.62, 0.62), aspect="equal")
    axes.set(xlabel="first weight", ylabel="second weight")
    return {
        "level": axes.plot([], [], color=COLORS["guide"], lw=0.8)[0],
        "cloud": axes.plot([], [], "o", ms=3.5, alpha=0.75, mew=0)[0],
        "ellipse": axes.plot([], [], color=COLORS["limit"], lw=2.2)[0],
    }


def show_cloud(artists, noise, eta, lam, turn, x, S):
    """The runs x (R, 2) in the bowl, and two standard deviations of the predicted covariance S."""
    artists["level"].set_data(*level_lines(turn, lam))
    artists["cloud"].set_data(*x.T)
    artists["cloud"].set_color(plane.NOISE_COLORS[noise])
    artists["ellipse"].set_data(*(2 * plane.ellipse(S, 100)))
    (long, short), (high, low) = deviations(np.cov(x.T)), deviations(S)
    return (
        f"With {noise} at η = {eta:.3g} in a bowl of curvatures 1 and "
        f"{lam:.3g}, the cloud's widest and narrowest standard deviations "
        f"are {long:.3f} and {short:.3f}; "
        f"predicted {high:.3f} and {low:.3f}."
    )


def running_squares(W, n):
    """A path W (steps + 1,) seen at n + 1 equal times: its sum of squared increments up to each, (n + 1,)."""
    return np.append(0, np.cumsum(np.diff(W[:: (len(W) - 1) // n]) ** 2))


def plot_quadratic_variation(W, numbers):
    """A path W (steps + 1,) on [0, 1], and its running sum of squared increments seen so many times."""
    _, (left, right) = plt.subplots(1, 2, figsize=(6.4, 2.9))
    finest = len(W) - 1
    left.plot(np.linspace(0, 1, finest + 1)[::32], W[::32], color=COLORS["sgd"], lw=0.8)
    left.set(xlabel="time s", ylabel="W(s)", xlim=(0, 1))
    for n, style in zip(numbers, (":", "-", "-"), strict=True):
        color = COLORS["limit"] if n == finest else COLORS["sgd"]
        times, running = np.linspace(0, 1, n + 1), running_squares(W, n)
        right.step(times, running, style, where="post", color=color, lw=1.6, label=f"n = {n}")
    right.set(xlabel="time s", ylabel="sum of squares up to s")
    right.set(xlim=(0, 1), ylim=(0, 1.5))
    right.legend(loc="upper left")
    plt.show()


def plot_push(start, across, along, descent, second_order):
    """The two parts of `descent`, −∇L at points (k, 2), beside the curve, and the one along it with its Taylor term."""
    _, (left, right) = plt.subplots(1, 2, figsize=(6.4, 3.1), width_ratios=(1, 1.15))
    plane.plot_gamma(left, np.linspace(1.6, 2.4, 50))
    line = start[:, None] + across[:, None] * np.array([-0.36, 0.36])
    left.plot(*line, color=COLORS["guide"], lw=0.8, ls=":")
    points = start + np.array([[-0.3], [-0.18], [0.18], [0.3]]) * across
    for point, pull in zip(points, descent(points), strict=True):
        left.plot(*point, "o", ms=4, color=COLORS["guide"])
        for part, role, scale in ((across, "gradient", 0.05), (along, "sgd", 0.5)):
            arrow = {"arrowstyle": "->", "color": COLORS[role], "lw": 2, "shrinkA": 0, "shrinkB": 0}
            left.annotate("", point + scale * (pull @ part) * part, point, arrowprops=arrow)
    left.set(xlabel="u", ylabel="v", aspect="equal")
    left.set(xlim=(1.62, 2.38), ylim=(0.12, 0.88))
    offsets = np.linspace(-0.35, 0.35, 100)
    force = descent(start + offsets[:, None] * across) @ along
    right.plot(offsets, force, color=COLORS["sgd"], label="along the curve")
    dashed = {"ls": "--", "color": COLORS["limit"]}
    right.plot(offsets, second_order * offsets**2, label="second order", **dashed)
    right.axhline(0, color=COLORS["guide"], lw=0.8)
    right.set(xlabel="displacement across the curve")
    right.set(ylabel="force along the curve")
    right.legend(loc="lower center")
    plt.show()


def stage_horizon(fig, start, velocity, errors, t, limit_error):
    """The curve with the local prediction, and its error: of runs, pairs (times, error), and of the limit at t."""
    fig.set_size_inches(6.2, 5.6)
    top, bottom = fig.subplots(2, 1, height_ratios=(1, 1))
    plane.plot_gamma(top, np.linspace(0.85, 2.3, 100), lw=2)
    ends = start + np.array([[0.0], [t[-1]]]) * velocity
    top.plot(*ends.T, ":", color=COLORS["limit"], lw=1.5)
    top.plot(*start, "o", ms=9, mfc="none", mew=2, color=COLORS["guide"])
    top.set(xlabel="u", ylabel="v", aspect="equal")
    top.set(xlim=(0.6, 2.3), ylim=(0.36, 1.04))
    for times, error in errors:
        bottom.plot(times, error, color=COLORS["sgd"], lw=1, alpha=0.6)
    bottom.plot(t, limit_error, "--", color=COLORS["limit"], lw=2, label="η → 0")
    bottom.set(xlabel="t = η² · steps", ylabel="error of the prediction")
    bottom.set(xlim=(0, 1.55), ylim=(-0.03, 0.6))
    bottom.legend(loc="upper left")
    sgd_dots = {"mew": 0, "alpha": 0.75, "color": COLORS["sgd"]}
    diamond = {"mfc": "none", "mew": 2, "color": COLORS["guide"]}
    return {
        "runs": top.plot([], [], "o", ms=3.5, **sgd_dots)[0],
        "local": top.plot([], [], "X", ms=10, color=COLORS["limit"])[0],
        "curve": bottom.plot([], [], color=COLORS["sgd"], lw=2)[0],
        "now": bottom.plot([], [], "o", ms=8, color=COLORS["sgd"])[0],
        "horizon": bottom.plot([], [], "D", ms=9, **diamond)[0],
    }


def show_horizon(artists, eta, t, times, states, error, local, mean, start):
    """Runs (R, 2), the local prediction and the mean of Φ at t, from a start, and the prediction's error at times."""
    artists["runs"].set_data(*states.T)
    artists["local"].set_data(*local[:, None])
    artists["curve"].set_data(times, error)
    now = np.linalg.norm(mean - local)
    artists["now"].set_data([t], [now])
    horizon = eta**0.4
    artists["horizon"].set_data([horizon], [plane.between(times, error, horizon)])
    return (
        f"At η = {eta:.3g} and t = {t:.2f} ({t / eta**2:.0f} steps) the "
        f"runs have moved by {np.linalg.norm(mean - start):.2f} on average, and the "
        f"local prediction is off by {now:.3f}; the horizon of "
        f"{eta**-1.6:.0f} steps lies at t = {horizon:.2f}."
    )


def plot_plateau(rates, height, constant, exact):
    """The measured plateau over the continuous law, that law, and two discrete ones, functions of η."""
    _, axes = plt.subplots(figsize=(6.4, 3.1))
    smooth = np.linspace(0.001, 0.345, 200)
    grey, orange = COLORS["guide"], COLORS["limit"]
    axes.axhline(1, ls="--", color=grey)
    axes.annotate("continuous", (0.27, 1.15), color=grey)
    axes.plot(smooth, constant(smooth), color=grey)
    axes.annotate("discrete, constant noise", (0.06, 2.35), color=grey)
    axes.plot(smooth, exact(smooth), color=orange)
    axes.annotate("discrete, batch of one", (0.17, 4.6), color=orange)
    axes.plot(rates, height, "o", ms=6, color=COLORS["sgd"])
    axes.set(xlabel="learning rate η", ylabel="plateau / continuous law")
    axes.set(xlim=(0, 0.36), ylim=(0, 7))
    plt.show()
