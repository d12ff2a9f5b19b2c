"""Models whose parameters are a tree, as people write them, for losses of a vector."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from labnoise import _checks


def flatten(predict: Callable, params: Any) -> tuple[Callable, Array, Callable[[Array], Any]]:
    """A model `predict(params, …)` as one of a vector, its parameters as that vector, and the way back.

    The parameters are the leaves of `params` that are arrays of real numbers with a decimal point, one after the other.
    All other leaves, such as whole numbers, functions, or numbers that are no arrays, stay as they are and are compiled
    in.

    Parameters
    ----------
    predict : function of `params` and whatever else
        Such as `lambda module, inputs: jax.vmap(module)(inputs)` for an Equinox module, or the `apply` of a Flax one.
    params : any tree that JAX knows
        A dictionary, a tuple, a registered dataclass, an Equinox module, the variables of a Flax module.

    Returns
    -------
    predict_flat : function of x (D,) and the same else
        Data belongs in `jax.tree_util.Partial(predict_flat, inputs=…)`, which then is a `predict` of `LeastSquares` or
        the `logits` of `CrossEntropy`. Of the same `predict` and a tree of the same form it compiles nothing anew.
    x0 : (D,), in float64, whatever the tree has
    unflatten : function of x (D,)
        The tree of x, its parameters in the dtype of x: a model that casts them to float32 is refused by the losses.

    Raises
    ------
    ValueError
        If `predict` cannot be called, or no leaf of `params` is such an array, or one is complex or not finite; from
        `unflatten`, if x is not (D,).

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from jax.tree_util import Partial
    >>> from labnoise import LeastSquares, flatten, project
    >>> def network(params, inputs):
    ...     return jnp.tanh(inputs @ params["hidden"]) @ params["out"]
    >>> params = {"hidden": jnp.array([[1.0, -0.5]]), "out": jnp.array([0.5, 1.0])}
    >>> predict, x0, unflatten = flatten(network, params)
    >>> x0.tolist()
    [1.0, -0.5, 0.5, 1.0]
    >>> inputs = jnp.array([[1.0], [2.0]])
    >>> problem = LeastSquares(Partial(predict, inputs=inputs), targets=jnp.array([0.1, 0.1]))
    >>> fitted = unflatten(project(problem, x0))
    >>> print(network(fitted, inputs).round(6))
    [0.1 0.1]
    """
    if not callable(predict):
        _checks.fail("predict", predict, "pass a function of the parameters, predict(params, …)")
    _checks.double_precision()
    leaves, structure = jax.tree_util.tree_flatten_with_path(params)
    parameters: list[Array] = []
    parts: list[tuple[int, ...] | _Kept] = []
    for path, leaf in leaves:
        if not (isinstance(leaf, jax.Array | np.ndarray) and jnp.issubdtype(leaf.dtype, jnp.inexact)):
            parts.append(_Kept(leaf))
            continue
        name = f"params{jax.tree_util.keystr(path)}"
        parameters.append(_checks.real_array(name, leaf, tuple(range(leaf.ndim + 1))).reshape(-1))
        parts.append(leaf.shape)
    if not parameters:
        _checks.fail("params", params, "no leaf is an array of real numbers; initialise the model first")
    model = _Flat(predict, structure, tuple(parts))
    return model, jnp.concatenate(parameters), model.unflatten


class _Kept:
    """A leaf that is no parameter: the same as another only if it is the very same object."""

    def __init__(self, leaf: Any):
        self.leaf = leaf

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, _Kept) and self.leaf is other.leaf

    def __hash__(self) -> int:
        return id(self.leaf)


@dataclass(frozen=True)
class _Flat:
    """Compared by value: what is compiled for one serves for another that is equal."""

    predict: Callable
    structure: Any
    parts: tuple[tuple[int, ...] | _Kept, ...]  # of each leaf its shape, or itself

    def __call__(self, x: Array, /, *others: Any, **named: Any) -> Any:
        return self.predict(self.unflatten(x), *others, **named)

    def unflatten(self, x: Array) -> Any:
        """The tree whose parameters are the vector `x` (D,)."""
        x = _checks.numbers("x", x)
        sizes = [0 if isinstance(part, _Kept) else int(np.prod(part)) for part in self.parts]
        if x.shape != (sum(sizes),):
            _checks.fail("the shape of x", x.shape, f"the tree has D = {sum(sizes)} parameters")
        leaves, ends = [], np.cumsum(sizes)
        for part, size, end in zip(self.parts, sizes, ends, strict=True):
            leaves.append(part.leaf if isinstance(part, _Kept) else x[end - size : end].reshape(part))
        return jax.tree.unflatten(self.structure, leaves)
