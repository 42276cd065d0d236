"""Published cells by name, and genotypes from names, paths and printed text."""

from __future__ import annotations

import os
import pathlib

from darts_tf.errors import InputError, closest, shorten
from darts_tf.reading import expanded, read_text
from darts_tf.space import (
    architecture_string,
    chain,
    conv,
    nasbench201,
    printed,
    published_chains,
    published_lambda,
    published_later,
    recurrent,
)
from darts_tf.space.cell import IDENTITY
from darts_tf.space.genotype import (
    LARGEST,
    CellGenotype,
    Genotype,
    chain_genotype,
)


def _cell(text: str, concat: tuple[int, ...]) -> CellGenotype:
    edges = (word.split(":") for word in text.split())
    return CellGenotype(tuple((name, int(node)) for name, node in edges), concat)


def _conv(
    normal, normal_concat, reduce, reduce_concat, space=conv.SPACE.name
) -> Genotype:
    return Genotype(
        space,
        {
            "normal": _cell(normal, normal_concat),
            "reduce": _cell(reduce, reduce_concat),
        },
    )


def _recurrent(text: str, concat) -> Genotype:
    return Genotype(recurrent.SPACE.name, {"recurrent": _cell(text, tuple(concat))})


def _chain(space: chain.ChainSpace, text: str) -> Genotype:
    names = {f"{k}{e}": name for name, (k, e) in chain.BLOCKS.items()} | {".": IDENTITY}
    stages = [[names[word] for word in part.split()] for part in text.split("|")]
    return chain_genotype(space, stages)


CONVOLUTIONAL = {
    # DARTS, first order (Liu et al. 2019).
    "DARTS_V1": _conv(
        "sep_conv_3x3:1 sep_conv_3x3:0 skip_connect:0 sep_conv_3x3:1 "
        "skip_connect:0 sep_conv_3x3:1 sep_conv_3x3:0 skip_connect:2",
        (2, 3, 4, 5),
        "max_pool_3x3:0 max_pool_3x3:1 skip_connect:2 max_pool_3x3:0 "
        "max_pool_3x3:0 skip_connect:2 skip_connect:2 avg_pool_3x3:0",
        (2, 3, 4, 5),
    ),
    # DARTS, second order (Liu et al. 2019, figures 4 and 5).
    "DARTS_V2": _conv(
        "sep_conv_3x3:0 sep_conv_3x3:1 sep_conv_3x3:0 sep_conv_3x3:1 "
        "sep_conv_3x3:1 skip_connect:0 skip_connect:0 dil_conv_3x3:2",
        (2, 3, 4, 5),
        "max_pool_3x3:0 max_pool_3x3:1 skip_connect:2 max_pool_3x3:1 "
        "max_pool_3x3:0 skip_connect:2 skip_connect:2 max_pool_3x3:1",
        (2, 3, 4, 5),
    ),
    # NASNet-A (Zoph et al. 2018), in DARTS's notation.
    "NASNet": _conv(
        "sep_conv_5x5:1 sep_conv_3x3:0 sep_conv_5x5:0 sep_conv_3x3:0 "
        "avg_pool_3x3:1 skip_connect:0 avg_pool_3x3:0 avg_pool_3x3:0 "
        "sep_conv_3x3:1 skip_connect:1",
        (2, 3, 4, 5, 6),
        "sep_conv_5x5:1 sep_conv_7x7:0 max_pool_3x3:1 sep_conv_7x7:0 "
        "avg_pool_3x3:1 sep_conv_5x5:0 skip_connect:3 avg_pool_3x3:2 "
        "sep_conv_3x3:2 max_pool_3x3:1",
        (4, 5, 6),
    ),
    # AmoebaNet-A (Real et al. 2019), in DARTS's notation.
    "AmoebaNet": _conv(
        "avg_pool_3x3:0 max_pool_3x3:1 sep_conv_3x3:0 sep_conv_5x5:2 "
        "sep_conv_3x3:0 avg_pool_3x3:3 sep_conv_3x3:1 skip_connect:1 "
        "skip_connect:0 avg_pool_3x3:1",
        (4, 5, 6),
        "avg_pool_3x3:0 sep_conv_3x3:1 max_pool_3x3:0 sep_conv_7x7:2 "
        "sep_conv_7x7:0 avg_pool_3x3:1 max_pool_3x3:0 max_pool_3x3:1 "
        "conv_7x1_1x7:0 sep_conv_3x3:5",
        (3, 4, 6),
    ),
}

RECURRENT = {
    # DARTS, first order (Liu et al. 2019).
    "DARTS_V1": _recurrent(
        "relu:0 relu:1 tanh:2 relu:3 relu:4 identity:1 relu:5 relu:1",
        range(1, 9),
    ),
    # DARTS, second order (Liu et al. 2019, figure 6).
    "DARTS_V2": _recurrent(
        "sigmoid:0 relu:1 relu:1 identity:1 tanh:2 sigmoid:5 tanh:3 relu:5",
        range(1, 9),
    ),
    # ENAS (Pham et al. 2018), in DARTS's notation.
    "ENAS": _recurrent(
        "tanh:0 tanh:1 relu:1 tanh:3 tanh:3 relu:3 relu:4 relu:7 relu:8 relu:8 relu:8",
        (2, 5, 6, 9, 10, 11),
    ),
}

LAMBDA = {
    space: {
        name: _conv(normal, (2, 3, 4, 5), reduce, (2, 3, 4, 5), space)
        for name, (normal, reduce) in cells.items()
    }
    for space, cells in published_lambda.CELLS.items()
}

LATER = {
    name: _conv(normal, (2, 3, 4, 5), reduce, (2, 3, 4, 5))
    for name, (normal, reduce) in published_later.CELLS.items()
}


CHAINS = {
    space.name: {
        name: _chain(space, text)
        for name, text in published_chains.CHAINS[space.name].items()
    }
    for space in chain.SPACES
}

PUBLISHED = (
    LAMBDA
    | CHAINS
    | {
        conv.SPACE.name: CONVOLUTIONAL | LATER | LAMBDA[conv.SPACE.name],
        recurrent.SPACE.name: RECURRENT,
    }
)
"""Published genotypes by space, then by name."""


def load_genotype(name_or_path: str, space: str = conv.SPACE.name) -> Genotype:
    """Returns a published genotype by name, or one read from a file or a text.

    Args:
      name_or_path: a name of PUBLISHED[space], a file with JSON or with what other
        projects print (space/printed.py), or such a text itself.
      space: the space that the genotype has to be of.

    Raises:
      InputError: none of these, or what it stands for is no valid genotype
        of this space; the message names the file.
    """
    name_or_path = _name_or_path(name_or_path)
    published = PUBLISHED.get(space, {})
    _refuse_other_space(name_or_path, space)
    if name_or_path in published:
        return published[name_or_path]
    genotype = _read(name_or_path, space)
    if genotype.space != space:
        raise InputError(
            f"{name_or_path} is a genotype of space '{genotype.space}', this "
            f"run is in '{space}'; give one of that space, or "
            f"`space={genotype.space}`"
        )
    return genotype


def any_genotype(
    genotype: Genotype | str | os.PathLike, space: str = conv.SPACE.name
) -> Genotype:
    """Returns the genotype that an object, name, path or text stands for.

    Args:
      genotype: a Genotype, or what `load_genotype` takes, of any space.
      space: in which names are looked up first.

    Raises:
      InputError: it stands for none, or a name for several.
    """
    if isinstance(genotype, Genotype):
        return genotype
    name = _name_or_path(genotype)
    holders = [held for held, cells in PUBLISHED.items() if name in cells]
    if space in holders or len(holders) == 1:
        return PUBLISHED[space if space in holders else holders[0]][name]
    if holders:
        raise InputError(
            f"genotype {name!r} is published in the spaces {', '.join(holders)}; take "
            f"one of them by darts_tf.space.published.load_genotype(name, space)"
        )
    return _read(name, space)


def _refuse_other_space(name: str, space: str) -> None:
    """Refuses the name of a cell that is published in other spaces alone."""
    holders = [held for held, cells in PUBLISHED.items() if name in cells]
    if holders and space not in holders and not _exists(pathlib.Path(name)):
        raise InputError(
            f"genotype {name!r} is published in {', '.join(holders)}, and this run is "
            f"in `space={space}`; give `space={holders[0]}`, or another genotype"
        )


def _name_or_path(value: object) -> str:
    name = os.fspath(value) if isinstance(value, os.PathLike) else value
    if not isinstance(name, str) or not name.strip():
        raise InputError(
            "a genotype must be a Genotype, a published name, a path or a text; "
            f"received {value!r}"
        )
    return name


def _read(name_or_path: str, space: str) -> Genotype:
    path = expanded(name_or_path)
    if printed.is_printed(name_or_path) and not _exists(path):
        return _from_text(name_or_path, space)
    try:
        return _from_text(read_text(path, LARGEST), space)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a text file"
        known = PUBLISHED.get(space, {})
        allowed = ["a JSON file"]
        if known:
            allowed.append(f"a published name ({shorten(', '.join(known), 80)})")
        allowed.append(f"a text with {printed.EXAMPLE}")
        if space == nasbench201.SPACE.name:
            allowed.append(f"an architecture, {architecture_string.EXAMPLE}")
        raise InputError(
            f"genotype {name_or_path!r}: {reason}"
            f"{closest(name_or_path, known)}; give {' or '.join(allowed)}"
        ) from None


def _exists(path: pathlib.Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # too long, or no path at all
        return False


def _from_text(text: str, space: str) -> Genotype:
    """Returns the genotype of a text: JSON, or what other projects print."""
    text = text.removeprefix("\ufeff")
    if _is_json(text) or not printed.is_printed(text):
        return Genotype.from_json(text)
    return printed.from_printed(text, space)


def _is_json(text: str) -> bool:
    """Returns True for a genotype's JSON, which names its space; damaged or not."""
    return text.lstrip().startswith("{") and '"space"' in text
