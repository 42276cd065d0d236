"""Published cells by name, and what a --genotype flag may name."""

from __future__ import annotations

import pathlib

from darts_tf.errors import InputError
from darts_tf.space.genotype import CellGenotype, Genotype
from darts_tf.space.registry import closest


def _conv(normal, normal_concat, reduce, reduce_concat) -> Genotype:
    def cell(text: str, concat: tuple[int, ...]) -> CellGenotype:
        edges = (word.split(":") for word in text.split())
        return CellGenotype(
            tuple((name, int(node)) for name, node in edges), concat
        )

    return Genotype(
        "darts_conv",
        {
            "normal": cell(normal, normal_concat),
            "reduce": cell(reduce, reduce_concat),
        },
    )


PUBLISHED = {
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


def load_genotype(name_or_path: str) -> Genotype:
    """A published genotype by name, or one read from a JSON file.

    Raises:
      InputError: neither a published name nor a file, or a file that holds
        no valid genotype; the message names the file.
    """
    if name_or_path in PUBLISHED:
        return PUBLISHED[name_or_path]
    path = pathlib.Path(name_or_path)
    try:
        return Genotype.from_json(path.read_text(encoding="utf-8"))
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a text file"
        raise InputError(
            f"genotype {name_or_path!r}: {reason}"
            f"{closest(name_or_path, PUBLISHED)}; give a JSON file or one of "
            f"{', '.join(PUBLISHED)}"
        ) from None
