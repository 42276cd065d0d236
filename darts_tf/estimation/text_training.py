"""Trains a recurrent genotype's language model from scratch, to learn its worth.

The protocol of DARTS sect. A.2.2 (and of Merity et al. 2018): SGD without
momentum until the validation loss has not improved for a while, then
averaged SGD (Polyak and Juditsky 1992), whose averaged weights are measured.

Departures: the test text is measured with the weights of the last epoch, averaged
once averaging has begun. The authors' code loads those of the best validation epoch
before it tests, and the paper's perplexities are by that rule.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable

import numpy as np
import tensorflow as tf

from darts_tf.descent import scores
from darts_tf.descent.epochs import Epochs
from darts_tf.descent.optimizers import SGD
from darts_tf.descent.replicas import Replicas
from darts_tf.descent.variables import load, named
from darts_tf.networks.language import (
    other_state,
    started,
    window_loss,
)
from darts_tf.space.genotype import Genotype


@dataclasses.dataclass(frozen=True)
class TextTrainingSettings:
    """Settings of a training; the defaults are the DARTS paper's for Penn Treebank.

    Attributes:
      epochs, steps_per_epoch, batch_size: of the training.
      bptt: words of a window for which the learning rate is meant.
      learning_rate: for a whole window; in proportion for others.
      weight_decay, clip_norm: of SGD.
      slowness: see networks.language.window_loss.
      patience: averaging starts when the validation loss is above the best
        of all epochs but the last `patience` ones.
      seed: decides the dropout masks.
    """

    epochs: int
    steps_per_epoch: int
    batch_size: int
    bptt: int = 35
    learning_rate: float = 20.0
    weight_decay: float = 8e-7
    clip_norm: float = 0.25
    slowness: float = 1e-3
    patience: int = 5
    seed: int = 0


def averaging_starts(earlier: list[float], now: float, patience: int) -> bool:
    """Returns True if the non-monotone trigger of Merity et al. 2018 starts averaging.

    Args:
      earlier: the validation loss of each earlier epoch.
      now: that of this epoch.
      patience: number of last epochs whose losses do not count.
    """
    return len(earlier) > patience and now > min(earlier[:-patience])


class TextTraining(Epochs):
    """A loop over the steps of a training that can stop anywhere and resume exactly.

    Args:
      model: a built language model around a DerivedCell.
      genotype: what the cell was derived from.
      settings: the protocol.
      windows: given the number of finished steps, the windows (inputs
        [B, T], targets [B, T], fresh [B]) that follow, for ever.
      measured: the validation text once, in such windows.
      measured_batch: their B.
      replicas: where it runs.

    Attributes:
      history: the validation cross-entropy of each epoch, in nats a word.
      step_by_step: compiled (ids [B, T], state [B, H]) -> (logits
        [T, B, V], state), with the averaged weights, in inference mode.
    """

    units = "sequences"

    def __init__(
        self,
        model,
        genotype: Genotype,
        settings: TextTrainingSettings,
        windows: Callable[[int], Iterable],
        measured: Callable[[], Iterable],
        measured_batch: int,
        replicas: Replicas,
    ):
        super().__init__(settings)
        self.model, self.genotype = model, genotype
        self.replicas = replicas
        self.history: list[float] = []
        self._windows, self._measured = windows, measured
        self._measured_batch = measured_batch
        self._sgd = SGD(0.0, settings.weight_decay, settings.clip_norm)
        self._iterator = None
        self._shape = (settings.batch_size, model.cell.state_size)
        self._hidden = replicas.divided(np.zeros(self._shape, np.float32))
        self._w = [v.value for v in model.trainable_variables]
        with replicas.scope():
            self._average = [
                tf.Variable(tf.convert_to_tensor(v), trainable=False) for v in self._w
            ]
        self._averaged = 0  # steps in the average
        self._averaging = False
        self._compile()

    def _compile(self) -> None:
        replicas, settings = self.replicas, self.settings

        def train(batch, seed, learning_rate, share):
            w = [tf.identity(v) for v in self._w]
            if replicas.count > 1:
                replica = tf.distribute.get_replica_context()
                seed = seed + replica.replica_id_in_sync_group
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(w)
                value, aux = window_loss(self.model, w, batch, seed, settings.slowness)
            g = [tf.convert_to_tensor(d) for d in tape.gradient(value, w)]
            moved, _ = self._sgd.step(w, replicas.mean(g), [], learning_rate)
            replicas.assign(self._w, moved)
            average = [
                a + share * (t - a) for a, t in zip(self._average, moved, strict=True)
            ]
            replicas.assign(self._average, average)
            nats = replicas.mean([aux["cross_entropy"]])[0]
            return replicas.mean([value])[0], nats, aux["hidden"]

        def measure(window, hidden):
            inputs, targets, fresh = window
            (logits, hidden, _), _ = self.model.stateless_call(
                [tf.identity(v) for v in self._average],
                other_state(self.model),
                inputs,
                started(hidden, fresh),
            )
            return scores.nats(logits, tf.transpose(targets)), hidden

        def step(ids, state):
            (logits, state, _), _ = self.model.stateless_call(
                [tf.identity(v) for v in self._average],
                other_state(self.model),
                ids,
                state,
            )
            return logits, state

        self.step_by_step = tf.function(step)
        self._train = replicas.compile(train)
        self._measure = replicas.compile(measure)

    def advance(self) -> dict[str, object]:
        """Takes one step of SGD; returns scalars by name."""
        if self._iterator is None:
            self._iterator = iter(self._windows(self.step))
        window, settings = next(self._iterator), self.settings
        words = self.replicas.local(window[0]).shape[1]
        rate = settings.learning_rate * words / settings.bptt
        self._averaged += 1 if self._averaging else 0
        loss, nats, self._hidden = self._train(
            (*window, self._hidden),
            tf.constant([settings.seed, self.step], tf.int32),
            tf.constant(rate, tf.float32),
            # Before averaging the "average" is the weights themselves.
            tf.constant(1 / max(self._averaged, 1), tf.float32),
        )
        self.step += 1
        return {
            "train/loss": self.replicas.local(loss),
            "train/perplexity": tf.exp(self.replicas.local(nats)),
            "learning_rate": rate,
        }

    def perplexity(self, windows: Iterable, batch: int) -> float:
        """Returns the perplexity of a text, with averaged weights, without dropout.

        Args:
          windows: (inputs [B, T], targets [B, T], fresh [B]), the text once.
          batch: their B.
        """
        zeros = np.zeros((batch, self._shape[1]), np.float32)
        hidden = self.replicas.divided(zeros)
        return math.exp(
            scores.cross_entropy(self._measure, windows, hidden, self.replicas)
        )

    def end_epoch(self) -> dict[str, float]:
        """Measures the validation perplexity; starts the averaging when it is due."""
        perplexity = self.perplexity(self._measured(), self._measured_batch)
        now = math.log(perplexity)
        if averaging_starts(self.history, now, self.settings.patience):
            self._averaging = True
        self.history.append(now)
        return {
            "valid/perplexity": perplexity,
            "averaging": float(self._averaging),
        }

    def _groups(self) -> dict[str, list]:
        return {"w": self._w, "average": self._average}

    def state(self) -> dict[str, np.ndarray]:
        """Returns all arrays that an exact resume needs, by name."""
        return named(self._groups(), self.step) | {
            "hidden": self.replicas.joined(self._hidden),
            "history": np.array(self.history),
            "averaged": np.int64(self._averaged),
            "averaging": np.int64(self._averaging),
        }

    def restore(self, arrays) -> None:
        """Restores a state; raises InputError if its arrays do not fit."""
        arrays = dict(arrays)
        others = {
            name: arrays.pop(name, np.zeros(()))
            for name in ("hidden", "history", "averaged", "averaging")
        }
        self.step = load(self._groups(), arrays)
        self._hidden = self.replicas.divided(others["hidden"])
        self.history = [float(value) for value in others["history"]]
        self._averaged = int(others["averaged"])
        self._averaging = bool(others["averaging"])
        self._iterator = None
