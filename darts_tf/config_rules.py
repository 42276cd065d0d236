"""Rules on which settings go together; works on configs alone, without flags.

`settle` is called once at the start of a program, from the command line and
from the library alike: it fills in the defaults of the space and the
strategy and refuses names that were given and mean nothing. It imports no
TensorFlow.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable
from typing import TypeVar

from darts_tf.config import (
    RECIPES,
    ComparisonConfig,
    Config,
    Cost,
    CostConfig,
    DerivationConfig,
    EstimatorConfig,
    ExperimentConfig,
    ExportConfig,
    LatencyConfig,
    RecipeConfig,
    RelaxationConfig,
    SearchConfig,
    Stage,
    StrategyConfig,
    TrainedNetworkConfig,
    TrainingConfig,
    names,
)
from darts_tf.errors import InputError
from darts_tf.space import chain, nasbench201, recurrent
from darts_tf.space.registry import is_chain, space_by_name

C = TypeVar("C", bound=Config)
ImageConfig = SearchConfig | TrainingConfig

RELAXED = ("darts", "lambda_darts")
"""Strategies that descend on alpha and ask no estimator."""

SHARING = "random_weight_sharing"
BILEVEL = "bilevel"
FIDELITY = ("epochs", "examples", "channels", "layers", "image_size")
"""Names of which --estimator=low_fidelity may have less."""

STRATEGY_NAMES = {
    "random": (),
    "evolution": ("evolution_population", "evolution_sample"),
    "reinforce": ("reinforce_learning_rate", "reinforce_baseline"),
    "bayesian": ("bayesian_startup",),
    "asha": ("asha_reduction", "asha_rungs"),
    "nsga2": ("nsga2_population",),
}
"""The names that only one strategy has, of those that ask an estimator."""

WITH_FRONT = ("nsga2", "random")
"""Strategies whose result may be a front of objectives."""

ACCURACY = "accuracy"
"""The objective that is no cost."""

COST_TITLES = {
    "multiply_adds": "multiply-adds",
    "parameters": "parameters",
    "activation_memory": "bytes of maps",
    "latency": "ms (predicted)",
}
"""The units of costs, in words."""

LIMITS = tuple(f"max_{cost}" for cost in names(Cost))
"""Names of hard limits on costs, as far as there are such settings."""

COST_SIZES = (
    "cost_channels",
    "cost_layers",
    "cost_image_size",
    "cost_classes",
    "cost_network",
    "latency_table",
)
"""Names of the network whose costs are counted, and of its latencies."""

ON_RUNGS = ("full", "low_fidelity")
"""Estimators whose trainings strategy=asha can measure early and go on with."""

ESTIMATOR_NAMES = {
    "full": (),
    "table": (),
    "one_shot": ("supernet", "measured_batches"),
    "low_fidelity": tuple(f"fidelity_{name}" for name in FIDELITY),
    "learning_curve": ("curve_epochs",),
    "inherit": ("supernet", "inherit_from", "parents"),
}
"""The names of each estimator that some others have not."""

UNTRAINED = {
    "table": ("nasbench201_table",),
    "one_shot": ("nasbench201_table", "data_dir", "distribute"),
}
"""Estimators that train nothing, and the only other names that they read."""

ALWAYS = (
    "space",
    "plugin",
    "seed",
    "deterministic",
    "strategy",
    "budget_evaluations",
    "budget_seconds",
)
"""Names that a search by any estimator reads."""

SHARING_NAMES = (
    "final_evaluations",
    "measured_batches",
    "learning_rate_min",
    "train_portion",
    "micro_batches",
    "recompute",
    "compiled",
)
"""Names of other groups that weight sharing reads."""

LAMBDA_NAMES = (
    "lambda_strength",
    "lambda_gradient",
    "lambda_epsilon",
    "lambda_cells",
)
JOINT_NAMES = {
    "joint_alternating": ("lambda_regularizer", *LAMBDA_NAMES),
    "joint_simultaneous": (
        "lambda_regularizer",
        *LAMBDA_NAMES,
        "alpha_learning_rate",
        "alpha_weight_decay",
        "alpha_beta1",
    ),
}
"""The names that mean nothing where alpha and w share a loss."""

ALPHA_REGULARIZER_NAMES = (
    "alpha_regularizer_strength",
    "alpha_regularizer_schedule",
)
BETA_DECAY = {nasbench201.SPACE.name: 50.0}
"""Published strengths of beta decay by space; 25 in all others.

In the authors' code the strength is half the number of the epoch: it ends at 50
after 100 epochs in NAS-Bench-201, and at 25 after 50 elsewhere.
"""
PENALTY_OF = {"dirichlet": "kl_anchor", "sigmoid": "zero_one"}
"""The penalty of alpha that belongs to a relaxation, and to no other."""

SOFTMAX_PENALTIES = {"dirichlet": ("entropy",), "sigmoid": ("beta_decay", "entropy")}
"""The penalties that mean nothing with a relaxation."""

GUMBEL_REASONS = {
    "space": "has activations as candidates, which cost nothing to compute",
    "lambda_regularizer": "differentiates by the weights of all of them",
    "recompute": "saves the memory that it does not take",
    "jit": "compiles no choice between operations",
    "instruments": "looks at a mixture of all of them",
}
"""Why a name does not go with --relaxation=gumbel."""

CHAIN_REASONS = {
    "lambda_regularizer": " (Lambda-DARTS aligns cells that share their alpha, and "
    "each layer of a chain has its own)",
    "channels": " (its widths are those of the space, times `width_multiplier`)",
    "layers": " (how many of its layers are skipped is searched)",
    "stages": " (they deepen networks of cells)",
}
"""Why a name means nothing for a chain, where that is not plain."""

NOT_IN_CHAINS = (
    *("channels", "layers", "network", "auxiliary_weight"),
    *("fidelity_channels", "fidelity_layers"),
    *("cost_channels", "cost_layers", "cost_network"),
    *("partial_channels", "recompute", "lambda_regularizer", *LAMBDA_NAMES),
    *("nasbench201_table", "stages"),
)
"""The names that mean nothing for a chain."""

PENALTY_STRENGTHS = {"kl_anchor": 1e-3, "zero_one": 10.0}
"""Their published strengths, which stay the same over the epochs."""

EARLY_STOP_NAMES = {
    "early_stop_window": ("eigenvalue",),
    "early_stop_ratio": ("eigenvalue",),
    "early_stop_skips": ("skip_connections",),
    "early_stop_first": ("eigenvalue", "skip_connections"),
}
"""The rules with which a name means something."""

UNITS = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9}
"""Factors of the units in which costs are given."""

TIME_UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3}
"""The units of latency, in milliseconds."""

COST_WEIGHT_RATE = 0.01

COST_FLOOR = 0.95
"""Share of a target that derived networks reach, where nothing else is given."""

PERTURBATION_NAMES = (
    "out",
    "seed",
    "tune_epochs",
    "measured_batches",
    "data_dir",
    "report_every",
    "checkpoint_every",
)
TABLE_SIZES = ("channels", "layers", "width_multiplier")
"""Sizes of the network whose latency a derivation predicts by `latency_table`."""

MAGNITUDE_NAMES = ("genotype", "random", "epoch", "latency_table", *TABLE_SIZES)
"""Names of a derivation that only one of its methods reads."""

SPACE_DEFAULTS = {
    nasbench201.SPACE.name: {"channels": 16, "layers": 15, "drop_path": 0.0},
    recurrent.SPACE.name: {"jit": "off"},
    **{space.name: {"drop_path": 0.0} for space in chain.SPACES},
}
"""Defaults that differ in a space from those of the fields."""

REASONS = {
    "lambda_regularizer": " (Lambda-DARTS aligns the layers of a network with "
    "each other, and a recurrent network has one)",
    "recipe": " (it was measured on cells for images alone)",
    **dict.fromkeys(
        ("cost", "objectives", *LIMITS),
        " (all cells of this space have the same parameters and the same "
        "multiply-adds)",
    ),
    "recompute": " (it recomputes cells of images; `micro_batches` lowers the "
    "memory of a recurrent search)",
    "precision": " (it is that of feature maps and convolutions, and a "
    "recurrent network has none)",
    "jit": " (XLA does not compile the gradient of its loop over time)",
    "partial_channels": " (PC-DARTS divides the channels of feature maps)",
}
"""Why a name means nothing for language, where that is not plain."""


def settle(config: C) -> C:
    """Fills in defaults and refuses what does not go together.

    Settling twice changes nothing.

    Raises:
      InputError: a name was given that means nothing with the others, or
        values exclude each other.
    """
    check: dict[type, Callable] = {
        SearchConfig: _settle_images,
        TrainingConfig: _settle_images,
        ComparisonConfig: _settle_comparison,
        DerivationConfig: _settle_derivation,
        ExperimentConfig: _settle_experiment,
        ExportConfig: _settle_export,
        LatencyConfig: _settle_latency,
    }
    return check.get(type(config), lambda same: same)(config)


def inapplicable(config: Config) -> dict[str, str]:
    """Returns the names that mean nothing, with the setting that says so."""
    if not isinstance(config, (SearchConfig, TrainingConfig)):
        return {}
    in_space = dict.fromkeys(_not_in_space(config), f"`space={config.space}`")
    return _not_in_strategy(config) | in_space


def applicable(config: Config) -> dict[str, object]:
    """Returns the values of all names that mean something, as JSON's types."""
    without = inapplicable(config)
    values = {f.name: getattr(config, f.name) for f in dataclasses.fields(config)}
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in values.items()
        if name not in without
    }


def is_text(space: str) -> bool:
    """Returns whether a space is for language."""
    return space == recurrent.SPACE.name


def declared(kind: type) -> tuple[str, ...]:
    """Returns the names of the fields that a class itself declares."""
    return tuple(kind.__annotations__)


def _not_in_space(config: ImageConfig) -> list[str]:
    task = "text" if is_text(config.space) else "images"
    unread = [
        field.name
        for field in dataclasses.fields(config)
        if field.metadata["task"] not in (None, task)
    ]
    if is_chain(config.space):
        names = {field.name for field in dataclasses.fields(config)}
        return [*unread, *(name for name in NOT_IN_CHAINS if name in names)]
    unread.append("width_multiplier")
    if config.space == nasbench201.SPACE.name:
        return [*unread, "network", "auxiliary_weight", "cost_network"]
    return [*unread, "nasbench201_table"]


def _not_in_strategy(config: ImageConfig) -> dict[str, str]:
    if not isinstance(config, SearchConfig):
        return {}
    if config.strategy in STRATEGY_NAMES:
        return _not_asked(config)
    unread = {*declared(StrategyConfig), *declared(EstimatorConfig)} - {"strategy"}
    unread |= {*declared(TrainedNetworkConfig), *declared(RecipeConfig), "patience"}
    if config.strategy == SHARING:
        unread |= {*declared(RelaxationConfig), *declared(CostConfig)}
        unread -= {*SHARING_NAMES}
    joint = JOINT_NAMES.get(config.optimization, ())
    return dict.fromkeys(joint, f"`optimization={config.optimization}`") | (
        dict.fromkeys(unread, f"`strategy={config.strategy}`")
    )


def _not_asked(config: SearchConfig) -> dict[str, str]:
    """Names that mean nothing with a strategy that asks this estimator."""
    of_strategy = STRATEGY_NAMES[config.strategy]
    of_estimator = ESTIMATOR_NAMES[config.estimator]
    unread = _all_but(ESTIMATOR_NAMES, of_estimator)
    if config.estimator in UNTRAINED:
        read = {*ALWAYS, *of_strategy, *of_estimator, "estimator", "objectives"}
        read |= {*LIMITS, *COST_SIZES}
        every = {field.name for field in dataclasses.fields(config)}
        unread |= every - read - {*UNTRAINED[config.estimator]}
    others = _all_but(STRATEGY_NAMES, of_strategy)
    others |= {*declared(RelaxationConfig), *declared(CostConfig)}
    others |= {"final_evaluations"}
    others |= set() if config.strategy in WITH_FRONT else {"objectives"}
    if counted_costs(config):
        others -= {*COST_SIZES}
    return dict.fromkeys(unread, f"`estimator={config.estimator}`") | (
        dict.fromkeys(others, f"`strategy={config.strategy}`")
    )


def limits(config: SearchConfig) -> dict[str, float]:
    """Returns the hard limits of a search by strategies that ask, by cost."""
    values = {name: getattr(config, f"max_{name}", 0.0) for name in names(Cost)}
    return {name: value for name, value in values.items() if value}


def counted_costs(config: SearchConfig) -> tuple[str, ...]:
    """Returns the costs that a search by a strategy that asks counts of genotypes."""
    wanted = {*config.objectives, *limits(config)}
    return tuple(name for name in names(Cost) if name in wanted)


def _all_but(groups: dict[str, tuple[str, ...]], these: Iterable[str]) -> set[str]:
    return {name for group in groups.values() for name in group} - {*these}


def _settle_images(config):
    check_space_name("space", config.space)
    usual = SPACE_DEFAULTS.get(config.space, {})
    config = config.filled(
        **{name: v for name, v in usual.items() if name not in config.given}
    )
    _refuse_in_space(config)
    if config.shuffle_rounds % 2:
        raise InputError(
            f"`shuffle_rounds={config.shuffle_rounds}` must be even; give "
            f"{config.shuffle_rounds + 1}"
        )
    if config.space == nasbench201.SPACE.name:
        nasbench201.cells_a_stage(config.layers)
    if isinstance(config, SearchConfig):
        config = _settle_strategy(config)
    elif not config.test and not (config.valid_fraction or is_text(config.space)):
        raise InputError(
            "`test=False` with `valid_fraction=0` measures nothing; hold out images, "
            "for example by `valid_fraction=0.1`, or leave `test=False` out"
        )
    _check_schedule(config)
    return config


def check_space_name(name: str, space: str) -> None:
    """Raises InputError, with the argument's name, for an unknown space."""
    try:
        space_by_name(space)
    except InputError as error:
        raise InputError(f"`{name}={space}`: {error}") from None


def _refuse_in_space(config: ImageConfig) -> None:
    for name in _not_in_space(config):
        if name in config.given:
            reason = REASONS.get(name, "") if is_text(config.space) else ""
            if is_chain(config.space):
                reason = CHAIN_REASONS.get(name, "")
            raise InputError(
                f"`{name}` means nothing with `space={config.space}`{reason}; "
                "leave it out"
            )


def _settle_strategy(config: SearchConfig) -> SearchConfig:
    alone = REASONS if is_text(config.space) else CHAIN_REASONS
    if config.strategy == "lambda_darts" and (
        is_text(config.space) or is_chain(config.space)
    ):
        raise InputError(
            f"`strategy=lambda_darts` means nothing with `space={config.space}`"
            f"{alone['lambda_regularizer']}; give another strategy"
        )
    if config.strategy == "nsga2" and is_text(config.space):
        raise InputError(
            f"`strategy=nsga2` means nothing with `space={config.space}`"
            f"{REASONS['cost']}; give another strategy"
        )
    if config.strategy == "nsga2" and not config.objectives:
        config = config.filled(objectives=(ACCURACY, names(Cost)[0]))
    for name, why in _not_in_strategy(config).items():
        if name in config.given:
            raise InputError(f"`{name}` means nothing with {why}; leave it out")
    _check_chain(config)
    if config.strategy == SHARING and is_text(config.space):
        raise InputError(
            f"`strategy={SHARING}` is built for images; with "
            f"`space={config.space}` give `strategy=darts`, or one that asks, such "
            "as `strategy=random`"
        )
    if config.strategy in STRATEGY_NAMES:
        _check_budget(config)
        _check_estimator(config)
        _check_objectives(config)
        if counted_costs(config):
            _check_latency_table(config, counted_costs(config))
        return config
    if config.strategy == "lambda_darts":
        config = _settle_lambda(config)
    if config.strategy in RELAXED:
        config = _settle_stages(config)
        config = _settle_recipe(config)
        config = _settle_optimization(config)
        _check_other_relaxation(config)
        config = _settle_alpha_regularizer(config)
        _check_perturbation(config)
        config = _settle_costs(config)
        _check_relaxation(config)
    if config.jit == "on" and not config.compiled:
        raise InputError(
            "`jit=on` compiles what `compiled=False` leaves plain; leave out one of "
            "both"
        )
    if config.learning_rate_min > config.learning_rate:
        raise InputError(
            f"`learning_rate_min={config.learning_rate_min}` must not be above "
            f"`learning_rate={config.learning_rate}`"
        )
    return config


def _settle_lambda(config: SearchConfig) -> SearchConfig:
    if "lambda_regularizer" not in config.given:
        config = config.filled(lambda_regularizer="cosine")
    if config.lambda_regularizer == "none":
        raise InputError(
            "`strategy=lambda_darts` without a regularizer is `strategy=darts`; "
            "leave out `lambda_regularizer=none`"
        )
    return config


def _settle_optimization(config: SearchConfig) -> SearchConfig:
    """Fills in a joint optimization's only gradient, and refuses others."""
    chosen = config.optimization
    if chosen == BILEVEL:
        return config
    if config.strategy != "darts":
        raise InputError(
            f"`optimization={chosen}` is an ablation of `strategy=darts`; leave "
            f"out `strategy={config.strategy}`"
        )
    if "method" in config.given and config.method != "first_order":
        raise InputError(
            f"`method={config.method}` means nothing with `optimization={chosen}`: "
            "alpha and w minimise one loss, and there is no inner problem to look "
            "through; leave it out"
        )
    return config.filled(method="first_order")


def _differs(config: Config, name: str) -> bool:
    """Returns whether a value is not the default; a run's flags.txt gives defaults."""
    defaults = {f.name: f.default for f in dataclasses.fields(config)}
    return getattr(config, name) != defaults[name]


def _check_other_relaxation(config: SearchConfig) -> None:
    """Refuses what another relaxation than the softmax does not go with."""
    chosen = config.relaxation
    for name in ("gumbel_tau", "gumbel_tau_end"):
        if _differs(config, name) and chosen != "gumbel":
            raise InputError(
                f"`{name}` means something with `relaxation=gumbel` only; leave it out"
            )
    if chosen == "softmax":
        return
    if config.temperature_end != 1:
        raise InputError(
            f"`temperature_end={config.temperature_end}` is the temperature of a "
            f"softmax, which `relaxation={chosen}` has not; leave out one of both"
        )
    watching = "instruments" if "eigenvalue" in config.instruments else "early_stop"
    if "eigenvalue" in (*config.instruments, config.early_stop):
        raise InputError(
            f"`{watching}=eigenvalue` is that of the Hessian in a softmax's alpha, "
            f"and this is `relaxation={chosen}`; leave out one of both"
        )
    if chosen == "sigmoid":
        _check_sigmoid(config)
    if chosen == "gumbel":
        _check_gumbel(config)


def _check_gumbel(config: SearchConfig) -> None:
    """Refuses what needs more than one candidate of an edge."""
    mixed = [name for name in ("alignment", "gap") if name in config.instruments]
    excluded = {
        f"space={config.space}": is_text(config.space),
        f"lambda_regularizer={config.lambda_regularizer}": (
            config.lambda_regularizer != "none"
        ),
        "recompute=True": config.recompute,
        "jit=on": config.jit == "on",
        f"instruments={','.join(mixed)}": bool(mixed),
    }
    for given, found in excluded.items():
        if found:
            name = given.split("=")[0]
            raise InputError(
                "`relaxation=gumbel` computes one candidate of each edge, and "
                f"`{given}` {GUMBEL_REASONS[name]}; leave out one of both"
            )


def _check_chain(config: SearchConfig) -> None:
    """Refuses what is not built for chains, or means nothing there."""
    if not is_chain(config.space):
        return
    refused = {
        "relaxation": {"gumbel": "is built for the edges of cells"},
        "early_stop": {"skip_connections": "would end the search for its depth"},
        "estimator": {"inherit": "is built for the edges of cells"},
    }
    for name, values in refused.items():
        reason = values.get(getattr(config, name))
        if reason is not None:
            raise InputError(
                f"`{name}={getattr(config, name)}` {reason}, and means nothing with "
                f"`space={config.space}`; give another one"
            )
    if "alignment" in config.instruments:
        raise InputError(
            "`instruments=alignment` compares cells that share their alpha, and each "
            "layer of a chain has its own; leave it out"
        )


def _check_sigmoid(config: SearchConfig) -> None:
    reason = None
    if is_text(config.space):
        reason = "a sum of several activations would grow from word to word"
    elif any(spec.zero_kept for spec in space_by_name(config.space).cells):
        reason = "its zero operation, which can be derived, gets no gradient from them"
    if reason is not None:
        raise InputError(
            f"`relaxation=sigmoid` weighs candidates without competition, and in "
            f"`space={config.space}` {reason}; give `relaxation=dirichlet` or softmax"
        )


def _check_perturbation(config: SearchConfig) -> None:
    """Refuses a perturbation where w has no step, or operations, for it."""
    given = f"`alpha_perturbation={config.alpha_perturbation}`"
    if config.alpha_perturbation == "none":
        if _differs(config, "alpha_perturbation_epsilon"):
            raise InputError(
                "`alpha_perturbation_epsilon` means nothing without "
                "`alpha_perturbation=random` or adversarial; leave it out"
            )
        return
    if config.relaxation == "gumbel":
        raise InputError(
            f"{given} changes the weights of all candidates, and "
            "`relaxation=gumbel` computes one of each edge; leave out one of both"
        )
    if config.optimization == "joint_simultaneous":
        raise InputError(
            f"{given} is for the step on w alone, and with "
            "`optimization=joint_simultaneous` w and alpha have one step; leave out "
            "one of both"
        )


def _settle_alpha_regularizer(config: SearchConfig) -> SearchConfig:
    """Fills in alpha's regularizer, its published strength and schedule."""
    own = PENALTY_OF.get(config.relaxation)
    if config.alpha_regularizer is None and own is not None:
        config = config.filled(alpha_regularizer=own)
    chosen = config.alpha_regularizer
    if chosen in (None, "none"):
        for name in ALPHA_REGULARIZER_NAMES:
            if getattr(config, name) is not None:
                raise InputError(
                    f"`{name}` means nothing without an alpha regularizer; leave it "
                    "out, or give `alpha_regularizer=beta_decay` or entropy"
                )
        return config
    _check_alpha_regularizer(config)
    usual = {
        "alpha_regularizer_strength": PENALTY_STRENGTHS.get(
            chosen, BETA_DECAY.get(config.space, 25.0)
        ),
        "alpha_regularizer_schedule": "constant" if chosen == own else "linear",
    }
    if chosen == "kl_anchor":
        usual["alpha_weight_decay"] = 0.0  # as published: one pull on alpha
    decided = {*config.given, *recipe_values(config)}
    kept = {n for n in usual if n in decided and getattr(config, n) is not None}
    return config.filled(**{n: v for n, v in usual.items() if n not in kept})


def _check_alpha_regularizer(config: SearchConfig) -> None:
    chosen, relaxation = config.alpha_regularizer, config.relaxation
    owners = {penalty: name for name, penalty in PENALTY_OF.items()}
    owner = owners.get(chosen or "", relaxation)
    if owner != relaxation:
        raise InputError(
            f"`alpha_regularizer={chosen}` is the penalty of "
            f"`relaxation={owner}`, and this is `relaxation={relaxation}`; "
            "leave out one of both"
        )
    of_softmax = SOFTMAX_PENALTIES.get(relaxation, ())
    if chosen in of_softmax:
        raise InputError(
            f"`alpha_regularizer={chosen}` is a penalty of a softmax, which "
            f"`relaxation={relaxation}` has not; leave it out, for "
            f"{PENALTY_OF[relaxation]}"
        )
    if chosen == "entropy" and config.alpha_regularizer_strength is None:
        raise InputError(
            "`alpha_regularizer=entropy` has no published strength; give one, for "
            "example `alpha_regularizer_strength=0.1`"
        )


def _settle_costs(config: SearchConfig) -> SearchConfig:
    """Fills in the rate of an adapted multiplier; checks costs and targets."""
    if not config.cost:
        for name in declared(CostConfig):
            if name != "cost" and _differs(config, name):
                wanted = "latency" if name == "latency_table" else names(Cost)[0]
                raise InputError(
                    f"`{name}` means nothing without a cost; leave it out, or give "
                    f"`cost={wanted}`"
                )
        return config
    if len(set(config.cost)) < len(config.cost):
        raise InputError(
            f"`cost={','.join(config.cost)}` names one cost twice; give each once"
        )
    _check_latency_table(config, config.cost)
    targets = cost_targets(config)
    if targets is None and config.cost_weight is None:
        usual = ",".join("8ms" if name == "latency" else "300M" for name in config.cost)
        raise InputError(
            f"`cost={','.join(config.cost)}` needs a target, such as "
            f"`cost_target={usual}`, or a fixed weight, such as `cost_weight=0.1`"
        )
    if targets is not None and config.cost_floor is None:
        config = config.filled(cost_floor=COST_FLOOR)
    if targets is None and config.cost_floor is not None:
        raise InputError(
            f"`cost_floor={config.cost_floor:g}` is a share of a target; give one, "
            "such as `cost_target=300M`, or leave it out"
        )
    if config.cost_weight is None:
        usual = config.cost_weight_rate or COST_WEIGHT_RATE
        return config.filled(cost_weight_rate=usual)
    if config.cost_weight_rate is not None:
        raise InputError(
            "`cost_weight_rate` is that of a multiplier which adapts, and "
            f"`cost_weight={config.cost_weight:g}` is fixed; leave out one of both"
        )
    return config


def cost_targets(config: SearchConfig) -> tuple[float, ...] | None:
    """Returns the target of each of `config.cost` as a number; None without.

    Raises:
      InputError: there are more or fewer targets than costs, or one is not a
        number above 0 with the unit k, M or G or without any; of latency, which
        is in milliseconds, with the unit us, ms or s.
    """
    if config.cost_target is None:
        return None
    texts = [text.strip() for text in config.cost_target.split(",")]
    if len(texts) != len(config.cost):
        raise InputError(
            f"`cost_target={config.cost_target}` must have one target for each of "
            f"`cost={','.join(config.cost)}`, {len(config.cost)} in all; received "
            f"{len(texts)}"
        )
    return tuple(map(parse_cost, texts, config.cost))


def parse_cost(text: str, cost: str, name: str = "cost_target") -> float:
    """Returns a cost that is given with a unit as a number; latency in milliseconds.

    Args:
      text: the cost, such as 300M or 8ms.
      cost: its name, one of config.Cost.
      name: of the argument, for the message.

    Raises:
      InputError: it is no number above 0 with one of the cost's units.
    """
    number = r"(\d+\.?\d*|\.\d+)(?:[eE]\+?(\d{1,2}))?"
    units = TIME_UNITS if cost == "latency" else UNITS
    matched = re.fullmatch(rf"{number} ?({'|'.join(units)})", text)
    digits, exponent, unit = matched.groups() if matched else ("0", None, "")
    value = float(digits) * 10.0 ** int(exponent or 0) * units.get(unit, 0.0)
    if value <= 0 and units is TIME_UNITS:
        raise InputError(
            f"`{name}={text}` of the cost latency must be a number above 0 with "
            "the unit us, ms or s, such as 8ms, 300us or 0.5s"
        )
    if value <= 0:
        raise InputError(
            f"`{name}={text}` must be a number above 0, with the unit k, M or G "
            "(thousand, million, thousand million) or without any, such as 300M, "
            "2.5G or 300000000"
        )
    return value


@dataclasses.dataclass(frozen=True)
class SearchStage:
    """A stage of a progressive search (strategy/darts/staged_search.py).

    Attributes:
      epochs: passes over the training data.
      layers: cells of the network.
      operations: candidates of each edge.
      partial_channels: K.
    """

    epochs: int
    layers: int
    operations: int
    partial_channels: int


def search_stages(config: SearchConfig) -> tuple[SearchStage, ...]:
    """Returns the stages of a search; () for a search without.

    Raises:
      InputError: a stage that is not three or four numbers of at least 1.
    """
    return tuple(_stage(text, config.partial_channels) for text in config.stages)


def _stage(text: str, partial_channels: int) -> SearchStage:
    numbers = [int(n) if re.fullmatch(r"\d{1,6}", n) else 0 for n in text.split(":")]
    if len(numbers) not in (3, 4) or min(numbers) < 1:
        raise InputError(
            f"`stages={text}` must be epochs:layers:operations, or "
            "epochs:layers:operations:partial_channels, numbers of at least 1, such "
            "as 25:11:5"
        )
    return SearchStage(*[*numbers, partial_channels][:4])


def _settle_stages(config: SearchConfig) -> SearchConfig:
    """Fills in the epochs of all stages, and the first one's network."""
    stages = search_stages(config)
    if not stages:
        return config
    first, values = stages[0], f"`stages={','.join(config.stages)}`"
    usual = {
        "epochs": sum(stage.epochs for stage in stages),
        "layers": first.layers,
        "partial_channels": first.partial_channels,
    }
    for name, value in usual.items():
        if name in config.given and getattr(config, name) != value:
            what = "epochs in all" if name == "epochs" else f"{name} at first"
            raise InputError(
                f"{values} has {value} {what}, and `{name}={getattr(config, name)}`; "
                f"leave out `{name}`"
            )
    _check_stages(config, stages, values)
    return config.filled(**usual)


def _check_stages(
    config: SearchConfig, stages: tuple[SearchStage, ...], values: str
) -> None:
    """Refuses stages that cannot follow each other."""
    candidates = space_by_name(config.space).cells[0].alpha_shape[1]
    pairs = list(zip(stages, stages[1:], strict=False))
    groups = [stage.partial_channels for stage in stages]
    checks = {
        "has one stage, which is a search without stages: give at least two, or leave "
        "it out": len(stages) == 1,
        f"must begin with all {candidates} candidates of `space={config.space}`": (
            stages[0].operations != candidates
        ),
        "must not have more operations in a stage than in the one before": any(
            a.operations < b.operations for a, b in pairs
        ),
        "must keep at least 2 operations in each stage: with 1 nothing is searched": (
            stages[-1].operations < 2
        ),
        "must not have fewer layers in a stage than in the one before": any(
            a.layers > b.layers for a, b in pairs
        ),
        "must have at least 3 layers": stages[0].layers < 3,
        "must have partial channels above 1 in all stages, or in none: edges have "
        "weights of their own with them alone": min(groups) == 1 < max(groups),
        f"needs `channels` divisible by its partial channels; `channels="
        f"{config.channels}` is not": any(config.channels % k for k in groups),
        f"does not go with `warmup_epochs={config.warmup_epochs}`, the first epochs of "
        "each stage: give fewer than a stage has": (
            min(stage.epochs for stage in stages) <= config.warmup_epochs
        ),
        f"does not go with `early_stop={config.early_stop}`, which would go back over "
        "stages: leave out one of both": config.early_stop != "none",
    }
    for reason, refused in checks.items():
        if refused:
            raise InputError(f"{values} {reason}")
    if config.space == nasbench201.SPACE.name:
        for stage in stages:
            nasbench201.cells_a_stage(stage.layers)


def recipe_values(config: SearchConfig) -> dict[str, object]:
    """Returns what a search's recipe sets: names that were not given, and values."""
    recipe = dict(RECIPES.get(config.recipe, {}))
    if not recipe:
        return {}
    epochs = min([config.epochs, *(stage.epochs for stage in search_stages(config))])
    recipe["warmup_epochs"] = round(epochs * recipe["warmup_epochs"])
    if "alpha_regularizer" in config.given or config.relaxation in PENALTY_OF:
        for name in ("alpha_regularizer", *ALPHA_REGULARIZER_NAMES):
            recipe.pop(name, None)
    return {name: v for name, v in recipe.items() if name not in config.given}


def _settle_recipe(config: SearchConfig) -> SearchConfig:
    if config.recipe != "none" and config.optimization != BILEVEL:
        raise InputError(
            f"`recipe={config.recipe}` is for searches with alpha on data of its own, "
            f"and this has `optimization={config.optimization}`; leave out one of both"
        )
    return config.filled(**recipe_values(config))


def _check_latency_table(config: SearchConfig, costs: Iterable[str]) -> None:
    listed = ",".join(costs)
    said = f"`cost={listed}`" if config.cost else f"the cost {listed}"
    if "latency" in costs and config.latency_table is None:
        raise InputError(
            f"{said} needs measured times; give `latency_table=FILE`, which "
            "train.latency writes"
        )
    if "latency" not in costs and config.latency_table is not None:
        raise InputError(
            f"`latency_table={config.latency_table}` means nothing with "
            f"{said}; leave it out, or give `cost=latency` or `objectives=accuracy,"
            "latency`"
        )


def _check_relaxation(config: SearchConfig) -> None:
    changed = [name for name in LAMBDA_NAMES if _differs(config, name)]
    if config.lambda_regularizer == "none" and changed:
        raise InputError(
            "`lambda_strength`, `lambda_gradient`, `lambda_epsilon` and "
            "`lambda_cells` mean nothing without `lambda_regularizer=cosine` or "
            "sign, or `strategy=lambda_darts`"
        )
    if config.lambda_gradient == "exact" and "lambda_epsilon" in changed:
        raise InputError(
            "`lambda_epsilon` is the length of a difference, and "
            "`lambda_gradient=exact` takes none; leave out one of both"
        )
    if config.warmup_epochs >= config.epochs:
        raise InputError(
            "`warmup_epochs` must be below `epochs`, or alpha never learns; "
            f"received {config.warmup_epochs} and {config.epochs}"
        )
    for name, rules in EARLY_STOP_NAMES.items():
        if getattr(config, name) is not None and config.early_stop not in rules:
            raise InputError(
                f"`{name}` means something with `early_stop={rules[0]}`"
                f"{' or ' + rules[1] if rules[1:] else ''} only; leave it out"
            )


def _check_schedule(config: ImageConfig) -> None:
    if "schedule" in inapplicable(config):
        return
    changed = _differs(config, "learning_rate_decay")
    if changed and config.schedule != "exponential":
        raise InputError(
            "`learning_rate_decay` means something with `schedule=exponential` "
            "only; leave it out"
        )
    if config.learning_rate_warmup >= config.epochs:
        raise InputError(
            "`learning_rate_warmup` must be below `epochs`; received "
            f"{config.learning_rate_warmup} and {config.epochs}"
        )


def _check_budget(config: SearchConfig) -> None:
    budget = config.budget_evaluations, config.budget_seconds
    if min(budget) < 0 or not any(budget):
        raise InputError(
            f"`strategy={config.strategy}` goes on until its budget is spent, and "
            "it has none; give `budget_evaluations` or `budget_seconds` above 0, "
            "for example `budget_evaluations=200`"
        )
    name = f"{config.strategy}_population"
    if name not in STRATEGY_NAMES[config.strategy] or not config.budget_evaluations:
        return
    population = getattr(config, name)
    if population >= config.budget_evaluations:
        raise InputError(
            f"`{name}={population}` random genotypes come first, and "
            f"`budget_evaluations={config.budget_evaluations}` leaves nothing to "
            "evolve; give a smaller population"
        )


def _check_objectives(config: SearchConfig) -> None:
    """Refuses objectives that make no front."""
    chosen = config.objectives
    if not chosen:
        return
    example = f"such as `objectives={ACCURACY},{names(Cost)[0]}`"
    said = f"`objectives={','.join(chosen)}`"
    if len({*chosen}) < len(chosen):
        raise InputError(f"{said} names one twice; give each once, {example}")
    if ACCURACY not in chosen:
        raise InputError(
            f"{said}: costs alone need no search, since they are counted; add "
            f"{ACCURACY}, {example}"
        )
    if len(chosen) < 2:
        raise InputError(
            f"{said}: one objective has no front; add a cost, {example}, or give "
            "another strategy, such as `strategy=evolution`"
        )


def _check_estimator(config: SearchConfig) -> None:
    name = config.estimator
    needed = name == "one_shot" or (
        name == "inherit" and config.inherit_from == "supernet"
    )
    if needed and not config.supernet:
        raise InputError(
            f"`estimator={name}` needs a trained supernet: give "
            "`supernet=WORKDIR` of a search, for example one with "
            "`strategy=random_weight_sharing`"
        )
    if name == "inherit" and config.parents and needed:
        raise InputError(
            f"`parents={config.parents}` means nothing with "
            f"`inherit_from={config.inherit_from}`; give `inherit_from=parent`"
        )
    if config.strategy == "asha":
        _check_rungs(config)
    if name == "low_fidelity":
        _check_fidelity(config)
    if name == "learning_curve":
        _check_curve(config)


def rung_epochs(config: SearchConfig) -> tuple[int, ...]:
    """Returns the epochs of a training on each rung of strategy=asha; else ().

    The last rung has all epochs, those of low_fidelity's trainings; each one below has
    1/eta of them, rounded down.
    """
    if config.strategy != "asha":
        return ()
    less = less_fidelity(config) if config.estimator == "low_fidelity" else {}
    epochs, eta = less.get("epochs", config.epochs), config.asha_reduction
    return tuple(epochs // eta**n for n in reversed(range(config.asha_rungs)))


def _check_rungs(config: SearchConfig) -> None:
    if config.estimator not in ON_RUNGS:
        raise InputError(
            f"`strategy=asha` trains genotypes for more and more epochs, which "
            f"`estimator={config.estimator}` does not; give `estimator="
            f"{ON_RUNGS[0]}` or {ON_RUNGS[1]}"
        )
    epochs = rung_epochs(config)
    if not epochs[0]:
        least = config.asha_reduction ** (config.asha_rungs - 1)
        raise InputError(
            f"`asha_rungs={config.asha_rungs}` with `asha_reduction="
            f"{config.asha_reduction}` needs at least {least} epochs for one on the "
            f"lowest rung, and a training has {epochs[-1]}; give fewer rungs or more "
            "epochs"
        )


def less_fidelity(config: SearchConfig) -> dict[str, int]:
    """Returns what --estimator=low_fidelity changes, by the full name."""
    values = {name: getattr(config, f"fidelity_{name}") for name in FIDELITY}
    return {name: value for name, value in values.items() if value is not None}


def _check_fidelity(config: SearchConfig) -> None:
    less = less_fidelity(config)
    # 0 examples and no image size stand for all that there is.
    full = {name: getattr(config, name) or float("inf") for name in less}
    for name, value in less.items():
        if value > full[name]:
            raise InputError(
                f"`fidelity_{name}={value}` is more than the full "
                f"`{name}={full[name]}`; give less"
            )
    if all(value == full[name] for name, value in less.items()):
        others = ", ".join(f"`fidelity_{name}`" for name in FIDELITY[1:])
        raise InputError(
            "`estimator=low_fidelity` with nothing reduced is `estimator=full`; "
            f"give fewer `fidelity_epochs` or less by another of {others}"
        )


def _check_curve(config: SearchConfig) -> None:
    if config.curve_epochs is None or config.curve_epochs >= config.epochs:
        raise InputError(
            "`estimator=learning_curve` trains the first `curve_epochs` of "
            f"`epochs={config.epochs}` and extrapolates the rest; received "
            f"`curve_epochs={config.curve_epochs}`: give at least 2 and fewer than "
            "`epochs`"
        )


def _settle_derivation(config: DerivationConfig) -> DerivationConfig:
    check_space_name("space", config.space)
    magnitude = config.method == "magnitude"
    for name in PERTURBATION_NAMES if magnitude else MAGNITUDE_NAMES:
        if name in config.given:
            raise InputError(
                f"`{name}` means nothing with `method={config.method}`; leave it out"
            )
    if config.genotype is not None and config.random is not None:
        raise InputError("`genotype` and `random` exclude each other; give one of them")
    for name in TABLE_SIZES:
        if getattr(config, name) is not None and config.latency_table is None:
            raise InputError(
                f"`{name}` means nothing without `latency_table`; leave it out"
            )
    return config


def _check_cells_per_search(config: ExperimentConfig) -> None:
    """Refuses several likely cells without a search, and beside cost targets."""
    given = f"`cells_per_search={config.cells_per_search}`"
    if config.random_genotypes is not None:
        raise InputError(
            f"{given} are the most likely cells of a search's alpha, and "
            f"`random_genotypes={config.random_genotypes}` has no search; leave it out "
            "and raise `search_seeds`"
        )
    if config.cost_targets is not None:
        raise InputError(
            f"{given} chooses among cells whose cost no search has held to "
            f"`cost_targets={','.join(config.cost_targets)}`; leave out one of both"
        )


def _settle_experiment(config: ExperimentConfig) -> ExperimentConfig:
    if (config.search_flags is None) == (config.random_genotypes is None):
        raise InputError(
            "give either `search_flags=FILE`, the flagfile of the searches, or "
            "`random_genotypes=SPACE`, for no search"
        )
    if config.random_genotypes is not None:
        check_space_name("random_genotypes", config.random_genotypes)
    if config.cost_targets is not None:
        config = _settle_cost_targets(config)
    if config.cost_targets is not None and config.selection_rungs > 1:
        raise InputError(
            f"`cost_targets={','.join(config.cost_targets)}` selects a cell for each "
            f"target, and `selection_rungs={config.selection_rungs}` one of all; leave "
            "out one of both"
        )
    if config.cells_per_search > 1:
        _check_cells_per_search(config)
    if config.selection_rungs > 1 and config.snapshots:
        raise InputError(
            f"`snapshots={config.snapshots}` are short trainings of all epochs, and "
            f"`selection_rungs={config.selection_rungs}` ends most of them early; "
            "leave out one of both"
        )
    if config.selection_rungs == 1 and "selection_reduction" in config.given:
        raise InputError(
            "`selection_reduction` means nothing with `selection_rungs=1`; leave it out"
        )
    if config.task is not None and config.stage in (None, "report"):
        stages = [stage for stage in names(Stage) if stage != "report"]
        raise InputError(
            f"`task` means something with `stage={stages[0]}` or "
            f"{' or '.join(stages[1:])} only; leave it out"
        )
    return config


def _settle_cost_targets(config: ExperimentConfig) -> ExperimentConfig:
    """Strips and checks the targets, whose texts are names of folders."""
    texts = tuple(text.strip() for text in config.cost_targets or ())
    if not texts:
        raise InputError("`cost_targets` must be targets such as 40M,80M")
    if config.random_genotypes is not None:
        raise InputError(
            f"`cost_targets={','.join(texts)}` are of searches, and "
            f"`random_genotypes={config.random_genotypes}` makes none; leave out one "
            "of both"
        )
    return config.filled(cost_targets=texts)


def _settle_comparison(config: ComparisonConfig) -> ComparisonConfig:
    if not config.experiments and config.published == "none":
        raise InputError(
            "`experiments` names no folder; give those of experiments, searches or "
            "evaluations, such as `experiments=runs/a,runs/b`"
        )
    if config.front is not None and len({*config.front}) != 2:
        raise InputError(
            f"`front={','.join(config.front)}` must be two different ones of "
            f"{ACCURACY} and the costs, such as `front={ACCURACY},{names(Cost)[0]}`"
        )
    return config


def _settle_export(config: ExportConfig) -> ExportConfig:
    if config.quantize != "none" and config.format != "litert":
        raise InputError(
            f"`quantize={config.quantize}` means nothing with "
            f"`format={config.format}`; leave it out, or give `format=litert`"
        )
    return config


def _settle_latency(config: LatencyConfig) -> LatencyConfig:
    """Fills in the sizes of train.evaluate's networks."""
    check_space_name("space", config.space)
    if is_text(config.space):
        raise InputError(
            f"`space={config.space}`: all cells of this space compute as much; give a "
            "space for images"
        )
    if config.network != "cifar" and config.space == nasbench201.SPACE.name:
        raise InputError(
            f"`network={config.network}` means nothing with `space={config.space}`; "
            "leave it out"
        )
    chains = is_chain(config.space)
    for name in ("channels", "layers", "network") if chains else ("width_multiplier",):
        if _differs(config, name):
            raise InputError(
                f"`{name}` means nothing with `space={config.space}`"
                f"{CHAIN_REASONS.get(name, '') if chains else ''}; leave it out"
            )
    for name in ("models", "quantize") if config.runtime != "litert" else ():
        if _differs(config, name):
            raise InputError(
                f"`{name}={getattr(config, name)}` means nothing with "
                f"`runtime={config.runtime}`; leave out one of both"
            )
    if chains:
        return config
    usual = settle(TrainingConfig(space=config.space))
    sizes = {n: getattr(usual, n) for n in ("channels", "layers")}
    config = config.filled(
        **{n: v for n, v in sizes.items() if getattr(config, n) is None}
    )
    if config.space == nasbench201.SPACE.name:
        nasbench201.cells_a_stage(config.layers or 0)
    return config
