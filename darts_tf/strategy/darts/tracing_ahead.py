"""The pieces of the first step are traced while others run for the first time.

To trace a function keeps Python busy; to prepare it and to run it, which takes
as long again, does not. So a second thread traces the pieces of a step in the
order of their calls: while one runs, the next is traced. (A piece that is
called while it is being traced waits: tf.function holds a lock.)
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor


@contextlib.contextmanager
def traced_ahead(calls: Sequence[tuple[Callable, tuple]]) -> Iterator[None]:
    """Traces functions in the background of what calls them.

    Where the body fails, what is being traced is waited for, the rest is not
    begun.

    Args:
      calls: (function, arguments) in the order in which the body calls them;
        functions that are not compiled are passed over.
    """
    stopped = threading.Event()

    def trace() -> None:
        for function, arguments in calls:
            if not stopped.is_set() and compiled(function):
                function.get_concrete_function(*arguments)

    if not calls:
        yield
        return
    with ThreadPoolExecutor(1, "tracing") as background:
        traced = background.submit(trace)
        try:
            yield
        finally:
            stopped.set()
        traced.result()


def compiled(function: Callable) -> bool:
    """Whether it is a tf.function."""
    return hasattr(function, "get_concrete_function")
