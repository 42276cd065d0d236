"""Trains a genotype's network from scratch, to learn its worth.

The protocol of DARTS sect. 3.2 and A.2: random weights, auxiliary head,
cutout (data/images/augmentation.py), drop path that rises linearly, learning rate
to 0 by cosine. The result is the last epoch's. For ImageNet also label
smoothing (Szegedy et al. 2016) and other schedules (training_settings.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import tensorflow as tf

from darts_tf.descent import scores
from darts_tf.descent.epochs import Epochs
from darts_tf.descent.optimizers import SGD
from darts_tf.descent.precision import (
    precision_by_name,
    scaled_gradient,
    unscaled,
)
from darts_tf.descent.replicas import Replicas
from darts_tf.descent.schedules import linear
from darts_tf.descent.variables import grouped, numbered, snapshot
from darts_tf.estimation.training_settings import TrainingSettings
from darts_tf.networks.derived import separate
from darts_tf.networks.implementation import (
    FlatWeights,
    arrays_of,
    functional_call,
    row_of,
    set_differentiated_once,
)
from darts_tf.networks.running_statistics import RunningStatistics

TOP = 5
"""Number of answers of `top_accuracy`, of which one must be right."""


def cross_entropy(logits, labels, smoothing: float = 0.0):
    """Computes the mean cross-entropy of logits [B, K] and labels [B], in nats.

    The target is 1 - smoothing at the label plus smoothing / K everywhere.
    """
    each = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
    if smoothing:
        even = -tf.reduce_mean(tf.nn.log_softmax(logits), -1)
        each = (1 - smoothing) * each + smoothing * even
    return tf.reduce_mean(each)


def training_loss(
    model,
    auxiliary_weight: float,
    with_drop_path: bool,
    smoothing: float = 0.0,
):
    """Returns loss(w, batch, seed, drop_path) -> (loss, logits, statistics [N]).

    Cross-entropy of the network plus `auxiliary_weight` times that of its
    auxiliary head. Nothing is assigned; w and statistics are those of
    networks/compiled/functional_call.py.
    """

    def loss(w, batch, seed, drop_path):
        images, labels = batch
        outputs, seen = functional_call(
            model,
            w,
            images,
            drop_path=drop_path if with_drop_path else None,
            seed=seed,
            training=True,
        )
        logits, auxiliary = separate(outputs)
        value = cross_entropy(logits, labels, smoothing)
        if auxiliary is not None:
            second = cross_entropy(auxiliary, labels, smoothing)
            value += auxiliary_weight * second
        return value, logits, seen

    return loss


class Training(Epochs):
    """A loop over the steps of a training that can stop anywhere and resume exactly.

    Weights, momentum and running statistics are rows here: one update each
    in the place of a thousand. The model's own variables stay as they are.

    Args:
      model: a built evaluation network, created in the replicas' scope.
      settings: the protocol.
      batches: given the number of finished steps, the batches that follow.
      measured: the validation part once; None where there is none.
      replicas: where it runs.

    Attributes:
      best_accuracy, best_epoch: the best validation accuracy so far, to be
        shown as such; the result is the last epoch's.
    """

    def __init__(
        self,
        model,
        settings: TrainingSettings,
        batches: Callable[[int], Iterable],
        measured: Callable[[], Iterable] | None,
        replicas: Replicas,
    ):
        super().__init__(settings)
        self.model, self.genotype = model, model.genotype
        self.best_accuracy, self.best_epoch = 0.0, 0
        self._batches, self._measured = batches, measured
        self.replicas, self._iterator = replicas, None
        self._precision = precision_by_name(settings.precision)
        self._sgd = SGD(
            settings.momentum,
            settings.weight_decay,
            settings.clip_norm,
            guarded=self._precision.guarded,
        )
        self._layout = FlatWeights(model)
        self._statistics = RunningStatistics(model, replicas)
        with replicas.scope():
            self._w = tf.Variable(self._layout.packed())
            self._slot = tf.Variable(tf.zeros(self._w.shape), trainable=False)
        self._compile()

    def _compile(self) -> None:
        settings, replicas = self.settings, self.replicas
        precision, sgd = self._precision, self._sgd
        loss = self._layout.loss(
            training_loss(
                self.model,
                settings.auxiliary_weight,
                settings.drop_path > 0,
                settings.label_smoothing,
            )
        )

        def train(batch, seed, learning_rate, drop_path):
            w = [tf.identity(self._w)]
            if replicas.count > 1:
                replica = tf.distribute.get_replica_context()
                seed = seed + replica.replica_id_in_sync_group
            with (
                set_differentiated_once(),
                tf.GradientTape(watch_accessed_variables=False) as tape,
            ):
                tape.watch(w)
                batch = precision.narrowed(batch)
                value, logits, seen = loss(w, batch, seed, drop_path)
            g = scaled_gradient(tape, value, w, precision.scale)
            g = replicas.mean(unscaled(g, precision.scale))
            slots = [tf.identity(self._slot)]
            moved, slots = sgd.step(w, g, slots, learning_rate)
            replicas.assign([self._w, self._slot], [*moved, *slots])
            self._statistics.follow(seen)
            return replicas.mean([value])[0], logits, sgd.skipped(g)

        def answers(batch):
            logits, _ = self.model.stateless_call(
                self._layout.unpack([tf.identity(self._w)]),
                self._statistics.parts(),
                batch[0],
                training=False,
            )
            return logits

        def count(batch, first=1):
            return scores.correct(answers(batch), batch[1], first)

        self._train = replicas.compile(train)
        self._count = replicas.compile(count)
        self._count_among = replicas.compile(lambda batch: count(batch, TOP))
        self._confusion = replicas.compile(
            lambda batch: scores.confusion(answers(batch), batch[1])
        )
        self._share = scores.compile_share(replicas)

    def advance(self) -> dict[str, object]:
        """Takes one step of SGD; returns scalars by name."""
        if self._iterator is None:
            self._iterator = iter(self._batches(self.step))
        batch = next(self._iterator)
        settings, epoch = self.settings, self.epoch
        rate = settings.learning_rate_in(epoch)
        drop_path = linear(settings.drop_path, epoch, settings.epochs)
        loss, logits, skipped = self._train(
            batch,
            tf.constant([settings.seed, self.step], tf.int32),
            tf.constant(rate, tf.float32),
            tf.constant(drop_path, tf.float32),
        )
        accuracy = self._share(logits, batch[1])
        self.step += 1
        guarded, local = self._precision.guarded, self.replicas.local
        scalars = {"train/skipped": local(skipped)} if guarded else {}
        return scalars | {
            "train/loss": local(loss),
            "train/accuracy": local(accuracy),
            "learning_rate": rate,
            "drop_path": drop_path,
        }

    def accuracy(self, batches: Iterable) -> float:
        """Returns the share of correct answers, in inference mode."""
        return scores.accuracy(self._count, batches, self.replicas)

    def confusion(self, batches: Iterable) -> np.ndarray:
        """Returns the images by label (rows) and answer, int64 [K, K]."""
        return scores.confusions(self._confusion, batches, self.replicas)

    def top_accuracy(self, batches: Iterable) -> float:
        """Returns the share of labels that are among the TOP largest logits."""
        return scores.accuracy(self._count_among, batches, self.replicas)

    def end_epoch(self) -> dict[str, float]:
        """Measures the validation accuracy, if there is a validation part."""
        if self._measured is None:
            return {}
        share = self.accuracy(self._measured())
        if share > self.best_accuracy:
            self.best_accuracy = share
            self.best_epoch = self.epoch
        return {"valid/accuracy": share}

    def start_from_model(self) -> None:
        """Copies the weights and statistics that the model has now."""
        self._w.assign(self._layout.packed())
        self._statistics.start()

    def _rows(self) -> dict[str, tuple]:
        """Returns each row by name, with the shapes of the tensors in it."""
        shapes, statistics = self._layout.shapes, self._statistics
        return {
            "w": (self._w, shapes),
            "statistics": (statistics.row, statistics.shapes),
            "slots": (self._slot, shapes),
        }

    def state(self) -> dict[str, np.ndarray]:
        """Returns all arrays that an exact resume needs, by name.

        Rows are taken apart: a checkpoint holds the weights of the model.
        """
        groups = {
            name: arrays_of(snapshot([row])[0], shapes)
            for name, (row, shapes) in self._rows().items()
        }
        best = {
            "best_accuracy": np.float64(self.best_accuracy),
            "best_epoch": np.int64(self.best_epoch),
        }
        return numbered(groups, self.step) | best

    def restore(self, arrays) -> None:
        """Restores a state; raises InputError if its arrays do not fit."""
        arrays = dict(arrays)
        best = float(arrays.pop("best_accuracy", 0.0))
        epoch = int(arrays.pop("best_epoch", 0))
        rows = self._rows()
        shapes = {name: shapes for name, (_, shapes) in rows.items()}
        self.step, values = grouped(shapes, arrays)
        for name, (row, _) in rows.items():
            row.assign(row_of(values[name]))
        self.best_accuracy, self.best_epoch = best, epoch
        self._iterator = None
