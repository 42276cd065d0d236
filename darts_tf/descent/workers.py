"""Runs replicas on several machines, by MultiWorkerMirroredStrategy.

Every worker is a process that runs the same program on its share of each
batch. What is averaged in a replica is averaged over all of them, so alpha
and w stay equal everywhere; where a number is needed outside of a replica,
all workers have to ask for it (`total`), in the same order.

The first worker is the chief, the only one that writes. A worker that ends
is noticed by TensorFlow (the coordination service's heartbeats, or the
connection itself): whatever the others wait for fails then, and so do they.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from darts_tf.descent.cluster import Cluster, read_cluster
from darts_tf.descent.rendezvous import cannot_listen, describe, meet
from darts_tf.descent.replicas import Replicas

CHOICE = "multi_worker"
"""Choice of `distribute` beside those of Replicas, which know one machine."""


class Workers(Replicas):
    """Replicas of this process among those of two or more workers.

    It must be made before anything is computed, and waits for all workers.

    Args:
      cluster: the workers.
      jit: as of Replicas; "on" is refused.

    Raises:
      InputError: this worker cannot listen where it should.
    """

    def __init__(self, cluster: Cluster, jit: str = "auto"):
        self._index, self._workers = cluster.index, len(cluster.workers)
        self.strategy = _strategy(cluster)
        self._choose_jit(jit)
        self._each = len(self.strategy.extended.worker_devices)
        self._first = self._index * self._each
        self._add_up = self.compile(self._summed)

    @property
    def chief(self) -> bool:
        """Returns True if this is the worker that writes."""
        return self._index == 0

    def total(self, numbers) -> np.ndarray:
        """Returns the sum over the workers, float64; all must call it."""
        numbers = tf.constant(np.asarray(numbers, np.float64))
        return np.array(self.local(self._add_up(numbers)))

    def _summed(self, numbers):
        """Adds up numbers of each worker's first replica and zeros of the others."""
        addend = numbers if self._place() == 0 else tf.zeros_like(numbers)
        replica = tf.distribute.get_replica_context()
        add = tf.distribute.ReduceOp.SUM
        return replica.all_reduce(add, [tf.identity(addend)])[0]

    def _place(self) -> int:
        return super()._place() - self._first

    def mean(self, values):
        """Averages copies, since all_reduce refuses the arguments of a function."""
        return super().mean([tf.identity(value) for value in values])

    def batch_size(self, batch) -> int:
        """Returns the number of examples of a batch on all workers."""
        return int(self.total(super().batch_size(batch)))

    def sum(self, value):
        """Returns the sum of a result over all replicas."""
        return self.total(super().sum(value))

    def joined(self, value) -> np.ndarray:
        """Joins all replicas' shares to one array: undoes `divided`."""
        local = super().joined(value)
        whole = np.zeros((self._workers, *local.shape))
        whole[self._index] = local
        return np.concatenate(self.total(whole)).astype(local.dtype)

    def split(self, dataset: tf.data.Dataset, batch_size: int):
        """Splits batches; every worker makes all of them and uses its share."""
        self.check_batch(batch_size)
        return _Shares(self, dataset.map(self._shares))

    def _shares(self, *batch) -> tuple[tuple, ...]:
        """Returns the rows of a batch for each replica of this worker."""
        rows, count = tf.shape(batch[0])[0], self.count
        places = range(self._first, self._first + self._each)
        return tuple(
            tuple(
                part[rows * place // count : rows * (place + 1) // count]
                for part in batch
            )
            for place in places
        )

    def values(self, shares):
        """Makes a distributed value of this worker's replicas' values, in order."""
        make = self.strategy.experimental_distribute_values_from_function
        return make(
            lambda context: shares[context.replica_id_in_sync_group - self._first]
        )


class _Shares:
    """Iterates over batches with a value for every replica of this worker.

    TensorFlow's own distributed data sets would ask all workers at every
    batch whether they still have one.
    """

    def __init__(self, workers: Workers, dataset: tf.data.Dataset):
        self._workers, self._dataset = workers, dataset

    def __iter__(self) -> Iterator[tuple]:
        for replicas in self._dataset:
            yield tuple(map(self._workers.values, zip(*replicas)))


def _strategy(cluster: Cluster) -> tf.distribute.Strategy:
    """Makes the strategy once all workers are there, and says that it waits."""
    waits = f"{describe(cluster)}: waiting for the others, an hour at most"
    print(waits, file=sys.stderr, flush=True)
    meet(cluster)
    try:
        with _immediate_interrupt():
            return tf.distribute.MultiWorkerMirroredStrategy()
    except tf.errors.UnknownError as error:
        raise cannot_listen(cluster, error.message) from error


@contextlib.contextmanager
def _immediate_interrupt() -> Iterator[None]:
    """Lets Ctrl-C end the process; Python's handler would wait for TensorFlow.

    Afterwards SIGTERM too is Python's again, of which TensorFlow makes a note and
    no more.
    """
    numbers = signal.SIGINT, signal.SIGTERM
    before = {number: signal.getsignal(number) for number in numbers}
    here = threading.current_thread() is threading.main_thread()
    if not here or None in before.values():
        yield
        return
    if before[signal.SIGINT] is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def replicas_for(distribute: str, jit: str = "auto") -> Replicas:
    """Makes the replicas of a run: any of Replicas' choices, or "multi_worker".

    A cluster of one worker is one machine.

    Raises:
      InputError: an unknown choice; or TF_CONFIG is not what it should be.
    """
    if distribute != CHOICE:
        return Replicas(distribute, jit)
    cluster = read_cluster(os.environ)
    if not cluster.workers[1:]:
        return Replicas("auto", jit)
    return Workers(cluster, jit)
