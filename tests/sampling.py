"""Comparing the mean of samples with what it should be."""

from labnoise import GaussianNoise


def gaussian(landscape):
    """The Gaussian noise that a landscape carries."""
    return GaussianNoise(landscape, landscape.cov)


def within(samples, expected, allowance=0.0, sigmas=4.5):
    """The error of the mean of `samples`, at most so many standard errors and a known bias's `allowance`."""
    error = float(abs(samples.mean() - expected))
    sigma = float(samples.std() / samples.size**0.5)
    assert error < sigmas * sigma + allowance, f"off by {error:.3g}, standard error {sigma:.3g}"
    return error
