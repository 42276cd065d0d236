"""Searches by random weight sharing (--strategy=random_weight_sharing)."""

from __future__ import annotations

import json

from darts_tf.config import SearchConfig
from darts_tf.descent.replicas import Replicas
from darts_tf.programs import memory_report, nasbench201_oracle, records, setup
from darts_tf.programs.commands import watch_command
from darts_tf.programs.image_data import Batches, Data
from darts_tf.programs.images import ImageProgramTask, built_supernet
from darts_tf.programs.next_command import evaluation_command
from darts_tf.programs.own_data import source_of
from darts_tf.run.files import write_atomic
from darts_tf.run.loop.driver import Summary, drive
from darts_tf.run.loop.progress import duration
from darts_tf.run.pictures import genotypes
from darts_tf.run.pictures.evaluations import draw_evaluations
from darts_tf.strategy.one_shot.weight_sharing import (
    RandomWeightSharing,
    WeightSharingSettings,
)


def search(config: SearchConfig, path, data=None) -> str:
    """Trains shared weights and ranks genotypes; returns the summary.

    Args:
      config: settled settings of the search.
      path: its folder.
      data: ImageData; loaded by its name where None.
    """
    replicas = setup.prepare(config, config.space, supernet=True)
    setup.check_free(path, replicas, "search", config)
    nasbench201_oracle.check(config, config.space)
    divided = ImageProgramTask().search_data(config, data)
    data = source_of(divided)
    loop, values = build(config, replicas, divided), setup.run_values(config, data)
    with setup.open_run("search", config, path, replicas, data) as workdir:
        with records.reporting(workdir, config, values, replicas) as reporter:
            cost = drive(
                loop,
                workdir,
                report_every=config.report_every,
                checkpoint_every=config.checkpoint_every,
                reporter=reporter,
                team=replicas,
            )
        return finish(workdir, loop, cost, config, values) if replicas.chief else ""


def build(config: SearchConfig, replicas: Replicas, data: Data) -> RandomWeightSharing:
    """Returns the search loop of a supernet with random weights, on divided data."""
    model = built_supernet(config, data, replicas)
    memory_report.report(model, "weights", config, data, replicas)
    settings = WeightSharingSettings(
        epochs=config.epochs,
        steps_per_epoch=data.parts[0].size // config.batch_size,
        batch_size=config.batch_size,
        final_evaluations=config.final_evaluations,
        micro_batches=config.micro_batches,
        learning_rate=config.learning_rate,
        learning_rate_min=config.learning_rate_min,
        momentum=config.momentum,
        weight_decay=config.weight_decay,
        clip_norm=config.clip_norm,
        precision=config.precision,
        seed=config.seed,
    )
    return RandomWeightSharing(
        model,
        settings,
        Batches(config, data, 0, replicas).augmented,
        Batches(config, data, 1, replicas).same(config.measured_batches),
        replicas,
    )


def finish(
    workdir,
    loop: RandomWeightSharing,
    cost: Summary,
    config: SearchConfig,
    values: dict,
) -> str:
    """Writes genotype.json, result.json and pictures; returns the summary."""
    genotype, best = loop.best_genotype(), max(loop.worths)
    picture = records.write_genotype(workdir, genotype)
    write_atomic(workdir.evaluations, ranking(loop))
    figure = draw_evaluations(loop.worths, "accuracy with shared weights")
    drawn = workdir.path / "evaluations.png"
    write_atomic(drawn, genotypes.figure_to_png(figure))
    measured = {
        "worth": best,
        "evaluation": loop.worths.index(best) + 1,
        "evaluations": len(loop.worths),
    } | nasbench201_oracle.result(config, genotype)
    records.write_result(workdir, genotype, cost, config, values, measured)
    return f"""
Search finished: {loop.trained_steps} steps with shared weights and \
{len(loop.worths)} evaluations in {duration(cost.seconds)}.
  genotype      {workdir.genotype}
  its picture   {picture}
{records.indented(genotype)}
  its worth     validation accuracy {best:.2%} of the supernet with its \
operations alone
{nasbench201_oracle.summary_line(config, genotype)}\
  evaluations   {workdir.evaluations}
  drawn         {drawn}
  watch         {watch_command(workdir.path)}
  next          {evaluation_command(workdir, config)}"""


def ranking(loop: RandomWeightSharing) -> str:
    """Returns evaluations.jsonl: a line for each genotype, in the order of drawing."""
    lines = [
        {
            "step": number,
            "worth": worth,
            "genotype": json.loads(loop.candidate(number - 1).to_json()),
        }
        for number, worth in enumerate(loop.worths, 1)
    ]
    return "".join(json.dumps(line) + "\n" for line in lines)
