"""Prints the memory that a run will take; where that fails, the run goes on."""

from __future__ import annotations

import sys

import keras
import psutil
import tensorflow as tf

from darts_tf.config import Config
from darts_tf.config_rules import inapplicable
from darts_tf.data.available_memory import available_memory
from darts_tf.data.text.loading import TextData
from darts_tf.descent.replicas import Replicas
from darts_tf.networks.footprint import memory as footprint
from darts_tf.networks.footprint.memory import GB, Memory, Needs
from darts_tf.networks.language import LanguageModel


def report(
    model: keras.Model, method: str, config: Config, data, replicas: Replicas
) -> None:
    """Prints the line, and a warning where more is needed than is free.

    Args:
      model: the built network.
      method: of the search, or "weights" where alpha stands still, or "training"
        for a derived network.
      config: of the program.
      data: its divided images or its text.
      replicas: where it runs; only the chief prints.
    """
    if not replicas.chief:
        return
    try:
        _print(model, method, config, data, replicas)
    except Exception as error:  # whatever it is, the run itself may be fine
        print(f"memory: unknown ({error!r})", flush=True)


def estimates(model, method: str, config, replicas: int) -> dict[str, Memory]:
    """Returns the memory of a replica as it is (""), and by flags that may save."""
    sizes = footprint.sizes_of(model, config.bptt)
    share = config.batch_size // replicas

    def at(examples: int, recompute: bool) -> Memory:
        needs, size = _needs(model, method, config, recompute)
        elements = sizes.recomputed if recompute else sizes.elements
        return footprint.estimate(size * examples * elements, sizes, needs)

    if method == "training":
        half, name = share // 2, f"--batch_size={share // 2 * replicas}"
        return {"": at(share, False)} | ({name: at(half, False)} if half else {})
    slices, recompute = config.micro_batches, config.recompute
    results = {"": at(-(-share // slices), recompute)}
    if "recompute" not in inapplicable(config):
        results["--recompute"] = at(-(-share // slices), True)
    if share % (4 * slices) == 0:
        results[f"--micro_batches={4 * slices}"] = at(share // slices // 4, recompute)
    return results


def _needs(model, method: str, config, recompute: bool) -> tuple[list[Needs], float]:
    """Returns what a step needs, and the size of its activations beside float32's."""
    if isinstance(model, LanguageModel):
        return [footprint.TEXT[method]], 1.0
    searched = method not in ("training", "weights")
    regularized = searched and config.lambda_regularizer != "none"
    nested = method == "exact" and (recompute or not model.has_directional_derivatives)
    nested = nested or (regularized and config.lambda_gradient == "exact")
    names = ["nested" if nested else method]
    names += ["regularizer"] * regularized + ["recompute"] * recompute
    wide = regularized or method == "finite_difference" or config.precision == "float32"
    return [footprint.IMAGES[n] for n in names], 1.0 if wide else footprint.NARROW


def _print(model, method: str, config, data, replicas: Replicas) -> None:
    gpus = tf.config.list_logical_devices("GPU")
    here = min(replicas.count, len(tf.config.list_logical_devices("CPU")))

    def on_device(memory: Memory) -> Memory:
        if gpus:
            return Memory(memory.activations, memory.weights)
        held = here * memory.activations, here * memory.weights
        return Memory(*held, memory.program, _bytes_of(data))

    every = estimates(model, method, config, replicas.count).items()
    memories = {flag: on_device(memory) for flag, memory in every}
    free, place = free_memory(gpus), "a GPU" if gpus else "main memory"
    print(line(memories, free, place), flush=True)
    total = sum(memories[""])
    if free is not None and total > free:
        takes = f"about {total / GB:.1f} GB of {place} and {free / GB:.1f} GB are free"
        warning = f"warning: this run takes {takes}; it may end for want of memory"
        print(warning, file=sys.stderr, flush=True)


def line(memories: dict[str, Memory], free: float | None, place: str) -> str:
    """Returns the line; of the flags those that save what its digits show."""
    totals = {flag: round(sum(m) / GB, 1) for flag, m in memories.items()}
    parts = memories[""]._asdict().items()
    listed = ", ".join(f"{name} {size / GB:.1f}" for name, size in parts if size)
    words = [f"memory: about {totals['']} GB of {place} ({listed})"]
    if free is not None:
        words.append(f"free: {free / GB:.1f} GB")
    less = [f"{f} about {size}" for f, size in totals.items() if size < totals[""]]
    return "; ".join(words + ([f"with {', '.join(less)}"] if less else []))


def free_memory(gpus: list) -> float | None:
    """Returns the bytes that the run may take: used by it already, or free.

    Of several GPUs those of the one with the fewest; None where that is not known.
    """
    if not gpus:
        return float(available_memory() + psutil.Process().memory_info().rss)
    from tensorflow.python.client import device_lib  # no public name tells the limit

    limits = {d.name: d.memory_limit for d in device_lib.list_local_devices()}
    used = tf.config.experimental.get_memory_info
    known = [gpu.name for gpu in gpus if gpu.name in limits]
    free = [limits[name] - used(name.lstrip("/"))["current"] for name in known]
    return min(free, default=None)


def _bytes_of(data) -> int:
    """Returns the bytes of the set and its parts."""
    text = isinstance(data, TextData)
    parts = (data.train, data.valid) if text else (data.images.train, *data.parts)
    return sum(part.nbytes for part in parts)
