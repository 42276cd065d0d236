"""Computes a batch in equal slices, in turn, in the memory of one slice.

Every gradient of a search is a mean over its batch, so it is the mean of the
slices' gradients: what N replicas compute on their shares, but in turn. The
points of eq. 6 and eq. 8 are formed from the means. As on N replicas, batch
norm sees its slice and not the whole batch, random operations and dropout
masks are drawn for each slice, and the running statistics follow the mean of
the slices' statistics.
"""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from darts_tf.errors import InputError

EXAMPLES = ("logits", "hidden")
"""The names in a loss's aux that have a row for each example; others are means."""


def check(batch_size: int, micro_batches: int, replicas: int = 1) -> None:
    """Checks that a batch divides into equal slices.

    Raises:
      InputError: the replicas' shares have no equal slices.
    """
    parts = micro_batches * replicas
    if batch_size % parts:
        shares = f" on each of {replicas} replicas" if replicas > 1 else ""
        raise InputError(
            f"a batch of {batch_size} does not divide into {micro_batches} "
            f"equal micro-batches{shares}: `batch_size` must be a multiple "
            f"of {parts}, or give fewer `micro_batches`"
        )


def in_turn(
    piece: Callable,
    count: int = 1,
    compile: Callable = tf.function,
    mean: Callable = lambda values: values,
) -> Callable:
    """Compiles `piece` as its mean over equal slices and over replicas.

    One graph of one slice, called for each. (As a loop in the graph it took
    twice the memory for the graph and half as long again to trace.)

    Args:
      piece: (w, alpha, batch, seed, *others) -> a tuple or list of tensors or
        lists of them, such as gradients and the loss; its last entry may be
        the loss's aux, a dictionary. All are means over the batch, but
        EXAMPLES.
      count: N, the number of slices.
      compile: turns a function of tensors into its compiled form.
      mean: averages a list of tensors over the replicas; aux is not.

    Returns:
      A function of the same arguments and results. The first axis of all
      that is in a batch is that of the examples.

    Raises (when called):
      InputError: the batch does not divide.
    """

    def whole(*values):
        return _over_replicas(*_unpack(piece(*values)), mean)

    def part(number, w, alpha, batch, seed, *others):
        batch = tf.nest.map_structure(lambda x: _divided(x, count)[number], batch)
        slice_seed = tf.random.experimental.stateless_fold_in(seed, number)
        return _unpack(piece(w, alpha, batch, slice_seed, *others))

    def add(total, means):
        return tf.nest.map_structure(tf.add, total, means)

    def together(total, rows):
        means = tf.nest.map_structure(lambda x: x / count, total)
        joined = {n: tf.concat([r[n] for r in rows], 0) for n in rows[0]}
        return _over_replicas(means, joined, mean)

    if count == 1:
        whole.__name__ = getattr(piece, "__name__", whole.__name__)
        return compile(whole)
    part, add, together = compile(part), compile(add), compile(together)

    def over_slices(*values):
        total, rows = part(tf.constant(0), *values)
        rows = [rows]
        for number in range(1, count):
            means, examples = part(tf.constant(number), *values)
            total = add(total, means)
            rows.append(examples)
        return together(total, rows)

    return over_slices


def _divided(x, count: int):
    """Reshapes [B, ...] to [N, B / N, ...]."""
    x = tf.convert_to_tensor(x)
    size, known = tf.shape(x), x.shape.as_list()
    rest = [size[i] if n is None else n for i, n in enumerate(known)][1:]
    if known[0] is None:
        return tf.reshape(x, [count, -1, *rest])
    check(known[0], count)
    return tf.reshape(x, [count, known[0] // count, *rest])


def _unpack(result):
    """Splits a result into means over the batch and rows of examples by name."""
    if not isinstance(result[-1], dict):
        return result, {}
    *others, aux = result
    rows = {name: aux[name] for name in EXAMPLES if name in aux}
    rest = {name: value for name, value in aux.items() if name not in rows}
    return (*others, rest), rows


def _over_replicas(means, rows, mean: Callable):
    """Undoes `_unpack`, all but aux averaged over the replicas."""
    aux = means[-1] if isinstance(means[-1], dict) else None
    others = means if aux is None else means[:-1]
    averaged = mean(tf.nest.flatten(others))
    others = tf.nest.pack_sequence_as(others, averaged)
    return others if aux is None else (*others, aux | rows)
