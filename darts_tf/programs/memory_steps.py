"""Sizes that decide the memory of a program's steps, and options that save.

Each kind of step has memory(), its estimate, and savings(), the estimates of
the same step with each option that saves, by its flag.
"""

from __future__ import annotations

import dataclasses

from darts_tf.networks.footprint import networks, text
from darts_tf.networks.footprint.memory import (
    ELEMENT,
    IMAGES,
    LAMBDA,
    NARROW,
    RECOMPUTED,
    SLOPES,
    TEXT,
    Kind,
    Memory,
    estimate,
)
from darts_tf.programs import setup
from darts_tf.space import nasbench201, recurrent
from darts_tf.space.genotype import Genotype
from darts_tf.space.registry import space_by_name

GIVEN_WEIGHTS = "weights"
"""Stands for a method: w alone descends."""


@dataclasses.dataclass(frozen=True)
class ImageSearch:
    """A search step on images; fields as the flags.

    `batch_size` is one device's share; `method` may be GIVEN_WEIGHTS.
    """

    space: str
    method: str
    channels: int
    layers: int
    batch_size: int
    micro_batches: int = 1
    recompute: bool = False
    partial_channels: int = 1
    lambda_regularizer: str = "none"
    lambda_gradient: str = "finite_difference"
    precision: str = "float32"
    classes: int = 10
    image_shape: tuple[int, ...] = (32, 32, 3)

    def memory(self) -> Memory:
        """Returns its estimate."""
        sizes = networks.supernet(
            space_by_name(self.space),
            self.channels,
            self.layers,
            self.classes,
            self.image_shape,
            self.partial_channels,
        )
        return estimate(
            sizes,
            self._needs(),
            -(-self.batch_size // self.micro_batches),
            self._element(),
            recompute=self.recompute,
        )

    def _needs(self) -> Kind:
        needs = SLOPES if self._sloped() else IMAGES[self.method]
        if self.lambda_regularizer != "none":
            needs = needs.plus(LAMBDA[self.lambda_gradient])
        if self.recompute:
            needs = needs.plus(RECOMPUTED[self.method])
        return needs if self.precision == "float32" else needs.plus(NARROW)

    def _sloped(self) -> bool:
        """Returns whether the exact method takes directional derivatives."""
        regularized = self.lambda_regularizer != "none"
        methods = {"method": self.method}
        if regularized:
            methods["lambda_gradient"] = self.lambda_gradient
        exact = {name for name, how in methods.items() if how == "exact"}
        other = setup.differentiates_gradients(exact, self.recompute)
        traced = self.space != nasbench201.SPACE.name
        return "method" in exact and traced and not other

    def _element(self) -> float:
        """Returns bytes; implicit terms but the exact one are in float32."""
        regularized = self.lambda_regularizer != "none"
        wide = self.method == "finite_difference" or regularized
        return ELEMENT["float32" if wide else self.precision]

    def savings(self) -> dict[str, Memory]:
        """Returns the estimate with each option that is not used yet."""
        options = {}
        if not self.recompute:
            options["--recompute"] = {"recompute": True}
        slices = 4 * self.micro_batches
        if self.batch_size % slices == 0:
            options[f"--micro_batches={slices}"] = {"micro_batches": slices}
        if self._divisible():
            options["--partial_channels=4"] = {"partial_channels": 4}
        return {
            flag: dataclasses.replace(self, **change).memory()
            for flag, change in options.items()
        }

    def _divisible(self) -> bool:
        """Returns whether it could be PC-DARTS: alpha and no regularizer."""
        usual = (self.partial_channels, self.lambda_regularizer) == (1, "none")
        relaxed = self.method != GIVEN_WEIGHTS
        return usual and relaxed and self.channels % 4 == 0


@dataclasses.dataclass(frozen=True)
class ImageTraining:
    """A step of a derived network's training on images.

    Fields as the flags, but `batch_size`, one device's share, `devices`,
    among which the batch is divided, and `auxiliary`: whether there is a
    head.
    """

    genotype: Genotype
    channels: int
    layers: int
    batch_size: int
    devices: int = 1
    auxiliary: bool = True
    network: str = "cifar"
    precision: str = "float32"
    classes: int = 10
    image_shape: tuple[int, ...] = (32, 32, 3)

    def memory(self) -> Memory:
        """Returns its estimate."""
        sizes = networks.evaluation(
            self.genotype,
            self.channels,
            self.layers,
            self.classes,
            self.image_shape,
            self.auxiliary,
            self.network == "mobile",
        )
        element = ELEMENT[self.precision]
        return estimate(sizes, IMAGES["training"], self.batch_size, element)

    def savings(self) -> dict[str, Memory]:
        """Returns the estimate with half of the batch."""
        return halved(self)


@dataclasses.dataclass(frozen=True)
class TextSearch:
    """A search step on text; fields as the flags.

    `words` is the vocabulary's size, `batch_size` one device's share.
    """

    method: str
    hidden_size: int
    words: int
    bptt: int
    batch_size: int
    micro_batches: int = 1

    def memory(self) -> Memory:
        """Returns its estimate."""
        sizes = text.search(
            recurrent.SPACE.cells[0], self.hidden_size, self.words, self.bptt
        )
        sequences = -(-self.batch_size // self.micro_batches)
        return estimate(sizes, TEXT[self.method], sequences)

    def savings(self) -> dict[str, Memory]:
        """Returns the estimate with smaller slices."""
        slices = 4 * self.micro_batches
        if self.batch_size % slices:
            return {}
        less = dataclasses.replace(self, micro_batches=slices)
        return {f"--micro_batches={slices}": less.memory()}


@dataclasses.dataclass(frozen=True)
class TextTraining:
    """A step of a derived cell's training; fields as those of TextSearch."""

    genotype: Genotype
    hidden_size: int
    words: int
    bptt: int
    batch_size: int
    devices: int = 1

    def memory(self) -> Memory:
        """Returns its estimate."""
        (cell,) = self.genotype.cells.values()
        sizes = text.training(cell, self.hidden_size, self.words, self.bptt)
        return estimate(sizes, TEXT["training"], self.batch_size)

    def savings(self) -> dict[str, Memory]:
        """Returns the estimate with half of the batch."""
        return halved(self)


def halved(step) -> dict[str, Memory]:
    """Returns the estimate with half of the batch, if that can be."""
    if step.batch_size < 2:
        return {}
    less = dataclasses.replace(step, batch_size=step.batch_size // 2)
    total = less.batch_size * less.devices
    return {f"--batch_size={total}": less.memory()}


def step_of(kind, values, **others):
    """Returns a step of this kind from a mapping that has its fields, and more."""
    known = [field.name for field in dataclasses.fields(kind)]
    return kind(**{name: values[name] for name in known if name in values} | others)
