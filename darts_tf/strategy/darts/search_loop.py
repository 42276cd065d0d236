"""Repeats algorithm 1 as a search that can stop anywhere and go on exactly there.

The loop knows neither images nor words (strategy/darts/tasks.py), yields numbers
and knows no logger; run/loop/driver.py drives it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import tensorflow as tf

from darts_tf.descent.epochs import Epochs
from darts_tf.descent.optimizers import Adam
from darts_tf.descent.precision import precision_by_name
from darts_tf.descent.replicas import Replicas
from darts_tf.descent.variables import load, named
from darts_tf.descent.weights import WeightOptimizerState
from darts_tf.space.genotype import Genotype
from darts_tf.strategy.darts.architecture import Architecture
from darts_tf.strategy.darts.cost_penalty import CostPenalty
from darts_tf.strategy.darts.execution import Execution
from darts_tf.strategy.darts.search import Algorithm1, Step
from darts_tf.strategy.darts.search_settings import SearchSettings
from darts_tf.strategy.darts.tasks import Task
from darts_tf.strategy.diagnostics.early_stopping import EarlyStopping, Stop

INSTRUMENTS = "instruments/"
"""Prefix of the arrays of instruments that are part of a search's state."""


class Unmoved:
    """alpha or w, read but not moved: for tracing a step ahead of it."""

    def __init__(self, variables):
        self._variables = variables

    def __getattr__(self, name: str):
        return getattr(self._variables, name)

    def move(self, *_) -> None:
        """Leaves them as they are."""


class Search(Epochs):
    """A search as a loop that can stop anywhere and go on exactly there.

    Args:
      task: the network and its data.
      settings: the protocol.
      replicas: where it runs.
      instruments: called with the search at each epoch's end; the scalars
        that they give join the epoch's record. They change nothing.
      early_stopping: ends the search before its last epoch; None: never.
      cost_penalty: draws alpha towards cheaper networks; None: it does not.

    Attributes:
      cost_penalty: as given.
      weights: w.
      architecture: alpha; its temperature is that of the epoch that the last
        step was in.

    Raises:
      InputError: a regulariser that the task's network has not enough cells
        for.
    """

    def __init__(
        self,
        task: Task,
        settings: SearchSettings,
        replicas: Replicas,
        instruments: Sequence[Callable[[Search], Mapping[str, float]]] = (),
        early_stopping: EarlyStopping | None = None,
        cost_penalty: CostPenalty | None = None,
    ):
        super().__init__(settings)
        self.task, self.space = task, task.space
        self.units = task.units
        self._instruments = tuple(instruments)
        self._watching = [i for i in instruments if hasattr(i, "watch")]
        self._early_stopping = early_stopping
        self.cost_penalty = cost_penalty
        self._replicas = replicas
        self._precision = precision_by_name(settings.precision)
        self.execution = Execution(
            replicas, settings.micro_batches, settings.precision, settings.compiled
        )
        self.weights = WeightOptimizerState(task.w, settings, self._precision, replicas)
        self.architecture = Architecture(
            self.space,
            settings.seed,
            settings.partial_channels > 1,
            self._alpha_optimizer(),
            replicas,
            settings.relaxation,
        )
        for instrument in self._watching:
            instrument.watch(self.architecture)
        self.algorithm = Algorithm1(task, settings, replicas, cost_penalty)
        self._traced = False

    def _alpha_optimizer(self):
        settings = self.settings
        return Adam(
            settings.alpha_learning_rate,
            settings.alpha_beta1,
            weight_decay=settings.alpha_weight_decay,
            guarded=self._precision.guarded,
        )

    def values(self) -> tuple[list, list]:
        """Returns the present w, and alpha's mean, as losses take them: tensors."""
        return self.weights.read(), self.architecture.mean()

    def genotype(self) -> Genotype:
        """Returns the genotype that would be derived now."""
        return self.architecture.genotype()

    def final_genotype(self) -> Genotype:
        """Returns the result of a finished search.

        The present genotype, unless early stopping goes back to another.
        """
        if self._early_stopping is None or self.stop is None:
            return self.genotype()
        return self._early_stopping.genotype()

    @property
    def stop(self) -> Stop | None:
        """The reason why the search ended early; None if it did not."""
        watching = self._early_stopping
        return None if watching is None else watching.stop

    @property
    def total_steps(self) -> int:
        """The steps of the whole loop; fewer if it ends early."""
        if self.stop is not None:
            return self.stop.epoch * self.steps_per_epoch
        return super().total_steps

    def advance(self) -> dict[str, object]:
        """Takes one step on alpha, then one on w; returns scalars by name."""
        (train, valid), rate, seed = self._begin_step()
        values = train, valid, seed, tf.constant(rate, tf.float32), self.epoch
        moves_alpha = self.epoch >= self.settings.warmup_epochs
        first = moves_alpha and not self._traced
        self._traced |= moves_alpha
        ahead = contextlib.nullcontext()
        if first:
            held = Unmoved(self.architecture), Unmoved(self.weights)
            ahead = self.execution.traced_ahead(
                lambda: self.algorithm.step(*held, *values)
            )
        with self.execution.active(), ahead:
            step = self.algorithm.step(self.architecture, self.weights, *values)
        self.task.keep(step.train_aux, step.valid_aux)
        if moves_alpha:
            self._adapt_cost()
        scalars = self._scalars(train, step)
        self.step += 1
        return {**scalars, "learning_rate": rate}

    def alpha_scalars(self) -> dict[str, float]:
        """Returns what the present epoch does to alpha, by name."""
        algorithm = self.algorithm
        parts = (
            algorithm.relaxation,
            algorithm.alpha_regularizer,
            algorithm.perturbation,
        )
        return {n: v for part in parts for n, v in part.scalars(self.epoch).items()}

    def _adapt_cost(self) -> None:
        if self.cost_penalty is not None:
            self.cost_penalty.adapt(self.architecture.read())

    def _scalars(self, train, step: Step) -> dict[str, object]:
        local = self._replicas.local
        scalars = {**self.task.scalars(train, step.train_loss, step.train_aux)}
        scalars |= self.algorithm.regularizer.scalars(step.train_aux, self.epoch)
        scalars |= self.alpha_scalars()
        if self._precision.guarded:
            scalars["valid/skipped"] = local(step.alpha_skipped)
            scalars["train/skipped"] = local(step.w_skipped)
        if step.valid_loss is not None:
            scalars["valid/loss"] = local(step.valid_loss)
        return scalars

    def _begin_step(self):
        """Returns (batches, learning rate of w, seed) of the step; sets T."""
        settings = self.settings
        self.architecture.temperature = settings.temperature_in(self.epoch)
        train, valid = self.task.batches(self.step)
        rate = settings.learning_rate_in(self.epoch)
        rate *= self.task.rate_factor(train)
        seed = tf.constant([settings.seed, self.step], tf.int32)
        return (train, valid), rate, seed

    def end_epoch(self) -> dict[str, float]:
        """Returns what the task measures on the whole validation part.

        With the temperature, if it is annealed, and the instruments' scalars.
        """
        record = dict(self.task.measure(self.architecture.mean()))
        if self.settings.temperature_end != 1:
            record["temperature"] = self.architecture.temperature
        if self.cost_penalty is not None:
            alpha = self.architecture.read()
            record |= self.cost_penalty.scalars(alpha, self.genotype())
        for instrument in self._instruments:
            record |= instrument(self)
        if self._early_stopping is not None:
            self._early_stopping.end_epoch(self.epoch, self.genotype(), record)
        return record

    def _groups(self) -> dict[str, Sequence[tf.Variable]]:
        groups: dict[str, Sequence[tf.Variable]] = {
            **self.weights.groups(),
            "alpha": self.architecture.variables,
            "alpha_slots": self.architecture.slots,
        }
        if self.cost_penalty is not None:
            groups["cost_multipliers"] = [self.cost_penalty.multipliers]
        return groups

    def _parts(self) -> dict:
        """Returns the parts whose state is saved with the search, by name."""
        parts = {"task": self.task, "early_stopping": self._early_stopping}
        parts |= {f"{INSTRUMENTS}{i.name}": i for i in self._watching}
        return {n: part for n, part in parts.items() if part is not None}

    def state(self) -> dict[str, np.ndarray]:
        """Returns all that is needed to go on exactly, by name."""
        carried = {
            f"{name}/{n}": array
            for name, part in self._parts().items()
            for n, array in part.state().items()
        }
        return named(self._groups(), self.step) | carried

    def restore(self, arrays) -> None:
        """Takes up a state; InputError where it does not fit."""
        # Those of instruments may be left out now.
        remaining = {n: a for n, a in arrays.items() if not n.startswith(INSTRUMENTS)}
        for name, part in self._parts().items():
            prefix = f"{name}/"
            carried = [n for n in arrays if n.startswith(prefix)]
            part.restore({n.removeprefix(prefix): arrays[n] for n in carried})
            remaining = {n: a for n, a in remaining.items() if n not in carried}
        self.step = load(self._groups(), remaining)
        epoch = max(self.step - 1, 0) // self.steps_per_epoch
        self.architecture.temperature = self.settings.temperature_in(epoch)
