"""The flags that only a search has (cli/flags.py has all others)."""

from __future__ import annotations

from absl import flags

from darts_tf.errors import InputError

REGULARIZERS = ("none", "cosine", "sign")
LAMBDA_CELLS = ("normal", "all")
LAMBDA_GRADIENTS = ("finite_difference", "exact")
LAMBDA_DEFAULTS = {
    "lambda_strength": 0.125,
    "lambda_gradient": "finite_difference",
    "lambda_epsilon": 1e-4,
    "lambda_cells": "normal",
}
METHODS = ("first_order", "finite_difference", "exact")
BILEVEL = "bilevel"
JOINT_FOREIGN = {
    "joint_alternating": ("lambda_regularizer", *LAMBDA_DEFAULTS),
    "joint_simultaneous": (
        "lambda_regularizer",
        *LAMBDA_DEFAULTS,
        "alpha_learning_rate",
        "alpha_weight_decay",
        "alpha_beta1",
    ),
}
"""What means nothing where alpha and w minimise one loss."""

OPTIMIZATIONS = (BILEVEL, *JOINT_FOREIGN)
INSTRUMENTS = ("entropy", "skip_connections", "alignment", "eigenvalue", "gap")
EARLY_STOP = ("none", "eigenvalue", "skip_connections")
EARLY_STOP_FLAGS = {
    "early_stop_window": ("eigenvalue",),
    "early_stop_ratio": ("eigenvalue",),
    "early_stop_skips": ("skip_connections",),
    "early_stop_first": ("eigenvalue", "skip_connections"),
}
"""With which rules they mean something."""

_integer, _float = flags.DEFINE_integer, flags.DEFINE_float


def define_search() -> None:
    """What only a search has."""
    flags.DEFINE_enum(
        "method",
        "finite_difference",
        METHODS,
        "gradient of alpha: xi = 0, eq. 8, or the exact derivative",
    )
    flags.DEFINE_enum(
        "optimization",
        BILEVEL,
        OPTIMIZATIONS,
        "bilevel: alpha on data of its own (DARTS). The ablations of its "
        "sect. 3.3, both alpha and w on the union of the data: "
        "joint_alternating: first order steps in turn; joint_simultaneous: "
        "one SGD moves both at once",
    )
    _float("learning_rate_min", 0.001, "of w, at the end", lower_bound=0)
    _float("alpha_learning_rate", 3e-4, "of alpha (Adam)", lower_bound=0)
    _float("alpha_weight_decay", 1e-3, "of alpha (L2)", lower_bound=0)
    _float("alpha_beta1", 0.5, "of Adam on alpha", lower_bound=0, upper_bound=0.999)
    _float(
        "temperature_end",
        1.0,
        "of the softmax over alpha in the last "
        "epoch, falling geometrically from 1 in the first (1: no annealing)",
        lower_bound=1e-3,
        upper_bound=1,
    )
    _float(
        "train_portion",
        0.5,
        "share of the training data for w; the rest is "
        "for alpha (joint optimization: both learn from all; the rest is "
        "measured)",
        lower_bound=0.01,
        upper_bound=0.99,
    )
    define_memory()
    define_lambda()
    flags.register_multi_flags_validator(
        ["learning_rate", "learning_rate_min"],
        lambda v: v["learning_rate_min"] <= v["learning_rate"],
        "--learning_rate_min must not be above --learning_rate",
    )
    _integer(
        "warmup_epochs",
        0,
        "first epochs in which w learns and alpha stays (PC-DARTS: 15)",
        lower_bound=0,
    )
    flags.register_multi_flags_validator(
        ["epochs", "warmup_epochs"],
        lambda v: v["warmup_epochs"] < v["epochs"],
        "--warmup_epochs must be below --epochs, or alpha never learns",
    )


def foreign(parsed: flags.FlagValues) -> dict[str, str]:
    """What means nothing with --optimization: why, by the flag's name."""
    names = JOINT_FOREIGN.get(parsed.optimization, ())
    return dict.fromkeys(names, f"--optimization={parsed.optimization}")


def check_optimization(parsed: flags.FlagValues) -> None:
    """Takes up a joint optimization's only gradient.

    Raises:
      InputError: another one was given, or the strategy regularises.
    """
    given = parsed.optimization
    if given == BILEVEL:
        return
    if parsed.strategy != "darts":
        raise InputError(
            f"--optimization={given} is an ablation of --strategy=darts; "
            f"leave out --strategy={parsed.strategy}"
        )
    if parsed["method"].present and parsed.method != METHODS[0]:
        raise InputError(
            f"--method={parsed.method} means nothing with --optimization="
            f"{given}: alpha and w minimise one loss, and there is no inner "
            f"problem to look through; leave it out"
        )
    parsed.set_default("method", METHODS[0])


def define_memory() -> None:
    """What a search does with less memory."""
    _integer(
        "micro_batches",
        1,
        "equal slices of a batch that are computed in "
        "turn and averaged, as on so many replicas; batch norm sees a slice",
        lower_bound=1,
    )
    flags.DEFINE_bool(
        "recompute",
        False,
        "images: compute the inside of each cell again in "
        "the backward pass in the place of keeping it in memory",
    )
    _integer(
        "partial_channels",
        1,
        "images: K; on each edge one K-th of the "
        "channels goes through the mixed operation and the others by-pass "
        "it, and edges have weights of their own (PC-DARTS, Xu et al. 2020: "
        "4; 1: DARTS)",
        lower_bound=1,
    )


def define_lambda() -> None:
    """Lambda-DARTS; only for images. --strategy is defined before."""
    usual = LAMBDA_DEFAULTS
    flags.DEFINE_enum(
        "lambda_regularizer",
        "none",
        REGULARIZERS,
        "Lambda-DARTS: what of the layer gradients is aligned by the steps on "
        "w: their cosines, or their signs",
    )
    _float(
        "lambda_strength",
        usual["lambda_strength"],
        "of the regularizer in the last epoch; it rises linearly from 0",
        lower_bound=0,
    )
    flags.DEFINE_enum(
        "lambda_gradient",
        usual["lambda_gradient"],
        LAMBDA_GRADIENTS,
        "how the regularizer is differentiated: by a central difference, as "
        "published, or exactly (the difference is many times too long where "
        "it crosses kinks)",
    )
    _float(
        "lambda_epsilon",
        usual["lambda_epsilon"],
        "length of the central difference in the space of mixing weights",
        lower_bound=1e-12,
    )
    flags.DEFINE_enum(
        "lambda_cells",
        usual["lambda_cells"],
        LAMBDA_CELLS,
        "which cells are aligned: the normal ones, as published, or those of each kind",
    )
    flags.register_multi_flags_validator(
        ["strategy", "lambda_regularizer", *usual],
        lambda v: (
            v["lambda_regularizer"] != "none"
            or v["strategy"] == "lambda_darts"
            or all(v[name] == value for name, value in usual.items())
        ),
        "--lambda_strength, --lambda_gradient, --lambda_epsilon and "
        "--lambda_cells mean nothing without --lambda_regularizer=cosine or "
        "sign, or --strategy=lambda_darts",
    )
    flags.register_multi_flags_validator(
        ["lambda_gradient", "lambda_epsilon"],
        lambda v: (
            v["lambda_gradient"] != "exact"
            or v["lambda_epsilon"] == usual["lambda_epsilon"]
        ),
        "--lambda_epsilon is the length of a difference, and "
        "--lambda_gradient=exact takes none; leave out one of both",
    )


def define_instruments() -> None:
    """What a search shows of itself, and what ends it early."""
    flags.DEFINE_list(
        "instruments",
        "entropy,skip_connections",
        "what is measured at each epoch's end, for metrics.jsonl and "
        "TensorBoard; changes no result. entropy: of the mixing weights, "
        "free; skip_connections: in the cells of now, free; alignment: of "
        "the normal cells' gradients, 2 passes with gradients on one batch "
        "(images); eigenvalue: the dominant one of the Hessian of L_val in "
        "alpha, some 10 to 30 (at most 100) products with it on one batch, "
        "each about 3 passes with gradients and as much memory; gap: "
        "validation accuracy with mixed "
        "and with derived operations, 64 passes without (images). The last "
        "three also compile a graph in the first epoch",
    )
    flags.register_validator("instruments", _known)
    flags.DEFINE_enum(
        "early_stop",
        "none",
        EARLY_STOP,
        "rule that ends the search before its cells collapse. eigenvalue: "
        "the dominant eigenvalue rose too fast, the cells are those from "
        "before (Zela et al. 2020; measures that instrument too); "
        "skip_connections: the normal cell has too many (DARTS+, Liang et "
        "al. 2019)",
    )
    _integer(
        "early_stop_window",
        None,
        "eigenvalue: epochs that are averaged "
        "and compared with as many before (unset: 5)",
        1,
    )
    _float(
        "early_stop_ratio",
        None,
        "eigenvalue: of before to now, below which it ends (unset: 0.75)",
        0,
        1,
    )
    _integer("early_stop_skips", None, "skip_connections: so many end it (unset: 2)", 1)
    _integer(
        "early_stop_first",
        None,
        "earliest epoch whose cells may be returned, counted from 1 (unset: 11)",
        1,
    )
    for name, rules in EARLY_STOP_FLAGS.items():
        flags.register_multi_flags_validator(
            [name, "early_stop"],
            lambda v, name=name, rules=rules: (
                v[name] is None or v["early_stop"] in rules
            ),
            f"--{name} means something with --early_stop="
            f"{' or '.join(rules)} only; leave it out",
        )


def _known(names) -> bool:
    for name in names:
        if name not in INSTRUMENTS:
            raise flags.ValidationError(
                f"unknown instrument {name!r}; give some of "
                f"{','.join(INSTRUMENTS)}, or nothing"
            )
    return True
