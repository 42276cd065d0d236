"""The contents of tables, and that nothing breaks their form."""

from __future__ import annotations

import pytest

from darts_tf.protocol import published, tables
from darts_tf.protocol.tables import Row

WHOLE = Row(
    name="ours_50% | a&b",
    test=0.0276,
    deviation=0.0009,
    count=10,
    parameters=3_300_000,
    multiply_adds=574e6,
    cost=4 * 86_400,
    operations=7,
    method="gradient-based",
)


def cells(text: str) -> list[list[str]]:
    return [
        [cell.strip() for cell in line.strip("| ").split(" | ")]
        for line in text.splitlines()
    ]


def test_a_table_of_images():
    head, _, row = cells(tables.markdown([WHOLE], "error"))
    assert head == [
        "Architecture",
        "Test error (%)",
        "Params (M)",
        "Multiply-adds (M)",
        "Search cost (device-days)",
        "#ops",
        "Search method",
    ]
    assert row[0] == "ours_50% \\| a&b" or row[:2] == ["ours_50% \\", "a&b"]
    assert row[-6:] == [
        "2.76 ± 0.09 (10)",
        "3.3",
        "574",
        "4",
        "7",
        "gradient-based",
    ]


def test_a_table_of_language():
    row = Row(name="ours", test=55.68, valid=58.1, parameters=23e6)
    head, _, body = cells(tables.markdown([row], "perplexity"))
    assert head == ["Architecture", "Valid perplexity", "Test perplexity", "Params (M)"]
    assert body == ["ours", "58.10", "55.68", "23"]


def test_latex_is_escaped_and_every_line_has_all_columns():
    text = tables.latex([WHOLE, *published.CIFAR10], "error")
    lines = text.splitlines()
    body = [line for line in lines if line.endswith(r"\\")]
    assert len(body) == 2 + len(published.CIFAR10)
    plain = [line.replace(r"\&", "") for line in body]
    assert {line.count("&") for line in plain} == {6}
    assert r"ours\_50\% | a\&b & 2.76 $\pm$ 0.09 (10)" in text
    assert r"Test error (\%)" in text and r"\#ops" in text
    assert lines[1] == r"\begin{tabular}{lcccccc}"
    assert lines[-1] == r"\end{tabular}"


@pytest.mark.parametrize(
    "cost, title, text",
    [
        (3 * 86_400, "Search cost (device-days)", "3"),
        (3 * 3600, "Search cost (device-hours)", "3"),
        (90, "Search cost (device-minutes)", "1.5"),
        (42, "Search cost (device-seconds)", "42"),
        (0.5, "Search cost (device-seconds)", "0.5"),
    ],
)
def test_units_suit_the_largest_of_the_measured_numbers(cost, title, text):
    rows = [
        Row(name="a", cost=cost, parameters=4_200, multiply_adds=70_000),
        Row(name="b", cost=0.01),
        Row(name="c", cost=4 * 86_400, published="x"),
    ]
    head, _, body, *_ = cells(tables.markdown(rows, "error"))
    assert head == ["Architecture", "Params (K)", "Multiply-adds (K)", title]
    assert body == ["a", "4.2", "70", text]


def test_plain_cells_are_not_escaped():
    head, (row,) = tables.cells([WHOLE], "error", "plain")
    assert row[0] == WHOLE.name and row[1] == "2.76 ± 0.09 (10)"
    assert head[1] == "Test error (%)"


def test_rows_without_anything():
    assert cells(tables.markdown([Row(name="a")], "error")) == [
        ["Architecture"],
        ["---"],
        ["a"],
    ]
    _, _, *rows = cells(
        tables.markdown([Row(name="a", test=0.5), Row(name="b")], "error")
    )
    assert rows == [["a", "50.00"], ["b", "–"]]


def test_marks():
    rows = [Row(name="a", published="x"), Row(name="b", incomplete=True)]
    text = tables.markdown(rows, "error")
    assert "a (published)" in text and "b (incomplete)" in text


@pytest.mark.parametrize(
    "value, text",
    [
        (0, "0"),
        (3.3, "3.3"),
        (2000.0, "2000"),
        (0.5, "0.5"),
        (27.204, "27.2"),
        (0.000123456, "0.000123"),
        (574.4, "574"),
        (None, ""),
        (0.01571, "0.0157"),
    ],
)
def test_three_digits(value, text):
    assert tables.significant(value) == text


def test_the_table_of_imagenet():
    rows = [*published.IMAGENET, Row(name="ours", test=0.27, top5=0.091)]
    head, _, *body = cells(tables.markdown(rows, "error"))
    assert head == [
        "Architecture",
        "Test error (%)",
        "Top-5 error (%)",
        "Params (M)",
        "Multiply-adds (M)",
        "Search cost (device-days)",
        "Search method",
    ]
    assert body[-2] == [
        "DARTS (searched on CIFAR-10) (published)",
        "26.70",
        "8.70",
        "4.7",
        "574",
        "4",
        "gradient-based",
    ]
    assert body[-1][1:3] == ["27.00", "9.10"]
