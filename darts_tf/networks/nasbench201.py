"""The supernet and the evaluation network of NAS-Bench-201.

One trunk (Dong and Yang 2020, sect. 2.1): a stem, three stages of N cells
with C, 2C and 4C channels, a residual block with stride 2 between stages,
global average pooling, a linear classifier. A cell takes the output of the
one before as it is.
"""

from __future__ import annotations

import functools

import keras
import tensorflow as tf

from darts_tf.networks import implementation, operations
from darts_tf.networks.batch_norm import BatchNorm
from darts_tf.networks.cell import Cell, activated
from darts_tf.networks.convolutions import Conv, strided
from darts_tf.networks.derived import PACKAGE, DerivedNetwork
from darts_tf.networks.discrete_edges import discrete_units
from darts_tf.networks.drop_path import edge_arguments
from darts_tf.networks.footprint import parts
from darts_tf.networks.partial_edges import (
    Joint,
    PartialEdges,
    check_channels,
)
from darts_tf.networks.precision import widened
from darts_tf.networks.stem_and_head import (
    Classifier,
    as_floats,
    check_ends,
    cifar_stem,
)
from darts_tf.networks.supernet_edges import (
    SharedFunctions,
    packed_edges,
    sampled_edges,
)
from darts_tf.space.cell import SearchSpace
from darts_tf.space.genotype import Genotype
from darts_tf.space.nasbench201 import CELL, STAGES, cells_a_stage
from darts_tf.space.registry import space_by_name


class ResidualBlock(operations.Block):
    """Halves H and W: two convolutions beside an average pool.

    Sizes are halved upwards: the pool of an odd size's last pixels averages
    those that exist. The benchmark has even sizes only.

    Args:
      channels: C of the result.
      norm: called without arguments, returns a new BatchNorm.
    """

    def __init__(self, channels: int, norm):
        super().__init__()
        self.first = operations.build("nor_conv_3x3", channels, 2, norm)
        self.second = operations.build("nor_conv_3x3", channels, 1, norm)
        self.shortcut = Conv(channels)

    def build(self, shape) -> None:
        """Builds its layers."""
        operations.build_in_turn([self.first, self.second], shape)
        operations.build_once(self.shortcut, strided(shape, 2))

    def compute_output_shape(self, shape) -> tuple:
        """Returns the shape of the output, from that of the input."""
        return self.first.compute_output_shape(shape)

    def call(self, x, training=False):
        """Computes [B, ceil(H/2), ceil(W/2), C] from [B, H, W, C']."""
        y = self.first(activated(x), training=training)
        y = self.second(tf.nn.relu(y), training=training)
        return y + self.shortcut(tf.nn.avg_pool2d(x, 2, 2, "SAME"))


class _Trunk(keras.Model):
    """Stem, stages and classifier; subclasses build the cells."""

    recompute = has_directional_derivatives = False
    _norm = staticmethod(functools.partial(BatchNorm, True))

    def __init__(self, channels: int, layers: int, classes: int, **kwargs):
        check_ends(channels, classes)
        size = cells_a_stage(layers)
        super().__init__(autocast=False, **kwargs)
        self.supports_jit = False  # as networks/skeleton.py
        self.cells_a_stage = size
        self.kinds = (CELL,) * layers
        self.stem = cifar_stem(channels, self._norm)
        self.stem.name = "stem"
        self.cells, self.blocks = [], []
        for layer in range(layers):
            wide = channels * 2 ** (layer // self.cells_a_stage)
            self.cells.append(self._build_cell(layer, wide))
            self.cells[-1].name = f"cell_{layer}"
        for stage in range(1, STAGES):
            block = ResidualBlock(channels * 2**stage, self._norm)
            self.blocks.append(block)
        self.last_norm = self._norm()
        self.classifier = Classifier(classes)

    def build(self, shape) -> None:
        """Builds all layers, by the shape of images [B, H, W, channels]."""
        shape = operations.build_in_turn([self.stem], shape)
        for layer, cell in enumerate(self.cells):
            shape = operations.build_in_turn(self._before(layer), shape)
            operations.build_once(cell, [shape])
            shape = cell.compute_output_shape([shape])
        operations.build_once(self.last_norm, shape)
        operations.build_once(self.classifier, (shape[0], shape[-1]))

    def _before(self, layer: int) -> list:
        """Returns [block] for a cell that begins a stage but the first, else []."""
        stage, place = divmod(layer, self.cells_a_stage)
        return self.blocks[stage - 1 : stage] if stage and not place else []

    def _logits(self, images, training, arguments):
        x = self.stem(images, training=training)
        for layer, cell in enumerate(self.cells):
            for block in self._before(layer):
                x = block(x, training=training)
            x = implementation.call_cell(
                cell, [x], self.recompute, training, **arguments(layer)
            )
        return self.classify(x, training)

    def classify(self, x, training=False):
        """Computes logits [B, classes] of the last cell's output [B, H, W, C]."""
        x = tf.nn.relu(self.last_norm(widened(x), training=training))
        return self.classifier(tf.reduce_mean(x, [1, 2]))


class Supernet(_Trunk):
    """The search network: every edge a mixed operation (eq. 2).

    Average pools have no batch norm behind them, unlike in DARTS. As in
    networks/conv.py, a training pass leaves its batch's statistics in the
    batch norms, for whoever trains to average.

    Args:
      space: a space with one cell.
      channels: C, of the first stage (benchmark: 16).
      layers: number of cells, 3 N (benchmark: 15).
      classes: number of classes.
      recompute: keep no activations within a cell
        (networks/compiled/recomputation.py).
      partial_channels: K; one K-th of the channels is mixed
        (networks/partial_edges.py), with 1 all of them.
      compiled: False for the plain edges (networks/mixed_edges.py).
      single_path: whether edges compute one candidate each, that of the largest
        mixing weight (networks/sampled_edges.py).

    Raises:
      InputError: a size that makes no network.
    """

    def __init__(
        self,
        space: SearchSpace,
        channels,
        layers,
        classes,
        recompute: bool = False,
        partial_channels: int = 1,
        compiled: bool = True,
        single_path: bool = False,
    ):
        check_channels(channels, partial_channels)
        self.space, self.recompute, self.plain_edges = space, recompute, not compiled
        self.partial_channels = partial_channels
        self._norm = functools.partial(BatchNorm, True, momentum=0.0)
        self.single_path, self._shared_functions = single_path, None
        self._edges = packed_edges(compiled)
        if single_path:
            self._shared_functions = SharedFunctions() if compiled else None
            self._edges = sampled_edges(self._shared_functions, normalize_pools=False)
        with implementation.plain(not compiled):
            super().__init__(channels, layers, classes, name="supernet")

    @property
    def shared_layers(self) -> list:
        """The layers in shared functions, which take all their weights at once."""
        if self._shared_functions is None or self.recompute:
            return []
        return self._shared_functions.layers

    def _build_cell(self, layer, channels):
        spec = self.space.cell(self.kinds[layer])
        norm = functools.partial(BatchNorm, False, momentum=0.0)
        groups, join = self.partial_channels, None
        units = [
            self._edges(spec, source, channels // groups, norm=norm)
            for source in range(spec.inputs + spec.nodes - 1)
        ]
        if groups > 1:
            units = [PartialEdges(mixed, groups) for mixed in units]
            join = Joint(groups)
        return Cell(units, spec.nodes, spec.concat, [None] * spec.inputs, join)

    def call(self, images, mixing_weights, seed=None, training=False):
        """Computes the logits [B, classes] of images [B, H, W, channels].

        Args:
          images: normalised images.
          mixing_weights: one tensor [edges, candidates] for **each cell** of
            the network, softmaxes already; with partial channels
            [edges, candidates + 1], see PartialEdges.
          seed: int32 [2], decides what random operations give.
          training: whether batch norm uses (and follows) the batch.
        """
        rows = [tf.unstack(weights) for weights in mixing_weights]
        return self._logits(images, training, lambda layer: {"weights": rows[layer]})


@keras.saving.register_keras_serializable(f"{PACKAGE}_nasbench201")
class EvaluationNetwork(DerivedNetwork, _Trunk):
    """The network of a derived architecture; it has no auxiliary head.

    Raw logits come out (networks/derived.py).

    Args:
      genotype: of a space with one cell.
      channels: C, of the first stage (benchmark: 16).
      layers: number of cells, 3 N (benchmark: 15).
      classes: number of classes.
    """

    def __init__(self, genotype: Genotype, channels: int, layers: int, classes: int):
        self.genotype = genotype
        super().__init__(channels, layers, classes, name="evaluation_network")
        self.arguments = {"channels": channels, "layers": layers, "classes": classes}

    def parts(self) -> parts.NetworkParts:
        """Returns the parts of the networks of the genotype's space at this size."""
        blocks = [parts.of_layer("residual_block", block) for block in self.blocks]
        head = parts.of_head(self, [self.last_norm, self.classifier])
        around = [*parts.of_stems([self.stem]), *blocks, head]
        return parts.of_cells(space_by_name(self.genotype.space), self, around)

    def _build_cell(self, layer, channels):
        kind = self.kinds[layer]
        spec = space_by_name(self.genotype.space).cell(kind)
        cell = self.genotype.cells[kind]
        units = discrete_units(spec, cell, channels, 1, layer)
        return Cell(units, spec.nodes, cell.concat, [None] * spec.inputs)

    def call(self, images, drop_path=None, seed=None, training=False):
        """Computes the logits [B, classes] of images [B, H, W, channels].

        Args:
          images: normalised images.
          drop_path: probability of dropping an edge, a scalar tensor; None
            for no drop path.
          seed: int32 [2], decides what is dropped.
          training: whether batch norm uses (and follows) the batch.
        """
        images = as_floats(images)
        arguments = edge_arguments(self.cells, drop_path, seed, images, training)
        return self._logits(images, training, arguments.__getitem__)
