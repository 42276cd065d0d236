"""Searches that ask an estimator for worths, under a budget."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

from darts_tf.config import SearchConfig
from darts_tf.config_rules import (
    ACCURACY,
    STRATEGY_NAMES,
    is_text,
    rung_epochs,
)
from darts_tf.config_rules import COST_TITLES as TITLES
from darts_tf.descent.workers import CHOICE as MULTI_WORKER
from darts_tf.errors import DivergedError, InputError
from darts_tf.programs import (
    derived_costs,
    estimators,
    nasbench201_oracle,
    records,
    search_costs,
    search_fronts,
    setup,
    supernets,
)
from darts_tf.programs.commands import watch_command
from darts_tf.programs.evaluation_log import EvaluationLog
from darts_tf.programs.next_command import evaluation_command
from darts_tf.programs.own_data import source_of
from darts_tf.programs.search_fronts import GenotypeCosts
from darts_tf.protocol import front_comparison
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
      DivergedError: all trainings diverged.
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
    setup.check_free(path, replicas, "search", config)
    nasbench201_oracle.check(config, config.space)
    costs = GenotypeCosts(config, data)
    strategy = strategy_of(config, costs)
    estimator = estimators.estimator_of(config, replicas, data)
    data = source_of(getattr(estimator, "data", data))
    values, rungs = setup.run_values(config, data), rung_epochs(config)
    with setup.open_run("search", config, path, replicas, data) as workdir:
        search_costs.keep_latency_table(config, workdir)
        log = EvaluationLog(workdir, estimator, rungs, costs)
        loop = EvaluationLoop(
            space_by_name(config.space),
            strategy,
            lambda genotype, number: log.estimate(genotype, number, strategy.rung),
            Budget(config.budget_evaluations, config.budget_seconds),
            TOGETHER if config.estimator in estimators.AT_ONCE else 1,
            costs.allowed if costs.limited else None,
        )
        with records.reporting(workdir, config, values, replicas) as reporter:
            cost = drive(
                loop,
                workdir,
                report_every=1,
                checkpoint_every=0,
                reporter=reporter,
            )
            _check_diverged(log.diverged, loop.step, workdir)
            figure = draw_evaluations(worths(loop), measure(config))
            if reporter is not None:
                reporter.image(loop.step, f"{PICTURES}/evaluations", figure)
        write_atomic(workdir.path / "evaluations.png", genotypes.figure_to_png(figure))
        return finish(
            workdir, loop, cost, config, values, replicas.count, costs, log.diverged
        )


def _check_diverged(diverged: int, evaluations: int, workdir) -> None:
    """Raises DivergedError if all trainings of a search diverged."""
    if diverged == evaluations:
        raise DivergedError(
            f"the trainings of all {evaluations} evaluations diverged, so that no "
            f"genotype is better than another ({workdir.evaluations}); a lower "
            "learning rate or gradient norm may help, in another `workdir`"
        )


def strategy_of(config: SearchConfig, costs: GenotypeCosts):
    """Returns the search strategy with its settings."""
    settings: dict[str, Any] = {
        name.removeprefix(f"{config.strategy}_"): getattr(config, name)
        for name in STRATEGY_NAMES[config.strategy]
    }
    space = space_by_name(config.space)
    if config.strategy == "nsga2":
        chosen = [name for name in config.objectives if name != ACCURACY]
        settings["costs"] = [costs.tables[name].of for name in chosen]
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
    costs: GenotypeCosts,
    diverged: int,
) -> str:
    """Writes genotype.json, result.json and pictures; returns the summary.

    `diverged` is the number of trainings that did; each counts as guessing.
    """
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
        **({"diverged": diverged} if diverged else {}),
        **trained(loop, rung_epochs(config)),
    } | nasbench201_oracle.result(config, genotype)
    if costs.tables:
        measured |= {"refused": loop.refused, "costs": costs(genotype)}
    chosen = records.indented(genotype)
    if config.objectives:
        front = search_fronts.front_of(loop, config, costs)
        measured["objectives"] = list(config.objectives)
        measured["front"] = search_fronts.write(workdir, front)
        rows = [
            {"worth": e.worth, "costs": costs(e.genotype)} for e in loop.evaluations
        ]
        figure = front_comparison.draw_search(rows, config.objectives)
        assert figure is not None
        search_fronts.write_picture(workdir, figure)
        chosen = _front_lines(workdir, measured["front"], config)
    records.write_result(workdir, genotype, cost, config, values, measured, devices)
    return f"""
Search finished: {loop.step} evaluations of {summary["distinct"]} genotypes \
in {duration(cost.seconds)}.
  genotype      {workdir.genotype}
  its picture   {picture}
{chosen}
  its worth     {format_worth(config, best.worth)}, by --estimator=\
{config.estimator} in evaluation {loop.best + 1}
{nasbench201_oracle.summary_line(config, genotype)}\
{_cost_lines(config, costs, genotype, loop.refused)}\
{_diverged_line(diverged, loop.step)}\
  evaluations   {workdir.evaluations}
  drawn         {workdir.path / "evaluations.png"}
  watch         {watch_command(workdir.path)}
  next          {_next(workdir, config, measured)}"""


def _front_lines(workdir, rows: Sequence[Mapping], config: SearchConfig) -> str:
    """Returns a summary's lines of the front and its picture."""
    names = [name for name in config.objectives if name != ACCURACY]
    words = " and ".join([ACCURACY, *(TITLES[name] for name in names)])
    return (
        f"  front         {len(rows)} genotypes that none beats in {words}\n"
        f"{search_fronts.table(rows, names)}\n"
        f"  front drawn   {workdir.path / search_fronts.PICTURE}"
    )


def _cost_lines(
    config: SearchConfig, costs: GenotypeCosts, genotype, refused: int
) -> str:
    """Returns a summary's lines of the costs and of what limits refused, or ""."""
    counted = costs(genotype)
    text = derived_costs.lines({n: {"derived": counted[n]} for n in counted})
    if costs.limited:
        text += f"  refused       {refused:,} draws beyond the limits\n"
    return text


def _diverged_line(diverged: int, evaluations: int) -> str:
    """Returns a summary's line of trainings that diverged, or ""."""
    if not diverged:
        return ""
    words = f"{diverged} of {evaluations} trainings, which count as guessing"
    return f"  diverged      {words}\n"


def _next(workdir, config: SearchConfig, measured: Mapping) -> str:
    """Returns the command that evaluates the genotype, or one of the front."""
    if config.estimator == "one_shot":  # its images are those of the supernet
        config = supernets.stored_config(config)
    if "front" not in measured:
        return evaluation_command(workdir, config)
    best = workdir.path / max(measured["front"], key=lambda row: row[ACCURACY])["file"]
    return (
        f"{evaluation_command(workdir, config, best)}\n"
        "                (its most accurate genotype; any other file of the front "
        "goes, too)"
    )
