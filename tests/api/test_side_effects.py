"""Calls of the library leave the caller's process as it was."""

from __future__ import annotations

import ast
import os
import pathlib
import random
import signal

import keras
import numpy as np
import psutil
import pytest
import tensorflow as tf

import darts_tf as dt

LIBRARY = pathlib.Path(dt.__file__).parent
PROGRAMS = ("cli", "protocol", "programs", "run")
"""Rooms whose functions a library call may end in with SystemExit."""


def state() -> dict[str, object]:
    threading = tf.config.threading
    return {
        "SIGINT": signal.getsignal(signal.SIGINT),
        "SIGTERM": signal.getsignal(signal.SIGTERM),
        "wakeup": _wakeup(),
        "ports": _ports(),
        "optimizer": {
            name: value
            for name, value in tf.config.optimizer.get_experimental_options().items()
            if value
        },
        "jit": tf.config.optimizer.get_jit(),
        "threads": (
            threading.get_intra_op_parallelism_threads(),
            threading.get_inter_op_parallelism_threads(),
        ),
        "soft placement": tf.config.get_soft_device_placement(),
        "eager": tf.config.functions_run_eagerly(),
        "strategy": tf.distribute.has_strategy(),
        "policy": keras.mixed_precision.dtype_policy().name,
        "floatx": keras.config.floatx(),
        "filtering": keras.config.is_traceback_filtering_enabled(),
        "environment": dict(os.environ),
        "folder": os.getcwd(),
        "numpy": tuple(map(str, np.random.get_state())),
        "random": random.getstate(),
    }


def _ports() -> list:
    """Returns the addresses on which this process listens."""
    connections = psutil.Process().net_connections("inet")
    return [c.laddr for c in connections if c.status == psutil.CONN_LISTEN]


def _wakeup() -> int:
    number = signal.set_wakeup_fd(-1)
    signal.set_wakeup_fd(number)
    return number


@pytest.fixture
def defaults():
    """TensorFlow's own options, which the tests change for speed."""
    name = "disable_meta_optimizer"
    tf.config.optimizer.set_experimental_options({name: False})
    yield
    tf.config.optimizer.set_experimental_options({name: True})


@pytest.mark.slow
def test_nothing_of_the_process_is_changed(
    defaults, arrays, search_config, training_config, tmp_path
):
    data = dt.data.from_arrays(*arrays)
    before = state()
    search_config = search_config.replace(precision="mixed_bfloat16")
    genotype = dt.search(data, search_config, tmp_path / "a").genotype
    dt.evaluate(genotype, data, training_config)
    with pytest.raises(dt.InputError):
        dt.evaluate("DARTS_V9", data)
    with pytest.raises(dt.InputError, match="`crop_padding`|`cutout_length"):
        dt.search(data, search_config.replace(cutout_length=30))
    after = state()
    assert {name for name in before if before[name] != after[name]} == set()


def test_only_programs_exit_or_parse_flags():
    wrong = ("exit", "_exit", "SystemExit", "FLAGS")
    for path in LIBRARY.rglob("*.py"):
        if path.relative_to(LIBRARY).parts[0] not in PROGRAMS:
            names = {
                getattr(node, "attr", getattr(node, "id", None))
                for node in ast.walk(ast.parse(path.read_text("utf-8")))
            }
            assert not names.intersection(wrong), path
