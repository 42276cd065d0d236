from __future__ import annotations

import json
import os

import numpy as np
import pytest

from darts_tf.errors import InputError
from darts_tf.run.loop.metrics import MetricsLog, read_metrics


def write(path, steps):
    log = MetricsLog(path)
    for step in steps:
        log.append({"step": step, "x": 0.1 * step})
    return log


def test_records_come_back_and_are_there_at_once(tmp_path):
    path = tmp_path / "m.jsonl"
    record = {"step": 1, "a": np.float32(0.5), "b": [np.int64(3)], "c": "é"}
    MetricsLog(path).append(record)
    assert read_metrics(path) == [{"step": 1, "a": 0.5, "b": [3], "c": "é"}]
    assert path.read_text().count("\n") == 1


def test_what_is_not_finite_stays_json_and_reads_as_float(tmp_path):
    path = tmp_path / "m.jsonl"
    MetricsLog(path).append(
        {"step": 1, "a": float("nan"), "b": np.float32("inf"), "c": {"d": [-np.inf]}}
    )

    def refuse(name):
        raise AssertionError(name)

    record = json.loads(path.read_text(), parse_constant=refuse)
    assert record == {"step": 1, "a": "nan", "b": "inf", "c": {"d": ["-inf"]}}
    assert float(record["b"]) == float("inf")


def test_later_records_and_a_half_line_are_dropped(tmp_path):
    path = tmp_path / "m.jsonl"
    log = write(path, [1, 2, 2, 3])
    lines = path.read_bytes().splitlines(keepends=True)
    with open(path, "ab") as stream:
        stream.write(b'{"step": 1, "x')
    log.truncate_after(2)
    assert path.read_bytes() == b"".join(lines[:3])
    log.append({"step": 3})
    assert [r["step"] for r in read_metrics(path)] == [1, 2, 2, 3]


@pytest.mark.parametrize("half", [b'{"step": 1}', b'{"st', b"\x00\x00"])
def test_a_last_line_without_its_end_is_no_record(tmp_path, half):
    path = tmp_path / "m.jsonl"
    log = write(path, [1])
    with open(path, "ab") as stream:
        stream.write(half)
    assert len(read_metrics(path)) == 1
    log.truncate_after(9)
    log.append({"step": 2})
    assert [r["step"] for r in read_metrics(path)] == [1, 2]


def test_nothing_is_rewritten_where_nothing_is_dropped(tmp_path):
    path = tmp_path / "m.jsonl"
    log = write(path, [1, 2])
    before = path.stat()
    log.truncate_after(2)
    assert path.stat().st_ino == before.st_ino


def test_a_broken_line_inside(tmp_path):
    path = tmp_path / "m.jsonl"
    log = write(path, [1])
    with open(path, "ab") as stream:
        stream.write(b"[1]\n")
    log.append({"step": 2})
    with pytest.raises(InputError, match="line 2"):
        read_metrics(path)
    log.truncate_after(2)
    assert [r["step"] for r in read_metrics(path)] == [1, 2]


def test_no_file(tmp_path):
    log = MetricsLog(tmp_path / "m.jsonl")
    log.truncate_after(0)
    log.sync()
    assert read_metrics(tmp_path / "m.jsonl") == []
    assert not (tmp_path / "m.jsonl").exists()


def test_a_lost_file_is_said(tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr(
        "absl.logging.warning", lambda text, *args: said.append(text % args)
    )
    log = MetricsLog(tmp_path / "metrics.jsonl")
    log.warn_if_lost(0)
    assert said == []
    log.warn_if_lost(7)
    assert "records up to step 7 are missing" in said[0]
    log.append({"step": 7})
    log.warn_if_lost(7)
    assert len(said) == 1


@pytest.mark.parametrize("line", [b"[" * 100_000, b'{"step": true}', b"\xff", b"1e999"])
def test_any_line_may_be_damaged(tmp_path, line):
    path = tmp_path / "metrics.jsonl"
    path.write_bytes(b'{"step": 1}\n' + line + b"\n" + b'{"step": 2}\n')
    with pytest.raises(InputError, match="line 2 is no record"):
        read_metrics(path)
    MetricsLog(path).truncate_after(2)
    assert [r["step"] for r in read_metrics(path)] == [1, 2]


def test_a_fifo_in_its_place_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "metrics.jsonl")
    with pytest.raises(InputError, match="is a FIFO"):
        MetricsLog(tmp_path / "metrics.jsonl").truncate_after(1)
