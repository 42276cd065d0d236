"""Rules of settings that go together, given as flags or as arguments."""

from __future__ import annotations

import pytest
from absl import flags

from darts_tf import config as configs
from darts_tf.cli import entry_point
from darts_tf.cli import flags as config_flags
from darts_tf.config import (
    RECIPES,
    DerivationConfig,
    SearchConfig,
    TrainingConfig,
)
from darts_tf.config_rules import (
    MAGNITUDE_NAMES,
    PERTURBATION_NAMES,
    TABLE_SIZES,
    applicable,
    cost_targets,
    counted_costs,
    rung_epochs,
    search_stages,
    settle,
)
from darts_tf.errors import InputError
from darts_tf.programs.search import recipe_line


def settled(*given: str, kind: type[configs.Config] = SearchConfig):
    """Returns the settled config of these flags."""
    values = flags.FlagValues()
    config_flags.define(kind, into=values)
    values(["program", *given])
    return settle(config_flags.parsed_config(kind, values))


ASKING = ("--strategy=random", "--budget_evaluations=3")
NSGA2 = ("--strategy=nsga2", "--budget_evaluations=30")
NB201 = "--space=nasbench201"
CHAIN = "--space=mobile_chain"
LATENCY = ("--cost=latency", "--latency_table=t.csv")
REFUSED = [
    ((CHAIN, "--layers=8"), "--layers", "how many of its layers are skipped"),
    ((CHAIN, "--channels=8"), "--channels", "--width_multiplier"),
    ((CHAIN, "--lambda_regularizer=cosine"), "--lambda_regularizer", "has its own"),
    ((CHAIN, "--strategy=lambda_darts"), "--strategy=lambda_darts", "has its own"),
    ((CHAIN, "--relaxation=gumbel"), "--relaxation=gumbel", "give another one"),
    ((CHAIN, "--early_stop=skip_connections"), "--early_stop", "its depth"),
    ((CHAIN, "--instruments=alignment"), "--instruments=alignment", "leave it out"),
    ((CHAIN, "--partial_channels=4"), "--partial_channels", "leave it out"),
    (
        (CHAIN, *ASKING, "--estimator=inherit", "--inherit_from=parent"),
        "--estimator=inherit",
        "edges of cells",
    ),
    (("--width_multiplier=0.5",), "--width_multiplier", "--space=darts_conv"),
    (
        ("--strategy=random", "--estimator=one_shot", "--supernet=y"),
        "budget",
        "above 0",
    ),
    ((*ASKING, "--budget_evaluations=0"), "budget", "above 0"),
    (("--shuffle_rounds=5",), "--shuffle_rounds=5", "must be even; give 6"),
    (("--stages=2:3:8",), "--stages=2:3:8", "a search without stages"),
    (("--stages=2:3:8,x:3:4",), "--stages=x:3:4", "must be epochs:layers:operations"),
    (("--stages=2:3:8,2:3",), "--stages=2:3", "numbers of at least 1"),
    (("--stages=2:3:8,0:3:4",), "--stages=0:3:4", "numbers of at least 1"),
    (("--stages=2:3:9,2:3:4",), "--stages=2:3:9,2:3:4", "all 8 candidates"),
    (("--stages=2:3:8,2:3:4,2:3:5",), "--stages", "more operations"),
    (("--stages=2:3:8,2:3:1",), "--stages", "at least 2 operations"),
    (("--stages=2:5:8,2:4:4",), "--stages", "fewer layers"),
    (("--stages=2:2:8,2:4:4",), "--stages", "at least 3 layers"),
    (("--stages=2:3:8:4,2:3:4:1",), "--stages", "in all stages, or in none"),
    (("--stages=2:3:8:3,2:3:4:2",), "--stages", "--channels=16 is not"),
    (("--stages=2:3:8,2:3:4", "--epochs=5"), "--epochs=5", "4 epochs in all"),
    (("--stages=2:3:8,2:3:4", "--layers=4"), "--layers=4", "3 layers at first"),
    (("--stages=2:3:8,2:3:4", "--warmup_epochs=2"), "--warmup_epochs=2", "fewer"),
    (
        ("--stages=2:3:8,2:3:4", "--early_stop=eigenvalue"),
        "--early_stop=eigenvalue",
        "leave out one of both",
    ),
    (("--stages=2:3:5,2:4:4", NB201), "layers=4", "a multiple of 3"),
    (
        ("--stages=2:3:5,2:3:2", "--space=darts_recurrent"),
        "--stages",
        "darts_recurrent",
    ),
    ((*ASKING, "--stages=2:3:8,2:3:4"), "--stages", "--strategy=random"),
    (("--stages=2:3:7,2:3:4", "--space=mobile_chain"), "--stages", "mobile_chain"),
    (
        ("--recipe=robust", "--optimization=joint_alternating"),
        "--optimization=joint_alternating",
        "leave out one of both",
    ),
    (
        ("--recipe=robust", "--space=darts_recurrent"),
        "--recipe",
        "measured on cells for images alone",
    ),
    ((*ASKING, "--strategy=asha", "--asha_rungs=1"), "--asha_rungs=1", "at least 2"),
    (
        (*ASKING, "--strategy=asha", "--epochs=15"),
        "--asha_rungs=3",
        "needs at least 16 epochs",
    ),
    (
        (*ASKING, "--strategy=asha", "--estimator=learning_curve", "--curve_epochs=9"),
        "--estimator=full",
        "more and more epochs",
    ),
    ((*ASKING, "--asha_rungs=2"), "--asha_rungs", "--strategy=random"),
    ((*ASKING, "--estimator=one_shot"), "--supernet=WORKDIR", "needs"),
    ((*ASKING, "--estimator=inherit"), "--supernet=WORKDIR", "needs"),
    (
        (*ASKING, "--estimator=inherit", "--supernet=y", "--parents=z"),
        "--parents=z",
        "give --inherit_from=parent",
    ),
    ((*ASKING, "--supernet=y"), "--supernet", "--estimator=full"),
    ((*ASKING, "--estimator=low_fidelity"), "nothing reduced", "--fidelity_"),
    (
        (*ASKING, "--estimator=low_fidelity", "--epochs=5", "--fidelity_epochs=5"),
        "nothing reduced",
        "--fidelity_",
    ),
    (
        (*ASKING, "--estimator=low_fidelity", "--epochs=5", "--fidelity_epochs=6"),
        "--fidelity_epochs=6",
        "give less",
    ),
    (
        (*ASKING, "--estimator=low_fidelity", NB201, "--fidelity_channels=17"),
        "--fidelity_channels=17",
        "--channels=16",
    ),
    ((*ASKING, "--fidelity_epochs=1"), "--fidelity_epochs", "--estimator=full"),
    (
        (
            *ASKING,
            "--estimator=low_fidelity",
            "--space=darts_recurrent",
            "--fidelity_channels=2",
        ),
        "--fidelity_channels",
        "darts_recurrent",
    ),
    (
        (*ASKING, "--estimator=learning_curve"),
        "--curve_epochs=None",
        "fewer than --epochs",
    ),
    (
        (*ASKING, "--estimator=learning_curve", "--epochs=4", "--curve_epochs=4"),
        "--curve_epochs=4",
        "fewer than --epochs",
    ),
    (
        (*ASKING, "--estimator=table", NB201, "--curve_epochs=3"),
        "--curve_epochs",
        "--estimator=table",
    ),
    (
        (*ASKING, "--estimator=one_shot", "--supernet=y", "--dataset=digits"),
        "--dataset",
        "--estimator=one_shot",
    ),
    (
        (*ASKING, "--estimator=one_shot", "--supernet=y", "--epochs=3"),
        "--epochs",
        "--estimator=one_shot",
    ),
    ((*ASKING, "--final_evaluations=3"), "--final_evaluations", "--strategy=random"),
    ((*ASKING, "--measured_batches=3"), "--measured_batches", "--estimator=full"),
    (("--estimator=one_shot",), "--estimator", "--strategy=darts"),
    (("--final_evaluations=9",), "--final_evaluations", "--strategy=darts"),
    (
        ("--strategy=random_weight_sharing", "--alpha_learning_rate=1"),
        "--alpha_learning_rate",
        "random_weight_sharing",
    ),
    (
        ("--strategy=random_weight_sharing", "--estimator=one_shot"),
        "--estimator",
        "random_weight_sharing",
    ),
    (
        ("--strategy=random_weight_sharing", "--budget_evaluations=3"),
        "--budget_evaluations",
        "random_weight_sharing",
    ),
    (
        ("--strategy=random_weight_sharing", "--final_evaluations=0"),
        "final_evaluations",
        "at least 1",
    ),
    (
        ("--strategy=random_weight_sharing", "--space=darts_recurrent"),
        "darts_recurrent",
        "images",
    ),
    (
        ("--alpha_regularizer_strength=3",),
        "--alpha_regularizer_strength",
        "give --alpha_regularizer=beta_decay",
    ),
    (
        ("--alpha_regularizer=none", "--alpha_regularizer_schedule=linear"),
        "--alpha_regularizer_schedule",
        "leave it out",
    ),
    (
        ("--alpha_regularizer=entropy",),
        "--alpha_regularizer=entropy",
        "--alpha_regularizer_strength=0.1",
    ),
    (("--cost_target=300M",), "--cost_target", "give --cost=multiply_adds"),
    (("--latency_table=a.csv",), "--latency_table", "give --cost=latency"),
    (("--cost_weight=0",), "--cost_weight", "give --cost=multiply_adds"),
    (("--cost=parameters",), "--cost=parameters", "--cost_target=300M"),
    (
        ("--cost=parameters,latency", "--latency_table=a.csv"),
        "--cost=parameters,latency",
        "--cost_target=300M,8ms",
    ),
    (
        ("--cost=parameters,parameters", "--cost_weight=1"),
        "--cost=parameters,parameters",
        "give each once",
    ),
    (
        ("--cost=parameters,multiply_adds", "--cost_target=3M"),
        "--cost_target=3M",
        "2 in all; received 1",
    ),
    (("--cost=parameters", "--cost_target=8ms"), "--cost_target=8ms", "unit k, M or G"),
    (("--cost=parameters", "--cost_target=3MB"), "--cost_target=3MB", "unit k, M or G"),
    (("--cost=parameters", "--cost_target=-3M"), "--cost_target=-3M", "above 0"),
    (("--cost=parameters", "--cost_target=0M"), "--cost_target=0M", "above 0"),
    (("--cost=parameters", "--cost_target=nan"), "--cost_target=nan", "above 0"),
    (("--cost=speed", "--cost_weight=1"), "speed", "multiply_adds, parameters"),
    (("--cost=latency", "--cost_weight=1"), "--cost=latency", "--latency_table=FILE"),
    (
        ("--cost=parameters", "--cost_weight=1", "--latency_table=t"),
        "--latency_table=t",
        "give --cost=latency",
    ),
    ((*LATENCY, "--cost_target=8"), "--cost_target=8 of", "unit us, ms or s"),
    ((*LATENCY, "--cost_target=8M"), "--cost_target=8M of", "unit us, ms or s"),
    ((*LATENCY, "--cost_target=0ms"), "--cost_target=0ms of", "above 0"),
    (
        ("--cost=parameters", "--cost_weight=1", "--cost_weight_rate=1"),
        "--cost_weight_rate",
        "leave out one of both",
    ),
    (
        ("--cost=parameters", "--cost_weight=1", "--cost_floor=0.5"),
        "--cost_floor=0.5",
        "--cost_target=300M",
    ),
    (
        ("--cost=parameters", "--cost_target=1M", "--cost_floor=1.5"),
        "--cost_floor=1.5",
        "1",
    ),
    (
        ("--cost=parameters", "--cost_weight=1", "--space=darts_recurrent"),
        "--cost",
        "all cells of this space have the same",
    ),
    (
        (NB201, "--cost=parameters", "--cost_weight=1", "--cost_network=mobile"),
        "--cost_network",
        "nasbench201",
    ),
    ((*ASKING, "--cost=parameters"), "--cost", "--strategy=random"),
    ((*NSGA2, "--objectives=accuracy,size"), "'size'", "multiply_adds, parameters"),
    ((*NSGA2, "--objectives=accuracy"), "--objectives=accuracy", "add a cost"),
    (
        (*NSGA2, "--objectives=parameters,multiply_adds"),
        "--objectives=parameters,multiply_adds",
        "add accuracy",
    ),
    ((*NSGA2, "--objectives=accuracy,accuracy"), "names one twice", "such as"),
    (
        (*NSGA2, "--budget_evaluations=20"),
        "--nsga2_population=20",
        "give a smaller population",
    ),
    ((*NSGA2, "--objectives=accuracy,latency"), "--latency_table=FILE", "needs"),
    ((*ASKING, "--max_latency=8"), "--latency_table=FILE", "needs"),
    ((*NSGA2, "--latency_table=a"), "--latency_table=a", "accuracy,latency"),
    ((*NSGA2, "--nsga2_population=1"), "--nsga2_population=1", "at least 2"),
    ((*NSGA2, "--space=darts_recurrent"), "--strategy=nsga2", "same multiply-adds"),
    (
        (*ASKING, "--max_parameters=9", "--space=darts_recurrent"),
        "--max_parameters",
        "same multiply-adds",
    ),
    (
        (*ASKING, "--strategy=evolution", "--objectives=accuracy,parameters"),
        "--objectives",
        "--strategy=evolution",
    ),
    ((*ASKING, "--cost_channels=9"), "--cost_channels", "--strategy=random"),
    (("--max_multiply_adds=9",), "--max_multiply_adds", "--strategy=darts"),
    (
        ("--strategy=random_weight_sharing", "--cost=parameters"),
        "--cost",
        "--strategy=random_weight_sharing",
    ),
    (
        ("--relaxation=sigmoid", "--alpha_regularizer=beta_decay"),
        "--alpha_regularizer=beta_decay",
        "--relaxation=sigmoid has not",
    ),
    (
        ("--alpha_regularizer=kl_anchor",),
        "--alpha_regularizer=kl_anchor",
        "--relaxation=dirichlet",
    ),
    (
        ("--relaxation=dirichlet", "--temperature_end=0.1"),
        "--temperature_end=0.1",
        "--relaxation=dirichlet",
    ),
    (
        ("--relaxation=dirichlet", "--instruments=eigenvalue"),
        "--instruments=eigenvalue",
        "Hessian",
    ),
    (("--relaxation=sigmoid", NB201), "--space=nasbench201", "zero operation"),
    (
        ("--relaxation=sigmoid", "--space=darts_recurrent"),
        "--space=darts_recurrent",
        "--relaxation=dirichlet",
    ),
    (
        ("--relaxation=gumbel", "--space=darts_recurrent"),
        "--space=darts_recurrent",
        "one candidate of each edge",
    ),
    (
        ("--relaxation=gumbel", "--strategy=lambda_darts"),
        "--lambda_regularizer=cosine",
        "one candidate of each edge",
    ),
    (("--relaxation=gumbel", "--recompute"), "--recompute", "memory"),
    (("--relaxation=gumbel", "--instruments=gap"), "--instruments=gap", "mixture"),
    (
        ("--relaxation=gumbel", "--alpha_perturbation=random"),
        "--alpha_perturbation=random",
        "one of each edge",
    ),
    (
        ("--optimization=joint_simultaneous", "--alpha_perturbation=adversarial"),
        "--alpha_perturbation=adversarial",
        "one step",
    ),
    (
        ("--alpha_perturbation_epsilon=0.1",),
        "--alpha_perturbation_epsilon",
        "--alpha_perturbation=random",
    ),
    (("--gumbel_tau=5",), "--gumbel_tau", "--relaxation=gumbel"),
    (
        (*ASKING, "--relaxation=dirichlet"),
        "--relaxation",
        "--strategy=random",
    ),
    (
        (*ASKING, "--alpha_regularizer=beta_decay"),
        "--alpha_regularizer",
        "--strategy=random",
    ),
]
TAKEN = [
    (*ASKING, "--estimator=low_fidelity", "--fidelity_examples=100"),
    (*ASKING, "--estimator=low_fidelity", "--fidelity_image_size=16"),
    (*ASKING, "--estimator=learning_curve", "--curve_epochs=3"),
    (*ASKING, "--estimator=one_shot", "--supernet=y", "--measured_batches=2"),
    (*ASKING, "--estimator=inherit", "--supernet=y", "--epochs=2"),
    (
        "--strategy=random_weight_sharing",
        "--final_evaluations=5",
        "--measured_batches=2",
        "--recompute",
        "--train_portion=0.4",
    ),
    ("--strategy=evolution", "--budget_evaluations=20", "--estimator=table", NB201),
    (*ASKING, "--estimator=inherit", "--inherit_from=parent", "--parents=z"),
    ("--alpha_regularizer=entropy", "--alpha_regularizer_strength=0.1"),
    ("--relaxation=dirichlet", "--space=darts_recurrent"),
    (
        "--relaxation=dirichlet",
        "--alpha_perturbation=adversarial",
        "--alpha_perturbation_epsilon=0.1",
        "--space=darts_recurrent",
    ),
    ("--relaxation=dirichlet", "--alpha_regularizer=beta_decay", NB201),
    ("--relaxation=gumbel", "--gumbel_tau=5", "--gumbel_tau_end=1", NB201),
    ("--relaxation=sigmoid", "--partial_channels=4", "--lambda_regularizer=cosine"),
    (
        "--alpha_regularizer=beta_decay",
        "--optimization=joint_simultaneous",
        "--alpha_regularizer_schedule=constant",
        "--space=darts_recurrent",
    ),
]


@pytest.mark.parametrize("given, flag, why", REFUSED)
def test_refused_in_one_line(given, flag, why):
    with pytest.raises(InputError) as error:
        settled(*given)
    line = entry_point.in_flags(str(error.value))
    assert flag in line and why in line
    assert "\n" not in line and "`" not in line


@pytest.mark.parametrize("given", TAKEN)
def test_given_values_are_stored(given):
    names = {flag[2:].split("=")[0] for flag in given}
    config = settled(*given)
    assert names <= applicable(config).keys()
    assert settle(config) == config


def test_only_what_is_read_is_stored():
    searched = {
        "space",
        "plugin",
        "seed",
        "deterministic",
        "strategy",
        "estimator",
        "budget_evaluations",
        "budget_seconds",
        "objectives",
        "max_multiply_adds",
        "max_parameters",
        "max_activation_memory",
        "max_latency",
    }
    one_shot = applicable(settled(*TAKEN[3]))
    assert one_shot.keys() == searched | {
        "supernet",
        "measured_batches",
        "data_dir",
        "distribute",
    }
    table = applicable(settled(*TAKEN[6]))
    assert table.keys() == searched - {"objectives"} | {
        "nasbench201_table",
        "evolution_population",
        "evolution_sample",
    }
    shared = applicable(settled(*TAKEN[5]))
    assert not shared.keys() & {
        "method",
        "estimator",
        "alpha_beta1",
        "valid_fraction",
        "instruments",
    }
    assert shared["learning_rate_min"] == 0.001


@pytest.mark.parametrize(
    "given, name, value",
    [
        ({}, "channels", 36),
        ({"space": "nasbench201", "layers": 6}, "channels", 16),
        ({"space": "nasbench201", "channels": 36}, "channels", 36),
        ({"space": "nasbench201", "layers": 6}, "layers", 6),
        ({"space": "nasbench201"}, "drop_path", 0.0),
        ({"space": "darts_recurrent"}, "jit", "off"),
        ({"space": "s1"}, "jit", "auto"),
    ],
)
def test_a_space_has_its_defaults_and_given_values_stay(given, name, value):
    config = settle(TrainingConfig(**given))
    assert getattr(config, name) == value
    assert settle(config) == config


@pytest.mark.parametrize(
    "given, words",
    [
        ({"hidden_size": 3}, "`hidden_size` means nothing .*darts_conv"),
        ({"space": "darts_recurrent", "jit": "on"}, "XLA does not compile"),
        ({"space": "nasbench201", "layers": 7}, "layers"),
        ({"space": "dart_conv"}, "`space=dart_conv`.*did you mean darts_conv"),
        ({"space": "nasbench201", "network": "cifar"}, "`network` means nothing"),
    ],
)
def test_a_space_refuses_names(given, words):
    with pytest.raises(InputError, match=words):
        settle(TrainingConfig(**given))


@pytest.mark.parametrize(
    "method, read, refused",
    [
        ("magnitude", MAGNITUDE_NAMES, PERTURBATION_NAMES),
        ("perturbation", PERTURBATION_NAMES, MAGNITUDE_NAMES),
    ],
)
def test_each_way_to_derive_has_its_names(method, read, refused):
    for name in read:
        table = ["--latency_table=a.csv"] if name in TABLE_SIZES else []
        settled(f"--method={method}", f"--{name}=3", *table, kind=DerivationConfig)
    for name in refused:
        with pytest.raises(InputError, match=f"`{name}` means nothing with `method="):
            settled(f"--method={method}", f"--{name}=3", kind=DerivationConfig)


@pytest.mark.parametrize("name", TABLE_SIZES)
def test_sizes_of_a_derivation_are_those_of_its_latency_table(name):
    with pytest.raises(InputError, match=f"`{name}` means nothing without `latency_t"):
        settled(f"--{name}=3", kind=DerivationConfig)


def test_strategies_fill_in_defaults():
    assert settled("--strategy=lambda_darts").lambda_regularizer == "cosine"
    joint = settled("--optimization=joint_alternating")
    assert joint.method == "first_order" and "method" not in joint.given
    assert "lambda_regularizer" not in applicable(joint)


def test_epochs_on_the_rungs_of_asha():
    asha = (*ASKING, "--strategy=asha", "--epochs=50")
    assert rung_epochs(settled(*asha)) == (3, 12, 50)
    low = (*asha, "--estimator=low_fidelity", "--fidelity_epochs=18", "--asha_rungs=2")
    assert rung_epochs(settled(*low, "--asha_reduction=3")) == (6, 18)
    assert rung_epochs(settled(*ASKING)) == ()


@pytest.mark.parametrize(
    "space, strength",
    [("nasbench201", 50), ("darts_conv", 25), ("darts_recurrent", 25)],
)
def test_beta_decay_has_its_published_strength(space, strength):
    config = settled("--alpha_regularizer=beta_decay", f"--space={space}")
    assert config.alpha_regularizer_strength == strength
    assert config.alpha_regularizer_schedule == "linear"


@pytest.mark.parametrize(
    "relaxation, penalty, strength, decay",
    [("dirichlet", "kl_anchor", 1e-3, 0.0), ("sigmoid", "zero_one", 10.0, 1e-3)],
)
def test_a_relaxation_has_its_published_penalty(relaxation, penalty, strength, decay):
    config = settled(f"--relaxation={relaxation}")
    assert config.alpha_regularizer == penalty
    assert config.alpha_regularizer_strength == strength
    assert config.alpha_regularizer_schedule == "constant"
    assert config.alpha_weight_decay == decay
    without = settled(f"--relaxation={relaxation}", "--alpha_regularizer=none")
    assert without.alpha_regularizer_strength is None
    assert without.alpha_weight_decay == 1e-3


@pytest.mark.parametrize(
    "text, target",
    [
        ("300M", (3e8,)),
        ("2.5G", (2.5e9,)),
        ("800k", (8e5,)),
        ("1e6", (1e6,)),
        ("47", (47.0,)),
        (".5M", (5e5,)),
    ],
)
def test_targets_of_costs_have_units(text, target):
    config = settled("--cost=parameters", f"--cost_target={text}")
    assert cost_targets(config) == target
    assert config.cost_weight is None and config.cost_weight_rate == 0.01
    assert config.cost_floor == 0.95
    assert settle(config) == config


@pytest.mark.parametrize(
    "text, target", [("8ms", 8.0), ("300us", 0.3), ("0.5s", 500.0), ("2.5 ms", 2.5)]
)
def test_targets_of_latency_are_in_milliseconds(text, target):
    config = settled(*LATENCY, f"--cost_target={text}")
    assert cost_targets(config) == (pytest.approx(target),)


def test_a_latency_table_has_the_sizes_of_evaluations():
    kind = configs.LatencyConfig
    config = settled("--out=a", NB201, "--channels=4", kind=kind)
    assert (config.channels, config.layers) == (4, 15)
    config = settled("--out=a", kind=kind)
    assert (config.channels, config.layers) == (36, 20)


@pytest.mark.parametrize(
    "given, name",
    [
        ("--space=darts_recurrent", "space=darts_recurrent"),
        ("--space=unknown", "space=unknown"),
        (f"{NB201} --network=mobile", "network=mobile"),
        (f"{NB201} --layers=4", "layers"),
        ("--runtime=tensorflow --models=a", "models=a"),
    ],
)
def test_settings_of_a_latency_table_that_do_not_go_together(given, name):
    with pytest.raises(InputError, match=name):
        settled("--out=a", *given.split(), kind=configs.LatencyConfig)


def test_each_cost_has_its_target():
    config = settled(
        "--cost=parameters,multiply_adds", "--cost_target=3.5M,300M", "--cost_weight=2"
    )
    assert config.cost == ("parameters", "multiply_adds")
    assert cost_targets(config) == (3.5e6, 3e8)
    assert config.cost_weight_rate is None


def test_costs_that_a_search_by_asking_counts():
    config = settled(*NSGA2, "--max_parameters=3e6", "--cost_layers=8")
    assert config.objectives == ("accuracy", "multiply_adds")
    assert counted_costs(config) == ("multiply_adds", "parameters")
    assert settle(config) == config
    assert {"cost_layers", "max_parameters"} <= applicable(config).keys()
    table = settled(*ASKING, NB201, "--estimator=table", "--max_multiply_adds=80e6")
    assert counted_costs(table) == ("multiply_adds",)
    assert "cost_layers" in applicable(table) and "cost" not in applicable(table)
    assert "cost_layers" not in applicable(settled(*ASKING))


@pytest.mark.parametrize(
    "given, words",
    [
        (("--cost_targets=", "--search_flags=s"), "such as 40M"),
        (("--cost_targets=40M", "--random_genotypes=s2"), "makes none"),
    ],
)
def test_targets_of_an_experiment_are_checked(given, words):
    with pytest.raises(InputError, match=words):
        rest = "--short_flags=a", "--evaluate_flags=b"
        settled(*given, *rest, kind=configs.ExperimentConfig)


@pytest.mark.parametrize("text", ["accuracy", "parameters,parameters"])
def test_a_front_has_two_objectives(text):
    given = (f"--front={text}", "--experiments=a", "--out=b")
    with pytest.raises(InputError, match="two different ones"):
        settled(*given, kind=configs.ComparisonConfig)


def test_stages_give_the_epochs_and_the_first_network():
    config = settled("--stages=2:3:8:4,3:5:4:2", "--warmup_epochs=1")
    assert (config.epochs, config.layers, config.partial_channels) == (5, 3, 4)
    assert settle(config) == config
    assert [stage.operations for stage in search_stages(config)] == [8, 4]
    given = "--epochs=5", "--layers=3", "--partial_channels=4"
    assert settled("--stages=2:3:8:4,3:5:4:2", "--warmup_epochs=1", *given) == config


def test_a_recipe_sets_what_is_not_given():
    robust = RECIPES["robust"]
    config = settled("--recipe=robust", "--epochs=15")
    assert config.warmup_epochs == 5 and config.method == robust["method"]
    assert config.alpha_regularizer == robust["alpha_regularizer"]
    strength = config.alpha_regularizer_strength
    assert strength == robust["alpha_regularizer_strength"]
    assert settle(config) == config
    given = settled("--recipe=robust", "--epochs=15", "--warmup_epochs=0")
    assert given == config.replace(warmup_epochs=0)
    line = recipe_line(given)
    assert "--method=first_order" in line and "--warmup_epochs" not in line


def test_a_recipe_leaves_another_penalty_alone():
    plain = settled("--recipe=robust", "--alpha_regularizer=none")
    assert plain.alpha_regularizer_strength is None
    sigmoid = settled("--recipe=robust", "--relaxation=sigmoid", "--space=s2")
    assert sigmoid.alpha_regularizer == "zero_one"
    staged = settled("--recipe=robust", "--stages=6:3:8,9:5:4")
    assert staged.warmup_epochs == 2
