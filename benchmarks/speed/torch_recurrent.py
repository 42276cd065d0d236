"""A recurrent search network in plain PyTorch, to be timed beside ours.

Written as the paper's code computes it (DARTS sect. 3.1.2, A.1.2): a loop
over time in Python, all candidates of an edge one after another, batch norm
without parameters on every node, tied embedding, masks that are drawn once a
window. The maths is that of darts_tf/networks/recurrent.py and language.py;
tests/benchmarks holds it against the same goldens. Time comes first:
[T, B, ...].
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

from darts_tf.space.cell import ZERO
from darts_tf.space.recurrent import CANDIDATES, NODES

INITIAL_RANGE = 0.04
ACTIVATIONS = {
    "tanh": torch.tanh,
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "identity": lambda z: z,
}
DROPOUTS = {"embedding": 0.2, "x": 0.75, "hidden": 0.25, "output": 0.75}
"""Dropouts of configs/ptb/search_second_order.flags, which drops no whole words."""

SLOWNESS = 1e-3
"""Factor of the mean square by which the output changes (same file)."""


class Masks(NamedTuple):
    """Dropout masks [B, H] of a window, one for all times."""

    embedding: torch.Tensor
    x: torch.Tensor
    hidden: torch.Tensor
    output: torch.Tensor


class Window(NamedTuple):
    """A window of text, as a batch.

    Attributes:
      inputs, targets: int64 [T, B], words.
      hidden: [B, H], the state before.
      masks: the same for every pass of a step.
      slowness: 0 in L_val.
    """

    inputs: torch.Tensor
    targets: torch.Tensor
    hidden: torch.Tensor
    masks: Masks
    slowness: float


def draw_masks(hidden) -> Masks:
    """Draws masks for states like `hidden` [B, H]: 0 or 1 / (1 - p)."""
    return Masks(
        *(
            torch.empty_like(hidden).bernoulli_(1 - p) / (1 - p)
            for p in map(DROPOUTS.get, Masks._fields)
        )
    )


class MixedCell(nn.Module):
    """The cell of the search network: every edge a mixed operation.

    Args:
      size: H, of states and inputs.
      nodes: that are searched.
    """

    def __init__(self, size: int, nodes: int):
        super().__init__()
        self.first = _matrix(2 * size, 2 * size)
        self.maps = nn.ParameterList(_matrix(size, 2 * size) for _ in range(nodes))
        self.norm = nn.BatchNorm1d(size, affine=False)

    def forward(self, x, hidden, x_mask, h_mask, weights):
        """Computes the next state.

        Args:
          x, hidden: [B, H], the embedded word and the state.
          x_mask, h_mask: [B, H].
          weights: mixing weights [edges, candidates].

        Returns:
          [B, H], the mean of the searched nodes.
        """
        both = torch.cat([x * x_mask, hidden * h_mask], -1)
        c, z = (both @ self.first).chunk(2, -1)
        s = hidden + torch.sigmoid(c) * (torch.tanh(z) - hidden)
        states = self.norm(s)[None]  # [nodes so far, B, H]
        row = 0
        for matrix in self.maps:
            c, z = ((states * h_mask) @ matrix).chunk(2, -1)
            s = self._mixed(
                states, torch.sigmoid(c), z, weights[row : row + len(states)]
            )
            row += len(states)
            states = torch.cat([states, self.norm(s)[None]])
        return states[1:].mean(0)

    def _mixed(self, states, c, z, p):
        """Sums over predecessors and candidates; p [predecessors, 5]."""
        total = 0
        for column, name in zip(p.unbind(1), CANDIDATES):
            if name != ZERO:
                candidate = states + c * (ACTIVATIONS[name](z) - states)
                total = total + (column[:, None, None] * candidate).sum(0)
        return total


class LanguageModel(nn.Module):
    """Embedding, mixed cell, and the embedding again as decoder.

    Args:
      words: V, size of the vocabulary.
      size: H, of states and of the embedding.
      nodes: of the cell.
    """

    def __init__(self, words: int, size: int, nodes: int = NODES):
        super().__init__()
        self.embedding = _matrix(words, size)
        self.bias = nn.Parameter(torch.zeros(words))
        self.cell = MixedCell(size, nodes)

    def forward(self, inputs, hidden, masks, alpha):
        """Computes the logits of the next word at every time.

        Args:
          inputs: int64 [T, B].
          hidden: [B, H], the state before.
          masks: Masks.
          alpha: [alpha of the cell, [edges, candidates]].

        Returns:
          (logits [T, B, V], state after [B, H], the cell's outputs
          [T, B, H] before dropout).
        """
        weights = torch.softmax(alpha[0], -1)
        embedded = F.embedding(inputs, self.embedding) * masks.embedding
        outputs = []
        for x in embedded.unbind():
            hidden = self.cell(x, hidden, masks.x, masks.hidden, weights)
            outputs.append(hidden)
        outputs = torch.stack(outputs)
        seen = outputs * masks.output
        return F.linear(seen, self.embedding, self.bias), hidden, outputs


def window_loss(model: LanguageModel, alpha, window: Window):
    """Computes the mean cross-entropy in nats, and the slowness term."""
    logits, _, outputs = model(window.inputs, window.hidden, window.masks, alpha)
    loss = F.cross_entropy(logits.flatten(0, 1), window.targets.flatten())
    if window.slowness:
        change = outputs[1:] - outputs[:-1]
        loss = loss + window.slowness * change.square().mean()
    return loss


def _matrix(rows: int, columns: int) -> nn.Parameter:
    start = torch.empty(rows, columns)
    return nn.Parameter(start.uniform_(-INITIAL_RANGE, INITIAL_RANGE))
