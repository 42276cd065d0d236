"""Makes the records of TensorBoard's HParams tab, which compares runs.

TensorBoard takes the list of names and measures from one run and shows it for
all. So every run of every program writes the same list: the settings of
searches and of trainings, and all that either can measure.
"""

# Protocol buffers make their classes at run time.
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from tensorboard.compat.proto import summary_pb2
from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2
from tensorboard.plugins.hparams.summary_v2 import hparams_pb

from darts_tf.config import SearchConfig, TrainingConfig, field_type

FIRST = ("dataset", "epochs", "genotype", "learning_rate", "method", "seed", "strategy")
"""The settings that the tab shows at first; a click adds each of the others."""

RESULT = "watch/result"
"""The group of scalars that holds a finished run's results."""

RESULTS = {
    "test_error": "test error",
    "test_top5_error": "test error, top 5",
    "test_perplexity": "test perplexity",
    "valid_error": "validation error",
    "valid_perplexity": "validation perplexity",
    "worth": "best worth",
    "parameters": "parameters",
    "multiply_adds": "multiply-adds",
    "seconds": "seconds",
}
CURVES = {
    "valid/accuracy": "validation accuracy",
    "valid/loss": "validation loss",
    "train/loss": "training loss",
}
"""Scalars of which the tab shows the last value, with their titles."""

TYPES = {
    bool: api_pb2.DATA_TYPE_BOOL,
    int: api_pb2.DATA_TYPE_FLOAT64,
    float: api_pb2.DATA_TYPE_FLOAT64,
}


def settings() -> dict[str, type]:
    """Returns the type of each setting that decides a result, by name."""
    return {
        field.name: field_type(kind, field.name)[0]
        for kind in (SearchConfig, TrainingConfig)
        for field in dataclasses.fields(kind)
        if field.metadata["free"] is None
    }


def table() -> summary_pb2.Summary:
    """Returns the record of all columns: settings and measures."""
    hparams = [
        api_pb2.HParamInfo(
            name=name,
            type=TYPES.get(kind, api_pb2.DATA_TYPE_STRING),
            differs=name in FIRST,  # sorts these before the others
        )
        for name, kind in settings().items()
    ]
    titles = {f"{RESULT}/{name}": title for name, title in RESULTS.items()} | CURVES
    metrics = [
        api_pb2.MetricInfo(name=api_pb2.MetricName(tag=tag), display_name=title)
        for tag, title in titles.items()
    ]
    experiment = api_pb2.Experiment(hparam_infos=hparams, metric_infos=metrics)
    return _record(metadata.EXPERIMENT_TAG, experiment=experiment)


def start(name: str, values: Mapping[str, object]) -> summary_pb2.Summary:
    """Returns the record of a run's settings.

    Args:
      name: of the run, unlike that of any other.
      values: its settings; those that are None or decide nothing are left out.
    """
    known = settings()
    row = {n: _plain(v) for n, v in values.items() if n in known and v is not None}
    return hparams_pb(row, trial_id=name)


def end() -> summary_pb2.Summary:
    """Returns the record that says that a run has finished."""
    info = plugin_data_pb2.SessionEndInfo(status=api_pb2.STATUS_SUCCESS)
    return _record(metadata.SESSION_END_INFO_TAG, session_end_info=info)


def results(result: Mapping[str, object]) -> dict[str, float]:
    """Returns the scalars of a result.json, tag -> number."""
    flat = dict(result)
    for part in ("test", "valid"):
        measured = result.get(part)
        if isinstance(measured, Mapping):
            flat |= {f"{part}_{name}": value for name, value in measured.items()}
    return {
        f"{RESULT}/{name}": float(value)
        for name in RESULTS
        if isinstance(value := flat.get(name), (int, float))
    }


def _plain(value: object) -> bool | int | float | str:
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    return value if isinstance(value, (bool, int, float)) else str(value)


def _record(tag: str, **content) -> summary_pb2.Summary:
    data = plugin_data_pb2.HParamsPluginData(**content)
    value = summary_pb2.Summary.Value(
        tag=tag,
        metadata=metadata.create_summary_metadata(data),
        tensor=metadata.NULL_TENSOR,
    )
    return summary_pb2.Summary(value=[value])
