"""Chains of inverted residual blocks, whose kernels, expansions and depth are searched.

A chain-structured space, as of ProxylessNAS (Cai et al., ICLR 2019, sect. 3 and
4.2) and FBNet (Wu et al., CVPR 2019, table 1), around the network of MobileNetV2
(Sandler et al., CVPR 2018, table 2): a 3 x 3 convolution, a block of expansion 1,
stages of blocks, a 1 x 1 convolution, average pooling and a linear classifier.
Each layer of a stage is one of six blocks: kernel 3, 5 or 7, expansion 3 or 6. The
first layer of a stage has its stride and its change of width; the others may also be
skipped, so that the depth is searched. Squeeze-and-excitation is left out.

Every layer has an alpha of its own. As layers that cannot be skipped have one
candidate less, alpha is two arrays: of the "first" layers of the stages and of the
"later" ones, with a row for each layer. Node 0 is the output of the block of
expansion 1, and node i that of layer i, counted from 1.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

from darts_tf.errors import InputError
from darts_tf.space.cell import IDENTITY, CellSpec, SearchSpace
from darts_tf.space.operation_names import CHAIN_OPERATIONS

FIRST, LATER = "first", "later"
BLOCKS = {name: (int(name[8]), int(name[-1])) for name in CHAIN_OPERATIONS}
"""(kernel, expansion) by name."""

STEM_STRIDE = 2
LEAST_PIXELS = 3
"""Pixels of a side that all strides together have to leave."""

ROUNDING = 8
"""Widths are multiples of this."""


@dataclasses.dataclass(frozen=True)
class Stage:
    """Layers of one width.

    Attributes:
      channels: C of their outputs, at a width multiplier of 1.
      layers: how many there are at most.
      stride: of the first one, on large images.
    """

    channels: int
    layers: int
    stride: int


@dataclasses.dataclass(frozen=True)
class Layer:
    """One searched layer of a network.

    Attributes:
      number: its place in the chain, from 1.
      kind: FIRST or LATER, the part of alpha that it belongs to.
      row: of that part.
      inputs, channels: C of its input and of its output.
      stride: 1 or 2.
    """

    number: int
    kind: str
    row: int
    inputs: int
    channels: int
    stride: int


@dataclasses.dataclass(frozen=True)
class ChainSpace(SearchSpace):
    """The chains of one list of stages; made by `chain_space`.

    Attributes:
      stages: their widths, most layers and strides.
      stem, block, head: channels of the first convolution, of the block of
        expansion 1 behind it and of the last convolution.
    """

    stages: tuple[Stage, ...] = ()
    stem: int = 32
    block: int = 16
    head: int = 1280

    def widths(self, multiplier: float) -> tuple[int, int, int]:
        """Returns the channels of stem, block and head.

        The head does not become narrower than at a multiplier of 1 (Sandler et
        al. 2018, sect. 4.2).
        """
        stem, block = (rounded(n * multiplier) for n in (self.stem, self.block))
        return stem, block, rounded(self.head * max(multiplier, 1.0))

    def strides(self, image_size: int) -> tuple[int, ...]:
        """Returns the strides of the stem and of each stage for square images.

        All of them on large images. On smaller ones strides become 1 from the
        front, the stem's first, until the last map has at least LEAST_PIXELS
        pixels a side: images of 65 pixels and more have all five strides of 2,
        of 33 to 64 four, of 17 to 32 three, of 9 to 16 two, of 5 to 8 one.

        Args:
          image_size: pixels of the smaller side.

        Raises:
          InputError: the images are smaller than that.
        """
        if image_size < LEAST_PIXELS:
            raise InputError(
                f"images of {image_size} pixels a side leave no pixel for a chain of "
                f"space '{self.name}'; give images of at least {LEAST_PIXELS}, for "
                "example by `image_size=32`"
            )
        strides = [STEM_STRIDE, *(stage.stride for stage in self.stages)]
        while -(-image_size // math.prod(strides)) < LEAST_PIXELS:
            strides[strides.index(2)] = 1
        return tuple(strides)

    def layers(self, multiplier: float, image_size: int) -> tuple[Layer, ...]:
        """Returns the searched layers of a network, in their order.

        Args:
          multiplier: factor of all widths.
          image_size: pixels of the smaller side of its images.

        Raises:
          InputError: images that are too small.
        """
        _, *strides = self.strides(image_size)
        _, inputs, _ = self.widths(multiplier)
        result, rows = [], {FIRST: 0, LATER: 0}
        for stage, stride in zip(self.stages, strides, strict=True):
            channels = rounded(stage.channels * multiplier)
            for place in range(stage.layers):
                kind, at = (LATER, 1) if place else (FIRST, stride)
                number, row = len(result) + 1, rows[kind]
                result.append(Layer(number, kind, row, inputs, channels, at))
                rows[kind], inputs = row + 1, channels
        return tuple(result)

    def by_stage(self, cells: Mapping[str, Any]) -> list[list[str]]:
        """Returns the operations of a genotype, a list for each stage.

        Args:
          cells: its cells by name, with `edges` of (operation, predecessor).
        """
        names = {
            target: name
            for spec in self.cells
            for target, (name, _) in zip(spec.targets, cells[spec.name].edges)
        }
        result, number = [], 0
        for stage in self.stages:
            numbers = range(number + 1, number + stage.layers + 1)
            result.append([names[n] for n in numbers])
            number += stage.layers
        return result

    def edges_of(self, stages: object) -> dict[str, tuple[tuple[str, int], ...]]:
        """Returns the edges by cell of what `by_stage` gives.

        Raises:
          InputError: other numbers of stages or layers, or no names.
        """
        wanted = [stage.layers for stage in self.stages]
        lists = stages if isinstance(stages, Sequence) else []
        if [len(x) if isinstance(x, list) else -1 for x in lists] != wanted:
            raise InputError(
                f"a genotype of space '{self.name}' has \"stages\", lists of "
                f"{', '.join(map(str, wanted))} operations; received "
                f"{str(stages)[:60]}"
            )
        names = [name for stage in lists for name in stage]
        for name in names:
            if not isinstance(name, str):
                raise InputError(
                    f"an operation of a chain is a name, for example "
                    f"{CHAIN_OPERATIONS[0]!r}; received {name!r}"
                )
        return {
            spec.name: tuple(
                (names[target - 1], source) for source, target in spec.links
            )
            for spec in self.cells
        }


def rounded(channels: float) -> int:
    """Returns the multiple of ROUNDING that is nearest, but not below 90 %.

    As in the code of MobileNetV2 (tensorflow/models, slim/nets/mobilenet).
    """
    nearest = max(ROUNDING, int(channels + ROUNDING / 2) // ROUNDING * ROUNDING)
    return nearest if nearest >= 0.9 * channels else nearest + ROUNDING


def chain_space(
    name: str,
    stages: Sequence[Stage],
    stem: int = 32,
    block: int = 16,
    head: int = 1280,
) -> ChainSpace:
    """Returns the space of the chains with these stages; it is not registered."""
    links: dict[str, list[tuple[int, int]]] = {FIRST: [], LATER: []}
    number = 0
    for stage in stages:
        for place in range(stage.layers):
            links[LATER if place else FIRST].append((number, number + 1))
            number += 1
    candidates = {FIRST: CHAIN_OPERATIONS, LATER: (*CHAIN_OPERATIONS, IDENTITY)}
    cells = tuple(
        CellSpec(
            name=kind,
            inputs=1,
            nodes=len(edges),
            candidates=(candidates[kind],) * len(edges),
            predecessors=1,
            concat=(edges[-1][1],),
            links=tuple(edges),
        )
        for kind, edges in links.items()
        if edges
    )
    operations = candidates[LATER]
    return ChainSpace(
        name, cells, operations, IDENTITY, tuple(stages), stem, block, head
    )


def _stages(*widths: int) -> tuple[Stage, ...]:
    """Returns stages of at most 4, 4, 4, 4, 4 and 1 layers, as of ProxylessNAS."""
    sizes = zip(widths, (4, 4, 4, 4, 4, 1), (2, 2, 2, 1, 2, 1), strict=True)
    return tuple(Stage(*size) for size in sizes)


SPACE = chain_space("mobile_chain", _stages(24, 32, 64, 96, 160, 320))
"""The widths of MobileNetV2."""

PROXYLESS = chain_space("mobile_chain_proxyless", _stages(32, 40, 80, 96, 192, 320))
"""The widths of the published network ProxylessNAS-mobile."""

SPACES = (SPACE, PROXYLESS)
