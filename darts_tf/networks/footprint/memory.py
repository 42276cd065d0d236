"""Estimates the memory of a training step from the shapes of a built network.

The backward pass reads the inputs of the layers: their elements, times a factor of the
step, are what the forward pass keeps. TensorFlow takes a constant, and its graphs a
share for each layer. The numbers were fitted to the peaks in benchmarks/speed/results.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import keras

from darts_tf.networks.language import LanguageModel
from darts_tf.networks.recurrent import MixedCell

GB = 1e9


class Needs(NamedTuple):
    """Factors of a kind of step.

    Attributes:
      program: bytes of main memory of TensorFlow, and of graphs of any size.
      layer: bytes of main memory of the graphs of one layer.
      activations: elements kept, as a multiple of the layers' inputs.
      copies: of all weights: variables, slots, gradients, points of eq. 8.
    """

    program: float
    layer: float
    activations: float
    copies: int


IMAGES = {
    "training": Needs(0.62e9, 0.35e6, 0.92, 6),
    "weights": Needs(0.72e9, 0.09e6, 0.80, 6),
    "first_order": Needs(0.72e9, 0.19e6, 0.80, 6),
    "finite_difference": Needs(0.72e9, 0.25e6, 0.80, 12),
    "exact": Needs(0.72e9, 0.78e6, 2.56, 12),
    "nested": Needs(0.72e9, 2.4e6, 2.0, 12),
    "regularizer": Needs(0, 0.08e6, 0, 3),
    "recompute": Needs(0, 0.2e6, 0, 0),
}
"""By method of a search; "training" is a derived network's, "weights" that of a
supernet at fixed mixing weights, "nested" differentiates gradients of layers; the
last two are added to a method."""
TEXT = {
    "training": Needs(0.68e9, 0, 1.0, 6),
    "first_order": Needs(0.75e9, 0, 0.83, 6),
    "finite_difference": Needs(0.80e9, 0, 1.0, 12),
    "exact": Needs(1.23e9, 0, 2.68, 12),
}
NARROW = 0.55
"""Bytes of activations in mixed precision, as a share of those in float32."""


class Sizes(NamedTuple):
    """Sizes of a built network; its layers are those that hold no others."""

    elements: int  # of the layers' inputs, for one example
    recomputed: int  # the same where all cells but one keep only their inputs
    layers: int
    weights: int  # elements of the trainable variables


class Memory(NamedTuple):
    """Bytes by what takes them; program and data are in main memory."""

    activations: float
    weights: float
    program: float = 0.0
    data: float = 0.0


def estimate(elements: float, sizes: Sizes, needs: list[Needs]) -> Memory:
    """Returns the peak of a step; `elements` are of all inputs, `needs` are added."""
    program, layer, activations, copies = map(sum, zip(*needs, strict=True))
    return Memory(
        activations=4 * activations * elements,
        weights=4 * copies * sizes.weights,
        program=program + layer * sizes.layers,
    )


def sizes_of(model: keras.Model, window: int) -> Sizes:
    """Returns the sizes of a built network; `window` is in words, for text."""
    weights = sum(math.prod(v.shape) for v in model.trainable_variables)
    if isinstance(model, LanguageModel):
        elements = window * _elements_of_word(model)
        return Sizes(elements, elements, 0, weights)
    leaves, entering = _leaves(model), sum(map(_entering, model.cells))
    elements = sum(map(_entering, leaves))
    cells = [sum(map(_entering, _leaves(cell))) for cell in model.cells]
    recomputed = elements - sum(cells) + entering + max(cells)
    return Sizes(elements, recomputed, len(leaves), weights)


def _elements_of_word(model: LanguageModel) -> int:
    """Returns what embedding, the loop over time and scores keep at each word."""
    edges, kept = model.cell.nodes, 4
    if isinstance(model.cell, MixedCell):
        edges, candidates = model.cell.spec.alpha_shape
        kept = candidates + 3
    return (edges * kept + 16) * model.cell.hidden_size + 2 * model.words


def _leaves(layer: keras.layers.Layer) -> list[keras.layers.Layer]:
    layers = layer._flatten_layers()
    return [x for x in layers if not x._flatten_layers(False, recursive=False)]


def _entering(layer: keras.layers.Layer) -> int:
    """Returns the elements of a layer's input; 0 where its shape is not known."""
    shape = (layer.get_build_config() or {}).get("input_shape") or ()
    shapes = shape if shape and isinstance(shape[0], list | tuple) else [shape]
    return sum(math.prod(x[1:]) for x in shapes if x)
