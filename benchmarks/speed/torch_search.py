"""A search step of DARTS in plain PyTorch, to be timed beside ours.

The passes are those of the paper's code: the gradient of alpha comes from a
full backward pass, through the weights too (`alpha_only` leaves them out);
eq. 8 perturbs the weights in place. No straw man: the unrolled network is
one that is kept, not one that is made anew in every step, and no pass
computes a gradient of alpha that nobody reads.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable

import torch

from benchmarks.speed.step_worker import TEXT_PROTOCOL

EPSILON = 0.01


@dataclasses.dataclass(frozen=True)
class Protocol:
    """Numbers of both descents; by default the paper's for images.

    Attributes:
      learning_rate, momentum, weight_decay, clip_norm: of w.
      alpha_learning_rate, alpha_beta1: of alpha.
      clip_unrolled: whether w' is clipped too, as in the paper's recurrent
        code and not in that for images; the factor counts as a constant.
    """

    learning_rate: float = 0.025
    momentum: float = 0.9
    weight_decay: float = 3e-4
    clip_norm: float = 5.0
    alpha_learning_rate: float = 3e-4
    alpha_beta1: float = 0.5
    clip_unrolled: bool = False


IMAGES = Protocol()
TEXT = Protocol(**TEXT_PROTOCOL, clip_unrolled=True)


class Search:
    """Alternating steps on alpha and w.

    Args:
      model: its weights are w.
      loss: (model, alpha, batch) -> a scalar.
      alpha: the architecture parameters, one tensor a kind of cell.
      method: "weights" (no step on alpha), "first_order",
        "finite_difference" or "exact".
      alpha_only: whether a gradient of alpha leaves the weights out; then
        they need no gradient in that pass, nor alpha in that of the weights.
      protocol: see Protocol.
    """

    def __init__(
        self,
        model: torch.nn.Module,
        loss: Callable,
        alpha: list[torch.Tensor],
        method: str,
        alpha_only: bool = False,
        protocol: Protocol = IMAGES,
    ):
        self.model, self.loss, self.alpha = model, loss, alpha
        self.method, self.alpha_only = method, alpha_only
        self.protocol = protocol
        self.w = list(model.parameters())
        self.unrolled = copy.deepcopy(model)
        self.sgd = torch.optim.SGD(
            self.w,
            protocol.learning_rate,
            protocol.momentum,
            weight_decay=protocol.weight_decay,
        )
        self.adam = torch.optim.Adam(
            alpha,
            protocol.alpha_learning_rate,
            (protocol.alpha_beta1, 0.999),
            weight_decay=1e-3,
        )

    def step(self, train, valid) -> float:
        """Takes a step of algorithm 1; returns L_train."""
        if self.method != "weights":
            gradient = getattr(self, self.method)(train, valid)
            for a, g in zip(self.alpha, gradient):
                a.grad = g.detach()
            self.adam.step()
        g, _, loss = self.gradients(self.model, train, by_alpha=False)
        for w, value in zip(self.w, g):
            w.grad = value
        torch.nn.utils.clip_grad_norm_(self.w, self.protocol.clip_norm)
        self.sgd.step()
        return loss.item()

    def gradients(self, model, batch, by_w=True, by_alpha=True):
        """Computes (grad_w L, grad_alpha L, L); () for a gradient that is not wanted.

        Args:
          model: self.model or self.unrolled.
          batch: what the loss takes.
          by_w, by_alpha: what is asked.
        """
        w, alpha = list(model.parameters()), self.alpha
        if self.alpha_only:
            for t in w:
                t.requires_grad_(by_w)
            if not by_alpha:
                alpha = [a.detach() for a in alpha]
        loss = self.loss(model, alpha, batch)
        sources = [*(w if by_w else ()), *(alpha if by_alpha else ())]
        derivatives = torch.autograd.grad(loss, sources)
        split = len(w) if by_w else 0
        return derivatives[:split], derivatives[split:], loss

    def first_order(self, train, valid):
        """Computes grad_alpha L_val(w, alpha)."""
        del train
        by_w = not self.alpha_only
        return self.gradients(self.model, valid, by_w=by_w)[1]

    def _stepped(self, gradient):
        """Computes (w' of eq. 6, with momentum and decay; the rate of the gradient)."""
        numbers, rate = self.protocol, self.protocol.learning_rate
        factor = 1.0
        if numbers.clip_unrolled:
            norm = _norm(gradient)
            factor = torch.clamp(numbers.clip_norm / (norm + 1e-6), max=1.0)
        stepped = []
        for w, g in zip(self.w, gradient):
            moving = self.sgd.state[w].get("momentum_buffer")
            moving = 0 if moving is None else numbers.momentum * moving
            move = moving + factor * g + numbers.weight_decay * w
            stepped.append(w - rate * move)
        return stepped, rate * factor

    def _at_unrolled(self, gradient, valid):
        """Computes (grad_w', grad_alpha) of L_val(w', alpha), and the rate."""
        with torch.no_grad():
            stepped, rate = self._stepped(gradient)
            for parameter, value in zip(self.unrolled.parameters(), stepped):
                parameter.copy_(value)
        v, direct, _ = self.gradients(self.unrolled, valid)
        return v, direct, rate

    def finite_difference(self, train, valid):
        """Computes eq. 7 with the central difference of eq. 8."""
        g, _, _ = self.gradients(self.model, train, by_alpha=False)
        v, direct, rate = self._at_unrolled(g, valid)
        epsilon = EPSILON / _norm(v)
        sides = []
        for move in (epsilon, -2 * epsilon):
            self._shift(v, move)
            sides.append(self.gradients(self.model, train, by_w=False)[1])
        self._shift(v, epsilon)
        return [d - rate * (p - n) / (2 * epsilon) for d, p, n in zip(direct, *sides)]

    def _shift(self, v, epsilon) -> None:
        with torch.no_grad():
            for w, t in zip(self.w, v):
                w += epsilon * t

    def exact(self, train, valid):
        """Computes eq. 7 itself, by a backward pass through the backward pass."""
        loss = self.loss(self.model, self.alpha, train)
        g = torch.autograd.grad(loss, self.w, create_graph=True)
        v, direct, rate = self._at_unrolled(g, valid)
        implicit = torch.autograd.grad(g, self.alpha, [-rate * t for t in v])
        return [d + i for d, i in zip(direct, implicit)]


def _norm(tensors):
    """Returns the global norm."""
    return torch.sqrt(sum((t * t).sum() for t in tensors))
