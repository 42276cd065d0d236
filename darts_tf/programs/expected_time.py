"""Estimates how long a run will take on a CPU, before its first step.

The time of a step of images is fitted to runs on two cores of an AMD EPYC: the
first table of docs/performance.md and the costs in configs/digits and
configs/cifar10/small_*.flags; that of a step of text to the rows in
tests/programs/test_pipeline_choices.py. Another machine may take half or twice as
long. On a GPU nothing was fitted.
"""

from __future__ import annotations

from typing import Any

from darts_tf.config import PipelineConfig, SearchConfig, TrainingConfig
from darts_tf.programs.data_facts import ImageFacts, Machine, TextFacts
from darts_tf.run.process import threads
from darts_tf.space import conv, recurrent

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

PER_WORD_OF_A_WINDOW = {"search": 6.4e-3, "training": 2e-4}
"""Seconds of a step of text for each word of a window, whatever the sizes."""

PER_PRODUCT = {"search": 1.8e-10, "training": 0.9e-10}
"""Seconds of a step of text for each multiply-add of a pass forwards."""

TEXT_METHODS = {"first_order": 1.0, "finite_difference": 2.7, "exact": 3.3}
"""As METHODS, of text."""


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


def text_step_seconds(
    kind: str, hidden_size: int, batch_size: int, bptt: int, vocabulary: int, cores: int
) -> float:
    """Returns the seconds of a step of text on a CPU.

    Args:
      kind: "search" (first order) or "training".
      hidden_size: elements of the state, and of a word's embedding.
      batch_size: streams.
      bptt: words of a window.
      vocabulary: words.
      cores: of the machine.
    """
    # A cell's nine matrices to both halves of a node, and the classifier.
    products = 20 * hidden_size**2 + hidden_size * vocabulary
    speed = max(cores, 1) / CORES
    arithmetic = PER_PRODUCT[kind] * batch_size * bptt * products / speed
    return PER_WORD_OF_A_WINDOW[kind] * bptt + arithmetic


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

    text = config.space == recurrent.SPACE.name
    fitted = text or config.space == conv.SPACE.name
    if not fitted or tf.config.list_physical_devices("GPU"):
        return None
    if isinstance(config, SearchConfig) and config.stages:
        return None
    kind = "search" if isinstance(config, SearchConfig) else "training"
    cores = threads.cores()
    if text:
        sizes = config.hidden_size, config.batch_size, config.bptt
        step = text_step_seconds(kind, *sizes, data.vocabulary.size, cores)
    else:
        height, width, _ = data.images.image_shape
        sizes = config.channels, config.layers, config.batch_size
        step = step_seconds(kind, *sizes, height * width, cores)
    if isinstance(config, SearchConfig):
        step *= (TEXT_METHODS if text else METHODS)[config.method]
    return START[kind] + loop.steps_per_epoch * config.epochs * step


def expected_lines(
    facts: ImageFacts | TextFacts, machine: Machine, config: PipelineConfig
) -> list[str]:
    """Returns the line about the time that a pipeline will take."""
    if machine.gpus:
        return [
            "expected: not known on a GPU; each run shows the time left after its "
            "first steps"
        ]
    chained = config.channels is None or config.search_channels is None
    if chained and not isinstance(facts, TextFacts):
        return ["expected: not known before the first steps, which then show it"]
    if isinstance(facts, TextFacts):
        each = _text_seconds(facts, machine, config)
    else:
        each = _image_seconds(facts, machine, config)
    trainings = 1 + config.compare_published + config.compare_random_cells
    total = each["search"] + trainings * each["training"]
    return [
        f"expected: about {format_minutes(each['search'])} of search, "
        f"{format_minutes(each['training'])} for each of {trainings} trainings, "
        f"{format_minutes(total)} in all ({SPREAD})"
    ]


def _text_seconds(facts: TextFacts, machine: Machine, config) -> dict[str, float]:
    """Returns the seconds of the search and of one training of text."""

    def run(kind: str, hidden_size: int, batch_size: int, epochs: int) -> float:
        sizes = hidden_size, batch_size, config.bptt, facts.vocabulary
        steps = epochs * max((facts.train // batch_size - 1) // config.bptt, 1)
        return steps * text_step_seconds(kind, *sizes, machine.cores)

    search = run(
        "search",
        config.search_hidden_size,
        config.search_batch_size,
        config.search_epochs,
    )
    training = run("training", config.hidden_size, config.batch_size, config.epochs)
    return {
        "search": START["search"] + TEXT_METHODS[config.method] * search,
        "training": START["training"] + training,
    }


def _image_seconds(facts: ImageFacts, machine: Machine, config) -> dict[str, float]:
    """Returns the seconds of the search and of one training of images."""
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
