"""Trains a genotype's network from scratch, tests it once, at the end."""

from __future__ import annotations

from darts_tf.cli import entry_point  # isort: skip  # noqa: F401
from darts_tf.run.process import quiet_tensorflow  # isort: skip  # noqa: F401

from absl import flags

from darts_tf.cli import flags as run_flags
from darts_tf.cli import recipe_flags, space_flags
from darts_tf.programs import memory_report, records, setup
from darts_tf.programs.task_registry import kind_of
from darts_tf.run.loop.driver import drive
from darts_tf.space.published import load_genotype

FLAGS = flags.FLAGS
run_flags.define_workdir("evaluation")
run_flags.define_evaluation()
run_flags.define_space()
run_flags.define_network(channels=36, layers=20)
run_flags.define_language(words=0.1, patience=True)
run_flags.define_descent(epochs=600, batch_size=96)
recipe_flags.define_recipe()
recipe_flags.define_limit()
run_flags.define_data()
run_flags.define_precision()
run_flags.define_run()
flags.adopt_module_key_flags(run_flags)
flags.adopt_module_key_flags(recipe_flags)


def main(_) -> None:
    """Training, result.json and a summary."""
    genotype = load_genotype(FLAGS.genotype, FLAGS.space)
    replicas = setup.prepare(FLAGS)
    kind = kind_of(FLAGS.space)
    loop, data = kind.training_of(FLAGS, genotype, replicas)
    memory_report.training(FLAGS, genotype, data, replicas)
    with setup.open_run(FLAGS, replicas) as workdir:
        if replicas.chief:
            records.keep_genotype(workdir, genotype)
        with records.reporting(workdir, FLAGS, replicas) as reporter:
            keeper = records.EvaluationRecords(reporter, data, FLAGS)
            cost = drive(
                loop,
                workdir,
                report_every=FLAGS.report_every,
                checkpoint_every=FLAGS.checkpoint_every,
                reporter=reporter,
                on_epoch=keeper.on_epoch,
                team=replicas,
            )
        records.finish_evaluation(workdir, loop, data, cost, FLAGS)


if __name__ == "__main__":
    entry_point.run(main, check=space_flags.check_space)
