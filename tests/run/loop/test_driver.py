"""Run as a program, this file drives the fake loop: folder, steps' seconds."""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import pytest

from darts_tf.errors import DivergedError, InputError
from darts_tf.run import files
from darts_tf.run.loop import checkpoints
from darts_tf.run.loop.driver import drive
from darts_tf.run.loop.metrics import read_metrics
from darts_tf.run.process import machine_errors
from darts_tf.run.workdir import open_workdir

ROOT = Path(__file__).parents[3]
TIMES = ("seconds", "images_per_second")


class FakeLoop:
    """A deterministic loop with a generator, momentum and a best value."""

    steps_per_epoch, units, units_per_step = 7, "images", 4

    def __init__(self, total_steps=21, pause=0.0, bad=None):
        self.step, self.total_steps, self.pause = 0, total_steps, pause
        self.bad = bad or {}  # step -> loss
        self.generator = np.random.RandomState(0)
        self.w, self.v = np.zeros(3), np.zeros(3)
        self.best = math.inf
        self.ended = 0

    def advance(self):
        time.sleep(self.pause)
        self.step += 1
        self.v = 0.9 * self.v + self.generator.uniform(-1, 2, size=3)
        self.w = self.w - 0.1 * self.v
        loss = self.bad.get(self.step, np.float32(np.sum(self.w**2)))
        return {"train/loss": loss, "learning_rate": 1 / self.step}

    def end_epoch(self):
        self.ended += 1
        loss = float(np.sum(np.abs(self.w)) + self.generator.uniform())
        self.best = min(self.best, loss)
        return {"valid/loss": np.float32(loss), "best": self.best}

    def state(self):
        _, key, place, *_ = self.generator.get_state()
        return {
            "w": self.w,
            "v": self.v,
            "key": key,
            "place": place,
            "step": self.step,
            "best": self.best,
            "ended": self.ended,
        }

    def restore(self, arrays):
        if arrays["w"].shape != self.w.shape:
            raise InputError("w does not fit")
        self.w, self.v = arrays["w"], arrays["v"]
        self.generator.set_state(("MT19937", arrays["key"], int(arrays["place"])))
        self.step, self.best = int(arrays["step"]), float(arrays["best"])
        self.ended = int(arrays["ended"])


def start(folder, loop=None, report_every=3, checkpoint_every=5, **more):
    """Opens the folder, drives and writes the result, as an entry point does."""
    loop = loop or FakeLoop()
    with open_workdir(folder, {"a": 1}, "--a=1\n") as workdir:

        def hook(epoch, loop, record):
            files.write_json_atomic(
                workdir.genotypes / f"{epoch}.json",
                {"w": loop.w.tolist(), "loss": record["valid/loss"]},
            )

        more = {"on_epoch": hook} | more
        summary = drive(
            loop,
            workdir,
            report_every=report_every,
            checkpoint_every=checkpoint_every,
            **more,
        )
        files.write_json_atomic(workdir.result, {"w": loop.w.tolist()})
    return summary


def left_behind(folder: Path) -> dict:
    """Returns all that a run leaves, without its times."""
    step, arrays = checkpoints.load_latest(folder / "checkpoints")
    texts = {
        str(p.relative_to(folder)): p.read_text()
        for p in [*folder.glob("genotypes/*"), folder / "result.json"]
    }
    records = [
        {n: v for n, v in record.items() if n not in TIMES}
        for record in read_metrics(folder / "metrics.jsonl")
    ]
    names = sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())
    state = {
        n: zlib.crc32(a.tobytes())
        for n, a in arrays.items()
        if not n.endswith("seconds")
    }
    return {
        "step": step,
        "state": state,
        "records": records,
        "texts": texts,
        "names": names,
    }


@pytest.fixture
def undisturbed(tmp_path):
    start(tmp_path / "undisturbed")
    return left_behind(tmp_path / "undisturbed")


def test_an_undisturbed_run(undisturbed):
    records = undisturbed["records"]
    assert [(r["kind"], r["step"], r["epoch"]) for r in records] == [
        ("steps", 3, 1),
        ("steps", 6, 1),
        ("steps", 7, 1),
        ("epoch", 7, 1),
        ("steps", 9, 2),
        ("steps", 12, 2),
        ("steps", 14, 2),
        ("epoch", 14, 2),
        ("steps", 15, 3),
        ("steps", 18, 3),
        ("steps", 21, 3),
        ("epoch", 21, 3),
    ]
    loop = FakeLoop()
    losses = [float(loop.advance()["train/loss"]) for _ in range(3)]
    assert records[0]["train/loss"] == math.fsum(losses) / 3
    assert records[0]["learning_rate"] == pytest.approx((1 + 1 / 2 + 1 / 3) / 3)
    assert records[3]["valid/loss"] == records[3]["best"] or (
        records[3]["best"] == pytest.approx(records[3]["valid/loss"])
    )
    assert undisturbed["names"] == [
        "checkpoints/step-00000020.npz",
        "checkpoints/step-00000021.npz",
        "config.json",
        "flags.txt",
        "genotypes/1.json",
        "genotypes/2.json",
        "genotypes/3.json",
        "lock",
        "metrics.jsonl",
        "result.json",
    ]
    assert undisturbed["step"] == 21


class EndingLoop(FakeLoop):
    """A loop that ends itself at the end of its second epoch."""

    def end_epoch(self):
        if self.step == 14:
            self.total_steps = 14
        return super().end_epoch()

    def state(self):
        return super().state() | {"total": self.total_steps}

    def restore(self, arrays):
        super().restore(arrays)
        self.total_steps = int(arrays["total"])


def test_a_loop_that_ends_itself_at_an_epochs_end(tmp_path):
    """Its last epoch is whole; started again, it returns at once."""
    assert start(tmp_path, EndingLoop()).steps == 14
    before = left_behind(tmp_path)
    assert before["step"] == before["records"][-1]["step"] == 14
    assert [r["step"] for r in before["records"] if r["kind"] == "epoch"] == [7, 14]
    loop = EndingLoop()
    assert start(tmp_path, loop).steps == 14 and loop.ended == 2
    assert left_behind(tmp_path) == before


def test_a_kill_before_its_end_is_saved_changes_nothing(tmp_path):
    start(tmp_path / "whole", EndingLoop())

    def killed(epoch, loop, record):
        if epoch == 2:
            raise KeyboardInterrupt

    folder = tmp_path / "killed"
    with pytest.raises(KeyboardInterrupt):
        start(folder, EndingLoop(), on_epoch=killed)
    assert checkpoints.latest_step(folder / "checkpoints") == 10
    start(folder, EndingLoop())
    whole, again = left_behind(tmp_path / "whole"), left_behind(folder)
    for part in ("step", "state", "records"):
        assert whole[part] == again[part]


def kill_at(folder: Path, event: int) -> bool:
    """Forks a run that SIGKILLs itself at its event number `event`.

    Events are what lies around every move to the disk, and steps and hooks.
    Tells whether the run was killed (else it came to its end).
    """
    child = os.fork()
    if child:
        return os.WIFSIGNALED(os.waitpid(child, 0)[1])
    try:
        _run_with_events(folder, event)
    finally:
        os._exit(0)


def _run_with_events(folder: Path, event: int) -> None:
    count = 0

    def tick():
        nonlocal count
        if count == event:
            os.kill(os.getpid(), signal.SIGKILL)
        count += 1

    def counted(function):
        def wrapper(*arguments, **named):
            tick()
            result = function(*arguments, **named)
            tick()
            return result

        return wrapper

    sys.stderr = io.StringIO()
    os.replace = counted(os.replace)
    os.fsync = counted(lambda descriptor: None)  # a kill spares the cache
    loop = FakeLoop(total_steps=SHORT)
    loop.advance = counted(loop.advance)
    loop.end_epoch = counted(loop.end_epoch)
    start(folder, loop)


SHORT = 14
"""Steps of runs that are killed many times: two epochs have every kind of event."""


@pytest.fixture
def short(tmp_path):
    start(tmp_path / "short", FakeLoop(total_steps=SHORT))
    return left_behind(tmp_path / "short")


def kill_at_each_event(folder: Path) -> None:
    """Leaves a folder for each event at which a run was killed, and resumed."""
    event = 0
    while kill_at(folder / str(event), event):
        assert not kill_at(folder / str(event), -1)
        event += 1


def kill_often(folder: Path) -> None:
    """Leaves folders of five runs, each killed more than once."""
    generator = random.Random(0)
    for trial in range(5):
        kills = 0
        while kill_at(folder / str(trial), generator.randrange(10, 40)):
            kills += 1
        assert kills > 1


def runs_killed(folder: Path, way: str) -> list[Path]:
    """Returns the folders that another process has left, in their order.

    That one is small, without TensorFlow, and so are its forks.
    """
    process = program(folder, way)
    errors = process.communicate()[1]
    assert process.returncode == 0, errors
    return sorted(folder.iterdir(), key=lambda path: int(path.name))


@pytest.mark.slow
def test_a_kill_at_any_event_changes_nothing(tmp_path, short):
    folders = runs_killed(tmp_path / "killed", "at each event")
    assert len(folders) > 70  # it did reach into the run
    for folder in folders:
        assert left_behind(folder) == short, folder


@pytest.mark.slow
def test_many_kills_in_one_run_change_nothing(tmp_path, short):
    folders = runs_killed(tmp_path / "killed", "often")
    assert len(folders) == 5
    for folder in folders:
        assert left_behind(folder) == short


def program(folder: Path, *arguments: object) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, __file__, str(folder), *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def wait_for(path: Path, process: subprocess.Popen) -> None:
    end = time.monotonic() + 30
    while not path.exists() and process.poll() is None:
        assert time.monotonic() < end
        time.sleep(0.005)


def ended(process: subprocess.Popen) -> int:
    """Returns the exit code of a program that is about to end."""
    try:
        process.communicate(timeout=10)
    finally:
        process.kill()
    return process.returncode


@pytest.mark.slow
def test_sigkill_from_outside_at_random_moments(tmp_path, undisturbed):
    """Five times at most; what is left is done here."""
    generator, kills = random.Random(1), 0
    folder = tmp_path / "killed"
    for _ in range(5):
        process = program(folder, 0.02)
        process.stdout.readline()  # it has started
        try:
            process.wait(generator.uniform(0.1, 0.4))
        except subprocess.TimeoutExpired:
            process.kill()
            kills += 1
        errors = process.communicate()[1]
        if process.returncode == 0:
            break
        assert process.returncode == -signal.SIGKILL, errors
    else:
        start(folder)
    assert kills >= 1
    assert left_behind(folder) == undisturbed


@pytest.mark.parametrize("number, code", [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_signal_saves_the_step_and_stops(tmp_path, undisturbed, number, code):
    folder = tmp_path / "stopped"
    process = program(folder, 0.05)
    wait_for(folder / "metrics.jsonl", process)  # step 3: no checkpoint due
    process.send_signal(number)
    errors = process.communicate()[1]
    assert process.returncode == code
    last = errors.strip().splitlines()[-1]
    assert "the same command goes on" in last and number.name in last
    assert "Traceback" not in errors
    step, _ = checkpoints.load_latest(folder / "checkpoints")
    assert f"after step {step} of 21" in last and step < 21
    start(folder)
    expected = dict(undisturbed, names=None)
    assert dict(left_behind(folder), names=None) == expected


def test_a_second_signal_stops_in_the_middle_of_a_step(tmp_path):
    process = program(tmp_path / "run", 60)
    wait_for(tmp_path / "run/genotypes", process)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    assert any("SIGINT" in process.stderr.readline() for _ in range(3))
    process.send_signal(signal.SIGINT)
    assert ended(process) == 130


def test_both_signals_are_heard_while_python_is_not(tmp_path):
    """Holds in a C call that handles no signals for long, as a compilation."""
    process = program(tmp_path / "run", "deaf")
    wait_for(tmp_path / "run/genotypes", process)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    assert any("SIGINT" in process.stderr.readline() for _ in range(3))
    process.send_signal(signal.SIGINT)
    assert ended(process) == 130


def test_handlers_are_given_back(tmp_path):
    before = signal.getsignal(signal.SIGTERM)
    start(tmp_path)
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_half_checkpoint_costs_only_time(tmp_path, undisturbed):
    folder = tmp_path / "run"
    start(folder)
    newest = checkpoints.checkpoint_path(folder / "checkpoints", 21)
    newest.write_bytes(newest.read_bytes()[:500])
    start(folder)
    assert left_behind(folder) == undisturbed


def test_all_checkpoints_broken(tmp_path):
    start(tmp_path)
    for path in (tmp_path / "checkpoints").iterdir():
        path.write_bytes(b"")
    before = (tmp_path / "metrics.jsonl").read_bytes()
    with pytest.raises(InputError, match="none of the checkpoints"):
        start(tmp_path)
    assert (tmp_path / "metrics.jsonl").read_bytes() == before


def test_a_checkpoint_that_does_not_fit(tmp_path):
    start(tmp_path)
    loop = FakeLoop()
    loop.w = np.zeros(4)
    with pytest.raises(InputError, match="does not fit"):
        start(tmp_path, loop)


def test_a_finished_run_is_left_alone(tmp_path):
    first = start(tmp_path)

    def forbidden(*_):
        raise AssertionError

    loop = FakeLoop()
    loop.advance = loop.end_epoch = forbidden
    again = start(tmp_path, loop, on_epoch=forbidden)
    assert loop.step == again.steps == 21
    assert again.first_step_seconds == first.first_step_seconds
    assert again.seconds <= first.seconds + 1


@pytest.mark.parametrize("report_every", [1, 100])
@pytest.mark.parametrize("end", ["moved", "removed", "replaced"])
def test_a_folder_that_has_gone_is_not_made_again(tmp_path, end, report_every):
    folder, moved = tmp_path / "run", tmp_path / "moved"

    class Moving(FakeLoop):
        def advance(self):
            if self.step == 9:
                folder.rename(moved)
            if self.step == 9 and end == "removed":
                shutil.rmtree(moved)
            if self.step == 9 and end == "replaced":
                folder.mkdir()
            return super().advance()

    with pytest.raises(FileNotFoundError) as error:
        start(folder, Moving(), report_every=report_every)
    line = machine_errors.line(error.value)
    assert "moved or removed" in line and str(folder) in line
    assert not folder.exists() or not [*folder.iterdir()]
    if end == "moved":
        assert checkpoints.latest_step(moved / "checkpoints") == 7


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_stops_the_run(tmp_path, value):
    loop = FakeLoop(bad={10: value, 11: math.nan})
    with pytest.raises(DivergedError) as error:
        start(tmp_path, loop)  # checkpoints are due at 5, 7 and 10
    text = str(error.value)
    assert "\n" not in text and f"train/loss is {value} at step 10:" in text
    path = tmp_path / "checkpoints/step-00000007.npz"
    assert str(path) in text
    assert checkpoints.load_latest(tmp_path / "checkpoints")[0] == 7


def test_a_damaged_checkpoint_is_not_called_the_last_good_one(tmp_path):
    start(tmp_path, FakeLoop(total_steps=7))
    (tmp_path / "checkpoints/step-00000010.npz").write_bytes(b"half")
    with pytest.raises(DivergedError, match="checkpoint is .*00000007.npz"):
        start(tmp_path, FakeLoop(bad={8: math.nan}))


def test_a_bad_loss_at_the_first_step(tmp_path):
    with pytest.raises(DivergedError, match="there is no checkpoint yet"):
        start(tmp_path, FakeLoop(bad={1: math.nan}))


def test_weights_spoilt_by_a_step_with_a_finite_loss_are_not_saved(tmp_path):
    class Spoilt(FakeLoop):
        def state(self):
            w = self.w * (math.nan if self.step == 10 else 1)
            return super().state() | {"w": w}

    with pytest.raises(DivergedError, match="w is not finite after step 10"):
        start(tmp_path, Spoilt())
    assert checkpoints.load_latest(tmp_path / "checkpoints")[0] == 7


def test_values_that_are_no_loss_may_be_nan(tmp_path):
    class Odd(FakeLoop):
        def advance(self):
            return super().advance() | {"ratio": math.nan}

    start(tmp_path, Odd())
    assert read_metrics(tmp_path / "metrics.jsonl")[0]["ratio"] == "nan"


def test_scalars_are_not_waited_for_before_they_are_needed(tmp_path):
    events = []

    class Scalar:
        def __init__(self, step):
            self.step = step

        def __float__(self):
            events.append(f"read {self.step}")
            return 1.0

    class Lazy(FakeLoop):
        def advance(self):
            super().advance()
            events.append(f"step {self.step}")
            return {"train/loss": Scalar(self.step)}

    start(tmp_path, Lazy(total_steps=5), report_every=4, checkpoint_every=0)
    assert events == [
        "step 1",
        "read 1",  # its time is measured
        "step 2",
        "step 3",
        "step 4",
        "read 2",
        "read 3",
        "read 4",
        "step 5",
        "read 5",
    ]


def test_the_first_step_is_no_part_of_the_speed(tmp_path):
    class Compiling(FakeLoop):
        def advance(self):
            time.sleep(0.5 if self.step == 0 else 0.01)
            return super().advance()

    summary = start(tmp_path, Compiling(total_steps=7), report_every=3)
    records = read_metrics(tmp_path / "metrics.jsonl")
    assert records[0]["images_per_second"] > 30  # 12 / 0.5 with it
    assert 0.5 <= summary.first_step_seconds < summary.seconds
    start(tmp_path / "one", FakeLoop(total_steps=2), report_every=1)
    records = read_metrics(tmp_path / "one/metrics.jsonl")
    assert "images_per_second" not in records[0]
    assert "images_per_second" in records[1]


def test_seconds_add_up_over_restarts(tmp_path):
    class Interrupted(FakeLoop):
        def advance(self):
            if self.step == 6:
                raise RuntimeError
            time.sleep(0.02)
            return super().advance()

    with pytest.raises(RuntimeError):
        start(tmp_path, Interrupted())
    summary = start(tmp_path)
    assert summary.seconds > 5 * 0.02
    assert 0.02 <= summary.first_step_seconds
    seconds = [r["seconds"] for r in read_metrics(tmp_path / "metrics.jsonl")]
    assert seconds == sorted(seconds)


def test_the_reporter_gets_the_numbers_of_each_record(tmp_path):
    class Keeping(list):
        def scalars(self, step, values):
            self.append((step, values))

    reports = Keeping()
    start(tmp_path, reporter=reports)
    records = read_metrics(tmp_path / "metrics.jsonl")
    assert [step for step, _ in reports] == [r["step"] for r in records]
    assert reports[3][1]["valid/loss"] == records[3]["valid/loss"]
    assert all(isinstance(v, (int, float)) for _, vs in reports for v in vs.values())


def test_a_last_epoch_that_is_not_whole_is_ended_too(tmp_path):
    epochs = []
    start(
        tmp_path,
        FakeLoop(total_steps=9),
        on_epoch=lambda epoch, loop, record: epochs.append(epoch),
    )
    assert epochs == [1, 2]


@pytest.mark.parametrize("report, checkpoint", [(0, 1), (1, -1)])
def test_bad_settings(tmp_path, report, checkpoint):
    with pytest.raises(InputError, match="at least"):
        start(tmp_path, report_every=report, checkpoint_every=checkpoint)


def test_a_log_file_gets_a_line_an_epoch(tmp_path, capsys):
    start(tmp_path)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(",")[0] for line in lines] == [
        "step 1: compiling",
        "valid/loss* is that of alpha's steps: at w'",
        "epoch 1/3",
        "epoch 2/3",
        "epoch 3/3",
    ]
    assert "valid/loss" in lines[2] and "train/loss" in lines[2]


def test_a_terminal_gets_a_bar_of_the_whole_run(tmp_path, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    start(tmp_path, FakeLoop(pause=0.02))
    assert "21/21" in screen.getvalue()
    assert "##########| 21/21, train/loss" in screen.getvalue()


def test_records_are_json(tmp_path):
    start(tmp_path)
    for line in (tmp_path / "metrics.jsonl").read_text().splitlines():
        assert json.loads(line)["step"] > 0


KILLED = {"at each event": kill_at_each_event, "often": kill_often}

if __name__ == "__main__":
    print("started", flush=True)
    if kill := KILLED.get(sys.argv[2]):
        kill(Path(sys.argv[1]))
        sys.exit()
    if sys.argv[2] == "deaf":  # many seconds in C, without the lock
        loop = FakeLoop()
        loop.advance = lambda: hashlib.pbkdf2_hmac("sha256", b"", b"", 40_000_000)
        start(Path(sys.argv[1]), loop)
    start(Path(sys.argv[1]), FakeLoop(pause=float(sys.argv[2])))
