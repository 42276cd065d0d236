"""Makes saved networks loadable by `keras.models.load_model`.

Keras finds a class in a file only if it is registered, and so imported; but
`import darts_tf` must load neither Keras nor TensorFlow. So stand-ins are
registered right behind Keras, whoever imports that; they import the networks
when one is loaded. Without the base classes of importlib.abc, whose import takes
longer than all the rest of `import darts_tf`.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys

CLASSES = {
    ("darts_tf", "EvaluationNetwork"): "darts_tf.networks.conv",
    ("darts_tf", "MobileNetwork"): "darts_tf.networks.conv",
    ("darts_tf", "NextWordModel"): "darts_tf.networks.next_word",
    ("darts_tf_nasbench201", "EvaluationNetwork"): "darts_tf.networks.nasbench201",
    ("darts_tf_chain", "EvaluationNetwork"): "darts_tf.networks.chain",
}
"""(package, name) under which Keras knows a network: the module that has it."""


def register_networks_with_keras() -> None:
    """Registers the networks now if Keras is there, else when it is imported."""
    if "keras" in sys.modules:
        _register(sys.modules["keras"])
    elif not any(isinstance(finder, _KerasFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _KerasFinder())


def _register(keras) -> None:
    for (package, name), module in CLASSES.items():
        if keras.saving.get_registered_object(f"{package}>{name}") is None:
            register = keras.saving.register_keras_serializable(package, name)
            register(_stand_in(module, name))


def _stand_in(module: str, name: str) -> type:
    """Returns a class that makes an instance of another, imported when it is made."""

    class StandIn:
        def get_config(self) -> dict:
            return {}

        @classmethod
        def from_config(cls, config):
            network = getattr(importlib.import_module(module), name)
            return network.from_config(config)

    return StandIn


class _KerasFinder:
    """Finds Keras as usual, once, and registers the networks behind its import."""

    def find_spec(self, fullname, path=None, target=None):
        """Returns the spec of Keras with another loader, and None of all else."""
        if fullname != "keras":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is not None and spec.loader is not None:
            spec.loader = _Registering(spec.loader)
        return spec


class _Registering:
    """Loads Keras by its own loader, and registers the networks with it."""

    def __init__(self, loader):
        self._loader = loader

    def create_module(self, spec):
        """Returns what Keras's own loader returns."""
        return self._loader.create_module(spec)

    def exec_module(self, module) -> None:
        """Runs Keras's own code, then registers."""
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        _register(module)
