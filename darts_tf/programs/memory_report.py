"""The line about memory of each program: from flags and data to a step.

Each is called by the program that does what it tells of, before its first
step.
"""

from __future__ import annotations

from darts_tf.data.text.loading import TextData
from darts_tf.descent.replicas import Replicas
from darts_tf.programs import memory_line
from darts_tf.programs.image_data import Data
from darts_tf.programs.memory_steps import (
    GIVEN_WEIGHTS,
    ImageSearch,
    ImageTraining,
    TextSearch,
    TextTraining,
    step_of,
)


def search(flags, data: Data | TextData, replicas: Replicas) -> None:
    """Of a search by descent on alpha."""
    kind = TextSearch if isinstance(data, TextData) else ImageSearch
    _tell(kind, flags, data, replicas)


def given_weights(flags, data: Data, replicas: Replicas) -> None:
    """Of descent on a supernet's w at given mixing weights.

    Random weight sharing and derivation by perturbation.
    """
    _tell(
        ImageSearch,
        flags,
        data,
        replicas,
        method=GIVEN_WEIGHTS,
        lambda_regularizer="none",
    )


def training(flags, genotype, data: Data | TextData, replicas: Replicas) -> None:
    """Of a derived network's training."""
    more = {"genotype": genotype, "devices": replicas.count}
    if isinstance(data, TextData):
        _tell(TextTraining, flags, data, replicas, **more)
        return
    more["auxiliary"] = flags.auxiliary_weight > 0
    _tell(ImageTraining, flags, data, replicas, **more)


def _tell(kind, flags, data, replicas: Replicas, **more) -> None:
    sizes = _of_text(data) if isinstance(data, TextData) else _of_images(data)
    held = sizes.pop("held")
    share = {"batch_size": flags.batch_size // replicas.count}
    given = {name: flags[name].value for name in flags}
    step = step_of(kind, given, **share, **sizes, **more)
    memory_line.tell(step, held, replicas)


def _of_images(data: Data) -> dict:
    """Sizes, and the bytes of the set and its parts."""
    parts = (data.images.train, *data.parts)
    return {
        "held": sum(part.nbytes for part in parts),
        "classes": data.images.num_classes,
        "image_shape": tuple(data.images.image_shape),
    }


def _of_text(data: TextData) -> dict:
    """Sizes, and the bytes of the words."""
    return {
        "held": data.train.nbytes + data.valid.nbytes,
        "words": data.vocabulary.size,
    }
