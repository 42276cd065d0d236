"""Makes saved networks loadable by `keras.models.load_model`.

Keras finds a class of ours in a file only once it is registered, and so
imported; `import darts_tf` must load neither Keras nor TensorFlow. So the
networks are imported right behind Keras, whoever imports that.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import sys

NETWORKS = "darts_tf.networks.build"
"""Importing it registers all networks."""


def register_networks_with_keras() -> None:
    """Imports the networks now if Keras is there, else when it is imported."""
    if "keras" in sys.modules:
        importlib.import_module(NETWORKS)
    elif not any(isinstance(finder, _KerasFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _KerasFinder())


class _KerasFinder(importlib.abc.MetaPathFinder):
    """Finds Keras as usual, once, and lets the networks follow it."""

    def find_spec(self, fullname, path=None, target=None):
        if fullname != "keras":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is not None and spec.loader is not None:
            spec.loader = _ThenNetworks(spec.loader)
        return spec


class _ThenNetworks(importlib.abc.Loader):
    def __init__(self, loader):
        self._loader = loader

    def create_module(self, spec):
        return self._loader.create_module(spec)

    def exec_module(self, module) -> None:
        module.__spec__.loader = module.__loader__ = self._loader
        self._loader.exec_module(module)
        importlib.import_module(NETWORKS)
