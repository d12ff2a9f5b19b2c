"""The drawings of chapter 6."""

import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import beta as beta_law

from labnoise.widgets import COLORS

ANGLES, LENGTHS = np.deg2rad([0, 40, 75, 105, 140, 160]), np.array([1.0, 1.1, 1.1, 1.0, 1.05, 1.2])
SIX_COLUMNS = LENGTHS * np.array(
    [np.cos(ANGLES), np.sin(ANGLES)]
)  # two examples of six features, for a drawing
WHO = {"gradient descent": COLORS["gradient"], "label noise": COLORS["label"]}


def half_way(share, sizes):
    """The number of examples at which the share of solved problems crosses one half."""
    return np.interp(0.5, np.maximum.accumulate(share), sizes, left=np.nan, right=np.nan)


def fitted_constant(share, sizes, factor):
    """C in n = C · factor, by least squares over the κ whose half-way point is inside."""
    half = np.array([half_way(row, sizes) for row in share])
    inside = np.isfinite(half)
    if inside.sum() < 3:
        return np.nan
    return np.sum((half * factor)[inside]) / np.sum(factor[inside] ** 2)


def edges(centres):
    """Of the cells about equally spaced centres."""
    half = (centres[1] - centres[0]) / 2
    return np.append(centres - half, centres[-1] + half)


def rings(axes):
    """Grey rings, for the coefficients that are not zero."""
    return axes.plot([], [], "o", ms=12, mfc="none", mew=1.6, color=COLORS["guide"])[0]


def ring_the_true(artist, truth):
    true = np.flatnonzero(truth)
    artist.set_data(true, truth[true])


def stage_sizes(fig, sizes, errors):
    """Coefficients on the left; on the right who → relative errors (throws, sizes), faint."""
    fig.set_size_inches(6.4, 3.2)
    left, right = fig.subplots(1, 2, width_ratios=[1.5, 1])
    left.axhline(0, color=COLORS["guide"], lw=0.8)
    left.set(xlabel="feature j", ylabel="coefficient", xlim=(-2, 101), ylim=(-1.5, 1.5))
    for who, throws in errors.items():
        right.plot(sizes, throws.T, color=WHO[who], lw=0.8, alpha=0.25)
    right.set(xlabel="examples n", ylabel="relative error", ylim=(-0.05, 1.7), xlim=(0, 65))
    return {
        "true": rings(left),
        "w": left.plot(np.arange(100), np.zeros(100), "o", ms=4)[0],
        "errors": {
            who: right.plot(sizes, 0 * sizes, color=color, lw=2, alpha=0.7)[0] for who, color in WHO.items()
        },
        "here": right.plot([], [], "o", ms=9)[0],
    }


def show_sizes(artists, trained_by, n, found, truth, sizes, errors):
    """Of one throw: the coefficients (sizes, d) that were found, the true ones, who → relative errors (sizes,)."""
    i = int(np.flatnonzero(sizes == n)[0])
    ring_the_true(artists["true"], truth)
    artists["w"].set_ydata(found[i])
    for who, line in artists["errors"].items():
        line.set_ydata(errors[who])
    error = errors[trained_by][i]
    artists["here"].set_data([n], [error])
    for moving in ("w", "here"):
        artists[moving].set_color(WHO[trained_by])
    return f"From {n} examples {trained_by} finds coefficients with a relative error of {error:.2g}."


def plot_kernel(shares, risks):
    """Squared errors in the kernel regime, design → one sample a share n/d, over the Beta law."""
    _, axes = plt.subplots(figsize=(6.4, 3.2))
    fine = np.linspace(0.02, 0.98, 97)
    band = [beta_law.ppf(p, 30 * (1 - fine), 30 * fine) for p in (0.1, 0.9)]
    axes.fill_between(fine, *band, color=COLORS["limit"], alpha=0.2, lw=0, label="Beta law, 10 to 90 %")
    axes.plot(fine, 1 - fine, "--", color=COLORS["limit"], label="1 − n/d")
    for shift, (name, samples), marker in zip((-0.008, 0.008), risks.items(), "os", strict=True):
        spread = [(np.quantile(r, 0.1), r.mean(), np.quantile(r, 0.9)) for r in samples]
        low, middle, high = np.transpose(spread)
        axes.errorbar(
            shares + shift,
            middle,
            [middle - low, high - middle],
            fmt=marker,
            color=COLORS["gradient"],
            mfc="white" if marker == "s" else None,
            label=f"{name} design",
        )
    axes.set(xlabel="examples per feature n/d", ylabel="squared error / |w*|²", xlim=(0, 1), ylim=(0, 1))
    axes.legend()
    plt.show()


def stage_anneal(fig, truth):
    """Every coefficient against time, and all of them at one time."""
    fig.set_size_inches(6.4, 3.4)
    left, right = fig.subplots(1, 2, width_ratios=[1, 1.2])
    ring_the_true(rings(right), truth)
    right.axhline(0, color=COLORS["guide"], lw=0.8)
    left.set(xlabel="slow time t", ylabel="coefficient", xlim=(0, 1.5), ylim=(-1.3, 1.3))
    right.set(xlabel="feature j", xlim=(-2, 101), ylim=(-1.3, 1.3))
    return {
        "false": left.plot([], [], lw=0.6, alpha=0.6, color=COLORS["guide"])[0],
        "true": left.plot([], [], lw=2, color=COLORS["limit"])[0],
        "now": left.axvline(0, color=COLORS["sgd"], lw=1.5),
        "w": right.plot(np.arange(100), np.zeros(100), "o", ms=4, color=COLORS["sgd"])[0],
    }


def show_anneal(artists, alpha, t, delta, w, times, path, truth):
    """The coefficients w (d,) at t, and the path (times, d) that leads through them; δ in words."""
    for name, here in (("false", truth == 0), ("true", truth != 0)):
        artists[name].set_data(one_stroke(times, path[:, here]))
    artists["now"].set_xdata([t, t])
    artists["w"].set_ydata(w)
    return (
        f"At t = {t:.2f} with δ = {delta}, from the scale α = {alpha:.2g}, the largest false coefficient is "
        f"{small(np.abs(w[truth == 0]).max())} and the least true one {small(np.abs(w[truth != 0]).min())}."
    )


def small(size):
    """A size in two digits; below 1e-12 it is of rounding errors, whose digits say nothing."""
    return f"{size:.2g}" if size >= 1e-12 else "below 1e-12"


def one_stroke(times, curves):
    """Curves (times, m) as one line that is broken between them: much faster to draw than m lines."""
    between = np.full((1, curves.shape[1]), np.nan)
    return np.tile(np.append(times, np.nan), curves.shape[1]), np.vstack([curves, between]).T.ravel()


def plot_rate(times, errors, late, rate):
    """The error on its way down, and a line of the predicted slope through its late part."""
    _, axes = plt.subplots(figsize=(6.4, 2.9))
    axes.semilogy(times, errors, "o", ms=4, color=COLORS["sgd"], label="label noise, limit η → 0")
    height = np.mean(np.log(errors[late]) + rate * times[late])
    axes.semilogy(times, np.exp(height - rate * times), "--", color=COLORS["limit"], label="slope −8cγ*")
    axes.set(xlabel="slow time t = η²·steps", ylabel="|w − w*|", ylim=(errors.min() / 2, 10))
    axes.legend()
    plt.show()


def plot_certificates(moments, best, chain):
    """The polygon |Zᵀν| ≤ m of `SIX_COLUMNS`, its certificates for feature 0, and λ/(8ct) on its way to the best."""
    _, axes = plt.subplots(figsize=(5.2, 4.2))
    first, others = SIX_COLUMNS[:, 0], SIX_COLUMNS[:, 1:].T
    along = np.array([-first[1], first[0]]) / np.linalg.norm(first)
    foot = moments[0] * first / (first @ first)
    steps = np.linspace(-0.6, 0.6, 24001)
    margins = np.min(moments[1:] - np.abs((foot + steps[:, None] * along) @ others.T), axis=1)
    edge = foot + steps[margins >= 0][[0, -1], None] * along
    star = foot + steps[np.argmax(margins)] * along
    plane = np.stack(np.meshgrid(*[np.linspace(-0.9, 0.9, 361)] * 2), axis=-1)
    heights = np.max(np.abs(plane @ SIX_COLUMNS) / moments, axis=-1)
    axes.contourf(*plane.transpose(2, 0, 1), heights, [0, 1], colors=[COLORS["limit"]], alpha=0.15)
    for column, moment in zip(SIX_COLUMNS.T, moments, strict=True):
        pulls = plane @ column
        axes.contour(
            *plane.transpose(2, 0, 1),
            pulls,
            [-moment, moment],
            colors=COLORS["guide"],
            linewidths=0.8,
            linestyles="-",
        )
        if np.isclose(moment - abs(star @ column), best, atol=1e-4):
            level = np.sign(star @ column) * (moment - best)
            axes.contour(*plane.transpose(2, 0, 1), pulls, [level], colors=COLORS["limit"], linestyles=":")
    axes.plot(*edge.T, color=COLORS["limit"], lw=4, label="certificates", solid_capstyle="butt")
    axes.plot(*chain.T, ".-", color=COLORS["sgd"], lw=0.8, label="λ/(8ct)")
    axes.plot(*star, "*", ms=16, color=COLORS["gradient"], label="the best one")
    axes.set(xlabel="ν₁", ylabel="ν₂", xlim=(-0.9, 0.9), ylim=(-0.75, 0.75), aspect="equal")
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)
    plt.show()


def stage_phase(fig, kappas, sizes):
    """The phase diagram, and a cut through it."""
    fig.set_size_inches(6.4, 3.4)
    left, right = fig.subplots(1, 2, width_ratios=[1.3, 1])
    across, up = edges(kappas), edges(sizes)
    left.set(xlabel="nonzero coefficients κ", ylabel="examples n", xlim=across[[0, -1]], ylim=up[[0, -1]])
    right.set(xlabel="examples n", ylabel="share solved", xlim=up[[0, -1]], ylim=(-0.05, 1.05))
    nothing = np.zeros((len(sizes), len(kappas)))
    return {
        "mesh": left.pcolormesh(
            across, up, nothing, vmin=0, vmax=1, cmap="cividis", edgecolors="face", lw=0.5
        ),
        "lines": [left.plot([], [], color=COLORS["limit"], lw=3, ls=style)[0] for style in ("--", ":")],
        "cut": left.axvline(10, color="white", lw=1.5),
        "joined": right.plot(sizes, 0 * sizes, color=COLORS["guide"], lw=1, zorder=1)[0],
        "share": right.scatter(
            sizes,
            0 * sizes,
            c=0 * sizes,
            vmin=0,
            vmax=1,
            cmap="cividis",
            s=36,
            edgecolors=COLORS["guide"],
            zorder=2,
        ),
    }


def show_phase(artists, method, kappa, kappas, sizes, shares, laws):
    """Shares of solved problems (κ, n), the fitted laws, name → constant and factor, and the cut nearest to κ."""
    i = int(np.argmin(np.abs(kappas - kappa)))
    artists["mesh"].set_array(shares.T)
    for artist, (constant, factor) in zip(artists["lines"], laws, strict=True):
        artist.set_data(kappas, constant * factor)
    artists["cut"].set_xdata([kappas[i], kappas[i]])
    artists["joined"].set_ydata(shares[i])
    artists["share"].set_offsets(np.column_stack([sizes, shares[i]]))
    artists["share"].set_array(shares[i])
    (one, _), (other, _) = laws
    line = f"Dashed: n = {one:.2f} κ ln d; dotted: {other:.2f} κ ln(d/κ)."
    line = line if np.isfinite(other) else "No line fits: nothing is solved."
    half = half_way(shares[i], sizes)
    needed = f"about {half:.0f} examples" if np.isfinite(half) else "more examples than the diagram has"
    return f"{method.capitalize()}: half of the problems with κ = {kappas[i]:.0f} are solved from {needed}. {line}"


def plot_scaling(features, needed):
    """Examples needed for one half, method → one a number of features, with the lines fitted in ln d."""
    _, axes = plt.subplots(figsize=(6.4, 3.0))
    colours = (COLORS["sgd"], COLORS["sgd"], COLORS["guide"])
    for (method, half), color, marker in zip(needed.items(), colours, "o^s", strict=True):
        line = np.polyfit(np.log(features), half, 1)
        mfc = None if marker == "o" else "white"
        axes.plot(features, half, marker, color=color, label=method, mfc=mfc)
        axes.plot(features, np.polyval(line, np.log(features)), color=color, lw=1)
    axes.set(xscale="log", xlabel="features d", ylabel="examples for one half", ylim=(0, 62))
    axes.set_xticks(features, [f"{d:.0f}" for d in features])
    axes.minorticks_off()
    axes.legend()
    plt.show()


def plot_sgd(descent, times, limit, runs, end, left):
    """Squared errors of gradient descent, of the limit and of SGD, η → times and errors; `left` stands at the end."""
    _, axes = plt.subplots(figsize=(6.4, 3.4))
    axes.axhline(descent, color=COLORS["gradient"], lw=2, label="gradient descent")
    axes.semilogy(times, limit, "--", color=COLORS["limit"], lw=2, label="limit η → 0")
    for (eta, (t, error)), alpha in zip(runs.items(), (0.35, 0.6, 1.0), strict=True):
        axes.semilogy(t[::4], error[::4], color=COLORS["sgd"], alpha=alpha, lw=1, label=f"SGD, η = {eta:g}")
        axes.axhline(20 * eta, color=COLORS["limit"], lw=0.8, alpha=alpha)
    axes.semilogy(end, left, "D", color=COLORS["sgd"], clip_on=False)
    axes.set(xlabel="slow time t = η²·steps", ylabel="|w − w*|²", xlim=(0, end), ylim=(1e-3, 300))
    axes.legend(ncols=2, loc="upper right")
    plt.show()


def plot_cells(cells, predicted):
    """The error of SGD in each cell of the stored table against its prediction."""
    _, axes = plt.subplots(figsize=(4.6, 3.6))
    axes.plot([0.02, 1.2], [0.02, 1.2], color=COLORS["limit"], lw=1.5, ls="--")
    for eta, marker in ((0.002, "o"), (0.001, "s")):
        chosen = cells["eta"] == eta
        axes.plot(
            predicted[chosen],
            cells["SGD"][chosen],
            marker,
            ms=5,
            color=COLORS["sgd"],
            mfc=None if marker == "o" else "white",
            label=f"η = {eta:g}",
        )
    axes.set(xscale="log", yscale="log", xlabel="predicted relative error", ylabel="error of SGD")
    axes.set(xlim=(0.02, 1.2), ylim=(0.02, 1.2))
    axes.set_xticks([0.03, 0.1, 0.3, 1], ["0.03", "0.1", "0.3", "1"])
    axes.set_yticks([0.03, 0.1, 0.3, 1], ["0.03", "0.1", "0.3", "1"])
    axes.minorticks_off()
    axes.legend()
    plt.show()
