"""The flags that only a search has (run/flags.py has all others)."""

from __future__ import annotations

from absl import flags

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
    flags.register_multi_flags_validator(
        ["learning_rate", "learning_rate_min"],
        lambda v: v["learning_rate_min"] <= v["learning_rate"],
        "--learning_rate_min must not be above --learning_rate",
    )
