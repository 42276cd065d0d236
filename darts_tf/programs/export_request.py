"""Tells a task what to export, and where from and to."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from absl import logging

from darts_tf.config import ExportConfig, TrainingConfig
from darts_tf.errors import InputError
from darts_tf.programs.own_data import IN_FOLDERS, require_same_data
from darts_tf.run.workdir import Workdir
from darts_tf.space.genotype import Genotype


@dataclasses.dataclass(frozen=True)
class ExportRequest:
    """A finished evaluation and the settings of its export.

    Attributes:
      config: format and quantisation.
      trained: settings of the evaluation.
      genotype: that was trained.
      result: of result.json.
      arrays: of the last checkpoint.
      workdir: of the evaluation.
      data: ImageData or TextData of the caller; None: loaded by its name.
    """

    config: ExportConfig
    trained: TrainingConfig
    genotype: Genotype
    result: Mapping[str, Any]
    arrays: Mapping[str, Any]
    workdir: Workdir
    data: Any = None

    @property
    def folder(self) -> Path:
        """Returns the folder of the export."""
        return self.workdir.exported(self.config.format, self.config.quantize)

    def divided_data(self, load: Callable[[TrainingConfig, Any], Any]) -> Any:
        """Returns the data of the evaluation, None where they are not at hand.

        Args:
          load: the task's `training_data`.

        Raises:
          InputError: `data` is another set, or 8 bit quantisation needs the
            images and there are none.
        """
        known = self.result["flags"].get("fingerprint")
        given = getattr(self.data, "fingerprint", None)
        in_folder = self.trained.dataset in IN_FOLDERS
        if self.data is not None and given != known and (known or not in_folder):
            raise InputError(
                f"`data` is not what the network in {self.workdir.path} was trained "
                "on; give the same data"
            )
        try:
            if self.data is None and known is not None and not in_folder:
                raise InputError("the run's data were a caller's own arrays")
            divided = load(self.trained, self.data)
            require_same_data(self.result["flags"], divided, self.workdir.path)
            return divided
        except InputError as error:
            if self.config.quantize == "int8":
                raise InputError(
                    f"`quantize=int8` measures ranges on the training images, which "
                    f"cannot be read: {error}. From Python give them to "
                    "darts_tf.export as data; or give `quantize=dynamic`"
                ) from error
            logging.warning("the data set cannot be read: %s", error)
            return None


def lines(title: str, rows: list[tuple[str, str]], usage: str) -> str:
    """Returns a summary: a title, (name, text) rows, and an example in Python."""
    width = max(len(name) for name, _ in rows)
    told = "\n".join(f"  {name:<{width}}  {text}" for name, text in rows)
    return f"\n{title}\n{told}\n\n{usage}"
