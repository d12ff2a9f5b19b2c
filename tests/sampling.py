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


def within_order(errors, sizes, order, deviations, slack=1.4, sigmas=4.5):
    """Errors fall as this power of the sizes, which fall: each is at most the first one's share, up to sampling.

    `deviations` are the standard errors of what the errors are of; `slack` is for the next order.
    """
    for error, size, deviation in zip(errors[1:], sizes[1:], deviations[1:], strict=True):
        share = errors[0] * (size / sizes[0]) ** order
        allowed = slack * share + sigmas * deviation
        assert error < allowed, f"{error:.3g} at {size}, {allowed:.3g} allowed: {errors} at {sizes}"
