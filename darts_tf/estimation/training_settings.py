"""Settings of a training, and its learning rate in each epoch.

The learning rate falls to 0 by cosine; for ImageNet by 0.97 an epoch (the
DARTS paper), or linearly to 0 after a warm-up (P-DARTS, Chen et al. 2019).

Departures: P-DARTS flattens its linear schedule in the last five epochs;
here it is one line.
"""

from __future__ import annotations

import dataclasses

from darts_tf.config import Schedule, names
from darts_tf.descent.schedules import cosine, exponential, falling, warmed_up


@dataclasses.dataclass(frozen=True)
class TrainingSettings:
    """Settings of a training; the defaults are the DARTS paper's (A.2).

    Attributes:
      epochs, steps_per_epoch, batch_size: of the training.
      learning_rate: of the first epoch, or of a schedule without warm-up.
      schedule: one of SCHEDULES: to 0 by cosine or linearly over the epochs,
        or exponential, by learning_rate_decay an epoch.
      learning_rate_warmup: epochs in which the rate rises to the schedule's.
      momentum, weight_decay, clip_norm: of SGD.
      label_smoothing: share of the target that all classes have evenly.
      auxiliary_weight: of the auxiliary head's loss.
      drop_path: probability to which drop path rises from 0.
      precision: one of descent.precision.PRECISIONS.
      seed: of drop path.
    """

    epochs: int
    steps_per_epoch: int
    batch_size: int
    learning_rate: float = 0.025
    momentum: float = 0.9
    weight_decay: float = 3e-4
    clip_norm: float = 5.0
    auxiliary_weight: float = 0.4
    drop_path: float = 0.2
    precision: str = "float32"
    schedule: str = "cosine"
    learning_rate_decay: float = 0.97
    learning_rate_warmup: int = 0
    label_smoothing: float = 0.0
    seed: int = 0

    def learning_rate_in(self, epoch: int) -> float:
        """Returns the learning rate of w in an epoch, counted from 0."""
        start, epochs = self.learning_rate, self.epochs
        rate = {
            "cosine": cosine(start, 0.0, epoch, epochs),
            "exponential": exponential(start, self.learning_rate_decay, epoch),
            "linear": falling(start, epoch, epochs),
        }[self.schedule]
        return warmed_up(rate, epoch, self.learning_rate_warmup)


SCHEDULES = names(Schedule)
