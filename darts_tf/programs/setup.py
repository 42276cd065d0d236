"""Devices, seeds, TensorFlow's options and the folder of a program."""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib
import platform
import random
from collections.abc import Collection, Iterator

import keras
import numpy as np
import tensorflow as tf

from darts_tf.config import RunConfig, SearchConfig, TrainingConfig
from darts_tf.config_rules import BILEVEL, RELAXED, applicable, is_text
from darts_tf.descent.replicas import Replicas
from darts_tf.descent.variables import load
from darts_tf.descent.workers import replicas_for
from darts_tf.errors import InputError
from darts_tf.programs import plugins
from darts_tf.programs.own_data import FINGERPRINT, IN_FOLDERS, require_data_of_runs
from darts_tf.reading import expanded
from darts_tf.run import lock, settings_files
from darts_tf.run.process import ordered_sums
from darts_tf.run.process.threads import divide_by_kernels
from darts_tf.run.workdir import Workdir, check_same_run, open_workdir
from darts_tf.space import nasbench201
from darts_tf.space.registry import is_chain
from darts_tf.strategy.darts.micro_batches import check

OF_ONE_START = ("stop_after_epochs",)
"""Settings that say how far one start goes: flags.txt, which repeats the whole run,
has none of them."""

_owns_process = False


def own_process() -> None:
    """Declares that the process is a program's, whose options may stay changed."""
    global _owns_process
    _owns_process = True


@contextlib.contextmanager
def restored_options() -> Iterator[None]:
    """Restores what `prepare` changes in the process of a library's caller.

    These are options of TensorFlow and Keras and the states of NumPy's and Python's
    random numbers; TensorFlow's seed cannot be read.
    """
    if _owns_process:
        yield
        return
    name = "disable_meta_optimizer"
    disabled = tf.config.optimizer.get_experimental_options().get(name, False)
    filtering = keras.config.is_traceback_filtering_enabled()
    numbers = np.random.get_state(), random.getstate()
    try:
        with ordered_sums.restored():
            yield
    finally:
        np.random.set_state(numbers[0])
        random.setstate(numbers[1])
        tf.config.optimizer.set_experimental_options({name: disabled})
        if filtering:
            keras.config.enable_traceback_filtering()


def prepare(config: RunConfig, space: str, supernet: bool = False) -> Replicas:
    """Sets seeds, determinism and devices, before anything is created.

    Args:
      config: of the program.
      space: name of the search space.
      supernet: whether a supernet is to be trained; see `supernet_jit` and
        `supernet_options`.
    """
    keras.utils.set_random_seed(config.seed)
    if config.deterministic:
        tf.config.experimental.enable_op_determinism()
        ordered_sums.switch_on()
    # Keras would wrap our errors in pages of its own.
    keras.config.disable_traceback_filtering()
    steps = config.jit
    if supernet:
        supernet_options(space)
        steps = supernet_jit(steps, space)
    else:
        disable_grappler()
    replicas = replicas_for(config.distribute, steps)
    hide_integer_notice(space)
    if isinstance(config, SearchConfig) and config.micro_batches > 1:
        check(config.batch_size, config.micro_batches, replicas.count)
    return replicas


def hide_integer_notice(space: str) -> None:
    """Keeps off the screen what oneDNN says, once, of integers in language models.

    Its line names an error, and nothing is wrong: other kernels take the integers.
    Call it once devices and threads are chosen.
    """
    if not (_owns_process and is_text(space)):
        return
    from darts_tf.run.process.quiet_tensorflow import stderr_held_back

    with stderr_held_back():
        tf.transpose(tf.zeros((1, 1), tf.int32))


def supernet_jit(jit: str, space: str) -> str:
    """Returns `jit` for the steps of a supernet, which auto leaves as they are.

    XLA compiles a step of DARTS's spaces for minutes: there `on` is for what
    the edges share, and not for the step around it.
    """
    whole = space == nasbench201.SPACE.name or is_chain(space)
    return "on" if jit == "on" and whole else "off"


def disable_grappler() -> None:
    """Switches off Grappler, which takes half of the time to the first step."""
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})


def supernet_options(space: str) -> None:
    """Sets TensorFlow's options for a supernet of this space.

    Text keeps TensorFlow's own. Its products are few and large, and better
    divided; its graph is small, and Grappler takes out the gradients of
    matrices that the exact method's loops compute and nobody reads.
    """
    if is_text(space):
        return
    disable_grappler()
    if _owns_process:  # threads cannot be given back
        divide_by_kernels()


def differentiates_gradients(exact: Collection[str], recompute: bool) -> bool:
    """Returns True if a search of images differentiates gradients of layers.

    Directional derivatives do not count. networks.conv.Supernet has to know.

    Args:
      exact: those of "method" and "lambda_gradient" that are "exact".
      recompute: whether cells are computed again.
    """
    return "lambda_gradient" in exact or (recompute and "method" in exact)


def exact_names(config: SearchConfig) -> set[str]:
    """Returns those of "method" and "lambda_gradient" that are "exact"."""
    if config.strategy not in RELAXED:
        return set()
    pairs = {"method": config.method, "lambda_gradient": config.lambda_gradient}
    return {name for name, value in pairs.items() if value == "exact"}


def joint(config: SearchConfig) -> bool:
    """Returns True if alpha and w of a search learn from the same data."""
    return config.strategy in RELAXED and config.optimization != BILEVEL


def run_values(config: SearchConfig | TrainingConfig, data=None) -> dict[str, object]:
    """Returns the values that define a run: its settings and the user's own data."""
    fingerprint = getattr(data, FINGERPRINT, None)
    values = applicable(config)
    if config.plugin is not None:
        values["plugin"] = plugins.absolute(config.plugin)
    return values | ({} if fingerprint is None else {FINGERPRINT: fingerprint})


def check_free(
    path: str | pathlib.Path,
    replicas: Replicas,
    program: str,
    config: SearchConfig | TrainingConfig,
) -> None:
    """Refuses a folder that is held or is another run's, before what takes long.

    Raises:
      InputError: another live process holds it, or it has other settings.
    """
    if replicas.chief:
        lock.check_free(path)
        check_same_run(
            path,
            run_values(config),
            program=program,
            ignored=(FINGERPRINT, *_ignored(config)),
            defaults=_defaults(config),
        )


def _ignored(config: SearchConfig | TrainingConfig) -> tuple[str, ...]:
    """Returns the names that a resumed run may change."""
    kind = type(config)
    return "workdir", *settings_files.free_names(kind, "place", "pace", "budget")


def _defaults(config: SearchConfig | TrainingConfig) -> dict[str, object]:
    """Returns the values of an earlier version's run that lacks a name."""
    return {field.name: field.default for field in dataclasses.fields(config)}


@contextlib.contextmanager
def open_run(
    program: str,
    config: SearchConfig | TrainingConfig,
    path: str | pathlib.Path,
    replicas: Replicas,
    data=None,
) -> Iterator[Workdir]:
    """Opens the run's folder; refuses one that belongs to another run.

    Of several workers only the chief holds it; the others read it. None
    leaves before all are done, also where all have stopped.
    """
    values = run_values(config, data)
    _check_same(settings_files.digest(type(config), values), replicas)
    with _folder(program, config, path, values, replicas.chief) as workdir:
        try:
            yield workdir
        except SystemExit:
            _leave(replicas)
            raise
    _leave(replicas)


def _folder(program, config, path, values: dict, chief: bool) -> Workdir:
    if not chief:
        return Workdir(expanded(path))
    if config.same_data_as is not None:
        require_data_of_runs(values, config.same_data_as)
    defaults = _defaults(config)
    if config.dataset in IN_FOLDERS:  # older runs have no hash of these
        defaults[FINGERPRINT] = values.get(FINGERPRINT)
    repeated = {
        n: v for n, v in values.items() if n not in (*OF_ONE_START, FINGERPRINT)
    }
    return open_workdir(
        path,
        values,
        settings_files.as_flagfile(repeated | {"workdir": str(path)}),
        program=program,
        ignored=_ignored(config),
        defaults=defaults,
    )


def _check_same(digest: str, replicas: Replicas) -> None:
    """Refuses workers of different settings: they would not meet again."""
    here = int(digest[:12], 16)  # what a float64 holds exactly
    chiefs = int(replicas.total(here if replicas.chief else 0))
    others = int(replicas.total(here != chiefs))
    if others:
        raise InputError(
            f"workers with other settings than the first one: {others}; start "
            "all of them by the same command"
        )


def _leave(replicas: Replicas) -> None:
    """Waits for the others, unless they have left already."""
    with contextlib.suppress(tf.errors.OpError):
        replicas.total(0)


def load_network(model, arrays) -> None:
    """Gives a network the weights and statistics of a checkpoint."""
    groups = {
        "w": [v.value for v in model.trainable_variables],
        "statistics": [v.value for v in model.non_trainable_variables],
    }
    of_network = {n: a for n, a in arrays.items() if n.split("/")[0] in groups}
    load(groups, of_network | {"step": arrays["step"]})


def versions() -> dict[str, str]:
    """Returns the versions of all that a result depends on."""
    return {
        "python": platform.python_version(),
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "numpy": np.__version__,
    }
