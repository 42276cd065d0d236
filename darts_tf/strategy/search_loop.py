"""Algorithm 1 of DARTS: alternate steps on alpha and on w.

Each step takes one batch of each half of the training data: first alpha
moves along the architecture gradient (strategy/bilevel.py), then w along
grad_w L_train. The loop yields numbers and knows no logger; run/driver.py
drives it.

Departures: the running statistics of batch norm follow weight steps only
(in the authors' code architecture passes move them too, on validation
batches and at perturbed weights).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable

import numpy as np
import tensorflow as tf

from darts_tf.descent import scores
from darts_tf.descent.epochs import Epochs
from darts_tf.descent.optimizers import SGD, Adam
from darts_tf.descent.replicas import Replicas
from darts_tf.descent.schedules import cosine
from darts_tf.descent.variables import load, named, snapshot
from darts_tf.networks.batch_norm import MOMENTUM
from darts_tf.space.genotype import Genotype
from darts_tf.strategy import bilevel, derivation, relaxation


@dataclasses.dataclass(frozen=True)
class SearchSettings:
    """The paper's protocol (DARTS sect. A.1.1) unless said otherwise.

    Attributes:
      method: one of bilevel.METHODS.
      epochs, steps_per_epoch, batch_size: of the weight steps.
      learning_rate, learning_rate_min: of w, by cosine over the epochs.
      momentum, weight_decay, clip_norm: of w.
      alpha_learning_rate, alpha_weight_decay: of alpha, by Adam with betas
        (0.5, 0.999).
      seed: of alpha's start.
    """

    method: str
    epochs: int
    steps_per_epoch: int
    batch_size: int
    learning_rate: float = 0.025
    learning_rate_min: float = 0.001
    momentum: float = 0.9
    weight_decay: float = 3e-4
    clip_norm: float = 5.0
    alpha_learning_rate: float = 3e-4
    alpha_weight_decay: float = 1e-3
    seed: int = 0


@dataclasses.dataclass(frozen=True)
class SearchBatches:
    """Where batches come from; each gives (images, labels) for ever.

    Attributes:
      train, valid: given the number of finished steps, the batches of the
        steps that follow.
      measured: the whole validation part once, to measure accuracy on.
    """

    train: Callable[[int], Iterable]
    valid: Callable[[int], Iterable]
    measured: Callable[[], Iterable]


class Search(Epochs):
    """A search as a loop that can stop anywhere and go on exactly there.

    Args:
      model: a built supernet, created in the replicas' scope.
      settings: the protocol.
      batches: the data.
      replicas: where it runs.
    """

    def __init__(
        self,
        model,
        settings: SearchSettings,
        batches: SearchBatches,
        replicas: Replicas,
    ):
        super().__init__(settings)
        self.model, self.space = model, model.space
        self._batches, self._replicas = batches, replicas
        self._train = self._valid = None
        self._sgd = SGD(
            settings.momentum, settings.weight_decay, settings.clip_norm
        )
        self._adam = Adam(
            settings.alpha_learning_rate,
            weight_decay=settings.alpha_weight_decay,
        )
        self._gradient = bilevel.ArchitectureGradient(
            relaxation.supernet_loss(model),
            settings.method,
            replicas.compile,
            replicas.mean,
        )
        self._create_variables()
        self._compile()

    def _create_variables(self) -> None:
        start = relaxation.initial_alpha(self.space, self.settings.seed)
        with self._replicas.scope():
            self._w = [v.value for v in self.model.trainable_variables]
            self._alpha = [tf.Variable(rows) for rows in start]
            self._w_slots = [
                tf.Variable(s, trainable=False)
                for s in self._sgd.slots([tf.zeros(v.shape) for v in self._w])
            ]
            self._alpha_slots = [
                tf.Variable(s, trainable=False)
                for s in self._adam.slots([tf.constant(a) for a in start])
            ]
            # The running statistics of batch norm, in one row [N].
            found = [v.value for v in self.model.non_trainable_variables]
            self._lengths = [v.shape[0] for v in found]
            row = tf.concat([tf.convert_to_tensor(v) for v in found], 0)
            self._statistics = tf.Variable(row, trainable=False)

    def _compile(self) -> None:
        replicas, sgd, adam = self._replicas, self._sgd, self._adam

        def read(variables):
            return replicas.compile(
                lambda: [tf.identity(v) for v in variables]
            )

        def move_alpha(gradient):
            moved, slots = adam.step(
                [tf.identity(a) for a in self._alpha],
                gradient,
                [tf.identity(s) for s in self._alpha_slots],
            )
            replicas.assign(self._alpha, moved)
            replicas.assign(self._alpha_slots, slots)

        def move_w(w, gradient, slots, learning_rate, statistics):
            moved, slots = sgd.step(w, gradient, slots, learning_rate)
            replicas.assign(self._w, moved)
            replicas.assign(self._w_slots, slots)
            (seen,) = replicas.mean([statistics])
            running = MOMENTUM * self._statistics + (1 - MOMENTUM) * seen
            replicas.assign([self._statistics], [running])

        def count_correct(alpha, batch):
            weights = relaxation.mixing_weights(alpha)
            cells = relaxation.per_cell(weights, self.space, self.model.kinds)
            logits, _ = self.model.stateless_call(
                [tf.identity(v) for v in self._w],
                tf.split(tf.identity(self._statistics), self._lengths),
                batch[0],
                cells,
                training=False,
            )
            return scores.correct(logits, batch[1])

        self._read_w, self._read_slots = read(self._w), read(self._w_slots)
        self._read_alpha = read(self._alpha)
        self._move_alpha = replicas.compile(move_alpha)
        self._move_w = replicas.compile(move_w)
        self._count_correct = replicas.compile(count_correct)
        self._share_correct = scores.compile_share(replicas)

    def alpha(self) -> list[np.ndarray]:
        """The present alpha: [edges, candidates] for each of the cells."""
        return snapshot(self._alpha)

    def mixing_weights(self) -> dict[str, np.ndarray]:
        """The present mixing weights [edges, candidates] by cell."""
        rows = map(derivation.softmax, self.alpha())
        names = [spec.name for spec in self.space.cells]
        return dict(zip(names, rows, strict=True))

    def genotype(self) -> Genotype:
        """The genotype that would be derived now."""
        return derivation.derive(self.space, self.alpha())

    def advance(self) -> dict[str, object]:
        """One step on alpha, then one on w; scalars by name."""
        if self._train is None:
            self._train = iter(self._batches.train(self.step))
            self._valid = iter(self._batches.valid(self.step))
        train, valid = next(self._train), next(self._valid)
        rate = self.learning_rate()
        seed = tf.constant([self.settings.seed, self.step], tf.int32)
        w, slots = self._read_w(), self._read_slots()
        step = tf.constant(rate, tf.float32)
        gradient, valid_loss, _ = self._gradient(
            w,
            self._read_alpha(),
            train,
            valid,
            seed,
            bilevel.Unroll(self._sgd, slots, step),
        )
        self._move_alpha(gradient)
        g, loss, aux = self._gradient.weight_gradient(
            w, self._read_alpha(), train, seed
        )
        self._move_w(w, g, slots, step, aux["statistics"])
        accuracy = self._share_correct(aux["logits"], train[1])
        self.step += 1
        return {
            "train/loss": self._replicas.local(loss),
            "train/accuracy": self._replicas.local(accuracy),
            "valid/loss": self._replicas.local(valid_loss),
            "learning_rate": rate,
        }

    def learning_rate(self) -> float:
        """Of w, at the present step."""
        settings = self.settings
        return cosine(
            settings.learning_rate,
            settings.learning_rate_min,
            self.epoch,
            settings.epochs,
        )

    def end_epoch(self) -> dict[str, float]:
        """The supernet's accuracy on the whole validation part."""
        alpha = self._read_alpha()
        share = scores.accuracy(
            lambda batch: self._count_correct(alpha, batch),
            self._batches.measured(),
            self._replicas,
        )
        return {"valid/accuracy": share}

    def _groups(self) -> dict[str, list]:
        return {
            "w": self._w,
            "statistics": [self._statistics],
            "w_slots": self._w_slots,
            "alpha": self._alpha,
            "alpha_slots": self._alpha_slots,
        }

    def state(self) -> dict[str, np.ndarray]:
        """All that is needed to go on exactly, by name."""
        return named(self._groups(), self.step)

    def restore(self, arrays) -> None:
        """Takes up a state; InputError where it does not fit."""
        self.step = load(self._groups(), arrays)
        self._train = self._valid = None
