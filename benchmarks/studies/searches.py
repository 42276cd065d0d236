"""Runs several searches, each from several seeds, one after another.

    python -m benchmarks.studies.searches --flagfiles=A.flags,B.flags --seeds=0,1,2 \
        --out=runs/study --more=--data_dir=DIR

Each search lies in OUT/<name of its flagfile>/seed_<k>. Started again, the
same command goes on where it was; finished searches are skipped. All first
seeds come first, so that an unfinished study can be compared already.
"""

from __future__ import annotations

from darts_tf.cli import entry_point  # isort: skip

import pathlib
from collections.abc import Iterator

from absl import flags

from benchmarks.studies.unfinished import run_all
from darts_tf.errors import InputError
from darts_tf.run.process import children

flags.DEFINE_list("flagfiles", None, "of the searches", required=True)
flags.DEFINE_list("seeds", ["0", "1", "2"], "of each of them")
flags.DEFINE_string("out", None, "folder of the study", required=True)
flags.DEFINE_list("more", [], "flags that every search is given")
FLAGS = flags.FLAGS


def main(_) -> int:
    """Runs what is left; the first that fails or stops ends it."""
    paths = [pathlib.Path(name) for name in FLAGS.flagfiles]
    missing = [str(path) for path in paths if not path.is_file()]
    if missing or not all(seed.isdecimal() for seed in FLAGS.seeds):
        raise InputError(
            f"--flagfiles needs files and --seeds numbers; received "
            f"{', '.join(missing or FLAGS.seeds)}"
        )
    if len({path.stem for path in paths}) < len(paths):
        raise InputError(
            "--flagfiles of one name would share a folder; give each of them "
            f"an --out of its own; received {', '.join(FLAGS.flagfiles)}"
        )
    return run_all(searches(paths))


def searches(paths: list[pathlib.Path]) -> Iterator[children.Child]:
    """Returns all searches, in their order."""
    for seed in FLAGS.seeds:
        for path in paths:
            workdir = pathlib.Path(FLAGS.out, path.stem, f"seed_{seed}")
            yield children.Child(
                str(workdir),
                (
                    "-m",
                    "train.search",
                    f"--flagfile={path}",
                    f"--seed={seed}",
                    f"--workdir={workdir}",
                    *FLAGS.more,
                ),
                workdir / "result.json",
            )


if __name__ == "__main__":
    entry_point.run(main)
