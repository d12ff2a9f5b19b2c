"""The three questions of chapter 6: each finds its right option by computing it."""

import numpy as np

from labnoise import quiz


def how_many_examples():
    return quiz(
        "Gradient descent from a large start, a Gaussian design, $d=1000$ features, a truth with "
        "one nonzero coefficient. How many examples until the mean squared error is a tenth of "
        "$|w^*|^2$?",
        options=[
            (
                7,
                "That would be of the order of $\\kappa\\ln d$; the kernel regime does not see that the "
                "truth is sparse.",
            ),
            (100, "A tenth as many examples as features remove a tenth of the error, and leave nine."),
            (900, "The mean is $1-n/d$, whatever the truth is."),
        ],
        answer=round(1000 * (1 - 0.1)),
    )


def shrinking_start():
    starts = {0: "from $u=v=\\mathbf1$", 4: "from $u=v=e^4\\mathbf1$", 3: "from $u=v=e^3\\mathbf1$"}
    return quiz(
        "In a Boolean design label noise with $c=2$ starts from $u=v=e^4\\mathbf1$. From which "
        "start would gradient descent reach the point at which label noise is at $t=\\frac12$?",
        options=[
            ("from $u=v=\\mathbf1$", "The start shrinks by $e^{-4ct}=e^{-4}$."),
            ("from $u=v=e^4\\mathbf1$", "That is where label noise is at $t=0$."),
            ("from $u=v=e^3\\mathbf1$", "You have used $e^{-ct}$; the exponent is $4ct$."),
        ],
        answer=starts[4 - int(4 * 2 * 0.5)],
    )


def price_of_a_decimal():
    return quiz(
        "The best margin $\\gamma^*$ of a problem is $0.25$ and $c=2$. About how much slow time "
        "does it take to gain one more decimal of $w^*$?",
        options=[
            (0.58, "$\\ln10/(8c\\gamma^*)$."),
            (2.3, "That is $\\ln 10$: the rate is $8c\\gamma^*=4$, not one."),
            (0.29, "That is $\\ln10/(4c)$, the price of a decade of the start; the margin matters here."),
        ],
        answer=round(np.log(10) / (8 * 2 * 0.25), 2),
    )
