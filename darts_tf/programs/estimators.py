"""The estimators by name: from flags to whoever knows what cells are worth.

To add one: a function of (flags, replicas) here, or a class of those in
trainings.py, that refuses what it cannot estimate and gives a
darts_tf.estimation.estimates.Estimator, its line in ESTIMATORS, and its name
in darts_tf/cli/estimator_flags.py, which also says what flags it needs.
"""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

from darts_tf.data.nasbench201_table import SEARCHED
from darts_tf.descent.replicas import Replicas
from darts_tf.errors import InputError
from darts_tf.estimation.estimates import Estimate, Estimator, of_accuracy
from darts_tf.estimation.table import TableEstimator
from darts_tf.networks.compiled.flat_weights import WeightRow
from darts_tf.programs import nasbench201_oracle
from darts_tf.programs.image_data import Batches
from darts_tf.programs.supernets import trained_supernet
from darts_tf.programs.trainings import Full, LearningCurve, LowFidelity
from darts_tf.programs.weight_inheritance import Inherit
from darts_tf.space.genotype import Genotype
from darts_tf.space.nasbench201 import SPACE
from darts_tf.strategy.darts.discretisation import genotype_weights
from darts_tf.strategy.darts.relaxation import cells_loss
from darts_tf.strategy.one_shot.shared_weights import SupernetAccuracy


def estimator_of(flags, replicas: Replicas) -> Estimator:
    """The estimator that the flags name, ready to be asked.

    Raises:
      InputError: it does not fit the space, the data or the other flags.
    """
    return ESTIMATORS[flags.estimator](flags, replicas)


def table(flags, replicas: Replicas) -> Estimator:
    """--estimator=table."""
    del replicas
    if flags.space != SPACE.name:
        raise InputError(
            f"--estimator=table knows the space {SPACE.name} only; with "
            f"--space={flags.space} give another one, such as full"
        )
    found = nasbench201_oracle.table_of(flags)
    if found is None:
        raise InputError(
            "--estimator=table needs the benchmark's accuracies: give "
            "--nasbench201_table=PATH of the .csv or .csv.gz"
        )
    return TableEstimator(found.lookup, SEARCHED)


class OneShot:
    """--estimator=one_shot: the supernet with a genotype's operations alone.

    The mixing weights are one on them and zero elsewhere, and w stays what
    the search has left (Bender et al. 2018). Measured on batches of the part
    of the data that w has not seen, the same for every genotype, with the
    statistics of the batch (strategy/one_shot/shared_weights.py says why). What is
    found depends on the checkpoint: of a search that still runs, the newest
    when this one is started.

    Args:
      flags: of the search, with --supernet and --measured_batches.
      replicas: where it runs.
    """

    def __init__(self, flags, replicas: Replicas):
        found = trained_supernet(flags, replicas)
        self._model, self._step = found.model, found.step
        valid = Batches(found.flags, found.data, 1, replicas)
        self._batches = valid.same(flags.measured_batches)
        self._images = found.flags.batch_size * (
            flags.measured_batches or found.data.parts[1].size // found.flags.batch_size
        )
        row = WeightRow(found.model)
        self._w = replicas.compile(lambda: [row.packed()])()
        self._accuracy = SupernetAccuracy(
            row.loss(cells_loss(found.model)),
            found.model.space,
            found.model.kinds,
            replicas,
        )

    def __call__(self, genotype: Genotype, folder: Path) -> Estimate:
        """The estimate of one genotype; the folder is not used."""
        del folder
        start = time.monotonic()
        weights = genotype_weights(self._model.space, genotype)
        share = self._accuracy(self._w, weights, self._batches())
        seconds = time.monotonic() - start
        found = of_accuracy(share, seconds, self._images)
        more = {"images": self._images, "supernet_step": self._step}
        return dataclasses.replace(found, valid={**found.valid, **more})


ESTIMATORS = {
    "full": Full,
    "table": table,
    "one_shot": OneShot,
    "low_fidelity": LowFidelity,
    "learning_curve": LearningCurve,
    "inherit": Inherit,
}

AT_ONCE = ("table",)
"""Those that answer so fast that not every evaluation needs its line."""
