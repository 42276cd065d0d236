"""What a cell for images holds in memory, from its sizes alone.

Counted are weights, and the elements of the tensors that a forward pass keeps
for the backward one, for one image: the inputs of convolutions, of batch
norms and of max pools, the outputs of ReLUs, and what mixing weights are
multiplied with. Whole networks: networks/footprint/networks.py.
tests/networks/footprint/test_operations.py holds the counts to the networks' graphs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from darts_tf.errors import InputError
from darts_tf.networks import operations
from darts_tf.networks.pools import POOLS
from darts_tf.space.cell import IDENTITY, NOISE, ZERO, CellSpec
from darts_tf.space.genotype import CellGenotype


@dataclasses.dataclass(frozen=True)
class Held:
    """Elements of a part of a network.

    Attributes:
      weights: its parameters.
      kept: for one image, from the forward pass to the backward one.
      waiting: for one image, of what operations give until it is added up;
        in the backward pass of their gradients.
    """

    weights: int = 0
    kept: int = 0
    waiting: int = 0

    def __add__(self, other: Held) -> Held:
        return Held(
            self.weights + other.weights,
            self.kept + other.kept,
            self.waiting + other.waiting,
        )


class Size(tuple):
    """(H, W) in pixels."""

    def halved(self, stride: int = 2) -> Size:
        """Of what a stride leaves."""
        return Size(-(-n // stride) for n in self)

    def map(self, channels: int, more: int = 0) -> int:
        """Elements of a feature map, padded by `more` in all."""
        high, wide = self
        return (high + more) * (wide + more) * channels


def operation(
    name: str, size: Size, channels: int, stride: int, phases: bool = False
) -> Held:
    """An operation on an edge, without its input and output.

    Args:
      name: a candidate.
      size: of the input.
      channels: C.
      stride: 1 or 2.
      phases: whether it is given the phases that it reads, if it skips pixels.
    """
    if not operations.is_builtin(name):
        raise InputError(f"operation {name!r} is not built in; its memory is not known")
    out, dense = size.halved(stride).map(channels), channels * channels
    if name == IDENTITY and stride == 2:
        return Held(dense, out if phases else 3 * out)
    if name in (ZERO, IDENTITY):
        return Held()
    if name == NOISE:
        return Held(0, out)
    if name in POOLS:
        largest = name.startswith("max")
        return Held(0, size.map(channels, 2) + out if largest else 0)
    if name == "conv_7x1_1x7":
        return Held(14 * dense, 2 * out)
    kind, kernel = name.rpartition("_")[0], operations.SIZED[name][1]
    if kind == "nor_conv":
        return Held(kernel**2 * dense, out)
    separable = kernel**2 * channels + dense
    if kind == "sep_conv":
        padded = size.map(channels, kernel - 1) if stride == 2 else 0
        return Held(2 * separable, padded + 5 * out)
    if phases:
        return Held(separable, 2 * out)
    if stride == 2:
        return Held(separable, 3 * out)
    padded = Size(n + n % 2 for n in size).map(channels, 2 * (kernel - 1))
    return Held(separable, padded + 2 * out)


def mixed_edges(
    candidates: Sequence[tuple[str, ...]],
    size: Size,
    channels: int,
    stride: int,
    pool_norms: bool,
    groups: int = 1,
) -> Held:
    """Mixed operations on all edges that leave one node.

    Args:
      candidates: of each edge.
      size: of the node.
      channels: C.
      stride: of all edges.
      pool_norms: whether batch norms stand behind pools.
      groups: K of partial channels.
    """
    if groups > 1:
        part = mixed_edges(candidates, size, channels // groups, stride, pool_norms)
        return part + passed(size, channels - channels // groups, stride)
    every, names = [n for edge in candidates for n in edge], set()
    names.update(every)
    own = [n for n in every if n not in POOLS]
    even = stride == 2 or not any(n % 2 for n in size)
    held = sum((operation(n, size, channels, stride, even) for n in own), Held())
    here, out = size.map(channels), size.halved(stride).map(channels)
    shared = here * (1 + (IDENTITY in names and stride == 1))
    halved = stride == 2 and IDENTITY in names
    if halved or (even and any(n.startswith("dil_conv") for n in names)):
        shared += out * (1 + halved)
    for name in names & set(POOLS):
        shared += operation(name, size, channels, stride).kept
        shared += out * (pool_norms + (name.startswith("avg")))
    given = sum(_terms(edge, stride) for edge in candidates)
    return held + Held(0, shared, given * out)


def _terms(names: tuple[str, ...], stride: int) -> int:
    """What an edge gives: its operations with weights are one sum."""
    shared = {*POOLS, *((IDENTITY,) if stride == 1 else ())}
    weighted = set(names) - shared - {ZERO, NOISE}
    return len(shared & set(names)) + bool(weighted)


def passed(size: Size, channels: int, stride: int) -> Held:
    """So many channels that by-pass the mixed operations of all edges."""
    out = size.halved(stride).map(channels)
    return Held(0, out + (size.map(channels) if stride == 2 else 0))


def mixed_cell(
    spec: CellSpec,
    size: Size,
    channels: int,
    stride: int,
    pool_norms: bool,
    groups: int = 1,
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
            groups,
        )
    return total


def derived_cell(
    spec: CellSpec, cell: CellGenotype, size: Size, channels: int, stride: int
) -> Held:
    """A derived cell; `size` and `stride` are those of its inputs."""
    total, activated = Held(), set()
    targets = spec.entered(len(cell.edges))
    for target, (name, source) in zip(targets, cell.edges, strict=True):
        entering = source < spec.inputs
        here = size if entering else size.halved(stride)
        own = stride if entering else 1
        held = operation(name, here, channels, own)
        norms = 2 if name.startswith("sep_conv") else int(held.weights > 0)
        total += held + Held(2 * channels * norms, 0, here.map(channels))
        if held.weights and source not in activated:
            activated.add(source)
            total += Held(0, here.map(channels))
    return total


def preprocessed(
    size: Size, entering: int, channels: int, stride: int, affine: bool
) -> Held:
    """ReLU, 1 x 1 convolution and batch norm before a cell's input.

    Args:
      size: of what enters, which has `entering` channels.
      entering: its channels.
      channels: of the result.
      stride: 2 for a factorised reduction.
      affine: whether batch norm learns a scale and a shift.
    """
    parts = 2 * size.halved(2).map(entering) if stride == 2 else 0
    out = size.halved(stride).map(channels)
    weights = entering * channels + 2 * channels * affine
    return Held(weights, size.map(entering) + parts + out)
