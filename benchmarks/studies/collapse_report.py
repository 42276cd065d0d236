r"""Draws what several searches showed of themselves, side by side.

    python -m benchmarks.studies.collapse_report \
        --runs=DARTS=runs/a,Lambda=runs/b --out=FOLDER

Reads the epochs of each run's metrics.jsonl, its genotypes (for the skip
connections, which so need no instrument), and its result.json, where it has
finished. Writes FOLDER/<name>.png, a panel for each measure that some run
has, and FOLDER/<name>.md, a table of the last epochs; prints the table. Runs
of one name (several seeds) share a colour.
"""

from __future__ import annotations

from darts_tf.cli import entry_point  # isort: skip

import dataclasses
import json
import math
import pathlib

from absl import flags
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from darts_tf.errors import InputError
from darts_tf.run.files import write_atomic
from darts_tf.run.loop.metrics import read_metrics
from darts_tf.run.pictures.genotypes import figure_to_png
from darts_tf.run.workdir import existing_workdir
from darts_tf.space.genotype import Genotype
from darts_tf.space.registry import space_by_name
from darts_tf.strategy.diagnostics.collapse import collapse, counts

flags.DEFINE_list(
    "runs", None, "folders of searches, or NAME=FOLDER each", required=True
)
flags.DEFINE_string("out", ".", "folder of what is written")
flags.DEFINE_string("name", "collapse", "of the files, without ending")
FLAGS = flags.FLAGS

MAIN_CELLS = ("normal", "cell")
PANELS = (
    ("skip connections in the cell", "skip_connections/{cell}", None),
    ("noise operations in the cell", "noise/{cell}", None),
    ("dominant eigenvalue in alpha", "eigenvalue/dominant", None),
    ("layer alignment (dashed: L_val)", "alignment/train", "alignment/valid"),
    ("entropy of the mixing weights (nats)", "entropy/{cell}", None),
    (
        "validation accuracy, mixed (dashed: derived)",
        "gap/mixed_accuracy",
        "gap/derived_accuracy",
    ),
    ("discretisation gap (accuracy)", "gap/accuracy", None),
    ("validation accuracy, supernet", "valid/accuracy", None),
    ("true accuracy of the cell (%), CIFAR-10", "true/cifar10_test_200ep", None),
)
"""(title, scalar, a second one, dashed), "{cell}" for the main cell."""


@dataclasses.dataclass(frozen=True)
class Run:
    """A search's records, genotype and result, read from its folder.

    Attributes:
      name: as given.
      epochs: the records of its epochs, in order.
      genotype: that of the last epoch or, where it has finished, what it
        returned.
      result: of result.json, {} where it has not finished.
    """

    name: str
    epochs: list[dict]
    genotype: Genotype
    result: dict

    def curve(self, scalar: str) -> tuple[list[int], list[float]]:
        """Returns (epochs, values) of a scalar, where it was measured."""
        names = [scalar.format(cell=cell) for cell in MAIN_CELLS]
        points = [
            (record["epoch"], float(record[name]))
            for record in self.epochs
            for name in dict.fromkeys(names)
            if name in record
        ]
        return [x for x, _ in points], [y for _, y in points]


def main(_) -> None:
    """Writes a picture and prints a table."""
    runs = [read_run(text) for text in FLAGS.runs]
    folder = pathlib.Path(FLAGS.out)
    folder.mkdir(parents=True, exist_ok=True)
    text = table(runs)
    write_atomic(folder / f"{FLAGS.name}.md", text + "\n")
    target = folder / f"{FLAGS.name}.png"
    write_atomic(target, figure_to_png(picture(runs)))
    print(f"{text}\n\n{target}")


def read_run(text: str) -> Run:
    """Reads the run of NAME=FOLDER, or of FOLDER, which then is its name.

    Raises:
      InputError: there is no search with a finished epoch.
    """
    name, _, folder = text.rpartition("=")
    workdir = existing_workdir(folder)
    records = read_metrics(workdir.metrics)
    epochs = [record for record in records if record["kind"] == "epoch"]
    if not epochs or not any(workdir.genotypes.glob("epoch_*.json")):
        raise InputError(f"--runs={text}: no search with a finished epoch")
    for place, record in enumerate(epochs):
        path = workdir.genotypes / f"epoch_{record['epoch']:04d}.json"
        genotype = Genotype.from_json(path.read_text("utf-8"))
        epochs[place] = counts(space_by_name(genotype.space), genotype) | record
    result = {}
    if workdir.result.exists():
        result = json.loads(workdir.result.read_text("utf-8"))
        genotype = Genotype.from_json(json.dumps(result["genotype"]))
    return Run(name or workdir.path.name, epochs, genotype, result)


def measured(runs: list[Run]) -> list[tuple[str, str, str | None]]:
    """Returns the panels for which some run has values."""
    return [panel for panel in PANELS if any(run.curve(panel[1])[0] for run in runs)]


def picture(runs: list[Run]) -> Figure:
    """Draws a panel for each measure, a curve for each run."""
    panels = measured(runs)
    columns = min(3, len(panels))
    rows = math.ceil(len(panels) / columns)
    figure = Figure(
        figsize=(4.2 * columns, 3 * rows + 0.5), dpi=110, layout="constrained"
    )
    FigureCanvasAgg(figure)
    names = list(dict.fromkeys(run.name for run in runs))
    colours = {name: f"C{place}" for place, name in enumerate(names)}
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, panel in zip(grid, panels):
        draw(axes, panel, runs, colours)
    for axes in grid[len(panels) :]:
        axes.set_visible(False)
    figure.legend(
        [Line2D([], [], color=colour) for colour in colours.values()],
        names,
        loc="outside lower center",
        ncols=min(4, len(names)),
    )
    return figure


def draw(axes, panel, runs: list[Run], colours: dict[str, str]) -> None:
    """Draws one panel: a curve for each run and scalar."""
    title, *scalars = panel
    for run in runs:
        for scalar, style in zip(filter(None, scalars), ("-", "--")):
            axes.plot(
                *run.curve(scalar),
                style,
                color=colours[run.name],
                marker="o",
                markersize=2.5,
                linewidth=1.2,
            )
    axes.set_title(title, fontsize=9)
    axes.set_xlabel("epoch", fontsize=8)
    axes.tick_params(labelsize=8)
    axes.xaxis.get_major_locator().set_params(integer=True)
    if title.endswith("in the cell"):
        axes.yaxis.get_major_locator().set_params(integer=True)
    axes.grid(alpha=0.3)


def table(runs: list[Run]) -> str:
    """Returns each run after its last epoch, in Markdown."""
    panels = measured(runs)
    head = ["run", "epochs", *(panel[0] for panel in panels), "collapsed"]
    rows = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for run in runs:
        values = [run.curve(panel[1])[1] for panel in panels]
        cells = [f"{value[-1]:.4g}" if value else "" for value in values]
        last = str(run.epochs[-1]["epoch"])
        rows.append("| " + " | ".join([run.name, last, *cells, verdict(run)]) + " |")
    return "\n".join(rows)


def verdict(run: Run) -> str:
    """Returns in words whether the cells collapsed, and what early stopping did."""
    space = space_by_name(run.genotype.space)
    text = collapse(space, run.genotype) or "no"
    if not run.result:
        text += " (not finished)"
    stop = run.result.get("early_stop")
    if stop:
        text += f"; stopped early, cells of epoch {stop['taken']}"
    return text


if __name__ == "__main__":
    entry_point.run(main)
