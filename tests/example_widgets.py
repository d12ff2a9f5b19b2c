"""Widgets for the tests and the measurements, of the kinds that the chapters have."""

from types import SimpleNamespace

import matplotlib.patches
import matplotlib.patheffects
import numpy as np

from labnoise.widgets import COLORS, Control, explore

STEPS = np.arange(1, 4001, 20)  # that are shown
ETAS = np.geomspace(0.01, 0.1, 5)


def path(eta, noise):
    """A made-up path along the hyperbola xy = 1."""
    rng = np.random.default_rng(0)
    slow = 2 * np.exp(-(eta**2) * STEPS / 8) + 1
    jitter = {"none": 0.0, "label": 0.4}[noise] * eta
    return slow, 1 / slow + jitter * rng.standard_normal(STEPS.size)


def stage_clocks(fig):
    left, right = fig.subplots(1, 2)
    grid = np.linspace(0.05, 3.5, 120)
    x, y = np.meshgrid(grid, grid)
    left.contour(x, y, (x * y - 1) ** 2, levels=np.geomspace(0.01, 30, 9), colors="#999999", linewidths=0.7)
    left.plot(grid, 1 / grid, color=COLORS["manifold"], lw=3)
    left.set(xlim=(0, 3.5), ylim=(0, 3.5), xlabel="x", ylabel="y", title="the landscape")
    right.set(xscale="log", xlim=(1, 4000), ylim=(0, 10), xlabel="step", title="sharpness")
    (iterates,) = left.plot([], [], color=COLORS["sgd"], lw=1)
    (here,) = left.plot([], [], "o", color=COLORS["sgd"], ms=9)
    (sharpness,) = right.plot([], [], color=COLORS["sgd"])
    now = right.axvline(1, color=COLORS["guide"], ls=":")
    return SimpleNamespace(iterates=iterates, here=here, sharpness=sharpness, now=now)


def draw_clocks(artists, *, eta, step, noise):
    x, y = path(eta, noise)
    past = np.searchsorted(STEPS, step, side="right")
    artists.iterates.set_data(x[:past], y[:past])
    artists.here.set_data(x[past - 1 : past], y[past - 1 : past])
    artists.sharpness.set_data(STEPS, x**2 + y**2)
    artists.now.set_xdata([step, step])
    value = x[past - 1] ** 2 + y[past - 1] ** 2
    return f"After {step} steps with η = {eta:.3g} and {noise} noise, the sharpness is {value:.2f}."


def clocks(**changes):
    given = {
        "eta": Control(ETAS, label="learning rate η", start=ETAS[2]),
        "step": Control([1, 401, 801, 1201, 1601, 2001, 2401, 2801, 3201], label="step"),
        "noise": Control(["label", "none"], label="noise"),
    }
    return explore(draw_clocks, stage=stage_clocks, play="step", **{**given, **changes})


def stage_pad(fig):
    fig.set_size_inches(4.8, 3.2)
    ax = fig.subplots()
    ax.set(xscale="log", xlim=(0.01, 1), ylim=(-2, 2), xlabel="x", ylabel="y", title="drag the point")
    ax.axhline(0, color=COLORS["guide"])
    (point,) = ax.plot([], [], "o", color=COLORS["sgd"], ms=12)
    return point


def draw_pad(point, *, x, y):
    point.set_data([x], [y])
    return f"The point lies at ({x:.3g}, {y:.3g})."


def pad(**changes):
    given = {"x": Control(np.geomspace(0.01, 1, 11), start=0.1), "y": np.linspace(-2, 2, 9)}
    return explore(draw_pad, stage=stage_pad, drag=("x", "y"), **{**given, **changes})


def draw_whole(fig, *, n):
    ax = fig.subplots()
    ax.bar(np.arange(n), np.arange(n) + 1, color=COLORS["limit"])
    ax.set(xlabel="bar", ylabel="height")
    return f"There are {n} bars, <b>each</b> taller than the one before & none missing."


def whole():
    return explore(draw_whole, n=range(1, 6))


def draw_kinds(fig, *, a):
    """Every kind of artist."""
    random = np.random.default_rng(0)
    x, square = np.linspace(0, 1, 50), random.random((4, 4))
    # With places of their own, which no layout changes from one drawing to the next.
    fig.set_layout_engine("none")
    axes = [fig.add_axes((0.06 + 0.24 * (i % 4), 0.58 - 0.5 * (i // 4), 0.16, 0.36)) for i in range(8)]
    first, second, third, fourth, fifth, sixth, seventh, eighth = axes
    first.scatter(*random.random((2, 30)), c=random.random(30), s=100 * a * random.random(30))
    first.scatter(*random.random((2, 30)), marker="x", color="r")
    second.bar([0, 1], [1, a], hatch="//", facecolor="w", edgecolor="k")
    outline = matplotlib.patheffects.withStroke(linewidth=3, foreground="y")
    second.text(0, 0.5, r"$\alpha^2$", path_effects=[outline])
    third.pcolormesh(np.arange(5), np.arange(5), square)
    third.contour(np.arange(4) + 0.5, np.arange(4) + 0.5, square, colors="w", linestyles="--")
    fourth.imshow(square)
    shaded = fifth.tripcolor([0, 1, 0, 1], [0, 0, 1, 1], [0, 1, 2, 3 * a], shading="gouraud")
    fig.colorbar(shaded, cax=fifth.inset_axes((1.05, 0, 0.1, 1)))
    sixth.fill_between(x, x**2, x**2 + a, alpha=0.4)
    sixth.plot(x, x, ":", lw=3, label="line")
    sixth.legend()
    sixth.set_yscale("log")
    seventh.plot(x, np.where(x > 0.5, np.nan, x))
    seventh.quiver([0, 0.5], [0, 0.5], [1, 1], [1, a])
    seventh.errorbar([0.1, 0.5], [0.2, 0.6], yerr=0.1, capsize=3)
    image = eighth.imshow(random.random((20, 20)), cmap="Greys")
    image.set_clip_path(matplotlib.patches.Circle((10, 10), 8, transform=eighth.transData))
    return "All sorts."


def kinds():
    return explore(draw_kinds, a=[0.5, 1.0])


def stage_throws(fig):
    axes = fig.subplots()
    axes.set(xlim=(0, 1), ylim=(-1, 1))
    return axes.plot([], [], color=COLORS["sgd"])[0]


def draw_throws(line, *, size, throw):
    noise = np.random.default_rng(throw).standard_normal(50)
    line.set_data(np.linspace(0, 1, 50), size * noise)
    return f"With size {size:.2f} throw {throw} ends at {size * noise[-1]:.2f}."


def throws():
    return explore(draw_throws, stage=stage_throws, play="size", dice=4, size=np.linspace(0.25, 1, 4))
