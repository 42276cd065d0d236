"""Check of `max_multiply_adds`, before anything costly is begun."""

from __future__ import annotations

from collections.abc import Callable

import keras

from darts_tf.config import TrainingConfig
from darts_tf.data.images.loading import ImageData, describe_images
from darts_tf.errors import InputError
from darts_tf.estimation import scoring


def check(
    config: TrainingConfig, build: Callable, data: ImageData | None = None
) -> None:
    """Refuses a network with more than `max_multiply_adds`.

    The network is built and traced for it, which takes seconds; the random
    numbers of the run start anew after it.

    Args:
      config: of an evaluation.
      build: (classes, (H, W, C)) -> the network.
      data: the images; described by their name where None.

    Raises:
      InputError: the network has more, or there is no such data set.
    """
    if not config.max_multiply_adds:
        return
    if data is None:
        shape, classes = describe_images(
            config.dataset, data_dir=config.data_dir, image_size=config.image_size
        )
    else:
        shape, classes = data.image_shape, data.num_classes
    count = scoring.multiply_adds(build(classes, shape), shape)
    keras.utils.set_random_seed(config.seed)
    if count > config.max_multiply_adds:
        height, width, _ = shape
        raise InputError(
            f"the network has {count:,} multiply-adds on an image of "
            f"{height}x{width}, more than "
            f"`max_multiply_adds={config.max_multiply_adds:,.0f}`; give fewer "
            "`channels` or `layers`, or a smaller `image_size`"
        )
