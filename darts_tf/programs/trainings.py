"""The estimators that train a network for each genotype."""

from __future__ import annotations

import dataclasses
import gc
import time
from pathlib import Path
from typing import Any

import keras

from darts_tf.config import SearchConfig
from darts_tf.config_rules import is_text, less_fidelity
from darts_tf.descent.epochs import FirstEpochs
from darts_tf.descent.replicas import Replicas
from darts_tf.errors import DivergedError, InputError
from darts_tf.estimation.estimates import (
    Estimate,
    of_accuracy,
    of_perplexity,
)
from darts_tf.estimation.learning_curve import extrapolate
from darts_tf.programs import memory_report
from darts_tf.programs.task_choice import task_of
from darts_tf.run.files import write_atomic
from darts_tf.run.loop.driver import drive
from darts_tf.run.loop.metrics import read_metrics
from darts_tf.run.workdir import Workdir
from darts_tf.space.genotype import Genotype
from darts_tf.space.registry import space_by_name
from darts_tf.strategy.black_box.random_choice import random_genotype


class Full:
    """Trains each network from scratch and measures it (full).

    The training is that of train.evaluate, from the same seed for each
    genotype, and lies in the estimate's folder. A random genotype's network
    is built at once, so that what cannot be trained is refused at once; its
    memory is printed.

    Args:
      config: of the search: network, data and descent.
      replicas: where it runs.
      data: ImageData or TextData; loaded by its name where None.

    Raises:
      InputError: these cannot be, or nothing is held out to measure on.
    """

    def __init__(self, config: SearchConfig, replicas: Replicas, data=None):
        if not is_text(config.space) and not config.valid_fraction:
            raise InputError(
                f"`estimator={config.estimator}` needs validation images to tell "
                "genotypes by, and `valid_fraction=0` leaves none; give for example "
                "`valid_fraction=0.5`"
            )
        self._config, self._replicas = config, replicas
        self._task = task_of(config.space)
        self._data = self._task.training_data(config, data)
        first = random_genotype(space_by_name(config.space), config.seed)
        model = self._training(first).model
        memory_report.report(model, "training", config, self._data, replicas)
        del model
        self._forget()

    @property
    def data(self) -> Any:
        """Returns the divided data of the trainings."""
        return self._data

    def __call__(
        self, genotype: Genotype, folder: Path, epochs: int | None = None
    ) -> Estimate:
        """Returns the estimate after the last epoch, or after the first `epochs`.

        A training that diverges is worth as much as guessing.
        """
        folder.parent.mkdir(exist_ok=True)
        folder.mkdir(exist_ok=True)
        workdir = Workdir(folder)
        write_atomic(workdir.genotype, genotype.to_json())
        start = time.monotonic()
        loop: Any = self._training(genotype)
        if epochs is not None:
            loop = FirstEpochs(loop, epochs)
        source = self._prepare(loop, folder)
        building = time.monotonic() - start
        try:
            cost = drive(
                loop,
                workdir,
                report_every=self._config.report_every,
                checkpoint_every=self._config.checkpoint_every,
            )
            valid = self._task.validated(loop, self._data, self._config)
            self._keep(loop, folder)
            seconds = building + cost.seconds
        except DivergedError:
            valid = self._task.chance(self._data) | {"diverged": True}
            seconds = time.monotonic() - start
        del loop
        self._forget()
        return self._estimate(valid | source, seconds, workdir)

    def _training(self, genotype: Genotype):
        """Returns a training whose weights depend on seed and genotype alone."""
        keras.utils.set_random_seed(self._config.seed)
        return self._task.training(self._config, genotype, self._replicas, self._data)

    def _prepare(self, loop, folder: Path) -> dict:
        """Prepares the first step; returns what the estimate says of it."""
        del loop, folder
        return {}

    def _keep(self, loop, folder: Path) -> None:
        """Saves parts of a trained network that outlive its checkpoints."""
        del loop, folder

    def _estimate(self, valid: dict, seconds: float, workdir) -> Estimate:
        """Returns measured values as an estimate."""
        del workdir
        if "error" in valid:
            images = valid.get("images")
            estimate = of_accuracy(1 - valid["error"], seconds, images)
        else:
            estimate = of_perplexity(valid["perplexity"], seconds)
        return dataclasses.replace(estimate, valid={**valid, **estimate.valid})

    @staticmethod
    def _forget() -> None:
        """Frees the graphs of one network before the next one is built."""
        keras.backend.clear_session()
        gc.collect()


class LowFidelity(Full):
    """Trains with fewer epochs, examples, channels, cells or pixels (low_fidelity).

    Fewer epochs have the whole schedule of the learning rate. Of fewer
    examples the same share is held out, so that the measure is coarser too.

    Args:
      config, replicas, data: as of Full.
    """

    def __init__(self, config: SearchConfig, replicas: Replicas, data=None):
        super().__init__(config.replace(**less_fidelity(config)), replicas, data)


class LearningCurve(Full):
    """Extrapolates the accuracies of the first `curve_epochs` (learning_curve).

    The schedule of the training is that of all `epochs`;
    estimation/learning_curve.py extrapolates, with a deviation.

    Args:
      config, replicas, data: as of Full.

    Raises:
      InputError: as for Full, and in the recurrent space.
    """

    def __init__(self, config: SearchConfig, replicas: Replicas, data=None):
        if is_text(config.space):
            raise InputError(
                "`estimator=learning_curve` extrapolates accuracies; the perplexity "
                "of a language model falls anew when its weights begin to be "
                f"averaged: with `space={config.space}` give another one, such as "
                "low_fidelity"
            )
        super().__init__(config, replicas, data)

    def _training(self, genotype: Genotype):
        loop = super()._training(genotype)
        epochs = self._config.curve_epochs
        assert epochs is not None  # a rule of this estimator
        return FirstEpochs(loop, epochs)

    def _estimate(self, valid: dict, seconds: float, workdir) -> Estimate:
        estimate = super()._estimate(valid, seconds, workdir)
        if "diverged" in valid:
            return estimate
        shares = [
            float(record["valid/accuracy"])
            for record in read_metrics(workdir.metrics)
            if record["kind"] == "epoch"
        ]
        worth, deviation = extrapolate(shares, self._config.epochs, valid["images"])
        measured = {**estimate.valid, "measured": estimate.worth, "accuracy": worth}
        return Estimate(worth, measured, seconds, deviation)
