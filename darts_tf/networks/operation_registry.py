"""Registers users' operations: functions that make their layers, by name.

Nothing here loads TensorFlow, so that a file of operations can be read before
it. networks/operations.py makes the layers.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from darts_tf.errors import InputError, require_bool
from darts_tf.space import operation_names

if TYPE_CHECKING:
    import keras

    MakeLayer = Callable[[int, int], keras.layers.Layer]

Make = TypeVar("Make", bound=Callable)
Cost = Callable[[tuple[int, int, int], int], int]


@dataclasses.dataclass(frozen=True)
class Registration:
    """An operation that a user registered.

    Attributes:
      name: that spaces and genotypes carry.
      make: (channels, stride) -> a new Keras layer.
      cost: (shape [H, W, C] of the input, stride) -> multiply-adds for one
        image; None: they are counted in the traced layer.
    """

    name: str
    make: MakeLayer
    cost: Cost | None = None


_registrations: dict[str, Registration] = {}


def register_operation(
    name: str, *, cost: Cost | None = None, replace: bool = False
) -> Callable[[Make], Make]:
    """Registers a function that makes the layer of an own candidate operation.

        @darts_tf.register_operation("ghost_conv_3x3")
        def ghost(channels, stride):
            return keras.Sequential([...])

    The layer takes feature maps [B, H, W, C], without a ReLU before it, to
    [B, ceil(H / stride), ceil(W / stride), C], C being `channels` and the
    stride 1 or 2. It is checked when a network that holds it is built. Without
    a ReLU of its own and a batch norm at its end it is not on a par with the
    built-in operations (DARTS sect. 3.2).

    Args:
      name: lower-case letters, digits and underscores.
      cost: optional, (shape [H, W, C] of the input, stride) -> multiply-adds
        for one image; else they are counted in the traced layer.
      replace: whether to take the place of an operation registered before.

    Returns:
      A decorator that returns the function as it is.

    Raises:
      InputError: the name exists or is malformed, what is decorated is no
        function, or `replace` is neither True nor False.
    """

    operation_names.check_name(name, "operation")  # also of a bare decorator
    require_bool("replace", replace)
    if cost is not None and not callable(cost):
        raise InputError(
            f"operation {name!r}: `cost` must be a function of (shape, stride) that "
            f"returns multiply-adds; received {cost!r}"
        )

    def register(make: Make) -> Make:
        if not callable(make):
            raise InputError(
                f"operation {name!r} must be a function of (channels, stride) that "
                f"returns a Keras layer; received {make!r}"
            )
        operation_names.add(name, replace)
        _registrations[name] = Registration(name, make, cost)
        return make

    return register


def unregister_operation(name: str) -> None:
    """Removes a registered operation, if there is one of this name."""
    operation_names.registered.discard(name)
    _registrations.pop(name, None)


def registration(name: str) -> Registration:
    """Returns the registration of the operation `name`.

    Raises:
      InputError: nothing was.
    """
    if name not in _registrations:
        raise InputError(
            f"operation {name!r} is neither built in nor registered in this process; "
            f"register it by darts_tf.register_operation, or name the file that does "
            f"so by `plugin`"
        )
    return _registrations[name]
