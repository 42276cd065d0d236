"""Divides the work of a step among the processor's cores."""

from __future__ import annotations

import contextlib
import os

PARALLEL_KERNELS = 8
"""About the number of kernels of an image supernet that can run at a time.

Its nodes depend on each other; the dozen or more operations of a node do not.
"""


def divide_by_kernels() -> None:
    """Gives whole kernels to the cores if there are few cores.

    The kernels of a supernet of images are many and small: divided among two
    cores a step takes half as long again (measured on supernets). With
    more cores than kernels at a time each kernel gets some. Nothing changes
    with a GPU, if TF_NUM_INTRAOP_THREADS is set, or if TensorFlow's threads
    run already.
    """
    import tensorflow as tf  # `cores` needs none

    threads_setting = os.environ.get("TF_NUM_INTRAOP_THREADS")
    if threads_setting or tf.config.list_physical_devices("GPU"):
        return
    with contextlib.suppress(RuntimeError):
        tf.config.threading.set_intra_op_parallelism_threads(
            -(-cores() // PARALLEL_KERNELS)
        )


def cores() -> int:
    """Returns the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
