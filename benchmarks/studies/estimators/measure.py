"""Measures how well estimators rank cells of NAS-Bench-201, and their cost.

    W=runs/nasbench201/small_random_weight_sharing/seed_0
    python -m train.search --data_dir=DIR --workdir=$W \\
        --flagfile=benchmarks/studies/estimators/small_random_weight_sharing.flags
    python -m benchmarks.studies.estimators.measure --more=--data_dir=DIR --cells=30 \\
        --nasbench201_table=DIR/nasbench201/accuracies.csv.gz \\
        --runs=runs/estimators --out=benchmarks/studies/estimators

The first command trains the supernet that one_shot and inherit need. Each
flagfile is given to a random search from the same seed, so that all estimate
the same random cells; the truth is the accuracy of a cell on the test images
of CIFAR-10 after 200 epochs, of which no estimator knows anything. Started
again, both go on where they were; with --cells raised, too. Writes
estimators.jsonl (a line for each estimate) and estimators.png, and prints a
Markdown table; the published accuracy after 12 epochs is one of its rows.
An estimator whose search is gone keeps the lines that estimators.jsonl has of
it. --report_only shows what is there.
"""

from __future__ import annotations

from darts_tf.cli import entry_point  # isort: skip

import json
import pathlib
import subprocess
import sys

from absl import flags

from benchmarks.studies.estimators import report
from darts_tf.data.nasbench201_table import read_table
from darts_tf.errors import InputError
from darts_tf.run.files import write_atomic
from darts_tf.run.loop.metrics import read_metrics
from darts_tf.run.pictures.genotypes import figure_to_png
from darts_tf.run.workdir import Workdir

CONFIGS = pathlib.Path("benchmarks", "studies", "estimators")

flags.DEFINE_string("nasbench201_table", None, "CSV", required=True)
flags.DEFINE_list("flagfiles", None, f"of the estimators (unset: {CONFIGS})")
flags.DEFINE_integer("cells", 30, "random cells that are estimated", 3)
flags.DEFINE_integer("seed", 0, "of the cells and the trainings", 0)
flags.DEFINE_string("runs", "runs/estimators", "folder of the searches")
flags.DEFINE_string("out", ".", "folder of the lines and the picture")
flags.DEFINE_list("more", [], "flags that every search is given")
flags.DEFINE_bool("report_only", False, "estimate nothing more")
FLAGS = flags.FLAGS


def main(_) -> int:
    """Runs missing searches, then reports; the first that fails ends it."""
    table, paths = read_table(FLAGS.nasbench201_table), flagfiles()
    for path in paths if not FLAGS.report_only else []:
        if code := estimate(path):
            return code
    estimates = {
        path.stem: report.estimates(runs_of(path), FLAGS.cells, table) for path in paths
    }
    estimates = {name: lines for name, lines in estimates.items() if len(lines) > 2}
    folder = pathlib.Path(FLAGS.out)
    lines_path = folder / "estimators.jsonl"
    names = [path.stem for path in paths]
    estimates = report.with_earlier(estimates, lines_path, names)
    if not estimates:
        raise InputError(
            f"--runs={FLAGS.runs} has no estimator with three estimates yet; "
            f"leave out --report_only"
        )
    estimates[report.TABLE] = report.published(estimates, table)
    folder.mkdir(parents=True, exist_ok=True)
    lines = [
        {"estimator": name, **line}
        for name, every in estimates.items()
        for line in every
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    write_atomic(lines_path, text)
    picture = figure_to_png(report.draw(estimates))
    write_atomic(folder / "estimators.png", picture)
    print(report.markdown(estimates))
    return 0


def flagfiles() -> list[pathlib.Path]:
    """Returns the paths of --flagfiles, or of those committed."""
    paths = [pathlib.Path(name) for name in FLAGS.flagfiles or ()]
    paths = paths or sorted(CONFIGS.glob("*.flags"))
    missing = [str(path) for path in paths if not path.is_file()]
    if missing or not paths:
        raise InputError(
            f"no such flagfile: {', '.join(missing) or CONFIGS}; give "
            f"--flagfiles, or start this in the project's folder"
        )
    return paths


def runs_of(path: pathlib.Path) -> pathlib.Path:
    """Returns the folder of the search with this flagfile."""
    return pathlib.Path(FLAGS.runs, path.stem)


def estimate(path: pathlib.Path) -> int:
    """Does the rest of a search; returns its exit code, 1 if it was stopped."""
    workdir = Workdir(runs_of(path))
    if len(read_metrics(workdir.evaluations)) >= FLAGS.cells:
        return 0
    print(f"\n{workdir.path}", flush=True)
    command = [
        *(sys.executable, "-m", "train.search", f"--flagfile={path}"),
        *("--space=nasbench201", "--strategy=random", f"--seed={FLAGS.seed}"),
        f"--budget_evaluations={FLAGS.cells}",
        *(f"--workdir={workdir.path}", *FLAGS.more),
    ]
    code = subprocess.run(command, check=False).returncode
    done = len(read_metrics(workdir.evaluations)) >= FLAGS.cells
    return code or (0 if done else 1)


if __name__ == "__main__":
    entry_point.run(main)
