"""What the entry points share: from flags to devices and folders."""

from __future__ import annotations

import contextlib
import pathlib
import platform
import types
from collections.abc import Iterator

import keras
import numpy as np
import tensorflow as tf

from darts_tf.cli import flag_values, space_flags, strategy_flags
from darts_tf.cli.search_flags import BILEVEL
from darts_tf.descent.replicas import Replicas
from darts_tf.descent.variables import load
from darts_tf.descent.workers import replicas_for
from darts_tf.errors import InputError
from darts_tf.programs.task_registry import MODULES
from darts_tf.run.process.threads import divide_by_kernels
from darts_tf.run.workdir import Workdir, open_workdir
from darts_tf.strategy.darts.micro_batches import check


def prepare(flags, supernet: bool = False) -> Replicas:
    """Seeds, determinism and devices, before anything is created.

    Args:
      flags: of the program.
      supernet: whether a supernet is to be trained; see `supernet_jit` and
        `supernet_options`.
    """
    space_flags.check_space(flags)
    keras.utils.set_random_seed(flags.seed)
    if flags.deterministic:
        tf.config.experimental.enable_op_determinism()
    # Keras would wrap our errors in pages of its own.
    keras.config.disable_traceback_filtering()
    steps = jit(flags)
    if supernet:
        supernet_options(flags.space)
        steps = supernet_jit(steps, flags.space)
    else:
        disable_grappler()
    replicas = replicas_for(flags.distribute, steps)
    if "micro_batches" in flags and flags.micro_batches > 1:
        check(flags.batch_size, flags.micro_batches, replicas.count)
    return replicas


def jit(flags) -> str:
    """--jit, which runs of an earlier version do not have."""
    return flags.jit if "jit" in flags else "off"


def supernet_jit(jit: str, space: str) -> str:
    """--jit for the steps of a supernet, which auto leaves as they are.

    XLA compiles a step of DARTS's spaces for minutes (BUILD_NOTES.md, "On a
    GPU"): there `on` is for what the edges share, and not for the step around
    it (networks/compiled/shared_functions.py).
    """
    return "on" if jit == "on" and space == "nasbench201" else "off"


def disable_grappler() -> None:
    """It finds nothing here and takes half of the time to the first step."""
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})


def differentiates_gradients(exact, recompute: bool) -> bool:
    """Whether a search of images does, apart from slopes.

    What networks.conv.Supernet has to know.

    Args:
      exact: which of --method and --lambda_gradient are.
      recompute: whether cells are computed again.
    """
    return "lambda_gradient" in exact or (recompute and "method" in exact)


def supernet_options(space: str) -> None:
    """TensorFlow's options for a supernet of this space.

    Text keeps TensorFlow's own. Its products are few and large, and better
    divided; its graph is small, and Grappler takes out the gradients of
    matrices that the exact method's loops compute and nobody reads.
    """
    if space not in MODULES:
        disable_grappler()
        divide_by_kernels()


@contextlib.contextmanager
def open_run(flags, replicas: Replicas) -> Iterator[Workdir]:
    """The run's folder, refused where it belongs to another run.

    Of several workers only the chief holds it; the others read it. None
    leaves before all are done, also where all have stopped.
    """
    given = flag_values.values(flags)
    _check_same(flag_values.digest(given), replicas)
    with _folder(flags, given, replicas.chief) as workdir:
        try:
            yield workdir
        except SystemExit:
            _leave(replicas)
            raise
    _leave(replicas)


def _folder(flags, given: dict, chief: bool) -> Workdir:
    if not chief:
        return Workdir(pathlib.Path(flags.workdir).expanduser())
    return open_workdir(
        flags.workdir,
        given,
        flag_values.as_flagfile(given),
        ignored=(
            *flag_values.PLACE_FLAGS,
            *flag_values.PACE_FLAGS,
            *strategy_flags.BUDGET_FLAGS,
        ),
        defaults=flag_values.defaults(flags),
    )


def _check_same(digest: str, replicas: Replicas) -> None:
    """Refuses workers of different flags: they would not meet again."""
    own = int(digest[:12], 16)  # what a float64 holds exactly
    chiefs = int(replicas.total(own if replicas.chief else 0))
    others = int(replicas.total(own != chiefs))
    if others:
        raise InputError(
            f"workers with other flags than the first one: {others}; start "
            f"all of them by the same command"
        )


def _leave(replicas: Replicas) -> None:
    """Waits for the others, unless they have left already."""
    with contextlib.suppress(tf.errors.OpError):
        replicas.total(0)


def joint(flags) -> bool:
    """Whether alpha and w of a search learn from the same data."""
    return "optimization" in flags and flags.optimization != BILEVEL


def settings(kind, flags, **more):
    """A dataclass of settings, its fields from the flags of their names."""
    given = {n: flags[n].value for n in kind.__dataclass_fields__ if n in flags}
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

    def __iter__(self) -> Iterator[str]:
        return iter(self.__dict__)

    def set_default(self, name: str, value) -> None:
        """Nothing: the flags of a run hold every value."""

    def __getitem__(self, name: str):
        # Not "present": what was given has been checked at the run's start.
        value = self.__dict__[name]
        return types.SimpleNamespace(value=value, present=False)


def changed(flags, **values) -> StoredFlags:
    """The flags with some other values."""
    return StoredFlags({n: flags[n].value for n in flags} | values)


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
