"""Estimates of a genotype's worth, and the protocol of estimators.

All estimators return the same type, so that every strategy can use every
estimator. Estimates are measured on validation data, never on test data.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from darts_tf.space.genotype import Genotype


@dataclasses.dataclass(frozen=True)
class Estimate:
    """An estimate of a genotype's worth.

    Attributes:
      worth: higher is better: the share of correct answers, or minus the
        logarithm of the perplexity (nats a word).
      valid: measures by name: "accuracy" (a share) or "perplexity", and others
        of the estimator.
      seconds: spent, over all starts of the run.
      deviation: standard deviation of the worth, as far as it is known; None:
        unknown.
    """

    worth: float
    valid: Mapping[str, float]
    seconds: float
    deviation: float | None = None


class Estimator(Protocol):
    """Estimates the worth of genotypes."""

    def __call__(self, genotype: Genotype, folder: Path) -> Estimate:
        """Estimates one genotype.

        Args:
          genotype: of the space that is searched.
          folder: for files that have to outlive a kill; not made yet. Called
            again with the same genotype and folder, it goes on from there.
        """
        ...


def of_accuracy(accuracy: float, seconds: float, images: int | None = None) -> Estimate:
    """Makes an estimate of a share of correct answers.

    With the number of validation images its deviation is the binomial error
    of having drawn these images; the effect of the training's seed comes on
    top and is not known.
    """
    deviation = None
    if images:
        deviation = math.sqrt(accuracy * (1 - accuracy) / images)
    return Estimate(accuracy, {"accuracy": accuracy}, seconds, deviation)


def of_perplexity(perplexity: float, seconds: float) -> Estimate:
    """Makes an estimate of a language model's perplexity."""
    worth = -math.log(perplexity)
    return Estimate(worth, {"perplexity": perplexity}, seconds)
