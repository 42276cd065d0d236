"""Searches chains within latency targets, beside MobileNetV2 and random chains.

    python -m benchmarks.studies.mobile_chain.measure --runs=runs/chains \
        --data_dir=DIR --out=benchmarks/studies/mobile_chain

Measures a latency table of this machine (LiteRT, one thread), and for each target
searches one chain by search.flags with --cost=latency. It trains that chain,
MobileNetV2 at the largest width that is within the target as a whole network, and
--random_chains chains whose predicted latency is near the target, all of them by
training.flags, and times the networks by LiteRT in float32, untrained, as weights do
not change what is computed: all of them one after the other in each of --rounds, so
that a slow minute of the machine is in few times of a network, whose median counts; and
after each network its own parts, whose sum is what a table of the same seconds would
predict. The width is chosen by processor time, which other work on
the machine hardly changes.

Started again, the same command goes on where it was. --only=timing times all networks
again, for a quiet machine; earlier times stay until
the last one is measured. Writes mobile_chain.jsonl (a line a network) and
mobile_chain.png to OUT, and prints a Markdown table.
"""

from __future__ import annotations

from darts_tf.cli import entry_point  # isort: skip

import dataclasses
import functools
import itertools
import os
import pathlib
import time
from collections.abc import Callable, Iterator

import numpy as np
from absl import flags

from benchmarks.studies.latency.together import Together
from benchmarks.studies.lines import read_lines, write_lines
from benchmarks.studies.mobile_chain import report
from benchmarks.studies.mobile_chain.chains import random_chain, width_within
from benchmarks.studies.unfinished import run_all
from darts_tf.config import LatencyConfig
from darts_tf.config_rules import settle
from darts_tf.errors import InputError
from darts_tf.networks.footprint.cost_table import CostTable
from darts_tf.reading import read_json
from darts_tf.run.files import write_atomic, write_json_atomic
from darts_tf.run.pictures.genotypes import figure_to_png
from darts_tf.run.process import children
from darts_tf.space.genotype import Genotype
from darts_tf.space.published import load_genotype
from darts_tf.space.registry import space_by_name

FOLDER = pathlib.Path(__file__).parent
SPACE, PUBLISHED = "mobile_chain", "MobileNetV2"
SEARCHED, RANDOM = "searched", "random"
CLASSES = 10
WIDTHS = [round(0.05 * n, 2) for n in range(1, 61)]
"""Width multipliers that MobileNetV2 may have."""

RUNS = 60
"""Runs of a network whose processor time is measured."""

NEAR = 0.1
"""Distance of a random chain's predicted latency from the target, as a share of it."""

TABLE = "latency.csv"
"""Latency table of the searches."""

flags.DEFINE_string("runs", None, "folder of the runs", required=True)
flags.DEFINE_string("out", ".", "folder of the lines and the picture")
flags.DEFINE_string("data_dir", None, "folder of CIFAR-10")
flags.DEFINE_list("targets", ["0.5", "1.2", "3"], "latencies in milliseconds")
flags.DEFINE_integer("random_chains", 3, "of each target", 1)
flags.DEFINE_float("width_multiplier", 0.25, "of the space", 0)
flags.DEFINE_integer("image_size", 16, "pixels of a side", 3)
flags.DEFINE_float("max_noise", 0.1, "as train.latency", 0)
flags.DEFINE_integer("rounds", 5, "times that each network is timed", 1)
flags.DEFINE_enum("only", "all", ["all", "timing", "report"], "what is to be done")
flags.DEFINE_list("more_search", [], "flags that every search is given")
flags.DEFINE_list("more_training", [], "flags that every training is given")
FLAGS = flags.FLAGS


@dataclasses.dataclass(frozen=True)
class Network:
    """One network of the study.

    Attributes:
      target: milliseconds, as the flag has them.
      kind: SEARCHED, PUBLISHED or RANDOM and a number.
      genotype: of the network.
      width: its width multiplier.
    """

    target: str
    kind: str
    genotype: Genotype
    width: float

    @property
    def name(self) -> str:
        """Returns the place of its run below the folder of the runs."""
        return f"{self.target}ms/{self.kind}"


def main(_) -> int:
    """Does what is left, and reports."""
    from darts_tf.run.process import quiet_tensorflow  # isort: skip  # noqa: F401
    from darts_tf.programs import setup

    setup.own_process()
    runs, out = (pathlib.Path(p).expanduser() for p in (FLAGS.runs, FLAGS.out))
    for folder in (runs, out):
        folder.mkdir(parents=True, exist_ok=True)
    if FLAGS.only == "report":
        return _report(runs, out)
    table = predictions(runs / TABLE)
    check_targets(table)
    if FLAGS.only == "all":
        code = trained(runs, table)
        if code:
            return code
    time_networks(runs, table, again=FLAGS.only == "timing")
    return _report(runs, out)


def check_targets(table: CostTable) -> None:
    """Raises InputError where a target is no number between the table's bounds."""
    least, most = table.bounds()
    for text in FLAGS.targets:
        try:
            inside = least < float(text) < most
        except ValueError:
            inside = False
        if not inside:
            raise InputError(
                f"--targets={','.join(FLAGS.targets)}: {text} is no number of "
                f"milliseconds between {least:.3f} and {most:.3f}, the predicted "
                "latencies of the cheapest and the dearest chain"
            )


def settings(width: float, out: pathlib.Path | None = None) -> LatencyConfig:
    """Returns how networks of a width are timed."""
    return settle(
        LatencyConfig(
            space=SPACE,
            image_size=FLAGS.image_size,
            width_multiplier=width,
            classes=CLASSES,
            max_noise=FLAGS.max_noise,
            out=str(out),
        )
    )


def predictions(path: pathlib.Path) -> CostTable:
    """Returns the latencies that a table predicts; measures the table first."""
    from darts_tf.networks.footprint.latency_table import read_latency_table
    from darts_tf.programs import latency

    config = settings(FLAGS.width_multiplier, path)
    if not path.exists():
        print(latency.run(config), flush=True)
    parts = latency.parts_of(config)
    return read_latency_table(path, SPACE).costs(space_by_name(SPACE), parts)


def trained(runs: pathlib.Path, table: CostTable) -> int:
    """Searches and trains what is missing; returns an exit code.

    All targets are searched first; then each kind of network is trained for all
    targets before the next kind.
    """
    code = run_all(searches(runs))
    if code:
        return code
    write_widths(runs)
    return run_all(training(runs, network) for network in networks(runs, table))


def searches(runs: pathlib.Path) -> Iterator[children.Child]:
    """Yields the search of each target."""
    for target in FLAGS.targets:
        workdir = runs / f"{target}ms" / "search"
        command = (
            *("-m", "train.search", f"--flagfile={FOLDER / 'search.flags'}"),
            f"--width_multiplier={FLAGS.width_multiplier}",
            f"--image_size={FLAGS.image_size}",
            f"--latency_table={runs / TABLE}",
            f"--cost_target={target}ms",
            f"--workdir={workdir}",
            *_data(),
            *FLAGS.more_search,
        )
        yield children.Child(str(workdir), command, workdir / "result.json")


def training(runs: pathlib.Path, network: Network) -> children.Child:
    """Returns the training of a network; writes its genotype for it."""
    workdir = runs / network.name
    workdir.mkdir(parents=True, exist_ok=True)
    genotype = workdir.with_suffix(".json")
    write_atomic(genotype, network.genotype.to_json())
    command = (
        *("-m", "train.evaluate", f"--flagfile={FOLDER / 'training.flags'}"),
        f"--width_multiplier={network.width}",
        f"--image_size={FLAGS.image_size}",
        f"--genotype={genotype}",
        f"--workdir={workdir}",
        *_data(),
        *FLAGS.more_training,
    )
    return children.Child(str(workdir), command, workdir / "result.json")


def _data() -> list[str]:
    return [f"--data_dir={FLAGS.data_dir}"] if FLAGS.data_dir else []


def write_widths(runs: pathlib.Path) -> None:
    """Measures the width of MobileNetV2 for each target, once, into widths.json."""
    from darts_tf.programs import latency

    path = runs / "widths.json"
    widths = read_json(path) if path.exists() else {}
    genotype = load_genotype(PUBLISHED, SPACE)
    for target in FLAGS.targets:
        if target in widths:
            continue

        def milliseconds(width: float) -> float:
            timed = latency.timed_network(settings(width), genotype)
            value = processor_milliseconds(timed.run)
            print(f"{PUBLISHED}, width {width}: {value:.3f} ms", flush=True)
            return value

        widths[target] = width_within(milliseconds, float(target), WIDTHS)
        write_json_atomic(path, widths)


def processor_milliseconds(run: Callable[[], object]) -> float:
    """Returns the median processor time of a run in this thread."""
    times = []
    for _ in range(RUNS):
        start = time.thread_time()
        run()
        times.append(time.thread_time() - start)
    return float(np.median(times)) * 1e3


def networks(runs: pathlib.Path, table: CostTable) -> Iterator[Network]:
    """Yields the networks whose searches and widths are known."""
    width = FLAGS.width_multiplier
    path = runs / "widths.json"
    widths = read_json(path) if path.exists() else {}
    for target in FLAGS.targets:
        found = runs / f"{target}ms" / "search" / "genotype.json"
        if found.exists():
            yield Network(target, SEARCHED, Genotype.from_file(found), width)
    for target in FLAGS.targets:
        if target in widths:
            genotype = load_genotype(PUBLISHED, SPACE)
            yield Network(target, PUBLISHED, genotype, widths[target])
    for number in range(FLAGS.random_chains):
        for target in FLAGS.targets:
            genotype = random_chain(table, float(target), NEAR, number)
            yield Network(target, f"{RANDOM}_{number}", genotype, width)


def time_networks(runs: pathlib.Path, table: CostTable, again: bool) -> None:
    """Times the networks of finished trainings, in rounds, as far as is missing.

    Args:
      runs: folder of the runs.
      table: the predictions with which was searched.
      again: times all of them, into another file that takes the place of the first
        at the end.
    """
    final = runs / "timing.jsonl"
    path = runs / "timing_again.jsonl" if again else final
    lines = read_lines(path)
    known = {(line["round"], line["target"], line["kind"]) for line in lines}
    trained = [
        network
        for network in networks(runs, table)
        if (runs / network.name / "result.json").exists()
    ]
    together = functools.cache(lambda width: Together(settings(width)))
    for number, network in itertools.product(range(FLAGS.rounds), trained):
        if (number, network.target, network.kind) not in known:
            times = together(network.width).measure(network.genotype)
            lines.append({"round": number, **line_of(network, *times, table)})
            write_lines(path, lines)
            print(lines[-1], flush=True)
    if again:
        os.replace(path, final)


def line_of(network: Network, whole: float, parts: float, table: CostTable) -> dict:
    """Returns the line of a network that was timed.

    Args:
      network: any of the study.
      whole: its milliseconds.
      parts: the sum of those of its parts, timed in the same seconds.
      table: what predicts chains of the space's width; others have no prediction.
    """
    known = network.width == FLAGS.width_multiplier
    return {
        "target": network.target,
        "kind": network.kind,
        "predicted_ms": round(table.of(network.genotype), 4) if known else None,
        "measured_ms": round(whole, 4),
        "parts_ms": round(parts, 4),
        "load": round(os.getloadavg()[0], 2),
    }


def medians(lines: list[dict]) -> Iterator[dict]:
    """Yields a line for each network: the median of its rounds, and all of them.

    "to_parts" is the median of a network's time as a share of the sum of its parts,
    timed in the same seconds.
    """
    groups: dict[tuple[str, str], list[dict]] = {}
    for line in lines:
        groups.setdefault((line["target"], line["kind"]), []).append(line)
    for rounds in groups.values():
        times = [line["measured_ms"] for line in rounds]
        ratios = [line["measured_ms"] / line["parts_ms"] for line in rounds]
        yield {
            **{name: rounds[0][name] for name in ("target", "kind", "predicted_ms")},
            "measured_ms": round(float(np.median(times)), 4),
            "rounds_ms": times,
            "to_parts": round(float(np.median(ratios)), 4),
            "load": max(line["load"] for line in rounds),
        }


def _report(runs: pathlib.Path, out: pathlib.Path) -> int:
    rows = [*outcomes(runs)]
    if rows:
        write_lines(out / "mobile_chain.jsonl", rows)
        write_atomic(out / "mobile_chain.png", figure_to_png(report.draw(rows)))
    print(report.markdown(rows))
    return 0


def outcomes(runs: pathlib.Path) -> Iterator[dict]:
    """Yields what is known of each network that is trained and timed."""
    for line in medians(read_lines(runs / "timing.jsonl")):
        name = f"{line['target']}ms/{line['kind']}"
        result = read_json(runs / name / "result.json")
        settings_used = result["flags"]
        yield line | {
            "width_multiplier": settings_used["width_multiplier"],
            "test_accuracy": round(100 * (1 - result["test"]["error"]), 2),
            "parameters": result["parameters"],
            "multiply_adds": result["multiply_adds"],
            "genotype": result["genotype"],
        }


if __name__ == "__main__":
    entry_point.run(main)
