"""Times a network and its own parts in one go, for machines whose speed changes.

The sum of the parts, timed within the same seconds, is what a latency table would
predict that was measured at that speed.
"""

from __future__ import annotations

import collections
import functools

from darts_tf.config import LatencyConfig
from darts_tf.networks.footprint.part import CALL, Part
from darts_tf.networks.footprint.parts import NetworkParts
from darts_tf.space.genotype import Genotype
from darts_tf.space.registry import space_by_name


class Together:
    """The parts of the networks of one size, as a runtime takes them.

    Args:
      config: settled settings of a table.
    """

    def __init__(self, config: LatencyConfig):
        from darts_tf.programs import latency

        self._parts = latency.parts_of(config)
        self._part = functools.cache(
            functools.partial(latency.prepared, config, self._parts)
        )
        self._network = functools.cache(
            functools.partial(latency.timed_network, config)
        )

    def measure(self, genotype: Genotype) -> tuple[float, float]:
        """Returns (milliseconds of a network, sum of those of its parts)."""
        whole = self._network(genotype).measure().median * 1e3
        counts = parts_of_network(self._parts, genotype)
        times = {part: self._part(part).measure().median * 1e3 for part in counts}
        return whole, sum_of_parts(counts, times)


def parts_of_network(
    parts: NetworkParts, genotype: Genotype
) -> collections.Counter[Part]:
    """Returns how often a network has each part."""
    counts = collections.Counter(parts.around)
    for spec in space_by_name(genotype.space).cells:
        edges = genotype.cells[spec.name].edges
        targets = spec.entered(len(edges))
        for target, (operation, source) in zip(targets, edges, strict=True):
            row = spec.edges.index((source, target))
            column = spec.candidates[row].index(operation)
            counts.update(parts.candidates[spec.name][row][column])
    return counts


def sum_of_parts(counts: collections.Counter[Part], times: dict[Part, float]) -> float:
    """Returns the sum of the parts' times, each less that of a call but the call's."""
    call = times[CALL]
    return call * counts[CALL] + sum(
        count * max(times[part] - call, 0.0)
        for part, count in counts.items()
        if part != CALL
    )
