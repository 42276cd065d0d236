"""Runs functions on one or several replicas, by tf.distribute.

Every computation is a function of tensors which runs on each replica on its
share of the batch and averages gradients over the replicas. With one replica
this is tf.function and no more.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from darts_tf.config import Distribute, names
from darts_tf.errors import InputError

CHOICES = tuple(name for name in names(Distribute) if name != "multi_worker")
ACCELERATORS = {"GPU", "TPU"}


class Replicas:
    """Compiles functions for the devices of a distribution strategy.

    Args:
      distribute: "one_device"; "mirrored" for all GPUs (or all logical CPU
        devices); "auto": mirrored where there are several GPUs.
      jit: whether XLA compiles the functions of `compile`; "auto": for one
        replica on an accelerator.

    Raises:
      InputError: an unknown choice; or XLA for several replicas.
    """

    def __init__(self, distribute: str = "auto", jit: str = "auto"):
        gpus = tf.config.list_logical_devices("GPU")
        if distribute not in CHOICES:
            raise InputError(
                f"`distribute` must be one of {', '.join(CHOICES)}; received "
                f"{distribute!r}"
            )
        if distribute == "mirrored" or (distribute == "auto" and gpus[1:]):
            devices = gpus or tf.config.list_logical_devices("CPU")
            names = [device.name for device in devices]
            self.strategy = tf.distribute.MirroredStrategy(names)
        else:
            self.strategy = tf.distribute.get_strategy()
        self._choose_jit(jit)

    def _choose_jit(self, jit: str) -> None:
        """Chooses XLA; it cannot compile what replicas exchange inside a step."""
        if jit == "on" and self.count > 1:
            raise InputError(
                f"XLA compiles steps on one replica only, and these are "
                f"{self.count}: give `jit=off`, or `distribute=one_device`"
            )
        kinds = {d.device_type for d in tf.config.list_logical_devices()}
        fast = bool(kinds & ACCELERATORS) and self.count == 1
        self.jit = jit == "on" or (jit == "auto" and fast)

    @property
    def count(self) -> int:
        """Returns the number of replicas."""
        return self.strategy.num_replicas_in_sync

    @property
    def chief(self) -> bool:
        """Returns True if this process writes; of several workers one does."""
        return True

    def total(self, numbers) -> np.ndarray:
        """Returns the sum over the workers, of which there is one here."""
        return np.asarray(numbers)

    def scope(self) -> contextlib.AbstractContextManager:
        """Returns the context in which models and variables must be created."""
        return self.strategy.scope()

    def compile(self, function: Callable) -> Callable:
        """Compiles a function of tensors to a graph that runs on every replica."""
        if self.count > 1:
            # A partial, since tf.function warns of retracing a lambda: it
            # counts the traces of all functions with the same code together.
            function = functools.partial(self._everywhere, function)
        # AutoGraph's rewriting of Python's source took a tenth of the time to
        # the first step; nothing here branches on tensors.
        return tf.function(
            function,
            reduce_retracing=True,
            autograph=False,
            jit_compile=self.jit or None,
        )

    def _everywhere(self, function: Callable, *args):
        return self.strategy.run(function, args)

    def mean(self, values):
        """Averages a list of tensors over the replicas; call inside a replica."""
        if self.count == 1:
            return values
        replica = tf.distribute.get_replica_context()
        return replica.all_reduce(tf.distribute.ReduceOp.MEAN, values)

    def assign(self, variables, values) -> None:
        """Assigns new values to variables; call inside a replica.

        Each replica writes its own copy: the values are equal by then.
        """
        for variable, value in zip(variables, values, strict=True):
            if self.count == 1:
                variable.assign(value)
            else:
                self._local_copy(variable).assign(value)

    def _local_copy(self, variable):
        copies = self.strategy.experimental_local_results(variable)
        return copies[self._place()]

    def _place(self) -> int:
        """Returns the index of the present replica among this process's."""
        replica = tf.distribute.get_replica_context()
        return tf.get_static_value(replica.replica_id_in_sync_group)

    def batch_size(self, batch) -> int:
        """Returns the number of examples of a batch (its last element's length)."""
        parts = self.strategy.experimental_local_results(batch[-1])
        return sum(int(part.shape[0]) for part in parts)

    def local(self, value):
        """Returns the first replica's value of a result."""
        return self.strategy.experimental_local_results(value)[0]

    def sum(self, value):
        """Returns the sum of a result over the replicas, as one tensor."""
        parts = self.strategy.experimental_local_results(value)
        return parts[0] if len(parts) == 1 else tf.add_n(parts)

    def divided(self, array):
        """Divides an array's first axis among the replicas."""
        if self.count == 1:
            return tf.constant(array)
        parts = tf.split(array, self.count)
        return self.strategy.experimental_distribute_values_from_function(
            lambda context: parts[context.replica_id_in_sync_group]
        )

    def joined(self, value) -> np.ndarray:
        """Joins all replicas' shares to one array: undoes `divided`."""
        parts = self.strategy.experimental_local_results(value)
        return np.concatenate([np.array(part) for part in parts])

    def split(self, dataset: tf.data.Dataset, batch_size: int):
        """Splits each batch of a Dataset among the replicas.

        Raises:
          InputError: the batch cannot be split evenly.
        """
        if self.count == 1:
            return dataset
        self.check_batch(batch_size)
        options = tf.data.Options()
        policy = tf.data.experimental.AutoShardPolicy.OFF
        options.experimental_distribute.auto_shard_policy = policy
        dataset = dataset.with_options(options)
        return self.strategy.experimental_distribute_dataset(dataset)

    def check_batch(self, batch_size: int) -> None:
        """Raises an InputError if a batch cannot be split evenly."""
        if batch_size % self.count:
            raise InputError(
                f"`batch_size` must be a multiple of the {self.count} replicas; "
                f"received {batch_size}"
            )
