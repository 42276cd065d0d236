"""Prints, before the first step, which data a run reads and how it is divided."""

from __future__ import annotations

import textwrap

import numpy as np

from darts_tf.config import SearchConfig, TrainingConfig
from darts_tf.data.text.loading import TextData
from darts_tf.descent.replicas import Replicas
from darts_tf.programs.image_data import Data

WIDTH = 100
MANY = 12
"""Classes up to which each has its count printed."""

SEARCH, JOINT = ("w", "alpha"), ("w and alpha", "the same", "the measure")
TRAINING = ("training", "validation")


def report(
    data: Data | TextData,
    config: SearchConfig | TrainingConfig,
    replicas: Replicas,
    joint: bool = False,
) -> None:
    """Prints the lines.

    Args:
      data: divided images, or a text.
      config: of the program.
      replicas: where it runs; only the chief prints.
      joint: whether alpha and w of a search learn from the same images.
    """
    if not replicas.chief:
        return
    if isinstance(data, TextData):
        lines = _text_lines(data, config)
    else:
        parts = JOINT if joint else SEARCH
        parts = parts if isinstance(config, SearchConfig) else TRAINING
        lines = [_classes(data), _parts(data, parts), _images(data, config)]
    for line in lines:
        print("\n".join(_wrapped(line)), flush=True)


def _wrapped(line: str) -> list[str]:
    return textwrap.wrap(
        line,
        WIDTH,
        subsequent_indent="  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _classes(data: Data) -> str:
    names = data.images.class_names
    counts = np.bincount(data.images.train.labels, minlength=len(names))
    head = f"data: {data.images.name}, {len(names)} classes: "
    if len(names) <= MANY:
        return head + ", ".join(f"{n} ({c:,})" for n, c in zip(names, counts))
    low, high = int(counts.argmin()), int(counts.argmax())
    return (
        f"{head}{counts[low]:,} ({names[low]}) to {counts[high]:,} images "
        f"({names[high]}) each"
    )


def _parts(data: Data, names: tuple[str, ...]) -> str:
    parts = [f"{part.size:,} {name}" for part, name in zip(data.parts, names)]
    used = sum(part.size for part in data.parts[:2])
    total = data.images.train.size
    rest = f" (of {total:,})" if used < total else ""
    return f"images: {', '.join(parts)}{rest}; test images are read last"


def _images(data: Data, config: SearchConfig | TrainingConfig) -> str:
    height, width, channels = data.images.image_shape
    colour = {1: "grey", 3: "colour"}.get(channels, f"{channels} channels")
    scaled = ", scaled to it" if config.image_size else ""
    mean, deviation = (
        ", ".join(f"{value:.1f}" for value in values) for values in data.statistics
    )
    moved = [f"shifted by up to {config.crop_padding}"] if config.crop_padding else []
    moved += ["mirrored (--noflip)"] if config.flip else []
    moved += ["cropped"] if config.resized_crop else []
    augmented = f"; training: {', '.join(moved)}" if moved else ""
    return (
        f"size: {height} x {width} pixels{scaled}, {colour}; minus {mean}, divided by "
        f"{deviation}{augmented}"
    )


def _text_lines(data: TextData, config: SearchConfig | TrainingConfig) -> list[str]:
    return [
        f"data: {data.name}, {len(data.train):,} words of training, "
        f"{len(data.valid):,} of validation ({data.unknown['valid']:,} unknown), "
        f"vocabulary of {data.vocabulary.size:,}; the test text is read last",
        f"streams: {config.batch_size} of {len(data.train) // config.batch_size:,} "
        f"words, windows of {config.bptt}",
    ]
