"""The benchmark's table is read, or refused in one line."""

from __future__ import annotations

import gzip
import os
import pathlib

import pytest

from darts_tf.data.nasbench201_table import ACCURACIES, RANKED, read_table
from darts_tf.errors import InputError
from darts_tf.space.architecture_string import every_string, from_string
from darts_tf.space.published import CONVOLUTIONAL

HEADER = ",".join(["architecture", *ACCURACIES])
FIRST, *_, LAST = STRINGS = list(every_string())


def line(string: str, best: float) -> str:
    """Accuracies 1 to 6, and `best` after 200 epochs."""
    return f"{string},1,2,3,4,5,6,{best}"


def lines() -> list[str]:
    """A complete table, better from line to line, the last two equal."""
    best = [min(i, 15_623) / 156.25 for i in range(len(STRINGS))]
    return [HEADER, *map(line, STRINGS, best)]


COMPLETE = lines()


def written(tmp_path, some, name="table.csv") -> pathlib.Path:
    path = tmp_path / name
    text = "\n".join(some) + "\n"
    if name.endswith(".gz"):
        path.write_bytes(gzip.compress(text.encode(), 1))
    else:
        path.write_text(text)
    return path


@pytest.mark.slow
@pytest.mark.parametrize("name", ["table.csv", "table.csv.gz"])
def test_lookup_and_rank(tmp_path, name):
    table = read_table(written(tmp_path, COMPLETE, name))
    found = table.lookup(from_string(FIRST))
    assert list(found) == list(ACCURACIES)
    assert list(found.values()) == [1, 2, 3, 4, 5, 6, 0]
    assert table.rank(from_string(FIRST)) == 15_625
    assert table.rank(from_string(STRINGS[-3])) == 3
    assert table.rank(from_string(LAST)) == 1
    assert table.rank(from_string(STRINGS[-2])) == 1


def test_columns_in_any_order_among_others(tmp_path):
    turned = [",".join(["7", *reversed(r.split(","))]) for r in COMPLETE]
    table = read_table(written(tmp_path, turned))
    found = table.lookup(from_string(LAST))
    assert found["cifar10_test_12ep"] == 1
    assert found[RANKED] == pytest.approx(15_623 / 156.25)


def test_a_table_as_other_programs_write_it(tmp_path):
    path = tmp_path / "table.csv"
    text = "\r\n".join(row.replace(",", ", ") for row in COMPLETE) + "\r\n\r\n"
    path.write_bytes(gzip.compress(b"\xef\xbb\xbf" + text.encode(), 1))
    assert read_table(path).rank(from_string(LAST)) == 1


def refused(path) -> str:
    with pytest.raises(InputError) as caught:
        read_table(path)
    message = str(caught.value)
    assert len(message.splitlines()) == 1 and str(path) in message
    return message


@pytest.mark.parametrize(
    "change, words",
    [
        (lambda r: r[:-1], ["15,624", LAST, "complete"]),
        (lambda r: [], ["lacks the columns architecture"]),
        (
            lambda r: [HEADER.replace("cifar10_valid", "x"), *r[1:]],
            ["lacks", "cifar10_valid_12ep"],
        ),
        (lambda r: [*r, r[5]], ["line 15627", "twice"]),
        (lambda r: [*r[:2], line("|none~0|", 5), *r[2:]], ["line 3", "form"]),
        (
            lambda r: [*r[:2], line(FIRST.replace("none", "nine"), 5)],
            ["line 3", "'nine'"],
        ),
        (lambda r: [r[0], line(FIRST, "good")], ["line 2", RANKED, "'good'"]),
        (lambda r: [r[0], line(FIRST, "nan")], ["line 2", "'nan'"]),
        (lambda r: [r[0], line(FIRST, "100.5")], ["line 2", "from 0 to 100"]),
        (lambda r: [r[0], line(FIRST, -1)], ["'-1'"]),
        (lambda r: [r[0], line(FIRST, "")], ["''"]),
        (lambda r: [r[0], FIRST], ["line 2", "1 values", "8 columns"]),
        (lambda r: [r[0], "x" * 20_000], ["line 2", "1 values"]),
        (lambda r: [r[0], line(FIRST, "9_0")], ["line 2", "'9_0'"]),
        (
            lambda r: [f"{HEADER},{RANKED}", *(f"{row},1" for row in r[1:])],
            [RANKED, "twice"],
        ),
        (lambda r: [row.replace(",", ";") for row in r], ["separated by commas"]),
        (
            lambda r: [HEADER, *(line(string, 0.94) for string in STRINGS)],
            ["shares", "give percent"],
        ),
    ],
)
def test_refused_tables(tmp_path, change, words):
    message = refused(written(tmp_path, change(COMPLETE)))
    assert all(word in message for word in words), message


def test_refused_files(tmp_path):
    assert "No such file" in refused(tmp_path / "none.csv")
    assert "is a folder" in refused(tmp_path)
    path = tmp_path / "table.csv.gz"
    path.write_text(HEADER)
    assert "has 0 of the 15,625" in refused(path)  # a text, whatever its name
    whole = gzip.compress("\n".join(COMPLETE).encode(), 1)
    path.write_bytes(whole[: len(whole) // 2])
    assert "ended" in refused(path)
    path.write_bytes(whole[:2000] + b"\0" * 1000 + whole[3000:])
    assert str(path) in refused(path)
    path = tmp_path / "table.csv"
    path.write_bytes(b"\xff\xfe\x00")
    assert "utf-8" in refused(path)


def test_a_cell_of_another_space(tmp_path):
    table = read_table(written(tmp_path, COMPLETE))
    with pytest.raises(InputError, match="darts_conv"):
        table.lookup(CONVOLUTIONAL["NASNet"])


@pytest.fixture(scope="module")
def real():
    folder = os.environ.get("DARTS_TF_DATA", "")
    path = pathlib.Path(folder, "nasbench201", "accuracies.csv.gz")
    if not folder or not path.is_file():
        pytest.skip("DARTS_TF_DATA names no folder with nasbench201")
    return read_table(path)


@pytest.mark.parametrize(
    "string, accuracy, rank",
    [
        (
            "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+"
            "|skip_connect~0|nor_conv_3x3~1|nor_conv_1x1~2|",
            94.37,
            1,
        ),
        (
            "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+"
            "|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|",
            94.36,
            3,
        ),
        (
            "|skip_connect~0|+|skip_connect~0|skip_connect~1|+"
            "|skip_connect~0|skip_connect~1|skip_connect~2|",
            54.30,
            None,
        ),
    ],
)
def test_the_published_numbers(real, string, accuracy, rank):
    genotype = from_string(string)
    found = real.lookup(genotype)[RANKED]
    assert found == pytest.approx(accuracy, abs=0.005)
    assert rank is None or real.rank(genotype) == rank
