"""Sets up TensorFlow for every test, quiet and as the programs do."""

from __future__ import annotations

from darts_tf.run.process import tensorflow_environment  # isort: skip  # noqa: F401

import signal
import threading

if (
    threading.current_thread() is threading.main_thread()
    and signal.getsignal(signal.SIGINT) is signal.SIG_IGN
):
    # Started in the background, a shell has us ignore Ctrl-C, and so would
    # the programs that the tests start and stop.
    signal.signal(signal.SIGINT, signal.default_int_handler)

import pytest


@pytest.fixture(autouse=True, scope="session")
def no_grappler():
    """Switches Grappler off, as the programs do; it delays the first step."""
    import tensorflow as tf

    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})


def pytest_collection_modifyitems(items):
    """Whole programs first: they take longest, and two workers end together."""
    items.sort(key=lambda item: "train" not in item.path.parts)
