"""A batch in equal slices, one after another, in the memory of one slice.

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
"""What of a loss's aux has a row for each example; all else is a mean."""


def check(batch_size: int, micro_batches: int, replicas: int = 1) -> None:
    """Refuses a batch that does not divide.

    Raises:
      InputError: the replicas' shares have no equal slices.
    """
    parts = micro_batches * replicas
    if batch_size % parts:
        shares = f" on each of {replicas} replicas" if replicas > 1 else ""
        raise InputError(
            f"a batch of {batch_size} does not divide into {micro_batches} "
            f"equal micro-batches{shares}: --batch_size must be a multiple "
            f"of {parts}, or give fewer --micro_batches"
        )


def sliced(piece: Callable, count: int) -> Callable:
    """`piece` as the mean over equal slices of its batch.

    A loop in the graph: its body is traced once, and the slices use the same
    memory in turn.

    Args:
      piece: (loss, w, alpha, batch, seed, *more) -> tensors in tuples, lists
        and dictionaries, such as gradients, the loss and its aux. All are
        means over the batch, but EXAMPLES.
      count: N; with 1 the piece itself is returned.

    Returns:
      A function of the same arguments and results. The first axis of all
      that is in a batch is that of the examples.

    Raises (when called):
      InputError: the batch does not divide.
    """
    if count == 1:
        return piece

    def over_slices(loss, w, alpha, batch, seed, *more):
        parts = tf.nest.map_structure(lambda x: _divided(x, count), batch)

        @tf.function
        def one(number, w, alpha, parts, seed, more):
            batch = tf.nest.map_structure(lambda x: x[number], parts)
            own = tf.random.experimental.stateless_fold_in(seed, number)
            return piece(loss, w, alpha, batch, own, *more)

        values = (w, alpha, parts, seed, more)
        traced = one.get_concrete_function(tf.constant(0), *values)
        return _means(
            lambda number: traced(number, *values),
            traced.structured_outputs,
            count,
        )

    return over_slices


def _divided(x, count: int):
    """[B, ...] -> [N, B / N, ...]."""
    x = tf.convert_to_tensor(x)
    size, *shape = x.shape
    if size is not None:
        check(size, count)
        return tf.reshape(x, [count, size // count, *_known(x, shape)])
    return tf.reshape(x, [count, -1, *_known(x, shape)])


def _known(x, shape) -> list:
    """The sizes of all axes of x but the first, tensors where need be."""
    sizes = tf.shape(x)
    return [
        sizes[axis] if size is None else size
        for axis, size in enumerate(shape, 1)
    ]


def _means(one: Callable, outputs, count: int):
    """Means (rows: all of them in order) of one(0) .. one(count - 1).

    Args:
      one: number, [] -> a structure like `outputs`.
      outputs: has the shapes and types of what `one` gives.
      count: N.
    """
    flat = tf.nest.flatten(outputs)
    is_rows = tf.nest.flatten(_marked(outputs))

    def start(output, rows: bool):
        if rows:
            return tf.TensorArray(
                output.dtype, count, element_shape=output.shape
            )
        return tf.zeros(output.shape, output.dtype)

    def body(number, kept):
        found = tf.nest.flatten(one(number))
        return number + 1, [
            old.write(number, new) if rows else old + new / count
            for old, new, rows in zip(kept, found, is_rows, strict=True)
        ]

    _, kept = tf.while_loop(
        lambda number, _: number < count,
        body,
        (tf.constant(0), [start(*pair) for pair in zip(flat, is_rows)]),
        parallel_iterations=1,  # else several slices are in memory at once
    )
    done = [k.concat() if r else k for k, r in zip(kept, is_rows, strict=True)]
    return tf.nest.pack_sequence_as(outputs, done)


def _marked(outputs, rows: bool = False):
    """The same structure, True where an entry is named in EXAMPLES."""
    if isinstance(outputs, dict):
        return {n: _marked(v, n in EXAMPLES) for n, v in outputs.items()}
    if isinstance(outputs, (list, tuple)):
        return [_marked(v, rows) for v in outputs]
    return rows
