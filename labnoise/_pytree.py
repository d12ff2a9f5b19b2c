"""Plain classes that JAX may look into."""

from collections.abc import Callable
from typing import TypeVar

import jax

Class = TypeVar("Class", bound=type)


def pytree(*, data: tuple[str, ...], static: tuple[str, ...] = ()) -> Callable[[Class], Class]:
    """Let `jit`, `vmap` and `grad` see the attributes `data` of a class; `static` ones are compiled in.

    Rebuilding an object inside a traced function does not call `__init__`, so that the checks made there
    run once, on the values that a person typed.
    """

    def register(cls: Class) -> Class:
        def flatten(self):
            return [getattr(self, name) for name in data], tuple(getattr(self, name) for name in static)

        def unflatten(values, leaves):
            self: object = object.__new__(cls)
            for name, value in (*zip(data, leaves, strict=True), *zip(static, values, strict=True)):
                setattr(self, name, value)
            return self

        jax.tree_util.register_pytree_node(cls, flatten, unflatten)
        return cls

    return register
