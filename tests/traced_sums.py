"""Counts the terms of the sums in a traced function."""

from __future__ import annotations


def longest_sum(function, *arguments) -> int:
    """Returns the most inputs of any AddN of a tf.function and its loops."""
    graph = function.get_concrete_function(*arguments).graph.as_graph_def()
    parts = [graph.node, *(part.node_def for part in graph.library.function)]
    return max(len(n.input) for nodes in parts for n in nodes if n.op == "AddN")
