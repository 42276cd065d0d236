"""Instruments that measure a search at the end of each epoch.

An instrument is called with the search and gives scalars by name for the
epoch's record. None of them moves anything: batches come from streams of
their own, and every pass is a function of values.

"alignment" and "eigenvalue" look at one batch of each part, the same in every
epoch: the first of L_train's stream (augmented, as the search sees it) and
the first of L_val's. Batch norm uses the batch's statistics, as in training.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import tensorflow as tf

from darts_tf.descent.replicas import Replicas
from darts_tf.errors import InputError
from darts_tf.space.cell import SearchSpace
from darts_tf.strategy.darts import relaxation
from darts_tf.strategy.darts.bilevel import grad_alpha
from darts_tf.strategy.darts.discretisation import genotype_weights
from darts_tf.strategy.darts.execution import Execution
from darts_tf.strategy.darts.primitives import arithmetic
from darts_tf.strategy.diagnostics.collapse import counts, main_cell
from darts_tf.strategy.diagnostics.gradient_cosine import GradientCosine
from darts_tf.strategy.diagnostics.hessian import dominant_eigenvalue, hessian_product
from darts_tf.strategy.lambda_darts.alignment import mean_pairwise_cosine
from darts_tf.strategy.one_shot.shared_weights import SupernetAccuracy, tensors

GAP_BATCHES = 32
"""Batches of L_val's stream on which the discretisation gap is measured."""


def entropy(search) -> dict[str, float]:
    """Computes the entropy of the mixing weights by cell: mean over edges, in nats."""
    return {
        f"entropy/{name}": _mean_entropy(weights)
        for name, weights in search.architecture.mixing_weights().items()
    }


def _mean_entropy(weights: np.ndarray) -> float:
    """Computes the mean entropy of weights [edges, candidates], with 0 log 0 = 0."""
    weights = weights / weights.sum(-1, keepdims=True)  # sigmoids do not add up to 1
    safe = np.where(weights > 0, weights, 1.0)
    return float(-(weights * np.log(safe)).sum(-1).mean())


def skip_connections(search) -> dict[str, float]:
    """Counts the skip connections of the cells that would be derived now.

    In a space with noise (S4) that is counted too, in the same way. 1 of
    "collapsed" says that strategy/diagnostics/collapse.py would raise the alarm.
    """
    return counts(search.space, search.genotype())


class Alignment:
    """Measures the mean pairwise cosine of the normal cells' layer gradients.

    The layer gradients are those of L_train, and of L_val, with respect to
    the mixing weights of each normal cell (Movahedi et al. 2023). Costs two
    passes with gradients.

    Args:
      task: on images.
      replicas: where it runs.
      micro_batches: see strategy/darts/micro_batches.py.

    Raises:
      InputError: the network has fewer than two normal cells.
    """

    def __init__(self, task, replicas: Replicas, micro_batches: int = 1):
        places = normal_layers(task.space, task.kinds)
        self._execution = Execution(replicas, micro_batches)
        self._cells = arithmetic(lambda alpha: task.cells(alpha))
        self._cosine = arithmetic(
            lambda layers: mean_pairwise_cosine([layers[place] for place in places])
        )
        self._loss, self._local = task.cells_loss, replicas.local

    def __call__(self, search) -> dict[str, float]:
        """Returns "alignment/train" and "alignment/valid", each in [-1, 1]."""
        batches = search.task.fixed_batches()
        values = [float(self._alignment(search, batch)) for batch in batches]
        return dict(zip(("alignment/train", "alignment/valid"), values))

    def _alignment(self, search, batch):
        w, alpha = search.values()
        with self._execution.active():
            cells = self._cells(alpha)
            layers, _, _ = grad_alpha(self._loss, w, cells, batch, _seed(search))
            return self._local(self._cosine(layers))


class Eigenvalue:
    """Measures the dominant eigenvalue of the Hessian of L_val(w, alpha) in alpha.

    By power iteration from a start that the seed decides (Zela et al. 2020;
    strategy/diagnostics/hessian.py). Costs a product with the Hessian, some passes with
    gradients, for each iteration.

    Args:
      task: what is searched on.
      replicas: where it runs.
      micro_batches: see strategy/darts/micro_batches.py.
    """

    def __init__(self, task, replicas: Replicas, micro_batches: int = 1):
        self._execution = Execution(replicas, micro_batches)
        self._loss, self._local = task.valid_loss, replicas.local

    def __call__(self, search) -> dict[str, float]:
        """Returns the signed eigenvalue, its relative residual and its products."""
        w, alpha = search.values()
        _, batch = search.task.fixed_batches()
        seed = _seed(search)
        shapes = [a.shape for a in search.architecture.values()]

        def product(v: np.ndarray) -> np.ndarray:
            direction = _divided(v, shapes)
            with self._execution.active():
                parts = hessian_product(self._loss, w, alpha, batch, seed, direction)
            rows = [np.array(self._local(part)) for part in parts]
            return np.concatenate([row.ravel() for row in rows])

        generator = np.random.default_rng(search.settings.seed)
        size = sum(map(math.prod, shapes))
        result = dominant_eigenvalue(product, generator.standard_normal(size))
        return {
            "eigenvalue/dominant": result.value,
            "eigenvalue/residual": result.residual,
            "eigenvalue/products": result.products,
        }


def _divided(v: np.ndarray, shapes) -> list:
    """Splits a vector [N] into tensors of these shapes, those of alpha."""
    ends = np.cumsum([math.prod(shape) for shape in shapes])[:-1]
    parts = np.split(v.astype(np.float32), ends)
    return [tf.reshape(part, shape) for part, shape in zip(parts, shapes, strict=True)]


class Gap:
    """Measures the supernet's validation accuracy before and after discretisation.

    With the present mixing weights, and with those of the cells that would be
    derived now (strategy/darts/discretisation.py), on the first GAP_BATCHES batches
    of L_val's stream. Both with the batch's statistics and not the running
    ones, which are those of the mixed operations: so the gap is that of the
    operations alone, and "mixed" is not quite "valid/accuracy". Costs two
    passes without gradients over these batches.

    Args:
      task: on images.
      replicas: where it runs.
    """

    def __init__(self, task, replicas: Replicas):
        self._accuracy_of = SupernetAccuracy(
            task.cells_loss, task.space, task.kinds, replicas
        )

    def __call__(self, search) -> dict[str, float]:
        """Returns both accuracies, and the first less the second."""
        derived = genotype_weights(search.space, search.genotype())
        mixed = self._accuracy(search, search.architecture.mixing_weights())
        discrete = self._accuracy(search, derived)
        return {
            "gap/mixed_accuracy": mixed,
            "gap/derived_accuracy": discrete,
            "gap/accuracy": mixed - discrete,
        }

    def _accuracy(self, search, weights) -> float:
        w, _ = search.values()
        batches = search.task.valid_batches(GAP_BATCHES)
        return self._accuracy_of(w, weights, batches, search.settings.seed)


KINDS = {
    "entropy": lambda *_: entropy,
    "skip_connections": lambda *_: skip_connections,
    "alignment": Alignment,
    "eigenvalue": Eigenvalue,
    "gap": lambda task, replicas, *_: Gap(task, replicas),
    "gradient_cosine": lambda _, replicas, *__: GradientCosine(replicas),
}
"""The constructors of the instruments, by name."""

ON_IMAGES_ONLY = {
    "alignment": "a recurrent network has one cell and no layers to align",
    "gap": "the gap is one of accuracy, a language model has a perplexity",
}


def named_instruments(
    names: Sequence[str], task, replicas: Replicas, micro_batches: int = 1
) -> list[Callable]:
    """Returns a new instrument for each name of KINDS.

    Raises:
      InputError: an instrument has no meaning for the task.
    """
    for name, reason in ON_IMAGES_ONLY.items():
        if name in names and task.units != "images":
            raise InputError(
                f"`instruments={name}` means nothing with `space="
                f"{task.space.name}`: {reason}; leave it out"
            )
    chosen = [make for name, make in KINDS.items() if name in names]
    return [make(task, replicas, micro_batches) for make in chosen]


def normal_layers(space: SearchSpace, kinds: Sequence[str]) -> list[int]:
    """Returns the places, counted from 0, of a network's normal cells.

    Args:
      space: has normal cells, or cells of one kind only, which then count.
      kinds: the kind of each of the network's cells, in order.

    Raises:
      InputError: fewer than two, so that they cannot agree on anything.
    """
    name = main_cell(space).name
    places = [place for place, kind in enumerate(kinds) if kind == name]
    if len(places) < 2:
        raise InputError(
            f"the layer alignment compares {name} cells, of which a network "
            f"of {len(kinds)} cells has {len(places)}; it takes at least two: "
            f"give more `layers`"
        )
    return places


def _seed(search):
    """Returns the seed of random operations and dropout, the same in every epoch."""
    return tf.constant([search.settings.seed, 0], tf.int32)


def _cells(search, weights: Mapping[str, np.ndarray]) -> list:
    """Returns a tensor of mixing weights for each cell of the network."""
    rows = tensors(search.space, weights)
    return relaxation.per_cell(rows, search.space, search.task.kinds)
