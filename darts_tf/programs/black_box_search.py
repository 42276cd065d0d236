"""Searches that ask an estimator under a budget: from flags to the end."""

from __future__ import annotations

import dataclasses
import math

from darts_tf.cli import strategy_flags
from darts_tf.descent.workers import CHOICE as MULTI_WORKER
from darts_tf.errors import InputError
from darts_tf.programs import estimators, nasbench201_oracle, records, setup
from darts_tf.programs.evaluation_log import EvaluationLog
from darts_tf.run.files import write_atomic
from darts_tf.run.loop.driver import Summary, drive
from darts_tf.run.loop.progress import duration
from darts_tf.run.pictures import genotypes
from darts_tf.run.pictures.evaluations import draw_evaluations
from darts_tf.space import recurrent
from darts_tf.space.registry import space_by_name
from darts_tf.strategy.black_box.evaluation_loop import Budget, EvaluationLoop
from darts_tf.strategy.black_box.strategies import strategy_by_name

TOGETHER = 10
"""Evaluations between two lines of progress, of estimators that answer at
once; of all others each has its own."""


def search(flags) -> None:
    """Evaluations until the budget is spent, and what they leave."""
    if flags.distribute == MULTI_WORKER:
        raise InputError(
            f"--distribute={MULTI_WORKER} spreads the steps of one descent, "
            f"and --strategy={flags.strategy} evaluates one genotype after "
            f"another in one process; leave it out"
        )
    # What one_shot measures is a supernet; the others train derived networks.
    replicas = setup.prepare(flags, supernet=flags.estimator == "one_shot")
    nasbench201_oracle.check(flags, flags.space)
    strategy = strategy_of(flags)
    estimator = estimators.estimator_of(flags, replicas)
    with setup.open_run(flags, replicas) as workdir:
        loop = EvaluationLoop(
            space_by_name(flags.space),
            strategy,
            EvaluationLog(workdir, estimator).estimate,
            Budget(flags.budget_evaluations, flags.budget_seconds),
            TOGETHER if flags.estimator in estimators.AT_ONCE else 1,
        )
        with records.reporting(workdir, flags, replicas) as reporter:
            cost = drive(
                loop,
                workdir,
                report_every=1,
                checkpoint_every=0,
                reporter=reporter,
            )
            figure = draw_evaluations(worths(loop), measure(flags))
            reporter.image(loop.step, "evaluations", figure)
        write_atomic(workdir.path / "evaluations.png", genotypes.figure_to_png(figure))
        finish(workdir, loop, cost, flags, replicas.count)


def strategy_of(flags):
    """The strategy that the flags name, with its own flags as settings."""
    own = strategy_flags.OWN_FLAGS[flags.strategy]
    settings = {
        name.removeprefix(f"{flags.strategy}_"): flags[name].value for name in own
    }
    space = space_by_name(flags.space)
    return strategy_by_name(flags.strategy, space, flags.seed, **settings)


def worths(loop: EvaluationLoop) -> list[float]:
    """In the order of the evaluations."""
    return [found.worth for found in loop.evaluations]


def measure(flags) -> str:
    """What worth is, in words."""
    if flags.space == recurrent.SPACE.name:
        return "minus log of the validation perplexity"
    return "validation accuracy"


def told(flags, worth: float) -> str:
    """A worth in the words of its measure."""
    if flags.space == recurrent.SPACE.name:
        return f"validation perplexity {math.exp(-worth):.2f}"
    return f"validation accuracy {worth:.2%}"


def finish(workdir, loop: EvaluationLoop, cost: Summary, flags, devices: int) -> None:
    """genotype.json, result.json, pictures and the last words."""
    genotype, best = loop.best_genotype(), loop.evaluations[loop.best]
    write_atomic(workdir.genotype, genotype.to_json())
    files = genotypes.save_genotype(genotype, workdir.path / "genotype")
    # An evaluation that a stop cut in two knows more than the last clock.
    cost = dataclasses.replace(cost, seconds=max(cost.seconds, loop.seconds))
    summary = loop.end_epoch()
    measured = {
        "worth": best.worth,
        "evaluation": loop.best + 1,
        "evaluations": loop.step,
        "distinct": summary["distinct"],
        "evaluation_seconds": loop.seconds,
    } | nasbench201_oracle.result(flags, genotype)
    records.write_result(workdir, genotype, cost, flags, measured, devices)
    print(f"""
Search finished: {loop.step} evaluations of {summary["distinct"]} genotypes \
in {duration(cost.seconds)}.
  genotype      {workdir.genotype}
  its picture   {files[0]}
{records.indented(genotype)}
  its worth     {told(flags, best.worth)}, by --estimator=\
{flags.estimator} in evaluation {loop.best + 1}
{nasbench201_oracle.told(flags, genotype)}\
  evaluations   {workdir.evaluations}
  drawn         {workdir.path / "evaluations.png"}
  watch         tensorboard --logdir={records.quoted(workdir.tensorboard)}
  next          {records.evaluation_command(workdir, flags)}""")
