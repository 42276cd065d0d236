"""Times functions of feature maps, by LiteRT's interpreter or by TensorFlow."""

from __future__ import annotations

import math
import platform
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from darts_tf.config import Quantize, Runtime
from darts_tf.errors import InputError
from darts_tf.run.export import litert

WARM_UP_RUNS, WARM_UP_SECONDS = 3, 0.02
RANGES = 8
"""Inputs by which ranges of 8 bits are measured; times do not depend on them."""

SAMPLES = 31
SAMPLE_SECONDS = 1e-3
"""A sample is the mean of as many runs as take so long."""


class Timing(NamedTuple):
    """Seconds of a run: the median of SAMPLES, and their interquartile range."""

    median: float
    spread: float


class Timed(tf.Module):
    """A function of feature maps that a runtime computes again and again.

    Args:
      compute: (map, or list of maps where there are several) -> a tensor, or a
        dict of tensors by name.
      owner: holds the variables of `compute`.
      shapes: of the maps [B, H, W, C], which are drawn at random.
      runtime: what computes.
      threads: of LiteRT; those of TensorFlow are the process's (set_threads).
      quantize: of LiteRT, as an export's; with "int8" inputs and outputs have 8 bits
        too, as between the parts of a network.

    Attributes:
      content: of the .tflite file; None by TensorFlow.
      run: computes once; TensorFlow may not have ended when it returns.

    Raises:
      InputError: LiteRT lacks an operation, or is not installed.
    """

    def __init__(
        self,
        compute: Callable,
        owner,
        shapes: Sequence[Sequence[int]],
        runtime: Runtime,
        threads: int,
        quantize: Quantize = "none",
    ):
        super().__init__(name="timed")
        self.variables_of_owner = [variable.value for variable in owner.variables]
        generator = np.random.default_rng(0)
        names = [f"map_{number}" for number in range(len(shapes))]

        def draw() -> dict[str, np.ndarray]:
            pairs = zip(names, shapes, strict=True)
            return {n: generator.standard_normal(s, np.float32) for n, s in pairs}

        maps = draw()

        def outputs(*maps):
            result = compute(maps[0] if len(maps) == 1 else list(maps))
            return result if isinstance(result, dict) else {"output": result}

        function = tf.function(
            outputs,
            input_signature=[
                tf.TensorSpec(shape, tf.float32, name=name)
                for shape, name in zip(shapes, names)
            ],
        )
        self.content = None
        if runtime == "litert":
            ranges = None
            if quantize == "int8":
                ranges = [draw() for _ in range(RANGES)]
                maps = {
                    n: (30 * x.clip(-4, 4)).astype(np.int8) for n, x in maps.items()
                }
            self.content = litert.convert(function, self, quantize, ranges, tf.int8)
            self.run = litert.repeatable(self.content, maps, threads)
            self._wait = _nothing
        else:
            concrete = function.get_concrete_function()
            constants = [tf.constant(x) for x in maps.values()]
            self.run = lambda: concrete(*constants)
            self._wait = tf.test.experimental.sync_devices

    def measure(self) -> Timing:
        """Returns the time of a run, after some to warm up."""
        once = self._warm_up()
        count = max(1, math.ceil(SAMPLE_SECONDS / once))
        samples = []
        for _ in range(SAMPLES):
            start = time.perf_counter()
            for _ in range(count):
                self.run()
            self._wait()
            samples.append((time.perf_counter() - start) / count)
        low, middle, high = np.quantile(samples, [0.25, 0.5, 0.75])
        return Timing(float(middle), float(high - low))

    def _warm_up(self) -> float:
        """Returns the seconds of the last run."""
        start = end = time.perf_counter()
        count, seconds = 0, 0.0
        while count < WARM_UP_RUNS or end - start < WARM_UP_SECONDS:
            before = time.perf_counter()
            self.run()
            self._wait()
            end, count = time.perf_counter(), count + 1
            seconds = end - before
        return max(seconds, 1e-7)


def _nothing() -> None:
    """Waits for nothing: LiteRT returns when it is done."""


def set_threads(threads: int) -> None:
    """Gives TensorFlow's kernels so many threads, before it has begun.

    Raises:
      InputError: TensorFlow runs with others already.
    """
    threading = tf.config.threading
    if threading.get_intra_op_parallelism_threads() == threads:
        return
    try:
        threading.set_intra_op_parallelism_threads(threads)
        threading.set_inter_op_parallelism_threads(1)
    except RuntimeError:
        raise InputError(
            f"`threads={threads}` cannot be set once TensorFlow has begun to compute; "
            "measure in a process of its own, or by `runtime=litert`"
        ) from None


def origin(runtime: Runtime) -> dict[str, str]:
    """Returns the name and version of what computes, and the device."""
    if runtime == "litert":
        return {"runtime": litert.interpreter_class()[1], "device": _processor()}
    gpus = tf.config.list_physical_devices("GPU")
    device = _processor()
    if gpus:
        details = tf.config.experimental.get_device_details(gpus[0])
        device = details.get("device_name", "GPU")
    return {"runtime": f"TensorFlow {tf.__version__}", "device": device}


def _processor() -> str:
    """Returns the name of the processor, as far as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2] for line in lines if line.startswith("model name")]
    name = names[0] if names else platform.processor() or platform.machine()
    return " ".join(name.replace(",", " ").split())
