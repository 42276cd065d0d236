"""A layer around a user's operation that checks it and fits it into a network."""

from __future__ import annotations

import contextlib
import contextvars
import weakref
from collections.abc import Iterator

import keras
import tensorflow as tf

from darts_tf.errors import InputError
from darts_tf.networks.batch_norm import batch_statistics_wanted
from darts_tf.networks.convolutions import strided
from darts_tf.networks.layer import Layer
from darts_tf.networks.operation_registry import Registration, registration
from darts_tf.networks.precision import wide, widened

RANDOM = frozenset(
    {
        *("RandomUniform", "RandomUniformInt", "RandomStandardNormal"),
        *("TruncatedNormal", "Multinomial", "RandomShuffle"),
        *("RandomPoissonV2", "RandomGamma", "RngReadAndSkip"),
    }
)
"""TensorFlow's operations that draw other numbers each time."""

_differentiable: set[tuple[Registration, int]] = set()
"""Pairs (operation, stride) whose gradient was checked in this process."""


_owners: weakref.WeakKeyDictionary[keras.layers.Layer, weakref.ref] = (
    weakref.WeakKeyDictionary()
)
"""The layers with weights that users' functions made: layer -> whose they are."""

_costs: contextvars.ContextVar[list[int] | None] = contextvars.ContextVar(
    "formula_costs", default=None
)


@contextlib.contextmanager
def formula_costs() -> Iterator[list[int]]:
    """Collects the `cost` of operations that have one, instead of tracing them."""
    costs: list[int] = []
    token = _costs.set(costs)
    try:
        yield costs
    finally:
        _costs.reset(token)


class Registered(Layer):
    """A registered operation on an edge (networks/operation_registry.py).

    Args:
      name: that it was registered by.
      channels: C, of input and output.
      stride: 1 or 2.
      follows: whether batch norms in it follow the running average that they
        were made with in `fit`; False in a supernet, where the training loop
        averages.

    Raises:
      InputError: the registered function fails, or returns no Keras layer.
    """

    activated = False

    def __init__(self, name: str, channels: int, stride: int, follows: bool = True):
        super().__init__()
        self.registration = registration(name)
        self.channels, self.stride, self.follows = channels, stride, follows
        with self._said_in_one_line("could not be made"):
            self.layer = self.registration.make(channels, stride)
        if not isinstance(self.layer, keras.layers.Layer):
            raise InputError(
                f"{self._title} must return a Keras layer; received {self.layer!r}"
            )

    @property
    def _title(self) -> str:
        sizes = f"channels={self.channels}, stride={self.stride}"
        return f"registered operation '{self.registration.name}' ({sizes})"

    @contextlib.contextmanager
    def _said_in_one_line(self, what: str) -> Iterator[None]:
        try:
            yield
        except InputError:
            raise
        except Exception as error:
            lines = str(error).strip().splitlines() or [""]
            reason = f"{type(error).__name__}: {lines[0]}"
            raise InputError(f"{self._title} {what}: {reason}") from error

    def build(self, shape) -> None:
        """Builds and checks the layer by the shape [B, H, W, C] of its input.

        Raises:
          InputError: it returns another shape than promised, has no gradient,
            or a state that is no vector of numbers.
        """
        with self._said_in_one_line(f"fails on an input of shape {_text(shape)}"):
            output = self.layer(keras.KerasTensor(shape, self.layer.compute_dtype))
        promised = self.compute_output_shape(shape)
        returned = tuple(getattr(output, "shape", ()))
        if returned != tuple(promised):
            raise InputError(
                f"{self._title} must return the shape {_text(promised)} for an input "
                f"of {_text(shape)}; it returns {_text(returned)}"
            )
        self._check_owner()
        self._check_states()
        self._check_gradient(shape)

    def _check_owner(self) -> None:
        """Refuses layers that another edge has: their weights would be shared."""
        for layer in self.layer._flatten_layers():
            owner = _owners.setdefault(layer, weakref.ref(self))()
            if owner is not self and layer.weights:
                raise InputError(
                    f"{self._title} must return a new layer each time; it returns "
                    f"{layer.name!r} again, whose weights edges would share"
                )

    def _check_states(self) -> None:
        for variable in self.layer.non_trainable_variables:
            vector = len(variable.shape) == 1
            if not vector or not tf.as_dtype(variable.dtype).is_floating:
                raise InputError(
                    f"{self._title} has the state {variable.path} of shape "
                    f"{_text(variable.shape)} and type {variable.dtype}; only "
                    f"vectors of floats, as batch norm's, can be states, so use no "
                    f"layers that draw random numbers"
                )

    def _check_gradient(self, shape) -> None:
        """Looks for a gradient by the input in the traced layer, once a stride."""
        key = self.registration, self.stride
        if key in _differentiable:
            return
        gradients = []

        def trace(x):
            with keras.StatelessScope(), tf.GradientTape() as tape:
                tape.watch(x)
                y = self.layer(x, training=True)
            gradients.append(tape.gradient(y, x))

        spec = tf.TensorSpec(shape, self.layer.compute_dtype)
        with self._said_in_one_line("cannot be differentiated"):
            traced = tf.function(trace, autograph=False).get_concrete_function(spec)
        self._check_draws(traced.graph)
        if gradients[-1] is None:
            raise InputError(
                f"{self._title} has no gradient: its output does not depend "
                f"differentiably on its input, so that nothing before it could learn"
            )
        _differentiable.add(key)

    def _check_draws(self, graph: tf.Graph) -> None:
        """Refuses random numbers that differ between passes that are compared."""
        kinds = {operation.type for operation in graph.get_operations()}
        if drawn := sorted(kinds & RANDOM):
            raise InputError(
                f"{self._title} draws random numbers ({drawn[0]}), other ones in each "
                "pass, of which gradients by differences know nothing; leave them out"
            )

    def compute_output_shape(self, shape) -> tuple:
        """Returns the promised shape [B, ceil(H/stride), ceil(W/stride), C]."""
        return *strided(shape, self.stride)[:-1], self.channels

    def call(self, x, scale=None, training=False):
        """Computes [B, ceil(H/stride), ceil(W/stride), C] of [B, H, W, C] without ReLU.

        The layer computes in its own type (float32, if it has no dtype policy of
        its own), whatever that of the feature maps.

        Args:
          x: the feature map.
          scale: [C], multiplies the result; None: 1.
          training: whether batch norms use (and follow) the batch.
        """
        costs, cost = _costs.get(), self.registration.cost
        if costs is not None and cost is not None:
            size = tuple(x.shape[1:])
            costs.append(self._counted(cost, size))
            return tf.zeros_like(x[:, :: self.stride, :: self.stride])
        with self._statistics_of(training):
            y = self.layer(tf.cast(x, self.layer.compute_dtype), training=training)
        y = tf.cast(y, x.dtype)
        if scale is None:
            return y
        return tf.cast(widened(y) * tf.cast(scale, wide(x.dtype)), x.dtype)

    def _counted(self, cost, size: tuple[int, int, int]) -> int:
        """Returns what the user's formula says of an input [H, W, C]."""
        with self._said_in_one_line(f"has a `cost` that fails on {size}"):
            number = int(cost(size, self.stride))
        if number < 0:
            raise InputError(
                f"{self._title} has a `cost` that returns {number} for {size}; give "
                "multiply-adds, at least 0"
            )
        return number

    @contextlib.contextmanager
    def _statistics_of(self, training: bool) -> Iterator[None]:
        """Lets Keras's batch norms leave the batch's own statistics, if wanted.

        A training loop averages them for all layers alike (momentum 0.9).
        """
        if not training or (self.follows and not batch_statistics_wanted()):
            yield
            return
        kind = keras.layers.BatchNormalization
        norms = [n for n in self.layer._flatten_layers() if isinstance(n, kind)]
        momenta = [norm.momentum for norm in norms]
        try:
            for norm in norms:
                norm.momentum = 0.0
            yield
        finally:
            for norm, momentum in zip(norms, momenta, strict=True):
                norm.momentum = momentum


def _text(shape) -> str:
    """Returns a shape as [B, H, W, C] with numbers where they are known."""
    names = "BHWC" if len(shape) == 4 else "?" * len(shape)
    sizes = [name if n is None else str(n) for n, name in zip(shape, names)]
    return f"[{', '.join(sizes)}]"
