"""What a network of cells for images holds in memory, from its sizes alone.

networks/footprint/operations.py says what is counted.
"""

from __future__ import annotations

import dataclasses
import itertools

from darts_tf.networks import stem_and_head
from darts_tf.networks.footprint.operations import (
    Held,
    Size,
    derived_cell,
    mixed_cell,
    preprocessed,
)
from darts_tf.networks.skeleton import STEM_MULTIPLIER
from darts_tf.space.cell import SearchSpace
from darts_tf.space.conv import reduction_layers
from darts_tf.space.genotype import Genotype
from darts_tf.space.nasbench201 import CELL, SPACE, STAGES
from darts_tf.space.registry import space_by_name


@dataclasses.dataclass(frozen=True)
class Footprint:
    """Elements that a network holds.

    Attributes:
      cells: of each cell.
      outside: of all that is no cell.
      inputs: of what enters each cell, together; in `cells` or `outside` too.
      operations: number of operations on edges in the whole network.
    """

    cells: tuple[Held, ...]
    outside: Held
    inputs: int
    operations: int

    @property
    def weights(self) -> int:
        """Parameters of the network."""
        return sum((cell.weights for cell in self.cells), self.outside.weights)

    def kept(self, recompute: bool = False) -> int:
        """Elements there at once for one image, at the most.

        Args:
          recompute: cells keep their inputs only, but for one at a time.
        """
        if recompute:
            largest = max(cell.kept + cell.waiting for cell in self.cells)
            return self.outside.kept + self.inputs + largest
        before = itertools.accumulate(cell.kept for cell in self.cells)
        return self.outside.kept + max(
            kept + cell.waiting for kept, cell in zip(before, self.cells)
        )


def supernet(
    space: SearchSpace,
    channels: int,
    layers: int,
    classes: int,
    image_shape,
    partial_channels: int = 1,
) -> Footprint:
    """The search network of a space of image cells.

    Args:
      space: what is searched.
      channels, layers, classes: of networks/conv.py or nasbench201.py.
      image_shape: [H, W, C].
      partial_channels: K.
    """
    staged = space.name == SPACE.name

    def cell(kind, *sizes):
        return mixed_cell(space.cell(kind), *sizes, not staged, partial_channels)

    concat = {spec.name: len(spec.concat) for spec in space.cells}
    counts = {spec.name: sum(map(len, spec.candidates)) for spec in space.cells}
    sizes = channels, layers, classes, image_shape
    if staged:
        return _staged(cell, counts[CELL], *sizes)
    return _reducing(cell, concat, counts, *sizes)


def evaluation(
    genotype: Genotype,
    channels: int,
    layers: int,
    classes: int,
    image_shape,
    auxiliary: bool = True,
    mobile: bool = False,
) -> Footprint:
    """The network of a derived architecture; arguments as of `supernet`.

    Args:
      genotype: the cells.
      auxiliary: whether there is an auxiliary head.
      mobile: the stems for images of 224 x 224.
    """
    space = space_by_name(genotype.space)

    def cell(kind, *sizes):
        return derived_cell(space.cell(kind), genotype.cells[kind], *sizes)

    sizes = channels, layers, classes, image_shape
    cells = genotype.cells.items()
    concat = {kind: len(found.concat) for kind, found in cells}
    counts = {kind: len(found.edges) for kind, found in cells}
    if space.name == SPACE.name:
        return _staged(cell, counts[CELL], *sizes)
    return _reducing(
        cell,
        concat,
        counts,
        *sizes,
        affine=True,
        mobile=mobile,
        head=auxiliary,
    )


def _reducing(
    cell,
    concat,
    counts,
    channels,
    layers,
    classes,
    image_shape,
    affine=False,
    mobile=False,
    head=False,
):
    """networks/conv.py; the two latest outputs are (size, channels)."""
    *size, colours = image_shape
    stems = _strided_stems if mobile else _stem
    outside, before, last = stems(Size(size), colours, channels)
    inputs, cells, count = before[0].map(before[1]), [], 0
    if mobile:
        inputs += last[0].map(last[1])
    for layer in range(layers):
        kind = "reduce" if layer in reduction_layers(layers) else "normal"
        stride = 2 if kind == "reduce" else 1
        channels, here = channels * stride, last[0]
        between = 1 if before[0] == here else 2
        cells.append(
            preprocessed(*before, channels, between, affine)
            + preprocessed(*last, channels, 1, affine)
            + cell(kind, here, channels, stride)
        )
        count += counts[kind]
        before, last = last, (here.halved(stride), concat[kind] * channels)
        inputs += last[0].map(last[1])
        if head and layer == reduction_layers(layers)[1]:
            outside += _auxiliary(*last, classes, last_norm=not mobile)
    inputs -= last[0].map(last[1])  # enters no cell
    outside += Held((last[1] + 1) * classes)
    return Footprint(tuple(cells), outside, inputs, count)


def _staged(cell, count, channels, layers, classes, image_shape):
    """networks/nasbench201.py."""
    *size, colours = image_shape
    size, inputs, cells = Size(size), 0, []
    outside = _convolution(9, colours, channels, size)
    for layer in range(layers):
        if layer and layer % (layers // STAGES) == 0:
            outside += _residual(size, channels)
            size, channels = size.halved(), 2 * channels
        inputs += size.map(channels)
        cells.append(cell(CELL, size, channels, 1))
    outside += Held(2 * channels, 2 * size.map(channels))  # the last BN, ReLU
    outside += Held((channels + 1) * classes)
    return Footprint(tuple(cells), outside, inputs, layers * count)


def _convolution(area: int, entering: int, channels: int, out: Size) -> Held:
    """With an affine batch norm behind it, whose input is kept."""
    return Held((area * entering + 2) * channels, out.map(channels))


def _stem(size: Size, colours: int, channels: int):
    wide = STEM_MULTIPLIER * channels
    both = size, wide
    return _convolution(9, colours, wide, size), both, both


def _strided_stems(size: Size, colours: int, channels: int):
    half, first = channels // 2, size.halved()
    second, third = first.halved(), first.halved().halved()
    held = _convolution(9, colours, half, first)
    held += Held(0, first.map(half))  # ReLU
    held += _convolution(9, half, channels, second)
    held += Held(0, second.map(channels))
    held += _convolution(9, channels, channels, third)
    return held, (second, channels), (third, channels)


def _auxiliary(size: Size, channels: int, classes: int, last_norm: bool):
    """networks.ends.AuxiliaryHead, on 2 x 2 pixels but for its ReLU."""
    narrow, wide = stem_and_head.NARROW_CHANNELS, stem_and_head.WIDE_CHANNELS
    weights = (channels + 2) * narrow + 4 * narrow * wide
    weights += 2 * wide * last_norm + (wide + 1) * classes
    kept = size.map(channels) + 4 * channels + 8 * narrow + 2 * wide
    return Held(weights, kept)


def _residual(size: Size, channels: int) -> Held:
    """networks.nasbench201.ResidualBlock from `channels` to twice as many."""
    wide, out = 2 * channels, size.halved()
    weights = 9 * channels * wide + 9 * wide * wide + channels * wide + 4 * wide
    kept = size.map(channels) + 3 * out.map(wide) + out.map(channels)
    return Held(weights, kept)
