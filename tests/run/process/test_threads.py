"""Whole kernels for few cores, parts of kernels for many."""

from __future__ import annotations

import os

import pytest
import tensorflow as tf

from darts_tf.run.process import threads
from tests.scripts import output_of


@pytest.fixture
def chosen(monkeypatch):
    """Records the threads' number in place of setting it."""
    seen = []
    kind = tf.config.threading
    name = "set_intra_op_parallelism_threads"
    monkeypatch.setattr(kind, name, seen.append)
    monkeypatch.delenv("TF_NUM_INTRAOP_THREADS", raising=False)
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])
    return seen


@pytest.mark.parametrize("cores, wanted", [(1, 1), (2, 1), (8, 1), (9, 2), (32, 4)])
def test_threads_of_a_kernel(monkeypatch, chosen, cores, wanted):
    monkeypatch.setattr(threads, "cores", lambda: cores)
    threads.divide_by_kernels()
    assert chosen == [wanted]


def test_what_the_user_set_stays(monkeypatch, chosen):
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "2")
    threads.divide_by_kernels()
    assert not chosen


def test_with_a_gpu_nothing_is_changed(monkeypatch, chosen):
    gpu = tf.config.PhysicalDevice("GPU:0", "GPU")
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [gpu])
    threads.divide_by_kernels()
    assert not chosen


def test_the_cores_that_this_process_may_use():
    assert 1 <= threads.cores() <= os.cpu_count()


PROGRAM = """
import os
os.environ.pop("TF_NUM_INTRAOP_THREADS", None)
import tensorflow as tf
from darts_tf.run.process import threads
threads.cores = lambda: 2
threads.divide_by_kernels()
tf.zeros(1)
threads.cores = lambda: 16
threads.divide_by_kernels()  # too late, and no reason to fail
print(tf.config.threading.get_intra_op_parallelism_threads())
"""


@pytest.mark.slow
def test_tensorflow_takes_it_before_it_starts():
    assert output_of(script=PROGRAM).strip() == "1"
