"""A plain PyTorch supernet, to be timed beside ours (DARTS sect. 3.1.1).

Written as the paper describes it: every edge is a module of its own that
computes all of its candidates and their weighted sum (eq. 2). The maths is
that of darts_tf/networks, which tests/benchmarks holds against the same
goldens; nothing is shared between edges. Feature maps are [B, C, H, W].
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from darts_tf.space.conv import SPACE, reduction_layers


def norm(channels: int, affine: bool = False) -> nn.Module:
    """Returns a batch norm with the papers' constants, which are torch's own."""
    return nn.BatchNorm2d(channels, affine=affine)


def separable(channels: int, size: int, stride: int) -> nn.Module:
    """Returns a sep_conv: twice ReLU, depthwise, pointwise, BN."""
    layers = []
    for step in (stride, 1):
        layers += [
            nn.ReLU(),
            _depthwise(channels, size, step, 1),
            nn.Conv2d(channels, channels, 1, bias=False),
            norm(channels),
        ]
    return nn.Sequential(*layers)


def dilated(channels: int, size: int, stride: int) -> nn.Module:
    """Returns a dil_conv: ReLU, depthwise with dilation 2, pointwise, BN."""
    return nn.Sequential(
        nn.ReLU(),
        _depthwise(channels, size, stride, 2),
        nn.Conv2d(channels, channels, 1, bias=False),
        norm(channels),
    )


def _depthwise(channels, size, stride, dilation):
    return nn.Conv2d(
        channels,
        channels,
        size,
        stride,
        dilation * (size - 1) // 2,
        dilation,
        groups=channels,
        bias=False,
    )


class Reduce(nn.Module):
    """The strided identity: two 1 x 1 convolutions, one pixel apart."""

    def __init__(self, inner: int, outer: int):
        super().__init__()
        self.even = nn.Conv2d(inner, outer // 2, 1, 2, bias=False)
        self.odd = nn.Conv2d(inner, outer - outer // 2, 1, 2, bias=False)
        self.norm = norm(outer)

    def forward(self, x):
        """Computes [B, C', H/2, W/2] from [B, C, H, W]."""
        x = torch.relu(x)
        halves = [self.even(x), self.odd(x[:, :, 1:, 1:])]
        return self.norm(torch.cat(halves, 1))


class Zero(nn.Module):
    """The zero operation."""

    def __init__(self, stride: int):
        super().__init__()
        self.stride = stride

    def forward(self, x):
        """Returns zeros of the right shape."""
        return x[:, :, :: self.stride, :: self.stride] * 0


def candidate(name: str, channels: int, stride: int) -> nn.Module:
    """Returns a candidate operation by its name."""
    if name == "none":
        return Zero(stride)
    if name == "skip_connect":
        return nn.Identity() if stride == 1 else Reduce(channels, channels)
    if name.endswith("pool_3x3"):
        pool = (
            nn.MaxPool2d(3, stride, 1)
            if name.startswith("max")
            else nn.AvgPool2d(3, stride, 1, count_include_pad=False)
        )
        return nn.Sequential(pool, norm(channels))
    make = separable if name.startswith("sep") else dilated
    return make(channels, int(name[-1]), stride)


class MixedEdge(nn.Module):
    """All candidates of one edge, weighted (eq. 2)."""

    def __init__(self, names, channels: int, stride: int):
        super().__init__()
        self.candidates = nn.ModuleList(
            candidate(name, channels, stride) for name in names
        )

    def forward(self, x, weights):
        """Computes eq. 2 on [B, C, H, W] with mixing weights [candidates]."""
        return sum(w * f(x) for w, f in zip(weights, self.candidates))


class Cell(nn.Module):
    """A cell of mixed edges (eq. 1)."""

    def __init__(self, spec, widths, channels, reduction, after_reduction):
        super().__init__()
        self.spec = spec
        first = Reduce if after_reduction else _conv_norm
        self.inputs = nn.ModuleList(
            [first(widths[0], channels), _conv_norm(widths[1], channels)]
        )
        self.edges = nn.ModuleList(
            MixedEdge(names, channels, 2 if reduction and source < 2 else 1)
            for names, (_, source) in zip(spec.candidates, _edges(spec))
        )

    def forward(self, s0, s1, weights):
        """Computes eq. 1 on two [B, C', H, W] with weights [edges, candidates]."""
        states = [self.inputs[0](s0), self.inputs[1](s1)]
        row = 0
        for _ in range(self.spec.nodes):
            count = len(states)
            states.append(
                sum(
                    self.edges[row + i](states[i], weights[row + i])
                    for i in range(count)
                )
            )
            row += count
        return torch.cat([states[node] for node in self.spec.concat], 1)


def _edges(spec):
    return [
        (node, source) for node in range(2, 2 + spec.nodes) for source in range(node)
    ]


def _conv_norm(inner, outer):
    return nn.Sequential(nn.ReLU(), nn.Conv2d(inner, outer, 1, bias=False), norm(outer))


class Supernet(nn.Module):
    """Stem, cells, pooling and classifier, as darts_tf/networks/conv.py."""

    def __init__(self, channels: int, layers: int, classes: int):
        super().__init__()
        wide = 3 * channels
        self.stem = nn.Sequential(
            nn.Conv2d(3, wide, 3, padding=1, bias=False), norm(wide, True)
        )
        self.kinds, self.cells = [], nn.ModuleList()
        widths, halved = (wide, wide), False
        for layer in range(layers):
            reduction = layer in reduction_layers(layers)
            channels = 2 * channels if reduction else channels
            self.kinds.append(int(reduction))
            spec = SPACE.cells[int(reduction)]
            cell = Cell(spec, widths, channels, reduction, halved)
            self.cells.append(cell)
            widths = widths[1], len(spec.concat) * channels
            halved = reduction
        self.classifier = nn.Linear(widths[1], classes)

    def forward(self, images, alpha):
        """Computes logits [B, classes] of [B, 3, H, W]; alpha [edges, candidates]."""
        weights = [torch.softmax(rows, -1) for rows in alpha]
        s0 = s1 = self.stem(images)
        for kind, cell in zip(self.kinds, self.cells):
            s0, s1 = s1, cell(s0, s1, weights[kind])
        return self.classifier(s1.mean((2, 3)))


def image_loss(model: Supernet, alpha, batch):
    """Computes the mean cross-entropy of (images [B, 3, H, W], labels int64 [B])."""
    images, labels = batch
    return F.cross_entropy(model(images, alpha), labels)
