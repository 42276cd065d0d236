"""The supernet and the evaluation networks of convolutional cells.

What is around their cells is in networks/skeleton.py (Zoph et al. 2018 for
ImageNet's stem).
"""

from __future__ import annotations

import functools

import keras
import tensorflow as tf

from darts_tf.errors import InputError
from darts_tf.networks import implementation, operations
from darts_tf.networks.batch_norm import BatchNorm
from darts_tf.networks.cell import Cell
from darts_tf.networks.derived import AUXILIARY_WEIGHT, PACKAGE, DerivedNetwork
from darts_tf.networks.discrete_edges import discrete_units
from darts_tf.networks.drop_path import edge_arguments
from darts_tf.networks.footprint import parts
from darts_tf.networks.partial_edges import (
    Joint,
    PartialEdges,
    check_channels,
)
from darts_tf.networks.skeleton import Trunk
from darts_tf.networks.stem_and_head import AuxiliaryHead, as_floats, strided_stem
from darts_tf.networks.supernet_edges import (
    SharedFunctions,
    mixed_edges,
    sampled_edges,
)
from darts_tf.space.cell import SearchSpace
from darts_tf.space.genotype import Genotype
from darts_tf.space.registry import space_by_name


class Supernet(Trunk):
    """The search network: every edge a mixed operation (eq. 2).

    Args:
      space: a space with the cells "normal" and "reduce".
      channels: of the first cell's nodes (paper: 16).
      layers: number of cells, at least 3 (paper: 8).
      classes: number of classes.
      synchronized: batch statistics over all replicas.
      second_derivatives: whether gradients of gradients will be asked for
        that are no directional derivatives; they are right without it, but
        cost more.
      recompute: keep no activations within a cell
        (networks/compiled/recomputation.py).
      partial_channels: K; one K-th of the channels is mixed
        (networks/partial_edges.py), with 1 all of them.
      xla: whether XLA compiles what the edges have in common in training
        passes (networks/compiled/shared_functions.py).
      compiled: False for the plain edges (networks/mixed_edges.py).
      single_path: whether edges compute one candidate each, that of the largest
        mixing weight (networks/sampled_edges.py).

    A training pass leaves its batch's statistics in the batch norms; whoever
    trains averages them (strategy/darts/search_loop.py). Four passes a step then
    carry no running average through their graphs.

    Raises:
      InputError: a size that makes no network.
    """

    def __init__(
        self,
        space: SearchSpace,
        channels,
        layers,
        classes,
        synchronized: bool = False,
        second_derivatives: bool = False,
        recompute: bool = False,
        partial_channels: int = 1,
        xla: bool = False,
        compiled: bool = True,
        single_path: bool = False,
    ):
        check_channels(channels, partial_channels)
        self.space, self.recompute = space, recompute
        self.partial_channels, self.plain_edges = partial_channels, not compiled
        # Replicas cannot meet inside of a shared function.
        shares = compiled and not synchronized
        self._shared_functions = (
            SharedFunctions(second_derivatives, xla) if shares else None
        )
        self.single_path = single_path
        self._edges = mixed_edges(compiled, self._shared_functions)
        if single_path:
            self._edges = sampled_edges(self._shared_functions)
        norm = functools.partial(BatchNorm, synchronized=synchronized, momentum=0.0)
        self.norm = functools.partial(norm, False)
        self._stem_norm = functools.partial(norm, True)
        with implementation.plain(not compiled):
            super().__init__(channels, layers, classes, name="supernet")

    @property
    def has_directional_derivatives(self) -> bool:
        """True if networks/compiled/directional_derivatives.py serves this network."""
        shared = self._shared_functions
        known = shared is not None and shared.has_directional_derivatives
        return known and not self.recompute and not self.single_path

    @property
    def shared_layers(self) -> list:
        """The layers in shared functions, which take all their weights at once."""
        if self._shared_functions is None or self.recompute:
            return []
        return self._shared_functions.layers

    def _build_cell(self, layer, kind, channels, after_reduction):
        spec = self.space.cell(kind)
        groups = self.partial_channels
        units = []
        for source in range(spec.inputs + spec.nodes - 1):
            stride = 2 if kind == "reduce" and source < spec.inputs else 1
            mixed = self._edges(
                spec,
                source,
                channels // groups,
                stride,
                self.norm,
                key=layer * 100 + source,
            )
            whole = groups == 1
            units.append(mixed if whole else PartialEdges(mixed, groups, stride))
        return Cell(
            units,
            spec.nodes,
            spec.concat,
            self._inputs(channels, after_reduction),
            Joint(groups) if groups > 1 else None,
        )

    def call(self, images, mixing_weights, seed=None, training=False):
        """Computes the logits [B, classes] of images [B, H, W, channels].

        Args:
          images: normalised images.
          mixing_weights: one tensor [edges, candidates] for **each cell** of
            the network (`kinds` says of which kind), softmaxes already; with
            partial channels [edges, candidates + 1], see PartialEdges.
          seed: int32 [2], decides the noise where candidates give some;
            None for one draw at all times (networks/operations.py).
          training: whether batch norm uses (and follows) the batch.
        """
        rows = [tf.unstack(weights) for weights in mixing_weights]
        *_, last = self._trunk(
            images,
            training,
            lambda layer: {"weights": rows[layer], "seed": seed},
        )
        return self.classify(last)


@keras.saving.register_keras_serializable(PACKAGE)
class EvaluationNetwork(DerivedNetwork, Trunk):
    """The network of a derived architecture, for images of CIFAR's size.

    DARTS sect. 3.2. Raw logits come out (networks/derived.py).

    Args:
      genotype: the derived (or published) cells.
      channels: of the first cell's nodes (paper: 36).
      layers: number of cells, at least 3 (paper: 20).
      classes: number of classes.
      auxiliary: whether a second classifier hangs at 2/3 of the depth; it
        is read in training only.
      auxiliary_weight: of its loss in `fit`.

    Raises:
      InputError: a size that makes no network.
    """

    def __init__(
        self,
        genotype: Genotype,
        channels: int,
        layers: int,
        classes: int,
        auxiliary: bool = True,
        auxiliary_weight: float = AUXILIARY_WEIGHT,
    ):
        self.genotype = genotype
        self.norm = functools.partial(BatchNorm, True)
        super().__init__(channels, layers, classes, name="evaluation_network")
        self.arguments = {"channels": channels, "layers": layers, "classes": classes}
        self.arguments["auxiliary"] = auxiliary
        self.arguments["auxiliary_weight"] = auxiliary_weight
        self.auxiliary_weight = auxiliary_weight
        head = self._auxiliary_head
        self.auxiliary = head(classes) if auxiliary else None

    def _build_cell(self, layer, kind, channels, after_reduction):
        cell = self.genotype.cells[kind]
        spec = space_by_name(self.genotype.space).cell(kind)
        units = discrete_units(
            spec, cell, channels, 2 if kind == "reduce" else 1, layer
        )
        inputs = self._inputs(channels, after_reduction)
        nodes = len(units) + 1 - spec.inputs
        return Cell(units, nodes, cell.concat, inputs)

    def parts(self) -> parts.NetworkParts:
        """Returns the parts of the networks of the genotype's space at this size."""
        around = [*parts.of_stems(self.stems), parts.of_head(self, [self.classifier])]
        return parts.of_cells(space_by_name(self.genotype.space), self, around)

    def _build_ends(self, shapes) -> None:
        super()._build_ends(shapes)
        if self.auxiliary is not None:
            operations.build_once(self.auxiliary, shapes[self.reductions[1]])

    @staticmethod
    def _auxiliary_head(classes):
        return AuxiliaryHead(classes, last_norm=True)

    def call(self, images, drop_path=None, seed=None, training=False):
        """Computes the logits of images [B, H, W, channels].

        Args:
          images: normalised images.
          drop_path: probability of dropping an edge, a scalar tensor; None
            for no drop path.
          seed: int32 [2], decides what is dropped, and the noise where
            operations give some.
          training: whether batch norm uses (and follows) the batch.

        Returns:
          Logits [B, classes]; with an auxiliary head in training the pair
          (logits, auxiliary logits).
        """
        images = as_floats(images)
        arguments = edge_arguments(self.cells, drop_path, seed, images, training)
        auxiliary_logits = None
        outputs = self._trunk(images, training, arguments.__getitem__)
        head = self.auxiliary if training else None
        for layer, out in enumerate(outputs):
            if head is not None and layer == self.reductions[1]:
                auxiliary_logits = head(out, training=True)
        logits = self.classify(out)
        return logits if auxiliary_logits is None else (logits, auxiliary_logits)


@keras.saving.register_keras_serializable(PACKAGE)
class MobileNetwork(EvaluationNetwork):
    """A derived architecture for ImageNet in the mobile setting.

    224 x 224 images; two stems bring them to 28 x 28 before the first cell
    (DARTS sect. 3.2; paper: 48 channels, 14 cells).

    Raises:
      InputError: an odd number of channels: the stem starts with half.
    """

    _stem_halves = True

    def _build_stems(self, channels):
        if channels % 2:
            raise InputError(
                f"channels must be even for the ImageNet network, whose stem "
                f"starts with half of them; received {channels}"
            )
        half = strided_stem(channels // 2)
        return [half, strided_stem(channels), strided_stem(channels)]

    def _stem(self, images, training):
        first, second, third = self.stems
        s0 = tf.nn.relu(first(images, training=training))
        s0 = second(s0, training=training)
        return s0, third(tf.nn.relu(s0), training=training)

    @staticmethod
    def _auxiliary_head(classes):
        return AuxiliaryHead(classes, last_norm=False)
