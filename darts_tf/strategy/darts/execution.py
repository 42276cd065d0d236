"""Runs the equations of a search: compiled, on replicas, in slices, in 16 bits.

An `Execution` compiles the marked functions of strategy/darts/bilevel.py once
each, as separate graphs that the methods share: a single graph of all passes
takes minutes to its first step. Whatever leaves a derivative is averaged over
micro-batches and replicas, so that N replicas compute what one computes on
the joined batch. Losses are computed in the chosen precision, scaled where it is
float16, and layers learn how the pass around them will be differentiated.
"""

from __future__ import annotations

import contextlib
import contextvars
import dataclasses
import functools
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import tensorflow as tf

from darts_tf.descent.precision import precision_by_name, unscaled
from darts_tf.descent.replicas import Replicas
from darts_tf.networks.compiled import derivative_mode
from darts_tf.networks.compiled.flat_weights import FlatWeights
from darts_tf.networks.weight_list import WeightList
from darts_tf.strategy.darts import bilevel
from darts_tf.strategy.darts.micro_batches import in_turn
from darts_tf.strategy.darts.primitives import FullPrecision, active

_tracing: contextvars.ContextVar[Any] = contextvars.ContextVar("tracing", default=None)


def weights_of(model) -> FlatWeights | WeightList:
    """Returns the weights of a built supernet in the form its losses take them.

    One flat vector, or a list of arrays for a supernet with plain edges.
    """
    return WeightList(model) if model.plain_edges else FlatWeights(model)


class Execution:
    """Runs marked functions while it is active: `with execution.active(): ...`.

    Args:
      replicas: where it runs.
      micro_batches: equal slices of a batch that are computed in turn
        (strategy/darts/micro_batches.py).
      precision: one of descent.precision.PRECISIONS, of all losses but those
        in FullPrecision.
      compiled: False for plain Python over plain tapes. (Several replicas
        need graphs all the same.)
    """

    def __init__(
        self,
        replicas: Replicas,
        micro_batches: int = 1,
        precision: str = "float32",
        compiled: bool = True,
    ):
        self.replicas, self.micro_batches = replicas, micro_batches
        self.precision = precision_by_name(precision)
        self.compiled = compiled
        self._functions: dict[tuple, Callable] = {}
        self._lock = threading.Lock()

    def active(self) -> contextlib.AbstractContextManager[None]:
        """Makes it the execution of all marked functions."""
        return active(self)

    def derivative(self, marked: Callable, loss: Callable, *values):
        """Runs a marked derivative of `loss`, as a mean."""
        if isinstance(loss, FullPrecision) and self.precision.dtype is None:
            loss = loss.loss
        make = functools.partial(self._mean_of, marked, loss)
        return self._once((marked, loss), make)(*values)

    def arithmetic(self, marked: Callable, *values):
        """Runs marked arithmetic; arguments that are no tensors are static."""
        static = values[:1] if _is_static(values[0]) else ()
        body = functools.partial(_plainly, marked.__wrapped__, *static)
        make = functools.partial(self.compile, body)
        return self._once((marked, *static), make)(*values[len(static) :])

    def _once(self, key: tuple, make: Callable) -> Callable:
        with self._lock:
            if key not in self._functions:
                self._functions[key] = make()
            return self._functions[key]

    def _mean_of(self, marked: Callable, loss: Callable) -> Callable:
        run = _with_mode if self.compiled else _without_mode
        low, scale = loss, 1.0
        if not isinstance(loss, FullPrecision):
            low, scale = self.precision.of(loss), self.precision.scale
            run = run if scale == 1 else functools.partial(_scaled, run, scale)

        def piece(*values):
            return run(marked, low, *values)

        piece.__name__ = marked.__name__
        return in_turn(piece, self.micro_batches, self.compile, self.replicas.mean)

    def compile(self, function: Callable) -> Callable:
        """Compiles a function of tensors, for each replica."""
        if not self.compiled and self.replicas.count == 1:
            return function
        return Piece(self.replicas.compile(function))

    @contextlib.contextmanager
    def traced_ahead(self, algorithm: Callable[[], object]) -> Iterator[None]:
        """Traces what the body is going to call, one function ahead of it.

        To trace a function keeps Python busy; to prepare it and to run it,
        which takes as long again, does not. So a second thread runs the
        algorithm on shapes alone: while one function runs for the first time,
        the next is traced. (A function that is called while it is being
        traced waits: tf.function holds a lock.) If the body fails, the
        function that is being traced is waited for and no other is begun.

        Args:
          algorithm: what the body computes, without what it assigns.
        """
        stopped = threading.Event()

        def trace() -> None:
            _tracing.set(stopped)
            with contextlib.suppress(_Stopped), self.active():
                algorithm()

        if not self.compiled or self.replicas.count > 1:
            yield
            return
        with ThreadPoolExecutor(1, "tracing") as background:
            traced = background.submit(trace)
            try:
                yield
            finally:
                stopped.set()
            traced.result()


class Piece:
    """A compiled function. In a tracing thread it gives the shapes of its results.

    Attributes:
      function: the tf.function.
    """

    def __init__(self, function: Callable):
        self.function = function

    def __call__(self, *values):
        stopped = _tracing.get()
        if stopped is None:
            return self.function(*values)
        if stopped.is_set():
            raise _Stopped
        traced = self.function.get_concrete_function(*values)
        return tf.nest.map_structure(_spec, traced.structured_outputs)


def _spec(result):
    """Returns the shape and type of a result; None stays None."""
    return None if result is None else tf.TensorSpec(result.shape, result.dtype)


class _Stopped(Exception):
    """Ends a tracing thread."""


class Nested:
    """Stands in for an execution within what it compiles."""

    def derivative(self, marked, loss, *values):
        return _with_mode(marked, loss, *values)

    def arithmetic(self, marked, *values):
        return marked.__wrapped__(*values)


def _scaled(run: Callable, scale: float, marked: Callable, loss: Callable, *values):
    """Runs a marked derivative of `scale` times the loss, and divides by it again.

    The gradients in between are so multiplied by it; the vector of a product, which
    the learning rate makes very short, enters at length 1.
    """

    def scaled_loss(*where):
        value, aux = loss(*where)
        return scale * value, aux

    if marked not in PRODUCTS:
        *results, aux = run(marked, scaled_loss, *values)
        return *unscaled(results, scale), aux
    *others, u = values
    length = tf.linalg.global_norm(u)
    u = [tf.math.divide_no_nan(t, length) for t in u]
    product = run(marked, scaled_loss, *others, u)
    return [length * p for p in unscaled(product, scale)]


def _with_mode(marked: Callable, loss: Callable, *values):
    """Runs a marked derivative and tells layers how it is differentiated."""
    around, prepare = MODES.get(marked, (contextlib.nullcontext, lambda loss: loss))
    with active(Nested()), around():
        return marked.__wrapped__(prepare(loss), *values)


def _without_mode(marked: Callable, loss: Callable, *values):
    with active(None):
        return marked.__wrapped__(loss, *values)


def _plainly(function: Callable, *values):
    with active(None):
        return function(*values)


def _once(loss: Callable) -> Callable:
    """Marks a loss whose gradient nobody differentiates again."""

    def prepared(w, alpha, batch, seed):
        with derivative_mode.set_differentiated_once():
            return loss(w, alpha, batch, seed)

    return prepared


def _once_at_constant_weights(loss: Callable) -> Callable:
    """Marks a loss as `_once` does that is not differentiated by w, either."""

    def prepared(w, alpha, batch, seed):
        return loss([tf.stop_gradient(t) for t in w], alpha, batch, seed)

    return _once(prepared)


PRODUCTS = bilevel.reverse_over_reverse, bilevel.forward_over_reverse
"""The derivatives that are linear in their last argument, a vector."""

MODES = {
    bilevel.grad_w: (contextlib.nullcontext, _once),
    bilevel.grad_alpha: (
        derivative_mode.set_constant_in_weights,
        _once_at_constant_weights,
    ),
    bilevel.grad_w_alpha: (contextlib.nullcontext, _once),
    bilevel.reverse_over_reverse: (
        derivative_mode.set_differentiated_twice,
        lambda loss: loss,
    ),
    bilevel.directional_derivative: (
        derivative_mode.set_directional_pass,
        lambda loss: loss,
    ),
}
"""(context around the whole derivative, wrapper of its loss) of each derivative."""


def _is_static(value) -> bool:
    return dataclasses.is_dataclass(value)  # an optimizer
