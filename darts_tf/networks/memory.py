"""How much memory a run takes, estimated before it starts.

Activations and weights are counted (networks/network_footprint.py). What
TensorFlow and its graphs take of the main memory is not known from sizes:
those are constants, measured with `python -m benchmarks.memory`, linear in
the number of operations on edges.
"""

from __future__ import annotations

import dataclasses

from darts_tf.networks.network_footprint import Footprint

GB = 1e9
PROGRAM = 0.82 * GB
"""TensorFlow, Keras and this program, before any network."""


@dataclasses.dataclass(frozen=True)
class Kind:
    """What a kind of step needs.

    Attributes:
      copies: of all weights: variables, slots, gradients, points of eq. 8.
      graph: bytes of main memory for each operation on an edge.
      derivatives: activations, in those of one pass with gradients.
    """

    copies: int
    graph: float
    derivatives: float = 1.0


KINDS = {
    "training": Kind(6, 3.1e6),
    "first_order": Kind(6, 0.70e6),
    "finite_difference": Kind(12, 1.05e6),
    "exact": Kind(12, 5.3e6, 2.5),
}
"""By the --method of a search; "training" is that of a derived network.

Of "exact" one peak is known, which does not tell both constants apart (16
channels, 8 cells, batch 16: 8.77 GB); "training" was fitted to two runs of
train.evaluate.
"""


@dataclasses.dataclass(frozen=True)
class Memory:
    """Bytes by what takes them.

    Attributes:
      activations: kept for the backward pass.
      weights: the network's, with slots and gradients.
      program: TensorFlow and its graphs; of the main memory always.
      data: the images, of the main memory always.
    """

    activations: float
    weights: float
    program: float
    data: float = 0.0

    def of_device(self) -> Memory:
        """What an accelerator holds."""
        return Memory(self.activations, self.weights, 0.0)

    def of_host(self, replicas: int, data: float) -> Memory:
        """What so many replicas take of the main memory, with their data."""
        return Memory(
            replicas * self.activations, replicas * self.weights,
            self.program, data,
        )  # fmt: skip

    @property
    def total(self) -> float:
        """Bytes of all."""
        return sum(dataclasses.astuple(self))


def estimate(
    sizes: Footprint,
    kind: str,
    images: int,
    recompute: bool = False,
    element: int = 4,
) -> Memory:
    """What a step needs at its peak.

    Args:
      sizes: of the network.
      kind: one of KINDS.
      images: that are computed at once: of a replica's micro-batch.
      recompute: keep no activations within a cell.
      element: bytes of an element of an activation.
    """
    needs = KINDS[kind]
    kept = needs.derivatives * sizes.kept(recompute) * images
    return Memory(
        activations=element * kept,
        weights=4.0 * needs.copies * sizes.weights,
        program=PROGRAM + needs.graph * sizes.operations,
    )
