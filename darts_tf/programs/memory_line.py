"""The line about a run's memory, and the warning where it does not fit."""

from __future__ import annotations

import dataclasses
import sys

import psutil
import tensorflow as tf
from tensorflow.python.client import device_lib

from darts_tf.data.available_memory import available_memory
from darts_tf.descent.replicas import Replicas
from darts_tf.networks.footprint.memory import GB, Memory


def tell(step, held: float, replicas: Replicas) -> None:
    """Prints the line; a warning where the device has not as much.

    Args:
      step: one of memory_steps.py.
      held: bytes of the data.
      replicas: where it runs; only the chief prints.
    """
    if not replicas.chief:
        return
    accelerator = bool(tf.config.list_logical_devices("GPU"))

    def on_device(estimate: Memory) -> Memory:
        if accelerator:
            return estimate.of_device()
        return estimate.of_host(_local(replicas), held)

    memory, free = on_device(step.memory()), free_memory(accelerator)
    savings = step.savings().items()
    totals = {name: on_device(saved).total for name, saved in savings}
    place = "a GPU" if accelerator else "of main memory"
    print(line(memory, totals, place, free), flush=True)
    if free is not None and memory.total > free:
        print(
            f"warning: this run takes about {memory.total / GB:.1f} GB "
            f"{place} and {free / GB:.1f} GB are free; it may end for want of "
            f"memory",
            file=sys.stderr,
            flush=True,
        )


def line(memory: Memory, others, place: str, free: float | None) -> str:
    """Returns the line.

    Args:
      memory: of the device.
      others: bytes in all, by what the user would type; named where that is
        less in the digits printed.
      place: what kind of memory.
      free: bytes; None where it is not known.
    """
    parts = dataclasses.asdict(memory).items()
    listed = ", ".join(f"{n} {size / GB:.1f}" for n, size in parts if size)
    words = [f"memory: about {memory.total / GB:.1f} GB {place} ({listed})"]
    if free is not None:
        words.append(f"free: {free / GB:.1f} GB")
    sizes = {name: round(n / GB, 1) for name, n in others.items()}
    most = round(memory.total / GB, 1)
    less = [f"{name} about {n}" for name, n in sizes.items() if n < most]
    if less:
        words.append(f"with {', '.join(less)}")
    return "; ".join(words)


def _local(replicas: Replicas) -> int:
    """Returns how many replicas share this machine's memory."""
    devices = tf.config.list_logical_devices("CPU")
    return min(replicas.count, len(devices))


def free_memory(accelerator: bool) -> float | None:
    """Returns the bytes that a run may take: used by it already, or free.

    Of several GPUs those of the one with the fewest.
    """
    if not accelerator:
        used = psutil.Process().memory_info().rss
        return float(available_memory() + used)
    limits = [_limit(d) for d in tf.config.list_logical_devices("GPU")]
    return None if None in limits else min(limits)


def _limit(device) -> float | None:
    """Returns what TensorFlow may take of a GPU and has not taken yet."""
    limits = {d.name: d.memory_limit for d in device_lib.list_local_devices()}
    if device.name not in limits:
        return None
    used = tf.config.experimental.get_memory_info(device.name.lstrip("/"))
    return float(limits[device.name] - used["current"])
