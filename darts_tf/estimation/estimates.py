"""What an estimator says a genotype is worth, and how sure it is.

Every estimator answers in the same words, so that every strategy can ask
every estimator. What a search is told is measured on validation data; test
data have no place here.
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
    """The answer.

    Attributes:
      worth: higher is better: the share of right answers, or minus the
        logarithm of the perplexity (nats a word).
      valid: what was measured, by name: "accuracy" (a share) or
        "perplexity", and whatever else the estimator has to tell.
      seconds: that it took, over all starts of the run.
      deviation: standard deviation of the worth, as far as the estimator can
        know it; None: it cannot.
    """

    worth: float
    valid: Mapping[str, float]
    seconds: float
    deviation: float | None = None


class Estimator(Protocol):
    """Finds out what genotypes are worth."""

    def __call__(self, genotype: Genotype, folder: Path) -> Estimate:
        """The estimate of one genotype.

        Args:
          genotype: of the space that is searched.
          folder: for whatever has to outlive a kill; not made yet. Asked
            again with the same genotype and folder, it goes on from there.
        """


def of_accuracy(accuracy: float, seconds: float, images: int | None = None) -> Estimate:
    """Of a share of right answers.

    Where the number of validation images is known, so is the error of having
    drawn just these (binomial). What another seed of the training would
    change comes on top and is not known.
    """
    deviation = None
    if images:
        deviation = math.sqrt(accuracy * (1 - accuracy) / images)
    return Estimate(accuracy, {"accuracy": accuracy}, seconds, deviation)


def of_perplexity(perplexity: float, seconds: float) -> Estimate:
    """Of a language model's perplexity."""
    worth = -math.log(perplexity)
    return Estimate(worth, {"perplexity": perplexity}, seconds)
