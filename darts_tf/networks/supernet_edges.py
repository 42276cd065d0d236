"""The supernets' gateway to the mixed edges of networks/compiled.

Apart from networks/implementation.py, which layers import: mixed edges are made
of layers, and one module for both would import itself.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

from darts_tf.networks.compiled.mixed_edges import MixedEdges
from darts_tf.networks.compiled.packed_edges import PackedEdges
from darts_tf.networks.compiled.shared_functions import SharedFunctions
from darts_tf.networks.mixed_edges import MixedEdges as PlainEdges
from darts_tf.networks.sampled_edges import SampledEdges

__all__ = ["SharedFunctions", "mixed_edges", "packed_edges", "sampled_edges"]


def mixed_edges(
    compiled: bool, shared_functions: SharedFunctions | None = None
) -> Callable:
    """Returns what makes the edges of a DARTS cell.

    Args:
      compiled: False for the plain edges (networks/mixed_edges.py).
      shared_functions: those of the network, if it has some.
    """
    if not compiled:
        return PlainEdges
    return functools.partial(MixedEdges, shared_functions=shared_functions)


def packed_edges(compiled: bool) -> Callable:
    """Returns what makes the edges of a NAS-Bench-201 cell; pools have no norm.

    Args:
      compiled: False for the plain edges (networks/mixed_edges.py).
    """
    if compiled:
        return PackedEdges
    return functools.partial(PlainEdges, stride=1, normalize_pools=False)


def sampled_edges(
    shared_functions: SharedFunctions | None = None, normalize_pools: bool = True
) -> Callable:
    """Returns what makes the edges of a cell of which one candidate each is computed.

    Args:
      shared_functions: those of the network, if it has some.
      normalize_pools: whether a batch norm follows each pool.
    """
    return functools.partial(
        SampledEdges,
        shared_functions=shared_functions,
        normalize_pools=normalize_pools,
    )
