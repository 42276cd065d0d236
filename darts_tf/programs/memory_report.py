"""The line about memory that a program prints before its first step.

It is a forecast: where it cannot be made, that is said and the run goes on.
"""

from __future__ import annotations

from collections.abc import Callable

from darts_tf.config import SearchConfig
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
)
from darts_tf.programs.task import ImageConfig
from darts_tf.space.genotype import Genotype


def search(config: SearchConfig, data: Data | TextData, replicas: Replicas) -> None:
    """Prints the memory of a search by descent on alpha."""
    share = config.batch_size // replicas.count
    if isinstance(data, TextData):
        step = TextSearch(
            config.method,
            config.hidden_size,
            data.vocabulary.size,
            config.bptt,
            share,
            config.micro_batches,
        )
    else:
        step = _image_search(config, data, share, config.method)
    _print(step, data, replicas)


def given_weights(config: SearchConfig, data: Data, replicas: Replicas) -> None:
    """Prints the memory of descent on w alone, at given mixing weights."""
    share = config.batch_size // replicas.count
    step = _image_search(config, data, share, GIVEN_WEIGHTS)
    _print(step, data, replicas)


def training(
    config: ImageConfig,
    genotype: Genotype,
    data: Data | TextData,
    replicas: Replicas,
) -> None:
    """Prints the memory of a derived network's training."""
    share = config.batch_size // replicas.count
    if isinstance(data, TextData):
        step = TextTraining(
            genotype,
            config.hidden_size,
            data.vocabulary.size,
            config.bptt,
            share,
            replicas.count,
        )
    else:
        step = ImageTraining(
            genotype,
            config.channels,
            config.layers,
            share,
            replicas.count,
            config.auxiliary_weight > 0,
            config.network,
            config.precision,
            data.images.num_classes,
            tuple(data.images.image_shape),
        )
    _print(step, data, replicas)


def _image_search(config: SearchConfig, data: Data, share: int, method: str):
    regularizer = config.lambda_regularizer
    return ImageSearch(
        config.space,
        method,
        config.channels,
        config.layers,
        share,
        config.micro_batches,
        config.recompute,
        config.partial_channels,
        "none" if method == GIVEN_WEIGHTS else regularizer,
        config.lambda_gradient,
        config.precision,
        data.images.num_classes,
        tuple(data.images.image_shape),
    )


def _print(step, data: Data | TextData, replicas: Replicas) -> None:
    unless_it_fails(lambda: memory_line.tell(step, _bytes_of(data), replicas))


def unless_it_fails(forecast: Callable[[], None]) -> None:
    """Makes a forecast; prints why where it cannot be made."""
    try:
        forecast()
    except Exception as error:  # whatever it is, the run itself may be fine
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        print(f"memory: unknown ({reason})", flush=True)


def _bytes_of(data: Data | TextData) -> int:
    """Returns the bytes of the set and its parts."""
    if isinstance(data, TextData):
        return data.train.nbytes + data.valid.nbytes
    return sum(part.nbytes for part in (data.images.train, *data.parts))
