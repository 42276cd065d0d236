"""Tasks: the network, data and measures that a search loop works on.

A task has the network, the data and what is measured; the loop has alpha,
the optimizers and the gradient. Images and text differ in nothing else.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

import numpy as np
import tensorflow as tf

from darts_tf.descent import scores
from darts_tf.descent.replicas import Replicas
from darts_tf.descent.variables import snapshot
from darts_tf.errors import InputError
from darts_tf.networks.running_statistics import RunningStatistics
from darts_tf.space.cell import SearchSpace
from darts_tf.strategy.darts import relaxation
from darts_tf.strategy.darts.execution import weights_of


class Task(Protocol):
    """A network, its data and its measures.

    Attributes:
      space: what is searched.
      units: what a batch consists of.
      w: the network's weights.
      train_loss, valid_loss: L_train and L_val as loss(w, alpha, batch,
        seed) -> (loss, aux); if `relaxed`, alpha stands for mixing weights.
      relaxed_loss: L_train of mixing weights.
      relaxed: whether losses, and `measure`, take mixing weights
        (strategy/darts/other_relaxations.py).
      cells_loss: L_train as loss(w, cells, batch, seed), cells being mixing
        weights for each cell of the network; None where it has one cell.
      kinds: the kind of each of the network's cells, in order.
      has_directional_derivatives: whether bilevel.forward_over_reverse
        computes the exact method's implicit term.
    """

    space: SearchSpace
    units: str
    w: list[tf.Variable]
    relaxed: bool
    train_loss: Callable
    valid_loss: Callable
    relaxed_loss: Callable
    cells_loss: Callable | None
    kinds: tuple[str, ...]
    has_directional_derivatives: bool

    def batches(self, step: int) -> tuple[object, object]:
        """Returns (a batch for L_train, one for L_val) of the step."""
        ...

    def fixed_batches(self) -> tuple[object, object]:
        """Returns the first batch for L_train and for L_val; moves nothing on."""
        ...

    def rate_factor(self, train) -> float:
        """Returns the factor of the learning rate for this batch."""
        ...

    def keep(self, train_aux, valid_aux) -> None:
        """Carries on what the aux of the step's two losses hold.

        valid_aux is None if L_val was not computed.
        """

    def scalars(self, train, loss, aux) -> Mapping[str, object]:
        """Returns the scalars of a step's L_train."""
        ...

    def measure(self, alpha) -> Mapping[str, float]:
        """Returns what is measured on the whole validation part."""
        ...

    def state(self) -> dict[str, np.ndarray]:
        """Returns what is carried from step to step, by name."""
        ...

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Sets the state."""


def checkpoint_array(arrays: Mapping[str, np.ndarray], name: str, shape) -> np.ndarray:
    """Returns an array of a checkpoint.

    Raises:
      InputError: it is not there, or has another shape.
    """
    if name not in arrays or arrays[name].shape != tuple(shape):
        raise InputError(
            f"the checkpoint does not fit this run: {name!r} should be "
            f"{list(shape)}; give another `workdir`"
        )
    return arrays[name]


class ImageTask:
    """Classification of images by a convolutional supernet, as a Task.

    w starts as the model's own weights, which stay as they are: one flat vector,
    or a list where the model has plain edges (execution.weights_of).

    Departures: the running statistics of batch norm follow weight steps only
    (in the authors' code architecture passes move them too, on validation
    batches and at perturbed weights).

    Args:
      model: a built networks.conv.Supernet, created in the replicas' scope.
      train, valid: given the number of finished steps, the batches
        (images [B, H, W, C], labels [B]) that follow, for ever.
      measured: the whole validation part once.
      replicas: where it runs.
      relaxed: see Task.
    """

    units = "images"

    def __init__(
        self,
        model,
        train: Callable[[int], Iterable],
        valid: Callable[[int], Iterable],
        measured: Callable[[], Iterable],
        replicas: Replicas,
        relaxed: bool = False,
    ):
        self.model, self.space = model, model.space
        self.relaxed = relaxed
        self._weights = weights_of(model)
        self.train_loss = self.valid_loss = self._weights.loss(
            relaxation.supernet_loss(model, relaxed)
        )
        self.relaxed_loss = self.train_loss
        if not relaxed:
            self.relaxed_loss = self._weights.loss(
                relaxation.supernet_loss(model, relaxed=True)
            )
        self.cells_loss: Callable | None = self._weights.loss(
            relaxation.cells_loss(model)
        )
        self.kinds, self.has_directional_derivatives = (
            model.kinds,
            model.has_directional_derivatives,
        )
        self._data = train, valid
        self._measured, self._replicas = measured, replicas
        self._iterators = self._fixed = None
        self._statistics = RunningStatistics(model, replicas)
        with replicas.scope():
            self.w = [tf.Variable(value) for value in self._weights.values()]
        self._follow = replicas.compile(self._statistics.follow)
        self._count_correct = replicas.compile(self._count)
        self._share = scores.compile_share(replicas)

    def batches(self, step: int):
        """See Task."""
        if self._iterators is None:
            self._iterators = [iter(data(step)) for data in self._data]
        train, valid = (next(iterator) for iterator in self._iterators)
        return train, valid

    def fixed_batches(self):
        """See Task."""
        if self._fixed is None:
            train, valid = (next(iter(data(0))) for data in self._data)
            self._fixed = train, valid
        return self._fixed

    def valid_batches(self, count: int) -> Iterable:
        """Returns the first `count` batches for L_val; moves nothing on."""
        return itertools.islice(self._data[1](0), count)

    def rate_factor(self, train) -> float:
        """See Task."""
        return 1.0

    def keep(self, train_aux, valid_aux) -> None:
        """Moves the running statistics towards those of the weight step's batch."""
        self._follow(train_aux["statistics"])

    def scalars(self, train, loss, aux):
        """Returns loss and accuracy."""
        share = self._share(aux["logits"], train[1])
        local = self._replicas.local
        return {"train/loss": local(loss), "train/accuracy": local(share)}

    def measure(self, alpha) -> dict[str, float]:
        """Measures the supernet's accuracy with running statistics."""
        share = scores.accuracy(
            lambda batch: self._count_correct(alpha, batch),
            self._measured(),
            self._replicas,
        )
        return {"valid/accuracy": share}

    def cells(self, alpha) -> list:
        """Returns mixing weights for the network's cells of what losses take."""
        return relaxation.cells_of(alpha, self.space, self.kinds, self.relaxed)

    def _count(self, alpha, batch):
        cells = self.cells(alpha)
        logits, _ = self.model.stateless_call(
            self._weights.unpack([tf.identity(v) for v in self.w]),
            self._statistics.parts(),
            batch[0],
            cells,
            training=False,
        )
        return scores.correct(logits, batch[1])

    def state(self) -> dict[str, np.ndarray]:
        """Returns the running statistics."""
        (row,) = snapshot([self._statistics.row])
        return {"statistics": row}

    def restore(self, arrays) -> None:
        """See Task."""
        row = self._statistics.row
        row.assign(checkpoint_array(arrays, "statistics", row.shape))
        self._iterators = None
