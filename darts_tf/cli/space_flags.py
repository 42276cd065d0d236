"""Which flags mean something in which space, and the space's own defaults."""

from __future__ import annotations

from absl import flags

from darts_tf.cli import estimator_flags, recipe_flags, strategy_flags
from darts_tf.errors import InputError
from darts_tf.space import nasbench201

CELL_SPACES = ("darts_conv", "s1", "s2", "s3", "s4", "darts_conv_nonzero")
SPACES = (*CELL_SPACES, "nasbench201", "darts_recurrent")

IMAGE_FLAGS = (
    "download",
    "image_size",
    "examples",
    "crop_padding",
    "flip",
    "cutout_length",
    "channels",
    "layers",
    "train_portion",
    "network",
    "resized_crop",
    "colour_jitter",
    "stream",
    "auxiliary_weight",
    "drop_path",
    "valid_fraction",
    "lambda_regularizer",
    "lambda_strength",
    "lambda_gradient",
    "lambda_epsilon",
    "lambda_cells",
    "recompute",
    "partial_channels",
    "precision",
    "jit",
    *recipe_flags.RECIPE_FLAGS,
    *recipe_flags.LIMIT_FLAGS,
    *estimator_flags.IMAGE_FLAGS,
)
TABLE_FLAG = "nasbench201_table"
TEXT_FLAGS = (
    "hidden_size",
    "bptt",
    "slowness",
    "dropout_words",
    "dropout_embedding",
    "dropout_x",
    "dropout_hidden",
    "dropout_output",
    "measured_batch",
    "patience",
)
FOREIGN_FLAGS = dict.fromkeys(CELL_SPACES, (*TEXT_FLAGS, TABLE_FLAG)) | {
    "darts_recurrent": (*IMAGE_FLAGS, TABLE_FLAG),
    "nasbench201": (*TEXT_FLAGS, "network", "auxiliary_weight"),
}
"""What means nothing in a space, and may not be given there."""

REASONS = {
    "lambda_regularizer": " (Lambda-DARTS aligns the layers of a network with "
    "each other, and a recurrent network has one)",
    "recompute": " (it recomputes cells of images; --micro_batches lowers the "
    "memory of a recurrent search)",
    "precision": " (it is that of feature maps and convolutions, and a "
    "recurrent network has none)",
    "jit": " (XLA does not compile the gradient of its loop over time)",
    "partial_channels": " (PC-DARTS divides the channels of feature maps)",
}
"""Why, where it is not plain."""

USUAL_VALUES = {
    "nasbench201": {"channels": 16, "layers": 15, "drop_path": 0.0},
    "darts_recurrent": {"jit": "off"},
}
"""Defaults that differ in a space from those of the flags."""


def check_space(parsed: flags.FlagValues) -> None:
    """Takes up the space's own defaults, refuses what means nothing in it.

    Likewise those of a search's strategy.

    Raises:
      InputError: such a flag was given, or a number that the space cannot
        have.
    """
    for name, value in USUAL_VALUES.get(parsed.space, {}).items():
        if name in parsed:
            parsed.set_default(name, value)
    for name in FOREIGN_FLAGS[parsed.space]:
        if name in parsed and parsed[name].present:
            raise InputError(
                f"--{name} means nothing with --space={parsed.space}"
                f"{REASONS.get(name, '')}; leave it out"
            )
    if parsed.space == nasbench201.SPACE.name:
        nasbench201.cells_a_stage(parsed.layers)
    # The flags of an earlier run were checked at its start.
    if isinstance(parsed, flags.FlagValues) and "strategy" in parsed:
        _check_strategy(parsed)


def _check_strategy(parsed: flags.FlagValues) -> None:
    regularizer = "lambda_regularizer"
    if parsed.strategy == "lambda_darts" and regularizer in FOREIGN_FLAGS[parsed.space]:
        raise InputError(
            f"--strategy=lambda_darts means nothing with --space="
            f"{parsed.space}{REASONS[regularizer]}; give another strategy"
        )
    strategy_flags.check_strategy(parsed)
