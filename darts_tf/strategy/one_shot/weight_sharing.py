"""Random search with weight sharing (Li and Talwalkar 2019, RandomNAS-WS).

There is no alpha. Each step draws a genotype at random (uniformly, as
strategy/black_box/random_choice.py does) and takes one step on the supernet's weights
that it uses: the mixing weights are one on its operations, zero elsewhere.
When the epochs are over, as many random genotypes as asked for are ranked by
the validation accuracy that they have with these weights, each of which is a
step of this loop too; the best one is what the search returns.

The accuracy is measured with the statistics of the batch
(strategy/one_shot/shared_weights.py); there are no running ones.

Departures: the authors rank in two stages (all on one batch, the best ten of
each thousand on the whole validation set); here all are measured on the same
batches. Their learning rate schedule and the supernet are those of DARTS, and
so are these.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable

import numpy as np

from darts_tf.descent.epochs import Epochs
from darts_tf.descent.replicas import Replicas
from darts_tf.descent.schedules import cosine
from darts_tf.descent.variables import load, named
from darts_tf.errors import InputError
from darts_tf.space.genotype import Genotype
from darts_tf.strategy.black_box.random_choice import random_genotype
from darts_tf.strategy.darts.discretisation import genotype_weights
from darts_tf.strategy.darts.execution import weights_of
from darts_tf.strategy.one_shot.shared_weights import SharedWeights

TRAINED, RANKED = 0, 1
"""The two random streams from which genotypes are drawn."""

WATCHED = 4
"""The number of candidates measured at the end of each epoch."""


@dataclasses.dataclass(frozen=True)
class WeightSharingSettings:
    """The protocol; for w that of DARTS unless noted.

    Attributes:
      epochs, steps_per_epoch, batch_size: of the weight steps.
      final_evaluations: N, how many genotypes are ranked (authors: 1,000 at
        a time).
      micro_batches: equal slices of a batch that are computed in turn.
      learning_rate, learning_rate_min: by cosine over the epochs.
      momentum, weight_decay, clip_norm: of SGD.
      precision: of the descent; one of descent.precision.PRECISIONS.
      seed: of all genotypes.
    """

    epochs: int
    steps_per_epoch: int
    batch_size: int
    final_evaluations: int = 1000
    micro_batches: int = 1
    learning_rate: float = 0.025
    learning_rate_min: float = 0.001
    momentum: float = 0.9
    weight_decay: float = 3e-4
    clip_norm: float = 5.0
    precision: str = "float32"
    seed: int = 0


class RandomWeightSharing(Epochs):
    """A search as a loop that can stop and continue anywhere.

    Steps after the last epoch rank one genotype each; `steps_per_epoch` of
    them count as an epoch, and the images per second mean nothing there.

    Args:
      model: a built supernet of images, whose weights are the start.
      settings: the protocol.
      train: given the number of finished steps, the batches
        (images [B, H, W, C], labels [B]) for w that follow, for ever.
      measured: the shuffled validation batches on which accuracy is
        measured, the same ones each time.
      replicas: where it runs.

    Attributes:
      worths: the accuracies of the genotypes that are ranked so far.
    """

    def __init__(
        self,
        model,
        settings: WeightSharingSettings,
        train: Callable[[int], Iterable],
        measured: Callable[[], Iterable],
        replicas: Replicas,
    ):
        super().__init__(settings)
        self.model, self.space = model, model.space
        self.worths: list[float] = []
        self._data, self._iterator = train, None
        self._measured = measured
        start = weights_of(model).values()
        self._shared = SharedWeights(model, start, settings, replicas)

    @property
    def trained_steps(self) -> int:
        """The number of steps on w before the ranking begins."""
        return self.settings.epochs * self.steps_per_epoch

    @property
    def total_steps(self) -> int:
        """The number of steps of the whole loop."""
        return self.trained_steps + self.settings.final_evaluations

    def trained(self, step: int) -> Genotype:
        """Returns the genotype that step `step`, from 0, descends on."""
        return self._drawn(TRAINED, step)

    def candidate(self, number: int) -> Genotype:
        """Returns the genotype with number `number`, from 0, in the ranking."""
        return self._drawn(RANKED, number)

    def _drawn(self, stream: int, number: int) -> Genotype:
        seed = (self.settings.seed, stream, number)
        return random_genotype(self.space, seed)

    def best_genotype(self) -> Genotype:
        """Returns the best genotype ranked so far; of equals the earliest."""
        return self.candidate(int(np.argmax(self.worths)))

    def advance(self) -> dict[str, object]:
        """Takes a step on w or ranks one genotype; returns scalars by name."""
        if self.step < self.trained_steps:
            scalars = self._descend()
        else:
            self.worths.append(self._worth(len(self.worths)))
            scalars: dict[str, object] = {"worth": self.worths[-1]}
        self.step += 1
        return scalars

    def _descend(self) -> dict[str, object]:
        settings = self.settings
        if self._iterator is None:
            self._iterator = iter(self._data(self.step))
        rate = cosine(
            settings.learning_rate,
            settings.learning_rate_min,
            self.epoch,
            settings.epochs,
        )
        weights = genotype_weights(self.space, self.trained(self.step))
        seed = settings.seed, self.step
        batch = next(self._iterator)
        return self._shared.descend(weights, batch, rate, seed)

    def _worth(self, number: int) -> float:
        """Returns the worth of a candidate with the present w."""
        return self.accuracy(self.candidate(number))

    def accuracy(self, genotype: Genotype) -> float:
        """Returns the supernet's accuracy with this genotype's operations alone."""
        weights = genotype_weights(self.space, genotype)
        batches = self._measured()
        return self._shared.accuracy(weights, batches, self.settings.seed)

    def end_epoch(self) -> dict[str, float]:
        """Measures the shared weights, or returns the best worth of the ranking.

        The former is the mean accuracy of the first few candidates.
        """
        if self.worths:
            return {"incumbent": max(self.worths)}
        watched = range(min(WATCHED, self.settings.final_evaluations))
        return {"valid/accuracy": float(np.mean([*map(self._worth, watched)]))}

    def state(self) -> dict[str, np.ndarray]:
        """Returns all arrays needed to continue exactly, by name."""
        worths = np.array(self.worths, np.float64)
        return named(self._shared.groups(), self.step) | {"worths": worths}

    def restore(self, arrays) -> None:
        """Restores a state; raises InputError if it does not fit."""
        shared = dict(arrays)
        worths = shared.pop("worths", None)
        step = int(shared.get("step", 0))
        if worths is None or len(worths) != max(step - self.trained_steps, 0):
            raise InputError(
                "the checkpoint is of no random search with weight sharing "
                "of this length; give another `workdir`"
            )
        self.step = load(self._shared.groups(), shared)
        self.worths, self._iterator = [float(x) for x in worths], None
