"""Estimates the memory of a training step from the shapes of a built network.

The backward pass reads the inputs of the layers: their elements, times a factor that
depends on the step, are what the forward pass keeps. TensorFlow and its graphs take
a constant and a share for each layer. The constants were fitted to the peaks in
benchmarks/speed/results: memory.jsonl, program_memory.jsonl, growth.jsonl,
beside_pytorch*.md.
"""

from __future__ import annotations

import dataclasses
import math
from typing import NamedTuple

import keras

from darts_tf.networks.language import LanguageModel
from darts_tf.networks.recurrent import MixedCell

GB = 1e9
NARROW = 0.55
"""Bytes of activations in mixed precision, as a share of those in float32."""


class Needs(NamedTuple):
    """Factors of a kind of step.

    Attributes:
      program: bytes of main memory of TensorFlow and of what no layer causes.
      layer: bytes of main memory of the graphs of one layer.
      activations: elements kept, as a share of the layers' inputs.
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
}
"""By method of a search; "training" is a derived network's, "weights" that of a
supernet at fixed mixing weights, "nested" differentiates gradients of layers."""

TEXT = {
    "training": Needs(0.68e9, 0, 1.0, 6),
    "first_order": Needs(0.75e9, 0, 0.83, 6),
    "finite_difference": Needs(0.80e9, 0, 1.0, 12),
    "exact": Needs(1.23e9, 0, 2.68, 12),
}
RECOMPUTED = 0.2e6
"""Bytes of main memory that recomputing cells adds for each layer."""
REGULARIZED = 0.08e6
"""Bytes of main memory that Lambda-DARTS adds for each layer."""
REGULARIZED_COPIES = 3


@dataclasses.dataclass(frozen=True)
class Sizes:
    """Sizes of a built network.

    Attributes:
      elements: inputs of all layers, for one example.
      recomputed: the same where cells keep their inputs only, but for one.
      layers: how many it has.
      weights: elements of its trainable variables.
    """

    elements: int
    recomputed: int
    layers: int
    weights: int


@dataclasses.dataclass(frozen=True)
class Memory:
    """Bytes by what takes them; program and data are in main memory."""

    activations: float
    weights: float
    program: float = 0.0
    data: float = 0.0

    @property
    def total(self) -> float:
        """Returns the sum."""
        return sum(dataclasses.astuple(self))


def needs_of(
    model: keras.Model,
    method: str,
    regularizer: str = "none",
    regularizer_gradient: str = "finite_difference",
    recompute: bool = False,
) -> Needs:
    """Returns the factors of a step.

    Args:
      model: the network.
      method: a key of IMAGES or TEXT.
      regularizer, regularizer_gradient: of Lambda-DARTS.
      recompute: whether cells are computed again in the backward pass.
    """
    if isinstance(model, LanguageModel):
        return TEXT[method]
    regularized = regularizer != "none"
    sloped = getattr(model, "sloped", False) and not recompute
    if method == "exact" and not sloped:
        method = "nested"
    if regularized and regularizer_gradient == "exact":
        method = "nested"
    needs = IMAGES[method]
    added = RECOMPUTED * recompute + REGULARIZED * regularized
    copies = needs.copies + REGULARIZED_COPIES * regularized
    return needs._replace(layer=needs.layer + added, copies=copies)


def estimate(
    sizes: Sizes,
    needs: Needs,
    examples: int,
    recompute: bool = False,
    narrow: bool = False,
) -> Memory:
    """Returns the memory of a step at its peak.

    Args:
      sizes: of the network.
      needs: of the step.
      examples: images or sequences that are computed at once.
      recompute: whether cells are computed again in the backward pass.
      narrow: whether activations are kept in 16 bits.
    """
    elements = sizes.recomputed if recompute else sizes.elements
    size = 4 * (NARROW if narrow else 1)
    return Memory(
        activations=size * needs.activations * elements * examples,
        weights=4.0 * needs.copies * sizes.weights,
        program=needs.program + needs.layer * sizes.layers,
    )


def sizes_of(model: keras.Model, window: int = 0) -> Sizes:
    """Returns the sizes of a built network; `window` is in words, for text."""
    weights = sum(math.prod(v.shape) for v in model.trainable_variables)
    if isinstance(model, LanguageModel):
        elements = window * _elements_of_word(model)
        return Sizes(elements, elements, 0, weights)
    cells = [_kept(cell) for cell in model.cells]
    elements, entering = _kept(model), sum(map(_entering, model.cells))
    recomputed = elements - sum(cells) + entering + max(cells)
    return Sizes(elements, recomputed, len(_leaves(model)), weights)


def _elements_of_word(model: LanguageModel) -> int:
    """Returns what the loop over time, embedding and scores keep at each word."""
    cell = model.cell
    if isinstance(cell, MixedCell):
        edges, candidates = cell.spec.alpha_shape
        states = edges * (candidates + 3)
    else:
        states = 4 * len(cell.genotype.edges)
    return (states + 16) * cell.hidden_size + 2 * model.words


def _kept(layer: keras.layers.Layer) -> int:
    return sum(map(_entering, _leaves(layer)))


def _leaves(layer: keras.layers.Layer) -> list[keras.layers.Layer]:
    """Returns the layers in it that have no layers of their own."""
    layers = layer._flatten_layers()
    return [x for x in layers if not x._flatten_layers(False, recursive=False)]


def _entering(layer: keras.layers.Layer) -> int:
    """Returns the elements of a layer's input; 0 where it is not known."""
    shape = (layer.get_build_config() or {}).get("input_shape") or ()
    shapes = shape if shape and isinstance(shape[0], list | tuple) else [shape]
    return sum(math.prod(x[1:]) for x in shapes if x)
