"""The drawings of chapter 9."""

import matplotlib.pyplot as plt
import numpy as np
from afterzero import second_moment
from afterzero.figures.ch06 import edges
from scipy.interpolate import PchipInterpolator

from labnoise.widgets import COLORS

ADAM = COLORS["limit"]
ARROW = 0.12  # of an arrow's length to the velocity it shows
METHOD_COLORS = {
    "SGD": COLORS["sgd"],
    "SGD standardized": COLORS["gaussian"],
    "Adam from 1": ADAM,
    "Adam from 0.01": COLORS["minibatch"],
}


def on_gamma(w1):
    """The point of Γ, x₁² + 2x₂² = 1, with w₁ = x₁²."""
    return np.sqrt([w1, (1 - w1) / 2])


def weighted(ratio):
    """P = V^{−1/2} for second moments of this ratio V₂/V₁ and the product 1."""
    return np.array([ratio**0.25, ratio**-0.25])


def speed(w1, p):
    """dw₁/dt on Γ under P = diag(p)."""
    x = on_gamma(w1)
    return 2 * x[0] * second_moment.velocity(x, p)[0]


def _gamma(axes):
    axes.plot(*on_gamma(np.sin(np.linspace(0, np.pi / 2, 101)) ** 2), color=COLORS["manifold"], lw=2.5)
    axes.set(xlabel="x₁", ylabel="x₂", xlim=(0, 1.1), ylim=(0, 1.1), aspect="equal")


def stage_turn(fig):
    """Γ with the arrows at a point; on the right the velocity along Γ."""
    fig.set_size_inches(7.0, 3.4)
    left, right = fig.subplots(1, 2)
    _gamma(left)
    shares = np.linspace(0.02, 0.98, 60)
    right.axhline(0, color=COLORS["guide"], lw=1)
    right.plot(shares, [speed(w, np.ones(2)) for w in shares], color=COLORS["sgd"], lw=1.5)
    right.set(xlabel="w₁", ylabel="velocity of w₁", xlim=(0, 1), ylim=(-1.6, 1.6))
    right.text(0.04, 1.4, "SGD", color=COLORS["sgd"], weight="bold")
    right.text(0.04, 1.17, "this V", color=ADAM, weight="bold")
    return {
        "across": left.plot([], [], ":", color=COLORS["guide"], lw=1.5)[0],
        "pull": left.plot([], [], color=COLORS["guide"], lw=2)[0],
        "SGD": left.plot([], [], color=COLORS["sgd"], lw=3)[0],
        "Adam": left.plot([], [], color=ADAM, lw=3)[0],
        "point": left.plot([], [], "o", color=COLORS["manifold"], ms=8)[0],
        "curve": right.plot([], [], color=ADAM, lw=2)[0],
        "dot": right.plot([], [], "o", color=ADAM, ms=8)[0],
    }


def show_turn(artists, w1, ratio):
    """The motion at the point of Γ with this w₁, for second moments held at this ratio V₂/V₁."""
    x, p = on_gamma(w1), weighted(ratio)
    for name, velocity in (
        ("pull", second_moment.pull(x, p)),
        ("SGD", second_moment.velocity(x, np.ones(2))),
        ("Adam", second_moment.velocity(x, p)),
    ):
        artists[name].set_data(*np.transpose([x, x + ARROW * velocity]))
    ends = [x + ARROW * second_moment.pull(x, p), x + ARROW * second_moment.velocity(x, p)]
    artists["across"].set_data(*np.transpose(ends))
    artists["point"].set_data(*x[:, None])
    shares = np.linspace(0.02, 0.98, 60)
    artists["curve"].set_data(shares, [speed(w, p) for w in shares])
    here, plain = speed(w1, p), speed(w1, np.ones(2))
    artists["dot"].set_data([w1], [here])
    balance = (second_moment.FEATURES[1] / second_moment.FEATURES[0]) ** 2
    settled = balance * x[1] ** 2 / x[0] ** 2
    return (
        f"At w₁ = {w1:.2f} with V₂/V₁ = {ratio:.2f}, w₁ moves at {here:+.3f}; under SGD at {plain:+.3f}. "
        f"The sign changes at V₂/V₁ = {balance:g}; a settled V would have {settled:.2f} here."
    )


def plot_oblique(p):
    """Lines of −∇L and of −P∇L near Γ: each is (x₁e^{p₁s}, x₂e^{2p₂s})."""
    _, panels = plt.subplots(1, 2, figsize=(7.0, 3.5), sharey=True)
    for axes, scale in zip(panels, (np.ones(2), p), strict=True):
        _gamma(axes)
        for w1 in np.linspace(0.08, 0.94, 9):
            s = np.linspace(-0.5, 0.3, 60)[:, None]
            axes.plot(
                *(on_gamma(w1) * np.exp(s * scale * second_moment.FEATURES)).T, color=COLORS["gradient"], lw=1
            )
    plt.show()


def plot_sum(t, sums):
    """The sum that decreases against t; rate a → values."""
    _, axes = plt.subplots(figsize=(6.0, 3.0))
    for (rate, values), style in zip(sums.items(), ("-", "--", ":"), strict=True):
        axes.plot(t, values, style, color=ADAM, label=f"a = {rate:g}")
    axes.set(xlabel="t", ylabel="Σ (Σᵢᵢ/√Vᵢ + √Vᵢ)")
    axes.legend()
    plt.show()


def plot_fall(t, coefficients, truth):
    """The coefficients (k, d) of the two limits against t, the true ones thick."""
    _, panels = plt.subplots(1, 2, figsize=(7.0, 3.2), sharey=True)
    for axes, (name, w), color in zip(panels, coefficients.items(), (COLORS["sgd"], ADAM), strict=True):
        axes.plot(t, w[:, truth == 0], color=color, lw=0.8, alpha=0.6)
        axes.plot(t, w[:, truth != 0], color=color, lw=2.8)
        axes.set(xlabel="t", title=name, xlim=(0, t[-1]))
    panels[0].set_ylabel("coefficients w")
    plt.show()


def plot_diagrams(shares, kappas, sizes):
    """Setting → method → shares of solved problems (κ, n), in rows and columns."""
    methods = list(next(iter(shares.values())))
    _, grid = plt.subplots(len(shares), len(methods), figsize=(7.0, 6.4), sharex=True, sharey=True)
    for row, (setting, found) in zip(grid, shares.items(), strict=True):
        for axes, share in zip(row, found.values(), strict=True):
            axes.pcolormesh(
                edges(kappas), edges(sizes), share.T, vmin=0, vmax=1, cmap="cividis", rasterized=True
            )
            axes.set(xticks=[1, 5, 10, 15], yticks=[2, 10, 20, 30])
        row[0].set_ylabel(f"{setting}\nexamples n")
    for axes, method in zip(grid[0], methods, strict=True):
        axes.set_title(method)
    for axes in grid[-1]:
        axes.set_xlabel("nonzeros κ")
    # in words, for on a dark page light and dark change places
    grid[0, 0].text(1.0, 27.5, "all", color="black", va="center")
    grid[0, 0].text(15.0, 4.0, "none", color="white", va="center", ha="right")
    plt.show()


def stage_cut(fig, kappas, sizes):
    """Where Adam from 1 is ahead of SGD, and the shares along a cut."""
    fig.set_size_inches(7.0, 3.4)
    left, right = fig.subplots(1, 2)
    across, up = edges(kappas), edges(sizes)
    left.set(xlabel="nonzeros κ", ylabel="examples n", xlim=across[[0, -1]], ylim=up[[0, -1]])
    left.set_xticks([1, 5, 10, 15])
    right.set(xlabel="examples n", ylabel="share solved", xlim=up[[0, -1]], ylim=(-0.05, 1.4))
    right.set_yticks([0, 0.5, 1])
    nothing = np.zeros((len(sizes), len(kappas)))
    for i, (method, color) in enumerate(METHOD_COLORS.items()):
        right.text(3 + 12 * (i % 2), 1.26 - 0.13 * (i // 2), method, color=color, weight="bold", fontsize=9)
    return {
        "mesh": left.pcolormesh(across, up, nothing, vmin=-1, vmax=1, cmap="PuOr", edgecolors="face", lw=0.5),
        "cut": left.axvline(kappas[0], color=COLORS["guide"], lw=1.5),
        "lines": {m: right.plot(sizes, 0 * sizes, color=c, lw=2)[0] for m, c in METHOD_COLORS.items()},
    }


def show_cut(artists, setting, kappa, found, kappas, sizes):
    """Problems solved, method → (κ, n, trial): the lead of Adam from 1 over SGD, and all four at the nearest κ."""
    share = {method: values.mean(axis=2) for method, values in found.items()}
    i = int(np.argmin(np.abs(kappas - kappa)))
    artists["mesh"].set_array((share["SGD"] - share["Adam from 1"]).T)
    artists["cut"].set_xdata([kappas[i]] * 2)
    for method, line in artists["lines"].items():
        line.set_ydata(share[method][i])
    said = ", ".join(f"{method} {100 * share[method][i].mean():.0f}" for method in share)
    return (
        f"{setting.capitalize()}, κ = {kappas[i]}: of a hundred problems, over all n, are solved by {said}."
    )


def plot_matrices(found, ranks, sizes, deviation):
    """Shares of the matrices found, method → (rank, n, trial), against n; `deviation`(shares, trials)."""
    _, panels = plt.subplots(1, len(ranks), figsize=(7.0, 3.0), sharey=True)
    for axes, rank, *parts in zip(panels, ranks, *found.values(), strict=True):
        for name, part, color, shift in zip(found, parts, (COLORS["sgd"], ADAM), (-0.2, 0.2), strict=True):
            share = part.mean(axis=1)
            axes.errorbar(
                sizes + shift, share, deviation(share, part.shape[1]), color=color, label=name, capsize=2
            )
        axes.set(xlabel="measurements n", title=f"rank {rank}", ylim=(-0.05, 1.05))
    panels[0].set_ylabel("share found")
    panels[0].legend(loc="center left")
    plt.show()


FINE = np.geomspace(1e-4, 10**-0.5, 15)  # of 1 − β₂ on the curves


def regime_curves(eta):
    """Functions of 1 − β₂ at this η: how far x₁ moves in the limit, and with the factor λ/(λ + b)."""
    start = second_moment.START[0]
    limit = [second_moment.predicted(q / eta**2) - start for q in FINE]
    both = [second_moment.predicted(q / eta**2, q / eta) - start for q in FINE]
    return [PchipInterpolator(np.log(FINE), values) for values in (limit, both)]


def stage_regimes(fig):
    """The plane of η and 1 − β₂ with its borders, and how far x₁ moves."""
    fig.set_size_inches(7.0, 3.5)
    left, right = fig.subplots(1, 2)
    rates = np.array([5e-4, 0.1])
    for power, name in ((2, "1−β₂ = η²"), (1, "1−β₂ = η")):
        left.plot(rates, rates**power, color=COLORS["guide"], lw=1.2)
        left.text(
            *((4e-3, 1.6e-2) if power == 1 else (8e-3, 1.2e-5)), name, color=COLORS["guide"], fontsize=9
        )
    left.plot([1e-3], [1e-3], "s", color=COLORS["gradient"], ms=7)
    left.text(1.3e-3, 5e-4, "practice", color=COLORS["gradient"], fontsize=9)
    left.set(xscale="log", yscale="log", xlim=rates, ylim=(1e-6, 1), xlabel="η", ylabel="1 − β₂")
    right.set(xscale="log", xlim=(7e-5, 0.5), ylim=(-0.004, 0.08), xlabel="1 − β₂", ylabel="x₁ moves by")
    right.text(9e-5, 0.022, "limit", color=ADAM, weight="bold")
    right.text(9e-5, 0.014, "with λ/(λ+b)", color=COLORS["gradient"], weight="bold")
    right.text(9e-5, 0.006, "RMSProp", color=COLORS["sgd"], weight="bold")
    return {
        "point": left.plot([], [], "o", color=ADAM, ms=9)[0],
        "limit": right.plot([], [], color=ADAM)[0],
        "both": right.plot([], [], "--", color=COLORS["gradient"])[0],
        "runs": right.plot([], [], "o", color=COLORS["sgd"], ms=6)[0],
        "here": right.axvline(1e-3, color=COLORS["guide"], lw=1.2),
    }


def show_regimes(artists, eta, forgetting, curves, moved, stored):
    """At a stored η: both curves, the runs (1 − β₂, batch) at the `stored` values, and one value of 1 − β₂."""
    limit, both = curves
    for name, curve in zip(("limit", "both"), curves, strict=True):
        artists[name].set_data(q := np.geomspace(1e-4, 10**-0.5, 60), curve(np.log(q)))
    artists["runs"].set_data(stored, moved.mean(axis=1))
    artists["point"].set_data([eta], [forgetting])
    artists["here"].set_xdata([forgetting] * 2)
    i = int(np.argmin(np.abs(np.log(stored) - np.log(forgetting))))
    error = moved[i].std(ddof=1) / moved.shape[1] ** 0.5
    at = np.log(forgetting)
    return (
        f"η = {eta:g}, 1 − β₂ = {forgetting:.2g}, so b = {forgetting / eta:.2g} and a = {forgetting / eta**2:.3g}: "
        f"by t = 1 x₁ moves by {limit(at):.4f} in the limit, by {both(at):.4f} with the factor λ/(λ + b); "
        f"RMSProp at 1 − β₂ = {stored[i]:.2g} moved by {moved[i].mean():.4f} ± {error:.4f}."
    )
