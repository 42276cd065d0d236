"""Reads the largest memory that this process has taken so far."""

from __future__ import annotations

import resource
import sys

import tensorflow as tf


def peak_memory() -> dict[str, int]:
    """Returns bytes by place: "process", and "GPU:0" and so on where there are any.

    The process's are those of main memory, TensorFlow's own code and the data
    among them.
    """
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    gpus = [
        device.name.removeprefix("/device:")
        for device in tf.config.list_logical_devices("GPU")
    ]
    on_gpus = {name: tf.config.experimental.get_memory_info(name) for name in gpus}
    return {"process": peak} | {name: int(i["peak"]) for name, i in on_gpus.items()}


def larger(one: dict[str, int], other: dict[str, int]) -> dict[str, int]:
    """Returns the larger number of each place."""
    return {
        name: max(one.get(name, 0), other.get(name, 0))
        for name in dict.fromkeys((*one, *other))
    }
