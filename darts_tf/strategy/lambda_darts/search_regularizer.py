"""The regulariser that a search's settings ask for, and what it shows."""

from __future__ import annotations

import functools

from darts_tf.descent.precision import Precision
from darts_tf.descent.replicas import Replicas
from darts_tf.errors import InputError
from darts_tf.strategy.darts.search_settings import SearchSettings
from darts_tf.strategy.darts.tasks import Task
from darts_tf.strategy.lambda_darts import regularizer


class Regulariser:
    """Lambda-DARTS's where it is asked for; else nothing changes.

    Args:
      task: the network and its data.
      settings: the protocol.
      precision: of what is computed.
      replicas: where it runs.

    Raises:
      InputError: the task's network has not enough cells, or edges with a
        weight of their own.
    """

    def __init__(
        self,
        task: Task,
        settings: SearchSettings,
        precision: Precision,
        replicas: Replicas,
    ):
        self._settings, self._replicas = settings, replicas
        self._lambda = None
        if settings.lambda_regularizer == "none":
            return
        if task.cells_loss is None:
            raise InputError(
                "Lambda-DARTS aligns the cells of a network with each other; "
                "this one has a single cell: give --lambda_regularizer=none"
            )
        if settings.partial_channels > 1:
            raise InputError(
                f"Lambda-DARTS is not defined for edges with a weight of "
                f"their own, as --partial_channels="
                f"{settings.partial_channels} has them; leave out one of both"
            )
        self._lambda = regularizer.LambdaRegulariser(
            task.cells_loss,
            task.space,
            task.kinds,
            settings.lambda_regularizer,
            settings.lambda_gradient,
            settings.lambda_epsilon,
            settings.lambda_cells,
            replicas.compile,
            replicas.mean,
            settings.micro_batches,
            precision,
        )

    def weight_gradient(self, plain, epoch: int):
        """What w descends along: `plain`, or the regularised one.

        Both are called with (w, alpha, batch, seed).
        """
        if self._lambda is None:
            return plain
        strength = self._settings.lambda_in(epoch)
        return functools.partial(self._lambda, strength=strength)

    def scalars(self, aux, epoch: int) -> dict[str, object]:
        """Of a step whose gradient gave `aux`, by name."""
        if self._lambda is None:
            return {}
        local = self._replicas.local
        return {
            "train/layer_alignment": local(aux["alignment"]),
            "train/regularizer_share": local(aux["share"]),
            "lambda": self._settings.lambda_in(epoch),
        }
