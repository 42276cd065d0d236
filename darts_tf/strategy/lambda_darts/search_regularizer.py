"""The regularizer of w that a search's settings name, and its scalars."""

from __future__ import annotations

import functools

from darts_tf.descent.replicas import Replicas
from darts_tf.errors import InputError
from darts_tf.strategy.darts.bilevel import grad_w
from darts_tf.strategy.darts.search_settings import SearchSettings
from darts_tf.strategy.darts.tasks import Task
from darts_tf.strategy.lambda_darts import regularizer


class Regularizer:
    """Regularizes w's gradient as Lambda-DARTS, or not at all.

    Args:
      task: the network and its data.
      settings: the protocol.
      replicas: where it runs.

    Raises:
      InputError: the task's network has not enough cells, or edges with a
        weight of their own.
    """

    def __init__(
        self,
        task: Task,
        settings: SearchSettings,
        replicas: Replicas,
    ):
        self._settings, self._replicas = settings, replicas
        self._lambda = None
        if settings.lambda_regularizer == "none":
            return
        if task.cells_loss is None:
            raise InputError(
                "Lambda-DARTS aligns the cells of a network with each other; "
                "this one has a single cell: give `lambda_regularizer=none`"
            )
        if settings.partial_channels > 1:
            raise InputError(
                f"Lambda-DARTS is not defined for edges with a weight of "
                f"their own, as `partial_channels={settings.partial_channels}` "
                f"has them; leave out one of both"
            )
        self._lambda = regularizer.LambdaRegularizer(
            task.cells_loss,
            task.space,
            task.kinds,
            settings.lambda_regularizer,
            settings.lambda_gradient,
            settings.lambda_epsilon,
            settings.lambda_cells,
            task.relaxed,
        )

    def weight_gradient(self, epoch: int):
        """Returns the gradient along which w descends: grad_w, or the regularized one.

        It is called with (loss, w, alpha, batch, seed).
        """
        if self._lambda is None:
            return grad_w
        return functools.partial(self._lambda, strength=self._settings.lambda_in(epoch))

    def scalars(self, aux, epoch: int) -> dict[str, object]:
        """Returns the scalars of a step whose gradient returned `aux`, by name."""
        if self._lambda is None:
            return {}
        local = self._replicas.local
        return {
            "train/layer_alignment": local(aux["alignment"]),
            "train/regularizer_share": local(aux["share"]),
            "lambda": self._settings.lambda_in(epoch),
        }
