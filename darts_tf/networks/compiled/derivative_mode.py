"""What a pass through a network is for, where layers have to know."""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Iterator

_constant = contextvars.ContextVar("constant_in_weights", default=False)
_once = contextvars.ContextVar("differentiated_once", default=False)
_twice = contextvars.ContextVar("differentiated_twice", default=False)
_slope = contextvars.ContextVar("directional_pass", default=False)


def set_constant_in_weights() -> contextlib.AbstractContextManager[None]:
    """For passes and gradients that do not differentiate the weights."""
    return _set(_constant)


def is_constant_in_weights() -> bool:
    """Whether that is so here."""
    return _constant.get()


def set_differentiated_once() -> contextlib.AbstractContextManager[None]:
    """For passes whose gradient nobody differentiates again."""
    return _set(_once)


def is_differentiated_once() -> bool:
    """Whether that is so here."""
    return _once.get()


def set_differentiated_twice() -> contextlib.AbstractContextManager[None]:
    """For a gradient that is differentiated again (the exact method).

    Then a cell that is computed again (networks/compiled/recomputation.py) keeps no
    activations for its backward pass either, but computes that again, too. It
    costs first derivatives that nobody asks for, so that it is not done
    everywhere. Right derivatives of any order come without it.
    """
    return _set(_twice)


def is_differentiated_twice() -> bool:
    """Whether that is so here."""
    return _twice.get()


def set_directional_pass() -> contextlib.AbstractContextManager[None]:
    """For a gradient by the weights that is only wanted along a direction.

    For a pass, and the gradient g of it, of which nothing is used but the
    derivative of <g, u>: layers that know a direct way to it take that, and
    the values of g are no numbers (networks/compiled/directional_derivatives.py).
    """
    return _set(_slope)


def in_directional_pass() -> bool:
    """Whether that is so here."""
    return _slope.get() and not _once.get()


def flags() -> tuple[bool, ...]:
    """Returns the flags by which the pass of a layer differs.

    Without that of constant weights: shared functions have it in their keys
    already, if a layer has weights.
    """
    return tuple(flag.get() for flag in (_once, _twice, _slope))


@contextlib.contextmanager
def _set(variable: contextvars.ContextVar) -> Iterator[None]:
    token = variable.set(True)
    try:
        yield
    finally:
        variable.reset(token)
