"""The flags of the entry points, in groups.

Only train/ reads the values. Each group is defined by a call, so that a
program has the flags that it uses and no other. What they must fulfil in a
space: space_flags.py; all values of a run, as a file and as a hash:
flag_values.py.
"""

from __future__ import annotations

from absl import flags

from darts_tf.cli.space_flags import SPACES, TABLE_FLAG, USUAL_VALUES

JIT = ("auto", "on", "off")
PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")
DISTRIBUTE = ("auto", "one_device", "mirrored", "multi_worker")
NETWORKS = ("cifar", "mobile")
MAX_SEED = 2**30 - 1

_integer, _float = flags.DEFINE_integer, flags.DEFINE_float


def define_workdir(kind: str) -> None:
    """--workdir."""
    flags.DEFINE_string(
        "workdir",
        None,
        f"folder of the {kind}; the same command resumes it",
        required=True,
    )


def define_space() -> None:
    """What kind of cell."""
    flags.DEFINE_enum(
        "space",
        "darts_conv",
        SPACES,
        "cells for images (s1 to s4: few candidates, DARTS collapses there; "
        "darts_conv_nonzero: without the zero operation; nasbench201: those "
        "of NAS-Bench-201), or recurrent ones for language",
    )


def define_truth() -> None:
    """--nasbench201_table."""
    flags.DEFINE_string(
        TABLE_FLAG,
        None,
        "nasbench201: the benchmark's accuracies, .csv or "
        ".csv.gz; the true accuracy and rank of what is found are told then",
    )


def define_run() -> None:
    """What every long run has."""
    _integer("seed", 0, "of everything random", 0, MAX_SEED)
    flags.DEFINE_bool(
        "deterministic", False, "two runs give identical numbers (slower)"
    )
    flags.DEFINE_enum(
        "distribute",
        "auto",
        DISTRIBUTE,
        "auto: all GPUs if there are several, else one device; mirrored: all "
        "GPUs, or all logical CPU devices; multi_worker: those of all "
        "processes that TF_CONFIG lists, on one machine or several",
    )
    flags.DEFINE_enum(
        "jit",
        "auto",
        JIT,
        "images: compile the steps with XLA, which has random draws of its "
        "own, and of supernets of DARTS's spaces the operations of an edge; "
        "auto: the steps of derived networks on a GPU or TPU; nothing on the "
        "CPU, where it makes them slower, nor for several replicas",
    )
    define_pace()


def define_pace() -> None:
    """How often a long run writes."""
    _integer("report_every", 50, "steps between records", lower_bound=1)
    _integer(
        "checkpoint_every",
        500,
        "steps between checkpoints, besides one an epoch (0: only those)",
        lower_bound=0,
    )


def define_data() -> None:
    """Which images, and what is done to them."""
    flags.DEFINE_string(
        "dataset",
        "cifar10",
        "digits (embedded), folder (your own, in --data_dir), imagenet16_120 "
        "(of imagenet_resized/16x16), or any image classification set of "
        "TensorFlow Datasets, such as cifar100 or svhn_cropped; for language "
        "python_topics (embedded) or text_folder (train.txt, valid.txt and "
        "test.txt in --data_dir)",
    )
    flags.DEFINE_string("data_dir", None, "folder of the data")
    flags.DEFINE_bool("download", False, "let TFDS download and prepare it")
    flags.DEFINE_bool(
        "stream",
        False,
        "leave images in TFDS's files and read them as they "
        "are used, for sets that memory does not hold; with --image_size "
        "they keep their proportions: the centre is measured, and "
        "--resized_crop cuts the original image",
    )
    _integer("image_size", None, "pixels; scale all images", lower_bound=1)
    _integer("examples", 0, "training images used (0: all)", lower_bound=0)
    _integer("crop_padding", 4, "pixels, for random crops", lower_bound=0)
    flags.DEFINE_bool("flip", True, "random horizontal flips")
    _integer("cutout_length", 0, "pixels (0: no cutout)", lower_bound=0)
    flags.DEFINE_bool(
        "resized_crop",
        False,
        "ImageNet: random crops, of 8 to 100 % of the area, scaled to the image's size",
    )
    _float(
        "colour_jitter",
        0.0,
        "ImageNet: of brightness, contrast and "
        "saturation, and half as much of hue (0: none)",
        lower_bound=0,
        upper_bound=1,
    )


def define_network(channels: int, layers: int) -> None:
    """The size of a network."""
    own = USUAL_VALUES["nasbench201"]
    _integer(
        "channels",
        channels,
        f"images: of the first cell (nasbench201: {own['channels']})",
        lower_bound=1,
    )
    _integer(
        "layers",
        layers,
        f"images: number of cells (nasbench201: of all "
        f"three stages, a multiple of 3, {own['layers']})",
        lower_bound=3,
    )


def define_language(words: float, patience: bool) -> None:
    """A language model; only with --space=darts_recurrent."""
    _integer("hidden_size", 300, "language: of state and embedding", 1)
    _integer("bptt", 35, "language: words of a window", 1)
    _float(
        "slowness", 1e-3, "language: of the penalty on changes of the cell's output", 0
    )
    for name, usual, what in (
        ("words", words, "words of the vocabulary"),
        ("embedding", 0.2, "elements of the embedded words"),
        ("x", 0.75, "elements of the cell's input"),
        ("hidden", 0.25, "elements of the cell's states"),
        ("output", 0.75, "elements of the cell's output"),
    ):
        _float(
            f"dropout_{name}",
            usual,
            f"language: probability, of {what}",
            lower_bound=0,
            upper_bound=0.99,
        )
    _integer("measured_batch", 10, "language: streams when measured", 1)
    if patience:
        _integer("patience", 5, "language: epochs before averaging", 1)


def define_precision() -> None:
    """--precision."""
    flags.DEFINE_enum(
        "precision",
        "float32",
        PRECISIONS,
        "images: of feature maps and convolutions in training passes; batch "
        "statistics, mixing weights, losses, w and alpha, and all that is "
        "measured or exported, are float32",
    )


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
        "genotype",
        None,
        "a genotype's JSON file, or a published name: "
        "DARTS_V1, DARTS_V2, NASNet, AmoebaNet, LAMBDA_COSINE_0 to _3, "
        "LAMBDA_SIGN_0 to _3 (s1 to s4: LAMBDA_C10, LAMBDA_C100, "
        "LAMBDA_SVHN; recurrent: DARTS_V1, DARTS_V2, ENAS; nasbench201: an "
        "architecture string)",
        required=True,
    )
    define_training(0.0, "a validation curve (paper: 0)")


def define_training(valid_fraction: float, kept_for: str) -> None:
    """What a training from scratch has and a supernet has not."""
    flags.DEFINE_enum("network", "cifar", NETWORKS, "mobile: for 224 x 224 images")
    _float("auxiliary_weight", 0.4, "of the auxiliary loss (0: no head)", lower_bound=0)
    _float(
        "drop_path",
        0.2,
        "probability at the end (nasbench201: 0)",
        lower_bound=0,
        upper_bound=0.99,
    )
    _float(
        "valid_fraction",
        valid_fraction,
        f"share of the training data kept for {kept_for}",
        lower_bound=0,
        upper_bound=0.9,
    )


def define_derivation() -> None:
    """All that a derivation has."""
    flags.DEFINE_string(
        "workdir",
        None,
        "folder of a search, or (with --genotype) of the pictures",
        required=True,
    )
    flags.DEFINE_string(
        "genotype",
        None,
        "only draw this one: a JSON file, a published name or an architecture string",
    )
    flags.DEFINE_enum(
        "space", "darts_conv", SPACES, "of --genotype's name and of --random"
    )
    _integer("random", None, "seed of a random genotype", lower_bound=0)
    flags.mark_flags_as_mutual_exclusive(["genotype", "random"])
    _integer(
        "epoch",
        0,
        "derive from alpha after this epoch (0: the last); "
        "genotype.json and its picture are left as they are",
        lower_bound=0,
    )


def define_pipeline() -> None:
    """All that a pipeline has."""
    define_workdir("whole pipeline")
    flags.DEFINE_string(
        "search_flags", "configs/digits/search.flags", "flagfile of the search"
    )
    flags.DEFINE_string(
        "evaluate_flags",
        "configs/digits/evaluate.flags",
        "flagfile of the evaluation",
    )
    flags.DEFINE_string("data_dir", None, "folder of the data, for both")
    _integer("seed", 0, "of everything random, for both", 0, MAX_SEED)
