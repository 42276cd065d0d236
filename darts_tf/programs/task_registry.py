"""Which module builds what a space needs."""

from __future__ import annotations

import importlib
import types

MODULES = {"darts_recurrent": "darts_tf.programs.texts"}
"""Of the spaces that are not for images."""


def kind_of(space: str) -> types.ModuleType:
    """darts_tf.programs.images or darts_tf.programs.texts, loaded when it is asked for.

    Both have search_data(flags), search(flags, replicas, data),
    training_of(flags, genotype, replicas, data), validated(loop, data,
    flags), chance(data), measured(loop, data, flags), shown(loop, data,
    flags), told(result) and export_model(flags, genotype, result, arrays,
    folder).
    """
    return importlib.import_module(MODULES.get(space, "darts_tf.programs.images"))
