"""How a search looks; and which flags mean nothing then.

Whom it asks is in estimator_flags.py.
"""

from __future__ import annotations

from absl import flags

from darts_tf.cli import estimator_flags, recipe_flags, search_flags
from darts_tf.errors import InputError
from darts_tf.space import recurrent

RELAXED = ("darts", "lambda_darts")
"""Strategies that descend on alpha and ask nobody."""

SHARING = "random_weight_sharing"
SHARING_FLAGS = ("final_evaluations", "measured_batches")
"""A strategy that descends on w alone and asks its own supernet."""

OWN_FLAGS = {
    "random": (),
    "evolution": ("evolution_population", "evolution_sample"),
    "reinforce": ("reinforce_learning_rate", "reinforce_baseline"),
    "bayesian": ("bayesian_startup",),
}
"""Of the strategies that ask an estimator, what they alone have."""

STRATEGIES = (*RELAXED, SHARING, *OWN_FLAGS)
BUDGET_FLAGS = ("budget_evaluations", "budget_seconds")
TRAINING_FLAGS = (
    "network",
    "auxiliary_weight",
    "drop_path",
    "valid_fraction",
    "patience",
    *recipe_flags.RECIPE_FLAGS,
)
"""Of an evaluation; a search needs them where its estimator trains."""

ALWAYS = (
    "workdir",
    "space",
    "seed",
    "deterministic",
    "strategy",
    *BUDGET_FLAGS,
)
"""What a search that asks an estimator reads, whichever that is."""

SHARED_WITH_SHARING = (
    "learning_rate_min",
    "train_portion",
    "micro_batches",
    "recompute",
)
"""What weight sharing has in common with descent on alpha."""

RELAXATION_MODULE = search_flags.__name__
"""Whose flags all belong to descent on alpha."""

_integer, _float = flags.DEFINE_integer, flags.DEFINE_float


def define_strategy() -> None:
    """The strategy, the estimator, the budget."""
    flags.DEFINE_enum(
        "strategy",
        "darts",
        STRATEGIES,
        "how to look. darts: descent on alpha (--method); lambda_darts: the "
        "same with --lambda_regularizer=cosine unless given; "
        "random_weight_sharing: steps on w with random genotypes, of which "
        "--final_evaluations more are ranked by it at the end (Li and "
        "Talwalkar 2019; images). The others ask the --estimator for the "
        "worth of one genotype after another, until the budget is spent: "
        "random; evolution: regularised (Real et al. 2019); reinforce: a "
        "controller's policy gradient (Zoph and Le 2017); bayesian: Optuna's "
        "TPE (Bergstra et al. 2011)",
    )
    estimator_flags.define_estimator()
    _integer(
        "budget_evaluations",
        0,
        "genotypes that are evaluated; may be raised when the run is resumed",
    )
    _float(
        "budget_seconds",
        0,
        "seconds of the search over all its starts; "
        "the evaluation in which they end is finished; may be raised when "
        "the run is resumed",
    )
    _integer(
        "evolution_population",
        10,
        "genotypes that live, and random "
        "ones at the start (Real et al. 2019, for 20,000 evaluations: "
        "100)",
        lower_bound=1,
    )
    _integer(
        "evolution_sample",
        3,
        "of the population, whose best is the parent (Real et al. 2019: 25)",
        lower_bound=1,
    )
    _float(
        "reinforce_learning_rate",
        0.01,
        "of Adam on the controller's logits",
        lower_bound=1e-9,
    )
    _float(
        "reinforce_baseline",
        0.9,
        "share of the moving average of worths that stays at each step",
        lower_bound=0,
        upper_bound=0.999,
    )
    _integer(
        "final_evaluations",
        1000,
        "random_weight_sharing: genotypes that are ranked at the end",
        lower_bound=1,
    )
    _integer(
        "bayesian_startup",
        10,
        "random genotypes before the model is asked",
        lower_bound=1,
    )


def foreign(parsed: flags.FlagValues) -> dict[str, str]:
    """What means nothing with the strategy given: why, by the flag's name."""
    if "strategy" not in parsed:
        return {}
    modules = parsed.flags_by_module_dict()
    named = {m: {f.name for f in found} for m, found in modules.items()}
    if parsed.strategy in OWN_FLAGS:
        return _foreign_to_asking(parsed, named)
    unread = named[__name__] | named[estimator_flags.__name__]
    unread = (unread | {*TRAINING_FLAGS}) - {"strategy"}
    if parsed.strategy == SHARING:
        unread |= named[RELAXATION_MODULE]
        unread -= {*SHARING_FLAGS, *SHARED_WITH_SHARING}
    found = dict.fromkeys(unread, f"--strategy={parsed.strategy}")
    return search_flags.foreign(parsed) | found


def _foreign_to_asking(parsed, named: dict[str, set[str]]) -> dict[str, str]:
    """Of a strategy that asks an estimator; `named` are flags by module."""
    own = OWN_FLAGS[parsed.strategy]
    others = {n for names in OWN_FLAGS.values() for n in names} - {*own}
    unread = named[RELAXATION_MODULE] | others | {"final_evaluations"}
    every = {
        n
        for module, names in named.items()
        for n in names
        if module.startswith(f"{__package__}.")
    }
    needed = (*ALWAYS, *own)
    return estimator_flags.foreign(parsed, every, needed) | dict.fromkeys(
        unread, f"--strategy={parsed.strategy}"
    )


def check_strategy(parsed: flags.FlagValues) -> None:
    """Takes up the strategy's own defaults, refuses what cannot be.

    Raises:
      InputError: a flag was given that means nothing with the strategy, or
        its budget is missing.
    """
    for name, why in foreign(parsed).items():
        if parsed[name].present:
            raise InputError(f"--{name} means nothing with {why}; leave it out")
    if parsed.strategy == SHARING and parsed.space == recurrent.SPACE.name:
        raise InputError(
            f"--strategy={SHARING} is built for images; with --space="
            f"{parsed.space} give --strategy=darts, or one that asks, such "
            f"as --strategy=random"
        )
    if parsed.strategy == "lambda_darts":
        _check_lambda(parsed)
    if parsed.strategy in RELAXED:
        search_flags.check_optimization(parsed)
    if parsed.strategy in OWN_FLAGS:
        _check_budget(parsed)
        estimator_flags.check_estimator(parsed)


def _check_lambda(parsed: flags.FlagValues) -> None:
    if not parsed["lambda_regularizer"].present:
        parsed.set_default("lambda_regularizer", "cosine")
    if parsed.lambda_regularizer == "none":
        raise InputError(
            "--strategy=lambda_darts without a regularizer is "
            "--strategy=darts; leave out --lambda_regularizer=none"
        )


def _check_budget(parsed: flags.FlagValues) -> None:
    given = {name: parsed[name].value for name in BUDGET_FLAGS}
    if min(given.values()) < 0 or not any(given.values()):
        raise InputError(
            f"--strategy={parsed.strategy} goes on until its budget is "
            f"spent, and it has none; give --budget_evaluations or "
            f"--budget_seconds above 0, for example --budget_evaluations=200"
        )
    if parsed.strategy != "evolution" or not parsed.budget_evaluations:
        return
    if parsed.evolution_population >= parsed.budget_evaluations:
        raise InputError(
            f"--evolution_population={parsed.evolution_population} random "
            f"genotypes come first, and --budget_evaluations="
            f"{parsed.budget_evaluations} leaves nothing to evolve; give a "
            f"smaller population"
        )
