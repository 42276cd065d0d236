"""Settings of the programs: one frozen dataclass each, fields named as the flags.

The `Literal` types are the only lists of names in the project. The command
line's flags, their help and their bounds are made from the fields; which
fields go with which others is in config_rules.py. Imports no TensorFlow.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import numbers
import os
import types
import typing
from collections.abc import Mapping
from typing import Any, Literal, TypeVar

from darts_tf.errors import InputError, closest

LIKELY_GENOTYPES = 64
"""Number of the most likely genotypes that a search writes."""

Strategy = Literal[
    "darts",
    "lambda_darts",
    "random_weight_sharing",
    "random",
    "evolution",
    "reinforce",
    "bayesian",
    "asha",
    "nsga2",
]
Estimator = Literal[
    "full", "table", "one_shot", "low_fidelity", "learning_curve", "inherit"
]
Method = Literal["first_order", "finite_difference", "exact"]
Optimization = Literal["bilevel", "joint_alternating", "joint_simultaneous"]
Regularizer = Literal["none", "cosine", "sign"]
RegularizerGradient = Literal["finite_difference", "exact"]
RegularizerCells = Literal["normal", "all"]
Perturbation = Literal["none", "random", "adversarial"]
Relaxation = Literal["softmax", "dirichlet", "sigmoid", "gumbel"]
AlphaRegularizer = Literal["none", "beta_decay", "entropy", "kl_anchor", "zero_one"]
Recipe = Literal["none", "robust"]
Cost = Literal["multiply_adds", "parameters", "activation_memory", "latency"]
Objective = Literal["accuracy", Cost]
Runtime = Literal["litert", "tensorflow"]
StrengthSchedule = Literal["constant", "linear"]
Instrument = Literal[
    "entropy",
    "skip_connections",
    "alignment",
    "eigenvalue",
    "gap",
    "gradient_cosine",
]
EarlyStop = Literal["none", "eigenvalue", "skip_connections"]
InheritFrom = Literal["supernet", "parent"]
Precision = Literal["float32", "mixed_bfloat16", "mixed_float16"]
Jit = Literal["auto", "on", "off"]
Distribute = Literal["auto", "one_device", "mirrored", "multi_worker"]
Network = Literal["cifar", "mobile"]
InitialWeights = Literal["current", "authors"]
Schedule = Literal["cosine", "exponential", "linear"]
Derivation = Literal["magnitude", "perturbation"]
Stage = Literal["search", "short", "full", "snapshots", "report"]
PublishedTable = Literal[
    "none", "cifar10", "cifar10_later", "cifar100", "imagenet", "ptb", "wikitext2"
]
ExportFormat = Literal["saved_model", "litert", "onnx"]
Quantize = Literal["none", "float16", "dynamic", "int8"]

RECIPES: dict[str, dict[str, Any]] = {
    "robust": {
        "method": "first_order",
        "warmup_epochs": 1 / 3,
        "alpha_regularizer": "beta_decay",
        "alpha_regularizer_strength": 5.0,
        "alpha_regularizer_schedule": "linear",
    },
}
"""Settings of each recipe; warmup_epochs is a share of (the shortest stage's) epochs.

robust: docs/results.md, "Warm-up, beta decay and zero".
"""

MAX_SEED = 2**30 - 1
C = TypeVar("C", bound="Config")


def names(literal: Any) -> tuple[str, ...]:
    """Returns the names of one of the Literal types above, in their order."""
    return typing.get_args(literal)


def _option(
    default: Any,
    text: str,
    *,
    least: float | None = None,
    most: float | None = None,
    task: str | None = None,
    free: str | None = None,
    required: bool = False,
) -> Any:
    """Declares a field.

    Args:
      default: value of a field that is not given.
      text: help of the flag, with units.
      least, most: inclusive bounds.
      task: "images" or "text" where the field means nothing for the other.
      free: why a resumed run may change it: "place" (where things lie),
        "pace" (changes no result but rounding) or "budget".
      required: whether the command line has to give it.
    """
    metadata = {
        "help": text,
        "least": least,
        "most": most,
        "task": task,
        "free": free,
        "required": required,
    }
    return dataclasses.field(default=default, metadata=metadata)


def _redefined(mixin: type, name: str, default: Any) -> Any:
    """Declares a mix-in's field again with another default."""
    field = mixin.__dataclass_fields__[name]  # type: ignore[attr-defined]
    return dataclasses.field(default=default, metadata=field.metadata)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """Base of all settings: checks types and bounds, knows what was given.

    Raises:
      InputError: a value of another type, out of its bounds, not finite, or
        a name that does not exist.
    """

    def __new__(cls, **given: object):
        known = cls.__dataclass_fields__
        for name in given.keys() - known:
            raise InputError(
                f"{cls.__name__} has no setting {name!r}{closest(name, known)}; leave "
                "it out"
            )
        self = super().__new__(cls)
        object.__setattr__(self, "_passed", frozenset(given))
        return self

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = _checked(type(self), field, getattr(self, field.name))
            object.__setattr__(self, field.name, value)

    @property
    def given(self) -> frozenset[str]:
        """Names that were passed explicitly.

        Where all fields were (`dataclasses.replace`), those whose values are
        not the defaults.
        """
        passed: frozenset[str] = self.__dict__["_passed"]
        fields = dataclasses.fields(self)
        if len(passed) < len(fields):
            return passed
        return frozenset(f.name for f in fields if getattr(self, f.name) != f.default)

    def replace(self: C, **changes: Any) -> C:
        """Returns a copy with some values changed, which count as given."""
        copy = dataclasses.replace(self, **changes)
        object.__setattr__(copy, "_passed", self.given | changes.keys())
        return copy

    def filled(self: C, **values: Any) -> C:
        """Returns a copy with other values for names that were not given."""
        copy = dataclasses.replace(self, **values)
        object.__setattr__(copy, "_passed", self.given)
        return copy

    @classmethod
    def from_stored(cls: type[C], values: Mapping[str, object]) -> C:
        """Returns the settings of an earlier run; unknown names are dropped."""
        known = {f.name for f in dataclasses.fields(cls)}
        return cls(**{name: v for name, v in values.items() if name in known})


@functools.cache
def field_types(kind: type[Config]) -> dict[str, Any]:
    """Returns the types of the fields of some settings, by name."""
    return typing.get_type_hints(kind)


def field_type(kind: type[Config], name: str) -> tuple[Any, bool]:
    """Returns (type of a field without None, whether it may be None)."""
    hint = field_types(kind)[name]
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        (inner,) = [part for part in typing.get_args(hint) if part is not type(None)]
        return inner, True
    return hint, False


def _checked(kind: type[Config], field: dataclasses.Field, value: Any) -> Any:
    """Returns the value in the field's own type.

    Raises:
      InputError: it is none of the values that the field may have.
    """
    wanted, optional = field_type(kind, field.name)
    if value is None and optional:
        return None
    origin = typing.get_origin(wanted)
    if origin is Literal:
        return _known(field.name, value, names(wanted))
    if origin is tuple:
        return _checked_tuple(field.name, value, typing.get_args(wanted)[0])
    if wanted in (int, float):
        return _checked_number(field, value, wanted)
    if wanted is str and isinstance(value, os.PathLike):
        value = os.fspath(value)
    if isinstance(value, str) and not value.strip():
        raise InputError(f"`{field.name}` is empty; give a value, or leave it out")
    if not isinstance(value, wanted):
        raise InputError(
            f"`{field.name}` must be of type {wanted.__name__}; received {value!r}"
        )
    return value


def _known(name: str, value: object, allowed: tuple[str, ...]) -> object:
    if isinstance(value, str) and value in allowed:
        return str(value)
    hint = closest(value, allowed)
    raise InputError(
        f"`{name}={value}`: unknown name {str(value)!r}{hint}; give one of "
        f"{', '.join(allowed)}"
    )


def _checked_tuple(name: str, value: Any, element: Any) -> tuple:
    if isinstance(value, str) or not isinstance(value, (list, tuple)):
        raise InputError(f"`{name}` must be a list of names; received {value!r}")
    for item in value:
        if typing.get_origin(element) is Literal:
            _known(name, item, names(element))
        elif not isinstance(item, element):
            raise InputError(f"`{name}` must be a list of names; received {value!r}")
    return tuple(value)


def _checked_number(field: dataclasses.Field, value: Any, wanted: type) -> Any:
    family = numbers.Integral if wanted is int else numbers.Real
    word = "an integer" if wanted is int else "a number"
    if isinstance(value, bool) or not isinstance(value, family):
        raise InputError(f"`{field.name}` must be {word}; received {value!r}")
    number: Any = value
    try:
        number = wanted(number)
        finite = math.isfinite(number)
    except OverflowError:
        finite = False
    if not finite:
        raise InputError(f"`{field.name}={number}` must be a finite number")
    if wanted is int and abs(number) >= 2**63:
        raise InputError(f"`{field.name}={number}` must be below 2^63")
    least, most = field.metadata["least"], field.metadata["most"]
    if least is not None and number < least:
        raise InputError(f"`{field.name}={number}` must be at least {least}")
    if most is not None and number > most:
        raise InputError(f"`{field.name}={number}` must be at most {most}")
    return number


@dataclasses.dataclass(frozen=True, kw_only=True)
class SpaceConfig(Config):
    """The search space, and where operations and spaces of one's own are."""

    space: str = _option(
        "darts_conv",
        "Search space. Cells for images: darts_conv; s1 to s4, with few candidates "
        "(DARTS collapses there); darts_conv_nonzero, without the zero operation; "
        "nasbench201, the cells of NAS-Bench-201. Chains of inverted residuals for "
        "images: mobile_chain, with the widths of MobileNetV2; mobile_chain_proxyless, "
        "with those of ProxylessNAS-mobile. Cells for language: "
        "darts_recurrent. Or a name that --plugin registers.",
    )
    plugin: str | None = _option(
        None,
        "Python file that registers operations and spaces (register_operation, "
        "cell_space); it is imported before anything else is checked.",
        free="place",
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class OracleConfig(Config):
    """The accuracies of NAS-Bench-201."""

    nasbench201_table: str | None = _option(
        None,
        "nasbench201: file (.csv or .csv.gz) with the benchmark's accuracies; the "
        "true accuracy and rank of the result are printed then.",
        free="place",
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class NetworkConfig(Config):
    """The size of a network of images."""

    channels: int = _option(
        16,
        "Images: channels of the first cell (nasbench201: 16).",
        least=1,
        task="images",
    )
    layers: int = _option(
        8,
        "Images: number of cells (nasbench201: cells of all three stages, a multiple "
        "of 3, default 15).",
        least=3,
        task="images",
    )
    width_multiplier: float = _option(
        1.0,
        "Images: factor of all widths of a chain (mobile_chain), which has neither "
        "--channels nor --layers; rounded to multiples of 8.",
        least=0.05,
        most=8,
        task="images",
    )
    initial_weights: InitialWeights = _option(
        "current",
        "Images: initial weights. current: batch norm's scale is 1, and a depthwise "
        "kernel of size k is uniform in +-1/sqrt(k k), as in today's PyTorch; authors: "
        "those of the papers' runs (PyTorch 0.3.1), scales uniform in [0, 1], and "
        "depthwise kernels on C channels in +-1/sqrt(C k k).",
        task="images",
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainedNetworkConfig(Config):
    """The parts of a network that only a training from scratch has."""

    network: Network = _option(
        "cifar",
        "Images: kind of network. mobile is for images of 224 x 224 pixels.",
        task="images",
    )
    auxiliary_weight: float = _option(
        0.4,
        "Images: weight of the auxiliary loss (0: no auxiliary head).",
        least=0,
        task="images",
    )
    drop_path: float = _option(
        0.2,
        "Images: probability of drop path in the last epoch (nasbench201 and chains: "
        "0).",
        least=0,
        most=0.99,
        task="images",
    )
    valid_fraction: float = _option(
        0.0,
        "Images: share of the training data that is held out, for a validation curve "
        "of an evaluation (paper: 0) or for an estimator that trains.",
        least=0,
        most=0.9,
        task="images",
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class LanguageConfig(Config):
    """A language model, of the space darts_recurrent."""

    hidden_size: int = _option(
        300, "Language: elements of the state and embedding.", least=1, task="text"
    )
    bptt: int = _option(35, "Language: words of a window.", least=1, task="text")
    slowness: float = _option(
        1e-3,
        "Language: weight of the penalty on changes of the cell's output.",
        least=0,
        task="text",
    )
    dropout_words: float = _option(
        0.0,
        "Language: dropout probability of words of the vocabulary.",
        least=0,
        most=0.99,
        task="text",
    )
    dropout_embedding: float = _option(
        0.2,
        "Language: dropout probability of elements of the embedded words.",
        least=0,
        most=0.99,
        task="text",
    )
    dropout_x: float = _option(
        0.75,
        "Language: dropout probability of elements of the cell's input.",
        least=0,
        most=0.99,
        task="text",
    )
    dropout_hidden: float = _option(
        0.25,
        "Language: dropout probability of elements of the cell's states.",
        least=0,
        most=0.99,
        task="text",
    )
    dropout_output: float = _option(
        0.75,
        "Language: dropout probability of elements of the cell's output.",
        least=0,
        most=0.99,
        task="text",
    )
    measured_batch: int = _option(
        10,
        "Language: parallel streams of text when the loss is measured.",
        least=1,
        task="text",
    )
    patience: int = _option(
        5,
        "Language: epochs without a better validation loss before the weights are "
        "averaged.",
        least=1,
        task="text",
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class DescentConfig(Config):
    """Gradient descent on w."""

    epochs: int = _option(50, "Passes over the training data.", least=1)
    batch_size: int = _option(64, "Examples of a step, on all devices.", least=1)
    learning_rate: float = _option(
        0.025, "Learning rate of w in the first epoch.", least=0
    )
    momentum: float = _option(0.9, "Momentum of w.", least=0, most=1)
    weight_decay: float = _option(
        3e-4, "Weight decay of w (L2 penalty, not doubled).", least=0
    )
    clip_norm: float = _option(
        5.0, "Largest norm of the gradient of w (0: no clipping).", least=0
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class RecipeConfig(Config):
    """The learning rate's schedule and label smoothing of a training on images."""

    schedule: Schedule = _option(
        "cosine",
        "Images: schedule of the learning rate. cosine and linear fall to 0 over the "
        "epochs; exponential falls by --learning_rate_decay an epoch.",
        task="images",
    )
    learning_rate_decay: float = _option(
        0.97,
        "Images: factor of the learning rate an epoch with --schedule=exponential.",
        least=0.01,
        most=1,
        task="images",
    )
    learning_rate_warmup: int = _option(
        0,
        "Images: first epochs in which the learning rate rises to the schedule's.",
        least=0,
        task="images",
    )
    label_smoothing: float = _option(
        0.0,
        "Images: share of the target that is spread over all classes.",
        least=0,
        most=0.99,
        task="images",
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class DataConfig(Config):
    """The data set, and the augmentation of its images."""

    dataset: str = _option(
        "cifar10",
        "Data set. Images: digits (embedded), folder (of one's own, in --data_dir), "
        "imagenet16_120 (made of imagenet_resized/16x16), or any image classification "
        "set of TensorFlow Datasets, such as cifar100 or svhn_cropped. Language: "
        "python_topics (embedded) or text_folder (train.txt, valid.txt and test.txt "
        "in --data_dir).",
    )
    data_dir: str | None = _option(None, "Folder of the data.", free="place")
    same_data_as: str | None = _option(
        None,
        "Folder of earlier runs, such as an experiment's. The run is refused if its "
        "folder of images or text has other contents than it had for them.",
        free="place",
    )
    download: bool = _option(
        False,
        "Images: let TensorFlow Datasets download and prepare the data set.",
        task="images",
        free="place",
    )
    stream: bool = _option(
        False,
        "Images: leave them in the files of TensorFlow Datasets and read them as they "
        "are used, for sets that memory does not hold. With --image_size they keep "
        "their proportions: the centre is measured, and --resized_crop cuts the "
        "original image.",
        task="images",
    )
    image_size: int | None = _option(
        None,
        "Images: pixels of a side to which all images are scaled.",
        least=1,
        task="images",
    )
    examples: int = _option(
        0,
        "Images: number of training images that are used (0: all).",
        least=0,
        task="images",
    )
    examples_seed: int = _option(
        0,
        "Images: seed by which --examples are chosen, so that runs of several seeds "
        "see the same images (runs before 0.3.0: --seed).",
        least=0,
        most=MAX_SEED,
        task="images",
    )
    shuffle_rounds: int = _option(
        16,
        "Images: rounds of the cipher that orders the images of each epoch, an even "
        "number (runs before 0.3.0: 4, with which successive epochs of many images "
        "are alike).",
        least=4,
        most=64,
        task="images",
    )
    crop_padding: int = _option(
        4,
        "Images: pixels of padding before a random crop (0: no crop).",
        least=0,
        task="images",
    )
    flip: bool = _option(True, "Images: random horizontal flips.", task="images")
    cutout_length: int = _option(
        0,
        "Images: pixels of a side of the square that is cut out (0: no cutout).",
        least=0,
        task="images",
    )
    resized_crop: bool = _option(
        False,
        "Images: random crops of 8 to 100 % of the area, scaled to the image's size "
        "(for ImageNet).",
        task="images",
    )
    colour_jitter: float = _option(
        0.0,
        "Images: strength of random changes of brightness, contrast and saturation, "
        "and half as much of hue (0: none; for ImageNet).",
        least=0,
        most=1,
        task="images",
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class PaceConfig(Config):
    """The pace at which a long run writes records and checkpoints."""

    report_every: int = _option(
        50, "Steps between two records of metrics.", least=1, free="pace"
    )
    checkpoint_every: int = _option(
        500,
        "Steps between two checkpoints, besides one at the end of each epoch (0: only "
        "those).",
        least=0,
        free="pace",
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunConfig(PaceConfig):
    """Seed, devices, precision and compilation of a long run."""

    precision: Precision = _option(
        "float32",
        "Images: precision of feature maps and convolutions in training passes. Batch "
        "statistics, mixing weights, losses, w and alpha, and all that is measured or "
        "exported, are float32.",
        task="images",
    )
    seed: int = _option(0, "Seed of everything random.", least=0, most=MAX_SEED)
    deterministic: bool = _option(
        False, "Let two runs give identical numbers (slower)."
    )
    distribute: Distribute = _option(
        "auto",
        "Devices. auto: all GPUs if there are several, else one device; mirrored: all "
        "GPUs, or all logical CPU devices; multi_worker: the devices of all processes "
        "that TF_CONFIG lists, on one machine or several.",
        free="pace",
    )
    jit: Jit = _option(
        "auto",
        "Images: compile the steps with XLA, which has random draws of its own, and "
        "of supernets of DARTS's spaces the operations of an edge. auto: only the "
        "steps of derived networks on a GPU or TPU; nothing on the CPU, where it "
        "makes them slower, nor for several replicas.",
        task="images",
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class StrategyConfig(Config):
    """The search strategy and its budget."""

    strategy: Strategy = _option(
        "darts",
        "Search strategy. darts: gradient descent on alpha (--method); lambda_darts: "
        "the same with --lambda_regularizer=cosine unless given; "
        "random_weight_sharing: steps on w with random genotypes, of which "
        "--final_evaluations more are ranked by it at the end (Li and Talwalkar 2019; "
        "images). The others ask the --estimator for the worth of one genotype after "
        "another until the budget is spent: random; evolution: regularized (Real et "
        "al. 2019); reinforce: policy gradient of a controller (Zoph and Le 2017); "
        "bayesian: Optuna's TPE (Bergstra et al. 2011); asha: random genotypes trained "
        "for few epochs, of which the best are trained on (Li et al. 2020); nsga2: "
        "Optuna's NSGA-II (Deb et al. 2002), for a front of accuracy and costs "
        "(--objectives).",
    )
    budget_evaluations: int = _option(
        0,
        "Number of genotypes that are evaluated; may be raised when the run is "
        "resumed.",
        free="budget",
    )
    budget_seconds: float = _option(
        0.0,
        "Seconds of the search over all its starts; the evaluation in which they end "
        "is finished; may be raised when the run is resumed.",
        free="budget",
    )
    evolution_population: int = _option(
        10,
        "Evolution: number of living genotypes, and of random ones at the start (Real "
        "et al. 2019, for 20,000 evaluations: 100).",
        least=1,
    )
    evolution_sample: int = _option(
        3,
        "Evolution: number of genotypes of the population whose best is the parent "
        "(Real et al. 2019: 25).",
        least=1,
    )
    reinforce_learning_rate: float = _option(
        0.01, "Reinforce: learning rate of Adam on the controller's logits.", least=1e-9
    )
    reinforce_baseline: float = _option(
        0.9,
        "Reinforce: share of the moving average of worths that stays at each step.",
        least=0,
        most=0.999,
    )
    bayesian_startup: int = _option(
        10, "Bayesian: random genotypes before the model is asked.", least=1
    )
    asha_reduction: int = _option(
        4,
        "ASHA: one of so many genotypes of a rung is promoted to the next, and trained "
        "so many times as long (eta).",
        least=2,
    )
    asha_rungs: int = _option(
        3,
        "ASHA: number of rungs, of which the last has all epochs (with one it would be "
        "--strategy=random).",
        least=2,
    )
    nsga2_population: int = _option(
        20,
        "NSGA-II: genotypes of a generation, the first of which is random (Optuna: 50; "
        "Deb et al. 2002: 100).",
        least=2,
    )
    objectives: tuple[Objective, ...] = _option(
        (),
        "Images: accuracy and one or more costs: the result is the front of genotypes "
        "that no other one beats in all of them (unset, with --strategy=nsga2: "
        "accuracy,multiply_adds; --strategy=random draws the front of random "
        "genotypes).",
        task="images",
    )
    max_multiply_adds: float = _option(
        0.0,
        "Images: largest number of multiply-adds of inference on one image; genotypes "
        "beyond it are drawn again, not evaluated (0: no limit). Of the network that "
        "--cost_channels, _layers, _image_size, _classes and _network say.",
        least=0,
        task="images",
    )
    max_parameters: float = _option(
        0.0,
        "Images: the same for the number of parameters.",
        least=0,
        task="images",
    )
    max_activation_memory: float = _option(
        0.0,
        "Images: the same for the bytes of the feature maps that inference writes.",
        least=0,
        task="images",
    )
    max_latency: float = _option(
        0.0,
        "Images: the same for the milliseconds of --latency_table.",
        least=0,
        task="images",
    )
    final_evaluations: int = _option(
        1000,
        "Random weight sharing: genotypes that are ranked at the end.",
        least=1,
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class EstimatorConfig(Config):
    """The estimator of a genotype's worth."""

    estimator: Estimator = _option(
        "full",
        "Estimator of a genotype's worth. full: its network is trained from scratch "
        "as by an evaluation with the settings of this search, and measured on the "
        "held out part of the training data; low_fidelity: the same with less of what "
        "--fidelity_... say; learning_curve: the same for the first --curve_epochs, "
        "and its accuracy after --epochs is extrapolated; inherit: the same, from the "
        "weights of --inherit_from and not from random ones; one_shot: the accuracy "
        "of --supernet with only the genotype's operations; table (nasbench201): "
        "CIFAR-10 validation accuracy after 12 epochs, of --nasbench201_table.",
    )
    supernet: str | None = _option(
        None,
        "Folder of a search, whose supernet --estimator=one_shot or inherit uses (the "
        "newest checkpoint).",
    )
    inherit_from: InheritFrom = _option(
        "supernet",
        "Inherit: supernet: the weights of --supernet that the genotype has; parent: "
        "those of the newest network of this search that differs in one edge; where "
        "there is none, those of --parents, then of --supernet, if given. Both may "
        "have fewer --channels, and fewer --layers where new cells can be the "
        "identity (nasbench201).",
    )
    parents: str | None = _option(
        None,
        "--inherit_from=parent: folder of an earlier such search. Of its networks, one "
        "with the same genotype, or else one that differs in one edge, is a parent.",
    )
    measured_batches: int = _option(
        0,
        "one_shot, and the end of --strategy=random_weight_sharing: number of "
        "validation batches of the supernet's search on which accuracy is measured "
        "(0: all).",
        least=0,
    )
    fidelity_epochs: int | None = _option(
        None, "low_fidelity: epochs (unset: --epochs).", least=1
    )
    fidelity_examples: int | None = _option(
        None,
        "low_fidelity: training images, of which the share held out is taken (unset: "
        "--examples).",
        least=1,
        task="images",
    )
    fidelity_channels: int | None = _option(
        None, "low_fidelity: channels (unset: --channels).", least=1, task="images"
    )
    fidelity_layers: int | None = _option(
        None, "low_fidelity: cells (unset: --layers).", least=1, task="images"
    )
    fidelity_image_size: int | None = _option(
        None,
        "low_fidelity: pixels of a side to which images are scaled (unset: "
        "--image_size).",
        least=1,
        task="images",
    )
    curve_epochs: int | None = _option(
        None, "learning_curve: epochs that are trained, of --epochs.", least=2
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class RelaxationConfig(Config):
    """Gradient descent on alpha: DARTS, Lambda-DARTS, PC-DARTS."""

    recipe: Recipe = _option(
        "none",
        "Images: settings that measurements show to be best for an unknown data set, "
        "for those that are not given. robust: --method=first_order, a third of the "
        "epochs as --warmup_epochs, --alpha_regularizer=beta_decay rising to 5 "
        "(docs/which_search.md).",
        task="images",
    )
    method: Method = _option(
        "finite_difference",
        "Gradient of alpha: first_order (xi = 0), finite_difference (eq. 8 of the "
        "paper), or exact (the exact derivative).",
    )
    optimization: Optimization = _option(
        "bilevel",
        "bilevel: alpha on data of its own (DARTS). The ablations of its sect. 3.3, "
        "both alpha and w on the union of the data: joint_alternating: first order "
        "steps in turn; joint_simultaneous: one SGD moves both at once.",
    )
    learning_rate_min: float = _option(0.001, "Learning rate of w in the end.", least=0)
    alpha_learning_rate: float = _option(
        3e-4, "Learning rate of alpha (Adam).", least=0
    )
    alpha_weight_decay: float = _option(
        1e-3, "Weight decay of alpha (L2 penalty).", least=0
    )
    alpha_beta1: float = _option(
        0.5, "First moment's decay of Adam on alpha.", least=0, most=0.999
    )
    relaxation: Relaxation = _option(
        "softmax",
        "Mixing weights of alpha. softmax: DARTS; dirichlet: drawn anew in each step "
        "from the Dirichlet distribution with concentrations elu(alpha) + 1 (DrNAS, "
        "Chen et al. 2021); sigmoid: candidates do not compete (FairDARTS, Chu et al. "
        "2020; images, not nasbench201); gumbel: one candidate an edge is drawn and "
        "computed in each step, which takes less time and memory (GDAS, Dong and Yang "
        "2019; images). The cells are derived from the mean weights.",
    )
    gumbel_tau: float = _option(
        10.0,
        "Temperature of --relaxation=gumbel in the first epoch.",
        least=1e-3,
        task="images",
    )
    gumbel_tau_end: float = _option(
        0.1,
        "Temperature of --relaxation=gumbel in the last epoch, reached linearly.",
        least=1e-3,
        task="images",
    )
    alpha_regularizer: AlphaRegularizer | None = _option(
        None,
        "Penalty of alpha whose gradient is added to alpha's. beta_decay: mean over "
        "edges of the log-sum-exp of alpha, which keeps the mixing weights flat (Ye et "
        "al. 2022); entropy: of the mixing weights, which sharpens them; kl_anchor: "
        "divergence of --relaxation=dirichlet from the uniform distribution; zero_one: "
        "drives the weights of --relaxation=sigmoid to 0 or 1 (unset: kl_anchor and "
        "zero_one with these relaxations, none with softmax).",
    )
    alpha_regularizer_strength: float | None = _option(
        None,
        "Factor of alpha's regularizer (unset: as published: beta_decay: 50 "
        "with --space=nasbench201, 25 otherwise; kl_anchor: 0.001; zero_one: 10; "
        "entropy: to be given).",
        least=0,
    )
    alpha_regularizer_schedule: StrengthSchedule | None = _option(
        None,
        "constant; linear: the factor of alpha's regularizer rises linearly from 0 "
        "over the epochs in which alpha moves (unset: linear for beta_decay and "
        "entropy).",
    )
    alpha_perturbation: Perturbation = _option(
        "none",
        "Perturbation of the mixing weights in the step on w (SmoothDARTS, Chen and "
        "Hsieh 2020). random: uniform; adversarial: makes the loss large, by 7 passes "
        "with gradients and 2 without a step.",
    )
    alpha_perturbation_epsilon: float = _option(
        0.3,
        "Largest perturbation of a mixing weight; it rises to this linearly from 0.03.",
        least=0,
        most=1,
    )
    temperature_end: float = _option(
        1.0,
        "Temperature of the softmax over alpha in the last epoch, falling "
        "geometrically from 1 in the first (1: no annealing).",
        least=1e-3,
        most=1,
    )
    train_portion: float = _option(
        0.5,
        "Images: share of the training data for w; the rest is for alpha (joint "
        "optimization: both learn from all, and the rest is measured).",
        least=0.01,
        most=0.99,
        task="images",
    )
    micro_batches: int = _option(
        1,
        "Number of equal slices of a batch that are computed in turn and averaged, as "
        "on so many replicas; batch norm sees a slice. Saves memory.",
        least=1,
    )
    recompute: bool = _option(
        False,
        "Images: compute the inside of each cell again in the backward pass and do "
        "not keep it in memory.",
        task="images",
        free="pace",
    )
    partial_channels: int = _option(
        1,
        "Images: K. On each edge one K-th of the channels goes through the mixed "
        "operation and the others by-pass it, and edges have weights of their own "
        "(PC-DARTS, Xu et al. 2020: 4; 1: DARTS).",
        least=1,
        task="images",
    )
    lambda_regularizer: Regularizer = _option(
        "none",
        "Images: what the steps on w align in the gradients of the layers "
        "(Lambda-DARTS): their cosines, or their signs.",
        task="images",
    )
    lambda_strength: float = _option(
        0.125,
        "Images: weight of the regularizer in the last epoch; it rises linearly from "
        "0.",
        least=0,
        task="images",
    )
    lambda_gradient: RegularizerGradient = _option(
        "finite_difference",
        "Images: how the regularizer is differentiated: by a central difference, as "
        "published, or exactly (across kinks the difference is the derivative and "
        "many times its length of noise).",
        task="images",
    )
    lambda_epsilon: float = _option(
        1e-4,
        "Images: length of the central difference in the space of mixing weights.",
        least=1e-12,
        task="images",
    )
    lambda_cells: RegularizerCells = _option(
        "normal",
        "Images: which cells are aligned: the normal ones, as published, or those of "
        "each kind.",
        task="images",
    )
    warmup_epochs: int = _option(
        0,
        "First epochs in which w learns and alpha stays (PC-DARTS: 15); with --stages "
        "those of each stage.",
        least=0,
    )
    stages: tuple[str, ...] = _option(
        (),
        "Images: search in stages, each epochs:layers:operations or "
        "epochs:layers:operations:partial_channels, such as 25:5:8,25:11:5,25:17:3 "
        "(P-DARTS, Chen et al. 2019). After each stage the weakest candidates of "
        "every edge are dropped, and a deeper network starts with new weights. "
        "--epochs is their sum; --layers and --partial_channels are the first "
        "stage's.",
        task="images",
    )
    compiled: bool = _option(
        True,
        "Compile the passes, and use the fast parts of networks/compiled. "
        "--nocompiled takes the plain networks of the equations: slower, the same "
        "results but rounding.",
    )
    instruments: tuple[Instrument, ...] = _option(
        ("entropy", "skip_connections"),
        "Measurements at the end of each epoch, for metrics.jsonl and TensorBoard; "
        "they change no result. entropy: of the mixing weights, free; "
        "skip_connections: in the present cells, free; alignment: of the gradients of "
        "the normal cells, 2 passes with gradients on one batch (images); eigenvalue: "
        "the dominant one of the Hessian of L_val in alpha, some 10 to 30 (at most "
        "100) products with it on one batch, each about 3 passes with gradients and "
        "as much memory; gap: validation accuracy with mixed and with derived "
        "operations, 64 passes without gradients (images); gradient_cosine: between "
        "alpha's summed gradient of this epoch and of the one before, nearly free. "
        "alignment, eigenvalue and gap also compile a graph in the first epoch.",
        free="pace",
    )
    early_stop: EarlyStop = _option(
        "none",
        "Rule that ends the search before its cells collapse. eigenvalue: the "
        "dominant eigenvalue rose too fast, and the cells are those from before (Zela "
        "et al. 2020; measures that instrument too); skip_connections: the normal "
        "cell has too many (DARTS+, Liang et al. 2019).",
    )
    early_stop_window: int | None = _option(
        None,
        "eigenvalue: epochs that are averaged and compared with as many before "
        "(unset: 5).",
        least=1,
    )
    early_stop_ratio: float | None = _option(
        None,
        "eigenvalue: ratio of the average before to the present one, below which the "
        "search ends (unset: 0.75).",
        least=0,
        most=1,
    )
    early_stop_skips: int | None = _option(
        None,
        "skip_connections: number of them that ends the search (unset: 2).",
        least=1,
    )
    early_stop_first: int | None = _option(
        None,
        "Earliest epoch whose cells may be returned, counted from 1 (unset: 11).",
        least=1,
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class CostConfig(Config):
    """Settings of the derived network's cost as a part of alpha's loss."""

    cost: tuple[Cost, ...] = _option(
        (),
        "Images: costs of the derived network that enter alpha's loss, several at "
        "once if wanted: multiply_adds of inference on one image, parameters, "
        "activation_memory (bytes of the feature maps that inference writes), latency "
        "(of --latency_table).",
        task="images",
    )
    cost_target: str | None = _option(
        None,
        "Images: largest cost that is wanted, such as 300M, 2.5G or 800k, for latency "
        "8ms or 300us; with "
        "several costs one for each of --cost, in its order (300M,8ms). Cheaper "
        "cells have no penalty. Unset: each cost counts as a share of the dearest "
        "network's, times --cost_weight.",
        task="images",
    )
    cost_floor: float | None = _option(
        None,
        "Images: share of a cost target, 0 to 1, that the derived network is to reach: "
        "it is the most likely one between this share of the target and the target "
        "(unset: 0.95; 0: any within the target).",
        least=0,
        most=1,
        task="images",
    )
    cost_weight: float | None = _option(
        None,
        "Images: fixed weight of the costs in alpha's loss (unset, with "
        "--cost_target: a multiplier for each cost, which rises from 0 while the "
        "derived cell is above its target).",
        least=0,
        task="images",
    )
    cost_weight_rate: float | None = _option(
        None,
        "Images: how much the multiplier rises in a step, times the excess over the "
        "target as a share of it (unset: 0.01).",
        least=1e-9,
        task="images",
    )
    cost_channels: int | None = _option(
        None,
        "Images: channels of the network for which costs are meant (unset: the "
        "default of train.evaluate; nasbench201: 16, otherwise 36).",
        least=1,
        task="images",
    )
    cost_layers: int | None = _option(
        None,
        "Images: cells of that network (unset: the default of train.evaluate; "
        "nasbench201: 15, otherwise 20).",
        least=3,
        task="images",
    )
    cost_image_size: int | None = _option(
        None,
        "Images: pixels of a side of its images (unset: those of the search).",
        least=1,
        task="images",
    )
    cost_classes: int | None = _option(
        None,
        "Images: number of its classes (unset: those of the search).",
        least=2,
        task="images",
    )
    cost_network: Network = _option(
        "cifar",
        "Images: its kind, as --network of train.evaluate.",
        task="images",
    )
    latency_table: str | None = _option(
        None,
        "Images: with --cost=latency the CSV of measured times, made by train.latency "
        "or from your phone's (columns: docs/cost_and_devices.md).",
        task="images",
        free="place",
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class SearchConfig(
    RunConfig,
    DataConfig,
    CostConfig,
    RelaxationConfig,
    RecipeConfig,
    DescentConfig,
    LanguageConfig,
    TrainedNetworkConfig,
    NetworkConfig,
    EstimatorConfig,
    StrategyConfig,
    OracleConfig,
    SpaceConfig,
):
    """Settings of a search; the defaults are the paper's for images."""

    valid_fraction: float = _redefined(TrainedNetworkConfig, "valid_fraction", 0.5)


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainingConfig(
    RunConfig,
    DataConfig,
    RecipeConfig,
    DescentConfig,
    LanguageConfig,
    TrainedNetworkConfig,
    NetworkConfig,
    SpaceConfig,
):
    """Settings of the training of a genotype's network from scratch."""

    genotype: str | None = _option(
        None,
        "Genotype: a JSON file; a file or a text with what other projects print, such "
        "as Genotype(normal=...) in a line of a log; or a published name: DARTS_V1, "
        "DARTS_V2, NASNet, AmoebaNet, PC_DARTS_CIFAR, PC_DARTS_IMAGENET, P_DARTS, "
        "DRNAS_CIFAR, DRNAS_IMAGENET, GDAS_V1, SDARTS_RS, SDARTS_ADV, "
        "LAMBDA_COSINE_0 to _3, LAMBDA_SIGN_0 to _3 (s1 to s4: LAMBDA_C10, "
        "LAMBDA_C100, LAMBDA_SVHN; recurrent: DARTS_V1, DARTS_V2, ENAS; nasbench201: "
        "an architecture string; mobile_chain: MobileNetV2; mobile_chain_proxyless: "
        "ProxylessNAS_mobile).",
        required=True,
    )
    max_multiply_adds: float = _option(
        0.0,
        "Images: refuse a network with more multiply-adds of inference on one image, "
        "before any image is read (0: no limit; mobile setting: 600e6).",
        least=0,
        task="images",
        free="pace",
    )
    max_parameters: float = _option(
        0.0,
        "Images: refuse a network with more trainable weights, an auxiliary head's "
        "left out, before any image is read (0: no limit).",
        least=0,
        task="images",
        free="pace",
    )
    test: bool = _option(
        True,
        "Measure the test part, once, at the end. --notest leaves it unread, for "
        "trainings that only choose among cells.",
        free="pace",
    )
    stop_after_epochs: int = _option(
        0,
        "Stop after so many of the epochs, with the measures of the held out part in "
        "after_N_epochs.json; the same command with more goes on (0: all). The "
        "schedules are those of --epochs.",
        least=0,
        free="budget",
    )
    channels: int = _redefined(NetworkConfig, "channels", 36)
    layers: int = _redefined(NetworkConfig, "layers", 20)
    epochs: int = _redefined(DescentConfig, "epochs", 600)
    batch_size: int = _redefined(DescentConfig, "batch_size", 96)
    dropout_words: float = _redefined(LanguageConfig, "dropout_words", 0.1)


@dataclasses.dataclass(frozen=True, kw_only=True)
class DerivationConfig(PaceConfig, OracleConfig, SpaceConfig):
    """Settings of the derivation of a genotype from a search."""

    genotype: str | None = _option(
        None,
        "Only draw this genotype: a JSON file, a published name or an architecture "
        "string.",
    )
    random: int | None = _option(
        None, "Seed of a random genotype, which is drawn.", least=0
    )
    epoch: int = _option(
        0,
        "Derive from alpha after this epoch (0: the last); genotype.json and its "
        "picture are left as they are.",
        least=0,
    )
    method: Derivation = _option(
        "magnitude",
        "magnitude: the largest mixing weights; perturbation: the operations that "
        "cost the supernet most accuracy when they are left out, with tuning in "
        "between (images only; long; the same command resumes it).",
    )
    out: str | None = _option(
        None,
        "perturbation: folder of the derivation (default: 'perturbation' in "
        "--workdir).",
        free="place",
    )
    seed: int | None = _option(
        None,
        "perturbation: seed of the order in which edges are decided (default: the "
        "search's).",
        least=0,
        most=MAX_SEED,
    )
    tune_epochs: int = _option(
        5,
        "perturbation: passes over the training data between two decisions (0: none).",
        least=0,
    )
    measured_batches: int = _option(
        0,
        "perturbation: validation batches on which accuracy is measured (0: all).",
        least=0,
    )
    data_dir: str | None = _option(
        None,
        "perturbation: folder of the data (default: the search's).",
        free="place",
    )
    latency_table: str | None = _option(
        None,
        "Images: CSV of measured times (train.latency), by which the derived "
        "network's latency is predicted.",
        free="place",
    )
    channels: int | None = _option(
        None,
        "latency_table: channels of that network (default: --cost_channels of the "
        "search, else that of train.evaluate).",
        least=1,
    )
    layers: int | None = _option(
        None,
        "latency_table: its cells (default: --cost_layers of the search, else that of "
        "train.evaluate).",
        least=3,
    )
    width_multiplier: float | None = _option(
        None,
        "latency_table: factor of the widths of a chain (default: the search's, else "
        "1).",
        least=0.05,
        most=8,
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExportConfig(Config):
    """Settings of an export."""

    format: ExportFormat = _option(
        "saved_model",
        "Format of the exported network: for TensorFlow, for phones and small "
        "devices (LiteRT, a .tflite file), or for ONNX runtimes.",
    )
    quantize: Quantize = _option(
        "none",
        "With --format=litert: weights of 16 bits (float16) or of 8 (dynamic), or "
        "weights and feature maps of 8 bits (int8, ranges from training images).",
    )
    plugin: str | None = _redefined(SpaceConfig, "plugin", None)


@dataclasses.dataclass(frozen=True, kw_only=True)
class LatencyConfig(SpaceConfig):
    """Settings of a table of measured latencies."""

    image_size: int = _option(32, "Pixels of a side of the images.", least=1)
    image_channels: int = _option(
        3, "Channels of the images: 3 for colour, 1 for grey.", least=1
    )
    channels: int | None = _option(
        None,
        "Channels of the first cell (default: that of train.evaluate; nasbench201: "
        "16, otherwise 36).",
        least=1,
    )
    layers: int | None = _option(
        None,
        "Number of cells (default: that of train.evaluate; nasbench201: 15, "
        "otherwise 20). No shape depends on it but where a network has none of a kind.",
        least=3,
    )
    width_multiplier: float = _redefined(NetworkConfig, "width_multiplier", 1.0)
    classes: int = _option(10, "Number of classes.", least=2)
    network: Network = _option("cifar", "Kind of network, as in train.evaluate.")
    batch_size: int = _option(1, "Images at a time.", least=1)
    runtime: Runtime = _option(
        "litert",
        "What computes: LiteRT's interpreter (ai-edge-litert, or that in TensorFlow), "
        "or TensorFlow (on a GPU where there is one).",
    )
    threads: int = _option(1, "Threads of the runtime.", least=1)
    quantize: Quantize = _option(
        "none",
        "With --runtime=litert: the bits in which parts are computed, as an export's "
        "--quantize has them, for the latency of the exported file.",
    )
    max_noise: float = _option(
        0.1,
        "Largest noise with which a table is written: the median difference between "
        "two passes, and the share of pairs of operations that they order differently.",
        least=0,
    )
    out: str | None = _option(
        None, "Table that is written, for example latency.csv.", required=True
    )
    models: str | None = _option(
        None,
        "Folder into which each part is written too, as a .tflite file, to be timed "
        "on a phone.",
    )


def _chosen(kind: type[Config], name: str, text: str) -> Any:
    """Declares a field of the pipeline that is chosen where it is not given."""
    bounds = kind.__dataclass_fields__[name].metadata
    return dataclasses.field(
        default=None,
        metadata={
            **bounds,
            "help": f"{text} Default: chosen from the data and the machine.",
            "free": None,
        },
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class ChosenConfig(Config):
    """Sizes of the pipeline, chosen from the data and the machine if not given."""

    image_size: int | None = _chosen(
        DataConfig, "image_size", "Images: pixels of a side to which all are scaled."
    )
    crop_padding: int | None = _chosen(
        DataConfig, "crop_padding", "Images: pixels of padding before a random crop."
    )
    valid_fraction: float | None = _chosen(
        TrainedNetworkConfig,
        "valid_fraction",
        "Images: share of the training data that the final training holds out for a "
        "validation curve.",
    )
    recipe: Recipe | None = _chosen(
        RelaxationConfig,
        "recipe",
        "Images: settings of the search that measurements show to be best: robust, or "
        "none.",
    )
    method: Method | None = _chosen(
        RelaxationConfig,
        "method",
        "Gradient of alpha: first_order, finite_difference (eq. 8) or exact.",
    )
    search_examples: int | None = _chosen(
        DataConfig, "examples", "Images: training images of the search (0: all)."
    )
    search_channels: int | None = _chosen(
        NetworkConfig, "channels", "Images: channels of the search's first cell."
    )
    search_layers: int | None = _chosen(
        NetworkConfig, "layers", "Images: cells of the search's network."
    )
    search_hidden_size: int | None = _chosen(
        LanguageConfig, "hidden_size", "Language: elements of the search's state."
    )
    search_batch_size: int | None = _chosen(
        DescentConfig, "batch_size", "Examples of a step of the search."
    )
    search_epochs: int | None = _chosen(
        DescentConfig, "epochs", "Passes of the search over its data."
    )
    alpha_learning_rate: float | None = _chosen(
        RelaxationConfig, "alpha_learning_rate", "Learning rate of alpha (Adam)."
    )
    channels: int | None = _chosen(
        NetworkConfig, "channels", "Images: channels of the final network's first cell."
    )
    layers: int | None = _chosen(
        NetworkConfig, "layers", "Images: cells of the final network."
    )
    width_multiplier: float | None = _chosen(
        NetworkConfig,
        "width_multiplier",
        "Images: factor of all widths of a chain, of both networks.",
    )
    hidden_size: int | None = _chosen(
        LanguageConfig, "hidden_size", "Language: elements of the final model's state."
    )
    bptt: int | None = _chosen(LanguageConfig, "bptt", "Language: words of a window.")
    batch_size: int | None = _chosen(
        DescentConfig, "batch_size", "Examples of a step of the final training."
    )
    epochs: int | None = _chosen(
        DescentConfig, "epochs", "Passes of the final training over its data."
    )
    learning_rate: float | None = _chosen(
        DescentConfig,
        "learning_rate",
        "Learning rate of w in the first epoch, of both.",
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class PipelineConfig(ChosenConfig):
    """Settings of search, derivation, evaluation and export in a row."""

    dataset: str = _option(
        "digits",
        "Data set. Images: digits (embedded), folder (of one's own, in --data_dir), "
        "or any image classification set of TensorFlow Datasets. Language: "
        "python_topics (embedded) or text_folder (train.txt, valid.txt and test.txt "
        "in --data_dir).",
    )
    data_dir: str | None = _option(
        None, "Folder of the data, for all stages.", free="place"
    )
    download: bool = _redefined(DataConfig, "download", False)
    flip: bool = _option(
        True,
        "Images: random horizontal flips. Give --noflip for letters, digits or "
        "anything that a mirror changes.",
    )
    space: str | None = _option(
        None,
        "Images: search space, a chain such as mobile_chain (unset: that of the "
        "flagfiles, else darts_conv or darts_recurrent).",
    )
    compare_published: bool = _option(
        True,
        "Train the published cell DARTS_V2 (of a chain MobileNetV2) in the same way "
        "and compare.",
        free="budget",
    )
    compare_random_cells: int = _option(
        0,
        "Number of random cells that are trained in the same way, to compare; may be "
        "raised when the pipeline is started again.",
        least=0,
        free="budget",
    )
    search_flags: str | None = _option(
        None,
        "Flagfile of the search, with --evaluate_flags in the place of --dataset and "
        "of all that is chosen.",
        free="place",
    )
    evaluate_flags: str | None = _option(
        None, "Flagfile of the evaluation; see --search_flags.", free="place"
    )
    seed: int = _option(
        0, "Seed of everything random, for all stages.", least=0, most=MAX_SEED
    )
    plugin: str | None = _redefined(SpaceConfig, "plugin", None)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExperimentConfig(OracleConfig):
    """Settings of the paper's protocol of searches and trainings."""

    name: str | None = _option(
        None,
        "Name of the architecture in tables (default: the search's).",
        free="place",
    )
    search_flags: str | None = _option(None, "Flagfile of the searches.", free="place")
    random_genotypes: str | None = _option(
        None,
        "Instead of --search_flags: no search, but random genotypes of this space, "
        "one a seed.",
    )
    short_flags: str | None = _option(
        None,
        "Flagfile of the short trainings, which choose the best cell by validation.",
        required=True,
        free="place",
    )
    evaluate_flags: str | None = _option(
        None,
        "Flagfile of the full trainings of the best cell.",
        required=True,
        free="place",
    )
    search_seeds: int = _option(
        4, "Number of searches; may be raised.", least=1, free="budget"
    )
    cost_targets: tuple[str, ...] | None = _option(
        None,
        "Targets of the one cost that --search_flags has, such as 40M,80M,120M: as "
        "many searches, a selection and full trainings for each, and a front of all.",
    )
    evaluate_seeds: int = _option(
        10, "Number of full trainings; may be raised.", least=1, free="budget"
    )
    cells_per_search: int = _option(
        1,
        "So many cells of each search get a short training: the most likely ones under "
        "its last alpha, the derived one among them.",
        least=1,
        most=LIKELY_GENOTYPES,
    )
    selection_rungs: int = _option(
        1,
        "Rungs of the short trainings (successive halving). 1: each cell has all "
        "epochs of --short_flags. More: each has few at first, and the best of each "
        "rung are trained on, up to the last rung, which has all epochs.",
        least=1,
    )
    selection_reduction: int = _option(
        4,
        "With --selection_rungs: one of so many cells of a rung is trained on, for so "
        "many times as many epochs.",
        least=2,
    )
    snapshots: int = _option(
        0,
        "Number of epochs of each search whose cells get a short training too, for "
        "the picture of its progress (0: none; it shows what the searches measured "
        "themselves).",
        least=0,
        free="place",
    )
    data_dir: str | None = _option(
        None, "Folder of the data, for all runs.", free="place"
    )
    plugin: str | None = _redefined(SpaceConfig, "plugin", None)
    processes: int | None = _option(
        None,
        "Processes at a time on this machine (default: one for each GPU that is "
        "named, or one).",
        least=1,
        free="place",
    )
    gpus: tuple[str, ...] | None = _option(
        None,
        "Numbers of the GPUs that the processes share out among themselves, as in "
        "CUDA_VISIBLE_DEVICES, which is the default.",
        free="place",
    )
    stage: Stage | None = _option(
        None, "Only this stage (default: all in turn).", free="place"
    )
    task: int | None = _option(
        None,
        "With --stage: only this task of it, counted from 0, for array jobs.",
        least=0,
        free="place",
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class ComparisonConfig(Config):
    """Settings of a comparison of experiments, searches and evaluations."""

    experiments: tuple[str, ...] | None = _option(
        None,
        "Folders of experiments, searches or evaluations (--workdir of each), "
        "separated by commas.",
        required=True,
    )
    out: str | None = _option(
        None, "Folder of the tables, the picture and report.html.", required=True
    )
    published: PublishedTable = _option(
        "none",
        "Published numbers that are put beside them. cifar10: the DARTS paper's; "
        "cifar10_later: those of methods since; the others: both, as far as they are "
        "known.",
    )
    front: tuple[Objective, ...] | None = _option(
        None,
        "Two of accuracy (drawn as an error) and the costs, whose front and "
        "hypervolume are drawn (unset: accuracy and the first cost that the runs "
        "know).",
    )
    plugin: str | None = _redefined(SpaceConfig, "plugin", None)
