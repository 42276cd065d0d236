"""Reads and writes tables of measured latencies: CSV, one row for each part.

The header is COLUMNS; those of REQUIRED must be there, in any order. Without a
value of the others nothing is known of it. Nothing here loads TensorFlow.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import math
import os
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from darts_tf.errors import InputError
from darts_tf.networks.footprint.cost_table import CostTable
from darts_tf.networks.footprint.part import Part
from darts_tf.reading import expanded, read_text, reason_of
from darts_tf.space.cell import SearchSpace

SIZES = ("height", "width", "input_channels", "output_channels", "stride")
REQUIRED = ("space", "operation", *SIZES, "latency", "unit")
FLOAT32 = "none"
"""In the column "quantize": nothing is quantized, as where there is no value."""

ORIGIN = ("runtime", "threads", "batch_size", "device", "quantize")
"""Columns that say how a table was measured: one value in all rows."""

COLUMNS = (*REQUIRED, "spread", *ORIGIN)
MILLISECONDS = {"us": 1e-3, "ms": 1.0, "s": 1e3}
"""The units of the column "unit", in milliseconds."""


@dataclasses.dataclass(frozen=True, eq=False)
class LatencyTable:
    """Measured latencies of the parts of a space's networks.

    Attributes:
      name: of the file, for messages.
      space: name of the space.
      milliseconds: by part.
      origin: by the names of ORIGIN, how it was measured; "" where not known.
    """

    name: str
    space: str
    milliseconds: Mapping[Part, float]
    origin: Mapping[str, str]

    def costs(self, space: SearchSpace, parts) -> CostTable:
        """Returns the predicted latency of all networks of a space at one size.

        Args:
          space: of the cells.
          parts: NetworkParts of these networks.

        Raises:
          InputError: parts are not in the table.
        """
        missing = [p for p in parts.distinct() if p not in self.milliseconds]
        if missing:
            raise _refusal(
                self.name,
                f"lacks {len(missing)} of the {len(parts.distinct())} rows that "
                f"networks of this size need, first {missing[0]}; measure at the "
                "sizes of these networks (train.latency)",
            )

        def total(row: Iterable[Part]) -> float:
            return math.fsum(self.milliseconds[part] for part in row)

        costs = {
            kind: np.array([[total(row) for row in edge] for edge in edges])
            for kind, edges in parts.candidates.items()
        }
        return CostTable("latency", space, total(parts.around), costs)


def read_latency_table(path: str | os.PathLike, space: str) -> LatencyTable:
    """Returns the table in a CSV file.

    Args:
      path: of the file.
      space: whose rows it must hold.

    Raises:
      InputError: the file cannot be read, lacks columns, has no time above 0, or has
        a row that is malformed, negative, not finite, of another space, measured in
        another way than the first, or there already. The message names the line.
    """
    name = os.fspath(path)
    try:
        text = read_text(expanded(name))
    except (OSError, UnicodeDecodeError) as error:
        raise _refusal(name, f"cannot be read ({reason_of(error)})") from error
    reader = csv.DictReader(
        io.StringIO(text.removeprefix("\ufeff")),
        restkey="",
        restval="",
        skipinitialspace=True,
    )
    _check_columns(name, [*(reader.fieldnames or ())])
    milliseconds: dict[Part, float] = {}
    lines: dict[Part, int] = {}
    origin: dict[str, str] = {}
    try:
        for row in reader:
            part, value, measured = _parsed(row, space)
            if part in lines:
                raise ValueError(f"repeats line {lines[part]}, {part}; leave one out")
            origin = origin or measured
            for column, given in measured.items():
                if given != origin[column]:
                    raise ValueError(
                        f"has {column} {given!r}, and the lines before "
                        f"{origin[column]!r}; a table is measured in one way"
                    )
            milliseconds[part], lines[part] = value, reader.line_num
    except (ValueError, csv.Error) as error:
        raise _refusal(name, f"line {reader.line_num} {error}") from error
    if not any(milliseconds.values()):
        rows = f"{len(milliseconds)} rows, all of latency 0" if lines else "no rows"
        raise _refusal(name, f"has {rows}; give measured times")
    return LatencyTable(name, space, milliseconds, origin)


def _check_columns(name: str, columns: list[str]) -> None:
    """Refuses a first line that lacks columns, or has one twice."""
    missing = [column for column in REQUIRED if column not in columns]
    if missing:
        raise _refusal(
            name,
            f"has no column {', '.join(missing)}; its first line must be "
            f"{','.join(COLUMNS)}, separated by commas",
        )
    for column in COLUMNS:
        if columns.count(column) > 1:
            raise _refusal(name, f"has the column {column} twice; leave one out")


def _parsed(row: Mapping[Any, Any], space: str) -> tuple[Part, float, dict[str, str]]:
    """Returns (part, milliseconds, how it was measured) of a row, else ValueError."""
    if row.get(""):
        raise ValueError("has more values than the first line has columns")
    if row["space"] != space:
        raise ValueError(
            f"is of space {row['space']!r}, and networks of {space!r} are searched; "
            "give their table"
        )
    if not row["operation"]:
        raise ValueError("names no operation")
    sizes = [_size(column, row[column]) for column in SIZES]
    if row["unit"] not in MILLISECONDS:
        raise ValueError(
            f"has unit {row['unit']!r}; give one of {', '.join(MILLISECONDS)}"
        )
    value = _number(row["latency"]) * MILLISECONDS[row["unit"]]
    measured = {column: row.get(column) or "" for column in ORIGIN}
    measured["quantize"] = measured["quantize"] or FLOAT32
    return Part(row["operation"], *sizes), value, measured


def _size(column: str, text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 0 < int(text[:10]) < 10**9):
        raise ValueError(f"has {column} {text!r}; give a whole number of at least 1")
    return int(text)


def _number(text: str) -> float:
    try:
        value = math.nan if "_" in text else float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(f"has latency {text!r}; give a finite number of at least 0")
    return value


def _refusal(name: str, reason: str) -> InputError:
    return InputError(f"`latency_table={name}` {reason}")


def as_csv(rows: Iterable[Mapping[str, object]]) -> str:
    """Returns rows, values by the names of COLUMNS, as the text of a table."""
    stream = io.StringIO()
    columns: list[str] = list(COLUMNS)
    writer = csv.DictWriter(stream, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def row_of(
    space: str, part: Part, microseconds: float, spread: float, origin: Mapping
) -> dict[str, object]:
    """Returns a part's row; latency and spread are in microseconds."""
    return {
        "space": space,
        **dataclasses.asdict(part),
        "latency": f"{microseconds:.3f}",
        "unit": "us",
        "spread": f"{spread:.3f}",
        **origin,
    }
