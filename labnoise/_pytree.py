"""Plain classes that JAX may look into."""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jax.tree_util import GetAttrKey, Partial, register_pytree_with_keys

_TRACED = "_traced"  # where a rebuilt object remembers which of its attributes `jit` and `grad` see


class Pytree:
    """A class whose attributes `jit`, `vmap` and `grad` see, without more ado in its subclasses.

    Arrays, numbers with a decimal point, and losses and noises are traced: a new value compiles nothing anew. All
    else, such as whole numbers, strings and functions, is compiled in. A subclass that knows better names the latter:
    `class Mine(Noise, static=("size",))`, and all its other attributes are traced.

    Rebuilding an object inside a traced function does not call `__init__`, so that the checks made there run once,
    on the values that a person typed.
    """

    def __init_subclass__(cls, static: Sequence[str] | None = None, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)

        def flatten(self: Any) -> tuple[list[Any], Any]:
            values = {name: value for name, value in sorted(vars(self).items()) if name != _TRACED}
            if static is not None:
                traced = tuple(name for name in values if name not in static)
            elif hasattr(self, _TRACED):
                traced = getattr(self, _TRACED)
            else:
                traced = tuple(name for name, value in values.items() if _is_traced(cls, name, value))
            compiled = tuple((name, value) for name, value in values.items() if name not in traced)
            return [values[name] for name in traced], (traced, compiled)

        def flatten_with_keys(self: Any) -> tuple[list[Any], Any]:
            leaves, names = flatten(self)
            return [(GetAttrKey(name), leaf) for name, leaf in zip(names[0], leaves, strict=True)], names

        def unflatten(names: Any, leaves: Any) -> Any:
            traced, compiled = names
            self = object.__new__(cls)
            vars(self).update(zip(traced, leaves, strict=True))
            vars(self).update(compiled)
            if static is None:
                setattr(self, _TRACED, traced)
            return self

        # with keys, so that JAX's errors say noise.size where they would say noise[1]
        register_pytree_with_keys(cls, flatten_with_keys, unflatten, flatten)


def _is_traced(cls: type, name: str, value: Any) -> bool:
    if isinstance(value, Pytree | Partial):
        return True
    leaves = jax.tree.leaves(value)
    if leaves and all(
        isinstance(leaf, jax.Array | np.ndarray | np.inexact | float | complex) for leaf in leaves
    ):
        return True
    try:
        hash(value)
    except TypeError:
        raise TypeError(
            f"{cls.__name__}.{name} = {value!r}: JAX can neither trace it nor compare it with another; "
            "keep arrays and numbers with a decimal point, or a tuple in place of a list"
        ) from None
    return False
