"""Kills programs at moments of every kind; the files must be as if left alone.

A campaign of tests/torture.py. A try forks a process that has imported TensorFlow
(tests/forked.py), and lets a signal reach it either after a time, or at an event:
between two moves to the disk (a file opened, renamed or removed, a folder made), or
in the middle of one write. The same command is given again, and again killed, until
it comes to its end. Whatever is there after a kill must be whole; whatever is there
in the end must have the same bytes as without a kill, but for the times.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import mmap
import os
import pathlib
import random
import runpy
import shutil
import signal
import struct
import subprocess
import sys
import threading
import time
import types
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from PIL import Image

from darts_tf.data.nasbench201_table import ACCURACIES
from darts_tf.errors import LONGEST
from darts_tf.space.architecture_string import every_string
from tests import disk_moves, forked, savings

KINDS = ("SIGKILL", "SIGKILL", "SIGKILL", "SIGTERM", "SIGINT", "SIGHUP")
MOST = 6
"""Kills of one run before it is left to end."""

AGAIN_SECONDS = 0.2
"""Time from a signal to the same one once more."""

TINY = (
    "--dataset=digits",
    "--examples=60",
    "--channels=2",
    "--layers=3",
    "--batch_size=10",
    "--space=nasbench201",
)
OFTEN = ("--deterministic", "--checkpoint_every=1", "--report_every=2", "--epochs=2")
CELL = "|skip_connect~0|+|nor_conv_1x1~0|none~1|+|skip_connect~0|none~1|avg_pool_3x3~2|"
TEXT = (
    *("--dataset=text_folder", "--space=darts_recurrent", "--hidden_size=4"),
    *("--bptt=5", "--batch_size=8", "--measured_batch=2", "--learning_rate=5"),
)


def text_folder(folder: pathlib.Path) -> pathlib.Path:
    """Returns a folder with small texts; writes them where they are missing."""
    place = folder / "text"
    place.mkdir(exist_ok=True)
    rng = np.random.default_rng(0)
    for name, count in (("train", 300), ("valid", 60), ("test", 60)):
        words = " ".join(rng.choice([*"abcde"], count))
        (place / f"{name}.txt").write_text(f"{words}\n")
    return place


def _flagfile(folder: pathlib.Path, name: str, flags: tuple[str, ...]) -> str:
    path = folder / f"{name}.flags"
    path.write_text("\n".join(flags) + "\n")
    return f"--{name}_flags={path}"


def _images(folder):
    return "search", *TINY, *OFTEN, "--method=first_order"


def _lambda(folder):
    return "search", *TINY, *OFTEN, "--strategy=lambda_darts"


def _text(folder):
    data = f"--data_dir={text_folder(folder)}"
    return "search", *TEXT, *OFTEN, data, "--method=first_order", "--momentum=0"


def _text_training(folder):
    data = f"--data_dir={text_folder(folder)}"
    return "evaluate", *TEXT, *OFTEN, data, "--genotype=DARTS_V2"


def _training(folder):
    return "evaluate", *TINY, *OFTEN, f"--genotype={CELL}"


def _evolution(folder):
    budget = ("--budget_evaluations=3", "--evolution_population=2")
    which = ("--strategy=evolution", "--evolution_sample=2")
    return "search", *TINY, *OFTEN[:-1], "--epochs=1", *which, *budget


def _table_search(folder):
    table = folder / "table.csv"
    if not table.exists():
        rows = [
            ",".join([cell, *(str(50 + (7 * n) % 43) for _ in ACCURACIES)])
            for n, cell in enumerate(every_string())
        ]
        table.write_text("\n".join([",".join(["architecture", *ACCURACIES]), *rows]))
    which = ("--strategy=evolution", "--estimator=table", "--space=nasbench201")
    return (
        *("search", *which, f"--nasbench201_table={table}"),
        *("--budget_evaluations=12", "--evolution_population=4"),
    )


def _experiment(folder):
    often = (*TINY, *OFTEN[:-1], "--epochs=1")
    return (
        "experiment",
        _flagfile(folder, "search", (*often, "--method=first_order")),
        _flagfile(folder, "short", (*often, "--valid_fraction=0.2")),
        _flagfile(folder, "evaluate", often),
        "--search_seeds=1",
        "--evaluate_seeds=1",
    )


def _perturbation(folder):
    return (
        "derive",
        "--method=perturbation",
        "--tune_epochs=1",
        "--measured_batches=1",
        *OFTEN[1:3],
    )


def _export(folder):
    return ("export",)


RUNS: dict[str, Callable[[pathlib.Path], tuple[str, ...]]] = {
    "images": _images,
    "lambda": _lambda,
    "text": _text,
    "training": _training,
    "text training": _text_training,
    "evolution": _evolution,
    "evolution by a table": _table_search,
    "experiment": _experiment,
    "perturbation": _perturbation,
    "export": _export,
}
ROUND = (*RUNS, *["evolution by a table"] * 3, "training")
"""The runs of a round; those that take a second come more often."""

BEFORE = {"perturbation": "images", "export": "training"}
"""The finished run in whose folder a program runs."""

RESULTS = {
    "experiment": "results.json",
    "perturbation": "perturbation/result.json",
    "export": "export/saved_model.pb",
}
"""The file that a finished run has; of others result.json."""


@dataclasses.dataclass(frozen=True)
class Kill:
    """A signal and its moment.

    Attributes:
      signal: its name.
      event: number of the event at which it is sent; -1: none.
      seconds: after which it is sent, where there is no event.
      twice: the same signal comes again AGAIN_SECONDS later.
      family: an experiment's first process is meant too, not only the one that
        came to the event.
      error: name of an error (disk_moves.REFUSED) with which the disk refuses from
        the event on, in the place of a signal; "": a signal.
    """

    signal: str = "SIGKILL"
    event: int = -1
    seconds: float = 0.0
    twice: bool = False
    family: bool = False
    error: str = ""

    @property
    def codes(self) -> tuple[int, ...]:
        """Exit codes of a process that gets it; a negative one is a signal's."""
        if self.error:
            return (1, 2)
        number = getattr(signal, self.signal)
        return (-number, 128 + number, *((0,) if number == signal.SIGTERM else ()))


class Reason(Exception):
    """Tells what is wrong after a kill."""


def lives(
    folder: pathlib.Path,
    choose: random.Random,
    names: Sequence[str] = ROUND,
    refused: bool = False,
) -> Iterator[Callable[[], str | None]]:
    """Yields parts that kill a run; the last part of a life lets it end.

    Each returns a line about what it did, or None where the run had ended before
    the signal came: then that was no kill. Each raises Reason where files are not
    as they must be, and RuntimeError where a traceback was printed.

    Args:
      folder: for all runs.
      choose: decides runs and moments.
      names: of RUNS, a round of runs.
      refused: whether the disk refuses from some event on, in the place of a kill.
    """
    alone: dict[str, Alone] = {}
    while True:
        for name in choose.sample(names, len(names)):
            if name not in alone:
                alone[name] = Alone(name, folder)
            yield from _life(alone[name], choose, refused)


class Alone:
    """A run that was left alone, with what it took."""

    def __init__(self, name: str, folder: pathlib.Path) -> None:
        self.name, self.folder = name, folder
        started = time.monotonic()
        if name in BEFORE:
            start(BEFORE[name], folder, folder / f"before {name}", None)
        place = begun(name, folder)
        self.events = start(name, folder, place, None)[0]
        self.seconds = time.monotonic() - started
        self.files = contents(place)

    def kill(self, choose: random.Random) -> Kill:
        """Chooses a kill."""
        kind = choose.choice(KINDS)
        twice, family = choose.random() < 0.3, choose.random() < 0.5
        if choose.random() < 0.6:
            event = choose.randrange(self.events)
            return Kill(kind, event=event, twice=twice, family=family)
        return Kill(kind, seconds=choose.uniform(0, self.seconds), twice=twice)

    def refusal(self, choose: random.Random) -> Kill:
        """Chooses an event from which on the disk refuses."""
        error = choose.choice([*disk_moves.REFUSED])
        return Kill(event=choose.randrange(self.events), error=error)


def begun(name: str, folder: pathlib.Path) -> pathlib.Path:
    """Returns the folder of a run, with nothing of it there yet."""
    place = folder / name
    shutil.rmtree(place, ignore_errors=True)
    if name in BEFORE:
        shutil.copytree(folder / f"before {name}", place)
    return place


def _life(
    alone: Alone, choose: random.Random, refused: bool
) -> Iterator[Callable[[], str | None]]:
    place = begun(alone.name, alone.folder)
    count, ended = choose.randrange(1, MOST + 1), False

    def part(last: bool) -> str | None:
        nonlocal ended
        kill = alone.refusal(choose) if refused else alone.kill(choose)
        events, code = start(alone.name, alone.folder, place, kill)
        result = RESULTS.get(alone.name, "result.json")
        ended = code == 0 and (place / result).exists()
        if place.exists():
            check_whole(place)
        if last or ended:
            if not ended:
                start(alone.name, alone.folder, place, None)
            compare(alone.files, contents(place))
        if ended:
            return None
        return f"{alone.name}: {kill}, code {code} after {events} events"

    for number in range(count):
        yield lambda number=number: part(number == count - 1)
        if ended:
            return


def start(
    name: str, folder: pathlib.Path, place: pathlib.Path, kill: Kill | None
) -> tuple[int, int]:
    """Runs a program, killed or not; returns (events, exit code)."""
    # Programs that are deterministic on texts set it before TensorFlow's import.
    os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
    counter = folder / "events"
    counter.write_bytes(bytes(8))
    request = {
        "arguments": [*RUNS[name](folder), f"--workdir={place}"],
        "counter": str(counter),
        "place": str(place),
        "kill": kill and dataclasses.asdict(kill),
    }
    output = folder / "output"
    code = forked.run(output, json.dumps(request), script=SCRIPT)
    (events,) = struct.unpack("q", counter.read_bytes())
    logs = [output, *place.glob("logs/*.log")]
    text = "".join(log.read_text(errors="replace") for log in logs if log.exists())
    if "Traceback" in text:
        print(text, file=sys.stderr)
        raise RuntimeError(f"{name} after {kill}")
    allowed = (0,) if kill is None else (0, *kill.codes)
    if kill and kill.error and code:
        lines = [x for x in output.read_text().splitlines() if x.startswith("error: ")]
        if name != "experiment" and (len(lines) != 1 or len(lines[0]) > LONGEST + 60):
            raise Reason(f"{name} after {kill}: {lines}")
    if kill and name == "experiment":
        allowed += (1,)  # one of its processes was killed
    if code not in allowed:
        raise Reason(f"{name} after {kill}: exit code {code}: {text[-300:]}")
    return events, code


# What is compared.

TIMED = ("seconds", "per_second", "peak_memory", "search_cost")
SKIPPED = ("lock", "report.html", "table.md", "table.tex", "fingerprint.pb")
SKIPPED += ("saved_model.pb",)  # TensorFlow numbers its functions as it likes
FOLDERS = ("tensorboard", "logs", "tasks")


def contents(place: pathlib.Path) -> dict[str, Any]:
    """Returns all that a run has left, by relative path, without times."""
    paths = {str(p.relative_to(place)): p for p in place.rglob("*") if p.is_file()}
    for folder in {path.parent for path in paths.values()}:
        for earlier in sorted(folder.glob("step-*.npz"))[:-1]:  # a stop adds one
            del paths[str(earlier.relative_to(place))]
    return {
        name: _timeless(path, place)
        for name, path in sorted(paths.items())
        if not {*pathlib.Path(name).parts} & {*FOLDERS, *SKIPPED}
        and not path.name.startswith("events.out")
    }


def compare(expected: dict[str, Any], present: dict[str, Any]) -> None:
    """Raises Reason unless both are the same."""
    if odd := expected.keys() ^ present.keys():
        raise Reason(f"files that only one of both has: {sorted(odd)}")
    for name, content in expected.items():
        other = present[name]
        if content != other:
            both = isinstance(content, dict) and isinstance(other, dict)
            names = content.keys() | other.keys() if both else ()
            odd = sorted(n for n in names if content.get(n) != other.get(n))
            raise Reason(f"{name} is another one than without a kill: {odd[:9]}")


def check_whole(place: pathlib.Path) -> None:
    """Raises Reason if a file that bears its own name is not whole."""
    for path in place.rglob("*"):
        if not path.is_file() or path.name.startswith("."):
            continue
        try:
            if path.suffix == ".png":
                Image.open(path).load()
            elif path.suffix in (".json", ".npz"):
                _timeless(path, place)
            elif path.suffix in (".html", ".svg"):
                if not path.read_text().rstrip().endswith(f"</{path.suffix[1:]}>"):
                    raise ValueError("it has no end")
        except Exception as error:
            raise Reason(f"{path} is not whole: {error!r}") from error


def _timeless(path: pathlib.Path, place: pathlib.Path) -> Any:
    if path.suffix == ".json":
        return _without_times(json.loads(path.read_text()))
    if path.suffix == ".jsonl":
        lines = path.read_text().splitlines()
        return [_without_times(json.loads(line)) for line in lines]
    if path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as loaded:
            names = [name for name in loaded.files if "seconds" not in name]
            return {n: (loaded[n].dtype.str, loaded[n].tobytes()) for n in names}
    return path.read_bytes()


def _without_times(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {n: v for n, v in value.items() if not any(t in n for t in TIMED)}
        return {name: _without_times(v) for name, v in kept.items()}
    if isinstance(value, list):
        return [_without_times(item) for item in value]
    return value


# What happens in the process that is forked.

SCRIPT = "from tests import kills; kills.run_in_fork()"


def run_in_fork() -> None:
    """Runs the program of the request in sys.argv, with a signal on its way."""
    request = json.loads(sys.argv[1])
    kill = Kill(**request["kill"]) if request["kill"] else Kill()
    counter = _Counter(request["counter"], kill)
    _fork_children()
    savings.draw_dots(vectors=False)
    if request["kill"] and kill.event < 0:
        _send_later(os.getpid(), kill, kill.seconds)
    try:
        with disk_moves.Moves(request["place"], counter.step_in).seen():
            _run("darts_tf.cli", request["arguments"])
    except KeyboardInterrupt:  # after the program's own end
        sys.exit(130)


def _run(module: str, arguments: list[str]) -> None:
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


class _Counter:
    """Counts the moves to the disk of all processes of a try, and kills at one."""

    def __init__(self, counter: str, kill: Kill) -> None:
        with open(counter, "r+b") as file:
            self._count = mmap.mmap(file.fileno(), 8)
        self._kill, self._first = kill, os.getpid()

    def step_in(self, name: str, before: bool) -> None:
        """Counts one event, at which the signal may be due."""
        (number,) = struct.unpack("q", self._count[:])
        self._count[:] = struct.pack("q", number + 1)
        if self._kill.error:
            if before and number >= self._kill.event:
                disk_moves.refuse(self._kill.error, name)
            return
        if number != self._kill.event:
            return
        if self._kill.family and self._first != os.getpid():
            _send(self._first, self._kill)
        _send(os.getpid(), self._kill)


def _send(process: int, kill: Kill) -> None:
    """Sends the signal now, and once more after a while."""
    if kill.twice:
        _send_later(process, dataclasses.replace(kill, twice=False), AGAIN_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, getattr(signal, kill.signal))


def _send_later(process: int, kill: Kill, seconds: float) -> None:
    """Lets a process of its own send the signal, whatever this one does."""
    parent = os.getpid()
    if os.fork():
        return
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    end = time.monotonic() + seconds
    while time.monotonic() < end and os.getppid() == parent:
        time.sleep(0.005)
    if os.getppid() == parent:
        _send(process, kill)
    os._exit(0)


def _fork_children() -> None:
    """Lets `run.process.children` fork this process, which saves the imports."""
    from darts_tf.run.process import children

    children.subprocess = types.SimpleNamespace(  # type: ignore[attr-defined]
        Popen=_ForkedChild, DEVNULL=subprocess.DEVNULL, STDOUT=subprocess.STDOUT
    )


class _ForkedChild:
    """Stands in for subprocess.Popen, for `python -m MODULE ARGUMENTS`."""

    def __init__(self, command, *, stdout, env, pass_fds, **_) -> None:
        self.returncode: int | None = None
        self.pid = os.fork()
        if self.pid:
            return
        code = 1
        try:
            _become_child(stdout, env, pass_fds)
            _run(command[2], list(command[3:]))
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def wait(self) -> int:
        """Returns the exit code once the process has ended."""
        if self.returncode is None:
            status = os.waitpid(self.pid, 0)[1]
            self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Sends a signal, unless the process has ended."""
        if self.returncode is None:
            os.kill(self.pid, number)


def _become_child(log, env, pass_fds) -> None:
    """Makes a forked process as a new one: descriptors, signals, flags."""
    from absl import flags

    from darts_tf.run.loop.stopping import StopRequest

    os.setsid()
    os.environ.clear()
    os.environ.update(env)
    for number in (1, 2):
        os.dup2(log.fileno(), number)
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2 and int(name) not in pass_fds:
            with contextlib.suppress(OSError):
                os.close(int(name))
    signal.set_wakeup_fd(-1)
    for number, usual in (
        (signal.SIGTERM, signal.SIG_DFL),
        (signal.SIGHUP, signal.SIG_DFL),
        (signal.SIGINT, signal.default_int_handler),
    ):
        signal.signal(number, usual)
    StopRequest._open.clear()
    threading.excepthook = threading.__excepthook__
    for name in list(flags.FLAGS):
        if "darts_tf" in (flags.FLAGS.find_module_defining_flag(name) or ""):
            delattr(flags.FLAGS, name)
    flags.FLAGS.unparse_flags()
