"""Decides a trained supernet's operations and tunes it in between.

The loop of Wang et al. 2021, algorithm 1 (strategy/one_shot/perturbation.py says what
is decided): a round is one step that decides, and the steps that let the
supernet recover: w descends on the training data, the mixing weights are
fixed. The last round only decides. run/loop/driver.py drives it.

Accuracies are measured with the statistics of the batch, as in the authors'
code (strategy/one_shot/shared_weights.py), on the same shuffled batches each time.

As in the authors' code: a tenth of the search's learning rate, from there by
cosine over all tuning epochs to the search's smallest one; new momentum;
every round decides an edge of each kind of cell.

Departures: alpha is fixed while tuning, as in the paper's algorithm (the
authors' code goes on to train what is left of it), so that the undecided
mixtures stay what the search found. The tuning after the last decision is
left out: nothing is measured after it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from darts_tf.descent.epochs import Epochs
from darts_tf.descent.replicas import Replicas
from darts_tf.descent.schedules import cosine
from darts_tf.descent.variables import load, named
from darts_tf.space.genotype import Genotype
from darts_tf.strategy.one_shot.perturbation import Selection
from darts_tf.strategy.one_shot.shared_weights import SharedWeights

RATE_SHARE = 0.1
"""The share of the search's learning rate with which tuning starts."""


@dataclasses.dataclass(frozen=True)
class PerturbationSettings:
    """The authors' protocol, completed by the search's own settings.

    Attributes:
      tune_epochs: passes over the training data between two decisions; 0
        for none.
      train_steps: steps of such a pass.
      batch_size: of a step.
      micro_batches: equal slices of a batch that are computed in turn.
      learning_rate, learning_rate_min: the search's, of w.
      momentum, weight_decay, clip_norm: of w.
      precision: of tuning; one of descent.precision.PRECISIONS.
      seed: of the order of the decisions.
    """

    tune_epochs: int
    train_steps: int
    batch_size: int
    learning_rate: float = 0.025
    learning_rate_min: float = 0.001
    momentum: float = 0.9
    weight_decay: float = 3e-4
    clip_norm: float = 5.0
    micro_batches: int = 1
    precision: str = "float32"
    seed: int = 0


class PerturbationLoop(Epochs):
    """A derivation as a loop that can stop and continue anywhere.

    An "epoch" is a round. The images per second that its driver reports have
    the time of the decisions in them.

    Args:
      model: a built networks.conv.Supernet.
      w: its trained weights, as `execution.weights_of` has them.
      weights: the trained mixing weights [edges, candidates] by cell.
      settings: the protocol.
      train: given the number of tuning steps done, the batches
        (images [B, H, W, C], labels [B]) that follow, for ever.
      measured: the shuffled validation batches on which accuracy is
        measured, the same ones each time.
      replicas: where it runs.
    """

    def __init__(
        self,
        model,
        w: Sequence[np.ndarray],
        weights: Mapping[str, np.ndarray],
        settings: PerturbationSettings,
        train: Callable[[int], Iterable],
        measured: Callable[[], Iterable],
        replicas: Replicas,
    ):
        super().__init__(settings)
        self.model, self.space = model, model.space
        self.selection = Selection(self.space, weights, settings.seed)
        self._data, self._iterator = train, None
        self._measured = measured
        self._shared = SharedWeights(model, w, settings, replicas)

    @property
    def steps_per_epoch(self) -> int:
        """The steps of a round: the decision and its tuning."""
        return 1 + self.settings.tune_epochs * self.settings.train_steps

    @property
    def total_steps(self) -> int:
        """The steps of the whole loop; the last round has no tuning."""
        return (self.selection.rounds - 1) * self.steps_per_epoch + 1

    def advance(self) -> dict[str, object]:
        """Takes a round's decisions, or a step of its tuning."""
        number, place = divmod(self.step, self.steps_per_epoch)
        if place == 0:
            self.selection.decide(number, self.accuracy)
            scalars = {}
        else:
            scalars = self._tune(self.step - number - 1)
        self.step += 1
        return scalars

    def accuracy(self, weights: Mapping[str, np.ndarray]) -> float:
        """Measures the supernet's accuracy with these mixing weights by cell."""
        batches = self._measured()
        return self._shared.accuracy(weights, batches, self.settings.seed)

    def _tune(self, done: int) -> dict[str, object]:
        """Takes one tuning step, after `done` of them."""
        if self._iterator is None:
            self._iterator = iter(self._data(done))
        batch, rate = next(self._iterator), self.learning_rate(done)
        seed = self.settings.seed, self.step
        weights = self.selection.weights()
        return self._shared.descend(weights, batch, rate, seed)

    def learning_rate(self, done: int) -> float:
        """Returns the learning rate of w after `done` tuning steps."""
        settings = self.settings
        start = RATE_SHARE * settings.learning_rate
        epochs = settings.tune_epochs * (self.selection.rounds - 1)
        return cosine(
            start,
            min(start, settings.learning_rate_min),
            done // settings.train_steps,
            epochs,
        )

    def genotype(self) -> Genotype:
        """Returns the genotype after all decisions so far."""
        return self.selection.genotype()

    def end_epoch(self) -> dict[str, object]:
        """Returns the round's decisions and the accuracy after its tuning."""
        number = (self.step - 1) // self.steps_per_epoch
        return {
            "valid/accuracy": self.accuracy(self.selection.weights()),
            "decided": self.selection.records(number),
        }

    def state(self) -> dict[str, np.ndarray]:
        """Returns all arrays needed to continue exactly, by name."""
        selection = self.selection.state().items()
        carried = {f"selection/{name}": array for name, array in selection}
        return named(self._shared.groups(), self.step) | carried

    def restore(self, arrays) -> None:
        """Restores a state; raises InputError if it does not fit."""
        carried = {n: a for n, a in arrays.items() if n.startswith("selection")}
        shared = {n: a for n, a in arrays.items() if n not in carried}
        step = load(self._shared.groups(), shared)
        self.selection.restore(
            {n.removeprefix("selection/"): a for n, a in carried.items()}
        )
        self.step, self._iterator = step, None
