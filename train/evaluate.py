"""Trains a genotype's network from scratch, tests it once, at the end."""

from __future__ import annotations

from darts_tf.run import cli, quiet_tensorflow  # isort: skip  # noqa: F401

from absl import flags

from darts_tf.estimation import training
from darts_tf.run import flags as run_flags
from darts_tf.run.driver import drive
from darts_tf.run.tensorboard import Reporter
from darts_tf.space.published import load_genotype
from train import records, setup

FLAGS = flags.FLAGS
run_flags.define_workdir("evaluation")
run_flags.define_evaluation()
run_flags.define_network(channels=36, layers=20)
run_flags.define_descent(epochs=600, batch_size=96)
run_flags.define_data()
run_flags.define_run()
flags.adopt_module_key_flags(run_flags)


def main(_) -> None:
    """Training, result.json and a summary."""
    genotype = load_genotype(FLAGS.genotype)
    replicas = setup.prepare(FLAGS)
    held = FLAGS.valid_fraction
    data = setup.load_data(FLAGS, [1 - held, held] if held else [1.0])
    loop = build_loop(genotype, data, replicas)
    with setup.open_run(FLAGS) as workdir:
        records.keep_genotype(workdir, genotype)
        step = records.resumed_step(workdir)
        with Reporter(workdir.tensorboard, step) as reporter:
            records.describe(reporter, FLAGS, loop)
            cost = drive(
                loop,
                workdir,
                report_every=FLAGS.report_every,
                checkpoint_every=FLAGS.checkpoint_every,
                reporter=reporter,
            )
        records.finish_evaluation(workdir, loop, data, cost, FLAGS)


def build_loop(genotype, data, replicas) -> training.Training:
    """The network and its training, as the flags say."""
    model = setup.build_evaluation_network(FLAGS, genotype, data, replicas)
    train = setup.Batches(FLAGS, data, 0, replicas)
    held = len(data.parts) > 1
    names = training.TrainingSettings.__dataclass_fields__.keys()
    given = {n: FLAGS[n].value for n in names if n in FLAGS}
    steps = data.parts[0].size // FLAGS.batch_size
    settings = training.TrainingSettings(steps_per_epoch=steps, **given)
    measured = setup.Batches(FLAGS, data, 1, replicas).once if held else None
    return training.Training(
        model, settings, train.augmented, measured, replicas
    )


if __name__ == "__main__":
    cli.run(main)
