"""Widens a network by copies of its channels (Net2WiderNet).

Net2WiderNet (Chen et al. 2016, Net2Net; Wei et al. 2016): each channel of the
wider network is a copy of one of the narrower network's, and what reads the
copies of a channel divides its weights among them. Nodes are sums, and
identities and pools keep the place of a channel: so all feature maps of one
width have the same copies, each half of the channels among itself, for a
factorized reduction makes its halves by two convolutions. With the batch's
statistics the wider network computes the same too, for copies have the same.

Departures: the copies of a channel are not chosen at random, as nothing
depends on the choice. And they do not share the weights evenly: copies that
are read alike have equal gradients, so that nothing would ever tell them
apart, whereas the small noise that the paper adds would change the function.
"""

from __future__ import annotations

import numpy as np

from darts_tf.errors import InputError
from darts_tf.networks import operations
from darts_tf.networks.batch_norm import BatchNorm
from darts_tf.networks.convolutions import Conv, DepthwiseConv
from darts_tf.space.nasbench201 import STAGES

UNEVEN = 0.5
"""The weights of copies differ by up to this share before they are scaled."""


def copies(narrow: int, wide: int) -> np.ndarray:
    """Returns which of `narrow` channels each of `wide` channels copies: [wide].

    Raises:
      InputError: there are fewer than before.
    """
    if wide < narrow:
        raise InputError(
            f"a network of {wide} channels cannot compute what one of "
            f"{narrow} does; give at least as many `channels` as the network "
            f"that it starts from"
        )
    if narrow == 1:
        return np.zeros(wide, int)
    first, half = wide // 2, narrow // 2
    rest = half + np.arange(wide - first) % (narrow - half)
    return np.concatenate([np.arange(first) % half, rest])


def from_narrower(parent, child, pairs, seed: int = 0) -> None:
    """Makes a network of more channels compute what another one computes.

    Args:
      parent, child: built evaluation networks of one module and genotype,
        with the same classes.
      pairs: (cell of the parent, cell of the child) of the parent's cells in
        turn; the child's other cells are left alone.
      seed: decides how copies share weights.

    Noise (networks/operations.py) is another one in another width.

    Raises:
      InputError: the child has fewer channels.
    """
    widening = _Widening(np.random.default_rng(seed))
    if hasattr(parent, "stems"):
        widening.conv(parent, child, pairs)
    else:
        widening.nasbench201(parent, child, pairs)


class _Widening:
    """Copies weights in one walk through two networks.

    Of every layer it is known of which channels those that enter (`entering`)
    and those that leave (`leaving`) are copies.
    """

    def __init__(self, rng):
        self._rng = rng

    def conv(self, parent, child, pairs) -> None:
        """Copies between networks of networks/conv.py."""
        states = [_colours(parent.stems[0])]
        for old, new in zip(parent.stems, child.stems):
            states.append(_of_chains(old, new))
            self._layer(old, new, *states[-2:])
        # Both inputs of the first cell are the CIFAR network's only stem.
        s0, s1 = states[-2:] if len(parent.stems) > 1 else states[-1:] * 2
        for layer, (old, new) in enumerate(pairs):
            inside = self._cell(old, new, [s0, s1])
            width = max(inside) + 1
            out = [inside + place * width for place in range(len(old.concat))]
            s0, s1 = s1, np.concatenate(out)
            if parent.auxiliary is not None and layer == parent.reductions[1]:
                self._auxiliary(parent.auxiliary, child.auxiliary, s1)
        self._layer(parent.classifier, child.classifier, s1)

    def nasbench201(self, parent, child, pairs) -> None:
        """Copies between networks of networks/nasbench201.py."""
        widths = [net.stem.layers[0].channels for net in (parent, child)]
        stages = [copies(*(w * 2**n for w in widths)) for n in range(STAGES)]
        colours = _colours(parent.stem)
        self._layer(parent.stem, child.stem, colours, stages[0])
        for place, (old, new) in enumerate(pairs):
            self._units(old, new, stages[place // parent.cells_a_stage])
        for old, new, before, after in zip(
            parent.blocks, child.blocks, stages, stages[1:]
        ):
            self._layer(old.first, new.first, before, after)
            self._layer(old.second, new.second, after, after)
            self._layer(old.shortcut, new.shortcut, before, after)
        self._layer(parent.last_norm, child.last_norm, leaving=stages[-1])
        self._layer(parent.classifier, child.classifier, stages[-1])

    def _cell(self, old, new, entering) -> np.ndarray:
        """Copies a cell of two inputs; returns the `copies` of its nodes."""
        # Only the first input may come through a factorized reduction.
        inside = _of_chains(old.inputs_to_states[1], new.inputs_to_states[1])
        for before, after, state in zip(
            old.inputs_to_states, new.inputs_to_states, entering
        ):
            self._layer(before, after, state, inside)
        self._units(old, new, inside)
        return inside

    def _units(self, old, new, inside) -> None:
        for before, after in zip(old.units, new.units, strict=True):
            if before is None:
                continue
            for pair in zip(before.operations, after.operations):
                if pair[0] is not None:
                    self._layer(*pair, inside, inside)

    def _auxiliary(self, old, new, entering) -> None:
        """Copies the auxiliary head, of which only the input has another width."""
        self._layer(old.narrow, new.narrow, entering)
        for name in ("narrow_norm", "wide", "wide_norm", "classifier"):
            before, after = getattr(old, name), getattr(new, name)
            for source, target in zip(
                before.weights if before else (), after.weights if before else ()
            ):
                target.assign(source.numpy())

    def _layer(self, old, new, entering=None, leaving=None) -> None:
        """Copies a layer with weights; without `leaving` its width stays as before."""
        if isinstance(old, operations.Registered):
            raise InputError(
                f"a network with the registered operation "
                f"{old.registration.name!r} cannot be widened: it is not known how "
                f"its weights belong to channels; train the wider one from scratch"
            )
        if isinstance(old, operations.FactorizedReduce):
            self._reduction(old, new, entering, leaving)
        elif isinstance(old, operations.Chain):
            for before, after in zip(old.layers, new.layers, strict=True):
                self._layer(before, after, entering, leaving)
                if isinstance(before, Conv):
                    entering = leaving
        elif isinstance(old, DepthwiseConv):
            new.kernel.assign(old.kernel.numpy()[:, :, entering])
        elif isinstance(old, BatchNorm):
            for source, target in zip(old.weights, new.weights, strict=True):
                target.assign(source.numpy()[leaving])
        elif old.weights:
            self._kernel(old, new, entering, leaving)

    def _reduction(self, old, new, entering, leaving) -> None:
        half, first = old.even.channels, new.even.channels
        self._kernel(old.even, new.even, entering, leaving[:first])
        self._kernel(old.odd, new.odd, entering, leaving[first:] - half)
        self._layer(old.norm, new.norm, leaving=leaving)

    def _kernel(self, old, new, entering, leaving=None) -> None:
        """Copies the kernel of a convolution, or kernel and bias of a classifier."""
        kernel = old.kernel.numpy()
        if leaving is None:
            leaving = np.arange(kernel.shape[-1])
        value = kernel[..., entering, :][..., leaving]
        new.kernel.assign(value * self._shares(entering, len(leaving)))
        if getattr(old, "bias", None) is not None:
            new.bias.assign(old.bias.numpy()[leaving])

    def _shares(self, of: np.ndarray, outputs: int) -> np.ndarray:
        """Draws shares [len(of), outputs]; those of one channel's copies sum to 1."""
        size = len(of), outputs
        shares = self._rng.uniform(1 - UNEVEN, 1 + UNEVEN, size)
        total = np.zeros((max(of, default=-1) + 1, outputs))
        np.add.at(total, of, shares)
        return (shares / total[of]).astype(np.float32)


def _of_chains(old, new) -> np.ndarray:
    """Returns `copies` for the results of two chains that start with a convolution."""
    return copies(old.layers[0].channels, new.layers[0].channels)


def _colours(stem) -> np.ndarray:
    """Returns `copies` for the channels of images, of which there are no copies."""
    return np.arange(stem.layers[0].kernel.shape[2])
