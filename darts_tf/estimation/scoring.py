"""What a network costs: parameters and multiply-adds."""

from __future__ import annotations

import math

import tensorflow as tf

from darts_tf.networks.depthwise import for_inference


def parameters(model) -> int:
    """Trainable weights of inference, so without an auxiliary head."""
    head = getattr(model, "auxiliary", None)
    inside = head.trainable_variables if head is not None else []
    every = model.trainable_variables
    return _count(every) - _count(inside)


def _count(variables) -> int:
    return sum(math.prod(v.shape) for v in variables)


def multiply_adds(model, image_shape: tuple[int, int, int]) -> int:
    """Multiply-adds of inference on one image [H, W, C].

    Convolutions and matrix products count, as in the papers; batch norm,
    pooling and sums do not. Read off the traced graph.
    """
    forward = tf.function(lambda images: model(images, training=False))
    spec = tf.TensorSpec((1, *image_shape), model.compute_dtype)
    with for_inference():
        graph = forward.get_concrete_function(spec).graph
    return sum(map(_multiply_adds, graph.get_operations()))


def _multiply_adds(operation) -> int:
    """Output size times the number of inputs to each of its elements."""
    if operation.type == "MatMul":
        rows, inner = operation.inputs[0].shape
        return rows * inner * operation.outputs[0].shape[1]
    if operation.type not in ("Conv2D", "DepthwiseConv2dNative"):
        return 0
    kernel = operation.inputs[1].shape
    per_element = kernel[0] * kernel[1]
    if operation.type == "Conv2D":
        per_element *= kernel[2]
    return _result_size(operation) * per_element


def _result_size(operation) -> int:
    """Elements of the result; of a dilated convolution once it is joined.

    Its four phases (networks/operations.py) have more where a size is odd.
    """
    (result,) = operation.outputs
    for reader in result.consumers():
        if reader.type == "BatchToSpaceND":
            (result,) = reader.outputs
    return math.prod(result.shape)
