"""Windows of text that trainings and searches read."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from darts_tf.config import SearchConfig, TrainingConfig
from darts_tf.data.text import windows
from darts_tf.descent.replicas import Replicas
from darts_tf.errors import InputError


class Windows:
    """Windows of one text, split among the replicas."""

    def __init__(
        self,
        config: SearchConfig | TrainingConfig,
        tokens: np.ndarray,
        replicas: Replicas,
    ):
        replicas.check_batch(config.batch_size)
        self._config, self._tokens = config, tokens
        self._replicas = replicas

    def training(self, start_step: int):
        """Returns endless windows of bptt words or half of them."""
        return self._split(
            windows.training_windows(
                self._tokens,
                batch_size=self._config.batch_size,
                bptt=self._config.bptt,
                seed=self._config.seed,
                start_step=start_step,
            ),
            self._config.batch_size,
        )

    def validation(self, start_step: int):
        """Returns endless windows of one length."""
        return self._split(
            windows.validation_windows(
                self._tokens,
                batch_size=self._config.batch_size,
                bptt=self._config.bptt,
                start_step=start_step,
            ),
            self._config.batch_size,
        )

    def once(self, batch_size: int | None = None):
        """Returns the whole text, in `measured_batch` or `batch_size` streams."""
        size = batch_size or self._config.measured_batch
        dataset = windows.ordered_windows(
            self._tokens, batch_size=size, bptt=self._config.bptt
        )
        return self._split(dataset, size)

    def alike(self):
        """Returns the whole text in one stream, the same for each replica.

        Divided among them, a text would be one of several streams, whose first words
        are not predicted and whose states start from zero.
        """
        dataset = windows.ordered_windows(
            self._tokens, batch_size=1, bptt=self._config.bptt
        )
        count = self._replicas.count
        copies = dataset.map(
            lambda x, y, fresh: (tf.repeat(x, count, 0), tf.repeat(y, count, 0), fresh)
        )
        return self._split(copies, count)

    def _split(self, dataset, size: int):
        """Splits batches, with `fresh` for each stream."""
        each = dataset.map(lambda x, y, fresh: (x, y, tf.repeat(fresh, size)))
        return self._replicas.split(each, size)


def far_from(text, steps: int, config: SearchConfig, replicas: Replicas) -> Callable:
    """Returns alpha's windows of the text of w, half the text away from those of w."""
    every = Windows(config, text, replicas)
    return lambda start_step: every.validation(start_step + steps // 2)


def require(build: Callable, name: str) -> None:
    """Calls `build` now, so that it does not fail at the end of the first epoch."""
    try:
        build()
    except InputError as error:
        raise InputError(f"validation text, `{name}`: {error}") from error
