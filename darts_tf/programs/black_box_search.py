"""Searches that ask an estimator for worths, under a budget."""

from __future__ import annotations

import dataclasses
import math

from darts_tf.config import SearchConfig
from darts_tf.config_rules import STRATEGY_NAMES, is_text, rung_epochs
from darts_tf.descent.workers import CHOICE as MULTI_WORKER
from darts_tf.errors import InputError
from darts_tf.programs import estimators, nasbench201_oracle, records, setup
from darts_tf.programs.commands import watch_command
from darts_tf.programs.evaluation_log import EvaluationLog
from darts_tf.programs.next_command import evaluation_command
from darts_tf.run.files import write_atomic
from darts_tf.run.loop.driver import Summary, drive
from darts_tf.run.loop.progress import duration
from darts_tf.run.pictures import genotypes
from darts_tf.run.pictures.evaluations import draw_evaluations
from darts_tf.run.tensorboard import PICTURES
from darts_tf.space.registry import space_by_name
from darts_tf.strategy.black_box.evaluation_loop import Budget, EvaluationLoop
from darts_tf.strategy.black_box.strategies import strategy_by_name

TOGETHER = 10
"""Evaluations between two lines of progress, of estimators that answer at
once; of all others each has its own."""


def search(config: SearchConfig, path, data=None) -> str:
    """Evaluates genotypes until the budget is spent; returns the summary.

    Args:
      config: settled settings of the search.
      path: its folder.
      data: ImageData or TextData; loaded by its name where None.

    Raises:
      InputError: the settings, the data or the folder cannot be used.
    """
    if config.distribute == MULTI_WORKER:
        raise InputError(
            f"`distribute={MULTI_WORKER}` spreads the steps of one descent, and "
            f"`strategy={config.strategy}` evaluates one genotype after another in "
            "one process; leave it out"
        )
    # What one_shot measures is a supernet; the others train derived networks.
    supernet = config.estimator == "one_shot"
    replicas = setup.prepare(config, config.space, supernet=supernet)
    nasbench201_oracle.check(config, config.space)
    strategy = strategy_of(config)
    estimator = estimators.estimator_of(config, replicas, data)
    values, rungs = setup.run_values(config, data), rung_epochs(config)
    with setup.open_run("search", config, path, replicas, data) as workdir:
        log = EvaluationLog(workdir, estimator, rungs)
        loop = EvaluationLoop(
            space_by_name(config.space),
            strategy,
            lambda genotype, number: log.estimate(genotype, number, strategy.rung),
            Budget(config.budget_evaluations, config.budget_seconds),
            TOGETHER if config.estimator in estimators.AT_ONCE else 1,
        )
        with records.reporting(workdir, config, values, replicas) as reporter:
            cost = drive(
                loop,
                workdir,
                report_every=1,
                checkpoint_every=0,
                reporter=reporter,
            )
            figure = draw_evaluations(worths(loop), measure(config))
            if reporter is not None:
                reporter.image(loop.step, f"{PICTURES}/evaluations", figure)
        write_atomic(workdir.path / "evaluations.png", genotypes.figure_to_png(figure))
        return finish(workdir, loop, cost, config, values, replicas.count)


def strategy_of(config: SearchConfig):
    """Returns the search strategy with its settings."""
    settings = {
        name.removeprefix(f"{config.strategy}_"): getattr(config, name)
        for name in STRATEGY_NAMES[config.strategy]
    }
    space = space_by_name(config.space)
    return strategy_by_name(config.strategy, space, config.seed, **settings)


def worths(loop: EvaluationLoop) -> list[float]:
    """Returns the worths in the order of the evaluations."""
    return [estimate.worth for estimate in loop.evaluations]


def measure(config: SearchConfig) -> str:
    """Returns the measure of worth, in words."""
    if is_text(config.space):
        return "minus log of the validation perplexity"
    return "validation accuracy"


def format_worth(config: SearchConfig, worth: float) -> str:
    """Returns a worth in the words of its measure."""
    if is_text(config.space):
        return f"validation perplexity {math.exp(-worth):.2f}"
    return f"validation accuracy {worth:.2%}"


def trained(loop: EvaluationLoop, epochs: tuple[int, ...]) -> dict:
    """Returns what result.json says of rungs: the best one's, and all epochs trained.

    Args:
      loop: finished.
      epochs: of a training on each rung; empty where there are none.
    """
    if not epochs:
        return {}
    steps = [new - old for old, new in zip((0, *epochs), epochs)]
    rungs = [evaluation.rung for evaluation in loop.evaluations]
    best = loop.evaluations[loop.best].rung
    return {
        "rung": best,
        "epochs": epochs[best],
        "trained_epochs": sum(steps[rung] for rung in rungs),
        "rungs": {epochs[n]: rungs.count(n) for n in range(len(epochs))},
    }


def finish(
    workdir,
    loop: EvaluationLoop,
    cost: Summary,
    config: SearchConfig,
    values: dict,
    devices: int,
) -> str:
    """Writes genotype.json, result.json and pictures; returns the summary."""
    genotype, best = loop.best_genotype(), loop.evaluations[loop.best]
    picture = records.write_genotype(workdir, genotype)
    # An evaluation that a stop cut in two knows more than the last clock.
    cost = dataclasses.replace(cost, seconds=max(cost.seconds, loop.seconds))
    summary = loop.end_epoch()
    measured = {
        "worth": best.worth,
        "evaluation": loop.best + 1,
        "evaluations": loop.step,
        "distinct": summary["distinct"],
        "evaluation_seconds": loop.seconds,
        **trained(loop, rung_epochs(config)),
    } | nasbench201_oracle.result(config, genotype)
    records.write_result(workdir, genotype, cost, config, values, measured, devices)
    return f"""
Search finished: {loop.step} evaluations of {summary["distinct"]} genotypes \
in {duration(cost.seconds)}.
  genotype      {workdir.genotype}
  its picture   {picture}
{records.indented(genotype)}
  its worth     {format_worth(config, best.worth)}, by --estimator=\
{config.estimator} in evaluation {loop.best + 1}
{nasbench201_oracle.summary_line(config, genotype)}\
  evaluations   {workdir.evaluations}
  drawn         {workdir.path / "evaluations.png"}
  watch         {watch_command(workdir.path)}
  next          {evaluation_command(workdir, config)}"""
