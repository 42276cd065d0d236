"""How networks for large images are trained, and how large they may be."""

from __future__ import annotations

from absl import flags

SCHEDULES = ("cosine", "exponential", "linear")
DECAY = 0.97
RECIPE_FLAGS = (
    "schedule",
    "learning_rate_decay",
    "learning_rate_warmup",
    "label_smoothing",
)
LIMIT_FLAGS = ("max_multiply_adds",)
"""Of an evaluation; they change no result."""

_integer, _float = flags.DEFINE_integer, flags.DEFINE_float


def define_recipe() -> None:
    """The learning rate's course, and label smoothing; for images."""
    flags.DEFINE_enum(
        "schedule",
        "cosine",
        SCHEDULES,
        "images: of the learning rate, to 0 "
        "over the epochs, or exponential: by --learning_rate_decay an epoch",
    )
    _float(
        "learning_rate_decay",
        DECAY,
        "--schedule=exponential: factor an epoch",
        lower_bound=0.01,
        upper_bound=1,
    )
    _integer(
        "learning_rate_warmup",
        0,
        "images: first epochs in which the rate rises to the schedule's",
        lower_bound=0,
    )
    _float(
        "label_smoothing",
        0.0,
        "images: share of the target spread over all classes",
        lower_bound=0,
        upper_bound=0.99,
    )
    flags.register_multi_flags_validator(
        ["schedule", "learning_rate_decay"],
        lambda v: v["schedule"] == "exponential" or v["learning_rate_decay"] == DECAY,
        "--learning_rate_decay means something with --schedule=exponential "
        "only; leave it out",
    )
    flags.register_multi_flags_validator(
        ["epochs", "learning_rate_warmup"],
        lambda v: v["learning_rate_warmup"] < v["epochs"],
        "--learning_rate_warmup must be below --epochs",
    )


def define_limit() -> None:
    """What a network may cost."""
    _float(
        "max_multiply_adds",
        0,
        "images: refuse a network with more, of "
        "inference on one image, before any is read (0: no limit; mobile "
        "setting: 600e6)",
        lower_bound=0,
    )
