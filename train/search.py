"""Searches for cells: python -m train.search --flagfile=configs/....flags

By descent on alpha (--strategy=darts or lambda_darts), by sharing weights
among random genotypes (random_weight_sharing), or by asking an --estimator
what one genotype after another is worth, under a budget. Where that trains
networks, flagfiles of train.evaluate can be given for the trainings.
"""

from __future__ import annotations

from darts_tf.cli import entry_point  # isort: skip  # noqa: F401
from darts_tf.run.process import quiet_tensorflow  # isort: skip  # noqa: F401

from absl import flags

from darts_tf.cli import (
    estimator_flags,
    recipe_flags,
    search_flags,
    search_program,
    space_flags,
    strategy_flags,
)
from darts_tf.cli import flags as run_flags
from darts_tf.programs import (
    black_box_search,
    memory_report,
    nasbench201_oracle,
    records,
    setup,
    weight_sharing,
)
from darts_tf.programs.task_registry import kind_of
from darts_tf.run.loop.driver import drive

FLAGS = flags.FLAGS
search_program.define()
flags.adopt_module_key_flags(run_flags)
flags.adopt_module_key_flags(search_flags)
flags.adopt_module_key_flags(strategy_flags)
flags.adopt_module_key_flags(recipe_flags)
flags.adopt_module_key_flags(estimator_flags)


def main(_) -> None:
    """Search, genotype.json and a summary."""
    if FLAGS.strategy == strategy_flags.SHARING:
        weight_sharing.search(FLAGS)
        return
    if FLAGS.strategy not in strategy_flags.RELAXED:
        black_box_search.search(FLAGS)
        return
    replicas = setup.prepare(FLAGS, supernet=True)
    nasbench201_oracle.check(FLAGS, FLAGS.space)
    kind = kind_of(FLAGS.space)
    data = kind.search_data(FLAGS)
    memory_report.search(FLAGS, data, replicas)
    loop = kind.search(FLAGS, replicas, data)
    with setup.open_run(FLAGS, replicas) as workdir:
        with records.reporting(workdir, FLAGS, replicas) as reporter:
            keeper = records.SearchRecords(workdir, reporter, FLAGS)
            cost = drive(
                loop,
                workdir,
                report_every=FLAGS.report_every,
                checkpoint_every=FLAGS.checkpoint_every,
                reporter=reporter,
                on_epoch=keeper.on_epoch,
                team=replicas,
            )
        if replicas.chief:
            records.finish_search(workdir, loop, cost, FLAGS, replicas.count)


if __name__ == "__main__":
    entry_point.run(main, check=space_flags.check_space)
