"""TF_CONFIG is read, or refused in one line."""

from __future__ import annotations

import json

import pytest

from darts_tf.descent.cluster import Cluster, read_cluster
from darts_tf.errors import InputError

TWO = ["a:1", "b:2"]


def config(cluster, **task) -> str:
    return json.dumps({"cluster": cluster, "task": {"type": "worker"} | task})


@pytest.mark.parametrize("index", [1, "1"])
def test_a_worker_finds_itself(index):
    text = config({"worker": TWO}, index=index)
    found = read_cluster({"TF_CONFIG": text})
    assert found == Cluster(("a:1", "b:2"), 1)


@pytest.mark.parametrize(
    "text, what",
    [
        (" ", "not set"),
        ("{", "no JSON"),
        ("[1]", 'no "cluster"'),
        (json.dumps({"cluster": {"worker": TWO}}), 'no "task"'),
        (config({}, index=0), 'lists no "worker"'),
        (config({"worker": []}, index=0), 'lists no "worker"'),
        (config({"worker": "a:1"}, index=0), 'lists no "worker"'),
        (config({"worker": TWO, "ps": ["c:3"]}, index=0), '"ps"'),
        (config({"chief": ["c:3"], "worker": TWO}, index=0), '"chief"'),
        (config({"worker": ["a:1", "b"]}, index=0), "'b' is no host:port"),
        (config({"worker": ["a:1", "b:x"]}, index=0), "'b:x' is no host:port"),
        (config({"worker": ["a:1", "b:65536"]}, index=0), "no host:port"),
        (config({"worker": ["a:1", 2]}, index=0), "2 is no host:port"),
        (config({"worker": ["a:1", "a:1"]}, index=0), "twice"),
        (config({"worker": TWO}, index=2), "2; the 2 workers are 0 to 1"),
        (config({"worker": TWO}, index=-1), "index is -1"),
        (config({"worker": TWO}, index=True), "index is True"),
        (config({"worker": TWO}), "index is None"),
        (config({"worker": TWO}, index=0, type="chief"), "type is 'chief'"),
    ],
)
def test_anything_else_is_refused_with_an_example(text, what):
    with pytest.raises(InputError) as error:
        read_cluster({"TF_CONFIG": text})
    said = str(error.value)
    assert what in said and "\n" not in said
    example = said[said.index("TF_CONFIG='") + len("TF_CONFIG='") : -1]
    assert read_cluster({"TF_CONFIG": example}).index == 0


def test_it_may_be_missing_altogether():
    with pytest.raises(InputError, match="TF_CONFIG: it is not set"):
        read_cluster({})
