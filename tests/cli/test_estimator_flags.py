"""Which flags mean something with which strategy and estimator.

Each case parses in a fork of one process that knows no TensorFlow.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

PARSER = """
import json, os, sys
from absl import flags
from darts_tf.cli import flag_values
from darts_tf.cli import search_program
from darts_tf.cli import space_flags

search_program.define()
assert "tensorflow" not in sys.modules

def told(arguments):
    try:
        flags.FLAGS(["search", "--workdir=x", *arguments])
        space_flags.check_space(flags.FLAGS)
        return flag_values.values(flags.FLAGS)
    except Exception as error:
        return f"{type(error).__name__}: {error}"

answers = []
for arguments in json.load(sys.stdin):
    reading, writing = os.pipe()
    if not os.fork():
        os.write(writing, json.dumps(told(arguments)).encode())
        os._exit(0)
    os.close(writing)
    os.wait()
    answers.append(json.loads(open(reading, "rb").read()))
print(json.dumps(answers))
"""
ASKING = ("--strategy=random", "--budget_evaluations=3")
NB201 = "--space=nasbench201"
REFUSED = [
    (
        ("--strategy=random", "--estimator=one_shot", "--supernet=y"),
        "budget",
        "above 0",
    ),
    ((*ASKING, "--budget_evaluations=0"), "budget", "above 0"),
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
        "positive",
    ),
    (
        ("--strategy=random_weight_sharing", "--space=darts_recurrent"),
        "darts_recurrent",
        "images",
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
]


@pytest.fixture(scope="module")
def answers():
    cases = [*(given for given, *_ in REFUSED), *TAKEN]
    done = subprocess.run(
        [sys.executable, "-c", PARSER],
        input=json.dumps(cases),
        text=True,
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        check=True,
    )
    return dict(zip(cases, json.loads(done.stdout)))


@pytest.mark.parametrize("given, flag, why", REFUSED)
def test_refused_in_one_line(answers, given, flag, why):
    found = answers[given]
    assert isinstance(found, str), "it was taken"
    assert flag in found and why in found
    assert "\n" not in found.removesuffix("\n")
    assert "TypeError" not in found and "KeyError" not in found


@pytest.mark.parametrize("given", TAKEN)
def test_what_is_given_is_what_is_kept(answers, given):
    kept = answers[given]
    assert isinstance(kept, dict), kept
    assert {flag[2:].split("=")[0] for flag in given} <= kept.keys()


def test_only_what_is_read_is_kept(answers):
    one_shot = answers[TAKEN[3]]
    assert one_shot.keys() == {
        "workdir",
        "space",
        "seed",
        "deterministic",
        "strategy",
        "estimator",
        "budget_evaluations",
        "budget_seconds",
        "supernet",
        "measured_batches",
        "data_dir",
        "distribute",
    }
    table = answers[TAKEN[6]]
    assert table.keys() == {
        "workdir",
        "space",
        "seed",
        "deterministic",
        "strategy",
        "estimator",
        "budget_evaluations",
        "budget_seconds",
        "nasbench201_table",
        "evolution_population",
        "evolution_sample",
    }
    shared = answers[TAKEN[5]]
    assert not shared.keys() & {
        "method",
        "estimator",
        "alpha_beta1",
        "valid_fraction",
        "instruments",
    }
    assert shared["learning_rate_min"] == 0.001
