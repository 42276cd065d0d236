"""How the work of a step is divided among the processor's cores."""

from __future__ import annotations

import contextlib
import os

import tensorflow as tf

TOGETHER = 8
"""Kernels of a supernet of images that need not wait for each other, about.

Its nodes follow each other, and a node's operations, a dozen or more, do not.
"""


def divide_by_kernels() -> None:
    """Gives whole kernels to the cores, where there are few of them.

    The kernels of a supernet of images are many and small: divided among two
    cores a step takes half as long again (BUILD_NOTES.md, "Threads"). With
    more cores than kernels at a time each kernel gets some. Nothing is
    changed where there is a GPU, where TF_NUM_INTRAOP_THREADS is set, or
    where TensorFlow's threads run already.
    """
    given = os.environ.get("TF_NUM_INTRAOP_THREADS")
    if given or tf.config.list_physical_devices("GPU"):
        return
    with contextlib.suppress(RuntimeError):
        tf.config.threading.set_intra_op_parallelism_threads(-(-cores() // TOGETHER))


def cores() -> int:
    """Those that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
