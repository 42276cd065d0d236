"""Two workers on this machine: the verbs, and a loop that they drive."""

from __future__ import annotations

import json
import socket

import numpy as np
import pytest

from darts_tf.descent.workers import Workers, replicas_for
from darts_tf.errors import InputError
from tests import forked

VERBS = """
import json, os, pathlib, signal, sys
import numpy as np, tensorflow as tf
from darts_tf.descent.scores import accuracy, correct
from darts_tf.descent.workers import replicas_for
from darts_tf.errors import InputError
from darts_tf.run.loop.driver import drive
from darts_tf.run.workdir import Workdir, open_workdir

replicas = replicas_for("multi_worker")
said = {"count": replicas.count, "chief": replicas.chief}
x = np.arange(11, dtype=np.float32)
data = tf.data.Dataset.from_tensor_slices((x, x.astype(int))).batch(4)
try:
    replicas.split(data, 3)
except InputError as error:
    said["refused"] = str(error)
split = replicas.split(data, 4)
batches = list(split)
said["again"] = len(list(split))
said["own"] = [replicas.local(b[0]).numpy().tolist() for b in batches]
said["sizes"] = [replicas.batch_size(b) for b in batches]
said["sums"] = [float(replicas.sum(replicas.compile(tf.reduce_sum)(b[0])))
                for b in batches]
mean = replicas.compile(lambda x, y: replicas.mean([tf.reduce_mean(x), y]))
own = tf.constant(float(replicas.chief))
said["mean"] = [float(replicas.local(v)) for v in mean(batches[0][0], own)]
with replicas.scope():
    variable = tf.Variable(7.0 if replicas.chief else 8.0)
said["start"] = float(replicas.local(variable))
assign = replicas.compile(lambda x: replicas.assign(
    [variable], replicas.mean([tf.reduce_mean(x)])))
assign(batches[1][0])
said["assigned"] = float(replicas.local(variable))
rows = np.arange(12, dtype=np.float32).reshape(4, 3)
divided = replicas.divided(rows)
said["divided"] = replicas.local(divided).numpy().tolist()
said["joined"] = replicas.joined(divided).tolist()
said["total"] = replicas.total([replicas.chief, 2**40 + 1]).tolist()
logits = tf.one_hot([0, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0], 11)
labelled = tf.data.Dataset.from_tensor_slices((logits, x.astype(int)))
count = replicas.compile(lambda batch: correct(*batch))
said["accuracy"] = accuracy(
    count, replicas.split(labelled.batch(10), 10), replicas)


class Loop:
    steps_per_epoch, total_steps = 4, 8
    units, units_per_step = "things", 1

    def __init__(self, signal_at):
        self.step, self.signal_at = 0, signal_at

    def advance(self):
        self.step += 1
        if self.step == self.signal_at and not replicas.chief:
            os.kill(os.getpid(), signal.SIGTERM)
        return {"loss": float(self.step)}

    def end_epoch(self):
        return {}

    def state(self):
        return {"step": np.int64(self.step)}

    def restore(self, arrays):
        self.step = int(arrays["step"])


def driven(signal_at):
    loop, epochs = Loop(signal_at), []
    try:
        drive(loop, workdir, report_every=3, checkpoint_every=0,
              on_epoch=lambda epoch, *_: epochs.append(epoch), team=replicas)
        code = None
    except SystemExit as error:
        code = error.code
    return loop.step, epochs, code


folder = pathlib.Path(sys.argv[1])
if replicas.chief:
    workdir = open_workdir(folder, {}, "")
replicas.total(0)
if not replicas.chief:
    workdir = Workdir(folder)
said["runs"] = [driven(6), driven(None)]
if replicas.chief:
    (folder / "checkpoints/step-00000008.npz").write_bytes(b"damaged")
replicas.total(0)
said["runs"].append(driven(None))
print(json.dumps(said))
"""


def configs() -> list[str]:
    """TF_CONFIG of each of two workers, on ports that are free now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    ports = [s.getsockname()[1] for s in sockets]
    for each in sockets:
        each.close()
    cluster = {"worker": [f"127.0.0.1:{port}" for port in ports]}
    return [
        json.dumps(
            {
                "cluster": cluster,
                "task": {"type": "worker", "index": index},
            }
        )
        for index in range(2)
    ]


@pytest.fixture(scope="module")
def two(tmp_path_factory) -> tuple[dict, dict]:
    """Returns the results of two workers, and the folder they ran in."""
    folder = tmp_path_factory.mktemp("workers") / "run"
    started = [
        forked.Fork(
            str(folder),
            script=VERBS,
            environment={"TF_CONFIG": config, "CUDA_VISIBLE_DEVICES": "-1"},
        )
        for config in configs()
    ]
    said = []
    for process in started:
        output, _ = process.communicate(timeout=300)
        assert process.returncode == 0, output[-3000:]
        said.append(json.loads(output.splitlines()[-1]) | {"output": output})
    return *said, folder


def both(two, name: str):
    """Returns a result that is the same on both."""
    assert two[0][name] == two[1][name]
    return two[0][name]


@pytest.mark.slow
def test_one_of_them_is_the_chief(two):
    assert both(two, "count") == 2
    assert [worker["chief"] for worker in two[:2]] == [True, False]


@pytest.mark.slow
def test_shares_of_a_batch_make_the_batch(two):
    assert two[0]["own"] == [[0, 1], [4, 5], [8]]
    assert two[1]["own"] == [[2, 3], [6, 7], [9, 10]]
    assert both(two, "sizes") == [4, 4, 3] and both(two, "again") == 3
    assert both(two, "sums") == [6, 22, 27]


@pytest.mark.slow
def test_an_uneven_batch_is_refused(two):
    text = both(two, "refused")
    assert "multiple of the 2 replicas" in text and "received 3" in text


@pytest.mark.slow
def test_mean_is_over_workers_for_each_value(two):
    """Averages computed values and unchanged arguments."""
    assert both(two, "mean") == [1.5, 0.5]


@pytest.mark.slow
def test_variables_are_equal_from_the_start(two):
    assert both(two, "start") == 7
    assert both(two, "assigned") == 5.5


@pytest.mark.slow
def test_joining_undoes_dividing(two):
    rows = np.arange(12).reshape(4, 3).tolist()
    assert two[0]["divided"] + two[1]["divided"] == rows
    assert both(two, "joined") == rows


@pytest.mark.slow
def test_totals_are_exact(two):
    assert both(two, "total") == [1, 2**41 + 2]


@pytest.mark.slow
def test_scores_are_of_all_batches_the_last_one_too(two):
    """Its single example is one worker's; the other's share is empty."""
    assert both(two, "accuracy") == 5 / 11


@pytest.mark.slow
def test_a_signal_to_one_stops_both_after_the_same_step(two):
    stopped, resumed, _ = zip(*(worker["runs"] for worker in two[:2]))
    assert stopped == ([6, [1], 0], [6, [], 0])
    assert resumed == ([8, [2], None], [8, [], None])
    assert "stopped by SIGTERM after step 6 of 8" in two[0]["output"]
    assert "stopped by" not in two[1]["output"]


@pytest.mark.slow
def test_all_start_at_the_chiefs_checkpoint_and_it_alone_writes(two):
    """It passes over a damaged one: so do they, and do its epoch again."""
    assert [worker["runs"][2] for worker in two[:2]] == [
        [8, [2], None],
        [8, [], None],
    ]
    rows = (two[2] / "metrics.jsonl").read_text().splitlines()
    steps = [(r["kind"], r["step"]) for r in map(json.loads, rows)]
    assert steps == [
        ("steps", 3),
        ("steps", 4),
        ("epoch", 4),
        ("steps", 6),
        ("steps", 8),
        ("epoch", 8),
    ]


def test_without_others_it_is_one_machine(monkeypatch):
    task = {"type": "worker", "index": 0}
    alone = {"cluster": {"worker": ["a:1"]}, "task": task}
    monkeypatch.setenv("TF_CONFIG", json.dumps(alone))
    assert not isinstance(replicas_for("multi_worker"), Workers)
    monkeypatch.delenv("TF_CONFIG")
    with pytest.raises(InputError, match="TF_CONFIG"):
        replicas_for("multi_worker")
