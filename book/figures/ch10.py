"""The drawings of chapter 10."""

from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from afterzero.experiments import digits
from afterzero.figures import plane
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from labnoise.widgets import COLORS

SIDE = 8  # pixels of an image in each direction
UNITS = {"the strongest unit": 0, "the second": 1, "the tenth": 9}  # by what they carry at the end
MEASURES = {"mean square": "mse", "share of wrong answers": "wrong"}


class Course(NamedTuple):
    """What is shown of a flow (k, D) at the times (k,), the first of which is 0.

    Attributes
    ----------
    times : (k,)
    filters, strengths : (k, 64, 32) and (k, 32), the units in the order of what they carry at the end
    found : what `digits.measures` says, (k,) each
    """

    times: np.ndarray
    filters: np.ndarray
    strengths: np.ndarray
    found: dict[str, np.ndarray]


def course(times, path, drawn) -> Course:
    """A flow of the draw `drawn` of the training set, with its units sorted."""
    hidden, out = (np.asarray(part) for part in digits.activations(path, drawn.inputs))
    strengths = np.abs(hidden * out[:, None, :]).mean(axis=1)
    order = np.argsort(-strengths[-1])
    weights = np.asarray(path)[:, digits.WIDTH : 65 * digits.WIDTH].reshape(len(path), SIDE**2, -1)
    return Course(np.asarray(times), weights[:, :, order], strengths[:, order], digits.measures(path, drawn))


def at(times, values, t):
    """Values (k, …) of positive times at t, by a smooth line over ln t; the time 0 is left out."""
    return plane.between(np.log(times[1:]), values[1:], np.log(t))


def squares(sizes) -> Path:
    """Squares of sides sizes (64,), at most 1, in the places of the pixels, as one path."""
    row, column = np.divmod(np.arange(SIDE**2), SIDE)
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1], [-1, -1]]) / 2
    centres = np.stack([column + 0.5, SIDE - 0.5 - row], axis=1)
    vertices = centres[:, None, :] + np.asarray(sizes)[:, None, None] * corners
    codes = [Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY]
    return Path(vertices.reshape(-1, 2), codes * SIDE**2)


def stage_network(fig, shown: Course):
    """What each unit carries, below it the filter of one, and on the right the whole flow's sharpness and test error.

    In two columns, which fit a phone: what belongs to the units stays together.
    """
    fig.set_size_inches(7.2, 4.6)
    panels = fig.subplot_mosaic([["bars", "right"], ["picture", "right"]], height_ratios=(1, 1.3))
    bars, right, picture = panels.values()
    bars.set(xlabel="unit", ylabel="strength", xlim=(-1, digits.WIDTH), ylim=(0, 1.05), xticks=[0, 9, 31])
    bars.set_yticks([0, 0.5, 1], ["0", "0.5", "1"])
    bars.set_xticklabels(["1", "10", "32"])
    picture.set(xlim=(0, SIDE), ylim=(0, SIDE), aspect="equal", xticks=[], yticks=[], xlabel="its filter")
    for spine in picture.spines.values():
        spine.set_visible(True)
    times, found = shown.times[1:], shown.found
    right.loglog(times, found["sharpness"][1:], color=COLORS["limit"], lw=1.5)
    right.loglog(times, found["mse"][1:], color=COLORS["sgd"], lw=1.5)
    right.set(xlabel="slow time t", ylim=(0.05, 100))
    right.text(0.012, 2.6, "sharpness", color=COLORS["limit"], weight="bold")
    right.text(0.012, 0.075, "test error", color=COLORS["sgd"], weight="bold")
    heights = np.zeros(digits.WIDTH)
    return {
        "stems": bars.plot(
            np.repeat(np.arange(digits.WIDTH), 3), np.repeat(heights, 3), color=COLORS["label"], lw=3
        )[0],
        "chosen": bars.plot([0], [0], "o", color=COLORS["limit"], ms=6)[0],
        "plus": picture.add_patch(PathPatch(squares(np.zeros(64)), fc=COLORS["limit"], lw=0)),
        "minus": picture.add_patch(PathPatch(squares(np.zeros(64)), fc=COLORS["sgd"], lw=0)),
        "now": [
            right.plot([1], [1], "o", color=color, ms=7)[0] for color in (COLORS["limit"], COLORS["sgd"])
        ],
    }


def show_network(artists, t, unit, shown: Course):
    """The network at the time t of the flow, and the filter of one of its units."""
    k = UNITS[unit]
    strengths, filters = at(shown.times, shown.strengths, t), at(shown.times, shown.filters, t)[:, k]
    heights = np.zeros((digits.WIDTH, 3))
    heights[:, 1] = strengths
    artists["stems"].set_ydata(heights.ravel())
    artists["chosen"].set_data([k], [strengths[k]])
    sizes = filters / np.abs(shown.filters[1:, :, k]).max()
    artists["plus"].set_path(squares(np.sqrt(np.maximum(sizes, 0))))
    artists["minus"].set_path(squares(np.sqrt(np.maximum(-sizes, 0))))
    values = [float(at(shown.times, shown.found[name], t)) for name in ("sharpness", "mse")]
    for dot, value in zip(artists["now"], values, strict=True):
        dot.set_data([t], [value])
    return (
        f"t = {t:.3g}: the sharpness is {values[0]:.3g}, the mean square error on unseen images {values[1]:.3f}. "
        f"The strongest unit carries {strengths[0] / strengths.sum():.0%} of what is added up; "
        f"{unit} has the strength {strengths[k]:.3f}."
    )


def stage_draws(fig, times, sharpness, errors):
    """All draws: sharpness (draws, k) and, for each measure, the error on unseen images (draws, k)."""
    fig.set_size_inches(7.2, 3.4)
    left, right = fig.subplots(1, 2)
    left.loglog(times[1:], sharpness[:, 1:].T, color=COLORS["guide"], lw=0.6, alpha=0.5)
    left.set(xlabel="slow time t", ylabel="sharpness", ylim=(1.5, 150))
    right.set(
        xscale="log", xlabel="slow time t", ylabel="error on unseen images", ylim=(0.01, 0.6), yscale="log"
    )
    values = errors["mean square"]
    both = (left, COLORS["limit"]), (right, COLORS["sgd"])
    return {
        "faint": [
            right.plot(times[1:], row, color=COLORS["guide"], lw=0.6, alpha=0.5)[0] for row in values[:, 1:]
        ],
        "lines": [axes.plot([], [], color=color, lw=2.2)[0] for axes, color in both],
        "start": right.axhline(0.1, color=COLORS["gradient"], ls=":", lw=1.5),
        "now": [axes.plot([1], [1], "o", color=color, ms=7)[0] for axes, color in both],
    }


def show_draws(artists, t, measure, throw, times, sharpness, errors):
    """One draw of the training set at the time t, beside all others; a throw beyond the stored ones begins anew."""
    values = errors[measure]
    k = throw % len(values)
    for line, row in zip(artists["faint"], values, strict=True):
        line.set_data(times[1:], row[1:])
    artists["start"].set_ydata([values[k, 0]] * 2)
    everywhere = [at(times, table.T, t) for table in (sharpness, values)]  # of all draws
    now = [float(found[k]) for found in everywhere]
    for line, dot, table, value in zip(
        artists["lines"], artists["now"], (sharpness, values), now, strict=True
    ):
        line.set_data(times[1:], table[k, 1:])
        dot.set_data([t], [value])
    better = np.mean(everywhere[1] < values[:, 0])
    return (
        f"Training set {k + 1}, t = {t:.3g}: the sharpness fell from {sharpness[k, 0]:.3g} to {now[0]:.3g}; "
        f"the {measure} on unseen images was {values[k, 0]:.3f} and is {now[1]:.3f}. "
        f"It is lower than at the start in {better:.0%} of {len(values)} training sets."
    )


def plot_digits(inputs, labels):
    """Images (N, 64) in a row, with their labels."""
    _, panels = plt.subplots(1, len(inputs), figsize=(7.0, 1.2))
    for axes, image, label in zip(panels, inputs, labels, strict=True):
        axes.imshow(image.reshape(SIDE, SIDE), cmap="gray_r", vmin=0, vmax=1)
        axes.set(title=f"{label:+.0f}".replace("-", "−"), xticks=[], yticks=[])
        for spine in axes.spines.values():
            spine.set_visible(True)
    plt.show()


def plot_spectrum(spectra):
    """The nonzero eigenvalues of the Hessian, largest first; `spectra` of a name: (40,)."""
    _, axes = plt.subplots(figsize=(6.2, 3.0))
    colors = (COLORS["gradient"], COLORS["limit"])
    for (name, values), color in zip(spectra.items(), colors, strict=True):
        axes.semilogy(np.arange(1, len(values) + 1), values, "o-", ms=3.5, lw=1, color=color, label=name)
    axes.set(xlabel="number of the eigenvalue", ylabel="eigenvalue of ∇²L")
    axes.legend()
    plt.show()


def plot_methods(limit, runs):
    """Sharpness against t: the limit (times, values), and of each η the runs (times, (runs, k))."""
    _, axes = plt.subplots(figsize=(6.4, 3.2))
    shades = (0.35, 0.6, 1.0)
    for (eta, (times, values)), shade in zip(runs.items(), shades, strict=True):
        middle, deviation = values.mean(axis=0), values.std(axis=0)
        axes.errorbar(
            times,
            middle,
            deviation,
            fmt="o-",
            ms=4,
            color=COLORS["sgd"],
            alpha=shade,
            capsize=2,
            label=f"SGD, η = {eta:g}",
        )
    axes.plot(*limit, "--", color=COLORS["limit"], lw=2.2, label="limit")
    axes.set(xlabel="slow time t = η²k", ylabel="sharpness", xscale="log", yscale="log")
    axes.set_yticks([5, 10, 20, 50], ["5", "10", "20", "50"])
    axes.minorticks_off()
    axes.legend()
    plt.show()


def plot_units(shown: Course, bound):
    """What each unit carries along the flow, and the sharpness above its lower bound."""
    _, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3.1))
    left.loglog(shown.times[1:], shown.strengths[1:], color=COLORS["label"], lw=0.8, alpha=0.6)
    left.loglog(shown.times[1:], shown.strengths[1:, 0], color=COLORS["limit"], lw=2)
    left.set(xlabel="slow time t", ylabel="strength of a unit", ylim=(1e-4, 2))
    right.loglog(shown.times[1:], shown.found["sharpness"][1:], color=COLORS["limit"], lw=2)
    right.axhline(bound, color=COLORS["guide"], ls=":", lw=1.5)
    right.set(xlabel="slow time t", ylabel="sharpness", ylim=(1.5, 60))
    right.set_yticks([2, 5, 10, 20, 50], ["2", "5", "10", "20", "50"])
    right.minorticks_off()
    right.text(0.012, 1.62, "least possible", color=COLORS["guide"], weight="bold")
    plt.show()


def plot_sensing(times, over, away, found):
    """Of draws (draws, k) what is above the least sharpness, and how far the truth is, by whether it is found."""
    _, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3.1))
    times = np.asarray(times)[1:]
    for row, distance, good in zip(over[:, 1:], away[:, 1:], found, strict=True):
        look = {"color": COLORS["limit" if good else "guide"], "lw": 1.2, "alpha": 0.8}
        left.loglog(times, np.maximum(row, 1e-9), **look)
        right.loglog(times, distance, **look)
    left.set(xlabel="slow time t", ylabel="tr(MX) above the bound, relative", ylim=(1e-6, 10))
    right.set(xlabel="slow time t", ylabel="|X − X*|", ylim=(1e-5, 10))
    plt.show()


def plot_rivals(times, errors, best):
    """The test error along the flow, (draws, k), and the mean of rivals at their best; `best` of a name: a number."""
    _, axes = plt.subplots(figsize=(6.4, 3.2))
    middle, deviation = errors.mean(axis=0), errors.std(axis=0, ddof=1) / len(errors) ** 0.5
    axes.fill_between(
        times[1:], (middle - deviation)[1:], (middle + deviation)[1:], color=COLORS["limit"], alpha=0.25, lw=0
    )
    axes.plot(times[1:], middle[1:], color=COLORS["limit"], lw=2, label="label noise")
    axes.axhline(middle[0], color=COLORS["gradient"], lw=1.5, label="gradient flow")
    for (name, value), style in zip(best.items(), ("--", ":"), strict=True):
        axes.axhline(value, color=COLORS["guide"], ls=style, lw=1.8, label=name)
    axes.set(xlabel="slow time t", ylabel="mean square on unseen images", xscale="log")
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    plt.show()


def plot_wall(times, predicted, runs):
    """Where the unit's input is: of each η the runs (runs, k), and the flow on the pieces (k,)."""
    _, axes = plt.subplots(figsize=(6.4, 3.0))
    for (eta, paths), shade in zip(runs.items(), (0.45, 1.0), strict=True):
        low, middle, high = np.quantile(paths, (0.1, 0.5, 0.9), axis=0)
        axes.fill_between(times, low, high, color=COLORS["sgd"], alpha=0.2 * shade, lw=0)
        axes.plot(times, middle, color=COLORS["sgd"], alpha=shade, lw=1.8, label=f"SGD, η = {eta:g}")
    axes.plot(times, predicted, "--", color=COLORS["limit"], lw=2.2, label="flow on the pieces")
    axes.axhline(0, color=COLORS["guide"], ls=":", lw=1)
    axes.set(xlabel="slow time t", ylabel="input u of the unit")
    axes.legend(loc="upper left")
    plt.show()
