"""Counts the parameters, multiply-adds and feature maps of a network."""

from __future__ import annotations

import math

import tensorflow as tf

from darts_tf.networks import implementation
from darts_tf.networks.registered import formula_costs

BYTES = 4
"""Size of a float32, in bytes."""

CONVOLUTIONS = ("Conv2D", "DepthwiseConv2dNative")
WRITING = ("MatMul", "Einsum", "BatchMatMulV2", "MaxPool", "AvgPool")
"""Types of the other operations that write a feature map."""


def parameters(model) -> int:
    """Returns the number of trainable weights, without those of an auxiliary head."""
    head = getattr(model, "auxiliary", None)
    inside = head.trainable_variables if head is not None else []
    every = model.trainable_variables
    return _count(every) - _count(inside)


def _count(variables) -> int:
    return sum(math.prod(v.shape) for v in variables)


def multiply_adds(model, image_shape: tuple[int, int, int]) -> int:
    """Returns the multiply-adds of inference on one image [H, W, C].

    Convolutions and matrix products count, as in the papers; batch norm,
    pooling and sums do not. Read off the traced graph; of registered operations
    with a `cost` the formula counts.
    """
    with formula_costs() as costs:
        graph = _traced(model, image_shape)
    return sum(costs) + sum(map(_multiply_adds, graph.get_operations()))


def activation_memory(model, image_shape: tuple[int, int, int]) -> int:
    """Returns the bytes of all feature maps that inference on one image writes.

    In float32, the results of convolutions, matrix products and pools (the
    "activations" of Radosavovic et al. 2020, sect. 4, with pools). Batch norm,
    ReLU and sums work in place, and do not count. It is a sum and not a peak:
    the peak depends on the order in which a runtime computes, and is no sum over
    the edges of a cell. Read off the traced graph [H, W, C].
    """
    graph = _traced(model, image_shape)
    return BYTES * sum(map(_written, graph.get_operations()))


def _traced(model, image_shape: tuple[int, int, int]):
    """Returns the graph of plain inference on one image [H, W, C]."""
    forward = tf.function(lambda images: model(images, training=False))
    spec = tf.TensorSpec((1, *image_shape), model.compute_dtype)
    with implementation.plain():
        return forward.get_concrete_function(spec).graph


def _written(operation) -> int:
    """Returns the elements of the feature map that an operation writes."""
    if operation.type in CONVOLUTIONS:
        return _result_size(operation)
    if operation.type in WRITING and len(operation.inputs) > 0:
        return math.prod(operation.outputs[0].shape)
    return 0


def _multiply_adds(operation) -> int:
    """Returns the output's size times the number of inputs to each element."""
    if operation.type == "MatMul":
        inner = operation.inputs[0].shape[0 if operation.get_attr("transpose_a") else 1]
        return math.prod(operation.outputs[0].shape) * inner
    if operation.type == "Einsum":
        return _einsum_multiply_adds(operation)
    if operation.type == "BatchMatMulV2":
        inner = operation.inputs[0].shape[-2 if operation.get_attr("adj_x") else -1]
        return math.prod(operation.outputs[0].shape) * inner
    if operation.type not in CONVOLUTIONS:
        return 0
    kernel = operation.inputs[1].shape
    per_element = kernel[0] * kernel[1]
    if operation.type == "Conv2D":
        per_element *= kernel[2]
    return _result_size(operation) * per_element


def _einsum_multiply_adds(operation) -> int:
    """Returns the output's size times the sizes of the indices summed over."""
    terms, _, result = operation.get_attr("equation").decode().partition("->")
    sizes: dict[str, int] = {}
    for term, tensor in zip(terms.split(","), operation.inputs):
        before, _, behind = term.partition("...")
        sizes |= zip(before, tensor.shape)
        sizes |= zip(reversed(behind), reversed(tensor.shape))
    if len(operation.inputs) < 2:
        return 0
    summed = [size for index, size in sizes.items() if index not in result]
    return math.prod(operation.outputs[0].shape) * math.prod(summed)


def _result_size(operation) -> int:
    """Returns the elements of the result; of a dilated convolution once it is joined.

    Its four phases (networks/operations.py) have more where a size is odd.
    """
    (result,) = operation.outputs
    for reader in result.consumers():
        if reader.type == "BatchToSpaceND":
            (result,) = reader.outputs
    return math.prod(result.shape)
