from __future__ import annotations

import io
import re

import numpy as np
import pytest
from matplotlib.image import imread
from tensorboard.backend.event_processing.plugin_event_multiplexer import (
    EventMultiplexer,
)
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard.plugins.hparams import metadata
from tensorboard.summary.writer import event_file_writer
from tensorboard.util import tensor_util

from darts_tf.errors import InputError
from darts_tf.run.pictures.genotypes import draw_genotype, figure_to_array
from darts_tf.run.tensorboard import PICTURES, Reporter, events_folder, tag_of
from darts_tf.space.cell import CellSpec, SearchSpace
from darts_tf.space.conv import CANDIDATES, SPACE
from darts_tf.space.published import CONVOLUTIONAL


@pytest.fixture(autouse=True)
def files_in_order(monkeypatch):
    """Files of one second are read in the order of their numbers as text.

    A test makes several within a second; a run makes one a process.
    """
    counter = event_file_writer.AtomicCounter(0)
    monkeypatch.setattr(event_file_writer, "_global_uid", counter)


def read(folder, plugin: str) -> dict:
    """{tag: [(step, value), ...]} as TensorBoard's pages get it."""
    everything = EventMultiplexer(
        tensor_size_guidance={"scalars": 0, "images": 0}
    ).AddRun(str(folder), "run")
    everything.Reload()
    tags = everything.PluginRunToTagToContent(plugin).get("run", {})
    return {
        tag: [
            (event.step, tensor_util.make_ndarray(event.tensor_proto))
            for event in everything.Tensors("run", tag)
        ]
        for tag in tags
    }


def curve(folder, tag: str) -> list:
    return [(s, round(float(v), 6)) for s, v in read(folder, "scalars")[tag]]


def uniform() -> dict:
    return {s.name: np.full(s.alpha_shape, 1 / 8) for s in SPACE.cells}


def test_scalars_come_back(tmp_path):
    with Reporter(tmp_path) as reporter:
        reporter.scalars(1, {"train/loss": 2.5, "train/accuracy": 0.1})
        reporter.scalars(2, {"train/loss": np.float32(1.5)})
    assert curve(tmp_path, "train/loss") == [(1, 2.5), (2, 1.5)]
    assert curve(tmp_path, "train/accuracy") == [(1, 0.1)]


def test_weights_of_whole_edges(tmp_path):
    with Reporter(tmp_path) as reporter:
        reporter.edge_weights(1, SPACE, {})
        reporter.edge_weights(2, SPACE, {"reduce": np.arange(14) / 14})
    assert len(read(tmp_path, "scalars")) == 14
    third = curve(tmp_path, "weights_edges_reduce/0-3")
    assert third == [(2, round(2 / 14, 6))]


def write(folder, steps, value: float, start_step: int) -> None:
    with Reporter(folder, start_step=start_step) as reporter:
        for step in steps:
            reporter.scalars(step, {"train/loss": value})
            if step % 2 == 0:
                reporter.text(step, "cell", f"{value}")


def test_a_resumed_run_shows_one_curve(tmp_path):
    write(tmp_path, range(1, 9), 1.0, start_step=0)
    write(tmp_path, range(5, 11), 2.0, start_step=4)
    assert curve(tmp_path, "train/loss") == (
        [(s, 1.0) for s in range(1, 5)] + [(s, 2.0) for s in range(5, 11)]
    )
    texts = read(tmp_path, "text")["cell"]
    assert [step for step, _ in texts] == [2, 4, 6, 8, 10]


def test_records_after_the_checkpoint_are_void_even_if_not_repeated(tmp_path):
    write(tmp_path, range(1, 9), 1.0, start_step=0)
    write(tmp_path, [7], 2.0, start_step=4)
    assert [s for s, _ in curve(tmp_path, "train/loss")] == [1, 2, 3, 4, 7]


def test_a_run_that_starts_over_leaves_nothing_of_the_first(tmp_path):
    write(tmp_path, range(9), 1.0, start_step=0)
    write(tmp_path, range(3), 2.0, start_step=0)
    assert curve(tmp_path, "train/loss") == [(0, 2.0), (1, 2.0), (2, 2.0)]


def test_an_event_file_that_was_cut_does_not_hide_the_next(tmp_path):
    write(tmp_path, range(1, 9), 1.0, start_step=0)
    (first,) = tmp_path.iterdir()
    first.write_bytes(first.read_bytes()[:-7])
    write(tmp_path, range(5, 8), 2.0, start_step=4)
    assert [s for s, _ in curve(tmp_path, "train/loss")] == [*range(1, 8)]


def test_picture_text_and_histogram(tmp_path):
    figure = draw_genotype(CONVOLUTIONAL["DARTS_V2"])
    with Reporter(tmp_path) as reporter:
        reporter.image(3, "cell", figure)
        reporter.text(3, "flags", "| a | b |")
        reporter.histogram(3, "alpha/normal", np.arange(14 * 8.0))
    ((step, image),) = read(tmp_path, "images")["cell"]
    shape = figure_to_array(figure).shape
    assert step == 3 and (int(image[1]), int(image[0])) == shape[:2]
    assert imread(io.BytesIO(image[2])).shape[:2] == shape[:2]
    ((_, text),) = read(tmp_path, "text")["flags"]
    assert text.item() == b"| a | b |"
    ((_, buckets),) = read(tmp_path, "histograms")["alpha/normal"]
    assert buckets[:, 2].sum() == 14 * 8 and buckets[-1, 1] == 111


def test_mixing_weights_are_curves_by_edge_and_candidate(tmp_path):
    weights = uniform()
    weights["normal"][2] = np.eye(8)[4]  # edge 0→3: all on sep_conv_3x3
    with Reporter(tmp_path) as reporter:
        reporter.mixing_weights(7, SPACE, weights)
    scalars = read(tmp_path, "scalars")
    assert len(scalars) == 2 * 14 * 8
    group = "weights_mixing_normal_0-3"
    values = [float(scalars[f"{group}/{n}"][0][1]) for n in CANDIDATES]
    assert values == [0, 0, 0, 0, 1, 0, 0, 0]


def test_custom_scalars_hold_a_chart_for_every_edge(tmp_path):
    with Reporter(tmp_path) as reporter:
        for step in (1, 2):
            reporter.mixing_weights(step, SPACE, uniform())
    (records,) = read(tmp_path, "custom_scalars").values()
    ((_, config),) = records  # once, not at every step
    layout = layout_pb2.Layout.FromString(config.item())
    charts = {c.title: len(c.chart) for c in layout.category}
    assert charts == {"entropy": 1, "normal cell": 14, "reduce cell": 14}


def test_registered_operations_have_curves_of_their_names(tmp_path):
    names = ("none", "my_conv", "a_long_name_" * 8)
    space = SearchSpace(
        "users", (CellSpec("normal", 2, 1, (names,) * 2, 2, (2,)),), names
    )
    with Reporter(tmp_path) as reporter:
        reporter.mixing_weights(1, space, {"normal": np.full((2, 3), 1 / 3)})
    tags = read(tmp_path, "scalars")
    (((_, config),),) = read(tmp_path, "custom_scalars").values()
    _, category = layout_pb2.Layout.FromString(config.item()).category
    for chart, edge in zip(category.chart, ("0-2", "1-2"), strict=True):
        (tag,) = chart.multiline.tag
        curves = {name for name in tags if re.match(tag, name)}
        assert curves == {f"weights_mixing_normal_{edge}/{name}" for name in names}


def test_mixing_weights_of_another_shape_are_refused(tmp_path):
    with Reporter(tmp_path) as reporter:
        with pytest.raises(InputError, match=r"\[14, 8\]"):
            reporter.mixing_weights(1, SPACE, {"normal": np.ones([2, 8])})
    assert read(tmp_path, "scalars") == {}


def test_losses_and_accuracies_are_the_first_groups():
    """TensorBoard sorts groups by name."""
    names = (
        "epoch",
        "learning_rate",
        "entropy/normal",
        "skip_connections/normal",
        "true/rank",
        "valid/accuracy",
        "train/loss",
        "union/loss",
        "weights_edges_normal/0-2",
    )
    tags = sorted([*(tag_of(name, SPACE) for name in names), f"{PICTURES}/cells"])
    assert [tag.partition("/")[0] for tag in tags] == [
        "train",
        "union",
        "valid",
        "view",
        *4 * ["watch"],
        "weights_edges_normal",
        "weights_entropy",
    ]
    assert tag_of("entropy/normal", SPACE) == (
        "weights_entropy/normal (at most 2.079 nats)"
    )


@pytest.mark.parametrize("earlier", ["tensorboard", "tensorboard/search"])
def test_a_run_is_named_as_its_folder_and_an_old_one_goes_on(tmp_path, earlier):
    new, old = tmp_path / "new", tmp_path / "old"
    write(old / earlier, range(3), 1.0, start_step=0)
    write(events_folder(old), range(3), 2.0, start_step=0)
    write(events_folder(new), range(3), 1.0, start_step=0)
    write(events_folder(new), range(3), 2.0, start_step=2)
    runs = EventMultiplexer().AddRunsFromDirectory(str(tmp_path)).Runs()
    assert runs.keys() == {"new", f"old/{earlier}"}


def hparams(folder, tags=("experiment", "session_start_info", "session_end_info")):
    """The HParams plug-in's own reading of a folder."""
    everything = EventMultiplexer().AddRun(str(folder), "run")
    everything.Reload()
    content = everything.PluginRunToTagToContent("hparams")["run"]
    parse = (
        metadata.parse_experiment_plugin_data,
        metadata.parse_session_start_info_plugin_data,
        metadata.parse_session_end_info_plugin_data,
    )
    return [read(content[f"_hparams_/{t}"]) for t, read in zip(tags, parse)]


def test_settings_and_results_are_in_the_hparams_tab(tmp_path):
    values = {
        "epochs": 3,
        "learning_rate": 0.05,
        "flip": False,
        "method": "exact",
        "genotype": None,
        "data_dir": "/somewhere",
    }
    result = {"test": {"error": 0.25, "images": 8}, "valid": {}, "seconds": 2}
    with Reporter(tmp_path) as reporter:
        reporter.settings("runs/a", values)
        reporter.result(7, result)
    experiment, start, end = hparams(tmp_path)
    assert start.group_name == "runs/a" and end.status
    row = {n: v.WhichOneof("kind") for n, v in start.hparams.items()}
    assert row == {
        "epochs": "number_value",
        "learning_rate": "number_value",
        "flip": "bool_value",
        "method": "string_value",
    }
    assert start.hparams["learning_rate"].number_value == 0.05
    columns = {info.name: info.type for info in experiment.hparam_infos}
    assert row.keys() <= columns.keys() and "data_dir" not in columns
    assert columns["epochs"] == columns["learning_rate"] != columns["method"]
    tags = {info.name.tag for info in experiment.metric_infos}
    assert curve(tmp_path, "watch/result/test_error") == [(7, 0.25)]
    assert set(read(tmp_path, "scalars")) <= tags
