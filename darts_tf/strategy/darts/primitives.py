"""Marks the functions that an `Execution` compiles (strategy/darts/execution.py).

The equations call each other as plain functions. A marked one asks which
execution is active: without any it simply runs, so that the equations can be
read, tested and debugged on their own.
"""

from __future__ import annotations

import contextlib
import contextvars
import dataclasses
import functools
from collections.abc import Callable, Iterator

_active = contextvars.ContextVar("execution", default=None)


def derivative(function: Callable) -> Callable:
    """Marks function(loss, w, alpha, batch, seed, *others), a mean over the batch.

    It returns (..., loss, aux), or a list that is linear in its last argument.
    """

    @functools.wraps(function)
    def call(loss, *values):
        execution = _active.get()
        if execution is None:
            return function(loss, *values)
        return execution.derivative(call, loss, *values)

    return call


def arithmetic(function: Callable) -> Callable:
    """Marks a function of tensors without a batch; a leading optimizer is static."""

    @functools.wraps(function)
    def call(*values):
        execution = _active.get()
        if execution is None:
            return function(*values)
        return execution.arithmetic(call, *values)

    return call


@contextlib.contextmanager
def active(execution) -> Iterator[None]:
    """Lets an execution run the marked functions; None: they run plainly."""
    token = _active.set(execution)
    try:
        yield
    finally:
        _active.reset(token)


@dataclasses.dataclass(frozen=True)
class FullPrecision:
    """A loss that is computed in float32 where others take 16 bits.

    For derivatives by differences: their points lie closer together than
    kernels of 16 bits, and their gradients differ by less than those are
    exact to.
    """

    loss: Callable

    def __call__(self, *values):
        return self.loss(*values)
