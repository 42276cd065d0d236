"""How much memory a run takes, estimated before it starts.

Activations and weights are counted (networks/footprint/networks.py for images,
text_footprint.py for language). What TensorFlow and its graphs take of the
main memory is not known from sizes: those are constants, measured with
`python -m benchmarks.speed.memory`, linear in the number of operations on edges.
"""

from __future__ import annotations

import dataclasses
from typing import Protocol

GB = 1e9
PROGRAM = 0.80 * GB
"""TensorFlow, Keras and this program, before any network."""

SMALL_PROGRAM = 0.62 * GB
"""The same where no supernet of images is built."""


class Sizes(Protocol):
    """What networks' footprints have in common.

    Attributes:
      weights: parameters of the network.
      operations: number of operations on edges in the whole network.
    """

    weights: int
    operations: int

    def kept(self) -> int:
        """Elements there at once for one example, at the most."""


@dataclasses.dataclass(frozen=True)
class Kind:
    """What a kind of step needs.

    Attributes:
      copies: of all weights: variables, slots, gradients, points of eq. 8.
      graph: bytes of main memory for each operation on an edge.
      derivatives: activations, in those of one pass with gradients.
      program: bytes of main memory before any network.
    """

    copies: int
    graph: float
    derivatives: float = 1.0
    program: float = PROGRAM

    def plus(self, more: Kind) -> Kind:
        """The same step with what something adds."""
        return dataclasses.replace(
            self,
            copies=self.copies + more.copies,
            graph=self.graph + more.graph,
            derivatives=max(self.derivatives, more.derivatives),
        )


IMAGES = {
    "training": Kind(6, 1.5e6, 0.95, SMALL_PROGRAM),
    "weights": Kind(6, 0.12e6),
    "first_order": Kind(6, 0.26e6),
    "finite_difference": Kind(12, 0.39e6),
    "exact": Kind(12, 5.2e6, 2.5),
}
"""By the --method of a search; "training" is that of a derived network,
"weights" that of a supernet at given mixing weights.

Of "exact" one peak is known, which does not tell both constants apart (16
channels, 8 cells, batch 16: 8.62 GB); "training" was fitted to three sizes of
benchmarks/speed/training_step.py and a run of train.evaluate. "weights" was a half of
"first_order" when it was measured, and is that half still.
"""

SLOPES = Kind(12, 1.46e6, 3.2)
"""The exact method where it goes by slopes (networks/compiled/directional_derivatives.py): four sizes."""

LAMBDA = {
    "finite_difference": Kind(3, 0.35e6),
    "exact": Kind(3, 5.2e6, 2.5),
}
"""What Lambda-DARTS adds to a search step, by --lambda_gradient: gradients
and their graphs. Each was fitted to one run: 8 channels, 4 cells, batch 32; 8
channels, 5 cells, batch 16.
"""

RECOMPUTED = {
    "weights": Kind(0, 0.17e6),
    "first_order": Kind(0, 0.35e6),
    "finite_difference": Kind(0, 0.75e6),
    "exact": Kind(0, 0.75e6),
}
"""What --recompute adds to a step: graphs. First order was fitted to two
sizes, eq. 8 to one; "weights" is half of the former, "exact" as the latter.
"""

NARROW = Kind(0, 0.1e6)
"""What --precision adds to a step: casts."""

ELEMENT = {"float32": 4.0, "mixed_bfloat16": 2.3, "mixed_float16": 2.3}
"""Bytes of an element of an activation, on average: what mixing weights are
multiplied with stays float32 (tests/networks/footprint/test_operations.py counts it)."""

TEXT = {
    "training": Kind(6, 7.0e6, program=SMALL_PROGRAM),
    "first_order": Kind(6, 0.72e6, 0.83, SMALL_PROGRAM),
    "finite_difference": Kind(12, 1.0e6, program=SMALL_PROGRAM),
    "exact": Kind(12, 3.4e6, 2.68, SMALL_PROGRAM),
}
"""The same of language models.

The methods of a search were fitted to two sizes each, a small one and the
paper's; "training" to one small run.
"""


@dataclasses.dataclass(frozen=True)
class Memory:
    """Bytes by what takes them.

    Attributes:
      activations: kept for the backward pass.
      weights: the network's, with slots and gradients.
      program: TensorFlow and its graphs; of the main memory always.
      data: images or words, of the main memory always.
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
            replicas * self.activations,
            replicas * self.weights,
            self.program,
            data,
        )

    @property
    def total(self) -> float:
        """Bytes of all."""
        return sum(dataclasses.astuple(self))


def estimate(
    sizes: Sizes, needs: Kind, examples: int, element: float = 4, **how
) -> Memory:
    """What a step needs at its peak.

    Args:
      sizes: of the network.
      needs: of the step.
      examples: that are computed at once: of a replica's micro-batch.
      element: bytes of an element of an activation.
      **how: arguments of the sizes' `kept`.
    """
    kept = needs.derivatives * sizes.kept(**how) * examples
    return Memory(
        activations=element * kept,
        weights=4.0 * needs.copies * sizes.weights,
        program=needs.program + needs.graph * sizes.operations,
    )
