"""Looks at a data set and at the machine before anything is read or loaded.

Only headers of images, counts of words and a data set's description are read.
"""

from __future__ import annotations

import dataclasses
import pathlib
import subprocess
import sys

import numpy as np

from darts_tf.data.available_memory import available_memory
from darts_tf.run.process import threads


@dataclasses.dataclass(frozen=True)
class ImageFacts:
    """Numbers that describe a set of images.

    Attributes:
      classes: how many there are.
      train: images that are not the test part's.
      smallest_class: images of the training part's smallest class; None where that
        is not known without reading them.
      height, width: of the median image; None where that is not known.
      one_size: whether all images have this size.
      channels: 1 for grey, 3 for colour.
    """

    classes: int
    train: int
    smallest_class: int | None
    height: int | None
    width: int | None
    one_size: bool
    channels: int

    def lines(self) -> list[str]:
        """Returns the facts as one line."""
        colour = "grey" if self.channels == 1 else "colour"
        size = "size not known"
        if self.height is not None:
            size = f"{self.height} x {self.width} pixels (height x width)"
            size = size if self.one_size else f"several sizes, the median {size}"
        return [
            f"data: {self.train:,} images to learn from, {self.classes} classes, "
            f"{size}, {colour}"
        ]


@dataclasses.dataclass(frozen=True)
class TextFacts:
    """Numbers that describe a text.

    Attributes:
      train, valid: words of these parts, ends of lines included.
      vocabulary: different words of the training part.
    """

    train: int
    valid: int
    vocabulary: int

    def lines(self) -> list[str]:
        """Returns the facts as one line."""
        return [
            f"data: {self.train:,} words to learn from, {self.valid:,} for "
            f"validation, vocabulary of {self.vocabulary:,}"
        ]


@dataclasses.dataclass(frozen=True)
class Machine:
    """The machine that a run is on.

    Attributes:
      cores: that this process may use.
      memory: bytes of main memory that are free.
      gpus: that TensorFlow sees.
    """

    cores: int
    memory: float
    gpus: int = 0

    def __str__(self) -> str:
        """Returns the machine in a few words."""
        cores = f"{self.cores} core{'s' * (self.cores != 1)}"
        gpus = f"{self.gpus or 'no'} GPU{'s' * (self.gpus > 1)}"
        return f"{cores}, {self.memory / 1e9:.0f} GB free, {gpus}"


def image_facts(dataset: str, data_dir: str | None, download: bool) -> ImageFacts:
    """Returns the facts of a set of images, without reading pixels.

    Of a folder the headers are read, of a set of TensorFlow Datasets the
    description, which loads TensorFlow.

    Raises:
      InputError: there is no such set, or it is none for classification.
    """
    if dataset == "folder":
        from darts_tf.data.images.survey import survey_folder

        return ImageFacts(**survey_folder(data_dir))
    if dataset == "digits":
        from darts_tf.data.images.digits import load_digits

        labels = load_digits().train.labels
        smallest = int(np.bincount(labels).min())
        return ImageFacts(10, len(labels), smallest, 8, 8, True, 1)
    from darts_tf.run.process import quiet_tensorflow  # isort: skip  # noqa: F401
    from darts_tf.data.images import imagenet16
    from darts_tf.data.images.prepared import survey_prepared

    name, classes = dataset, None
    if dataset == imagenet16.NAME:
        name, classes = imagenet16.SOURCE, imagenet16.CLASSES
    return ImageFacts(**survey_prepared(name, data_dir, download, classes))


def text_facts(dataset: str, data_dir: str | None) -> TextFacts:
    """Returns the facts of a text, whose training and validation part are read.

    Raises:
      InputError: as of `load_text`.
    """
    from darts_tf.data.text.loading import load_text

    data = load_text(dataset, data_dir)
    return TextFacts(len(data.train), len(data.valid), data.vocabulary.size)


def this_machine() -> Machine:
    """Returns the present machine's facts."""
    return Machine(threads.cores(), float(available_memory()), _gpus())


def _gpus() -> int:
    """Returns the number of GPUs that TensorFlow sees.

    Another process asks TensorFlow, and only where a GPU's driver is loaded: it
    takes seconds, and memory of the GPU.
    """
    if not any(pathlib.Path("/dev").glob("nvidia[0-9]*")):
        return 0
    script = (
        "import tensorflow as tf; print(len(tf.config.list_physical_devices('GPU')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    last = done.stdout.split()[-1:] or ["0"]
    return int(last[0]) if last[0].isdigit() else 0
