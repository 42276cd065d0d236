"""Tables of latencies: read as written, refused in one line where they are wrong."""

from __future__ import annotations

import re

import numpy as np
import pytest

from darts_tf.errors import InputError
from darts_tf.networks.footprint.latency_table import (
    COLUMNS,
    as_csv,
    read_latency_table,
    row_of,
)
from darts_tf.networks.footprint.part import CALL, Part

SPACE = "nasbench201"
CONV = Part("nor_conv_3x3", 8, 8, 4, 4, 1)
ORIGIN = {"runtime": "a", "threads": "1", "batch_size": "1", "device": "b"}
HEADER = ",".join(COLUMNS[:9])
GOOD = f"{SPACE},nor_conv_3x3,8,8,4,4,1,2.5,ms"


class Parts:
    """Two parts of a network with one edge of two candidates."""

    candidates = {"cell": [[[CONV, CONV], []]]}
    around = (CALL,)

    def distinct(self):
        return [CALL, CONV]


def read(tmp_path, text: str):
    path = tmp_path / "table.csv"
    path.write_text(text)
    return read_latency_table(path, SPACE)


def test_a_table_is_read_as_it_was_written(tmp_path):
    rows = [row_of(SPACE, p, us, 0.5, ORIGIN) for p, us in [(CALL, 3), (CONV, 1500)]]
    table = read(tmp_path, as_csv(rows))
    assert table.milliseconds == {CALL: pytest.approx(0.003), CONV: 1.5}
    assert table.origin == ORIGIN | {"quantize": "none"}
    costs = table.costs(None, Parts())
    assert costs.constant == pytest.approx(0.003)
    np.testing.assert_allclose(costs.costs["cell"], [[3, 0]])


@pytest.mark.parametrize("unit, factor", [("us", 1e-3), ("ms", 1), ("s", 1e3)])
def test_a_table_of_ones_own_needs_only_the_required_columns(tmp_path, unit, factor):
    text = f"unit,{','.join(COLUMNS[:8])}\n{unit},{GOOD.removesuffix(',ms')}\n"
    table = read(tmp_path, text)
    assert table.milliseconds == {CONV: pytest.approx(2.5 * factor)}
    assert table.origin.pop("quantize") == "none"  # as measured before there was it
    assert set(table.origin.values()) == {""}


@pytest.mark.parametrize(
    "text, reason",
    [
        ("", "has no column space"),
        (f"{HEADER},latency\n{GOOD},9\n", "has the column latency twice"),
        (f"{HEADER}\n{GOOD.replace('2.5', '2_5')}\n", "line 2 has latency '2_5'"),
        (f"{HEADER.replace(',unit', '')}\n", "has no column unit; its first line"),
        (f"{HEADER}\n{GOOD}\n{GOOD}\n", "line 3 repeats line 2"),
        (f"{HEADER}\n{GOOD.replace(SPACE, 's1')}\n", "line 2 is of space 's1'"),
        (f"{HEADER}\n{GOOD.replace('2.5', '-2.5')}\n", "line 2 has latency '-2.5'"),
        (f"{HEADER}\n{GOOD.replace('2.5', 'nan')}\n", "line 2 has latency 'nan'"),
        (f"{HEADER}\n{GOOD.replace('2.5', 'inf')}\n", "line 2 has latency 'inf'"),
        (f"{HEADER}\n{GOOD.replace('2.5', 'x')}\n", "line 2 has latency 'x'"),
        (f"{HEADER}\n{GOOD.replace(',ms', ',sec')}\n", "line 2 has unit 'sec'; .* ms"),
        (f"{HEADER}\n{GOOD.replace(',ms', '')}\n", "line 2 has unit ''"),
        (f"{HEADER}\n{GOOD.replace(',8,8', ',8,8.5')}\n", "line 2 has width '8.5'"),
        (f"{HEADER}\n{GOOD.replace(',4,1', ',4,0')}\n", "line 2 has stride '0'"),
        (f"{HEADER}\n{GOOD},1,2\n", "line 2 has more values"),
        (f"{HEADER}\n", "has no rows; give measured times"),
        (f"{HEADER}\n{GOOD.replace('2.5', '0')}\n", "has 1 rows, all of latency 0"),
        (
            f"{HEADER}\n{GOOD.replace('nor_conv_3x3', '')}\n",
            "line 2 names no operation",
        ),
        (
            f"{HEADER},threads\n{GOOD},1\n{GOOD.replace('3x3', '1x1')},2\n",
            "line 3 has threads '2', and the lines before '1'",
        ),
    ],
)
def test_a_table_that_is_wrong_is_refused_in_one_line(tmp_path, text, reason):
    with pytest.raises(InputError, match=f"`latency_table=.*table.csv` {reason}") as e:
        read(tmp_path, text)
    assert "\n" not in str(e.value)


def test_a_table_as_other_programs_write_it(tmp_path):
    spaced = f"\ufeff{HEADER}\n{GOOD}\n\n".replace(",", ", ").replace("\n", "\r\n")
    plain = read(tmp_path, f"{HEADER}\n{GOOD}\n").milliseconds
    assert read(tmp_path, spaced).milliseconds == plain


def test_a_table_that_lacks_a_part_names_it(tmp_path):
    table = read(tmp_path, f"{HEADER}\n{GOOD}\n")
    message = f"lacks 1 of the 2 rows that networks of this size need, first {CALL};"
    with pytest.raises(InputError, match=re.escape(message)):
        table.costs(None, Parts())


def test_no_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        read_latency_table(tmp_path / "none.csv", SPACE)
    with pytest.raises(InputError, match="a folder"):
        read_latency_table(tmp_path, SPACE)
