"""Context flags that tell layers how a pass will be differentiated."""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Iterator

_constant = contextvars.ContextVar("constant_in_weights", default=False)
_once = contextvars.ContextVar("differentiated_once", default=False)
_twice = contextvars.ContextVar("differentiated_twice", default=False)
_slope = contextvars.ContextVar("directional_pass", default=False)


def set_constant_in_weights() -> contextlib.AbstractContextManager[None]:
    """Marks passes and gradients that do not differentiate the weights."""
    return _set(_constant)


def is_constant_in_weights() -> bool:
    """Returns whether this pass is marked by `set_constant_in_weights`."""
    return _constant.get()


def set_differentiated_once() -> contextlib.AbstractContextManager[None]:
    """Marks passes whose gradient nobody differentiates again."""
    return _set(_once)


def is_differentiated_once() -> bool:
    """Returns whether this pass is marked by `set_differentiated_once`."""
    return _once.get()


def set_differentiated_twice() -> contextlib.AbstractContextManager[None]:
    """Marks a gradient that is differentiated again (the exact method).

    A recomputed cell (networks/compiled/recomputation.py) then keeps no
    activations for its backward pass either, but computes that again, too. It
    costs first derivatives that nobody needs, so it is not done everywhere.
    Derivatives of any order are right without it.
    """
    return _set(_twice)


def is_differentiated_twice() -> bool:
    """Returns whether this pass is marked by `set_differentiated_twice`."""
    return _twice.get()


def set_directional_pass() -> contextlib.AbstractContextManager[None]:
    """Marks a gradient by the weights that is only used along a direction.

    Of the gradient g nothing is used but the derivative of <g, u>: layers that
    can compute it directly do so, and the values of g are NaN
    (networks/compiled/directional_derivatives.py).
    """
    return _set(_slope)


def in_directional_pass() -> bool:
    """Returns whether this pass is marked by `set_directional_pass`."""
    return _slope.get() and not _once.get()


def flags() -> tuple[bool, ...]:
    """Returns the flags that change what a layer computes, for a function's key.

    Without that of constant weights, which shared functions add themselves if a
    layer has weights.
    """
    return tuple(flag.get() for flag in (_once, _twice, _slope))


@contextlib.contextmanager
def _set(variable: contextvars.ContextVar) -> Iterator[None]:
    token = variable.set(True)
    try:
        yield
    finally:
        variable.reset(token)
