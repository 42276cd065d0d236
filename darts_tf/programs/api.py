"""The verbs of a notebook: search, derive, evaluate, export.

They take data, a config and a folder; without a folder nothing is written.
Errors are InputError and DivergedError. A run that is stopped by a signal
saves, and raises KeyboardInterrupt.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from darts_tf.config import (
    DerivationConfig,
    ExportConfig,
    SearchConfig,
    TrainingConfig,
)
from darts_tf.config_rules import RELAXED, is_text
from darts_tf.errors import InputError
from darts_tf.programs import plugins
from darts_tf.reading import expanded, read_json
from darts_tf.run.loop.metrics import read_metrics
from darts_tf.run.pictures.genotypes import draw_alpha_history
from darts_tf.run.workdir import Workdir, as_path
from darts_tf.space import conv, recurrent
from darts_tf.space.genotype import Genotype
from darts_tf.space.published import any_genotype
from darts_tf.space.registry import space_by_name

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure

C = TypeVar("C", SearchConfig, TrainingConfig)
PathLike = str | os.PathLike


@dataclasses.dataclass(frozen=True)
class SearchOutcome:
    """A finished search.

    Attributes:
      genotype: the derived cells.
      alpha: architecture parameters by cell [edges, candidates], after the
        last epoch; empty for strategies without alpha.
      history: the record of each epoch, as in metrics.jsonl.
      result: as in result.json.
      workdir: the folder, None where nothing was written.
    """

    genotype: Genotype
    alpha: dict[str, np.ndarray]
    history: list[dict]
    result: dict
    workdir: Path | None
    _mixing_weights: dict[str, np.ndarray] = dataclasses.field(repr=False)

    @property
    def front(self) -> list[dict]:
        """Returns the front of a search with objectives, the cheapest first.

        Each has "genotype", "accuracy" (a share), its costs by name and "evaluation",
        the number of its evaluation; [] without objectives.
        """
        return [
            row | {"genotype": Genotype.from_json(json.dumps(row["genotype"]))}
            for row in self.result.get("front", [])
        ]

    def plot(self) -> Figure:
        """Returns curves of the mixing weights over the epochs, the choice marked.

        Raises:
          InputError: the strategy has no alpha.
        """
        if not self._mixing_weights:
            raise InputError("a search without alpha has no mixing weights to plot")
        space = space_by_name(self.genotype.space)
        return draw_alpha_history(space, self._mixing_weights, self.genotype)


@dataclasses.dataclass(frozen=True)
class EvaluationOutcome:
    """A finished training.

    Attributes:
      genotype: that was trained.
      history: the record of each epoch, as in metrics.jsonl.
      result: as in result.json; "test" and "valid" hold errors as shares, or
        perplexities.
      workdir: the folder, None where nothing was written.
    """

    genotype: Genotype
    history: list[dict]
    result: dict
    workdir: Path | None


def search(
    data: Any, config: SearchConfig | None = None, workdir: PathLike | None = None
) -> SearchOutcome:
    """Searches for cells.

    Args:
      data: of `darts_tf.data`, or the name of a data set.
      config: the settings.
      workdir: folder of the search; the same call resumes it. None: nothing
        is written.

    Raises:
      InputError: data, settings or folder cannot be used.
      DivergedError: a loss is no longer finite.
      KeyboardInterrupt: stopped, everything saved.
    """
    from darts_tf.programs import search as program

    config, data = _with_data(_of_type(SearchConfig, config), data)
    with _folder(workdir) as folder, _interruptible():
        summary = program.run(config, folder, data)
        outcome = _search_outcome(Workdir(folder), config, workdir)
    if workdir is not None:
        print(summary)
    return outcome


def _search_outcome(folder: Workdir, config: SearchConfig, workdir) -> SearchOutcome:
    from darts_tf.programs.alpha_history import AlphaHistory

    genotype = folder.read_genotype()
    alpha, weights = {}, {}
    if config.strategy in RELAXED:
        history = AlphaHistory(folder.alpha, space_by_name(genotype.space))
        alpha, weights = history.alpha(), history.mixing_weights()
    return SearchOutcome(
        genotype,
        alpha,
        _epochs(folder),
        folder.read_result(),
        None if workdir is None else folder.path,
        weights,
    )


def derive(workdir: PathLike, epoch: int = 0) -> Genotype:
    """Derives the genotype of a search's alpha; writes nothing.

    Args:
      workdir: folder of the search.
      epoch: counted from 1; 0: the one that the search returned.

    Raises:
      InputError: no such search, or no such epoch.
    """
    from darts_tf.programs import derive as program

    config = DerivationConfig(epoch=epoch)
    search, history, chosen = program.alpha_of(config, workdir)
    return program.after_epoch(search, history, chosen, expanded(workdir))[0]


def evaluate(
    genotype: Genotype | PathLike,
    data: Any,
    config: TrainingConfig | None = None,
    workdir: PathLike | None = None,
) -> EvaluationOutcome:
    """Trains a genotype's network from scratch, and tests it once, at the end.

    Args:
      genotype: or what it can be read from: a JSON file, a published name, what
        other projects print.
      data: of `darts_tf.data`, or the name of a data set.
      config: the settings.
      workdir: folder of the training; the same call resumes it. None: nothing
        is written.

    Raises:
      InputError: genotype, data, settings or folder cannot be used.
      DivergedError: a loss is no longer finite.
      KeyboardInterrupt: stopped, everything saved.
    """
    from darts_tf.programs import evaluate as program

    config = _of_type(TrainingConfig, config)
    plugins.load(config.plugin)
    cells = any_genotype(genotype, _usual_space(config, data))
    if not isinstance(genotype, Genotype):
        config = config.replace(genotype=os.fspath(genotype))
    config, data = _with_data(_in_space(config, cells.space), data)
    with _folder(workdir) as folder, _interruptible():
        summary = program.run(config, folder, data, cells)
        files = Workdir(folder)
        outcome = EvaluationOutcome(
            files.read_genotype(),
            _epochs(files),
            _evaluated(files, config.stop_after_epochs),
            None if workdir is None else folder,
        )
    if workdir is not None:
        print(summary)
    return outcome


def _evaluated(files: Workdir, epochs: int) -> dict:
    """Returns a training's result, or that of one that was stopped for now."""
    part = files.after_epochs(epochs)
    if part.exists() and not files.result.exists():
        return read_json(part)
    return files.read_result()


def export(
    workdir: PathLike,
    format: str = "saved_model",
    quantize: str = "none",
    data: Any = None,
) -> Path:
    """Exports the network of a finished evaluation into a folder of its own in it.

    Args:
      workdir: folder of the evaluation.
      format: "saved_model" (WORKDIR/export; takes raw uint8 images, or text),
        "litert" (WORKDIR/export_litert/model.tflite; raw uint8 images, or one
        step of a language model) or "onnx" (WORKDIR/export_onnx/model.onnx;
        images). The last two are run again, and export.json in the folder says
        what was measured.
      quantize: for "litert": "none", "float16", "dynamic" or "int8"; its name
        is added to the folder's.
      data: what the network was trained on; needed where it cannot be loaded by
        its name again, by "int8" and to measure accuracy.

    Returns:
      the folder of the exported network.

    Raises:
      InputError: no such format, no finished evaluation, an operation that the
        format does not have, an extra that is not installed, or "int8" without
        data.
      RuntimeError: the export does not compute what the network does.
    """
    from darts_tf.programs import export as program

    config = ExportConfig(format=format, quantize=quantize)  # type: ignore[arg-type]
    return program.run(config, as_path(workdir), data)[0]


def _of_type(kind: type[C], config: C | None) -> C:
    """Returns the config, or the defaults where there is none."""
    if config is None:
        return kind()
    if not isinstance(config, kind):
        raise InputError(
            f"`config` must be a {kind.__name__}; received {type(config).__name__}"
        )
    return config


def _with_data(config: C, data: Any) -> tuple[C, Any]:
    """Returns (config that names the data, the data or None for a name)."""
    space = _usual_space(config, data)
    if isinstance(data, str):
        return config.filled(dataset=data, space=space), None
    from darts_tf.data import ImageData, TextData

    if not isinstance(data, (ImageData, TextData)):
        raise InputError(
            f"`data` must be made by darts_tf.data (load, from_arrays, from_folder, "
            f"from_tfds, from_text, from_dataset); received {type(data).__name__}"
        )
    text = isinstance(data, TextData)
    if text != is_text(space):
        kind, other = ("text", "language") if text else ("images", "images")
        raise InputError(
            f"`data` is {kind}, and `space={space}` is none for {other}; give another "
            "space"
        )
    return config.filled(dataset=data.name, space=space), data


def _usual_space(config: SearchConfig | TrainingConfig, data: Any) -> str:
    """Returns the config's space; for text the recurrent one unless one is given."""
    from darts_tf.data import TextData
    from darts_tf.data.text.loading import NAMES

    text = data in NAMES if isinstance(data, str) else isinstance(data, TextData)
    if text and "space" not in config.given and config.space == conv.SPACE.name:
        return recurrent.SPACE.name
    return config.space


def _in_space(config: TrainingConfig, space: str) -> TrainingConfig:
    """Returns the config with a genotype's space, which it must not contradict."""
    if "space" in config.given and config.space != space:
        raise InputError(
            f"`genotype` is of the space {space}, and `space={config.space}`; leave "
            "the space out"
        )
    return config.filled(space=space)


@contextlib.contextmanager
def _folder(workdir: PathLike | None) -> Iterator[Path]:
    """Yields the folder of a run, a temporary one where none is wanted."""
    if workdir is not None:
        yield as_path(workdir)
        return
    with tempfile.TemporaryDirectory(prefix="darts_tf_") as folder:
        yield Path(folder)


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Raises KeyboardInterrupt where a program would exit after a signal."""
    try:
        yield
    except SystemExit as stop:
        raise KeyboardInterrupt(
            "stopped and saved; the same call with the same workdir goes on"
        ) from stop


def _epochs(folder: Workdir) -> list[dict]:
    records = read_metrics(folder.metrics)
    return [record for record in records if record["kind"] == "epoch"]
