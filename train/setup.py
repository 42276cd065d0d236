"""What the entry points share: from flags to devices and folders."""

from __future__ import annotations

import platform
import types

import keras
import numpy as np
import tensorflow as tf

from darts_tf.descent.replicas import Replicas
from darts_tf.descent.variables import load
from darts_tf.errors import InputError
from darts_tf.run import flags as run_flags
from darts_tf.run import strategy_flags
from darts_tf.run.workdir import Workdir, open_workdir
from darts_tf.strategy.micro_batches import check


def prepare(flags) -> Replicas:
    """Seeds, determinism and devices, before anything is created."""
    run_flags.check_space(flags)
    keras.utils.set_random_seed(flags.seed)
    if flags.deterministic:
        tf.config.experimental.enable_op_determinism()
    disable_grappler()
    # Keras would wrap our errors in pages of its own.
    keras.config.disable_traceback_filtering()
    replicas = Replicas(flags.distribute)
    if "micro_batches" in flags:
        check(flags.batch_size, flags.micro_batches, replicas.count)
    return replicas


def disable_grappler() -> None:
    """It finds nothing here and takes half of the time to the first step."""
    tf.config.optimizer.set_experimental_options(
        {"disable_meta_optimizer": True}
    )


def open_run(flags) -> Workdir:
    """The run's folder, refused where it belongs to another run."""
    given = run_flags.values(flags)
    return open_workdir(
        flags.workdir,
        given,
        run_flags.as_flagfile(given),
        ignored=(
            *run_flags.PLACE_FLAGS,
            *run_flags.PACE_FLAGS,
            *strategy_flags.BUDGET_FLAGS,
        ),
    )


def settings(kind, flags, **more):
    """A dataclass of settings, its fields from the flags of their names."""
    given = {
        n: flags[n].value for n in kind.__dataclass_fields__ if n in flags
    }
    return kind(**{**given, **more})


class StoredFlags:
    """The flags of an earlier run, read as absl's own are."""

    def __init__(self, values):
        self.__dict__.update(values)

    def __getattr__(self, name: str):
        raise InputError(
            f"the run has no --{name}: an earlier version of this program "
            f"made it, and that one has to go on with it"
        )

    def __contains__(self, name: str) -> bool:
        return name in self.__dict__

    def set_default(self, name: str, value) -> None:
        """Nothing: the flags of a run hold every value."""

    def __getitem__(self, name: str):
        # Not "present": what was given has been checked at the run's start.
        value = self.__dict__[name]
        return types.SimpleNamespace(value=value, present=False)


def load_network(model, arrays) -> None:
    """Gives a network the weights and statistics of a checkpoint."""
    groups = {
        "w": [v.value for v in model.trainable_variables],
        "statistics": [v.value for v in model.non_trainable_variables],
    }
    kept = {n: a for n, a in arrays.items() if n.split("/")[0] in groups}
    load(groups, kept | {"step": arrays["step"]})


def versions() -> dict[str, str]:
    """Of what a result depends on."""
    return {
        "python": platform.python_version(),
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "numpy": np.__version__,
    }
