"""The protocol of a program's task: what differs between images and language."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from darts_tf.config import SearchConfig, TrainingConfig
from darts_tf.descent.replicas import Replicas
from darts_tf.programs.export_request import ExportRequest
from darts_tf.space.genotype import Genotype

ImageConfig = SearchConfig | TrainingConfig


class Task(Protocol):
    """Builds data, networks and loops of a space, and measures and exports them."""

    def search_data(self, config: SearchConfig, data: Any = None) -> Any:
        """Returns the divided data of a search.

        Args:
          config: of the search.
          data: ImageData or TextData; loaded by its name where None.
        """
        ...

    def search(self, config: SearchConfig, replicas: Replicas, data: Any) -> Any:
        """Returns the supernet's search loop on `search_data`."""
        ...

    def training_data(self, config: ImageConfig, data: Any = None) -> Any:
        """Returns the divided data of a training; `data` as of `search_data`."""
        ...

    def training(
        self, config: ImageConfig, genotype: Genotype, replicas: Replicas, data: Any
    ) -> Any:
        """Returns the training loop of a genotype's network on `training_data`."""
        ...

    def check_limits(
        self, config: TrainingConfig, genotype: Genotype, data: Any = None
    ) -> None:
        """Raises InputError for a network above `max_multiply_adds`."""
        ...

    def validated(self, loop: Any, data: Any, config: ImageConfig) -> dict:
        """Measures the held out part after the last step."""
        ...

    def chance(self, data: Any) -> dict:
        """Returns the measures of guessing, with the names of `validated`."""
        ...

    def measured(self, loop: Any, data: Any, config: TrainingConfig) -> dict:
        """Measures everything, the test part too, after the last step."""
        ...

    def texts_for_tensorboard(
        self, loop: Any, data: Any, config: TrainingConfig
    ) -> dict[str, str]:
        """Returns markdown by name, after an epoch of a training."""
        ...

    def summary(self, result: dict) -> list[tuple[str, str]]:
        """Returns a result as (name, text) lines."""
        ...

    def write_example(self, data: Any, path: Path) -> None:
        """Writes an example of the data, to show the use of an export with."""
        ...

    def export(self, request: ExportRequest) -> str:
        """Writes the network in the format asked for; returns a summary.

        Raises:
          InputError: the network cannot be had in this format.
        """
        ...
