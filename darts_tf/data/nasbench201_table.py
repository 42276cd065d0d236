"""Reads the accuracies of all cells of NAS-Bench-201 from a user's CSV file.

One line for each of the 15,625 cells: its architecture string, then the
published accuracies in percent, after 12 epochs on three data sets and after
200 on CIFAR-10 (mean of the benchmark's runs).
"""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import gzip
import io
import math
import re
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from darts_tf.errors import InputError, shorten
from darts_tf.reading import expanded, open_regular
from darts_tf.space import architecture_string
from darts_tf.space.genotype import Genotype
from darts_tf.space.nasbench201 import SPACE

ARCHITECTURE, RANKED = "architecture", "cifar10_test_200ep"
SEARCHED = "cifar10_valid_12ep"
"""Column that searches may use, as in the benchmark's paper: it is measured on
images held out of training."""

ACCURACIES = (
    "cifar10_test_12ep",
    SEARCHED,
    "cifar100_test_12ep",
    "cifar100_valid_12ep",
    "imagenet16_120_test_12ep",
    "imagenet16_120_valid_12ep",
    RANKED,
)
"""Columns of the table, all in percent."""

GZIP = b"\x1f\x8b"
"""First bytes of a compressed file, whatever its name is."""

NUMBER = r"\d{1,3}(\.\d*)?([eE][+-]?\d{1,2})?"

LINE_LIMIT = 10_000  # characters of one line; a longer one is cut, so refused


@dataclasses.dataclass(frozen=True, eq=False)
class Table:
    """Accuracies of all cells.

    Attributes:
      accuracies: by architecture string, in the order of ACCURACIES.
    """

    accuracies: Mapping[str, tuple[float, ...]] = dataclasses.field(repr=False)

    def lookup(self, genotype: Genotype) -> dict[str, float]:
        """Returns the accuracies of a cell in percent, by the names of ACCURACIES.

        Raises:
          InputError: a cell of another space.
        """
        if genotype.space != SPACE.name:
            raise InputError(
                f"the table knows cells of the space {SPACE.name}, this one "
                f"is of {genotype.space}"
            )
        row = self.accuracies[architecture_string.to_string(genotype)]
        return dict(zip(ACCURACIES, row))

    def truth(self, genotype: Genotype) -> dict[str, float]:
        """Returns what result.json says of a cell: accuracies, "rank" and "cells"."""
        rank = {"rank": self.rank(genotype), "cells": len(self.accuracies)}
        return self.lookup(genotype) | rank

    def rank(self, genotype: Genotype, column: str = RANKED) -> int:
        """Returns a cell's rank by one of ACCURACIES, from 1; ties share a rank."""
        accuracy = self.lookup(genotype)[column]
        place = ACCURACIES.index(column)
        every = np.array([row[place] for row in self.accuracies.values()])
        return 1 + int((every > accuracy).sum())


def read_table(path: str | Path) -> Table:
    """Reads and checks a table, .csv or .csv.gz.

    Raises:
      InputError: no such file, no such table, or not all cells in it; the
        message names the file, and the line where there is one.
    """
    try:
        accuracies = dict(_rows(expanded(path)))
    except (OSError, EOFError, ValueError, zlib.error, csv.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(
            f"`nasbench201_table={path}` cannot be read ({reason}); give the "
            f"benchmark's accuracies as .csv or .csv.gz"
        ) from None
    for string in architecture_string.every_string():
        if string not in accuracies:
            raise InputError(
                f"{path} has {len(accuracies):,} of the 15,625 cells; "
                f"{string} is missing; give a complete table"
            )
    largest = max(row[ACCURACIES.index(RANKED)] for row in accuracies.values())
    if largest <= 1:
        raise InputError(
            f"{path}: no {RANKED} is above 1, so these are shares; give percent, from "
            "0 to 100"
        )
    return Table(accuracies)


def _rows(path: Path) -> Iterator[tuple[str, tuple[float, ...]]]:
    known = set(architecture_string.every_string())
    with contextlib.ExitStack() as stack:
        bytes_of = stack.enter_context(open_regular(path))
        if bytes_of.peek(2)[:2] == GZIP:  # type: ignore[attr-defined]
            bytes_of = stack.enter_context(gzip.open(bytes_of))
        file = stack.enter_context(
            io.TextIOWrapper(bytes_of, encoding="utf-8-sig", newline="")
        )
        lines = csv.reader(
            iter(lambda: file.readline(LINE_LIMIT), ""), skipinitialspace=True
        )
        header = next(lines, [])
        places = _places(path, header)
        for row in lines:
            where = f"{path}, line {lines.line_num}"
            if not row:
                continue
            if len(row) != len(header):
                raise InputError(
                    f"{where}: {len(row)} values, but the first line names "
                    f"{len(header)} columns"
                )
            string, *values = [row[place] for place in places]
            if string not in known:
                raise _refused(where, string)
            known.remove(string)
            yield string, _numbers(where, values)


def _places(path: Path, header: list[str]) -> list[int]:
    """Returns the columns' indices in the header, which may have others too."""
    wanted = (ARCHITECTURE, *ACCURACIES)
    missing = [name for name in wanted if name not in header]
    if missing:
        separated = ";" in "".join(header) or "\t" in "".join(header)
        raise InputError(
            f"{path} lacks the columns {shorten(', '.join(missing), 120)}; its first "
            f"line has to name them{', separated by commas' if separated else ''}"
        )
    if twice := [name for name in wanted if header.count(name) > 1]:
        raise InputError(f"{path} has the column {twice[0]} twice; leave one out")
    return [header.index(name) for name in wanted]


def _refused(where: str, string: str) -> InputError:
    """Returns the error of an architecture that is unknown or repeated."""
    try:
        architecture_string.from_string(string)
    except InputError as error:
        return InputError(f"{where}: {error}")
    return InputError(f"{where}: {string} is listed twice; leave one out")


def _numbers(where: str, values: list[str]) -> tuple[float, ...]:
    numbers = []
    for name, text in zip(ACCURACIES, values):
        number = float(text) if re.fullmatch(NUMBER, text.strip()) else math.nan
        if not 0 <= number <= 100:
            raise InputError(
                f"{where}: {name} is {text!r}; it has to be an accuracy in "
                f"percent, from 0 to 100"
            )
        numbers.append(number)
    return tuple(numbers)
