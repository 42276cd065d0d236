"""tf.distribute, in three verbs: compile, mean, local.

Everything that computes is a function of tensors which runs on each replica
on its share of the batch; gradients are averaged over the replicas inside
it. With one replica all of this is nothing but tf.function.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from darts_tf.errors import InputError

CHOICES = ("auto", "one_device", "mirrored")


class Replicas:
    """A distribution strategy and what is done with it.

    Args:
      distribute: "one_device"; "mirrored" for all GPUs (or all logical CPU
        devices); "auto": mirrored where there are several GPUs.

    Raises:
      InputError: no such choice.
    """

    def __init__(self, distribute: str = "auto"):
        gpus = tf.config.list_logical_devices("GPU")
        if distribute not in CHOICES:
            raise InputError(
                f"distribute must be one of {', '.join(CHOICES)}; received "
                f"{distribute!r}"
            )
        if distribute == "mirrored" or (distribute == "auto" and gpus[1:]):
            devices = gpus or tf.config.list_logical_devices("CPU")
            names = [device.name for device in devices]
            self.strategy = tf.distribute.MirroredStrategy(names)
        else:
            self.strategy = tf.distribute.get_strategy()

    @property
    def count(self) -> int:
        """Number of replicas."""
        return self.strategy.num_replicas_in_sync

    @property
    def chief(self) -> bool:
        """Whether this process writes; of several workers one does."""
        return True

    def total(self, numbers) -> np.ndarray:
        """Sums over the workers, of which there is one here."""
        return np.asarray(numbers)

    def scope(self) -> contextlib.AbstractContextManager:
        """Where models and variables are created."""
        return self.strategy.scope()

    def compile(self, function: Callable) -> Callable:
        """`function` of tensors as a graph that runs on every replica."""
        if self.count > 1:
            # Of a lambda's traces tf.function would warn: it counts those of
            # all functions that have its code together.
            function = functools.partial(self._everywhere, function)
        # AutoGraph's rewriting of Python's source took a tenth of the time to
        # the first step; nothing here branches on tensors.
        return tf.function(
            function, reduce_retracing=True, autograph=False
        )

    def _everywhere(self, function: Callable, *args):
        return self.strategy.run(function, args)

    def mean(self, values):
        """Average over the replicas of a list; call inside of a replica."""
        if self.count == 1:
            return values
        replica = tf.distribute.get_replica_context()
        return replica.all_reduce(tf.distribute.ReduceOp.MEAN, values)

    def assign(self, variables, values) -> None:
        """Gives variables their new values; call inside of a replica.

        Each replica writes its own copy: the values are equal by then.
        """
        for variable, value in zip(variables, values, strict=True):
            if self.count == 1:
                variable.assign(value)
            else:
                self._own_copy(variable).assign(value)

    def _own_copy(self, variable):
        copies = self.strategy.experimental_local_results(variable)
        return copies[self._place()]

    def _place(self) -> int:
        """Which of this process's replicas the present one is."""
        replica = tf.distribute.get_replica_context()
        return tf.get_static_value(replica.replica_id_in_sync_group)

    def batch_size(self, batch) -> int:
        """Number of examples of a batch (its last element's length)."""
        parts = self.strategy.experimental_local_results(batch[-1])
        return sum(int(part.shape[0]) for part in parts)

    def local(self, value):
        """The first replica's value of a result."""
        return self.strategy.experimental_local_results(value)[0]

    def sum(self, value):
        """The sum of a result over the replicas, as one tensor."""
        parts = self.strategy.experimental_local_results(value)
        return parts[0] if len(parts) == 1 else tf.add_n(parts)

    def divided(self, array):
        """Each replica's share of an array's first axis."""
        if self.count == 1:
            return tf.constant(array)
        parts = tf.split(array, self.count)
        return self.strategy.experimental_distribute_values_from_function(
            lambda context: parts[context.replica_id_in_sync_group]
        )

    def joined(self, value) -> np.ndarray:
        """All replicas' shares as one array: undoes `divided`."""
        parts = self.strategy.experimental_local_results(value)
        return np.concatenate([np.array(part) for part in parts])

    def split(self, dataset: tf.data.Dataset, batch_size: int):
        """The dataset with each batch split among the replicas.

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
        """Refuses, with an InputError, what cannot be split evenly."""
        if batch_size % self.count:
            raise InputError(
                f"the batch size must be a multiple of the {self.count} "
                f"replicas; received {batch_size}"
            )
