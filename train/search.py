"""Searches for cells: python -m train.search --flagfile=configs/....flags"""

from __future__ import annotations

from darts_tf.run import cli, quiet_tensorflow  # isort: skip  # noqa: F401

from absl import flags

from darts_tf.networks.conv import Supernet
from darts_tf.run import flags as run_flags
from darts_tf.run.driver import drive
from darts_tf.run.tensorboard import Reporter
from darts_tf.space import conv
from darts_tf.strategy import relaxation, search_loop, tasks
from train import records, setup

FLAGS = flags.FLAGS
run_flags.define_workdir("search")
run_flags.define_network(channels=16, layers=8)
run_flags.define_descent(epochs=50, batch_size=64)
run_flags.define_search()
run_flags.define_data()
run_flags.define_run()
flags.adopt_module_key_flags(run_flags)


def main(_) -> None:
    """Search, genotype.json and a summary."""
    replicas = setup.prepare(FLAGS)
    portion = FLAGS.train_portion
    data = setup.load_data(FLAGS, [portion, 1 - portion])
    loop = build_loop(data, replicas)
    with setup.open_run(FLAGS) as workdir:
        step = records.resumed_step(workdir)
        with Reporter(workdir.tensorboard, step) as reporter:
            records.describe(reporter, FLAGS, loop)
            keeper = records.SearchRecords(workdir, reporter, FLAGS)
            cost = drive(
                loop,
                workdir,
                report_every=FLAGS.report_every,
                checkpoint_every=FLAGS.checkpoint_every,
                reporter=reporter,
                on_epoch=keeper.on_epoch,
            )
        records.finish_search(workdir, loop, cost, FLAGS)


def build_loop(data, replicas) -> search_loop.Search:
    """The supernet and its search, as the flags say."""
    space, image_shape = conv.SPACE, data.images.image_shape
    with replicas.scope():
        model = Supernet(
            space, FLAGS.channels, FLAGS.layers, data.images.num_classes
        )
        start = relaxation.initial_alpha(space, FLAGS.seed)
        setup.build(
            model,
            image_shape,
            relaxation.per_cell(start, space, model.kinds),
        )
    train = setup.Batches(FLAGS, data, 0, replicas)
    valid = setup.Batches(FLAGS, data, 1, replicas)
    task = tasks.ImageTask(
        model, train.augmented, valid.plain, valid.once, replicas
    )
    names = search_loop.SearchSettings.__dataclass_fields__.keys()
    given = {n: FLAGS[n].value for n in names if n in FLAGS}
    steps = data.parts[0].size // FLAGS.batch_size
    settings = search_loop.SearchSettings(steps_per_epoch=steps, **given)
    return search_loop.Search(task, settings, replicas)


if __name__ == "__main__":
    cli.run(main)
