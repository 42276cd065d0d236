"""--strategy=random_weight_sharing: from flags to a loop and its records."""

from __future__ import annotations

import json

from darts_tf.descent.replicas import Replicas
from darts_tf.programs import images, memory_report, nasbench201_oracle, records, setup
from darts_tf.programs.image_data import Batches
from darts_tf.run.files import write_atomic
from darts_tf.run.loop.driver import Summary, drive
from darts_tf.run.loop.progress import duration
from darts_tf.run.pictures import genotypes
from darts_tf.run.pictures.evaluations import draw_evaluations
from darts_tf.strategy.one_shot.weight_sharing import (
    RandomWeightSharing,
    WeightSharingSettings,
)


def search(flags) -> None:
    """Shared weights, the ranking, and what they leave."""
    replicas = setup.prepare(flags, supernet=True)
    nasbench201_oracle.check(flags, flags.space)
    loop = build(flags, replicas)
    with setup.open_run(flags, replicas) as workdir:
        with records.reporting(workdir, flags, replicas) as reporter:
            cost = drive(
                loop,
                workdir,
                report_every=flags.report_every,
                checkpoint_every=flags.checkpoint_every,
                reporter=reporter,
                team=replicas,
            )
        if replicas.chief:
            finish(workdir, loop, cost, flags)


def build(flags, replicas: Replicas) -> RandomWeightSharing:
    """The supernet and its search, as the flags say."""
    data = images.search_data(flags)
    memory_report.given_weights(flags, data, replicas)
    model = images.built_supernet(flags, data, replicas)
    settings = setup.settings(
        WeightSharingSettings,
        flags,
        steps_per_epoch=data.parts[0].size // flags.batch_size,
    )
    return RandomWeightSharing(
        model,
        settings,
        Batches(flags, data, 0, replicas).augmented,
        Batches(flags, data, 1, replicas).same(flags.measured_batches),
        replicas,
    )


def finish(workdir, loop: RandomWeightSharing, cost: Summary, flags) -> None:
    """genotype.json, result.json, pictures and the last words."""
    genotype, best = loop.best_genotype(), max(loop.worths)
    write_atomic(workdir.genotype, genotype.to_json())
    write_atomic(workdir.evaluations, ranking(loop))
    files = genotypes.save_genotype(genotype, workdir.path / "genotype")
    figure = draw_evaluations(loop.worths, "accuracy with shared weights")
    drawn = workdir.path / "evaluations.png"
    write_atomic(drawn, genotypes.figure_to_png(figure))
    measured = {
        "worth": best,
        "evaluation": loop.worths.index(best) + 1,
        "evaluations": len(loop.worths),
    } | nasbench201_oracle.result(flags, genotype)
    records.write_result(workdir, genotype, cost, flags, measured)
    print(f"""
Search finished: {loop.trained_steps} steps with shared weights and \
{len(loop.worths)} evaluations in {duration(cost.seconds)}.
  genotype      {workdir.genotype}
  its picture   {files[0]}
{records.indented(genotype)}
  its worth     validation accuracy {best:.2%} of the supernet with its \
operations alone
{nasbench201_oracle.told(flags, genotype)}\
  evaluations   {workdir.evaluations}
  drawn         {drawn}
  watch         tensorboard --logdir={records.quoted(workdir.tensorboard)}
  next          {records.evaluation_command(workdir, flags)}""")


def ranking(loop: RandomWeightSharing) -> str:
    """evaluations.jsonl: a line for each genotype, in the order of drawing."""
    lines = [
        {
            "step": number,
            "worth": worth,
            "genotype": json.loads(loop.candidate(number - 1).to_json()),
        }
        for number, worth in enumerate(loop.worths, 1)
    ]
    return "".join(json.dumps(line) + "\n" for line in lines)
