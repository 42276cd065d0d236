"""Genotypes in the forms in which other projects print them, read but never run.

DARTS and its descendants print a named tuple, of a convolutional or a recurrent cell:

    Genotype(normal=[('sep_conv_3x3', 1), ...], normal_concat=range(2, 6), ...)
    Genotype(recurrent=[('sigmoid', 0), ...], concat=range(1, 9))

Edges may stand in a tuple for each node and may carry a weight (GDAS), or name their
target before their predecessor (FairDARTS). NAS-Bench-201 is printed as its string, as
a tuple for each node, or as a dictionary of edges:

    |nor_conv_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|nor_conv_1x1~2|
    [(('nor_conv_3x3', 0),), (('none', 0), ('skip_connect', 1)), (...)]
    {'1<-0': 'nor_conv_3x3', '2<-0': 'none', ...}    {(0, 1): 'nor_conv_3x3', ...}

Named tuples and strings are found anywhere in a text, such as a line of a log, where
"Genotype(normal)" without a field's "=" is a comment. Tuples and dictionaries have to
be all of it, but for a name and a "=" or ":" before.
"""

from __future__ import annotations

import ast
import collections
import re
import warnings
from collections.abc import Iterator

from darts_tf.errors import InputError
from darts_tf.space import architecture_string, conv, nasbench201, recurrent
from darts_tf.space.genotype import CellGenotype, Genotype
from darts_tf.space.registry import MOST_NODES, space_by_name

START = "Genotype("
EXAMPLE = "Genotype(normal=[('skip_connect', 0), ...], normal_concat=range(2, 6), ...)"
LISTS = ("list", "tuple", "array", "tensor")
NUMBERS = (
    *("int", "int8", "int16", "int32", "int64", "uint8"),
    *("float", "float16", "float32", "float64", "str_"),
)
"""Wrappers of values where lists of NumPy and PyTorch are printed."""

_FIELDS = re.compile(rf"{re.escape(START)}(?=\s*\w+\s*=)")
_STRING = re.compile(r"\|[^|~+\s]*~\d[^\s'\"<>)\]},;]*\|")
_LITERAL = re.compile(r"\s*(?:[\w.]+\s*[=:]\s*)?([\[({].*[\])}])\s*", re.DOTALL)
_BRACKETS = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"|[()]")
_ARROW = re.compile(r"(\d)<-(\d)")
_UNREADABLE = (
    SyntaxError,
    ValueError,
    TypeError,
    RecursionError,
    MemoryError,
    OverflowError,
)


def is_printed(text: str) -> bool:
    """Returns whether a text holds what another project prints, or is meant to."""
    found = START in text or _STRING.search(text) or _LITERAL.fullmatch(text)
    return bool(found) or text.strip().startswith("|")


def from_printed(text: str, space: str = conv.SPACE.name) -> Genotype:
    """Reads the one genotype that a text holds.

    Args:
      text: in one of the forms above; the same genotype may stand in it repeatedly.
      space: of a genotype with the cells normal and reduce.

    Raises:
      InputError: it holds none, or several, or one that has another form or is no
        genotype of the space.
    """
    genotypes = list(dict.fromkeys(_genotypes(text, space)))
    if len(genotypes) == 1:
        return genotypes[0]
    how_many = f"{len(genotypes)} genotypes" if genotypes else "no genotype"
    raise InputError(
        f"text {_short(text)} holds {how_many}; give a text with one, of the form "
        f"{EXAMPLE}, or of NAS-Bench-201 {architecture_string.EXAMPLE}"
    )


def _genotypes(text: str, space: str) -> Iterator[Genotype]:
    """Yields all genotypes of a text, in the order of their forms.

    Raises:
      InputError: one is malformed, or "Genotype(" is there without a field.
    """
    if _FIELDS.search(text):
        for call in _calls(text):
            yield _from_values(call, _arguments(call), space)
    elif _STRING.search(text) or text.strip().startswith("|"):
        for string in _STRING.findall(text) or [text]:
            yield architecture_string.from_string(string)
    elif match := _LITERAL.fullmatch(text):
        yield _from_literal(match[1], space)
    elif START in text:
        raise _malformed(text[text.index(START) :])


def _calls(text: str) -> Iterator[str]:
    """Yields each "Genotype(field=...)" of a text, up to its closing bracket.

    "Genotype(normal)", as comments have it, is none.

    Raises:
      InputError: a bracket is never closed.
    """
    for match in _FIELDS.finditer(text):
        depth = 1
        for bracket in _BRACKETS.finditer(text, match.end()):
            depth += {"(": 1, ")": -1}.get(bracket[0], 0)
            if not depth:
                yield text[match.start() : bracket.end()]
                break
        else:
            raise _malformed(text[match.start() :])


def _arguments(text: str) -> dict:
    """Returns the keyword arguments of the call that the text is."""
    try:
        call = _parsed(text)
        if not isinstance(call, ast.Call) or call.args:
            raise _malformed(text)
        names = [str(keyword.arg) for keyword in call.keywords]
        values = [_value(keyword.value) for keyword in call.keywords]
    except _UNREADABLE:
        raise _malformed(text) from None
    _refuse_twice(text, names)
    return dict(zip(names, values))


def _parsed(text: str) -> ast.expr:
    """Returns the expression that a text is; raises one of _UNREADABLE."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Python's parser, about damaged numbers
        return ast.parse(text.strip(), mode="eval").body


def _value(node: ast.expr):
    """Returns a literal, or the numbers of a range of at most MOST_NODES.

    Arrays and numbers of NumPy and PyTorch are those that they are printed with.
    """
    if isinstance(node, (ast.List, ast.Tuple)):
        return [_value(element) for element in node.elts]
    if not isinstance(node, ast.Call):
        return ast.literal_eval(node)
    name = ast.unparse(node.func).rpartition(".")[2]
    values = [_value(argument) for argument in node.args]
    if name == "range" and not node.keywords:
        numbers = range(*values)
        if len(numbers) > MOST_NODES:
            raise ValueError("too many nodes")
        return list(numbers)
    if name not in (*LISTS, *NUMBERS) or len(values) > 1:
        raise ValueError("no literal")
    (value,) = values or [[]]
    if (name in LISTS) != isinstance(value, list) and name != "tensor":
        raise ValueError("no literal")
    return value


def _from_literal(text: str, space: str) -> Genotype:
    """Reads a tuple, list or dictionary."""
    try:
        node = _parsed(text)
        values = ast.literal_eval(node)
    except _UNREADABLE:
        raise _malformed(text) from None
    if isinstance(node, ast.Dict):
        _refuse_twice(text, [ast.unparse(key) for key in node.keys if key])
    if not isinstance(values, dict):
        return _from_nodes(text, values)
    if any(isinstance(key, tuple) or _ARROW.fullmatch(str(key)) for key in values):
        return _from_edges(text, values)
    return _from_values(text, values, space)


def _refuse_twice(text: str, names: list[str]) -> None:
    """Refuses a field or edge that is given twice, of which Python takes one."""
    if twice := [name for name, n in collections.Counter(names).items() if n > 1]:
        raise InputError(
            f"genotype {_short(text)} has {', '.join(twice)} twice; leave one out"
        )


def _from_values(text: str, values: dict, space: str) -> Genotype:
    """Reads the cells of a named tuple, by the names of its fields."""
    values = {name: value for name, value in values.items() if value is not None}
    if set(values) == {"recurrent", "concat"}:
        spec = recurrent.SPACE.cells[0]
        cell = _cell(text, spec, values["recurrent"], values["concat"])
        return Genotype(recurrent.SPACE.name, {spec.name: cell})
    names = ("normal", "reduce")
    wanted = {*names, *(f"{name}_concat" for name in names)}
    if {*values} & wanted and {*values} != wanted:
        raise InputError(
            f"genotype {_short(text)} needs the fields {', '.join(sorted(wanted))}; "
            f"missing: {', '.join(sorted(wanted - {*values})) or 'none'}; unknown: "
            f"{', '.join(map(str, {*values} - wanted)) or 'none'}"
        )
    if {*values} != wanted:
        raise _malformed(text)
    searched = space_by_name(space)
    if [spec.name for spec in searched.cells] != [*names]:
        searched = conv.SPACE
    cells = {
        spec.name: _cell(text, spec, values[spec.name], values[f"{spec.name}_concat"])
        for spec in searched.cells
    }
    return Genotype(searched.name, cells)


def _cell(text: str, spec, edges, concat) -> CellGenotype:
    try:
        rows, nodes = [*_flat(edges)], tuple(concat)
        numbers = [*nodes, *(n for _, *ends in rows for n in ends[:2])]
    except (TypeError, ValueError):
        raise _malformed(text) from None
    names = [row[0] for row in rows]
    whole = all(type(n) in (int, float) for n in numbers)
    if not whole or not all(isinstance(name, str) for name in names):
        raise _malformed(text)
    if any(len(row) == 3 and type(row[2]) is int for row in rows):
        rows = _with_targets(text, spec, rows)
    pairs = tuple((row[0], row[1]) for row in rows)
    if not all(type(n) is int for n in (*nodes, *(n for _, n in pairs))):
        raise _malformed(text)
    return CellGenotype(pairs, nodes)


def _flat(edges) -> Iterator[tuple]:
    """Yields edges of 2 or 3 values, which may stand in a tuple for each node."""
    for edge in edges:
        if edge and isinstance(edge[0], (tuple, list)):
            yield from _flat(edge)
        elif isinstance(edge, (tuple, list)) and len(edge) in (2, 3):
            yield tuple(edge)
        else:
            raise ValueError("no edge")


def _with_targets(text: str, spec, rows) -> list[tuple]:
    """Returns (operation, predecessor) of edges (operation, target, predecessor).

    Raises:
      InputError: a node has another number of edges than the space's derivation keeps.
    """
    if not all(len(row) == 3 and type(row[2]) is int for row in rows):
        raise _malformed(text)
    rows = sorted(rows, key=lambda row: row[1])
    targets = [target for _, target, _ in rows]
    if tuple(targets) != spec.entered(max(len(rows), 1)):
        raise InputError(
            f"genotype {_short(text)}: the edges of its {spec.name} cell enter the "
            f"nodes {targets}, and every node has to have {spec.predecessors}; such a "
            "cell cannot be built here"
        )
    return [(name, source) for name, _, source in rows]


def _from_nodes(text: str, nodes) -> Genotype:
    """Reads NAS-Bench-201's tuple of (operation, predecessor) for each node."""
    try:
        edges = {
            (int(source), target): str(name)
            for target, entering in enumerate(nodes, 1)
            for name, source in entering
        }
        count = sum(len(entering) for entering in nodes)
    except (TypeError, ValueError):
        raise _malformed(text) from None
    return _nasbench201(text, edges, count)


def _from_edges(text: str, values: dict) -> Genotype:
    """Reads NAS-Bench-201's dictionary: "target<-source" or (source, target): name."""
    edges = {}
    for key, name in values.items():
        match = _ARROW.fullmatch(key) if isinstance(key, str) else None
        ends = (int(match[2]), int(match[1])) if match else key
        edges[ends] = str(name)
    return _nasbench201(text, edges, len(values))


def _nasbench201(text: str, edges: dict, count: int) -> Genotype:
    spec = nasbench201.SPACE.cells[0]
    if set(edges) != set(spec.edges) or count != len(spec.edges):
        raise _malformed(text)
    pairs = tuple((edges[source, target], source) for source, target in spec.edges)
    cell = CellGenotype(pairs, spec.concat)
    return Genotype(nasbench201.SPACE.name, {spec.name: cell})


def _short(text: str) -> str:
    return repr(text if len(text) <= 80 else f"{text[:77]}...")


def _malformed(text: str) -> InputError:
    return InputError(
        f"genotype {_short(text)} must have the form {EXAMPLE}, or of NAS-Bench-201 "
        f"{architecture_string.EXAMPLE}, or a tuple or dictionary of its edges"
    )
