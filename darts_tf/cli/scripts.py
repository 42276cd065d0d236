"""The programs as functions: of console scripts, of `python -m train.X`
and of `python -m darts_tf.cli X`.

Arguments are parsed and checked before anything loads TensorFlow.
"""

from __future__ import annotations

from darts_tf.cli import entry_point  # isort: skip  (before TensorFlow)

import contextlib
import inspect
import os
import signal
import sys
from collections.abc import Callable, Iterator
from typing import Any

from absl import flags

from darts_tf import config as configs
from darts_tf.cli import flags as config_flags
from darts_tf.cli import program_help
from darts_tf.config_rules import is_text, settle
from darts_tf.programs import plugins
from darts_tf.run.process import tensorflow_environment
from darts_tf.space.published import load_genotype

FLAGS = flags.FLAGS


def search() -> None:
    """Searches for cells, by any strategy.

        python -m train.search --flagfile=configs/digits/search.flags \\
            --workdir=runs/digits/search

    By descent on alpha (--strategy=darts or lambda_darts), by sharing weights
    among random genotypes (random_weight_sharing), or by asking an --estimator
    for the worth of one genotype after another, under a budget. Where that
    trains networks, flagfiles of train.evaluate can be given for the trainings.
    """

    def main(config: configs.SearchConfig) -> None:
        _load_tensorflow(config)
        from darts_tf.programs import search as program

        _print(program.run(config, FLAGS.workdir))

    workdir = "Folder of the search; the same command resumes it."
    _start(search, configs.SearchConfig, main, workdir)


def evaluate() -> None:
    """Trains a genotype's network from scratch and tests it once."""

    def main(config: configs.TrainingConfig) -> None:
        load_genotype(config.genotype or "", config.space)
        _load_tensorflow(config)
        from darts_tf.programs import evaluate as program

        _print(program.run(config, FLAGS.workdir))

    workdir = "Folder of the evaluation; the same command resumes it."
    _start(evaluate, configs.TrainingConfig, main, workdir)


def derive() -> None:
    """Derives the cells of a search's alpha and draws them.

    Without --genotype: from alpha.npz of the search in --workdir, after its
    last finished epoch (early stopping may have gone back to another) or the
    one given. With --genotype: only draws that one. With --random: draws a
    random one, a baseline for a search.

    --method=perturbation measures on the search's supernet what each operation
    is worth, and tunes it in between. It is a long run with a folder of its own
    in that of the search, whose genotype.json stays.
    """

    def main(config: configs.DerivationConfig) -> None:
        if config.method == "perturbation" or config.latency_table is not None:
            _load_tensorflow()
        from darts_tf.programs import derive as program

        _print(program.run(config, FLAGS.workdir))

    workdir = "Folder of a search, or (with --genotype) of the pictures."
    _start(derive, configs.DerivationConfig, main, workdir)


def export() -> None:
    """Exports an evaluated network as a SavedModel, for LiteRT or for ONNX.

        python -m train.export --workdir=runs/e --format=litert --quantize=int8

    --workdir is that of train.evaluate. Every format takes raw uint8 images, of
    any batch size, and needs neither this package nor Keras; a language model
    takes texts, or (LiteRT) one word and a state. LiteRT and ONNX files are run
    again and measured: export.json beside them.
    """

    def main(config: configs.ExportConfig) -> None:
        _load_tensorflow()
        from darts_tf.programs import export as program

        _print(program.run(config, FLAGS.workdir)[1])

    _start(export, configs.ExportConfig, main, "Folder of the evaluation.")


def latency() -> None:
    """Measures how long each operation of a space takes, for --cost=latency.

        python -m train.latency --space=darts_conv --image_size=32 --out=latency.csv

    At each shape that the networks use, and with what lies around the operations.
    Started again, it goes on where it was. A machine that is too noisy is refused.
    train.search reads the table: --cost=latency --latency_table=latency.csv.
    """

    def main(config: configs.LatencyConfig) -> None:
        _load_tensorflow()
        from darts_tf.programs import latency as program

        _print(program.run(config))

    _start(latency, configs.LatencyConfig, main)


def experiment() -> None:
    """Runs the paper's protocol: searches, selection, full trainings.

        python -m train.experiment --flagfile=configs/digits/experiment.flags \\
            --workdir=runs/experiment

    Several searches from different seeds; a short training of each cell that
    they found; the best of them by validation is trained from several seeds,
    and those are tested. Every run is a process of its own with a folder of
    its own below --workdir, and a log in its folder "logs". Started again, it
    goes on where it was and tries again what had failed. On several machines:
    --stage and --task, from a scheduler's array jobs.
    """

    def main(config: configs.ExperimentConfig) -> int:
        from darts_tf.programs import experiment as program

        return program.run(config, FLAGS.workdir)

    workdir = "Folder of the experiment; the same command resumes it."
    _start(experiment, configs.ExperimentConfig, main, workdir)


def compare() -> None:
    """Compares several experiments in one table and one picture.

        python -m train.compare --experiments=runs/a,runs/b --out=runs/compared \\
            --published=cifar10

    Finished and unfinished ones, by what they have so far; and folders of
    searches by a strategy that asks an estimator, whose test error is the true
    one where --nasbench201_table was given. Writes compare.md, compare.tex and
    compare.png into --out; where costs are known, front.png too.
    """

    def main(config: configs.ComparisonConfig) -> None:
        from darts_tf.programs import compare as program

        program.run(config)

    _start(compare, configs.ComparisonConfig, main)


def pipeline() -> None:
    """Searches, derives, trains and exports, on your own data.

        python -m train.pipeline --dataset=folder --data_dir=photos \\
            --workdir=runs/photos

    Sizes, batches and epochs are chosen from the data and the machine; every flag
    overrides. It ends with accuracy beside chance and beside the published cell
    DARTS_V2 in the same training. Each stage is a process of its own with its own
    folder below --workdir. Started again, it goes on where it was.
    """

    def main(config: configs.PipelineConfig) -> int:
        from darts_tf.programs import pipeline as program

        return program.run(config, FLAGS.workdir)

    workdir = "Folder of the whole pipeline; the same command resumes it."
    _start(pipeline, configs.PipelineConfig, main, workdir)


def _start(
    program: Callable[[], None],
    kind: type[configs.Config],
    main: Callable[[Any], int | None],
    workdir: str | None = None,
) -> None:
    """Parses and checks the arguments, and calls `main` with the config."""
    config_flags.define(kind, workdir)
    checked: list[configs.Config] = []

    def check(parsed: flags.FlagValues) -> None:
        config = config_flags.parsed_config(kind, parsed)
        path = getattr(config, "plugin", None)
        if path is not None:
            _load_tensorflow(config)  # which a plugin imports, quietly
            plugins.load(path)
        checked.append(settle(config))

    name, doc = program.__name__, inspect.getdoc(program) or ""
    about = name, kind, doc, workdir is not None
    texts = program_help.short(*about), program_help.full(*about)
    entry_point.run(lambda _: main(checked[-1]), check, doc, texts)


def _print(summary: str) -> None:
    """Prints the summary of a program; workers but the chief have none."""
    if summary:
        print(summary)


def _load_tensorflow(config: configs.Config | None = None) -> None:
    """Imports TensorFlow quietly, for a process that is all its own.

    It takes seconds, so a terminal is told before.
    """
    space = getattr(config, "space", "")
    if getattr(config, "deterministic", False) and is_text(space):
        tensorflow_environment.without_onednn()
    if sys.stderr is not None and sys.stderr.isatty():
        print("loading TensorFlow ...", file=sys.stderr, flush=True)
    with _immediate_interrupt():
        from darts_tf.run.process import quiet_tensorflow  # isort: skip  # noqa: F401
        from darts_tf.programs import setup

    setup.own_process()


@contextlib.contextmanager
def _immediate_interrupt() -> Iterator[None]:
    """Ends the process in one line on Ctrl-C, where an import would garble it."""
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.default_int_handler:  # ignored, say
        yield
        return

    error = os.dup(2)  # which the import of TensorFlow holds back

    def end(number: int, frame: object) -> None:
        os.write(error, b"error: interrupted\n")
        os._exit(entry_point.INTERRUPT_CODE)

    signal.signal(signal.SIGINT, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        os.close(error)
