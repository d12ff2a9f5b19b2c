"""The drawings of chapter 1, and that of the front page, which has the same landscape."""

from itertools import product

import matplotlib.pyplot as plt
import numpy as np
from afterzero.figures import plane
from scipy.signal import lfilter

from labnoise.widgets import COLORS

REACH = 3.4  # of the landscape, in both weights
STEPS = 10_000  # of the runs from zero loss
CLOCK_STEPS = 20_000  # of the runs on two clocks
FLATTEST = 4  # the least sharpness on Γ, at (1, 1)


def loss(x):
    """L = (uv − 1)² at the points x (…, 2)."""
    return (x[..., 0] * x[..., 1] - 1) ** 2


def sharpness(x):
    """tr∇²L = 2(u² + v²) at the points x (…, 2)."""
    return 2 * np.sum(x**2, axis=-1)


def mean_curves(states):
    """Mean loss and mean sharpness over runs (runs, saves, 2), (saves,) each."""
    x = np.asarray(states)
    return np.mean(loss(x), axis=0), np.mean(sharpness(x), axis=0)


def plot_landscape(axes, name_at):
    """The loss as shading and its zero set Γ as a curve, with its name at a point."""
    grid = np.linspace(0, REACH, 200)
    height = np.log10(loss(np.stack(np.meshgrid(grid, grid), axis=-1)) + 1e-2)
    extent = (0, REACH, 0, REACH)
    axes.imshow(height, cmap="Greys", vmin=-2, vmax=6, extent=extent, origin="lower", aspect="equal")
    plane.plot_gamma(axes, np.geomspace(1 / REACH, REACH, 200))
    axes.annotate("zero loss", name_at, color=COLORS["manifold"])
    axes.set(xlabel="weight u", ylabel="weight v", xlim=(0, REACH), ylim=(0, REACH))
    axes.set_xticks([0, 1, 2, 3])
    axes.set_yticks([0, 1, 2, 3])


def relative_curves(start, clouds):
    """Mean loss and mean sharpness of clouds (moments, R, 2) over those of their start (2,), (moments,) each."""
    return [np.mean(height(clouds), axis=1) / height(start) for height in (loss, sharpness)]


def stage_slide(fig, start, steps, clouds):
    """The front page: the landscape, and faintly loss and sharpness of clouds (moments, R, 2) after so many steps."""
    fig.set_size_inches(6.4, 3.2)
    left, right = fig.subplots(1, 2, width_ratios=[1, 1.05])
    plot_landscape(left, name_at=(0.5, 2.4))
    left.plot(*start, "o", ms=11, mfc="none", mew=1.5, color=COLORS["guide"], clip_on=False)
    left.annotate("start", (2.42, 0.07), color=COLORS["guide"])
    right.set(
        xlabel="steps", ylabel="relative to the start", xscale="log", xlim=(1, steps[-1]), ylim=(-0.03, 1.05)
    )
    right.set_xticks([1, 10, 100, 1000], ["1", "10", "100", "1000"])
    right.minorticks_off()
    falling, flattening = relative_curves(start, clouds)
    right.plot(*up_to(steps[-1], steps, falling), color=COLORS["guide"], lw=1, alpha=0.6)
    right.plot(*up_to(steps[-1], steps, flattening), color=COLORS["sgd"], lw=1, alpha=0.5)
    right.annotate("sharpness", (4, 0.93), color=COLORS["sgd"])
    right.annotate("training loss", (12, 0.13), color=COLORS["guide"])
    return {
        "cloud": left.plot([], [], "o", ms=4.5, alpha=0.5, color=COLORS["sgd"], mew=0)[0],
        "loss": right.plot([], [], color=COLORS["guide"], lw=3)[0],
        "sharp": right.plot([], [], color=COLORS["sgd"], lw=3)[0],
    }


def show_slide(artists, k, start, steps, clouds):
    """The cloud after k steps, between those that are given, and loss and sharpness up to there."""
    falling, flattening = relative_curves(start, clouds)
    artists["cloud"].set_data(*plane.between(np.log(steps), clouds, np.log(k)).T)
    artists["loss"].set_data(*up_to(k, steps, falling))
    artists["sharp"].set_data(*up_to(k, steps, flattening))
    nearest = round(k)
    after = "1 step" if nearest == 1 else f"{nearest} steps"
    loss_left, sharpness_left = plane.between(
        np.log(steps), np.stack([falling, flattening], 1), np.log(nearest)
    )
    return f"After {after} the training loss is {loss_left:.1%} of what it was, and the sharpness {sharpness_left:.0%}."


def up_to(k, steps, curve):
    """A curve, given after so many steps, from step 1 to k: at a hundred steps in geometric progression."""
    seen = np.geomspace(1, k, 100)
    return seen, plane.between(np.log(steps), curve, np.log(seen))


def stage_noise(fig):
    """The landscape, and beside it room for the sharpness during a run."""
    fig.set_size_inches(6.4, 3.2)
    left, right = fig.subplots(1, 2)
    plot_landscape(left, name_at=(0.5, 2.6))
    right.set(xlabel="steps", ylabel="sharpness  tr∇²L", xlim=(0, STEPS), ylim=(3, 40), yscale="log")
    right.set_yticks([4, 10, 20, 40], ["4", "10", "20", "40"])
    right.minorticks_off()
    right.axhline(FLATTEST, color=COLORS["guide"], lw=1, ls=":")
    return {
        "path": left.plot([], [], ".", ms=3, alpha=0.5)[0],
        "start": left.plot([], [], "o", ms=9, mfc="none", mew=2, color=COLORS["guide"])[0],
        "end": left.plot([], [], "o", ms=9)[0],
        "sharpness": right.plot([], [], lw=1.5)[0],
    }


def show_noise(artists, noise, eta, path):
    """One run from zero loss, saved at equal distances, path (saves, 2), in the colour of its noise."""
    steps, sharp = np.linspace(0, STEPS, len(path)), sharpness(path)
    artists["path"].set_data(*path[::2].T)
    artists["start"].set_data(*path[:1].T)
    artists["end"].set_data(*path[-1:].T)
    artists["sharpness"].set_data(steps, sharp)
    for name in ("path", "end", "sharpness"):
        artists[name].set_color(plane.NOISE_COLORS[noise])
    u0 = path[0, 0]
    if np.linalg.norm(path[-1] - path[0]) < 1e-6:
        where = f"the point stays at u = {u0:.2f}, with sharpness {sharp[0]:.1f}"
        return f"With {noise} nothing moves: {where}, at every η."
    late = sharp[steps > STEPS - 1000].mean()
    return (
        f"With {noise} at η = {eta:.3g}, {STEPS} steps from zero loss at u = {u0:.2f} take the sharpness from "
        f"{sharp[0]:.1f} to {late:.1f} (mean of the last 1000 steps)."
    )


def plot_three_noises(points, covariances, eta):
    """How far one step of each noise reaches from some points, by its covariances there."""
    _, panels = plt.subplots(1, len(covariances), figsize=(6.4, 2.7), sharey=True)
    for axes, (noise, covariances_here) in zip(panels, covariances.items(), strict=True):
        color = plane.NOISE_COLORS[noise]
        plane.plot_gamma(axes, np.geomspace(1 / REACH, REACH, 200), lw=2)
        for (u, v), cov in zip(points, covariances_here, strict=True):
            across, up = eta * plane.ellipse(cov, 60)
            axes.plot(u + across, v + up, color=color, lw=2.5)
            axes.plot(u, v, "o", color=color, ms=5, mfc=color if u * v < 1.1 else "white")
        axes.set(title=noise, xlim=(0, REACH), ylim=(0, REACH), aspect="equal", xlabel="u")
    panels[0].set_ylabel("v")
    plt.show()


def clock_steps():
    """The steps at which the curves of the two clocks are drawn: dense at first, since for large η all ends early."""
    return np.unique(np.round(CLOCK_STEPS * np.linspace(0, 1, 181) ** 3).astype(int))


def stage_clocks(fig, runs, predicted):
    """Loss and sharpness on both clocks: faintly the sharpness of some runs (loss, sharpness) by their η, and dashed
    the prediction, a function of t.
    """
    fig.set_size_inches(6.4, 4.2)
    grid, steps, times = fig.subplots(2, 2, sharex="col", sharey="row"), clock_steps(), np.linspace(0, 2, 100)
    for eta, (_, sharp) in runs.items():
        for axes, x in zip(grid[1], (steps, steps * eta**2), strict=True):
            axes.plot(x, sharp[steps], color=COLORS["sgd"], lw=1, alpha=0.35)
    dashed = {"ls": "--", "color": COLORS["limit"], "lw": 2}
    grid[1, 1].plot(times, predicted(times), label="prediction", **dashed)
    grid[1, 1].legend(loc="upper right")
    grid[0, 0].set(ylabel="loss", ylim=(0, 0.12))
    grid[1, 0].set(xlabel="steps", ylabel="sharpness", xlim=(0, CLOCK_STEPS), ylim=(0, 24))
    grid[1, 0].set_xticks([0, 5000, 10_000, 15_000], ["0", "5000", "10 000", "15 000"])
    grid[1, 1].set(xlabel="t = η² · steps", xlim=(0, times[-1]))
    grid[0, 0].set_title("the clock of the loss")
    grid[0, 1].set_title("the slow clock")
    for axes in grid[:, 1]:  # which a phone shows below the left column
        axes.tick_params(labelleft=True)
    artists = {
        "runs": [axes.plot([], [], color=COLORS["sgd"], lw=1.8)[0] for axes in grid.flat],
        "plateau": [axes.plot([], [], label="ηδ²/2 · prediction", **dashed)[0] for axes in grid[0]],
    }
    grid[0, 1].legend(loc="upper right")
    return artists


def show_clocks(artists, eta, window, shown, curves, predicted, delta):
    """Loss, averaged, and sharpness (steps + 1,) each, on both clocks, and when the sharpness is half-way down."""
    steps, (loss_curve, sharp) = clock_steps(), curves
    smooth = moving_average(loss_curve, window)[steps]
    clocks = (steps, steps * eta**2)
    for line, (y, x) in zip(artists["runs"], product((smooth, sharp[steps]), clocks), strict=True):
        line.set_data(x, y)
    for line, x in zip(artists["plateau"], clocks, strict=True):
        line.set_data(x[::4], eta * delta**2 / 2 * predicted(clocks[1][::4]))
    level = (predicted(0) + FLATTEST) / 2
    half, times = np.argmax(sharp < level), np.linspace(0, 2, 1001)
    return (
        f"At η = {eta:.3g} ({shown}) the sharpness is half-way down after {half} steps, "
        f"which is t = {half * eta**2:.2f}; "
        f"the prediction is t = {when_below(level, times, predicted(times)):.2f} at every η. "
        f"The loss is averaged over {window:.0f} steps."
    )


def moving_average(values, window):
    """The exponential moving average of a sequence: the weights fall by the factor 1 − 1/window a step."""
    keep = 1 - 1 / window
    weighted, weights = (lfilter([1], [1, -keep], x) for x in (values, np.ones(len(values))))
    return weighted / weights


def when_below(level, times, falling):
    """When a falling curve, given at some times, crosses a level, by interpolation."""
    return np.interp(-level, -falling, times)


def stage_anneal(fig, truth, least_norm):
    """The true coefficients, and those of the solution of least norm; returns the dots of the others."""
    fig.set_size_inches(6.4, 3.3)
    axes = fig.subplots()
    features, true = np.arange(len(truth)), np.flatnonzero(truth)
    label = "truth w* (else 0)"
    axes.axhline(0, color=COLORS["guide"], lw=0.8)
    axes.plot(true, truth[true], "o", ms=13, mfc="none", mew=1.8, color=COLORS["guide"], label=label)
    axes.plot(features, least_norm, "_", ms=11, mew=2, color=COLORS["gradient"], label="least norm")
    dots = axes.plot(features, 0 * features, "o", ms=5, color=COLORS["label"], label="label noise")[0]
    axes.set(xlabel="feature j", ylabel="coefficient", xlim=(-1, len(truth)), ylim=(-1.3, 1.6))
    axes.legend(ncols=3, loc="upper center")
    return dots


def show_anneal(dots, t, alpha, delta, w, truth, least_norm):
    """The coefficients w at the time t from scale α; how far they and those of least norm are from the truth."""
    error, least_norm_error = np.linalg.norm(w - truth), np.linalg.norm(least_norm - truth)
    dots.set_ydata(w)
    return (
        f"At t = {t:.2f} from scale α = {alpha:.3g}, label noise of strength δ = {delta:.3g} is at distance "
        f"{error:.2g} from the truth; the least-norm solution is at {least_norm_error:.2f}."
    )


def plot_large_eta(etas, rates, turned, slope):
    """Measured over predicted rates with their slope at η = 0, and the shares of runs with another sign of q."""
    _, axes = plt.subplots(figsize=(6.4, 3.0))
    axes.axhline(1, color=COLORS["limit"], ls="--", lw=2)
    axes.annotate("prediction, η → 0", (0.004, 0.72), color=COLORS["limit"])
    axes.plot(etas, 1 + slope * etas, color=COLORS["guide"], lw=1.5)
    axes.plot(etas, rates, "o-", color=COLORS["sgd"])
    axes.set(xlabel="learning rate η", ylabel="measured / predicted rate", xlim=(0, 0.26), ylim=(0, 4.5))
    share = axes.twinx()
    share.bar(etas, turned, width=0.008, color=COLORS["minibatch"], alpha=0.6)
    share.set(ylabel="share of runs with q < 0", ylim=(0, 1))
    share.spines["right"].set_visible(True)
    plt.show()
