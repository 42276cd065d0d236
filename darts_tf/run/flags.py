"""The flags of the entry points, in groups, and what they must fulfil.

Only train/ reads the values. Each group is defined by a call, so that a
program has the flags that it uses and no other.
"""

from __future__ import annotations

import hashlib
import json

from absl import flags

from darts_tf.errors import InputError
from darts_tf.run import estimator_flags, recipe_flags, strategy_flags
from darts_tf.space import nasbench201

JIT = ("auto", "on", "off")
PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")
DISTRIBUTE = ("auto", "one_device", "mirrored", "multi_worker")
NETWORKS = ("cifar", "mobile")
CELL_SPACES = ("darts_conv", "s1", "s2", "s3", "s4", "darts_conv_nonzero")
SPACES = (*CELL_SPACES, "nasbench201", "darts_recurrent")
MAX_SEED = 2**30 - 1

OWN_MODULES = (
    __name__,
    f"{__package__}.search_flags",
    f"{__package__}.derivation_flags",
    f"{__package__}.experiment_flags",
    strategy_flags.__name__,
    recipe_flags.__name__,
    estimator_flags.__name__,
)
"""Where this project's flags are defined."""

IMAGE_FLAGS = (
    "download", "image_size", "examples", "crop_padding", "flip",
    "cutout_length", "channels", "layers", "train_portion", "network",
    "resized_crop", "colour_jitter",
    "auxiliary_weight", "drop_path", "valid_fraction", "lambda_regularizer",
    "lambda_strength", "lambda_gradient", "lambda_epsilon", "lambda_cells",
    "recompute", "partial_channels", "precision", "jit",
    *recipe_flags.RECIPE_FLAGS,
    *recipe_flags.LIMIT_FLAGS, *estimator_flags.IMAGE_FLAGS,
)  # fmt: skip
TABLE_FLAG = "nasbench201_table"
TEXT_FLAGS = (
    "hidden_size", "bptt", "slowness", "dropout_words", "dropout_embedding",
    "dropout_x", "dropout_hidden", "dropout_output", "measured_batch",
    "patience",
)  # fmt: skip
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

PLACE_FLAGS = ("workdir", "data_dir", "download", TABLE_FLAG)
"""May differ when a run is resumed: they say where things lie."""

PACE_FLAGS = (
    "report_every", "checkpoint_every", "distribute", "instruments",
    "recompute", *recipe_flags.LIMIT_FLAGS,
)  # fmt: skip
"""May differ when a run is resumed: they change no result but rounding."""

_integer, _float = flags.DEFINE_integer, flags.DEFINE_float


def define_workdir(kind: str) -> None:
    """--workdir."""
    flags.DEFINE_string(
        "workdir", None, f"folder of the {kind}; the same command resumes it",
        required=True,
    )  # fmt: skip


def define_space() -> None:
    """What kind of cell."""
    flags.DEFINE_enum(
        "space", "darts_conv", SPACES,
        "cells for images (s1 to s4: few candidates, DARTS collapses there; "
        "darts_conv_nonzero: without the zero operation; nasbench201: those "
        "of NAS-Bench-201), or recurrent ones for language",
    )  # fmt: skip


def define_truth() -> None:
    """--nasbench201_table."""
    flags.DEFINE_string(
        TABLE_FLAG, None, "nasbench201: the benchmark's accuracies, .csv or "
        ".csv.gz; the true accuracy and rank of what is found are told then",
    )  # fmt: skip


def define_run() -> None:
    """What every long run has."""
    _integer("seed", 0, "of everything random", 0, MAX_SEED)
    flags.DEFINE_bool(
        "deterministic", False, "two runs give identical numbers (slower)"
    )
    flags.DEFINE_enum(
        "distribute", "auto", DISTRIBUTE,
        "auto: all GPUs if there are several, else one device; mirrored: all "
        "GPUs, or all logical CPU devices; multi_worker: those of all "
        "processes that TF_CONFIG lists, on one machine or several",
    )  # fmt: skip
    flags.DEFINE_enum(
        "jit", "auto", JIT,
        "images: compile the steps with XLA, which has random draws of its "
        "own; auto: on a GPU or TPU, not on the CPU, where it makes them "
        "slower, nor for several replicas",
    )  # fmt: skip
    define_pace()


def define_pace() -> None:
    """How often a long run writes."""
    _integer("report_every", 50, "steps between records", lower_bound=1)
    _integer(
        "checkpoint_every", 500,
        "steps between checkpoints, besides one an epoch (0: only those)",
        lower_bound=0,
    )  # fmt: skip


def define_data() -> None:
    """Which images, and what is done to them."""
    flags.DEFINE_string(
        "dataset", "cifar10",
        "digits (embedded), folder (your own, in --data_dir), imagenet16_120 "
        "(of imagenet_resized/16x16), or any image classification set of "
        "TensorFlow Datasets, such as cifar100 or svhn_cropped; for language "
        "python_topics (embedded) or text_folder (train.txt, valid.txt and "
        "test.txt in --data_dir)",
    )  # fmt: skip
    flags.DEFINE_string("data_dir", None, "folder of the data")
    flags.DEFINE_bool("download", False, "let TFDS download and prepare it")
    _integer("image_size", None, "pixels; scale all images", lower_bound=1)
    _integer("examples", 0, "training images used (0: all)", lower_bound=0)
    _integer("crop_padding", 4, "pixels, for random crops", lower_bound=0)
    flags.DEFINE_bool("flip", True, "random horizontal flips")
    _integer("cutout_length", 0, "pixels (0: no cutout)", lower_bound=0)
    flags.DEFINE_bool("resized_crop", False, "ImageNet: random crops, of 8 "
                      "to 100 % of the area, scaled to the image's size")
    _float("colour_jitter", 0.0, "ImageNet: of brightness, contrast and "
           "saturation, and half as much of hue (0: none)", lower_bound=0,
           upper_bound=1)  # fmt: skip


def define_network(channels: int, layers: int) -> None:
    """The size of a network."""
    own = USUAL_VALUES["nasbench201"]
    _integer(
        "channels", channels, f"images: of the first cell (nasbench201: "
        f"{own['channels']})", lower_bound=1,
    )  # fmt: skip
    _integer(
        "layers", layers, f"images: number of cells (nasbench201: of all "
        f"three stages, a multiple of 3, {own['layers']})", lower_bound=3,
    )  # fmt: skip


def define_language(words: float, patience: bool) -> None:
    """A language model; only with --space=darts_recurrent."""
    _integer("hidden_size", 300, "language: of state and embedding", 1)
    _integer("bptt", 35, "language: words of a window", 1)
    _float("slowness", 1e-3, "language: of the penalty on changes of the "
           "cell's output", 0)  # fmt: skip
    for name, usual, what in (
        ("words", words, "words of the vocabulary"),
        ("embedding", 0.2, "elements of the embedded words"),
        ("x", 0.75, "elements of the cell's input"),
        ("hidden", 0.25, "elements of the cell's states"),
        ("output", 0.75, "elements of the cell's output"),
    ):
        _float(f"dropout_{name}", usual, f"language: probability, of {what}",
               lower_bound=0, upper_bound=0.99)  # fmt: skip
    _integer("measured_batch", 10, "language: streams when measured", 1)
    if patience:
        _integer("patience", 5, "language: epochs before averaging", 1)


def define_precision() -> None:
    """--precision."""
    flags.DEFINE_enum(
        "precision", "float32", PRECISIONS,
        "images: of feature maps and convolutions in training passes; batch "
        "statistics, mixing weights, losses, w and alpha, and all that is "
        "measured or exported, are float32",
    )  # fmt: skip


def define_descent(epochs: int, batch_size: int) -> None:
    """Gradient descent on w."""
    _integer("epochs", epochs, "passes over the data", lower_bound=1)
    _integer("batch_size", batch_size, "examples a step", lower_bound=1)
    _float("learning_rate", 0.025, "of w, at the start", lower_bound=0)
    _float("momentum", 0.9, "of w", lower_bound=0, upper_bound=1)
    _float("weight_decay", 3e-4, "of w (L2, not doubled)", lower_bound=0)
    _float("clip_norm", 5.0, "gradient norm (0: no clipping)", lower_bound=0)


def define_evaluation() -> None:
    """What only an evaluation has."""
    flags.DEFINE_string(
        "genotype", None, "a genotype's JSON file, or a published name: "
        "DARTS_V1, DARTS_V2, NASNet, AmoebaNet, LAMBDA_COSINE_0 to _3, "
        "LAMBDA_SIGN_0 to _3 (s1 to s4: LAMBDA_C10, LAMBDA_C100, "
        "LAMBDA_SVHN; recurrent: DARTS_V1, DARTS_V2, ENAS; nasbench201: an "
        "architecture string)", required=True,
    )  # fmt: skip
    define_training(0.0, "a validation curve (paper: 0)")


def define_training(valid_fraction: float, kept_for: str) -> None:
    """What a training from scratch has and a supernet has not."""
    flags.DEFINE_enum(
        "network", "cifar", NETWORKS, "mobile: for 224 x 224 images"
    )
    _float("auxiliary_weight", 0.4, "of the auxiliary loss (0: no head)",
           lower_bound=0)  # fmt: skip
    _float("drop_path", 0.2, "probability at the end (nasbench201: 0)",
           lower_bound=0, upper_bound=0.99)  # fmt: skip
    _float(
        "valid_fraction", valid_fraction, f"share of the training data kept "
        f"for {kept_for}", lower_bound=0, upper_bound=0.9,
    )  # fmt: skip


def define_derivation() -> None:
    """All that a derivation has."""
    flags.DEFINE_string(
        "workdir", None, "folder of a search, or (with --genotype) of the "
        "pictures", required=True,
    )  # fmt: skip
    flags.DEFINE_string(
        "genotype", None, "only draw this one: a JSON file, a published name "
        "or an architecture string",
    )  # fmt: skip
    flags.DEFINE_enum(
        "space", "darts_conv", SPACES, "of --genotype's name and of --random"
    )
    _integer("random", None, "seed of a random genotype", lower_bound=0)
    flags.mark_flags_as_mutual_exclusive(["genotype", "random"])
    _integer(
        "epoch", 0, "derive from alpha after this epoch (0: the last); "
        "genotype.json and its picture are left as they are", lower_bound=0,
    )  # fmt: skip


def define_pipeline() -> None:
    """All that a pipeline has."""
    define_workdir("whole pipeline")
    flags.DEFINE_string(
        "search_flags", "configs/digits/search.flags", "flagfile of the search"
    )
    flags.DEFINE_string(
        "evaluate_flags", "configs/digits/evaluate.flags",
        "flagfile of the evaluation",
    )  # fmt: skip
    flags.DEFINE_string("data_dir", None, "folder of the data, for both")
    _integer("seed", 0, "of everything random, for both", 0, MAX_SEED)


def values(parsed: flags.FlagValues) -> dict[str, object]:
    """The values of this project's flags by name."""
    modules = parsed.flags_by_module_dict()
    own = [f for name in OWN_MODULES for f in modules.get(name, [])]
    named = {flag.name: flag.value for flag in own}
    foreign = {
        *FOREIGN_FLAGS.get(named.get("space"), ()),
        *strategy_flags.foreign(parsed),
    }
    return {n: v for n, v in named.items() if n not in foreign}


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
    if (
        parsed.strategy == "lambda_darts"
        and regularizer in FOREIGN_FLAGS[parsed.space]
    ):
        raise InputError(
            f"--strategy=lambda_darts means nothing with --space="
            f"{parsed.space}{REASONS[regularizer]}; give another strategy"
        )
    strategy_flags.check_strategy(parsed)


def as_flagfile(named: dict[str, object]) -> str:
    """A flagfile that repeats the values."""
    lines = []
    for name, value in sorted(named.items()):
        if value is None:
            continue
        if isinstance(value, bool):
            lines.append(f"--{name}" if value else f"--no{name}")
        elif isinstance(value, list):
            lines.append(f"--{name}={','.join(map(str, value))}")
        else:
            lines.append(f"--{name}={value}")
    return "\n".join(lines) + "\n"


def digest(named: dict[str, object]) -> str:
    """A hash of the values that decide a result."""
    kept = {k: v for k, v in named.items() if k not in PLACE_FLAGS}
    text = json.dumps(kept, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
