"""Exports an evaluated network as a SavedModel: --workdir of train.evaluate.

The SavedModel takes raw uint8 images, or text, of any batch size, and needs
neither this package nor Keras.
"""

from __future__ import annotations

from darts_tf.cli import entry_point  # isort: skip  # noqa: F401
from darts_tf.run.process import quiet_tensorflow  # isort: skip  # noqa: F401

import json
import types

from absl import flags

from darts_tf.cli import flags as run_flags
from darts_tf.errors import InputError
from darts_tf.programs.task_registry import kind_of
from darts_tf.run.loop import checkpoints
from darts_tf.run.workdir import existing_workdir, read_flags
from darts_tf.space.published import load_genotype

FLAGS = flags.FLAGS
run_flags.define_workdir("evaluation")
flags.adopt_module_key_flags(run_flags)


def main(_) -> None:
    """The SavedModel in <workdir>/export."""
    workdir = existing_workdir(FLAGS.workdir)
    if not workdir.result.exists():
        raise InputError(
            f"--workdir={FLAGS.workdir} holds no finished evaluation; give "
            f"the folder of train.evaluate, finished"
        )
    named = read_flags(workdir.path)
    if "genotype" not in named:
        raise InputError(
            f"--workdir={FLAGS.workdir} is a search; evaluate its genotype "
            f"with train.evaluate and export that folder"
        )
    result = json.loads(workdir.result.read_text("utf-8"))
    genotype = load_genotype(str(workdir.genotype), named["space"])
    _, arrays = checkpoints.load_latest(workdir.checkpoints)
    usage = kind_of(named["space"]).export_model(
        types.SimpleNamespace(**named),
        genotype,
        result,
        arrays,
        workdir.export,
    )
    print(f"\nSavedModel: {workdir.export}\n\n{usage}")


if __name__ == "__main__":
    entry_point.run(main)
