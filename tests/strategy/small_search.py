"""A search of the smallest size, on random images."""

from __future__ import annotations

from collections.abc import Iterator

import keras
import numpy as np
import tensorflow as tf

from darts_tf.descent.replicas import Replicas
from darts_tf.networks.conv import Supernet
from darts_tf.space.cell import SearchSpace
from darts_tf.strategy.darts import search_loop, tasks
from tests.strategy.small_space import SMALLER


def batches(start: int) -> Iterator:
    """Four images of each step from `start` on."""
    for step in range(start, 100):
        rng = np.random.default_rng(step)
        images = rng.standard_normal((4, 8, 8, 1)).astype(np.float32)
        yield tf.constant(images), tf.constant([0, 1, 2, 1])


def small_search(
    method: str,
    *more,
    compiled: bool = True,
    space: SearchSpace = SMALLER,
    layers: int = 3,
    **settings,
) -> search_loop.Search:
    """Three epochs of two steps; `more` of Search's arguments."""
    keras.utils.set_random_seed(0)
    relaxation = settings.get("relaxation", "softmax")
    single = relaxation == "gumbel"
    net = Supernet(space, 1, layers, 3, compiled=compiled, single_path=single)
    net.build((None, 8, 8, 1))
    replicas = Replicas("one_device")
    task = tasks.ImageTask(
        net,
        batches,
        batches,
        lambda: [next(batches(50))],
        replicas,
        relaxed=relaxation != "softmax",
    )
    chosen = search_loop.SearchSettings(method, 3, 2, 4, compiled=compiled, **settings)
    return search_loop.Search(task, chosen, replicas, *more)
