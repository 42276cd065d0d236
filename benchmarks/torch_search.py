"""A search step of DARTS in plain PyTorch, to be timed beside ours.

The passes are those of the paper's code: the gradient of alpha comes from a
full backward pass, through the weights too (`alpha_only` leaves them out);
eq. 8 perturbs the weights in place. No straw man: the unrolled network is
one that is kept, not one that is made anew in every step.
"""

from __future__ import annotations

import copy

import torch
import torch.nn.functional as F

EPSILON = 0.01


class Search:
    """Alternating steps on alpha and w, on one batch.

    Args:
      model: a torch_supernet.Supernet.
      alpha: the architecture parameters, one tensor a kind of cell.
      method: "weights" (no step on alpha), "first_order",
        "finite_difference" or "exact".
      alpha_only: whether the gradient of alpha leaves the weights out.
      learning_rate, momentum, weight_decay, clip_norm: of w.
    """

    def __init__(
        self, model, alpha, method, alpha_only=False, learning_rate=0.025,
        momentum=0.9, weight_decay=3e-4, clip_norm=5.0,
    ):  # fmt: skip
        self.model, self.alpha, self.method = model, alpha, method
        self.alpha_only, self.clip_norm = alpha_only, clip_norm
        self.unroll = learning_rate, momentum, weight_decay
        self.w = list(model.parameters())
        self.unrolled = copy.deepcopy(model)
        self.sgd = torch.optim.SGD(
            self.w, learning_rate, momentum, weight_decay=weight_decay
        )
        self.adam = torch.optim.Adam(
            alpha, 3e-4, (0.5, 0.999), weight_decay=1e-3
        )

    def loss(self, model, batch):
        """Mean cross-entropy."""
        images, labels = batch
        return F.cross_entropy(model(images, self.alpha), labels)

    def step(self, train, valid) -> float:
        """Algorithm 1 once; L_train."""
        if self.method != "weights":
            gradient = getattr(self, self.method)(train, valid)
            for a, g in zip(self.alpha, gradient):
                a.grad = g.detach()
            self.adam.step()
        self.sgd.zero_grad()
        loss = self.loss(self.model, train)
        torch.autograd.backward(loss, inputs=self.w)
        torch.nn.utils.clip_grad_norm_(self.w, self.clip_norm)
        self.sgd.step()
        return loss.item()

    def first_order(self, train, valid):
        """grad_alpha L_val(w, alpha)."""
        del train
        return self._by_alpha(self.model, valid)

    def _by_alpha(self, model, batch):
        loss = self.loss(model, batch)
        if self.alpha_only:
            return torch.autograd.grad(loss, self.alpha)
        sources = [*self.alpha, *model.parameters()]
        return torch.autograd.grad(loss, sources)[: len(self.alpha)]

    def _stepped(self, gradient):
        """w' of eq. 6, with momentum and decay."""
        rate, momentum, decay = self.unroll
        stepped = []
        for w, g in zip(self.w, gradient):
            moving = self.sgd.state[w].get("momentum_buffer")
            moving = 0 if moving is None else momentum * moving
            stepped.append(w - rate * (moving + g + decay * w))
        return stepped

    def _at_unrolled(self, stepped, valid):
        """(grad_alpha, grad_w') of L_val(w', alpha)."""
        with torch.no_grad():
            for own, value in zip(self.unrolled.parameters(), stepped):
                own.copy_(value)
        sources = [*self.alpha, *self.unrolled.parameters()]
        loss = self.loss(self.unrolled, valid)
        gradient = torch.autograd.grad(loss, sources)
        return gradient[: len(self.alpha)], gradient[len(self.alpha) :]

    def finite_difference(self, train, valid):
        """Eq. 7 with the central difference of eq. 8."""
        loss = self.loss(self.model, train)
        g = torch.autograd.grad(loss, self.w)
        with torch.no_grad():
            stepped = self._stepped(g)
        direct, v = self._at_unrolled(stepped, valid)
        norm = torch.sqrt(sum((t * t).sum() for t in v))
        epsilon = EPSILON / norm
        sides = []
        for move in (epsilon, -2 * epsilon):
            self._shift(v, move)
            loss = self.loss(self.model, train)
            sides.append(torch.autograd.grad(loss, self.alpha))
        self._shift(v, epsilon)
        rate = self.unroll[0]
        return [
            d - rate * (p - n) / (2 * epsilon)
            for d, p, n in zip(direct, *sides)
        ]

    def _shift(self, v, epsilon) -> None:
        with torch.no_grad():
            for w, t in zip(self.w, v):
                w += epsilon * t

    def exact(self, train, valid):
        """Eq. 7 itself, by a backward pass through the backward pass."""
        loss = self.loss(self.model, train)
        g = torch.autograd.grad(loss, self.w, create_graph=True)
        with torch.no_grad():
            stepped = self._stepped(g)
        direct, v = self._at_unrolled(stepped, valid)
        implicit = torch.autograd.grad(
            g, self.alpha, [-self.unroll[0] * t for t in v]
        )
        return [d + i for d, i in zip(direct, implicit)]
