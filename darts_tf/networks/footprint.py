"""What a network of cells for images holds in memory, from its sizes alone.

Counted are weights, and the elements of the tensors that a forward pass keeps
for the backward one, for one image: the inputs of convolutions, of batch
norms and of max pools, the outputs of ReLUs, and what mixing weights are
multiplied with. tests/networks/test_footprint.py holds the counts to the
graphs of the networks.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from darts_tf.networks import ops
from darts_tf.networks.conv import STEM_MULTIPLIER
from darts_tf.space import conv, nasbench201
from darts_tf.space.cell import IDENTITY, NOISE, ZERO, CellSpec, SearchSpace


@dataclasses.dataclass(frozen=True)
class Held:
    """Elements of a part of a network: weights, and kept for one image."""

    weights: int = 0
    kept: int = 0

    def __add__(self, other: Held) -> Held:
        return Held(self.weights + other.weights, self.kept + other.kept)


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
        """Elements kept for one image, at the most.

        Args:
          recompute: cells keep their inputs only, but for one at a time.
        """
        cells = [cell.kept for cell in self.cells]
        if recompute:
            return self.outside.kept + self.inputs + max(cells)
        return self.outside.kept + sum(cells)


class Size(tuple):
    """(H, W) in pixels."""

    def halved(self, stride: int = 2) -> Size:
        """Of what a stride leaves."""
        return Size(-(-n // stride) for n in self)

    def map(self, channels: int, more: int = 0) -> int:
        """Elements of a feature map, padded by `more` in all."""
        high, wide = self
        return (high + more) * (wide + more) * channels


def operation(name: str, size: Size, channels: int, stride: int) -> Held:
    """An operation on an edge, without its input and output.

    Args:
      name: a candidate.
      size: of the input.
      channels: C.
      stride: 1 or 2.
    """
    out, dense = size.halved(stride).map(channels), channels * channels
    if name == IDENTITY and stride == 2:
        return Held(dense, size.map(channels) + out)
    if name in (ZERO, IDENTITY):
        return Held()
    if name == NOISE:
        return Held(0, out)
    if name in ops.POOLS:
        largest = name.startswith("max")
        return Held(0, size.map(channels, 2) + out if largest else 0)
    if name == "conv_7x1_1x7":
        return Held(14 * dense, 2 * out)
    kind, kernel = name.rpartition("_")[0], ops.SIZED[name][1]
    if kind == "nor_conv":
        return Held(kernel**2 * dense, out)
    separable = kernel**2 * channels + dense
    if kind == "sep_conv":
        padded = size.map(channels, kernel - 1) if stride == 2 else 0
        return Held(2 * separable, padded + 5 * out)
    if stride == 2:
        return Held(separable, 3 * out)
    phases = Size(n + n % 2 for n in size).map(channels, 2 * (kernel - 1))
    return Held(separable, phases + 2 * out)


def mixed_edges(
    candidates: Iterable[tuple[str, ...]],
    size: Size,
    channels: int,
    stride: int,
    pool_norms: bool,
) -> Held:
    """Mixed operations on all edges that leave one node.

    Args:
      candidates: of each edge.
      size: of the node.
      channels: C.
      stride: of all edges.
      pool_norms: whether batch norms stand behind pools.
    """
    every, names = [n for edge in candidates for n in edge], set()
    names.update(every)
    own = [n for n in every if n not in ops.POOLS]
    held = sum((operation(n, size, channels, stride) for n in own), Held())
    here, out = size.map(channels), size.halved(stride).map(channels)
    shared = here * (1 + (IDENTITY in names and stride == 1))
    for name in names & set(ops.POOLS):
        shared += operation(name, size, channels, stride).kept
        shared += out * (pool_norms + (name.startswith("avg")))
    return held + Held(0, shared)


def mixed_cell(
    spec: CellSpec, size: Size, channels: int, stride: int, pool_norms: bool
) -> Held:
    """All edges of a cell; `size` and `stride` are those of its inputs."""
    total = Held()
    for source in range(spec.inputs + spec.nodes - 1):
        entering = source < spec.inputs
        total += mixed_edges(
            [spec.candidates[row] for row, _ in spec.outgoing(source)],
            size if entering else size.halved(stride),
            channels,
            stride if entering else 1,
            pool_norms,
        )
    return total


def preprocessed(size: Size, entering: int, channels: int, stride: int) -> Held:
    """ReLU, 1 x 1 convolution and batch norm before a cell's input.

    Args:
      size: of what enters, which has `entering` channels.
      entering: its channels.
      channels: of the result.
      stride: 2 for a factorised reduction.
    """
    shifted = size.map(entering) if stride == 2 else 0
    out = size.halved(stride).map(channels)
    return Held(entering * channels, size.map(entering) + shifted + out)


def supernet(
    space: SearchSpace, channels: int, layers: int, classes: int, image_shape
) -> Footprint:
    """The search network of a space of image cells; `image_shape` [H, W, C]."""
    staged = space.name == nasbench201.SPACE.name
    network = _staged_supernet if staged else _conv_supernet
    *size, colours = image_shape
    return network(space, channels, layers, classes, Size(size), colours)


def _conv_supernet(space, channels, layers, classes, size, colours):
    """networks/conv.py; the two latest outputs are (size, channels)."""
    stem = STEM_MULTIPLIER * channels
    outside = _stem(size, colours, stem)
    inputs, cells, count = size.map(stem), [], 0
    before = last = (size, stem)
    for layer in range(layers):
        reduces = layer in conv.reduction_layers(layers)
        spec = space.cell("reduce" if reduces else "normal")
        stride = 2 if reduces else 1
        channels *= stride
        here = last[0]
        cells.append(
            preprocessed(*before, channels, 1 if before[0] == here else 2)
            + preprocessed(*last, channels, 1)
            + mixed_cell(spec, here, channels, stride, pool_norms=True)
        )
        count += sum(map(len, spec.candidates))
        out = here.halved(stride), len(spec.concat) * channels
        before, last = last, out
        inputs += out[0].map(out[1])
    inputs -= last[0].map(last[1])  # enters no cell
    outside += Held((last[1] + 1) * classes)
    return Footprint(tuple(cells), outside, inputs, count)


def _staged_supernet(space, channels, layers, classes, size, colours):
    """networks/nasbench201.py."""
    (spec,) = space.cells
    outside, inputs, cells = _stem(size, colours, channels), 0, []
    for layer in range(layers):
        if layer and layer % (layers // nasbench201.STAGES) == 0:
            outside += _residual(size, channels)
            size, channels = size.halved(), 2 * channels
        inputs += size.map(channels)
        cells.append(mixed_cell(spec, size, channels, 1, pool_norms=False))
    outside += Held(2 * channels, 2 * size.map(channels))  # the last BN, ReLU
    outside += Held((channels + 1) * classes)
    count = layers * sum(map(len, spec.candidates))
    return Footprint(tuple(cells), outside, inputs, count)


def _stem(size: Size, colours: int, channels: int) -> Held:
    return Held((9 * colours + 2) * channels, size.map(channels))


def _residual(size: Size, channels: int) -> Held:
    """networks.nasbench201.ResidualBlock from `channels` to twice as many."""
    wide, out = 2 * channels, size.halved()
    weights = 9 * channels * wide + 9 * wide * wide + channels * wide + 4 * wide
    kept = size.map(channels) + 3 * out.map(wide) + out.map(channels)
    return Held(weights, kept)
