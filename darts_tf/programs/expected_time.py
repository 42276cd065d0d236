"""Estimates how long a run will take on a CPU, before its first step.

The time of a step of images is fitted to runs on two cores of an AMD EPYC: the
first table of docs/performance.md and the costs in configs/digits and
configs/cifar10/small_*.flags. Another machine may take half or twice as long. On a
GPU and for text nothing was fitted.
"""

from __future__ import annotations

from typing import Any

from darts_tf.config import PipelineConfig, SearchConfig, TrainingConfig
from darts_tf.programs.data_facts import ImageFacts, Machine, TextFacts
from darts_tf.run.process import threads
from darts_tf.space import conv

SPREAD = "half or twice that elsewhere"
CORES = 2
"""Cores of the machine on which steps were measured."""

START = {"search": 20.0, "training": 12.0}
"""Seconds to the first step: TensorFlow, building, compiling."""

PER_CELL = {"search": 0.02, "training": 0.006}
"""Seconds of a step for each cell, whatever its size, of first order or training."""

PER_ELEMENT = {"search": 3.5e-7, "training": 6.7e-8}
"""Seconds of a step for each example x pixel x channel x cell."""

METHODS = {"first_order": 1.0, "finite_difference": 2.8, "exact": 3.4}
"""Time of a step of a search beside that of first order."""


def step_seconds(
    kind: str, channels: int, layers: int, batch_size: int, pixels: int, cores: int
) -> float:
    """Returns the seconds of a step on a CPU.

    Args:
      kind: "search" (first order) or "training".
      channels: of the first cell.
      layers: cells.
      batch_size: images.
      pixels: height x width.
      cores: of the machine.
    """
    elements = batch_size * pixels * channels * layers
    speed = max(cores, 1) / CORES
    return PER_CELL[kind] * layers + PER_ELEMENT[kind] * elements / speed


def report(
    config: SearchConfig | TrainingConfig, loop: Any, data: Any, replicas: Any
) -> None:
    """Prints the steps of a run and the minutes that they are expected to take.

    Args:
      config: of the program.
      loop: the search or training, at its first step.
      data: its divided images or its text.
      replicas: where it runs; only the chief prints.
    """
    if not replicas.chief:
        return
    steps = f"{config.epochs:,} epochs of {loop.steps_per_epoch:,} steps"
    seconds = run_seconds(config, loop, data)
    if seconds is None:
        print(f"expected: {steps}; the first ones show the time left", flush=True)
        return
    print(f"expected: {steps}, about {format_minutes(seconds)} ({SPREAD})", flush=True)


def run_seconds(
    config: SearchConfig | TrainingConfig, loop: Any, data: Any
) -> float | None:
    """Returns the seconds of a run from its first step; None where not fitted."""
    import tensorflow as tf  # loaded by then; the pipeline's estimate needs none

    if config.space != conv.SPACE.name or tf.config.list_physical_devices("GPU"):
        return None
    if isinstance(config, SearchConfig) and config.stages:
        return None
    height, width, _ = data.images.image_shape
    searches = isinstance(config, SearchConfig)
    kind = "search" if searches else "training"
    sizes = config.channels, config.layers, config.batch_size, height * width
    factor = METHODS[config.method] if isinstance(config, SearchConfig) else 1.0
    seconds = factor * step_seconds(kind, *sizes, threads.cores())
    return START[kind] + loop.steps_per_epoch * config.epochs * seconds


def expected_lines(
    facts: ImageFacts | TextFacts, machine: Machine, config: PipelineConfig
) -> list[str]:
    """Returns the line about the time that a pipeline will take."""
    cells = config.channels is not None and config.search_channels is not None
    if machine.gpus or isinstance(facts, TextFacts) or not cells:
        return ["expected: not known before the first steps, which then show it"]
    each = _pipeline_seconds(facts, machine, config)
    trainings = 1 + config.compare_published + config.compare_random_cells
    total = each["search"] + trainings * each["training"]
    return [
        f"expected: about {format_minutes(each['search'])} of search, "
        f"{format_minutes(each['training'])} for each of {trainings} trainings, "
        f"{format_minutes(total)} in all ({SPREAD})"
    ]


def _pipeline_seconds(facts: ImageFacts, machine: Machine, config) -> dict[str, float]:
    """Returns the seconds of the search and of one training."""
    size = config.image_size
    pixels = size * size if size else (facts.height or 1) * (facts.width or 1)
    searched = (config.search_examples or facts.train) // 2
    learned = round(facts.train * (1 - config.valid_fraction))
    steps = {
        "search": config.search_epochs * max(searched // config.search_batch_size, 1),
        "training": config.epochs * max(learned // config.batch_size, 1),
    }
    search = step_seconds(
        "search",
        config.search_channels,
        config.search_layers,
        config.search_batch_size,
        pixels,
        machine.cores,
    )
    training = step_seconds(
        "training",
        config.channels,
        config.layers,
        config.batch_size,
        pixels,
        machine.cores,
    )
    return {
        "search": START["search"] + steps["search"] * search * METHODS[config.method],
        "training": START["training"] + steps["training"] * training,
    }


def format_minutes(seconds: float) -> str:
    """Formats seconds as "2 minutes" or "3.5 hours"."""
    minutes = seconds / 60
    if minutes < 90:
        whole = max(round(minutes), 1)
        return f"{whole} minute{'s' * (whole != 1)}"
    return f"{minutes / 60:.1f} hours"
