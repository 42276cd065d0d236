"""Measures how well a latency table predicts the latency of whole networks.

    python -m benchmarks.studies.latency.predictor --space=darts_conv \
        --out=benchmarks/studies/latency

Times the parts of a space's networks (as train.latency does), then whole networks
of random genotypes by the same runtime, and compares their times with the sums. All
networks are timed --rounds times, one after the other in each round, and the median of
its rounds is a network's time, so that a slow minute of the machine is in few of them.
After each network its own parts are timed again: their sum, of the same seconds, has
the error of adding up alone, and not that of a machine whose speed changes.
To be run on a machine that does nothing else: each line has the load of the machine (of
the last minute, this process included) when it was measured. Started again, the same
command goes on where it was. Writes SPACE_parts.csv (the table), SPACE.csv (a line for
each network and round) and SPACE.png to OUT (in 8 bits SPACE_int8), and prints a
Markdown table.
"""

from __future__ import annotations

from darts_tf.cli import entry_point  # isort: skip

import csv
import io
import os
import pathlib
from typing import Any

import numpy as np
from absl import flags
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from benchmarks.studies.estimators.ranks import kendall
from benchmarks.studies.latency.together import Together
from darts_tf.config import LatencyConfig, Quantize, Runtime, names
from darts_tf.config_rules import settle
from darts_tf.run.files import write_atomic
from darts_tf.run.pictures.genotypes import figure_to_png
from darts_tf.space.cell import ZERO
from darts_tf.space.genotype import Genotype
from darts_tf.space.registry import SPACES, is_chain, space_by_name
from darts_tf.strategy.black_box.random_choice import random_genotype
from darts_tf.strategy.diagnostics import collapse

COLUMNS = ("round", "seed", "predicted_ms", "measured_ms", "parts_ms", "load")

flags.DEFINE_enum("space", "darts_conv", list(SPACES), "whose networks are timed")
flags.DEFINE_integer("image_size", 32, "pixels of a side", 1)
flags.DEFINE_integer("channels", 16, "of the first cell; none of a chain", 1)
flags.DEFINE_integer("layers", 6, "cells; none of a chain", 3)
flags.DEFINE_float("width_multiplier", 1.0, "of a chain", 0)
flags.DEFINE_enum("runtime", "litert", names(Runtime), "what computes")
flags.DEFINE_integer("threads", 1, "of the runtime", 1)
flags.DEFINE_enum("quantize", "none", names(Quantize), "of LiteRT")
flags.DEFINE_float("max_noise", 0.1, "as train.latency", 0)
flags.DEFINE_integer("networks", 30, "random genotypes", 3)
flags.DEFINE_integer("rounds", 3, "times that each network is timed", 1)
flags.DEFINE_string("out", ".", "folder of what is written")
FLAGS = flags.FLAGS


def main(_) -> None:
    """Measures what is missing, and reports."""
    from darts_tf.run.process import quiet_tensorflow  # isort: skip  # noqa: F401
    from darts_tf.networks.footprint.latency_table import read_latency_table
    from darts_tf.programs import latency, setup

    setup.own_process()
    folder = pathlib.Path(FLAGS.out)
    folder.mkdir(parents=True, exist_ok=True)
    name = FLAGS.space
    name += f"_{FLAGS.quantize}" if FLAGS.quantize != "none" else ""
    config = settle(latency_config(folder / f"{name}_parts.csv"))
    print(latency.run(config))
    space = space_by_name(FLAGS.space)
    table = read_latency_table(config.out or "", space.name)
    costs = table.costs(space, latency.parts_of(config))
    path = folder / f"{name}.csv"
    rows = read(path)
    together = Together(config)
    for place in range(len(rows), FLAGS.rounds * FLAGS.networks):
        number, seed = divmod(place, FLAGS.networks)
        genotype = random_genotype(space, seed)
        whole, sum_of_parts = together.measure(genotype)
        rows.append(
            {
                "round": number,
                "seed": seed,
                "predicted_ms": round(costs.of(genotype), 4),
                "measured_ms": round(whole, 4),
                "parts_ms": round(sum_of_parts, 4),
                "load": round(os.getloadavg()[0], 2),
            }
        )
        write_atomic(path, as_csv(rows))
        print(rows[-1], flush=True)
    networks = medians(rows)
    predicted, measured = (
        np.array([row[name] for row in networks])
        for name in ("predicted_ms", "measured_ms")
    )
    genotypes = [random_genotype(space, int(row["seed"])) for row in networks]
    used = np.array([*map(all_used, genotypes)])
    numbers = errors(predicted, measured)
    picture = draw(predicted, measured, numbers)
    write_atomic(path.with_suffix(".png"), figure_to_png(picture))
    print(markdown(numbers, networks, table.origin))
    sums = np.array([row["parts_ms"] for row in networks])
    print(f"sums of the same seconds: {errors(sums, measured)}")
    if not used.all():
        for name, sum_ms in (("table", predicted), ("same seconds", sums)):
            part = errors(sum_ms[used], measured[used])
            print(f"{used.sum()} with all operations used, {name}: {part}")


def latency_config(out: pathlib.Path) -> LatencyConfig:
    """Returns the settings of the table of the parts."""
    return LatencyConfig(
        space=FLAGS.space,
        image_size=FLAGS.image_size,
        **sizes(),
        runtime=FLAGS.runtime,
        threads=FLAGS.threads,
        quantize=FLAGS.quantize,
        max_noise=FLAGS.max_noise,
        out=str(out),
    )


def sizes() -> dict[str, Any]:
    """Returns the size of the networks by the names of settings."""
    names = "channels", "layers"
    if is_chain(FLAGS.space):
        names = ("width_multiplier",)
    return {name: FLAGS[name].value for name in names}


def read(path: pathlib.Path) -> list[dict[str, float]]:
    """Returns the lines of an earlier start; none if there is no file."""
    if not path.exists():
        return []
    lines = csv.DictReader(io.StringIO(path.read_text("utf-8")))
    return [{name: float(row[name]) for name in COLUMNS} for row in lines]


def medians(rows: list[dict[str, float]]) -> list[dict[str, float]]:
    """Returns a line for each network, by seed: the medians of its rounds.

    Its sum of parts is its time divided by the median ratio of both, as a round's are
    of the same seconds.
    """
    rounds: dict[float, list[dict[str, float]]] = {}
    for row in rows:
        rounds.setdefault(row["seed"], []).append(row)
    lines = []
    for seed in sorted(rounds):
        time = float(np.median([row["measured_ms"] for row in rounds[seed]]))
        ratios = [row["measured_ms"] / row["parts_ms"] for row in rounds[seed]]
        own = {"measured_ms": time, "parts_ms": time / float(np.median(ratios))}
        lines.append(rounds[seed][0] | own)
    return lines


def as_csv(rows: list[dict]) -> str:
    """Returns the lines of the networks as CSV."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def errors(predicted: np.ndarray, measured: np.ndarray) -> dict[str, float]:
    """Returns how far predictions [N] are from measured times [N].

    "r2" is 1 - sum of squared errors / that of the mean; "r2_of_line" the same
    after the best straight line; "mape" the mean absolute error as a share of the
    measured time; "bias" the mean of predicted / measured, less 1; "kendall" tau-b.
    """
    total = ((measured - measured.mean()) ** 2).sum()
    return {
        "r2": float(1 - ((measured - predicted) ** 2).sum() / total),
        "r2_of_line": float(np.corrcoef(predicted, measured)[0, 1] ** 2),
        "mape": float(np.mean(np.abs(predicted / measured - 1))),
        "bias": float(np.mean(predicted / measured - 1)),
        "kendall": kendall(predicted, measured),
    }


def all_used(genotype: Genotype) -> bool:
    """Returns True if each operation of each cell lies between input and output.

    Where a derived edge may carry zero (NAS-Bench-201), an operation may get nothing
    but zero, or lead to nothing else; a compiled network has none of these.
    """
    for spec in space_by_name(genotype.space).cells:
        cell = genotype.cells[spec.name]
        present = sum(name != ZERO for name, _ in cell.edges)
        if spec.zero_kept and len(collapse.working(spec, cell)) < present:
            return False
    return True


def draw(predicted: np.ndarray, measured: np.ndarray, numbers: dict) -> Figure:
    """Draws a point a network, milliseconds, and the line of no error."""
    figure = Figure((5, 5), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    ends = [min(predicted.min(), measured.min()), max(predicted.max(), measured.max())]
    axes.plot(ends, ends, color="#8a8a8a", lw=1, label="predicted = measured")
    axes.plot(predicted, measured, "o", color="#1f5fa8", label="random networks")
    axes.set(xlabel="predicted, ms", ylabel="measured, ms")
    axes.set_title(
        f"{FLAGS.space}, quantize={FLAGS.quantize}: R2 {numbers['r2']:.3f}, mean "
        f"error {numbers['mape']:.1%}",
        fontsize=10,
    )
    axes.legend(frameon=False)
    return figure


def markdown(numbers: dict, rows: list[dict], origin) -> str:
    """Returns a row for the documentation."""
    size = ", ".join(f"{n.replace('_', ' ')} {v:g}" for n, v in sizes().items())
    size += f", {FLAGS.image_size} x {FLAGS.image_size}"
    times = [row["measured_ms"] for row in rows]
    return f"""
| space | networks | size | runtime | ms | R2 | R2 of a line | mean abs. error | bias | Kendall |
|---|---|---|---|---|---|---|---|---|---|
| {FLAGS.space} | {len(rows)} | {size} | {origin["runtime"]}, {origin["threads"]} thread(s) | \
{min(times):.2f} to {max(times):.2f} | {numbers["r2"]:.3f} | {numbers["r2_of_line"]:.3f} | \
{numbers["mape"]:.1%} | {numbers["bias"]:+.1%} | {numbers["kendall"]:.3f} |"""  # noqa: E501


if __name__ == "__main__":
    entry_point.run(main)
