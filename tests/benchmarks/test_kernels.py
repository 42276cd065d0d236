"""The benchmark of single kernels."""

import pytest

from tests.scripts import output_of

pytestmark = pytest.mark.program

ROWS = [
    *(
        f"depthwise {size} x {size}{of}"
        for size in (3, 5)
        for of in ("", ", input's gradient", ", kernel's gradient")
    ),
    "depthwise 5 x 5, kernel's gradient, in parts",
    "1 x 1 convolution",
    "its kernel's gradient",
    "two of four phases, slices",
    "two of four phases, ours",
    "sum of two maps",
    "sum of two numbers",
]


@pytest.mark.slow
def test_each_kernel_has_a_row_and_each_map_a_column():
    flags = ("--batch_size=1", "--calls=1")
    output = output_of(*flags, module="benchmarks.speed.kernels")
    head, _, *rows = output.splitlines()
    assert "| 32 x 32 x 16 | 16 x 16 x 32 | 8 x 8 x 64 |" in head
    cells = [row.strip("| ").split(" | ") for row in rows]
    assert [name for name, *_ in cells] == ROWS
    assert all(0 < float(n) < 1000 for _, *times in cells for n in times)
