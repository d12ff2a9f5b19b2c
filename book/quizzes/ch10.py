"""The four questions of chapter 10: each finds its right option by computing it."""

import numpy as np

from labnoise import quiz


def dimension():
    D, n, classes = 1088, 30, 3
    softmax = np.eye(classes) - 1 / classes  # the derivative of softmax at equal chances, but for a factor
    return quiz(
        "A classifier with $D=1088$ weights fits the soft labels of 30 images in three classes, and "
        "nothing is dependent that need not be. What is the dimension of $\\Gamma$?",
        options=[
            (1058, "Each image has three logits, not one."),
            (
                998,
                "Three conditions an image are one too many: a common shift of its logits changes no chance.",
            ),
            (1028, "Two conditions for each image: $1088-30\\cdot2$."),
        ],
        answer=D - n * int(np.linalg.matrix_rank(softmax)),
    )


def hard_labels():
    smoothing = np.array([1e-1, 1e-3, 1e-9])
    logits = np.log((1 - smoothing) / smoothing)  # of two classes, where the chances are 1 − ε and ε
    return quiz(
        "A label of two classes is smoothed to $(1-\\varepsilon,\\varepsilon)$, and $\\varepsilon\\to0$. What "
        "happens to $\\Gamma$?",
        options=[
            ("It moves to infinity.", "The logits differ there by $\\ln((1-\\varepsilon)/\\varepsilon)$."),
            ("It becomes the $\\Gamma$ of least squares.", "Its outputs would have to stay finite."),
            (
                "Nothing, only its noise becomes smaller.",
                "The chances on $\\Gamma$ are the labels: $\\Gamma$ moves.",
            ),
        ],
        answer="It moves to infinity."
        if (np.diff(logits) > 4).all()
        else "Nothing, only its noise becomes smaller.",
    )


def trusted_rate():
    sharpness, share = 71.0, 0.1
    return quiz(
        "On $\\Gamma$ a network trained with batches of one has the sharpness 71. Up to which learning rate is "
        "the clock of label noise wrong by less than about a tenth?",
        options=[
            ("0.003", "$x=\\frac12\\eta\\operatorname{tr}\\nabla^2L$ is a tenth there."),
            ("0.03", "$2/71$ is where the mean square explodes."),
            ("0.0001", "It does not have to be that small: the error is proportional to $\\eta$."),
        ],
        answer=f"{2 * share / sharpness:.1g}",
    )


def least_sharpness():
    lengths = np.full(40, 3.7)  # of the images, with the 1 of the bias
    return quiz(
        "Ten more units are added to a network with one hidden layer of tanh that fits labels $\\pm1$. Which "
        "sharpness can label noise reach then that it could not before?",
        options=[
            (
                "Half of it: more units share the work.",
                "A unit that carries half costs more than half, for $\\chi$ is concave.",
            ),
            ("None below the bound, which is about 2 and knows no width.", "One unit is enough."),
            ("Any: the sharpness goes to zero with the width.", "An output of size one needs its gradient."),
        ],
        answer="None below the bound, which is about 2 and knows no width."
        if abs(2 * np.mean(1 - np.exp(-2 * np.arcsinh(lengths))) - 2) < 0.1
        else "Any: the sharpness goes to zero with the width.",
    )
