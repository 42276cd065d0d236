"""Partial channel connections with edge normalisation (Xu et al., ICLR 2020).

PC-DARTS, arXiv 1907.05737, sect. 3.2 and 3.3: on each edge only the first
C / K channels of a node go through the mixed operation, the others by-pass
it (where the edge has stride 2, through a 2 x 2 max pool). Both together are
shuffled, so that the next node's first channels come from all groups. A node
is the sum over its edges, each times its edge's weight beta.

All that stands behind the operations is linear, so a node is put together
once and not once an edge: first the sums, then concatenation and shuffle.

Departures from the authors' code: odd sizes are halved upwards, as by the
operations (theirs fails on them).
"""

from __future__ import annotations

import tensorflow as tf

from darts_tf.errors import InputError
from darts_tf.networks import operations
from darts_tf.networks.cell import Edges, add
from darts_tf.networks.precision import widened


def check_channels(channels: int, partial_channels: int) -> None:
    """Checks that K divides the channels.

    Raises:
      InputError: K does not divide the channels.
    """
    if partial_channels < 1 or channels % partial_channels:
        raise InputError(
            f"`partial_channels={partial_channels}` sends one of "
            f"{partial_channels} equal groups of channels through the mixed "
            f"operations, and {channels} channels do not divide into them; "
            f"`channels` must be a multiple of it"
        )


class PartialEdges(Edges):
    """Mixed operations on the first C / K channels of one node.

    Args:
      mixed: computes the mixed operations of all edges that leave the node,
        on C / K channels (networks/supernet_edges.py).
      groups: K.
      stride: 1 or 2, for all edges.
    """

    def __init__(self, mixed, groups: int, stride: int = 1):
        super().__init__()
        self.mixed, self.groups, self.stride = mixed, groups, stride

    def build(self, shape) -> None:
        """Builds the mixed operations, by the shape of the node."""
        share = *shape[:-1], shape[-1] // self.groups
        operations.build_once(self.mixed, share)

    def call(self, x, weights, training=False, **arguments):
        """Computes terms for a Joint from [B, H, W, C] and mixing weights.

        Args:
          x: the node.
          weights: a row [candidates + 1] for each edge of the cell: beta
            times the mixing weight of each candidate, and beta.
          training: whether batch norm uses (and follows) the batch.
          **arguments: for the mixed operations.

        Returns:
          (target, [(terms [B, H', W', C / K], by-passed channels
          [B, H', W', C - C / K])]) for each edge.
        """
        share = x.shape[-1] // self.groups
        sampled, others = tf.split(x, [share, x.shape[-1] - share], axis=-1)
        if self.stride == 2:
            others = tf.nn.max_pool2d(others, 2, 2, "SAME")
        leaving = self.mixed(sampled, weights=weights, training=training, **arguments)
        rows = [row for row, _ in self.mixed.edges]
        wide = widened(others)
        return [
            (target, [(terms, tf.cast(weights[row][-1] * wide, x.dtype))])
            for row, (target, terms) in zip(rows, leaving, strict=True)
        ]


class Joint:
    """Computes a node from the terms that PartialEdges return.

    Args:
      groups: K.
    """

    def __init__(self, groups: int):
        self.groups = groups

    def __call__(self, terms):
        """Computes [B, H, W, C] from a list of (terms, by-passed channels)."""
        mixed = add([term for some, _ in terms for term in some])
        others = add([passed for _, passed in terms])
        whole = tf.concat([mixed, others], axis=-1)
        return channel_shuffle(whole, self.groups)


def channel_shuffle(x, groups: int):
    """Shuffles [B, H, W, C], K groups of n: channel g n + i becomes i K + g."""
    each = x.shape[-1] // groups
    parted = tf.transpose(tf.reshape(x, [-1, groups, each]), [0, 2, 1])
    return tf.reshape(parted, [-1, *x.shape[1:]])
