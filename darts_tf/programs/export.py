"""Exports an evaluated network."""

from __future__ import annotations

from pathlib import Path

from darts_tf.config import ExportConfig, TrainingConfig
from darts_tf.errors import InputError
from darts_tf.programs import plugins
from darts_tf.programs.task_choice import task_of
from darts_tf.run.loop import checkpoints
from darts_tf.run.workdir import existing_workdir, read_settings
from darts_tf.space.published import load_genotype


def run(config: ExportConfig, workdir: str | Path) -> tuple[Path, str]:
    """Writes the network of a finished evaluation into WORKDIR/export.

    Returns the folder of the SavedModel, and a summary.

    Raises:
      InputError: `workdir` holds no finished evaluation.
    """
    folder = existing_workdir(workdir)
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
    result = folder.read_result()
    genotype = load_genotype(str(folder.genotype), trained.space)
    _, arrays = checkpoints.require_latest(folder.checkpoints, f"`workdir={workdir}`")
    usage = task_of(trained.space).export(
        trained, genotype, result, arrays, folder.export
    )
    return folder.export, f"\nSavedModel: {folder.export}\n\n{usage}"
