"""How a search looks and whom it asks; and which flags mean nothing then."""

from __future__ import annotations

from absl import flags

from darts_tf.errors import InputError
from darts_tf.run import recipe_flags, search_flags

RELAXED = ("darts", "lambda_darts")
"""Strategies that descend on alpha and ask nobody."""

OWN_FLAGS = {
    "random": (),
    "evolution": ("evolution_population", "evolution_sample"),
    "reinforce": ("reinforce_learning_rate", "reinforce_baseline"),
    "bayesian": ("bayesian_startup",),
}
"""Of the strategies that ask an estimator, what they alone have."""

STRATEGIES = (*RELAXED, *OWN_FLAGS)
ESTIMATORS = ("full", "table")
BUDGET_FLAGS = ("budget_evaluations", "budget_seconds")
TRAINING_FLAGS = (
    "network", "auxiliary_weight", "drop_path", "valid_fraction", "patience",
    *recipe_flags.RECIPE_FLAGS,
)  # fmt: skip
"""Of an evaluation; a search needs them with --estimator=full alone."""

TABLE_NEEDS = (
    "workdir", "space", "nasbench201_table", "seed", "deterministic",
    "strategy", "estimator", *BUDGET_FLAGS,
)  # fmt: skip
"""All that a search with --estimator=table reads, and its own."""

RELAXATION_MODULE = search_flags.__name__
"""Whose flags all belong to descent on alpha."""

_integer, _float = flags.DEFINE_integer, flags.DEFINE_float


def define_strategy() -> None:
    """The strategy, the estimator, the budget."""
    flags.DEFINE_enum(
        "strategy", "darts", STRATEGIES,
        "how to look. darts: descent on alpha (--method); lambda_darts: the "
        "same with --lambda_regularizer=cosine unless given. The others ask "
        "the --estimator for the worth of one genotype after another, until "
        "the budget is spent: random; evolution: regularised (Real et al. "
        "2019); reinforce: a controller's policy gradient (Zoph and Le 2017); "
        "bayesian: Optuna's TPE (Bergstra et al. 2011)",
    )  # fmt: skip
    flags.DEFINE_enum(
        "estimator", "full", ESTIMATORS,
        "what a genotype is worth. full: its network is trained from scratch "
        "as train.evaluate does it, by the flags of this search, and "
        "measured on the held out part of the training data; table: "
        "nasbench201 only, CIFAR-10 validation accuracy after 12 epochs, of "
        "--nasbench201_table",
    )  # fmt: skip
    _integer("budget_evaluations", 0, "genotypes that are evaluated; may be "
             "raised when the run is resumed")  # fmt: skip
    _float("budget_seconds", 0, "seconds of the search over all its starts; "
           "the evaluation in which they end is finished; may be raised when "
           "the run is resumed")  # fmt: skip
    _integer("evolution_population", 10, "genotypes that live, and random "
             "ones at the start (Real et al. 2019, for 20,000 evaluations: "
             "100)", lower_bound=1)  # fmt: skip
    _integer("evolution_sample", 3, "of the population, whose best is the "
             "parent (Real et al. 2019: 25)", lower_bound=1)  # fmt: skip
    _float("reinforce_learning_rate", 0.01, "of Adam on the controller's "
           "logits", lower_bound=1e-9)  # fmt: skip
    _float("reinforce_baseline", 0.9, "share of the moving average of worths "
           "that stays at each step", lower_bound=0, upper_bound=0.999)
    _integer("bayesian_startup", 10, "random genotypes before the model is "
             "asked", lower_bound=1)  # fmt: skip


def foreign(parsed: flags.FlagValues) -> dict[str, str]:
    """What means nothing with the strategy given: why, by the flag's name."""
    if "strategy" not in parsed:
        return {}
    modules = parsed.flags_by_module_dict()
    by_strategy = f"--strategy={parsed.strategy}"
    if parsed.strategy in RELAXED:
        own = {flag.name for flag in modules[__name__]} - {"strategy"}
        found = dict.fromkeys((*own, *TRAINING_FLAGS), by_strategy)
        return found | search_flags.foreign(parsed)
    found = {f.name: by_strategy for f in modules[RELAXATION_MODULE]}
    for strategy, names in OWN_FLAGS.items():
        if strategy != parsed.strategy:
            found |= dict.fromkeys(names, by_strategy)
    if parsed.estimator == "table":
        every = {f.name for name in modules for f in modules[name]
                 if name.startswith(f"{__package__}.")}  # fmt: skip
        needed = (*TABLE_NEEDS, *OWN_FLAGS[parsed.strategy])
        unread = every - {*needed} - found.keys()
        found |= dict.fromkeys(unread, "--estimator=table")
    return found


def check_strategy(parsed: flags.FlagValues) -> None:
    """Takes up the strategy's own defaults, refuses what cannot be.

    Raises:
      InputError: a flag was given that means nothing with the strategy, or
        its budget is missing.
    """
    for name, why in foreign(parsed).items():
        if parsed[name].present:
            raise InputError(f"--{name} means nothing with {why}; leave it "
                             "out")  # fmt: skip
    if parsed.strategy == "lambda_darts":
        _check_lambda(parsed)
    if parsed.strategy in RELAXED:
        search_flags.check_optimization(parsed)
    else:
        _check_budget(parsed)


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
