"""What several chapters draw in the plane of two weights, and the colours of the noises."""

import numpy as np
from scipy.interpolate import PchipInterpolator

from labnoise.widgets import COLORS

NOISE_COLORS = {
    "label noise": COLORS["label"],
    "one shared sign": COLORS["label"],
    "mini-batch noise": COLORS["minibatch"],
    "Gaussian noise": COLORS["gaussian"],
    "spherical noise": COLORS["gaussian"],
    "no noise": COLORS["gradient"],
}


def plot_gamma(axes, u, lw=2.5):
    """The curve uv = 1 over the weights u."""
    axes.plot(u, 1 / u, color=COLORS["manifold"], lw=lw)


def circle(points):
    """The unit circle as a closed line, (2, points)."""
    angles = np.linspace(0, 2 * np.pi, points)
    return np.stack([np.cos(angles), np.sin(angles)])


def ellipse(cov, points):
    """One standard deviation of a covariance (2, 2) in every direction: √Σ times the unit circle, (2, points)."""
    values, vectors = np.linalg.eigh(cov)
    root = vectors @ np.diag(np.sqrt(np.maximum(values, 0))) @ vectors.T
    return root @ circle(points)


def between(times, values, t):
    """Values (times, …), at times t between: a smooth line through them, which turns only where they do."""
    return PchipInterpolator(times, values)(t)
