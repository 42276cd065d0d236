"""Writes event files for TensorBoard's standard plug-ins.

TensorBoard's own writer is used, since tf.summary cannot write the mark of a
restart. That mark says from which step on earlier records are void: a run
that was killed at step 130 and goes on from its checkpoint of step 100 has
written the steps 101 to 130 twice, and a reader must show each once.

TensorBoard sorts groups of charts by their names. Numbers of groups other than
train, union and valid get names that sort behind them: first come the losses
and accuracies, then the pictures (view/), then everything else (watch/), at
last the single mixing weights (weights_).
"""

# Protocol buffers make their classes at run time.
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

import math
import struct
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard.plugins.custom_scalar import metadata as layout_metadata
from tensorboard.plugins.histogram.summary_v2 import histogram_pb
from tensorboard.plugins.image import metadata as image_metadata
from tensorboard.plugins.scalar.summary_v2 import scalar_pb
from tensorboard.plugins.text.summary_v2 import text_pb
from tensorboard.summary.writer.event_file_writer import EventFileWriter
from tensorboard.util import tensor_util

from darts_tf.run import hyperparameters
from darts_tf.run.pictures.alpha import check_weights
from darts_tf.run.pictures.genotypes import figure_to_png
from darts_tf.space.cell import SearchSpace

SECONDS_TO_DISK = 10
EARLIER = "tensorboard"
"""Folder of event files in runs before 0.4.0."""

PREFIX = "weights_mixing"
PICTURES, NUMBERS = "view", "watch"
"""Groups of pictures and of numbers; they sort behind train and valid."""

MEASURES = ("train", "union", "valid")
"""Groups that keep their names."""


def events_folder(workdir: str | Path) -> Path:
    """Returns the folder for the event files of a run.

    TensorBoard names a run by the path of its event files below --logdir, so they
    are right in the run's own folder: with --logdir=runs it is "photos/search". A
    run that an earlier version began goes on where that has left them.
    """
    workdir = Path(workdir)
    earlier = (workdir / EARLIER).rglob("events.out.*")
    return next((path.parent for path in earlier), workdir)


def tag_of(name: str, space: SearchSpace | None = None) -> str:
    """Returns the tag of a scalar, by which TensorBoard sorts it.

    The entropy of mixing weights is shown with its upper bound, that of even
    weights: "entropy/normal" -> "weights_entropy/normal (at most 2.079 nats)".

    Args:
      name: in metrics.jsonl.
      space: that is searched, if any.
    """
    group, _, rest = name.partition("/")
    if group in MEASURES or name.startswith(("weights_", f"{NUMBERS}/")):
        return name
    if group == "entropy" and space is not None:
        bound = math.log(space.cell(rest).alpha_shape[1])
        return f"weights_entropy/{rest} (at most {bound:.3f} nats)"
    return f"{NUMBERS}/{name}"


class Reporter:
    """Writes a run's records for TensorBoard; also a context manager.

    Args:
      folder: where the event files lie; made where it is missing. A resumed
        run gives the same folder and gets one more file in it.
      start_step: finished steps of the checkpoint the run goes on from.
        Records of later steps in the folder become void; with 0 all do.
      space: that is searched, if any; see `tag_of`.
    """

    def __init__(
        self,
        folder: str | Path,
        start_step: int = 0,
        space: SearchSpace | None = None,
    ) -> None:
        self._space = space
        self._writer = EventFileWriter(str(folder), flush_secs=SECONDS_TO_DISK)
        self._has_layout = False
        self._add(
            start_step + 1 if start_step else 0,
            session_log=event_pb2.SessionLog(status=event_pb2.SessionLog.START),
        )

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Writes one point for each curve; `tag_of` says in which group."""
        pieces = [
            scalar_pb(tag_of(name, self._space), float(value))
            for name, value in values.items()
        ]
        self._add(step, summary=_concatenate(pieces))

    def settings(self, name: str, values: Mapping[str, object]) -> None:
        """Writes the run's settings for the HParams tab.

        Args:
          name: of the run, unlike that of any other.
          values: its settings, by name.
        """
        summaries = [hyperparameters.table(), hyperparameters.start(name, values)]
        self._add(0, summary=_concatenate(summaries))

    def result(self, step: int, result: Mapping[str, object]) -> None:
        """Writes the numbers of a result.json for the HParams tab."""
        self.scalars(step, hyperparameters.results(result))
        self._add(step, summary=hyperparameters.end())

    def text(self, step: int, name: str, markdown: str) -> None:
        """Writes a piece of Markdown."""
        self._add(step, summary=text_pb(name, markdown))

    def image(self, step: int, name: str, figure: Figure) -> None:
        """Writes a picture."""
        png = figure_to_png(figure)
        width, height = struct.unpack(">II", png[16:24])  # of the PNG's header
        value = summary_pb2.Summary.Value(
            tag=name,
            metadata=image_metadata.create_summary_metadata(
                display_name=None, description=None
            ),
            tensor=tensor_util.make_tensor_proto([b"%d" % width, b"%d" % height, png]),
        )
        self._add(step, summary=summary_pb2.Summary(value=[value]))

    def histogram(self, step: int, name: str, values: np.ndarray) -> None:
        """Writes the distribution of `values`, an array of any shape."""
        flat = np.asarray(values, dtype=np.float64).reshape(-1)
        self._add(step, summary=histogram_pb(name, flat))

    def mixing_weights(
        self, step: int, space: SearchSpace, weights: Mapping[str, np.ndarray]
    ) -> None:
        """Writes every mixing weight as a curve.

        Tags: "weights_mixing_normal_0-2/sep_conv_3x3", a group for each edge.
        The page "Custom scalars" shows one chart for each edge, all its
        candidates in it, and one of the entropies.

        Args:
          step: finished steps.
          space: the space the weights belong to.
          weights: for each cell's name [edges, candidates] (eq. 2).

        Raises:
          InputError: an unknown cell, or another shape than alpha's.
        """
        values = {}
        for spec, table in check_weights(space, weights, axes=2):
            for row, names in enumerate(spec.candidates):
                group = _group(spec.name, spec.edges[row])
                for name, value in zip(names, table[row]):
                    values[f"{group}/{name}"] = value
        if not self._has_layout:
            self._has_layout = True
            self._add(step, summary=_layout(space))
        self.scalars(step, values)

    def edge_weights(
        self, step: int, space: SearchSpace, weights: Mapping[str, np.ndarray]
    ) -> None:
        """Writes the weight of every edge as a curve: "weights_edges_normal/0-2".

        Args:
          step: finished steps.
          space: the space the weights belong to.
          weights: for each cell's name [edges]; no cell, no curve.
        """
        values = {
            f"weights_edges_{name}/{source}-{target}": value
            for name, row in weights.items()
            for (source, target), value in zip(space.cell(name).edges, row, strict=True)
        }
        if values:
            self.scalars(step, values)

    def flush(self) -> None:
        """Writes everything to the disk now."""
        self._writer.flush()

    def close(self) -> None:
        """Writes everything to the disk and ends the file."""
        self._writer.close()

    def __enter__(self) -> Reporter:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def _add(self, step: int, **content) -> None:
        self._writer.add_event(
            event_pb2.Event(step=step, wall_time=time.time(), **content)
        )


def _concatenate(summaries) -> summary_pb2.Summary:
    values = [value for summary in summaries for value in summary.value]
    return summary_pb2.Summary(value=values)


def _group(cell: str, edge: tuple[int, int]) -> str:
    return f"{PREFIX}_{cell}_{edge[0]}-{edge[1]}"


def _layout(space: SearchSpace) -> summary_pb2.Summary:
    """Returns a layout with a category for each cell and a chart for each edge."""
    categories = []
    for spec in space.cells:
        charts = [
            layout_pb2.Chart(
                title=f"{spec.name}: {source} to {target}",
                multiline=layout_pb2.MultilineChartContent(
                    tag=[f"^{_group(spec.name, (source, target))}/"]
                ),
            )
            for source, target in spec.edges
        ]
        categories.append(layout_pb2.Category(title=spec.title, chart=charts))
    entropies = layout_pb2.Chart(
        title="mean entropy, each with its upper bound (nats)",
        multiline=layout_pb2.MultilineChartContent(tag=["^weights_entropy/"]),
    )
    categories.insert(0, layout_pb2.Category(title="entropy", chart=[entropies]))
    layout = layout_pb2.Layout(category=categories)
    value = summary_pb2.Summary.Value(
        tag=layout_metadata.CONFIG_SUMMARY_TAG,
        metadata=layout_metadata.create_summary_metadata(),
        tensor=tensor_util.make_tensor_proto(layout.SerializeToString()),
    )
    return summary_pb2.Summary(value=[value])
