"""The estimators that train networks: from flags to a training's outcome."""

from __future__ import annotations

import dataclasses
import gc
import time
from pathlib import Path

import keras

from darts_tf.descent.replicas import Replicas
from darts_tf.errors import DivergedError, InputError
from darts_tf.estimation.estimates import (
    Estimate,
    of_accuracy,
    of_perplexity,
)
from darts_tf.run import flags as run_flags
from darts_tf.run.driver import drive
from darts_tf.run.estimator_flags import FIDELITY
from darts_tf.run.files import write_atomic
from darts_tf.run.workdir import Workdir
from darts_tf.space.genotype import Genotype
from darts_tf.space.registry import space_by_name
from darts_tf.strategy.random_choice import random_genotype
from train import setup
from train.kinds import kind_of


class Full:
    """--estimator=full: trains each network from scratch and measures it.

    The training is that of train.evaluate, from the same seed for each
    genotype, and lies in the estimate's folder. A random genotype's network
    is built at once, so that what cannot be trained is refused at once.

    Args:
      flags: of the search: network, data and descent.
      replicas: where it runs.

    Raises:
      InputError: these cannot be, or nothing is held out to measure on.
    """

    def __init__(self, flags, replicas: Replicas):
        split = "valid_fraction" not in run_flags.FOREIGN_FLAGS[flags.space]
        if split and not flags.valid_fraction:
            raise InputError(
                "--estimator=full needs validation images to tell genotypes "
                "by, and --valid_fraction=0 leaves none; give for example "
                "--valid_fraction=0.5"
            )
        self._flags, self._replicas = flags, replicas
        self._kind, self._data = kind_of(flags.space), None
        self._training(random_genotype(space_by_name(flags.space), flags.seed))
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
        building = time.monotonic() - start
        try:
            cost = drive(
                loop,
                workdir,
                report_every=self._flags.report_every,
                checkpoint_every=self._flags.checkpoint_every,
            )
            valid = self._kind.validated(loop, self._data, self._flags)
            seconds = building + cost.seconds
        except DivergedError:
            valid = self._kind.chance(self._data) | {"diverged": True}
            seconds = time.monotonic() - start
        del loop
        self._forget()
        return _estimate(valid, seconds)

    def _training(self, genotype: Genotype):
        """A training whose weights depend on the seed and genotype alone."""
        keras.utils.set_random_seed(self._flags.seed)
        loop, self._data = self._kind.training_of(
            self._flags, genotype, self._replicas, self._data
        )
        return loop

    @staticmethod
    def _forget() -> None:
        """Frees the graphs of one network before the next one is built."""
        keras.backend.clear_session()
        gc.collect()


def _estimate(valid: dict, seconds: float) -> Estimate:
    """What was measured, in an estimator's words."""
    if "error" in valid:
        found = of_accuracy(1 - valid["error"], seconds, valid.get("images"))
    else:
        found = of_perplexity(valid["perplexity"], seconds)
    return dataclasses.replace(found, valid={**valid, **found.valid})


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
