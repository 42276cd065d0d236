"""Derives discrete cells from alpha (DARTS sect. 2.4)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from darts_tf.space.cell import ZERO, CellSpec, SearchSpace
from darts_tf.space.genotype import CellGenotype, Genotype

Temperature = float | np.ndarray
"""A number, or an array that fits alpha's shape."""


def softmax(alpha: np.ndarray, temperature: Temperature = 1.0) -> np.ndarray:
    """Computes the mixing weights [edges, candidates] of alpha (eq. 2), in float64.

    softmax(alpha / T): a temperature T below 1 sharpens them. A number, or
    an array that fits alpha's shape.
    """
    alpha = np.asarray(alpha, np.float64) / temperature
    powers = np.exp(alpha - alpha.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def dirichlet_mean(alpha: np.ndarray, temperature: Temperature = 1.0) -> np.ndarray:
    """Computes the means [edges, candidates] of Dirichlet(elu(alpha) + 1).

    Chen et al. 2021 (DrNAS). `temperature` as of `softmax`.
    """
    alpha = np.asarray(alpha, np.float64) / temperature
    concentrations = np.where(alpha > 0, alpha + 1, np.exp(np.minimum(alpha, 0)))
    return concentrations / concentrations.sum(axis=-1, keepdims=True)


def sigmoid(alpha: np.ndarray, temperature: Temperature = 1.0) -> np.ndarray:
    """Computes the sigmoid [edges, candidates] of alpha (Chu et al. 2020).

    `temperature` as of `softmax`.
    """
    return 1 / (1 + np.exp(-np.asarray(alpha, np.float64) / temperature))


def probabilities(alpha: np.ndarray, temperature: Temperature = 1.0) -> np.ndarray:
    """Computes the probabilities of gumbel's draws, [edges, candidates].

    Dong and Yang 2019 (GDAS); its temperature tau changes none of them.
    """
    del temperature
    return softmax(alpha)


MEANS = {
    "softmax": softmax,
    "dirichlet": dirichlet_mean,
    "sigmoid": sigmoid,
    "gumbel": probabilities,
}
"""The mean mixing weights of alpha, by relaxation."""


def edge_weights(spec: CellSpec, beta: np.ndarray, temperature=1.0) -> np.ndarray:
    """Computes the softmax of beta over the edges that enter each node, [edges]."""
    nodes = [[row for row, _ in spec.incoming(n)] for n in spec.targets]
    return np.concatenate([softmax(beta[rows], temperature) for rows in nodes])


def derive_cell(spec: CellSpec, weights: np.ndarray) -> CellGenotype:
    """Keeps the strongest operations of each node.

    Each edge stands for its strongest non-zero candidate; each node keeps
    the edges from the `spec.predecessors` distinct predecessors for which
    that candidate's mixing weight is largest, the strongest first. Among
    equals the earlier one wins. Where a space keeps all edges of a node,
    they stand in their order, and where it keeps zero operations, zero
    competes with the others (NAS-Bench-201).

    Args:
      spec: the cell.
      weights: mixing weights [edges, candidates], after the softmax: alpha
        itself would rank edges wrongly. With edge normalisation each is
        multiplied by its edge's weight.
    """
    weights = derivable(spec, weights)
    edges = []
    for node in spec.targets:
        incoming = spec.incoming(node)
        if spec.predecessors is not None:
            strongest = sorted(incoming, key=lambda e: -weights[e[0]].max())
            incoming = strongest[: spec.predecessors]
        for row, source in incoming:
            best = int(weights[row].argmax())
            edges.append((spec.candidates[row][best], source))
    return CellGenotype(tuple(edges), spec.concat)


def derivable(spec: CellSpec, weights: np.ndarray) -> np.ndarray:
    """Returns mixing weights [edges, candidates], those never derived as -infinity."""
    weights = np.array(weights, np.float64)
    for row, names in enumerate(spec.candidates):
        if ZERO in names and not spec.zero_kept:
            weights[row, names.index(ZERO)] = -np.inf
    return weights


def mean_weights(
    spec: CellSpec, rows: np.ndarray, temperature: float, relaxation: str
) -> np.ndarray:
    """Returns the mean mixing weights [edges, candidates] of a cell's alpha.

    Args:
      spec: the cell.
      rows: alpha, with beta as one more column or without; see `derive`.
      temperature: of the softmax.
      relaxation: one of MEANS.
    """
    candidates, beta = spec.parted(np.asarray(rows))
    mixing = MEANS[relaxation](candidates, temperature)
    if beta is not None:
        mixing = edge_weights(spec, beta, temperature)[:, np.newaxis] * mixing
    return np.where(np.isneginf(candidates), -np.inf, mixing)


def derive(
    space: SearchSpace,
    alpha: Sequence[np.ndarray],
    temperature: float = 1.0,
    relaxation: str = "softmax",
) -> Genotype:
    """Derives the genotype of alpha.

    Args:
      space: the space that was searched.
      alpha: for each of its cells an array [edges, candidates], or with
        edge normalisation [edges, candidates + 1]. Edges are then ranked by
        the product of both softmaxes (Xu et al. 2020, sect. 3.3). A candidate
        of minus infinity is not derived (strategy/darts/staged_search.py).
      temperature: of the softmax. It changes no edge's strongest candidate,
        but which edges are the strongest.
      relaxation: one of MEANS; edges are ranked by its mean mixing weights.
    """

    return Genotype(
        space.name,
        {
            spec.name: derive_cell(
                spec, mean_weights(spec, rows, temperature, relaxation)
            )
            for spec, rows in zip(space.cells, alpha, strict=True)
        },
    )
