"""The layers around the cells of all networks of convolutional cells.

A stem, cells of which those at 1/3 and 2/3 of the depth halve the size and
double the channels, global average pooling, a linear classifier (DARTS sect.
3.2).
"""

from __future__ import annotations

import functools

import keras
import tensorflow as tf

from darts_tf.errors import InputError
from darts_tf.networks import implementation, operations
from darts_tf.networks.batch_norm import BatchNorm
from darts_tf.networks.precision import widened
from darts_tf.networks.stem_and_head import Classifier, check_ends, cifar_stem
from darts_tf.space.conv import reduction_layers

STEM_MULTIPLIER = 3
"""The CIFAR stem has three times the channels of the first cell."""


class Trunk(keras.Model):
    """Stem, cells, pooling and classifier; subclasses build the cells."""

    def __init__(self, channels: int, layers: int, classes: int, **kwargs):
        check_ends(channels, classes)
        _check_layers(layers)
        super().__init__(autocast=False, **kwargs)
        self.reductions = reduction_layers(layers)
        self.kinds = tuple(
            "reduce" if layer in self.reductions else "normal"
            for layer in range(layers)
        )
        # XLA compiles such networks for minutes, and gains nothing on a CPU.
        self.supports_jit = False
        self.stems = self._build_stems(channels)
        for place, stem in enumerate(self.stems):
            stem.name = f"stem_{place}"
        self.cells = []
        halved = self._stem_halves
        for layer, kind in enumerate(self.kinds):
            channels = 2 * channels if kind == "reduce" else channels
            cell = self._build_cell(layer, kind, channels, halved)
            cell.name = f"{kind}_cell_{layer}"
            self.cells.append(cell)
            halved = kind == "reduce"
        self.classifier = Classifier(classes)

    recompute = has_directional_derivatives = False
    _stem_halves = False
    _stem_norm = functools.partial(BatchNorm, True)

    def _build_stems(self, channels):
        """Returns the layers that make both inputs of the first cell."""
        return [cifar_stem(STEM_MULTIPLIER * channels, self._stem_norm)]

    def _stem(self, images, training):
        out = self.stems[0](images, training=training)
        return out, out

    def build(self, shape) -> None:
        """Builds all layers, by the shape of images [B, H, W, channels]."""
        shapes = []
        for stem in self.stems:
            shape = operations.build_in_turn([stem], shape)
            shapes.append(shape)
        inputs, outputs = (2 * shapes)[-2:], []
        for cell in self.cells:
            operations.build_once(cell, inputs)
            outputs.append(cell.compute_output_shape(inputs))
            inputs = [inputs[1], outputs[-1]]
        self._build_ends(outputs)

    def _build_ends(self, shapes) -> None:
        """Builds what is behind the cells, whose outputs have these shapes."""
        batch, *_, channels = shapes[-1]
        operations.build_once(self.classifier, (batch, channels))

    def _inputs(self, channels, after_reduction):
        """Returns the layers that bring both inputs of a cell to its size and width.

        After a reduction the first one comes from before it.
        """
        first = operations.FactorizedReduce if after_reduction else operations.conv_norm
        second = operations.conv_norm
        return [first(channels, self.norm), second(channels, self.norm)]

    def _trunk(self, images, training, arguments):
        """Yields the output of each cell, [B, H, W, C]."""
        s0, s1 = self._stem(images, training)
        for layer, cell in enumerate(self.cells):
            out = implementation.call_cell(
                cell, [s0, s1], self.recompute, training, **arguments(layer)
            )
            s0, s1 = s1, out
            yield s1

    def classify(self, x, training=False):
        """Computes logits [B, classes] of the last cell's output [B, H, W, C]."""
        del training
        return self.classifier(tf.reduce_mean(widened(x), [1, 2]))


def _check_layers(layers: int) -> None:
    if layers < 3:
        raise InputError(
            f"layers must be at least 3, so that reduction cells stand at "
            f"1/3 and 2/3 of the depth; received {layers}"
        )
