"""Prints the memory that a run will take, before its first step.

It is a forecast and never stops a run: where it fails, that is printed.
"""

from __future__ import annotations

import dataclasses
import functools
import sys

import keras
import psutil
import tensorflow as tf
from tensorflow.python.client import device_lib

from darts_tf.data.available_memory import available_memory
from darts_tf.data.text.loading import TextData
from darts_tf.descent.replicas import Replicas
from darts_tf.networks.footprint.memory import GB, Memory, estimate, needs_of, sizes_of
from darts_tf.programs.image_data import Data
from darts_tf.programs.task import ImageConfig


def report(
    model: keras.Model,
    method: str,
    config: ImageConfig,
    data: Data | TextData,
    replicas: Replicas,
) -> None:
    """Prints the line, and a warning where more is needed than is free.

    Args:
      model: the built network.
      method: of the search, or "weights" where alpha stands still, or "training"
        for a derived network.
      config: of the program.
      data: divided data.
      replicas: where it runs; only the chief prints.
    """
    if not replicas.chief:
        return
    try:
        _print(*_forecast(model, method, config, data, replicas))
    except Exception as error:  # whatever it is, the run itself may be fine
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        print(f"memory: unknown ({reason})", flush=True)


def _forecast(model, method: str, config, data, replicas):
    """Returns (memory, {flag: memory with it}, free bytes, name of the memory)."""
    gpus = tf.config.list_logical_devices("GPU")
    here = min(replicas.count, len(tf.config.list_logical_devices("CPU")))
    held = _bytes_of(data)

    def on_device(memory: Memory) -> Memory:
        if gpus:
            return Memory(memory.activations, memory.weights)
        return Memory(
            here * memory.activations, here * memory.weights, memory.program, held
        )

    memory, savings = estimates(model, method, config, replicas.count)
    savings = {flag: on_device(saved) for flag, saved in savings.items()}
    place = "a GPU" if gpus else "main memory"
    return on_device(memory), savings, free_memory(gpus), place


def estimates(
    model, method: str, config: ImageConfig, replicas: int
) -> tuple[Memory, dict[str, Memory]]:
    """Returns the memory of a replica, and what it would be with flags that save."""
    sizes, share = sizes_of(model, config.bptt), config.batch_size // replicas
    if method == "training":
        memory = _estimate(sizes, model, method, config, share)
        half = share // 2
        less = _estimate(sizes, model, method, config, half)
        return memory, {f"--batch_size={half * replicas}": less} if half else {}
    slices, recompute = config.micro_batches, config.recompute
    at = functools.partial(_estimate, sizes, model, method, config)
    savings = {}
    if hasattr(model, "recompute") and not recompute:
        savings["--recompute"] = at(-(-share // slices), True)
    if share % (4 * slices) == 0:
        savings[f"--micro_batches={4 * slices}"] = at(share // slices // 4, recompute)
    return at(-(-share // slices), recompute), savings


def _estimate(
    sizes, model, method: str, config, examples: int, recompute: bool = False
) -> Memory:
    relaxed = method not in ("training", "weights")
    regularizer = config.lambda_regularizer if relaxed else "none"
    gradient = config.lambda_gradient if relaxed else "none"
    wide = method == "finite_difference" or regularizer != "none"
    return estimate(
        sizes,
        needs_of(model, method, regularizer, gradient, recompute),
        examples,
        recompute,
        narrow=config.precision != "float32" and not wide,
    )


def _print(memory: Memory, savings: dict[str, Memory], free, place: str) -> None:
    print(line(memory, savings, free, place), flush=True)
    if free is not None and memory.total > free:
        print(
            f"warning: this run takes about {memory.total / GB:.1f} GB of {place} and "
            f"{free / GB:.1f} GB are free; it may end for want of memory",
            file=sys.stderr,
            flush=True,
        )


def line(
    memory: Memory, savings: dict[str, Memory], free: float | None, place: str
) -> str:
    """Returns the line; of the savings those that its digits show."""
    parts = dataclasses.asdict(memory).items()
    listed = ", ".join(f"{name} {size / GB:.1f}" for name, size in parts if size)
    words = [f"memory: about {memory.total / GB:.1f} GB of {place} ({listed})"]
    if free is not None:
        words.append(f"free: {free / GB:.1f} GB")
    most = round(memory.total / GB, 1)
    sizes = {flag: round(saved.total / GB, 1) for flag, saved in savings.items()}
    less = [f"{flag} about {size}" for flag, size in sizes.items() if size < most]
    if less:
        words.append(f"with {', '.join(less)}")
    return "; ".join(words)


def free_memory(gpus) -> float | None:
    """Returns the bytes that the run may take: used by it already, or free.

    Of several GPUs those of the one with the fewest; None where that is not known.
    """
    if not gpus:
        return float(available_memory() + psutil.Process().memory_info().rss)
    limits = {d.name: d.memory_limit for d in device_lib.list_local_devices()}
    if any(gpu.name not in limits for gpu in gpus):
        return None
    info = tf.config.experimental.get_memory_info
    used = [info(gpu.name.lstrip("/"))["current"] for gpu in gpus]
    return float(min(limits[g.name] - u for g, u in zip(gpus, used, strict=True)))


def _bytes_of(data: Data | TextData) -> int:
    """Returns the bytes of the set and its parts."""
    if isinstance(data, TextData):
        return data.train.nbytes + data.valid.nbytes
    return sum(part.nbytes for part in (data.images.train, *data.parts))
