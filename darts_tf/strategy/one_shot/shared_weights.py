"""A supernet evaluated and trained at prescribed mixing weights.

Derivation by perturbation, random search with shared weights and the
discretisation gap measure a supernet's accuracy at mixing weights of their
choice; the first two also train its weights there.

Accuracies are measured with the statistics of the batch, as in the code of
Wang et al. 2021: a supernet with other operations than before has other
activations than the ones its running statistics were collected on, and those
would punish the change itself instead of the loss of the operations. Hence
shuffled batches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
import tensorflow as tf

from darts_tf.descent import scores
from darts_tf.descent.precision import precision_by_name
from darts_tf.descent.replicas import Replicas
from darts_tf.descent.weights import WeightOptimizerState
from darts_tf.space.cell import SearchSpace
from darts_tf.strategy.darts import relaxation
from darts_tf.strategy.darts.bilevel import grad_w
from darts_tf.strategy.darts.execution import Execution, weights_of

Weights = Mapping[str, np.ndarray]
"""Mixing weights [edges, candidates] by cell; a row may be all zero."""


class SupernetAccuracy:
    """Measures the share of right answers at prescribed mixing weights.

    Args:
      cells_loss: loss(w, cells, batch, seed) of relaxation.cells_loss, or
        the same of a row of weights.
      space: of the supernet.
      kinds: the kind of each of its cells, in order.
      replicas: where it runs.
    """

    def __init__(
        self,
        cells_loss: Callable,
        space: SearchSpace,
        kinds: Sequence[str],
        replicas: Replicas,
    ):
        def count(w, rows, batch, seed):
            cells = relaxation.per_cell(rows, space, kinds)
            _, aux = cells_loss(w, cells, batch, seed)
            return scores.correct(aux["logits"], batch[1])

        self._count, self._replicas = replicas.compile(count), replicas
        self._space = space

    def __call__(
        self, w: list, weights: Weights, batches: Iterable, seed: int = 0
    ) -> float:
        """Returns the accuracy of a supernet with weights `w` on `batches`.

        Args:
          w: as the loss takes it.
          weights: at which it is measured.
          batches: (images [B, H, W, C], labels [B]).
          seed: decides the noise where candidates give some.
        """
        rows = tensors(self._space, weights)
        start = tf.constant([seed, 0], tf.int32)
        return scores.accuracy(
            lambda batch: self._count(w, rows, batch, start),
            batches,
            self._replicas,
        )


class SharedWeights:
    """The weights of a supernet of images, and their descent by SGD.

    Args:
      model: a built supernet; its own variables stay as they are.
      w: the weights to start from, as `weights_of(model)` has them.
      settings: with momentum, weight_decay, clip_norm of SGD,
        micro_batches (strategy/darts/micro_batches.py), and precision, the name
        of what the descent computes in; accuracies are of float32.
      replicas: where it runs.
    """

    def __init__(self, model, w: Sequence, settings, replicas: Replicas):
        self._space, self._replicas = model.space, replicas
        self._precision = precision_by_name(settings.precision)
        with replicas.scope():
            variables = [tf.Variable(value) for value in w]
        self._weights = WeightOptimizerState(
            variables, settings, self._precision, replicas
        )
        of_cells = weights_of(model).loss(relaxation.cells_loss(model))
        self._accuracy = SupernetAccuracy(of_cells, model.space, model.kinds, replicas)
        self._compile(of_cells, model, settings)

    def _compile(self, of_cells, model, settings) -> None:
        replicas = self._replicas

        def loss(w, rows, batch, seed):
            cells = relaxation.per_cell(rows, self._space, model.kinds)
            return of_cells(w, cells, batch, seed)

        self._loss = loss
        self._execution = Execution(
            replicas,
            settings.micro_batches,
            settings.precision,
            compiled=not model.plain_edges,
        )
        self._share = scores.compile_share(replicas)

    def descend(
        self, weights: Weights, batch, learning_rate: float, seed
    ) -> dict[str, object]:
        """Takes one step of w at these mixing weights; returns scalars by name.

        `seed` is two numbers, which decide what random operations give.
        """
        w, rows = self._weights.read(), tensors(self._space, weights)
        seed = tf.constant(seed, tf.int32)
        with self._execution.active():
            g, loss, aux = grad_w(self._loss, w, rows, batch, seed)
        skipped = self._weights.move(w, g, tf.constant(learning_rate, tf.float32))
        share = self._share(aux["logits"], batch[1])
        local = self._replicas.local
        scalars = {
            "train/loss": local(loss),
            "train/accuracy": local(share),
            "learning_rate": learning_rate,
        }
        if self._precision.guarded:
            scalars["train/skipped"] = local(skipped)
        return scalars

    def accuracy(self, weights: Weights, batches: Iterable, seed: int) -> float:
        """Returns the accuracy of the present w; see SupernetAccuracy."""
        return self._accuracy(self._weights.read(), weights, batches, seed)

    def groups(self) -> dict[str, Sequence[tf.Variable]]:
        """Returns all variables, for a checkpoint."""
        return self._weights.groups()


def tensors(space: SearchSpace, weights: Weights) -> list[tf.Tensor]:
    """Returns mixing weights as tensors, in the order of the space's cells."""
    return [tf.constant(weights[spec.name], tf.float32) for spec in space.cells]
