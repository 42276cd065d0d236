from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = '''"""Trains a thing.

Costs nothing.
"""
import os, sys, threading
from darts_tf.cli import entry_point
assert "tensorflow" not in sys.modules
from absl import flags, logging
from darts_tf.errors import DivergedError, InputError

EPOCHS = flags.DEFINE_integer("epochs", 50, "how long", lower_bound=1)
METHOD = flags.DEFINE_enum("method", "one", ["one", "two"], "which way")
RAISES = flags.DEFINE_string("raises", "", "what to raise")

if "required" in sys.argv:
    sys.argv.remove("required")
    flags.DEFINE_string("workdir", None, "where", required=True)
    flags.DEFINE_string("genotype", None, "which", required=True)
    flags.DEFINE_string("colour", None, "how", required=True)

class Fake:
    class errors:
        class ResourceExhaustedError(Exception):
            pass
        class PermissionDeniedError(Exception):
            pass

def full():
    with open("/dev/full", "wb") as stream:
        stream.write(b"x")

def in_a_thread(error):
    """As TensorBoard does: raised there, and once more here."""
    def work():
        raise error
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    raise error

def main(argv):
    sys.modules["tensorflow"] = Fake
    known = {
        "input": InputError("two\\nlines"), "diverged": DivergedError("nan"),
        "memory": MemoryError(), "bug": ValueError("bug"),
        "exhausted": Fake.errors.ResourceExhaustedError("OOM\\nmore"),
        "interrupt": KeyboardInterrupt(), "exit": SystemExit(143),
        "read only": OSError(30, "Read-only file system", "/runs/a.npz"),
        "rights": PermissionError(13, "Permission denied", "/runs/a.npz"),
        "missing file": FileNotFoundError(2, "No such file", "/runs/a.npz"),
        "events": Fake.errors.ResourceExhaustedError(
            "/runs/events; No space left on device\\nmore"),
        "event rights": Fake.errors.PermissionDeniedError(
            "/runs/events; Permission denied"),
        "odd rights": Fake.errors.PermissionDeniedError("by a server"),
    }
    if RAISES.value == "full":
        full()
    if RAISES.value == "warning":
        logging.info("never seen")
        return logging.warning("%s is thin.", "ice")
    if RAISES.value.startswith("thread "):
        in_a_thread(known[RAISES.value.removeprefix("thread ")])
    if RAISES.value:
        raise known[RAISES.value]
    print(EPOCHS.value, METHOD.value, os.environ["TF_CPP_MIN_LOG_LEVEL"],
          os.environ.get("TF_ENABLE_ONEDNN_OPTS"))
    return "ignored"

if __name__ == "__main__":
    entry_point.run(main)
'''


@pytest.fixture
def call(tmp_path):
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)

    def run(*arguments: str, **environment: str):
        variables = (
            {n: v for n, v in os.environ.items() if not n.startswith("TF_")}
            | {"PYTHONPATH": str(ROOT)}
            | environment
        )
        return subprocess.run(
            [sys.executable, str(path), *arguments],
            env=variables,
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run


def assert_one_line(done, code: int, *words: str) -> None:
    assert done.returncode == code, done
    lines = done.stderr.splitlines()
    assert len(lines) == 1 and lines[0].startswith("error: "), done.stderr
    for word in words:
        assert word in lines[0]
    assert done.stdout == ""


def test_a_good_call_and_what_tensorflow_reads(call):
    x86 = "1" if platform.machine() in ("x86_64", "AMD64") else "None"
    done = call("--epochs=3", "--method=two")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"3 two 2 {x86}\n"
    given = call(TF_CPP_MIN_LOG_LEVEL="0", TF_ENABLE_ONEDNN_OPTS="0")
    assert given.stdout == "50 one 0 0\n"


@pytest.mark.parametrize(
    "argument, words",
    [
        ("--epoch=3", ["'epoch'", "Did you mean: epochs"]),
        ("--zzzzzz", ["'zzzzzz'", "--helpfull"]),
        ("--epochs=0", ["--epochs=0", "positive"]),
        ("--epochs=many", ["--epochs=many"]),
        ("--method=three", ["--method=three", "<one|two>"]),
        ("--nologtostderr=false", ["give --logtostderr or --nologtostderr alone"]),
        (f"--{'x' * 5000}=1", ["see --helpfull"]),
        ("--flagfile=/missing.flags", ["/missing.flags", "No such file"]),
        ("--flagfile=/", ["--flagfile=/", "a folder"]),
        ("stray", ["'stray'", "--name=value"]),
    ],
)
def test_flags_that_do_not_parse(call, argument, words):
    assert_one_line(call(argument), 2, *words)


def test_a_flagfile_that_is_no_text(call, tmp_path):
    path = tmp_path / "bad.flags"
    path.write_bytes(b"\xff\xfe\x00")
    assert_one_line(call(f"--flagfile={path}"), 2, "--flagfile")


def test_flags_after_a_flagfile_override_it(call, tmp_path):
    path = tmp_path / "good.flags"
    path.write_text("# a comment\n--epochs=7\n--method=two\n")
    done = call(f"--flagfile={path}", "--epochs=8")
    assert done.stdout.startswith("8 two ")
    path.write_text("--epoch=7\n")
    assert_one_line(call(f"--flagfile={path}"), 2, "Did you mean: epochs")


@pytest.mark.parametrize(
    "raised, code, words",
    [
        ("input", 2, ["two lines"]),
        ("diverged", 1, ["nan"]),
        ("memory", 1, ["batch size", "channels"]),
        ("exhausted", 1, ["batch size", "OOM"]),
        ("interrupt", 130, ["interrupted"]),
        ("full", 1, ["No space left on device", "make room", "same command"]),
        ("read only", 1, ["/runs/a.npz: Read-only file system", "writable"]),
        ("rights", 1, ["/runs/a.npz: Permission denied", "right to read"]),
        ("events", 1, ["/runs/events; No space left on device; make room"]),
        ("event rights", 1, ["/runs/events; Permission denied", "right to"]),
        ("thread events", 1, ["/runs/events; No space left on device"]),
    ],
)
def test_known_errors_are_one_line(call, raised, code, words):
    assert_one_line(call(f"--raises={raised}"), code, *words)


def test_a_full_disk_is_not_called_want_of_memory(call):
    assert "memory" not in call("--raises=events").stderr
    assert "device" not in call("--raises=exhausted").stderr


@pytest.mark.parametrize(
    "raised, count",
    [
        ("bug", 1),
        ("odd rights", 1),
        ("thread bug", 2),
    ],
)
def test_a_bug_keeps_its_traceback(call, raised, count):
    done = call(f"--raises={raised}")
    assert done.returncode == 1
    assert done.stderr.count("Traceback") == count


def test_a_warning_is_a_sentence(call):
    done = call("--raises=warning")
    assert (done.returncode, done.stderr) == (0, "warning: ice is thin.\n")


def test_an_exit_keeps_its_code(call):
    done = call("--raises=exit")
    assert (done.returncode, done.stderr) == (143, "")


@pytest.mark.parametrize(
    "arguments, words",
    [
        (
            ["--genotype=a", "--colour=b"],
            [
                "--workdir is missing: give the folder of the run, for example "
                "--workdir=runs/search"
            ],
        ),
        (["--workdir=", "--genotype=a", "--colour=b"], ["--workdir is missing"]),
        (["--workdir=a", "--colour=b"], ["--genotype is missing", "=DARTS_V2"]),
        (["--workdir=a", "--genotype=b"], ["--colour is missing: see --helpfull"]),
        ([], ["--workdir is missing", "; --genotype is missing", "; --colour"]),
    ],
)
def test_a_required_flag_that_is_missing(call, arguments, words):
    done = call("required", *arguments)
    assert_one_line(done, 2, *words)
    assert "None" not in done.stderr


@pytest.mark.parametrize("flag", ["--help", "--helpshort", "-h"])
def test_help_is_about_our_flags(call, flag):
    done = call(flag)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Trains a thing.\n\nCosts nothing.")
    for part in ("--epochs\n      how long (default: 50)", "<one|two>"):
        assert part in done.stdout
    assert "--pdb" not in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_helpfull_shows_all(call):
    done = call("--helpfull")
    assert done.returncode == 0
    assert "--epochs" in done.stdout and "--verbosity" in done.stdout
