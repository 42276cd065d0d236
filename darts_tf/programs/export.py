"""Exports an evaluated network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from darts_tf.config import ExportConfig, TrainingConfig
from darts_tf.config_rules import settle
from darts_tf.errors import InputError
from darts_tf.programs import plugins
from darts_tf.programs.export_request import ExportRequest
from darts_tf.programs.task_choice import task_of
from darts_tf.run.export import saving
from darts_tf.run.loop import checkpoints
from darts_tf.run.workdir import Workdir, existing_workdir, read_settings
from darts_tf.space.published import load_genotype


def run(
    config: ExportConfig, workdir: str | Path, data: Any = None
) -> tuple[Path, str]:
    """Writes the network of a finished evaluation into a folder of WORKDIR.

    Args:
      config: format and quantisation.
      workdir: of the evaluation.
      data: ImageData or TextData of the evaluation; loaded by its name where
        None and where the format is measured on it.

    Returns:
      (folder of the export, summary).

    Raises:
      InputError: `workdir` holds no finished evaluation, another process holds it,
        or its network cannot be had in this format.
    """
    config = settle(config)
    request = _request(config, existing_workdir(workdir), workdir, data)
    with existing_workdir(workdir, held=True):
        saving.remove_scratch(request.folder)
        summary = task_of(request.trained.space).export(request)
    return request.folder, summary


def _request(
    config: ExportConfig, folder: Workdir, workdir: str | Path, data: Any
) -> ExportRequest:
    """Reads a finished evaluation; raises InputError where there is none."""
    if not folder.result.exists():
        raise InputError(
            f"`workdir={workdir}` holds no finished evaluation; give the folder of "
            "train.evaluate, finished"
        )
    values = read_settings(folder.path)
    if "genotype" not in values:
        raise InputError(
            f"`workdir={workdir}` is a search; evaluate its genotype with "
            "train.evaluate and export that folder"
        )
    trained = TrainingConfig.from_stored(values)
    plugins.load(config.plugin or trained.plugin)
    _, arrays = checkpoints.require_latest(folder.checkpoints, f"`workdir={workdir}`")
    return ExportRequest(
        config,
        trained,
        load_genotype(str(folder.genotype), trained.space),
        folder.read_result(),
        arrays,
        folder,
        data,
    )
