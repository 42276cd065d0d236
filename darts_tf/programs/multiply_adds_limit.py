"""Whether a network is small enough, before anything costly is begun."""

from __future__ import annotations

from collections.abc import Callable

import keras

from darts_tf.data.images.loading import describe_images
from darts_tf.errors import InputError
from darts_tf.estimation import scoring


def check(flags, build: Callable) -> None:
    """Refuses what has more than --max_multiply_adds.

    The network is built and traced for it, which takes seconds; the random
    numbers of the run start anew after it.

    Args:
      flags: of an evaluation.
      build: (classes, (H, W, C)) -> the network.

    Raises:
      InputError: it has; or there is no such data set.
    """
    limit = flags.max_multiply_adds if "max_multiply_adds" in flags else 0
    if not limit:
        return
    shape, classes = describe_images(
        flags.dataset, data_dir=flags.data_dir, image_size=flags.image_size
    )
    count = scoring.multiply_adds(build(classes, shape), shape)
    keras.utils.set_random_seed(flags.seed)
    if count > limit:
        height, width, _ = shape
        raise InputError(
            f"the network has {count:,} multiply-adds on an image of "
            f"{height}x{width}, more than --max_multiply_adds={limit:,.0f}; "
            f"give fewer --channels or --layers, or a smaller --image_size"
        )
