"""Bad input at the entry points: one line, exit code 2, nothing written.

TensorFlow is imported once; each command runs in a fork (tests/forked.py), from the
module's first line on, as `python -m` runs it. Of commands that the rules of settings
refuse, one of each program does; the lines of the others are made here.
"""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import absl.flags
import pytest

from darts_tf import config as configs
from darts_tf.cli import entry_point
from darts_tf.cli import flags as config_flags
from darts_tf.config_rules import settle
from darts_tf.data.nasbench201_table import ACCURACIES, ARCHITECTURE
from darts_tf.errors import InputError
from darts_tf.space.architecture_string import every_string
from darts_tf.space.published import CONVOLUTIONAL, LAMBDA, RECURRENT
from tests import forked

KINDS = {
    "search": configs.SearchConfig,
    "evaluate": configs.TrainingConfig,
    "derive": configs.DerivationConfig,
    "export": configs.ExportConfig,
}
DIGITS = "--dataset=digits --examples=200 --channels=2 --layers=3 "
SMALL = DIGITS + "--epochs=1 --batch_size=16 "
V2 = SMALL + "--genotype=DARTS_V2 "
TEXT = "--space=darts_recurrent --dataset=python_topics --epochs=1 "
FOLDER = "--space=darts_recurrent --dataset=text_folder "
NB201 = SMALL + "--space=nasbench201 "
ASK = SMALL + "--strategy=random "
TABLE = (
    "--space=nasbench201 --strategy=random --estimator=table --budget_evaluations=5 "
)
ZEROS = "--genotype=|none~0|+|none~0|none~1|+|none~0|none~1|none~2| "
# name: program, flags ({tmp}: a folder), what the line must say
CASES = {
    "dataset": ("search", SMALL + "--dataset=digitz", "digitz"),
    "empty folder": (
        "search",
        SMALL + "--dataset=folder --data_dir={tmp}/empty",
        "empty",
    ),
    "no data_dir": ("search", SMALL + "--dataset=folder", "--data_dir"),
    "method": ("search", SMALL + "--method=second", "finite_difference"),
    "joint by exact": (
        "search",
        SMALL + "--optimization=joint_alternating --method=exact",
        "--method=exact means nothing with --optimization=joint_alternating",
    ),
    "joint by Adam": (
        "search",
        SMALL + "--optimization=joint_simultaneous --alpha_learning_rate=0.1",
        "--alpha_learning_rate means nothing with --optimization=",
    ),
    "joint Lambda": (
        "search",
        SMALL + "--optimization=joint_alternating --lambda_regularizer=sign",
        "--lambda_regularizer means nothing",
    ),
    "joint Lambda-DARTS": (
        "search",
        SMALL + "--optimization=joint_alternating --strategy=lambda_darts",
        "leave out --strategy=lambda_darts",
    ),
    "joint random": (
        "search",
        ASK + "--budget_evaluations=5 --optimization=joint_alternating",
        "--optimization means nothing",
    ),
    "layers": ("search", SMALL + "--layers=2", "layers"),
    "batch": ("search", SMALL + "--batch_size=101", "101"),
    "examples": ("search", SMALL + "--examples=100000", "100000"),
    "rates": ("search", SMALL + "--learning_rate_min=0.1", "--learning_rate_min"),
    "other settings": ("search", SMALL + "--workdir={tmp}/other", "other settings"),
    "no cluster": ("search", SMALL + "--distribute=multi_worker", "TF_CONFIG"),
    "no folder": ("search", SMALL + "--workdir={tmp}/file/x", "workdir"),
    "unknown flag": ("search", SMALL + "--chanels=3", "channels"),
    "word": ("search", SMALL + "surplus", "surplus"),
    "flagfile": ("search", "--flagfile={tmp}/no.flags", "no.flags"),
    "genotype": ("evaluate", SMALL + "--genotype=DARTS_V3", "DARTS_V2"),
    "no genotype": ("evaluate", SMALL, "genotype"),
    "cut genotype": ("evaluate", SMALL + "--genotype={tmp}/cut.json", "cut.json"),
    "mobile": (
        "evaluate",
        V2 + "--network=mobile --channels=3 --image_size=32",
        "channels",
    ),
    "multiply-adds": (  # and there is no such data
        "evaluate",
        V2 + "--dataset=cifar100 --data_dir={tmp}/empty --max_multiply_adds=1e4",
        "multiply-adds on an image of 32x32, more than --max_multiply_adds",
    ),
    "decay of cosine": (
        "evaluate",
        V2 + "--learning_rate_decay=0.9",
        "--schedule=exponential",
    ),
    "warm-up": ("evaluate", V2 + "--learning_rate_warmup=1", "below --epochs"),
    "recipe of text": (
        "evaluate",
        TEXT + "--genotype=ENAS --label_smoothing=0.1",
        "--label_smoothing means nothing",
    ),
    "grey colours": ("evaluate", V2 + "--colour_jitter=0.4", "3 channels"),
    "split": ("evaluate", V2 + "--batch_size=201", "201"),
    "both": ("derive", "--genotype=NASNet --random=1", "random"),
    "derive nothing": ("derive", "", "folder of a run"),
    "derive unknown": ("derive", "--genotype=NasNett", "NASNet"),
    "no alpha": ("derive", "--workdir={tmp}/other", "alpha.npz"),
    "perturb text": (
        "derive",
        "--method=perturbation --workdir={tmp}/spoken",
        "--method=magnitude",
    ),
    "perturb nothing": (
        "derive",
        "--method=perturbation --workdir={tmp}/other",
        "no checkpoint",
    ),
    "perturb an evaluation": (
        "derive",
        "--method=perturbation --workdir={tmp}/valued",
        "is an evaluation",
    ),
    "perturb an epoch": (
        "derive",
        "--method=perturbation --workdir={tmp}/other --epoch=1",
        "--epoch means nothing",
    ),
    "tune by magnitude": (
        "derive",
        "--workdir={tmp}/other --tune_epochs=2",
        "--tune_epochs means nothing",
    ),
    "export nothing": ("export", "", "folder of a run"),
    "export 8 bits": (
        "export",
        "--workdir={tmp}/other --quantize=int8",
        "--quantize=int8 means nothing with --format=saved_model",
    ),
    "export to ONNX in 8 bits": (
        "export",
        "--workdir={tmp}/other --format=onnx --quantize=int8",
        "give --format=litert",
    ),
    "export a format": (
        "export",
        "--workdir={tmp}/other --format=tflite",
        "saved_model|litert|onnx",
    ),
    "export a search": ("export", "--workdir={tmp}/other", "train.evaluate"),
    "text": ("search", TEXT + "--dataset=topics", "python_topics"),
    "no text folder": ("search", FOLDER, "--data_dir"),
    "text file": ("search", FOLDER + "--data_dir={tmp}/text", "valid.txt"),
    "no utf-8": ("search", FOLDER + "--data_dir={tmp}/latin", "line 2"),
    "one word": ("search", FOLDER + "--data_dir={tmp}/word", "words"),
    "text batch": ("search", TEXT + "--batch_size=100000", "100000"),
    "validation batch": (
        "search",
        TEXT + "--batch_size=5000 --bptt=2",
        "validation text, --batch_size",
    ),
    "measured batch": ("search", TEXT + "--measured_batch=5000", "--measured_batch"),
    "measured batch of an evaluation": (
        "evaluate",
        TEXT + "--genotype=ENAS --measured_batch=5000",
        "--measured_batch",
    ),
    "window": ("search", TEXT + "--bptt=100000", "100000"),
    "images only": ("search", TEXT + "--channels=4", "--channels"),
    "text only": ("search", SMALL + "--bptt=4", "--bptt"),
    "convolutional": ("evaluate", TEXT + "--genotype=NASNet", "--space=darts_conv"),
    "another space": ("evaluate", TEXT + "--genotype={tmp}/conv.json", "darts_conv"),
    "recurrent": (
        "evaluate",
        SMALL + "--genotype={tmp}/recurrent.json",
        "darts_recurrent",
    ),
    "stages": ("search", NB201 + "--layers=4", "multiple of 3"),
    "table elsewhere": (
        "search",
        SMALL + "--nasbench201_table={tmp}/t.csv",
        "darts_conv",
    ),
    "no table": ("search", NB201 + "--nasbench201_table={tmp}/t.csv", "t.csv"),
    "cut table": (
        "derive",
        "--space=nasbench201 --random=1 --nasbench201_table={tmp}/cut.csv",
        "15,625",
    ),
    "table of others": (
        "derive",
        "--random=1 --nasbench201_table={tmp}/cut.csv",
        "15,625",
    ),
    "auxiliary": ("evaluate", NB201 + ZEROS + "--auxiliary_weight=0.4", "auxiliary"),
    "architecture": ("evaluate", NB201 + "--genotype=|none~0|", "has not the form"),
    "architecture elsewhere": ("evaluate", SMALL + ZEROS, "nasbench201"),
    "instrument": ("search", SMALL + "--instruments=gap,eigen", "eigenvalue"),
    "one layer": ("search", SMALL + "--instruments=alignment", "--layers"),
    "text gap": ("search", TEXT + "--instruments=gap", "perplexity"),
    "text skips": ("search", TEXT + "--early_stop=skip_connections", "eigenvalue"),
    "rule": ("search", SMALL + "--early_stop=skips", "skip_connections"),
    "no rule": ("search", SMALL + "--early_stop_first=3", "--early_stop="),
    "other rule": (
        "search",
        SMALL + "--early_stop=eigenvalue --early_stop_skips=2",
        "--early_stop_skips",
    ),
    "precision": ("search", SMALL + "--precision=float16", "mixed_float16"),
    "precision of texts": (
        "search",
        TEXT + "--precision=mixed_bfloat16",
        "convolutions",
    ),
    "jit of texts": ("search", TEXT + "--jit=on", "loop over time"),
    "jit": ("evaluate", V2 + "--jit=yes", "auto"),
    "micro-batches": ("search", SMALL + "--micro_batches=3", "multiple of 3"),
    "partial channels": ("search", SMALL + "--partial_channels=3", "multiple of it"),
    "partial words": ("search", TEXT + "--partial_channels=2", "PC-DARTS divides"),
    "warm-up of alpha": ("search", SMALL + "--warmup_epochs=1", "below --epochs"),
    "space": ("search", SMALL + "--space=dart_conv", "did you mean darts_conv"),
    "no plugin": ("search", SMALL + "--plugin={tmp}/no.py", "no.py is no file"),
    "bad plugin": (
        "search",
        SMALL + "--plugin={tmp}/bad.py",
        "bad.py cannot be imported: ZeroDivisionError: division by zero; mend",
    ),
    "not a number": ("search", SMALL + "--learning_rate=nan", "a finite number"),
    "perturb partial channels": (
        "derive",
        "--method=perturbation --workdir={tmp}/partial",
        "--method=magnitude",
    ),
    "no budget": ("search", ASK, "--budget_evaluations=200"),
    "budget of 0": (
        "search",
        ASK + "--budget_evaluations=0 --budget_seconds=0",
        "above 0",
    ),
    "budget below 0": ("search", ASK + "--budget_seconds=-1", "above 0"),
    "budget of descent": (
        "search",
        SMALL + "--budget_evaluations=5",
        "--strategy=darts",
    ),
    "alpha of random": (
        "search",
        ASK + "--budget_evaluations=5 --alpha_learning_rate=1",
        "--alpha_learning_rate means nothing with --strategy=random",
    ),
    "population of random": (
        "search",
        ASK + "--budget_evaluations=5 --evolution_sample=2",
        "--evolution_sample",
    ),
    "only random ones": (
        "search",
        SMALL + "--strategy=evolution --budget_evaluations=10",
        "smaller population",
    ),
    "strategy": ("search", SMALL + "--strategy=evolve", "evolution"),
    "table of another space": (
        "search",
        "--strategy=random --estimator=table --budget_evaluations=5",
        "--space=darts_conv",
    ),
    "table on workers": (
        "search",
        TABLE + "--distribute=multi_worker",
        "--distribute means nothing with --estimator=table",
    ),
    "estimates on workers": (
        "search",
        ASK + "--budget_evaluations=5 --valid_fraction=0.5 --distribute=multi_worker",
        "in one process",
    ),
    "table without one": ("search", TABLE, "--nasbench201_table=PATH"),
    "table and epochs": (
        "search",
        TABLE + "--epochs=3",
        "--epochs means nothing with --estimator=table",
    ),
    "nothing held out": (
        "search",
        ASK + "--budget_evaluations=5 --valid_fraction=0",
        "--valid_fraction=0.5",
    ),
    "too little held out": (
        "search",
        ASK + "--budget_evaluations=5 --valid_fraction=0.01",
        "too few for parts of 0.99, 0.01",
    ),
    "held out by descent": (
        "search",
        SMALL + "--valid_fraction=0.5",
        "--strategy=darts",
    ),
    "lambda is none": (
        "search",
        SMALL + "--strategy=lambda_darts --lambda_regularizer=none",
        "--strategy=darts",
    ),
    "lambda_darts of words": (
        "search",
        TEXT + "--strategy=lambda_darts",
        "another strategy",
    ),
    "other strategy": (
        "search",
        TABLE + "--workdir={tmp}/asked --nasbench201_table={tmp}/whole.csv",
        "--strategy: the run has",
    ),
    "no alpha to derive": ("derive", "--workdir={tmp}/asked", "--strategy=evolution"),
    "no alpha to perturb": (
        "derive",
        "--method=perturbation --workdir={tmp}/asked",
        "--strategy=evolution",
    ),
    "lambda alone": ("search", SMALL + "--lambda_strength=0.5", "--lambda_regularizer"),
    "one normal cell": ("search", SMALL + "--lambda_regularizer=sign", "1 'normal'"),
    "lambda recurrent": ("search", TEXT + "--lambda_regularizer=cosine", "has one"),
    "robust space": ("evaluate", SMALL + "--genotype={tmp}/s2.json", "--space=s2"),
    "export unfinished": ("export", "--workdir={tmp}/half", "finished"),
}


def prepare(tmp) -> None:
    """The folders that the cases name."""
    for name, flags in {
        "other": {"seed": 5, "space": "darts_conv"},
        "half": {"drop_path": 0.2, "space": "darts_conv"},
        "spoken": {"space": "darts_recurrent"},
        "partial": {"partial_channels": 4, "space": "darts_conv"},
        "asked": {"strategy": "evolution", "space": "nasbench201"},
        "valued": {"genotype": "DARTS_V2", "space": "darts_conv"},
    }.items():
        (tmp / name).mkdir()
        (tmp / name / "lock").touch()
        content = {"version": 1, "program": "search", "config": flags}
        (tmp / name / "config.json").write_text(json.dumps(content))
    (tmp / "other" / "result.json").write_text("{}")
    (tmp / "file").touch()
    (tmp / "bad.py").write_text("1 / 0")
    (tmp / "empty").mkdir()
    (tmp / "text").mkdir()
    (tmp / "text" / "train.txt").write_text("a b c\n")
    for name, words in {"latin": b"a b\n\xe9 c\n", "word": b"a a\n"}.items():
        (tmp / name).mkdir()
        for part in ("train", "valid", "test"):
            (tmp / name / f"{part}.txt").write_bytes(words)
    for name, genotypes in (("conv", CONVOLUTIONAL), ("recurrent", RECURRENT)):
        text = genotypes["DARTS_V1"].to_json()
        (tmp / f"{name}.json").write_text(text)
    columns = ",".join((ARCHITECTURE, *ACCURACIES))
    (tmp / "cut.csv").write_text(f"{columns}\n")
    every = (f"{string}{',50' * 7}" for string in every_string())
    (tmp / "whole.csv").write_text("\n".join((columns, *every)))
    text = LAMBDA["s2"]["LAMBDA_C10"].to_json()
    (tmp / "s2.json").write_text(text)
    (tmp / "cut.json").write_text(CONVOLUTIONAL["NASNet"].to_json()[:99])


def snapshot(folder) -> dict:
    return {
        str(path): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


def refused_at_once(program: str, given: list[str]) -> str | None:
    """Returns the line of settings that the rules refuse, before any data are read."""
    kind, values = KINDS[program], absl.flags.FlagValues()
    config_flags.define(kind, "Folder.", into=values)
    try:
        if len(values([program, *given])) > 1 or values["plugin"].present:
            return None
        settle(config_flags.parsed_config(kind, values))
    except absl.flags.Error:
        return None
    except InputError as error:
        return f"error: {entry_point.in_flags(str(error))}"
    return None


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """Returns (exit code, output, folder) by case, and the files changed."""
    tmp = tmp_path_factory.mktemp("cases")
    said = tmp_path_factory.mktemp("said")
    prepare(tmp)
    before, ended, started = snapshot(tmp), {}, set()
    for i, (name, (program, flags, _)) in enumerate(CASES.items()):
        given = flags.format(tmp=tmp).split()
        if "--workdir" not in flags:
            given.append(f"--workdir={tmp}/new{i}")
        line = refused_at_once(program, given)
        if line and program in started:
            ended[name] = 2, line, f"new{i}"
            continue
        if line:  # one of each program, for their common way to refuse
            started.add(program)
        path = said / f"{i}.txt"
        code = forked.run(
            path,
            *given,
            module=f"train.{program}",
            environment={"CUDA_VISIBLE_DEVICES": ""},
        )
        ended[name] = code, path.read_text(errors="replace"), f"new{i}"
    left = {i: p for p, i in _new(before, snapshot(tmp))}
    return {
        name: (code, text, left.get(new)) for name, (code, text, new) in ended.items()
    } | {"changed": _changed(before, snapshot(tmp))}


def _new(before, after):
    for path in sorted(set(after) - set(before), key=len):
        if after[path] is not None:
            yield path, path.split("cases0/")[-1].split("/")[0]


def _changed(before, after) -> list[str]:
    return [path for path in before if after.get(path) != before[path]]


@pytest.mark.parametrize("name", CASES)
def test_one_line_and_nothing_written(outcomes, name):
    code, output, left = outcomes[name]
    lines = [x for x in output.splitlines() if x.startswith("error: ")]
    assert code == 2, output
    assert len(lines) == 1 and output.rstrip().endswith(lines[0])
    assert "Traceback" not in output
    assert CASES[name][2] in lines[0]
    assert left is None


def test_folders_of_others_are_left_as_they_were(outcomes):
    assert outcomes["changed"] == []


def test_helpshort_names_our_flags(programs):
    output = programs.run("search", "--helpshort")
    assert "Searches for cells" in output
    for name in ("workdir", "method", "alpha_learning_rate", "data_dir"):
        assert f"  --{name}" in output
    assert " more, under headings: --helpfull" in output
    assert "--genotype" not in output and "--verbosity" not in output


def test_bad_input_in_a_real_process(programs, tmp_path):
    output = programs.run(
        "search",
        *programs.tiny,
        "--dataset=digitz",
        f"--workdir={tmp_path}/run",
        code=2,
    )
    assert "error: " in output.splitlines()[-1]
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
@pytest.mark.program
@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="no /proc")
def test_ctrl_c_while_tensorflow_is_imported_is_one_line(programs, tmp_path):
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "train.search",
            *programs.search,
            f"--workdir={tmp_path / 'a'}",
        ],
        cwd=pathlib.Path(__file__).parents[2],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    maps = pathlib.Path(f"/proc/{process.pid}/maps")
    while process.poll() is None and "tensorflow" not in maps.read_text():
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert (process.returncode, output) == (130, "error: interrupted\n")
    assert not (tmp_path / "a").exists()
