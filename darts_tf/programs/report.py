"""Writes a run on one page, report.html, from the files of its folder.

The page is made anew from what lies there, so it can be written at any time: at
the end of a run, at the end of an epoch, for a run of an earlier version.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from darts_tf.config import Config, SearchConfig, TrainingConfig
from darts_tf.config_rules import RELAXED, is_text
from darts_tf.errors import InputError
from darts_tf.programs import plugins
from darts_tf.programs.alpha_history import AlphaHistory
from darts_tf.programs.commands import command, quoted
from darts_tf.protocol import front_comparison
from darts_tf.reading import expanded
from darts_tf.run import settings_files
from darts_tf.run.files import write_atomic
from darts_tf.run.loop.metrics import read_metrics
from darts_tf.run.loop.progress import duration
from darts_tf.run.pictures import genotypes
from darts_tf.run.pictures.evaluations import draw_evaluations
from darts_tf.run.report import charts, classes, page
from darts_tf.run.report.page import Section
from darts_tf.run.time_budget import TimeBudget
from darts_tf.run.workdir import Workdir, read_settings
from darts_tf.space.genotype import Genotype
from darts_tf.space.registry import space_by_name

SHARP = 1.5
"""Pixels of a picture for each one at which it is shown."""

SHARE, FIRST_AFTER = 0.01, 30.0
"""The part of a run's time that reports before its end may take, and the seconds
before the first of them; a shorter run has its report at its end."""


@dataclasses.dataclass(frozen=True)
class Run:
    """The files of a run, read.

    Attributes:
      workdir: its folder.
      config: its settings; their type tells searches from trainings.
      values: the settings as stored.
      result: of result.json; empty for a run that has not finished.
      records: of metrics.jsonl.
      genotype: found or trained; None where there is none yet.
    """

    workdir: Workdir
    config: SearchConfig | TrainingConfig
    values: Mapping[str, object]
    result: Mapping
    records: list[dict]
    genotype: Genotype | None

    @property
    def program(self) -> str:
        """Returns the name of the program that made it."""
        return "search" if isinstance(self.config, SearchConfig) else "evaluate"

    @property
    def data(self) -> str:
        """Returns the name of the data set; "" where none was read."""
        return str(self.values.get("dataset") or "")

    @property
    def title(self) -> str:
        """Returns the run in a few words."""
        config = self.config
        if isinstance(config, SearchConfig):
            words = f"Search by {config.strategy} in {config.space}"
        else:
            words = f"Evaluation of {Path(config.genotype or 'a genotype').name}"
        return f"{words} on {self.data}" if self.data else words


def read(path: str | Path) -> Run:
    """Reads the folder of a search or an evaluation, finished or not.

    Raises:
      InputError: it is none, or its files cannot be read.
    """
    workdir = Workdir(expanded(path))
    values = read_settings(workdir.path)
    kind: type[Config] = TrainingConfig if "genotype" in values else SearchConfig
    config = kind.from_stored(values)
    assert isinstance(config, (SearchConfig, TrainingConfig))
    plugins.load_stored(config.plugin)
    result, genotype = {}, None
    if workdir.result.exists():
        result = workdir.read_result()
    if workdir.genotype.exists():
        genotype = workdir.read_genotype()
    records = read_metrics(workdir.metrics)
    return Run(workdir, config, values, result, records, genotype)


def write(path: str | Path) -> Path:
    """Writes report.html into the folder of a search or an evaluation.

    Returns its path.

    Raises:
      InputError: it is no such folder, or its files cannot be read.
    """
    run = read(path)
    sections = [
        Section("Result", _result(run)),
        Section("Classes", _classes(run)),
        Section("Mixing weights", _mixing_weights(run)),
        Section("Evaluations", _evaluations(run)),
        Section("Cells", cells(run)),
        Section("Curves", _curves(run)),
        Section("Repeat it", _repeat(run)),
        Section("Settings", _settings(run)),
    ]
    write_atomic(run.workdir.report, page.page(run.title, _lead(run), sections))
    return run.workdir.report


class EpochReports:
    """Writes the report at the end of epochs, as long as that costs little."""

    def __init__(self, workdir: Workdir):
        self._workdir, self._budget = workdir, TimeBudget(SHARE, -SHARE * FIRST_AFTER)

    def on_epoch(self) -> None:
        """Writes the report if there is time for it."""
        if self._budget.left:
            with self._budget.spending():
                write(self._workdir.path)


def picture(figure: Figure | None, text: str) -> str:
    """Returns a figure as HTML, sharp at its own size; "" for None."""
    if figure is None:
        return ""
    png = genotypes.figure_to_png(figure, SHARP * figure.dpi)
    return page.picture(png, text, 1 / SHARP)


def chart(figure: Figure | None, text: str) -> str:
    """Returns a figure of `run.report.charts` as HTML; "" for None."""
    if figure is None:
        return ""
    return page.picture(genotypes.figure_to_png(figure), text, charts.SCALE)


def _lead(run: Run) -> str:
    """Returns the state of the run."""
    if run.result:
        lead = f"Finished: {run.result['steps']:,} steps in "
        return f"{lead}{duration(float(run.result['seconds']))}. {run.workdir.path}"
    step = run.records[-1]["step"] if run.records else 0
    return f"Not finished: {step:,} steps so far. {run.workdir.path}"


def _result(run: Run) -> str:
    numbers = _measured(run.result) if run.program == "evaluate" else _searched(run)
    warning = page.paragraph(_warning(run.result), "warning")
    cost = page.cards(_cost(run.result))
    sample = run.result.get("sample")
    written = ""
    if sample:
        written = page.paragraph("It writes:") + page.code("\n".join(sample))
    return warning + page.cards(numbers) + cost + written


def _measured(result: Mapping) -> dict[str, str]:
    """Returns the measures of an evaluation, by name."""
    test, valid = result.get("test", {}), result.get("valid", {})
    numbers = {}
    if "error" in test:
        numbers["test error"] = f"{test['error']:.2%}"
        numbers["test images"] = f"{test['images']:,}"
    chance = result.get("chance", {})
    if "error" in chance:
        numbers["test error of guessing"] = f"{chance['error']:.2%}"
    if "perplexity" in chance:
        numbers["test perplexity of guessing"] = f"{chance['perplexity']:.2f}"
    if "top5_error" in test:
        numbers["test error, top 5"] = f"{test['top5_error']:.2%}"
    if "perplexity" in test:
        numbers["test perplexity"] = f"{test['perplexity']:.2f}"
        numbers["test words"] = f"{test['words']:,}"
    if "error" in valid:
        numbers["validation error, last epoch"] = f"{valid['error']:.2%}"
    if "perplexity" in valid:
        numbers["validation perplexity, last epoch"] = f"{valid['perplexity']:.2f}"
    return numbers


def _searched(run: Run) -> dict[str, str]:
    """Returns the outcome of a search, by name."""
    result, numbers = run.result, {}
    if "worth" in result:
        worth = result["worth"]
        text = is_text(run.config.space)
        name = "best validation perplexity" if text else "best validation accuracy"
        numbers[name] = f"{math.exp(-worth):.2f}" if text else f"{worth:.2%}"
        numbers["evaluations"] = f"{result['evaluations']:,}"
    for cell, count in result.get("skip_connections", {}).items():
        numbers[f"skip connections, {cell} cell"] = str(count)
    numbers |= _in_benchmark(result.get("true") or {})
    return numbers


def _in_benchmark(true: Mapping) -> dict[str, str]:
    """Returns the accuracies of NAS-Bench-201, and the rank, by name."""
    numbers = {}
    for name, value in true.items():
        text = f"{value:,}" if isinstance(value, int) else f"{value:.2f} %"
        numbers[f"in the benchmark: {name}"] = text
    return numbers


def _warning(result: Mapping) -> str:
    texts = []
    if result.get("early_stop"):
        stop = result["early_stop"]
        texts.append(
            f"Stopped early after epoch {stop['epoch']}: {stop['reason']}. The "
            f"genotype is that of epoch {stop['taken']}."
        )
    if result.get("collapsed"):
        texts.append(f"The search has collapsed: {result['collapsed']}.")
    return " ".join(texts)


def _cost(result: Mapping) -> dict[str, str]:
    """Returns what the run took, and what its network takes, by name."""
    numbers = {}
    if "parameters" in result:
        numbers["parameters"] = f"{result['parameters']:,}"
    if "multiply_adds" in result:
        numbers["multiply-adds for one image"] = f"{result['multiply_adds']:,}"
    memory = result.get("peak_memory", {})
    for place, size in memory.items():
        numbers[f"peak memory, {place}"] = format_bytes(size)
    if "seconds" in result:
        numbers["time on the clock"] = duration(float(result["seconds"]))
        first = float(result["first_step_seconds"])
        if math.isfinite(first):
            numbers["of it to the first step"] = f"{first:.1f} s"
    devices = result.get("devices", 1)
    if devices > 1:
        numbers["devices"] = str(devices)
    return numbers


def format_bytes(size: float) -> str:
    """Formats bytes in a unit of 1024: 1610612736 -> "1.5 GiB"."""
    for unit in ("bytes", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.3g} {unit}"
        size /= 1024
    return f"{size:.3g} GiB"


def _classes(run: Run) -> str:
    names = run.result.get("data", {}).get("class_names")
    if not names or not run.workdir.confusion.exists():
        return ""
    with np.load(run.workdir.confusion, allow_pickle=False) as arrays:
        part = "test" if "test" in arrays else "valid"
        counts = arrays[part]
    words = "test part" if part == "test" else "part that was held out"
    note = f"Of the {words}, {int(counts.sum()):,} images."
    return page.paragraph(note, "note") + classes.section(counts, names)


def cells(run: Run) -> str:
    """Returns the picture and the JSON of a run's cells."""
    genotype = run.genotype or _latest(run.workdir)
    if genotype is None:
        return ""
    drawn = picture(genotypes.draw_genotype(genotype), "The cells as a graph")
    return drawn + page.folded("genotype.json", page.code(genotype.to_json()))


def _latest(workdir: Workdir) -> Genotype | None:
    """Returns the cell that an unfinished search would derive."""
    paths = sorted(workdir.genotypes.glob("epoch_*.json"))
    return Genotype.from_file(paths[-1]) if paths else None


def _mixing_weights(run: Run) -> str:
    config = run.config
    if not (isinstance(config, SearchConfig) and config.strategy in RELAXED):
        return ""
    space = space_by_name(config.space)
    try:
        history = AlphaHistory(run.workdir.alpha, space)
    except InputError:  # no epoch has ended yet
        return ""
    chosen = run.genotype or _latest(run.workdir)
    pieces = [page.paragraph(HOW_TO_READ)]
    for name, weights in history.mixing_weights().items():
        words = f"Mixing weights of the {name} cell"
        by_epoch = genotypes.draw_alpha_history(space, {name: weights}, chosen)
        now = genotypes.draw_alpha(space, {name: weights[-1]}, chosen)
        drawn = picture(by_epoch, f"{words} by epoch"), picture(now, f"{words} now")
        pieces.append(page.row(*drawn))
    bounds = {s.name: math.log(s.alpha_shape[1]) for s in space.cells}
    entropies = charts.draw_entropies(charts.curves(run.records), bounds)
    return "".join(pieces) + chart(entropies, "Entropy of the mixing weights by epoch")


HOW_TO_READ = (
    "One small chart for each edge, one colour for each operation. Coloured frames "
    "mark the edges that the derived cell keeps; the thick line is the operation that "
    "it keeps there. In the heat maps these places have a black frame."
)


def _evaluations(run: Run) -> str:
    if not run.workdir.evaluations.exists():
        return ""
    records = read_metrics(run.workdir.evaluations)
    if not records:
        return ""
    text = is_text(run.config.space)
    measure = "minus log of the validation perplexity" if text else "accuracy"
    figure = draw_evaluations([float(r["worth"]) for r in records], measure)
    drawn = picture(figure, "Worth of each evaluated genotype")
    assert isinstance(run.config, SearchConfig)
    front = front_comparison.draw_search(records, run.config.objectives)
    return drawn + picture(front, "Front of the objectives")


def _curves(run: Run) -> str:
    figure = charts.draw_measures(charts.curves(run.records))
    note = ""
    if run.program == "search" and figure is not None:
        note = page.paragraph(
            "Of the supernet, which contains every operation: its accuracy is not "
            "that of the derived network.",
            "note",
        )
    return note + chart(figure, "Losses and measures by epoch")


def _repeat(run: Run) -> str:
    words = [
        command(run.program),
        f"--flagfile={quoted(run.workdir.path / 'flags.txt')}",
    ]
    line = " ".join([*words, "--workdir=ANOTHER_FOLDER"])
    note = ""
    if run.values.get("dataset") in ("arrays", "dataset"):
        note = page.paragraph(
            "The data came from a Python program, which has to give them again; the "
            "settings are these."
        )
    values = {n: v for n, v in run.values.items() if n != "fingerprint"}
    flagfile = page.code(settings_files.as_flagfile(values))
    return (
        note
        + page.code(line)
        + page.folded("flags.txt, where the folder is gone", flagfile)
    )


def _settings(run: Run) -> str:
    defaults = {f.name: f.default for f in dataclasses.fields(run.config)}
    rows = []
    for name, value in sorted(run.values.items()):
        same = _same(value, defaults.get(name))
        usual = "" if same else format_value(defaults.get(name))
        rows.append((name, format_value(value), usual))
    versions = run.result.get("versions", {})
    line = ", ".join(f"{name} {text}" for name, text in versions.items())
    return page.table(("setting", "value", "default, where it differs"), rows) + (
        page.paragraph(f"Versions: {line}.", "note") if line else ""
    )


def _same(value: object, default: object) -> bool:
    return value == (list(default) if isinstance(default, tuple) else default)


def format_value(value: object) -> str:
    """Formats a setting."""
    if value is None:
        return "none"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    return str(value)
