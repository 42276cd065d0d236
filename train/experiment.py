"""The paper's protocol: searches, selection by short training, full training.

    python -m train.experiment --flagfile=configs/digits/experiment.flags \\
        --workdir=runs/experiment

Several searches from different seeds; a short training of each cell that
they found; the best of them by validation is trained from several seeds, and
those are tested. Every run is a process of its own with a folder of its own
below --workdir, and a log in its folder "logs". Started again, it goes on
where it was and tries again what had failed. On several machines: --stage
and --task, from a scheduler's array jobs.
"""

from __future__ import annotations

from darts_tf.cli import entry_point  # isort: skip  (parses and reports)

from absl import flags

from darts_tf.cli import experiment_flags, flag_values
from darts_tf.cli import flags as run_flags
from darts_tf.protocol import folder, report, stages
from darts_tf.run.process import children

FLAGS = flags.FLAGS
experiment_flags.define_experiment()
flags.adopt_module_key_flags(run_flags)
flags.adopt_module_key_flags(experiment_flags)


def main(_) -> int:
    """All stages and the report, or what --stage and --task say."""
    experiment_flags.check_experiment(FLAGS)
    groups = children.groups(FLAGS.processes, FLAGS.gpus)
    plan = folder.make_plan(flag_values.values(FLAGS))
    alone = FLAGS.stage is None
    with folder.claim(plan, alone), children.Parent() as parent:
        if FLAGS.task is not None:
            return stages.run_task(plan, FLAGS.stage, FLAGS.task, parent, FLAGS.gpus)
        chosen = stages.STAGES if alone else [FLAGS.stage]
        for stage in chosen:
            if stage in stages.STAGES:
                stages.run_stage(plan, stage, parent, groups)
            if (code := stages.stopped(parent)) is not None:
                return code
        if FLAGS.stage not in (None, "report"):
            return 1 if stages.missing(plan, [FLAGS.stage]) else 0
        results = report.write(plan)
    print((plan.root / report.TABLE).read_text("utf-8") + f"\n{plan.root}")
    return 1 if results["missing"] else 0


if __name__ == "__main__":
    entry_point.run(main)
