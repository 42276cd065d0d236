"""Removes what a test registers."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from darts_tf.networks import operation_registry
from darts_tf.space import registry


@contextlib.contextmanager
def restored() -> Iterator[None]:
    """Leaves operations and spaces as they were before the body."""
    names = set(operation_registry._registrations)
    spaces = set(registry.SPACES)
    yield
    for name in set(operation_registry._registrations) - names:
        operation_registry.unregister_operation(name)
    for name in set(registry.SPACES) - spaces:
        del registry.SPACES[name]
