"""What a run on images will take of memory, told before it starts.

Of a language model nothing is told: its sizes are not counted.
"""

from __future__ import annotations

import dataclasses
import sys

import psutil
import tensorflow as tf
from tensorflow.python.client import device_lib

from darts_tf.data.pixels import available_memory
from darts_tf.descent.replicas import Replicas
from darts_tf.networks import network_footprint
from darts_tf.networks.memory import GB, Memory, estimate
from darts_tf.space.registry import space_by_name
from train.image_data import Data


@dataclasses.dataclass(frozen=True)
class SearchStep:
    """What decides the memory of a search step; fields as the flags.

    `batch_size` is one device's share.
    """

    space: str
    method: str
    channels: int
    layers: int
    batch_size: int
    micro_batches: int
    recompute: bool
    partial_channels: int
    classes: int = 10
    image_shape: tuple[int, ...] = (32, 32, 3)

    def memory(self) -> Memory:
        """Its estimate."""
        sizes = network_footprint.supernet(
            space_by_name(self.space), self.channels, self.layers,
            self.classes, self.image_shape, self.partial_channels,
        )  # fmt: skip
        images = -(-self.batch_size // self.micro_batches)
        return estimate(sizes, self.method, images, self.recompute)

    def savings(self) -> dict[str, SearchStep]:
        """The same step in each way that saves, by what the user types."""
        found = {}
        if not self.recompute:
            found["--recompute"] = {"recompute": True}
        slices = 4 * self.micro_batches
        if self.batch_size % slices == 0:
            found[f"--micro_batches={slices}"] = {"micro_batches": slices}
        if self.partial_channels == 1 and self.channels % 4 == 0:
            found["--partial_channels=4"] = {"partial_channels": 4}
        return {n: dataclasses.replace(self, **m) for n, m in found.items()}


def step_of(values, **more) -> SearchStep:
    """A step from a mapping that has its fields, and others."""
    names = [field.name for field in dataclasses.fields(SearchStep)]
    given = {name: values[name] for name in names if name in values}
    return SearchStep(**given | more)


def tell_search(flags, data: Data, replicas: Replicas) -> None:
    """The line of a search."""
    names = [field.name for field in dataclasses.fields(SearchStep)]
    step = step_of(
        {name: flags[name].value for name in names if name in flags},
        batch_size=flags.batch_size // replicas.count,
        classes=data.images.num_classes,
        image_shape=tuple(data.images.image_shape),
    )
    others = {name: s.memory() for name, s in step.savings().items()}
    _tell(step.memory(), others, data, replicas)


def tell_evaluation(flags, genotype, data: Data, replicas) -> None:
    """The line of a training of a derived network."""
    sizes = network_footprint.evaluation(
        genotype, flags.channels, flags.layers, data.images.num_classes,
        data.images.image_shape, flags.auxiliary_weight > 0,
        flags.network == "mobile",
    )  # fmt: skip
    share = flags.batch_size // replicas.count
    half = {f"--batch_size={flags.batch_size // 2}": share // 2}
    others = {
        name: estimate(sizes, "training", n) for name, n in half.items() if n
    }
    found = estimate(sizes, "training", share)
    _tell(found, others, data, replicas)


def _tell(memory: Memory, others, data: Data, replicas) -> None:
    """Prints the line; a warning where the device has not as much."""
    if not replicas.chief:
        return
    accelerator = bool(tf.config.list_logical_devices("GPU"))
    parts = (data.images.train, *data.parts)
    held = sum(part.images.nbytes for part in parts)

    def on_device(found: Memory) -> Memory:
        if accelerator:
            return found.of_device()
        return found.of_host(_local(replicas), held)

    memory, free = on_device(memory), free_memory(accelerator)
    totals = {name: on_device(found).total for name, found in others.items()}
    place = "a GPU" if accelerator else "of main memory"
    print(line(memory, totals, place, free), flush=True)
    if free is not None and memory.total > free:
        print(
            f"warning: this run takes about {memory.total / GB:.1f} GB "
            f"{place} and {free / GB:.1f} GB are free; it may end for want of "
            f"memory",
            file=sys.stderr, flush=True,
        )  # fmt: skip


def line(memory: Memory, others, place: str, free: float | None) -> str:
    """What is told.

    Args:
      memory: of the device.
      others: bytes in all, by what the user would type.
      place: what kind of memory.
      free: bytes; None where it is not known.
    """
    parts = dataclasses.asdict(memory).items()
    told = ", ".join(f"{n} {size / GB:.1f}" for n, size in parts if size)
    words = [f"memory: about {memory.total / GB:.1f} GB {place} ({told})"]
    if free is not None:
        words.append(f"free: {free / GB:.1f} GB")
    if others:
        sizes = [f"{name} about {n / GB:.1f}" for name, n in others.items()]
        words.append(f"with {', '.join(sizes)}")
    return "; ".join(words)


def _local(replicas: Replicas) -> int:
    """How many replicas share this machine's memory."""
    devices = tf.config.list_logical_devices("CPU")
    return min(replicas.count, len(devices))


def free_memory(accelerator: bool) -> float | None:
    """Bytes that a run may take: what it has, and what is free.

    Of several GPUs those of the one with the fewest.
    """
    if not accelerator:
        own = psutil.Process().memory_info().rss
        return float(available_memory() + own)
    limits = [_limit(d) for d in tf.config.list_logical_devices("GPU")]
    return None if None in limits else min(limits)


def _limit(device) -> float | None:
    """What TensorFlow may take of a GPU and has not taken yet."""
    limits = {d.name: d.memory_limit for d in device_lib.list_local_devices()}
    if device.name not in limits:
        return None
    used = tf.config.experimental.get_memory_info(device.name.lstrip("/"))
    return float(limits[device.name] - used["current"])
