"""Differentiable architecture search in TensorFlow and Keras.

The names below are loaded when they are first used, so that importing the
package is cheap and loads no TensorFlow. It takes so few milliseconds that Ctrl-C
hardly falls into it; behind it darts_tf.cli sees to that.
"""

from __future__ import annotations

import importlib

from darts_tf.networks.keras_registration import register_networks_with_keras

TYPE_CHECKING = False  # as in typing, whose import takes most of all the time
if TYPE_CHECKING:
    from typing import Any

    from darts_tf import data
    from darts_tf.config import DerivationConfig, SearchConfig, TrainingConfig
    from darts_tf.errors import DivergedError, InputError
    from darts_tf.networks.build import build_network
    from darts_tf.networks.operation_registry import register_operation
    from darts_tf.programs.api import (
        EvaluationOutcome,
        SearchOutcome,
        derive,
        evaluate,
        export,
        search,
    )
    from darts_tf.programs.trained_weights import load_trained_weights
    from darts_tf.run.pictures.genotypes import draw_genotype
    from darts_tf.space.genotype import Genotype
    from darts_tf.space.published import load_genotype
    from darts_tf.space.registry import cell_space, register_space

__version__ = "0.4.0"

_HOMES = {
    "DerivationConfig": "darts_tf.config",
    "DivergedError": "darts_tf.errors",
    "EvaluationOutcome": "darts_tf.programs.api",
    "Genotype": "darts_tf.space.genotype",
    "InputError": "darts_tf.errors",
    "SearchConfig": "darts_tf.config",
    "SearchOutcome": "darts_tf.programs.api",
    "TrainingConfig": "darts_tf.config",
    "build_network": "darts_tf.networks.build",
    "cell_space": "darts_tf.space.registry",
    "derive": "darts_tf.programs.api",
    "draw_genotype": "darts_tf.run.pictures.genotypes",
    "evaluate": "darts_tf.programs.api",
    "export": "darts_tf.programs.api",
    "load_genotype": "darts_tf.space.published",
    "load_trained_weights": "darts_tf.programs.trained_weights",
    "register_operation": "darts_tf.networks.operation_registry",
    "register_space": "darts_tf.space.registry",
    "search": "darts_tf.programs.api",
}
"""By public name: the module that has it."""

__all__ = [
    "DerivationConfig",
    "DivergedError",
    "EvaluationOutcome",
    "Genotype",
    "InputError",
    "SearchConfig",
    "SearchOutcome",
    "TrainingConfig",
    "__version__",
    "build_network",
    "cell_space",
    "data",
    "derive",
    "draw_genotype",
    "evaluate",
    "export",
    "load_genotype",
    "load_trained_weights",
    "register_operation",
    "register_space",
    "search",
]


register_networks_with_keras()


def __getattr__(name: str) -> Any:
    """Loads a public name where it is first used."""
    if name == "data":
        return importlib.import_module("darts_tf.data")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Returns the public names too that are not loaded yet."""
    return sorted({*globals(), *__all__})
