"""The three questions of chapter 4: each finds its right option by computing it."""

import numpy as np

from labnoise import quiz


def length_of_a_jump():
    def jump(eta, outcomes):
        return round(eta * np.sqrt(outcomes - 1), 3)

    return quiz(
        "SGD draws one of 10 examples and shakes its label by $\\pm\\delta$, at $\\eta=0.01$. "
        "How long is each jump of $Z_\\eta$?",
        options=[
            (
                jump(0.01, 20),
                "There are $\\Xi=20$ outcomes, ten examples times two signs, and $\\eta\\sqrt{\\Xi-1}$ "
                "is the length.",
            ),
            (jump(0.01, 10), "The sign of the shake is an outcome too: count examples times signs."),
            (
                0.01,
                "That is the jump of the clock. A jump of $Z_\\eta$ has the length $\\eta\\sqrt{\\Xi-1}$.",
            ),
        ],
        answer=jump(0.01, len([(i, sign) for i in range(10) for sign in (1, -1)])),
    )


def halving_again_and_again():
    variance = {
        ratio: 2 - 2 * ratio**0.5 for ratio in (1 / 4,)
    }  # of Z_{η/2}(1) − Z_η(1), per entry of variance 1
    return quiz(
        "With noise along the circle you halve $\\eta$ again and again and keep the dice. What "
        "happens to $\\theta$ at $t=1$?",
        options=[
            (
                "it converges",
                "Its law converges. The value itself changes, at every halving, by as much as ever.",
            ),
            (
                "it changes by about its own spread each time",
                "A quarter of the dice are shared; the variance of the change equals that of $\\theta$ "
                "itself.",
            ),
            (
                "it changes less and less, but does not converge",
                "The changes do not become smaller: their mean square is the same at every halving.",
            ),
        ],
        answer="it changes by about its own spread each time"
        if np.isclose(variance[1 / 4], 1)
        else "it converges",
    )


def end_of_the_layer():
    def layer(eta):
        return eta / 0.02 * 0.05  # steps ~ 1/η, so t = η² · steps ~ η

    return quiz(
        "At $\\eta=0.02$ the initial layer has lasted until $t=0.05$. Until which $t$ does it "
        "last, about, at $\\eta=0.005$?",
        options=[
            (
                0.05,
                "The layer is over on the fast clock, in about $1/\\eta$ steps; in slow time that is, "
                "but for a logarithm, proportional to $\\eta$.",
            ),
            (
                0.0125,
                "It takes four times as many steps, each of which is sixteen times shorter in slow time.",
            ),
            (
                0.003125,
                "That is $\\eta^2$ for $\\eta$: the number of steps is not fixed, it grows like $1/\\eta$.",
            ),
        ],
        answer=round(layer(0.005), 6),
    )
