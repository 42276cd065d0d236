"""Algorithm 1 of DARTS: alternate steps on alpha and on w.

Each step takes one batch of each half of the training data: first alpha
moves along the architecture gradient (strategy/bilevel.py), then w along
grad_w L_train. The loop knows neither images nor words (strategy/tasks.py),
yields numbers and knows no logger; run/driver.py drives it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import tensorflow as tf

from darts_tf.descent.epochs import Epochs
from darts_tf.descent.optimizers import SGD, Adam
from darts_tf.descent.replicas import Replicas
from darts_tf.descent.schedules import cosine
from darts_tf.descent.variables import load, named, snapshot
from darts_tf.space.genotype import Genotype
from darts_tf.strategy import bilevel, derivation, relaxation
from darts_tf.strategy.early_stopping import EarlyStopping, Stop
from darts_tf.strategy.tasks import Task


@dataclasses.dataclass(frozen=True)
class SearchSettings:
    """The paper's protocol for images (DARTS sect. A.1.1) by default.

    Attributes:
      method: one of bilevel.METHODS.
      epochs, steps_per_epoch, batch_size: of the weight steps.
      learning_rate, learning_rate_min: of w, by cosine over the epochs.
      momentum, weight_decay, clip_norm: of w.
      alpha_learning_rate, alpha_weight_decay, alpha_beta1: of alpha, by Adam
        with betas (alpha_beta1, 0.999).
      seed: of alpha's start and of dropout.
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
    alpha_beta1: float = 0.5
    seed: int = 0


class Search(Epochs):
    """A search as a loop that can stop anywhere and go on exactly there.

    Args:
      task: the network and its data.
      settings: the protocol.
      replicas: where it runs.
      instruments: called with the search at each epoch's end; the scalars
        that they give join the epoch's record. They change nothing.
      early_stopping: ends the search before its last epoch; None: never.
    """

    def __init__(
        self,
        task: Task,
        settings: SearchSettings,
        replicas: Replicas,
        instruments: Sequence[
            Callable[[Search], Mapping[str, float]]
        ] = (),
        early_stopping: EarlyStopping | None = None,
    ):
        super().__init__(settings)
        self.task, self.space = task, task.space
        self.units = task.units
        self._instruments = tuple(instruments)
        self._early_stopping = early_stopping
        self._replicas = replicas
        self._sgd = SGD(
            settings.momentum, settings.weight_decay, settings.clip_norm
        )
        self._adam = Adam(
            settings.alpha_learning_rate,
            settings.alpha_beta1,
            weight_decay=settings.alpha_weight_decay,
        )
        self._gradient = bilevel.ArchitectureGradient(
            task.train_loss,
            settings.method,
            replicas.compile,
            replicas.mean,
            valid_loss=task.valid_loss,
        )
        self._create_variables()
        self._compile()

    def _create_variables(self) -> None:
        start = relaxation.initial_alpha(self.space, self.settings.seed)
        self._w = self.task.w
        with self._replicas.scope():
            self._alpha = [tf.Variable(rows) for rows in start]
            self._w_slots = [
                tf.Variable(s, trainable=False)
                for s in self._sgd.slots([tf.zeros(v.shape) for v in self._w])
            ]
            self._alpha_slots = [
                tf.Variable(s, trainable=False)
                for s in self._adam.slots([tf.constant(a) for a in start])
            ]

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

        def move_w(w, gradient, slots, learning_rate):
            moved, slots = sgd.step(w, gradient, slots, learning_rate)
            replicas.assign(self._w, moved)
            replicas.assign(self._w_slots, slots)

        self._read_w, self._read_slots = read(self._w), read(self._w_slots)
        self._read_alpha = read(self._alpha)
        self._move_alpha = replicas.compile(move_alpha)
        self._move_w = replicas.compile(move_w)

    def values(self) -> tuple[list, list]:
        """The present w and alpha as losses take them: lists of tensors."""
        return self._read_w(), self._read_alpha()

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

    def found(self) -> Genotype:
        """What a finished search returns.

        The present genotype, unless early stopping goes back to another.
        """
        if self.stop is None:
            return self.genotype()
        return self._early_stopping.genotype()

    @property
    def stop(self) -> Stop | None:
        """That and why the search ended early; None where it did not."""
        watching = self._early_stopping
        return None if watching is None else watching.stop

    @property
    def total_steps(self) -> int:
        """Steps of the whole loop; they become fewer where it ends early."""
        if self.stop is not None:
            return self.stop.epoch * self.steps_per_epoch
        return super().total_steps

    def advance(self) -> dict[str, object]:
        """One step on alpha, then one on w; scalars by name."""
        train, valid = self.task.batches(self.step)
        rate = self.learning_rate() * self.task.rate_factor(train)
        seed = tf.constant([self.settings.seed, self.step], tf.int32)
        w, slots = self._read_w(), self._read_slots()
        step = tf.constant(rate, tf.float32)
        unroll = bilevel.Unroll(self._sgd, slots, step)
        gradient, valid_loss, valid_aux = self._gradient(
            w, self._read_alpha(), train, valid, seed, unroll
        )
        self._move_alpha(gradient)
        g, loss, aux = self._gradient.weight_gradient(
            w, self._read_alpha(), train, seed
        )
        self._move_w(w, g, slots, step)
        self.task.keep(aux, valid_aux)
        self.step += 1
        return {
            **self.task.scalars(train, loss, aux),
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
        """What the task measures on the whole validation part, and more.

        After it, in their order, what the instruments show.
        """
        record = dict(self.task.measure(self._read_alpha()))
        for instrument in self._instruments:
            record |= instrument(self)
        if self._early_stopping is not None:
            self._early_stopping.end_epoch(
                self.epoch, self.genotype(), record
            )
        return record

    def _groups(self) -> dict[str, list]:
        return {
            "w": self._w,
            "w_slots": self._w_slots,
            "alpha": self._alpha,
            "alpha_slots": self._alpha_slots,
        }

    def _parts(self) -> dict:
        """What carries a state of its own."""
        parts = {"task": self.task, "early_stopping": self._early_stopping}
        return {n: part for n, part in parts.items() if part is not None}

    def state(self) -> dict[str, np.ndarray]:
        """All that is needed to go on exactly, by name."""
        carried = {
            f"{name}/{n}": array
            for name, part in self._parts().items()
            for n, array in part.state().items()
        }
        return named(self._groups(), self.step) | carried

    def restore(self, arrays) -> None:
        """Takes up a state; InputError where it does not fit."""
        own = dict(arrays)
        for name, part in self._parts().items():
            prefix = f"{name}/"
            carried = [n for n in arrays if n.startswith(prefix)]
            part.restore({n.removeprefix(prefix): own.pop(n) for n in carried})
        self.step = load(self._groups(), own)
