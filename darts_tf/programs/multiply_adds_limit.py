"""Checks of `max_multiply_adds` and `max_parameters`, before anything costly."""

from __future__ import annotations

from collections.abc import Callable

import keras

from darts_tf.config import TrainingConfig
from darts_tf.data.images.loading import ImageData, describe_images
from darts_tf.errors import InputError
from darts_tf.networks.footprint import counts
from darts_tf.space.registry import is_chain


def check(
    config: TrainingConfig, build: Callable, data: ImageData | None = None
) -> None:
    """Refuses a network with more than `max_multiply_adds` or `max_parameters`.

    The network is built, and traced for its multiply-adds, which takes
    seconds; the random numbers of the run start anew after it.

    Args:
      config: of an evaluation.
      build: (classes, (H, W, C)) -> the network.
      data: the images; described by their name where None.

    Raises:
      InputError: the network has more, or there is no such data set.
    """
    if not config.max_multiply_adds and not config.max_parameters:
        return
    if data is None:
        shape, classes = describe_images(
            config.dataset, data_dir=config.data_dir, image_size=config.image_size
        )
    else:
        shape, classes = data.image_shape, data.num_classes
    network = build(classes, shape)
    if config.max_parameters:
        _refuse_above(config, "max_parameters", counts.parameters(network), shape)
    if config.max_multiply_adds:
        count = counts.multiply_adds(network, shape)
        _refuse_above(config, "max_multiply_adds", count, shape)
    keras.utils.set_random_seed(config.seed)


def _refuse_above(config: TrainingConfig, name: str, count: int, shape) -> None:
    limit, (height, width, _) = getattr(config, name), shape
    if count <= limit:
        return
    what, smaller = "parameters", "give fewer `channels` or `layers`"
    if is_chain(config.space):
        smaller = "give a smaller `width_multiplier`"
    if name == "max_multiply_adds":
        what = f"multiply-adds on an image of {height}x{width}"
        smaller += ", or a smaller `image_size`"
    raise InputError(
        f"the network has {count:,} {what}, more than `{name}={limit:,.0f}`; {smaller}"
    )
