"""The flags that only a search has (run/flags.py has all others)."""

from __future__ import annotations

from absl import flags

REGULARIZERS = ("none", "cosine", "sign")
LAMBDA_CELLS = ("normal", "all")
LAMBDA_DEFAULTS = {
    "lambda_strength": 0.125,
    "lambda_epsilon": 1e-4,
    "lambda_cells": "normal",
}
METHODS = ("first_order", "finite_difference", "exact")

_float = flags.DEFINE_float


def define_search() -> None:
    """What only a search has."""
    flags.DEFINE_enum(
        "method", "finite_difference", METHODS,
        "gradient of alpha: xi = 0, eq. 8, or the exact derivative",
    )  # fmt: skip
    _float("learning_rate_min", 0.001, "of w, at the end", lower_bound=0)
    _float("alpha_learning_rate", 3e-4, "of alpha (Adam)", lower_bound=0)
    _float("alpha_weight_decay", 1e-3, "of alpha (L2)", lower_bound=0)
    _float("alpha_beta1", 0.5, "of Adam on alpha", lower_bound=0,
           upper_bound=0.999)  # fmt: skip
    _float(
        "temperature_end", 1.0, "of the softmax over alpha in the last "
        "epoch, falling geometrically from 1 in the first (1: no annealing)",
        lower_bound=1e-3, upper_bound=1,
    )  # fmt: skip
    _float(
        "train_portion", 0.5, "share of the training data for w; the rest is "
        "for alpha", lower_bound=0.01, upper_bound=0.99,
    )  # fmt: skip
    define_lambda()
    flags.register_multi_flags_validator(
        ["learning_rate", "learning_rate_min"],
        lambda v: v["learning_rate_min"] <= v["learning_rate"],
        "--learning_rate_min must not be above --learning_rate",
    )


def define_lambda() -> None:
    """Lambda-DARTS; only for images."""
    usual = LAMBDA_DEFAULTS
    flags.DEFINE_enum(
        "lambda_regularizer", "none", REGULARIZERS,
        "Lambda-DARTS: what of the layer gradients is aligned by the steps on "
        "w: their cosines, or their signs",
    )  # fmt: skip
    _float("lambda_strength", usual["lambda_strength"], "of the regularizer "
           "in the last epoch; it rises linearly from 0", lower_bound=0)
    _float("lambda_epsilon", usual["lambda_epsilon"], "length of its step in "
           "the space of mixing weights", lower_bound=1e-12)  # fmt: skip
    flags.DEFINE_enum(
        "lambda_cells", usual["lambda_cells"], LAMBDA_CELLS,
        "which cells are aligned: the normal ones, as published, or those of "
        "each kind",
    )  # fmt: skip
    flags.register_multi_flags_validator(
        ["lambda_regularizer", *usual],
        lambda v: v["lambda_regularizer"] != "none"
        or all(v[name] == value for name, value in usual.items()),
        "--lambda_strength, --lambda_epsilon and --lambda_cells mean nothing "
        "without --lambda_regularizer=cosine or sign",
    )
