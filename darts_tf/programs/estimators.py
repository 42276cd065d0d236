"""The estimators of a genotype's worth, by name.

To add one: a function of (config, replicas, data) here, or a class of those
in trainings.py, that refuses what it cannot estimate and gives a
darts_tf.estimation.estimates.Estimator; its line in ESTIMATORS; its name in
config.Estimator; and the names that it needs in config_rules.ESTIMATOR_NAMES.
"""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

from darts_tf.config import SearchConfig
from darts_tf.data.nasbench201_table import SEARCHED
from darts_tf.descent.replicas import Replicas
from darts_tf.errors import InputError
from darts_tf.estimation.estimates import Estimate, Estimator, of_accuracy
from darts_tf.estimation.table import TableEstimator
from darts_tf.programs import nasbench201_oracle
from darts_tf.programs.image_data import Batches
from darts_tf.programs.supernets import trained_supernet
from darts_tf.programs.trainings import Full, LearningCurve, LowFidelity
from darts_tf.programs.weight_inheritance import Inherit
from darts_tf.space.genotype import Genotype
from darts_tf.space.nasbench201 import SPACE
from darts_tf.strategy.darts.discretisation import genotype_weights
from darts_tf.strategy.darts.execution import weights_of
from darts_tf.strategy.darts.relaxation import cells_loss
from darts_tf.strategy.one_shot.shared_weights import SupernetAccuracy


def estimator_of(config: SearchConfig, replicas: Replicas, data=None) -> Estimator:
    """Returns the estimator of a search, ready to be asked.

    Raises:
      InputError: it does not fit the space, the data or the other settings.
    """
    return ESTIMATORS[config.estimator](config, replicas, data)


def table(config: SearchConfig, replicas: Replicas, data=None) -> Estimator:
    """Returns the estimator that looks worths up in `nasbench201_table`."""
    del replicas, data
    if config.space != SPACE.name:
        raise InputError(
            f"`estimator=table` knows the space {SPACE.name} only; with "
            f"`space={config.space}` give another one, such as full"
        )
    accuracies = nasbench201_oracle.table_of(config)
    if accuracies is None:
        raise InputError(
            "`estimator=table` needs the benchmark's accuracies: give "
            "`nasbench201_table=PATH` of the .csv or .csv.gz"
        )
    return TableEstimator(accuracies.lookup, SEARCHED)


class OneShot:
    """Measures the supernet with a genotype's operations alone (one_shot).

    The mixing weights are one on them and zero elsewhere, and w stays what
    the search has left (Bender et al. 2018). Measured on batches of the part
    of the data that w has not seen, the same for every genotype, with the
    statistics of the batch (strategy/one_shot/shared_weights.py says why). The
    worth depends on the checkpoint: of a search that still runs, the newest
    when this one is started.

    Args:
      config: of the search, with `supernet` and `measured_batches`.
      replicas: where it runs.
      data: ImageData of the supernet's search; loaded by its name where None.
    """

    def __init__(self, config: SearchConfig, replicas: Replicas, data=None):
        trained = trained_supernet(config, replicas, data)
        self._model, self._step = trained.model, trained.step
        valid = Batches(trained.config, trained.data, 1, replicas)
        self._batches = valid.same(config.measured_batches)
        size = trained.config.batch_size
        whole = trained.data.parts[1].size // size
        self._images = size * (config.measured_batches or whole)
        weights = weights_of(trained.model)
        self._w = replicas.compile(weights.values)()
        self._accuracy = SupernetAccuracy(
            weights.loss(cells_loss(trained.model)),
            trained.model.space,
            trained.model.kinds,
            replicas,
        )

    def __call__(self, genotype: Genotype, folder: Path) -> Estimate:
        """Returns the estimate of one genotype; the folder is not used."""
        del folder
        start = time.monotonic()
        weights = genotype_weights(self._model.space, genotype)
        share = self._accuracy(self._w, weights, self._batches())
        seconds = time.monotonic() - start
        estimate = of_accuracy(share, seconds, self._images)
        source = {"images": self._images, "supernet_step": self._step}
        return dataclasses.replace(estimate, valid={**estimate.valid, **source})


ESTIMATORS = {
    "full": Full,
    "table": table,
    "one_shot": OneShot,
    "low_fidelity": LowFidelity,
    "learning_curve": LearningCurve,
    "inherit": Inherit,
}

AT_ONCE = ("table",)
"""Estimators so fast that not every evaluation needs its line."""
