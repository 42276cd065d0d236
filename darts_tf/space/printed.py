"""Genotypes in the form in which other projects print them, read but never run.

DARTS and its descendants print a named tuple:

    Genotype(normal=[('sep_conv_3x3', 1), ...], normal_concat=range(2, 6), ...)
    Genotype(recurrent=[('sigmoid', 0), ...], concat=range(1, 9))
"""

from __future__ import annotations

import ast

from darts_tf.errors import InputError
from darts_tf.space import conv, recurrent
from darts_tf.space.genotype import CellGenotype, Genotype

START = "Genotype("
EXAMPLE = "Genotype(normal=[('skip_connect', 0), ...], normal_concat=range(2, 6), ...)"


def is_printed(text: str) -> bool:
    """Returns whether the text is meant as a printed named tuple."""
    return text.strip().startswith(START)


def from_printed(text: str, space: str = conv.SPACE.name) -> Genotype:
    """Reads a printed genotype.

    Args:
      text: "Genotype(normal=..., normal_concat=..., reduce=..., ...)" or
        "Genotype(recurrent=..., concat=...)".
      space: of a genotype with the cells normal and reduce.

    Raises:
      InputError: it has another form, or is no genotype of the space.
    """
    values = _arguments(text)
    if set(values) == {"recurrent", "concat"}:
        cell = _cell(text, values["recurrent"], values["concat"])
        return Genotype(recurrent.SPACE.name, {"recurrent": cell})
    names = ("normal", "reduce")
    if set(values) != {*names, *(f"{name}_concat" for name in names)}:
        raise _malformed(text)
    cells = {n: _cell(text, values[n], values[f"{n}_concat"]) for n in names}
    return Genotype(space, cells)


def _arguments(text: str) -> dict:
    """Returns the keyword arguments of the call that the text is."""
    try:
        call = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise _malformed(text) from None
    if not isinstance(call, ast.Call) or call.args:
        raise _malformed(text)
    try:
        return {str(k.arg): _value(k.value) for k in call.keywords}
    except (ValueError, TypeError):
        raise _malformed(text) from None


def _value(node: ast.expr):
    """Returns a literal, or the numbers of a range of at most 100."""
    named = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    if not named or node.func.id not in ("range", "list"):
        return ast.literal_eval(node)
    values = [_value(argument) for argument in node.args]
    if node.func.id == "list":
        return list(*values)
    numbers = range(*values)
    if len(numbers) > 100:
        raise ValueError("too many nodes")
    return list(numbers)


def _cell(text: str, edges, concat) -> CellGenotype:
    try:
        pairs = tuple((name, node) for name, node in edges)
        nodes = tuple(concat)
    except (TypeError, ValueError):
        raise _malformed(text) from None
    numbers = [*nodes, *(node for _, node in pairs)]
    whole = all(type(number) is int for number in numbers)
    if not whole or not all(isinstance(name, str) for name, _ in pairs):
        raise _malformed(text)
    return CellGenotype(pairs, nodes)


def _malformed(text: str) -> InputError:
    short = text if len(text) <= 80 else f"{text[:77]}..."
    return InputError(f"genotype {short!r} must have the form {EXAMPLE}")
