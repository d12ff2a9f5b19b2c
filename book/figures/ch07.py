"""The drawings of chapter 7."""

import matplotlib.pyplot as plt
import numpy as np
from afterzero.experiments import noise_shapes
from afterzero.figures import plane
from matplotlib.transforms import Bbox, TransformedBbox

from labnoise.widgets import COLORS

NOISES = ("label noise", "mini-batch noise", "spherical noise", "no noise")


def band(values):
    """Least, median and largest of the runs, each (saves,)."""
    return values.min(axis=0), np.median(values, axis=0), values.max(axis=0)


def plot_band(axes, x, values, color, shade=0.25, **line):
    """The median of the runs as a line in a band from the least to the largest."""
    low, middle, high = band(values)
    axes.fill_between(x, low, high, color=color, alpha=shade, lw=0)
    axes.plot(x, middle, color=color, **line)


def stage_noises(fig, runs):
    """Error and norm of every noise's runs against steps and clock; `runs` of a noise: steps, clock, error, norm."""
    fig.set_size_inches(7.0, 4.8)
    grid = fig.subplots(2, 2, sharex="col", sharey="row")
    for noise, (steps, clock, *measured) in runs.items():
        for row, values in zip(grid, measured, strict=True):
            for axes, x in zip(row, (steps, clock), strict=True):
                plot_band(axes, x[1:], values[:, 1:], plane.NOISE_COLORS[noise], lw=1, alpha=0.7)
    grid[0, 0].set(ylabel="error", yscale="log", xscale="log", xlim=(60, 1.4e6), ylim=(2e-4, 150))
    grid[1, 0].set(ylabel="sum of weights", xlabel="steps", ylim=(0, 105))
    grid[1, 1].set(xscale="log", xlim=(6e-9, 60), xlabel="clock of the noise")
    grid[1, 1].set_xticks([1e-8, 1e-5, 1e-2, 10])
    for axes in grid[:, 1]:
        axes.tick_params(labelleft=True)  # on a phone this column stands below the other
    for axes in grid[1]:
        axes.axhline(5, color=COLORS["guide"], ls=":", lw=1)
    for i, noise in enumerate(NOISES):
        grid[0, 0].text(80, 0.05 / 5**i, noise, color=plane.NOISE_COLORS[noise], weight="bold")
    artists = {"line": [], "now": []}
    for axes in grid.flat:
        artists["line"] += axes.plot([], [], lw=3)
        artists["now"].append(axes.axvline(1, lw=1.5))
    return artists


def left_of(axes, x):
    """The part of some axes that lies left of x, to clip by."""
    (left, _), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    return TransformedBbox(Bbox([[left, bottom], [max(left, x), top]]), axes.transData)


def show_noises(artists, k, noise, steps, clock, error, norm):
    """The medians of one noise up to step k, and in words those of the save that is nearest."""
    here = k, np.interp(k, steps, clock)  # η² is constant between saves
    for i, (line, now) in enumerate(zip(artists["line"], artists["now"], strict=True)):
        line.set_data((steps, clock)[i % 2][1:], np.median((error, norm)[i // 2], axis=0)[1:])
        line.set_clip_box(left_of(line.axes, here[i % 2]))
        now.set_xdata([here[i % 2]] * 2)
        for artist in (line, now):
            artist.set_color(plane.NOISE_COLORS[noise])
    last = np.abs(steps - k).argmin()
    low, middle, high = band(error[:, last])
    return (
        f"{noise.capitalize()}, saved after {steps[last]} steps: the clock of the noise stands at {clock[last]:.2g}; "
        f"the error is {middle:.3g}, between {low:.3g} and {high:.3g}; "
        f"the weights sum to {np.median(norm[:, last]):.1f} (the truth: 5)."
    )


def plot_clocks(label, pair, limit):
    """How far label and mini-batch noise (`Runs`) shrink the start, and the error against that.

    `limit` is a shrinking λ and the error to which gradient flow leads from there.
    """
    _, (left, right) = plt.subplots(1, 2, figsize=(7.0, 3.2))
    for runs, color, settled in ((label, COLORS["label"], 500), (pair, COLORS["minibatch"], 2000)):
        left.plot(runs.steps[1:], runs.shrinking[:, 1:].T, color=color, lw=1, alpha=0.7)
        late = runs.steps > settled
        dots = runs.shrinking[:, late].ravel(), runs.error[:, late].ravel()
        right.plot(*dots, ".", ms=4, color=color, alpha=0.6, mew=0)
    c = 0.5  # Σ = c∇²L for label noise of strength 1
    left.plot(label.steps[1:], c * label.time[1:], "--", color=COLORS["limit"], lw=2.2)
    right.plot(*limit, "--", color=COLORS["limit"], lw=2.2)
    left.set(xlabel="steps", ylabel="shrinking λ", xscale="log", yscale="log", ylim=(1e-3, 10))
    right.set(xlabel="shrinking λ", ylabel="error", yscale="log", ylim=(2e-4, 100))
    left.text(1.5e3, 4.0, "mini-batch", color=COLORS["minibatch"], weight="bold")
    left.text(2e3, 0.02, "label noise", color=COLORS["label"], weight="bold")
    plt.show()


def plot_rates(constant, annealed, floors):
    """Label noise (`Runs`) at a constant and at a falling rate, and a floor of the error for every 100 000 steps."""
    _, axes = plt.subplots(figsize=(6.4, 3.0))
    plot_band(axes, constant.steps / 1000, constant.error, COLORS["guide"], label="constant η")
    plot_band(axes, annealed.steps / 1000, annealed.error, COLORS["label"], label="η ÷ 10, twice")
    for k, floor in enumerate(floors):
        axes.plot([100 * k, 100 * k + 100], [floor] * 2, ":", color=COLORS["limit"], lw=2)
    axes.set(xlabel="thousand steps", ylabel="error", yscale="log", xlim=(0, 300), ylim=(2e-4, 100))
    axes.legend()
    plt.show()


def plot_equal_clocks(runs):
    """Error and norm against the clock, up to 10; `runs` of a noise: steps, clock, error, norm."""
    _, panels = plt.subplots(1, 2, figsize=(7.0, 3.0))
    for noise, (steps, clock, *measured) in runs.items():
        shown = (steps > 500) & (clock <= 10)
        for axes, values in zip(panels, measured, strict=True):
            plot_band(axes, clock[shown], values[:, shown], plane.NOISE_COLORS[noise], shade=0.3, lw=2)
    panels[0].set(xlabel="clock of the noise", ylabel="error", yscale="log", xlim=(0, 10))
    panels[1].set(xlabel="clock of the noise", ylabel="sum of weights", xlim=(0, 10), ylim=(0, None))
    panels[1].axhline(5, color=COLORS["guide"], ls=":", lw=1)
    panels[0].text(4, 0.3, "label noise", color=COLORS["label"], weight="bold")
    panels[0].text(3, 30, "spherical noise", color=COLORS["gaussian"], weight="bold")
    plt.show()


def stage_grid(fig):
    """Error against steps."""
    fig.set_size_inches(6.0, 3.4)
    axes = fig.subplots()
    axes.set(xlabel="steps", ylabel="error", xscale="log", yscale="log", xlim=(60, 1.2e5), ylim=(1e-3, 3e3))
    return {
        "runs": [axes.plot([], [], lw=1.6)[0] for _ in range(noise_shapes.BATCHES)],
        "flow": axes.plot([], [], "--", color=COLORS["limit"], lw=2.2)[0],
        "descent": axes.plot([], [], color=COLORS["gradient"], lw=1.5, zorder=1)[0],
    }


def show_grid(artists, strength, alpha, noise, runs, limit, descent):
    """Runs (steps, error) of one noise, the error where gradient flow ends, and the limit of label noise.

    `limit` is steps, clock and error.
    """
    steps, error = runs
    for line, run in zip(artists["runs"], error, strict=True):
        line.set_data(steps[1:], run[1:])
        line.set_color(plane.NOISE_COLORS[noise])
    at, clock, predicted = limit
    artists["flow"].set_data(*((at, predicted) if noise == "label noise" else ([], [])))
    artists["descent"].set_data([60, 1.2e5], [descent] * 2)
    letter = "δ" if noise == "label noise" else "σ"
    return (
        f"{noise.capitalize()} with {letter} = {strength:g} from α = {alpha:g}: "
        f"after 100 000 steps the clock stands at {clock[-1]:.2g} and the error at {np.median(error[:, -1]):.3g}. "
        f"Gradient flow from there ends at {descent:.3g}."
    )


def stage_walk(fig):
    """The shrinking of a start, and three weights, against t = η²·steps."""
    fig.set_size_inches(7.0, 3.3)
    left, right = fig.subplots(1, 2)
    left.set(xlabel="t = η² · steps", ylabel="shrinking λ of the start", xlim=(0, 4), ylim=(-0.05, 2.8))
    right.set(xlabel="t = η² · steps", ylabel="weights", xlim=(0, 4), ylim=(-0.1, 5.8))
    left.text(0.15, 2.5, "40 runs of SGD", color=COLORS["sgd"], weight="bold")
    left.text(0.15, 2.25, "limit", color=COLORS["limit"], weight="bold")
    t = np.linspace(0, 4, 81)
    return {
        "band": left.fill_between(t, 0 * t, 0 * t, color=COLORS["sgd"], alpha=0.25, lw=0),
        "shrinking": left.plot(t, 0 * t, color=COLORS["sgd"], lw=2)[0],
        "predicted": left.plot([0, 4], [0, 0], "--", color=COLORS["limit"], lw=2)[0],
        "weights": [right.plot(t, 0 * t, color=COLORS["sgd"], lw=2)[0] for _ in range(3)],
        "limits": [right.plot(t, 0 * t, "--", color=COLORS["limit"], lw=2)[0] for _ in range(3)],
    }


def show_walk(artists, delta, eta, t, shrinking, weights, limits):
    """Shrinking (runs, times) and weights (runs, times, 3) from mini-batch to label noise; weights of the limit."""
    low, middle, high = band(shrinking)
    outline = np.column_stack([np.append(t, t[::-1]), np.append(low, high[::-1])])
    artists["band"].set_verts([outline])
    artists["shrinking"].set_ydata(middle)
    artists["predicted"].set_ydata([0, 0.5 * delta**2 * t[-1]])
    here = np.median(weights, axis=0)
    for line, other, w, limit in zip(artists["weights"], artists["limits"], here.T, limits.T, strict=True):
        line.set_ydata(w)
        other.set_ydata(limit)
    return (
        f"δ = {delta:.3g}, η = {eta}: at t = {t[-1]:g} the start has shrunk by λ = {middle[-1]:.3f} "
        f"({low[-1]:.4f} to {high[-1]:.4f} in 40 runs); the limit has ½δ²t = {0.5 * delta**2 * t[-1]:.3f}. "
        f"The weights are {', '.join(f'{w:.2f}' for w in here[-1])}, in the limit "
        f"{', '.join(f'{w:.2f}' for w in limits[-1])}."
    )


def plot_stops(rates, shrinking, lost, slope):
    """Final shrinking, three quantiles for each rate, with its first order `slope`, and the share of runs lost."""
    _, axes = plt.subplots(figsize=(6.4, 3.1))
    low, middle, high = np.transpose(shrinking)
    spread = (middle - low, high - middle)
    axes.errorbar(rates, middle, spread, fmt="o", color=COLORS["minibatch"], capsize=3)
    axes.plot(rates, slope * np.array(rates), "--", color=COLORS["limit"])
    axes.set(xscale="log", yscale="log", xlabel="learning rate η", ylabel="final shrinking")
    axes.set_xlim(1e-3, 0.0125)
    axes.set_xticks(rates, [f"{eta:g}" for eta in rates])
    axes.minorticks_off()
    share = axes.twinx()
    share.bar(rates, lost, width=0.08 * np.array(rates), color=COLORS["guide"], alpha=0.6)
    share.set(ylabel="share of runs lost", ylim=(0, 1))
    share.spines["right"].set_visible(True)
    plt.show()
