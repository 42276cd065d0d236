"""Chooses the pipeline's settings from the data and the machine.

`choose` is a pure function of facts; it loads no TensorFlow. What it aims at: some
hundred steps of search and some more of training in minutes on a few cores, the
paper's sizes on a GPU. Settings that were given are left alone, and the others
follow from them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from darts_tf.config import RECIPES
from darts_tf.programs.data_facts import ImageFacts, Machine, TextFacts

ALPHA_REACH = 5.9
"""Most that a logit of alpha moves in the paper's search: 3e-4 x 19,500 steps."""

MAX_ALPHA_RATE = 0.05
MEMORY_SHARE = 0.2
"""Share of the free memory that the scaled images may take."""

LEAST_EPOCHS = 6
"""Passes of a search over its data."""

LEAST_OF_A_CLASS = 20
"""Images of a class, on average, that a search on a part of the data has."""


@dataclasses.dataclass(frozen=True)
class Choice:
    """A setting that was chosen.

    Attributes:
      name: of the setting.
      value: None leaves the data as they are.
      reason: a clause for people.
    """

    name: str
    value: Any
    reason: str

    def __str__(self) -> str:
        """Returns one line."""
        value = self.value
        if value is None:
            value = "unchanged"
        elif isinstance(value, int):
            value = f"{value:,}"
        elif isinstance(value, float):
            value = f"{value:g}"
        return f"{self.name} {value}: {self.reason} (--{self.name})"


@dataclasses.dataclass(frozen=True)
class _Budget:
    """Sizes that a kind of machine computes in some minutes (a GPU: in hours)."""

    method: str
    largest_side: int
    search_channels: int
    search_layers: int
    search_batch: int
    search_steps: int
    channels: int
    layers: int
    batch: int
    steps: int
    learning_rate: float


CPU = _Budget("first_order", 32, 8, 5, 32, 400, 16, 5, 64, 900, 0.05)
GPU = _Budget("finite_difference", 64, 16, 8, 64, 20_000, 36, 20, 96, 60_000, 0.025)
CPU_WIDTH = 0.25
"""The width multiplier of a chain on a CPU."""

TINY = 12
"""Pixels of a side up to which networks of three cells are taken on a CPU."""


class _Chooser:
    """Collects choices; settings that were given win."""

    def __init__(self, given: Mapping[str, Any]):
        self._given = given
        self.choices: list[Choice] = []

    def __call__(self, name: str, value: Any, reason: str) -> Any:
        """Returns the setting's value, given or else chosen."""
        if name in self._given:
            return self._given[name]
        self.choices.append(Choice(name, value, reason))
        return value


def choose(
    facts: ImageFacts | TextFacts,
    machine: Machine,
    given: Mapping[str, Any],
    chain: bool = False,
) -> list[Choice]:
    """Returns the settings that were not given, in a fixed order.

    Args:
      facts: of the data.
      machine: on which the pipeline runs.
      given: settings of PipelineConfig that were given, by name.
      chain: whether a chain is searched, which has a width multiplier in the
        place of channels and layers.
    """
    choice = _Chooser(given)
    if isinstance(facts, TextFacts):
        _choose_text(choice, facts, machine)
    else:
        _choose_images(choice, facts, machine, chain)
    return choice.choices


def _choose_images(
    choice: _Chooser, facts: ImageFacts, machine: Machine, chain: bool
) -> None:
    budget = GPU if machine.gpus else CPU
    where = "a GPU" if machine.gpus else f"{machine.cores} cores"
    size = choice("image_size", *_image_size(facts, machine, budget))
    side = size or min(facts.height or 1, facts.width or 1)
    choice("crop_padding", max(side // 8, 1), f"an eighth of {side} pixels")
    tiny = side <= TINY and not machine.gpus
    recipe = choice("recipe", *_recipe(chain))
    choice("method", *_method(recipe, budget, tiny and not chain, where))
    why = f"{where}, images of {side} pixels"
    if chain:
        choice("width_multiplier", 1.0 if machine.gpus else CPU_WIDTH, why)
    else:
        sizes = (4, 3) if tiny else (budget.search_channels, budget.search_layers)
        choice("search_channels", sizes[0], why)
        choice("search_layers", sizes[1], why)
    held = choice("valid_fraction", *_held_out(facts))
    examples = choice("search_examples", *_examples(facts, budget, machine))
    used = (examples or facts.train) // 2
    batch = choice("search_batch_size", *_batch(used, budget.search_batch))
    steps = max(used // batch, 1)
    most = 50 if machine.gpus else 30
    wanted = budget.search_steps
    epochs = choice("search_epochs", *_epochs(steps, wanted, LEAST_EPOCHS, most))
    choice("alpha_learning_rate", *_alpha_rate(epochs * steps))
    if not chain:
        sizes = (8, 3) if tiny else (budget.channels, budget.layers)
        choice("channels", sizes[0], why)
        choice("layers", sizes[1], why)
    learns = round(facts.train * (1 - held))
    batch = choice("batch_size", *_batch(learns, budget.batch))
    steps = max(learns // batch, 1)
    choice("epochs", *_epochs(steps, budget.steps, 3, 600 if machine.gpus else 60))
    rate = budget.learning_rate
    choice("learning_rate", rate, f"of w, for a training of this length on {where}")


def _image_size(facts: ImageFacts, machine: Machine, budget: _Budget):
    """Returns (pixels or None, reason)."""
    height, width = facts.height, facts.width
    largest = budget.largest_side
    if facts.one_size and height and width and max(height, width) <= largest:
        return None, f"all images have {height} x {width} pixels"
    if height is None or width is None:
        size, why = largest, "images have several sizes"
    else:
        size = min(largest, max(min(height, width) // 8 * 8, 8))
        why = f"the median is {height} x {width}"
    if size == largest:
        place = "a GPU" if machine.gpus else f"{machine.cores} cores"
        why += f"; larger ones take {place} too long"
    pixels = facts.train * facts.channels * size * size
    while size > 16 and pixels > MEMORY_SHARE * machine.memory:
        size, pixels = size // 2, pixels // 4
        why = f"{facts.train:,} images have to fit in {machine.memory / 1e9:.0f} GB"
    return size, why


def _recipe(chain: bool) -> tuple[str, str]:
    if chain:
        return "none", "none was measured on chains"
    return "robust", "warm-up and beta decay, which_search.md"


def _method(recipe: str, budget: _Budget, tiny: bool, where: str) -> tuple[str, str]:
    if recipe in RECIPES:
        return RECIPES[recipe]["method"], f"with the recipe {recipe}"
    if tiny or budget.method != "first_order":
        return "finite_difference", "eq. 8 of the paper"
    return "first_order", f"on {where} eq. 8 takes three times as long"


def _held_out(facts: ImageFacts) -> tuple[float, str]:
    """Returns the share for a validation curve of the final training, and why."""
    share = 0.1 if facts.train >= 1000 else 0.2
    smallest = facts.smallest_class
    if smallest is not None and smallest * share < 1:
        return 0.0, f"the smallest class has {smallest} images, none to spare"
    return share, f"about {round(facts.train * share):,} images for validation"


def _batch(examples: int, most: int) -> tuple[int, str]:
    """Returns a size that gives at least four steps an epoch, and why.

    It is the largest one that is wanted, or else a power of two.
    """
    size = 2
    while 2 * size <= most and 8 * size <= examples:
        size *= 2
    size = most if 4 * most <= examples else size
    return size, f"{max(examples // size, 1):,} steps an epoch of {examples:,} images"


def _examples(facts: ImageFacts, budget: _Budget, machine: Machine) -> tuple[int, str]:
    """Returns (training images of the search, 0 for all; why)."""
    enough = 2 * budget.search_batch * budget.search_steps // LEAST_EPOCHS
    enough = max(enough, LEAST_OF_A_CLASS * facts.classes)
    if facts.smallest_class:
        enough = max(enough, -(-5 * facts.train // facts.smallest_class))
    if machine.gpus or enough >= facts.train:
        return 0, f"the search uses all {facts.train:,}"
    return enough, f"of {facts.train:,}, to pass over them several times"


def _epochs(steps: int, wanted: int, least: int, most: int) -> tuple[int, str]:
    epochs = min(max(-(-wanted // steps), least), most)
    return epochs, f"{epochs * steps:,} steps in all"


def _alpha_rate(steps: int) -> tuple[float, str]:
    rate = float(f"{min(max(ALPHA_REACH / steps, 3e-4), MAX_ALPHA_RATE):.1g}")
    return rate, f"can move alpha by {rate * steps:.1f} in all (paper: {ALPHA_REACH})"


def _choose_text(choice: _Chooser, facts: TextFacts, machine: Machine) -> None:
    gpu = bool(machine.gpus)
    where = "a GPU" if gpu else f"{machine.cores} cores"
    shortest = min(facts.train // 8, facts.valid // 4)
    bptt = choice("bptt", max(min(35, shortest), 2), "words of a window")
    choice(
        "method",
        "finite_difference",
        "eq. 8 of the paper",
    )
    choice("search_hidden_size", 300 if gpu else 64, where)
    batch = choice("search_batch_size", *_streams(facts, bptt, 256 if gpu else 32))
    steps = max((facts.train // batch - 1) // bptt, 1)
    wanted = (20_000, 50) if gpu else (300, 20)
    epochs = choice("search_epochs", *_epochs(steps, wanted[0], 1, wanted[1]))
    choice("alpha_learning_rate", *_alpha_rate(epochs * steps))
    choice("hidden_size", 850 if gpu else 128, where)
    batch = choice("batch_size", *_streams(facts, bptt, 64 if gpu else 16))
    steps = max((facts.train // batch - 1) // bptt, 1)
    wanted = (400_000, 1600) if gpu else (1800, 30)
    choice("epochs", *_epochs(steps, wanted[0], 2, wanted[1]))
    choice("learning_rate", 20.0, "of w, SGD, as the paper's")


def _streams(facts: TextFacts, bptt: int, most: int) -> tuple[int, str]:
    """Returns a power of two of parallel streams that both parts allow, and why."""
    size = 1
    room = min(facts.train // 4, facts.valid // 2)
    while 2 * size <= most and 2 * size * (bptt + 1) <= room:
        size *= 2
    return size, f"streams of {facts.train // size:,} words"
