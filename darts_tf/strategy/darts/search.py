"""Algorithm 1 of DARTS: alternate steps on alpha and on w.

Each step takes one batch of each half of the training data: first alpha
moves along the architecture gradient (strategy/darts/bilevel.py), then w along
grad_w L_train, regularised (strategy/lambda_darts/search_regularizer.py) or not. The loop knows
neither images nor words (strategy/darts/tasks.py), yields numbers and knows no
logger; run/loop/driver.py drives it.

In the first `warmup_epochs` alpha stays where it is and L_val is not computed
(Xu et al. 2020).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import tensorflow as tf

from darts_tf.descent.epochs import Epochs
from darts_tf.descent.optimizers import Adam
from darts_tf.descent.precision import precision_by_name
from darts_tf.descent.replicas import Replicas
from darts_tf.descent.variables import load, named
from darts_tf.descent.weights import DescendingWeights
from darts_tf.space.genotype import Genotype
from darts_tf.strategy.darts import bilevel, gradients
from darts_tf.strategy.darts.architecture import Architecture
from darts_tf.strategy.darts.search_settings import SearchSettings
from darts_tf.strategy.darts.tasks import Task
from darts_tf.strategy.darts.tracing_ahead import traced_ahead
from darts_tf.strategy.diagnostics.early_stopping import EarlyStopping, Stop
from darts_tf.strategy.lambda_darts.search_regularizer import Regulariser


class Search(Epochs):
    """A search as a loop that can stop anywhere and go on exactly there.

    Args:
      task: the network and its data.
      settings: the protocol.
      replicas: where it runs.
      instruments: called with the search at each epoch's end; the scalars
        that they give join the epoch's record. They change nothing.
      early_stopping: ends the search before its last epoch; None: never.

    Attributes:
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
    ):
        super().__init__(settings)
        self.task, self.space = task, task.space
        self.units = task.units
        self._instruments = tuple(instruments)
        self._early_stopping = early_stopping
        self._replicas = replicas
        self._precision = precision_by_name(settings.precision)
        self.weights = DescendingWeights(task.w, settings, self._precision, replicas)
        self.architecture = Architecture(
            self.space,
            settings.seed,
            settings.partial_channels > 1,
            self._alpha_optimizer(),
            replicas,
        )
        self._gradient = bilevel.ArchitectureGradient(
            task.train_loss,
            settings.method,
            replicas.compile,
            replicas.mean,
            valid_loss=task.valid_loss,
            micro_batches=settings.micro_batches,
            precision=self._precision,
            product=gradients.PRODUCTS[task.sloped],
        )
        self._regulariser = Regulariser(task, settings, self._precision, replicas)
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
        """The present w and alpha / T as losses take them: tensors."""
        return self.weights.read(), self.architecture.read()

    def genotype(self) -> Genotype:
        """The genotype that would be derived now."""
        return self.architecture.genotype()

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
        batches, rate, seed = self._begin_step()
        w = self.weights.read()
        descend = self._regulariser.weight_gradient(
            self._gradient.weight_gradient, self.epoch
        )
        with traced_ahead(self._untraced(w, *batches, seed, descend)):
            return self._advance(w, *batches, rate, seed, descend)

    def _untraced(self, w, train, valid, seed, descend) -> list[tuple]:
        """The large functions that this step is the first to call."""
        warm = self.epoch >= self.settings.warmup_epochs
        if self._traced or not warm or self._replicas.count > 1:
            return []
        self._traced = True
        alpha = self.architecture.read()
        return self._gradient.calls(w, alpha, train, valid, seed, descend)

    def _advance(self, w, train, valid, rate, seed, descend):
        step = tf.constant(rate, tf.float32)
        measured, valid_aux, missed = {}, None, 0.0
        if self.epoch >= self.settings.warmup_epochs:
            unroll = self._unroll(step, descend)
            gradient, valid_loss, valid_aux = self._gradient(
                w, self.architecture.read(), train, valid, seed, unroll
            )
            missed = self.architecture.move(gradient)
            measured["valid/loss"] = self._replicas.local(valid_loss)
        g, loss, aux = descend(w, self.architecture.read(), train, seed)
        skipped = self.weights.move(w, g, step)
        self.task.keep(aux, valid_aux)
        more = self._regulariser.scalars(aux, self.epoch)
        more |= self._skipped(missed, skipped)
        self.step += 1
        return {
            **self.task.scalars(train, loss, aux),
            **more,
            **measured,
            "learning_rate": rate,
        }

    def _begin_step(self):
        """(batches, learning rate of w, seed) of the step; takes up T."""
        settings = self.settings
        self.architecture.temperature = settings.temperature_in(self.epoch)
        train, valid = self.task.batches(self.step)
        rate = settings.learning_rate_in(self.epoch)
        rate *= self.task.rate_factor(train)
        seed = tf.constant([settings.seed, self.step], tf.int32)
        return (train, valid), rate, seed

    def _unroll(self, step, descend) -> bilevel.Unroll | None:
        """The step on w behind which alpha is judged; None: none."""
        if self.settings.method == "first_order":
            return None
        slots = self.weights.read_slots()
        return bilevel.Unroll(self.weights.sgd, slots, step, descend)

    def _skipped(self, alpha, w) -> dict[str, object]:
        """Which of the two steps was not taken: its gradient overflowed."""
        if not self._precision.guarded:
            return {}
        local = self._replicas.local
        return {"valid/skipped": local(alpha), "train/skipped": local(w)}

    def end_epoch(self) -> dict[str, float]:
        """What the task measures on the whole validation part, and more.

        The temperature, where it is annealed, and what the instruments show.
        """
        record = dict(self.task.measure(self.architecture.read()))
        if self.settings.temperature_end != 1:
            record["temperature"] = self.architecture.temperature
        for instrument in self._instruments:
            record |= instrument(self)
        if self._early_stopping is not None:
            self._early_stopping.end_epoch(self.epoch, self.genotype(), record)
        return record

    def _groups(self) -> dict[str, list]:
        return self.weights.groups() | {
            "alpha": self.architecture.variables,
            "alpha_slots": self.architecture.slots,
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
        epoch = max(self.step - 1, 0) // self.steps_per_epoch
        self.architecture.temperature = self.settings.temperature_in(epoch)
