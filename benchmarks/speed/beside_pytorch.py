"""Times a search step beside one in plain PyTorch, alternating in one run.

    pip install ".[bench]"
    python -m benchmarks.speed.beside_pytorch --methods=weights,first_order --out=DIR
    python -m benchmarks.speed.beside_pytorch --space=darts_recurrent --out=DIR

Each column is a process of its own (step_worker.py): memory is its own, and
while one takes a step the others wait. All columns warm up, then take steps
in turn. Numbers are medians, ratios those of PyTorch over ours; ours has that
of the better of PyTorch's memory layouts. The columns:

- pytorch: the passes of the paper's code (torch_search.py), in PyTorch's
  usual layout; pytorch_channels_last: the same in the other one (images).
- pytorch_alpha_only: without the gradients of the weights that the paper's
  code computes and drops where it needs those of alpha.
- pytorch_compile: that, by torch.compile (torch_compiled.py); its time to
  the first step has compiling in it.

With several --threads each row takes the one with which a step of "pytorch"
is fastest. Writes DIR/beside_pytorch.json and .md, of recurrent searches
DIR/beside_pytorch_recurrent.json and .md.
"""

from __future__ import annotations

from darts_tf.cli import entry_point  # isort: skip

import importlib.util
import pathlib
import platform
import statistics

import psutil
from absl import flags

from benchmarks.speed import size_flags
from benchmarks.speed.beside_table import OURS, as_table
from benchmarks.speed.column_process import ColumnProcess
from benchmarks.speed.step_worker import COLUMNS, METHODS, SPACES
from darts_tf.errors import InputError
from darts_tf.run.files import write_atomic, write_json_atomic

IMAGES, TEXT = SPACES
SIZES = {
    IMAGES: ("channels", "layers"),
    TEXT: ("hidden_size", "words", "bptt"),
}
POSSIBLE = {
    IMAGES: COLUMNS,
    TEXT: tuple(c for c in COLUMNS if c != "pytorch_channels_last"),
}
USUAL = {IMAGES: COLUMNS[:3], TEXT: COLUMNS[:2]}
USUAL_BATCH = {IMAGES: 16, TEXT: 256}

flags.DEFINE_enum("space", IMAGES, SPACES, "what is searched")
flags.DEFINE_list("methods", list(METHODS), "rows of the table")
flags.DEFINE_list(
    "columns",
    None,
    "of the table; default: ours and PyTorch's layouts; there are "
    f"{', '.join(COLUMNS)} (recurrent: no layouts)",
)
size_flags.define_sizes()
flags.adopt_module_key_flags(size_flags)
flags.DEFINE_integer(
    "batch_size", None, "default: 16 images, 256 sequences", lower_bound=2
)
flags.DEFINE_list("threads", ["0"], "of PyTorch (0: its own choice)")
flags.DEFINE_integer("warm_up", 2, "steps that are not timed", lower_bound=0)
flags.DEFINE_integer("steps", 7, "timed steps of each column", lower_bound=1)
flags.DEFINE_integer(
    "first_step_seconds",
    1800,
    "a column without a first step by then says so",
    lower_bound=1,
)
flags.DEFINE_string("out", "benchmarks/speed/results", "folder of the table")
FLAGS = flags.FLAGS


def sizes() -> dict[str, int]:
    """Returns the sizes of the network that is searched."""
    batch = FLAGS.batch_size or USUAL_BATCH[FLAGS.space]
    chosen = {name: FLAGS[name].value for name in SIZES[FLAGS.space]}
    return chosen | {"batch_size": batch}


def program(column: str, method: str, threads: str) -> list[str]:
    """Returns the command line of a column: its module and flags."""
    values = sizes() | {"space": FLAGS.space}
    size_flags = [f"--{name}={value}" for name, value in values.items()]
    if column != OURS:
        return [
            *("benchmarks.speed.torch_step", *size_flags, f"--column={column}"),
            *(f"--method={method}", f"--threads={threads}"),
        ]
    # So many steps that it never comes to its end.
    ours = ["benchmarks.speed.our_step", *size_flags, "--steps=1000"]
    if method == "weights":
        return [*ours, "--weights_only"]
    return [*ours, f"--method={method}"]


def start(column: str, method: str, threads: str) -> ColumnProcess:
    """Starts a column's process, and returns it after its first step."""
    command = program(column, method, threads)
    return ColumnProcess(command, FLAGS.first_step_seconds)


def best_threads(method: str) -> str:
    """Returns the one of --threads with which a step of "pytorch" is fastest."""
    if len(FLAGS.threads) == 1:
        return FLAGS.threads[0]
    fastest = {}
    for threads in FLAGS.threads:
        process = start("pytorch", method, threads)
        seconds = [process.step()["seconds"] for _ in range(3)]
        process.end()
        fastest[threads] = min(seconds)
    return min(fastest, key=fastest.get)


def row(method: str) -> dict[str, dict[str, object]]:
    """Measures every column of a row, their steps in turn."""
    threads = best_threads(method)
    started = {c: start(c, method, threads) for c in FLAGS.columns}
    running = {c: p for c, p in started.items() if not p.not_supported}
    for _ in range(FLAGS.warm_up):
        for process in running.values():
            process.step()
    steps = {column: [] for column in running}
    for _ in range(FLAGS.steps):
        for column, process in running.items():
            steps[column].append(process.step())
    return {
        column: numbers(process, steps[column])
        | ({} if column == OURS else {"threads": int(threads)})
        if column in running
        else {"not_supported": process.not_supported}
        for column, process in started.items()
    }


def numbers(process: ColumnProcess, steps: list[dict]) -> dict[str, float]:
    """Returns a column's numbers from its steps, and ends its process."""
    return {
        "step": statistics.median(step["seconds"] for step in steps),
        "step_cpu": statistics.median(step["cpu_seconds"] for step in steps),
        "first_step": process.first_step,
        "peak_gb": process.end(),
    }


def check_lists() -> None:
    """Sets the columns; refuses methods, columns and threads that do not exist."""
    if FLAGS.columns is None:
        FLAGS.columns = list(USUAL[FLAGS.space])
    counts = [str(n) for n in range(psutil.cpu_count() + 1)]
    for name, allowed in (
        ("methods", METHODS),
        ("columns", POSSIBLE[FLAGS.space]),
        ("threads", counts),
    ):
        chosen = FLAGS[name].value
        unknown = [one for one in chosen if one not in allowed]
        if unknown or not chosen:
            raise InputError(
                f"--{name} of {FLAGS.space} takes {', '.join(allowed)}; "
                f"received {', '.join(unknown) or 'none'}"
            )
    for space in SPACES:
        for name in SIZES[space]:
            if space != FLAGS.space and FLAGS[name].present:
                raise InputError(
                    f"--{name} is of --space={space}; leave it out with "
                    f"--space={FLAGS.space}"
                )
    if set(FLAGS.columns) - {OURS} and not importlib.util.find_spec("torch"):
        raise InputError(
            "PyTorch's columns need PyTorch: pip install torch, or give --columns=ours"
        )


def main(_) -> None:
    """Measures all rows; writes each as soon as it is measured."""
    check_lists()
    out = pathlib.Path(FLAGS.out)
    out.mkdir(parents=True, exist_ok=True)
    name = "beside_pytorch" + ("_recurrent" if FLAGS.space == TEXT else "")
    rows = {}
    for method in FLAGS.methods:
        rows[method] = row(method)
        result = {
            "machine": f"{platform.machine()}, {psutil.cpu_count()} CPUs",
            "space": FLAGS.space,
            **sizes(),
            "steps": FLAGS.steps,
            "rows": rows,
        }
        write_json_atomic(out / f"{name}.json", result)
        write_atomic(out / f"{name}.md", as_table(rows))
    print(as_table(rows))


if __name__ == "__main__":
    entry_point.run(main)
