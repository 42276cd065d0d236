"""The estimators that train networks: from flags to a training's outcome."""

from __future__ import annotations

import dataclasses
import gc
import time
from pathlib import Path

import keras

from darts_tf.cli import space_flags
from darts_tf.cli.estimator_flags import FIDELITY
from darts_tf.descent.epochs import FirstEpochs
from darts_tf.descent.replicas import Replicas
from darts_tf.errors import DivergedError, InputError
from darts_tf.estimation.estimates import (
    Estimate,
    of_accuracy,
    of_perplexity,
)
from darts_tf.estimation.learning_curve import extrapolate
from darts_tf.programs import memory_report, setup
from darts_tf.programs.task_registry import kind_of
from darts_tf.run.files import write_atomic
from darts_tf.run.loop.driver import drive
from darts_tf.run.loop.metrics import read_metrics
from darts_tf.run.workdir import Workdir
from darts_tf.space import recurrent
from darts_tf.space.genotype import Genotype
from darts_tf.space.registry import space_by_name
from darts_tf.strategy.black_box.random_choice import random_genotype


class Full:
    """--estimator=full: trains each network from scratch and measures it.

    The training is that of train.evaluate, from the same seed for each
    genotype, and lies in the estimate's folder. A random genotype's network
    is built at once, so that what cannot be trained is refused at once; what
    memory that one takes is told.

    Args:
      flags: of the search: network, data and descent.
      replicas: where it runs.

    Raises:
      InputError: these cannot be, or nothing is held out to measure on.
    """

    def __init__(self, flags, replicas: Replicas):
        split = "valid_fraction" not in space_flags.FOREIGN_FLAGS[flags.space]
        if split and not flags.valid_fraction:
            raise InputError(
                f"--estimator={flags.estimator} needs validation images to "
                f"tell genotypes by, and --valid_fraction=0 leaves none; give "
                f"for example --valid_fraction=0.5"
            )
        self._flags, self._replicas = flags, replicas
        self._kind, self._data = kind_of(flags.space), None
        some = random_genotype(space_by_name(flags.space), flags.seed)
        self._training(some)
        memory_report.training(flags, some, self._data, replicas)
        self._forget()

    def __call__(self, genotype: Genotype, folder: Path) -> Estimate:
        """The estimate after the last epoch.

        A training that diverges is worth what guessing is.
        """
        folder.mkdir(parents=True, exist_ok=True)
        workdir = Workdir(folder)
        write_atomic(workdir.genotype, genotype.to_json())
        start = time.monotonic()
        loop = self._training(genotype)
        more = self._prepare(loop, folder)
        building = time.monotonic() - start
        try:
            cost = drive(
                loop,
                workdir,
                report_every=self._flags.report_every,
                checkpoint_every=self._flags.checkpoint_every,
            )
            valid = self._kind.validated(loop, self._data, self._flags)
            self._keep(loop, folder)
            seconds = building + cost.seconds
        except DivergedError:
            valid = self._kind.chance(self._data) | {"diverged": True}
            seconds = time.monotonic() - start
        del loop
        self._forget()
        return self._estimate(valid | more, seconds, workdir)

    def _training(self, genotype: Genotype):
        """A training whose weights depend on the seed and genotype alone."""
        keras.utils.set_random_seed(self._flags.seed)
        loop, self._data = self._kind.training_of(
            self._flags, genotype, self._replicas, self._data
        )
        return loop

    def _prepare(self, loop, folder: Path) -> dict:
        """What is done before the first step, and is to be told of it."""
        del loop, folder
        return {}

    def _keep(self, loop, folder: Path) -> None:
        """Keeps of a trained network what outlives its checkpoints."""
        del loop, folder

    def _estimate(self, valid: dict, seconds: float, workdir) -> Estimate:
        """What was measured, in an estimator's words."""
        del workdir
        if "error" in valid:
            images = valid.get("images")
            found = of_accuracy(1 - valid["error"], seconds, images)
        else:
            found = of_perplexity(valid["perplexity"], seconds)
        return dataclasses.replace(found, valid={**valid, **found.valid})

    @staticmethod
    def _forget() -> None:
        """Frees the graphs of one network before the next one is built."""
        keras.backend.clear_session()
        gc.collect()


class LowFidelity(Full):
    """--estimator=low_fidelity: the same with less of what is given.

    Fewer epochs have the whole schedule of the learning rate. Of fewer
    examples the same share is held out, so that the measure is coarser too.

    Args:
      flags: of the search.
      replicas: where it runs.
    """

    def __init__(self, flags, replicas: Replicas):
        given = {n: flags[f"fidelity_{n}"].value for n in FIDELITY}
        less = {n: value for n, value in given.items() if value is not None}
        super().__init__(setup.changed(flags, **less), replicas)


class LearningCurve(Full):
    """--estimator=learning_curve: the first epochs, and what follows of them.

    The first --curve_epochs of a training whose schedule is that of all
    --epochs; estimation/learning_curve.py extrapolates what was measured
    after each of them, and says how surely.

    Args:
      flags: of the search.
      replicas: where it runs.

    Raises:
      InputError: as for --estimator=full, and in the recurrent space.
    """

    def __init__(self, flags, replicas: Replicas):
        if flags.space == recurrent.SPACE.name:
            raise InputError(
                f"--estimator=learning_curve extrapolates accuracies; the "
                f"perplexity of a language model falls anew when its weights "
                f"begin to be averaged: with --space={flags.space} give "
                f"another one, such as low_fidelity"
            )
        super().__init__(flags, replicas)

    def _training(self, genotype: Genotype):
        loop = super()._training(genotype)
        return FirstEpochs(loop, self._flags.curve_epochs)

    def _estimate(self, valid: dict, seconds: float, workdir) -> Estimate:
        found = super()._estimate(valid, seconds, workdir)
        if "diverged" in valid:
            return found
        shares = [
            float(record["valid/accuracy"])
            for record in read_metrics(workdir.metrics)
            if record["kind"] == "epoch"
        ]
        worth, deviation = extrapolate(shares, self._flags.epochs, valid["images"])
        told = {**found.valid, "measured": found.worth, "accuracy": worth}
        return Estimate(worth, told, seconds, deviation)
