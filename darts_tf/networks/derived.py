"""Derived networks as Keras models: compile, fit, summary, save and load_model."""

from __future__ import annotations

import keras
import tensorflow as tf

from darts_tf.space.genotype import Genotype

PACKAGE = "darts_tf"
"""Package under which Keras knows the networks in saved files."""

AUXILIARY_WEIGHT = 0.4
"""Weight of the auxiliary head's loss in `fit` (DARTS sect. A.2)."""


def separate(outputs):
    """Returns (logits, auxiliary logits or None) of what a network gave.

    Args:
      outputs: logits [B, classes]; or, of a network with an auxiliary head in
        training, the pair (logits, auxiliary logits).
    """
    return outputs if isinstance(outputs, tuple) else (outputs, None)


class DerivedNetwork(keras.Model):
    """A classifier of images that is made of a genotype.

    Its output are raw logits, so losses and metrics need `from_logits=True`.
    In `fit` there is neither drop path nor label smoothing of its own; with an
    auxiliary head the loss is that of the logits plus `auxiliary_weight` times
    that of the auxiliary logits, and metrics see the logits alone.

    Subclasses set the attributes.

    Attributes:
      genotype: the cells.
      arguments: the other arguments that the network is made with, by name.
      auxiliary: the second classifier, or None.
      auxiliary_weight: of its loss in `fit`.
    """

    genotype: Genotype
    arguments: dict
    auxiliary: keras.layers.Layer | None = None
    auxiliary_weight = AUXILIARY_WEIGHT

    def compute_output_shape(self, shape) -> tuple:
        """Returns [B, classes], the shape of the logits."""
        return shape[0], self.arguments["classes"]

    def compute_loss(self, x=None, y=None, y_pred=None, *args, **kwargs):
        """Adds the weighted loss of the auxiliary logits, if there are any."""
        logits, auxiliary = separate(y_pred)
        loss = super().compute_loss(x, y, logits, *args, **kwargs)
        if auxiliary is None:
            return loss
        second = super().compute_loss(x, y, auxiliary, *args, **kwargs)
        if self.losses:  # regularizers' own are in both
            second -= tf.add_n(self.losses)
        return loss + self.auxiliary_weight * second

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        """Returns Keras's metrics of the logits."""
        return super().compute_metrics(x, y, separate(y_pred)[0], sample_weight)

    def get_config(self) -> dict:
        """Returns the arguments, the genotype as JSON text."""
        return {"genotype": self.genotype.to_json(), **self.arguments}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Makes the network of a config, undoing `get_config`.

        Raises:
          InputError: operations of the genotype are not registered in this
            process.
        """
        del custom_objects
        genotype = Genotype.from_json(config["genotype"])
        return cls(**config | {"genotype": genotype})
