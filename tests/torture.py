"""Feeds damaged, hostile and odd input to the library, and counts what goes wrong.

    python -m tests.torture --tries=2000              # minutes; all without programs
    python -m tests.torture --only=kills --tries=100 --record=kills.jsonl

Prints a row for each campaign: how many were tried, and how many ended in a
traceback, in a hang (30 s; a program 900 s), in a message that is unclear (empty,
longer than 300 characters or with characters that a terminal obeys), or in a wrong
result that was taken for a good one. The exit code is 1 unless all of these are 0.
With --record each try is a line of a file, and the same command goes on after them.

A slice of it is tests/test_torture.py; the table is in docs/reliability.md.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import functools
import io
import json
import os
import pathlib
import random
import shutil
import signal
import string
import subprocess
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable, Iterator

import numpy as np
from absl import logging
from PIL import Image

from darts_tf.cli import flagfiles
from darts_tf.errors import LONGEST, DivergedError, InputError
from darts_tf.run import lock, settings_files
from darts_tf.run.loop import checkpoints, metrics
from darts_tf.run.process import machine_errors
from darts_tf.run.workdir import Workdir, read_settings
from darts_tf.space.genotype import Genotype
from darts_tf.space.published import load_genotype
from tests import divergence, kills, signals

ROOT = pathlib.Path(__file__).parents[1]
SECONDS = 30
PROGRAM_SECONDS = 900
BAD = ("traceback", "hang", "unclear", "wrong")


class Wrong(Exception):
    """Reports a result that is not what the input says."""


class _Hang(BaseException):
    """Interrupts what takes too long."""


def outcome(part: Callable[[], object], seconds: int = SECONDS) -> str:
    """Returns how a part ended: "fine" or one of BAD; prints a traceback."""

    def late(number, frame):
        raise _Hang

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        part()
    except (InputError, DivergedError) as error:
        text = str(error)
        clear = text.isprintable() and 10 < len(text) <= LONGEST
        return "fine" if clear else "unclear"
    except (Wrong, kills.Reason) as error:
        print(f"wrong: {error}", file=sys.stderr)
        return "wrong"
    except _Hang:
        return "hang"
    except Exception as error:
        if machine_errors.line(error):  # the programs print it
            return "fine"
        traceback.print_exc()
        return "traceback"
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    return "fine"


def damaged(content: bytes, choose: random.Random) -> bytes:
    """Returns content with a flip, a cut, a hole, a repetition, a swap or noise."""
    size = len(content)
    if not size:
        return b"\0"
    a, b = sorted((choose.randrange(size), choose.randrange(size)))
    kind = choose.randrange(7)
    if kind == 0:
        return content[:a]
    if kind == 1:
        return content[:a] + content[b:]
    if kind == 2:
        return content[:b] + content[a:]
    if kind == 3:
        length = min(b - a, size - b, 40)
        return (
            content[:a]
            + content[b : b + length]
            + content[a + length : b]
            + content[a : a + length]
            + content[b + length :]
        )
    if kind == 4:
        return content[:a] + choose.randbytes(choose.randrange(1, 9)) + content[a:]
    flipped = bytearray(content)
    for _ in range(1 if kind == 5 else choose.randrange(2, 6)):
        flipped[choose.randrange(size)] ^= 1 << choose.randrange(8)
    return bytes(flipped)


def flips(folder: pathlib.Path, choose: random.Random) -> Iterator[str]:
    """Damages the newest of two checkpoints; the older one has to be loaded."""
    settings_files.write(folder, "search", {}, "0" * 16)
    place = folder / "checkpoints"
    for step in (1, 2):
        arrays = {
            "w/kernel": np.random.default_rng(step).normal(size=(3, 4)),
            "step": np.int64(step),
            "run/seconds": np.float64(step / 3),
        }
        newest = checkpoints.save(place, step, arrays)
    content = newest.read_bytes()

    def read(damage: bytes) -> None:
        step, loaded = checkpoints.load_latest(place) or (0, {})
        whole = damage == content
        if step != (2 if whole else 1) or int(loaded["step"]) != step:
            raise Wrong(f"step {step} of a checkpoint that is damaged")

    while True:
        damage = damaged(content, choose)
        newest.write_bytes(damage)
        yield outcome(lambda damage=damage: read(damage))


def old_flips(folder: pathlib.Path, choose: random.Random) -> Iterator[str]:
    """Damages checkpoints of versions before 0.3.0, which have a CRC an array."""
    arrays = {
        "w/kernel": np.random.default_rng(0).normal(size=(3, 4)),
        "step": np.int64(2),
    }
    newest = checkpoints.save(folder, 2, arrays)
    content = newest.read_bytes()
    content = content[: content.rindex(b"darts_tf checkpoint") - 2] + b"\0\0"

    def read() -> None:
        _, loaded = checkpoints.load_latest(folder) or (0, {})
        if loaded.keys() != arrays.keys():
            raise Wrong(f"arrays {sorted(loaded)}")
        for name, array in arrays.items():
            if loaded[name].tobytes() != array.tobytes():
                raise Wrong(f"{name} has other values")

    while True:
        newest.write_bytes(damaged(content, choose))
        yield outcome(read)


def run_files(folder: pathlib.Path, choose: random.Random) -> Iterator[str]:
    """Damages config.json, result.json, metrics.jsonl and genotype.json."""
    workdir = Workdir(folder)
    genotype = load_genotype("DARTS_V2", "darts_conv").to_json()
    record = {"kind": "steps", "step": 1, "train/loss": 0.5}
    contents = {
        "config.json": json.dumps({"version": 1, "program": "a", "config": {"a": 1}}),
        "result.json": json.dumps({"valid": {}, "test": {"error": 0.5}}),
        "metrics.jsonl": f"{json.dumps(record)}\n" * 5,
        "genotype.json": genotype,
    }
    readers: dict[str, Callable[[], object]] = {
        "config.json": lambda: read_settings(folder),
        "result.json": workdir.read_result,
        "metrics.jsonl": lambda: (
            metrics.MetricsLog(workdir.metrics).truncate_after(3),
            metrics.read_metrics(workdir.metrics),
        ),
        "genotype.json": workdir.read_genotype,
    }
    deep = b'{"a":' * 100_000, b"[" * 100_000, b"[" * 500 + b"]" * 500
    while True:
        for name, content in contents.items():
            path = folder / name
            special = choose.randrange(30)
            path.unlink(missing_ok=True)
            if special == 0:
                os.mkfifo(path)
            elif special == 1:
                path.symlink_to(name)
            elif special == 2:
                path.write_bytes(choose.choice(deep))
            else:
                path.write_bytes(damaged(content.encode(), choose))
            yield outcome(readers[name])


ODD_NAMES = ("a.txt", "b", ".hidden.png", "Thumbs.db", "c.eps", "d.PNG", "e\x1b.png")
FOLDERS = ("cats", "dogs", "train", "test", "val", "validation", "__MACOSX", "x\ny")


def folders(folder: pathlib.Path, choose: random.Random) -> Iterator[str]:
    """Makes folders of images with odd layouts, files and damage."""
    Image.init()
    while True:
        root = folder / "images"
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir()
        for _ in range(choose.randrange(1, 6)):
            place = root / choose.choice(FOLDERS)
            if choose.random() < 0.5:
                place /= choose.choice(FOLDERS)
            with contextlib.suppress(OSError):
                place.mkdir(parents=True, exist_ok=True)
                for number in range(choose.randrange(0, 5)):
                    _odd_file(place, number, choose)
        size = choose.choice((None, 4))
        yield outcome(functools.partial(_load_folder, root, size))


def _load_folder(root: pathlib.Path, size: int | None) -> None:
    from darts_tf.data.images.folder import load_folder

    load_folder(str(root), size).load_test()


def _odd_file(place: pathlib.Path, number: int, choose: random.Random) -> None:
    """Writes an image, a damaged one, or something else."""
    mode = choose.choice(("L", "RGB", "RGBA", "P", "CMYK", "I;16", "1", "LA"))
    ending = choose.choice(("png", "jpg", "tif", "gif", "webp", "bmp"))
    path = place / f"{number}.{ending}"
    path.unlink(missing_ok=True)  # a FIFO or a link of before
    kind = choose.randrange(14)
    if kind == 0:
        os.mkfifo(path)
    elif kind == 1:
        path.symlink_to(choose.choice((path.name, "/dev/zero", "nowhere", ".")))
    elif kind == 2:
        (place / choose.choice(ODD_NAMES)).write_bytes(b"x")
    else:
        buffer = io.BytesIO()
        size = (choose.choice((3, 3, 5)), 4)
        with contextlib.suppress(OSError, ValueError):
            colour = choose.randrange(2)
            Image.new(mode, size, colour).save(buffer, Image.EXTENSION[f".{ending}"])
        content = buffer.getvalue()
        path.write_bytes(damaged(content, choose) if kind == 3 else content)


LETTERS = (
    "a",
    "b ",
    "\n",
    "\r",
    "\0",
    "\ufeff",
    "\u2028",
    "\x85",
    "\x1b",
    "é",
    "\u3000",
)


def texts(folder: pathlib.Path, choose: random.Random) -> Iterator[str]:
    """Writes texts of odd characters, encodings and damage."""
    from darts_tf.data.text.folder import load_text_folder

    encodings = ("utf-8", "utf-8", "utf-8", "utf-16", "utf-32", "utf-8-sig")
    while True:
        for part in ("train", "valid", "test"):
            text = "the cat sat\n" + "".join(choose.choices(LETTERS, k=20))
            content = text.encode(choose.choice(encodings))
            if choose.random() < 0.3:
                content = damaged(content, choose)
            (folder / f"{part}.txt").write_bytes(content)
        yield outcome(lambda: load_text_folder(str(folder)).load_test())


def genotypes(folder: pathlib.Path, choose: random.Random) -> Iterator[str]:
    """Gives damaged genotypes, as JSON, as what projects print, as strings."""
    whole = load_genotype("DARTS_V2", "darts_conv")
    string_ = "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|avg_pool_3x3~2|"
    edges = [("sep_conv_3x3", 0), ("sep_conv_3x3", 1)] * 4
    printed = (
        f"Genotype(normal={edges}, normal_concat=range(2, 6), reduce={edges}, "
        "reduce_concat=[2, 3, 4, 5])"
    )
    longer = (
        "Genotype(" * 5000,
        "Genotype(normal=" + "[" * 50_000,
        "Genotype(normal=range(10**30), normal_concat=range(0, 10**18, 1))",
        "__import__('os').abort()",
        "x" * 100_000,
    )
    while True:
        for text in (whole.to_json(), printed, string_):
            mutated = damaged(text.encode(), choose).decode("utf-8", "replace")
            if choose.random() < 0.02:
                mutated = choose.choice(longer)
            space = "nasbench201" if text is string_ else "darts_conv"
            yield outcome(lambda t=mutated, s=space: load_genotype(t, s))
            yield outcome(lambda t=mutated: Genotype.from_json(t))


def flags(folder: pathlib.Path, choose: random.Random) -> Iterator[str]:
    """Writes flagfiles that name each other, and are damaged or none."""
    names = string.ascii_lowercase[:5]
    while True:
        for name in names:
            path = folder / name
            path.unlink(missing_ok=True)
            others = choose.choices(names, k=choose.randrange(3))
            text = "".join(f"--flagfile={folder / other}\n" for other in others)
            kind = choose.randrange(12)
            if kind == 0:
                os.mkfifo(path)
            elif kind == 1:
                path.symlink_to(choose.choice(names))
            else:
                content = f"--epochs=3\n{text}".encode()
                path.write_bytes(damaged(content, choose) if kind == 2 else content)
        yield outcome(lambda: flagfiles.check([f"--flagfile={folder / 'a'}"]))


def at_once(folder: pathlib.Path, choose: random.Random) -> Iterator[str]:
    """Lets six processes take one folder at the same moment; one may hold it."""
    script = (
        "import pathlib, sys\n"
        "from darts_tf.errors import InputError\n"
        "from darts_tf.run.lock import FolderLock\n"
        "print('ready', flush=True)\n"
        "sys.stdin.readline()\n"
        "try:\n"
        "    held = FolderLock(pathlib.Path(sys.argv[1]))\n"
        "    print('held', flush=True)\n"
        "    sys.stdin.read()\n"
        "except InputError as error:\n"
        "    print(error, flush=True)\n"
    )

    def contest() -> None:
        children = [
            subprocess.Popen(
                [sys.executable, "-c", script, str(folder)],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(6)
        ]
        try:
            for child in children:
                child.stdout.readline()
            if choose.random() < 0.5:
                (folder / lock.NAME).unlink(missing_ok=True)
            for child in children:
                child.stdin.write("go\n")
                child.stdin.flush()
            said = [child.stdout.readline() for child in children]
            holders = [c for c, line in zip(children, said) if line == "held\n"]
            if len(holders) != 1:
                raise Wrong(f"{len(holders)} holders: {said}")
            named = [f"process {holders[0].pid})" in line for line in said]
            if sum(named) != 5:
                raise Wrong(f"the holder is not named: {said}")
        finally:
            for child in children:
                child.kill()
                child.communicate()

    while True:
        yield outcome(contest)


ROUND = [*kills.ROUND]
"""The runs that are killed, or whose disk refuses; --runs names others."""


def kills_of_runs(folder: pathlib.Path, choose: random.Random) -> Iterator[str]:
    """Kills programs of every kind and starts them again (tests/kills.py)."""
    return _outcomes(kills.lives(folder, choose, ROUND))


def refusals(folder: pathlib.Path, choose: random.Random) -> Iterator[str]:
    """Lets the disk refuse to write, at any event of any program (tests/kills.py)."""
    return _outcomes(kills.lives(folder, choose, ROUND, refused=True))


def signals_by_phase(folder: pathlib.Path, choose: random.Random) -> Iterator[str]:
    """Sends signals in each phase of the programs (tests/signals.py)."""
    return _outcomes(signals.tries(folder, choose))


def not_a_number(folder: pathlib.Path, choose: random.Random) -> Iterator[str]:
    """Lets programs of every kind diverge (tests/divergence.py)."""
    return _outcomes(divergence.tries(folder, choose))


def _outcomes(parts: Iterator[Callable[[], str | None]]) -> Iterator[str]:
    for part in parts:
        said: list[str | None] = []
        ended = outcome(functools.partial(_note, part, said), PROGRAM_SECONDS)
        if said != [None]:  # None: it came to its end before
            print(*said, ended, file=sys.stderr, flush=True)
            yield ended


def _note(part: Callable[[], str | None], said: list[str | None]) -> None:
    said.append(part())


CAMPAIGNS = {
    "checkpoints": flips,
    "checkpoints before 0.3.0": old_flips,
    "files of a run": run_files,
    "folders of images": folders,
    "texts": texts,
    "genotypes": genotypes,
    "flagfiles": flags,
    "at once": at_once,
    "kills": kills_of_runs,
    "refusals": refusals,
    "signals": signals_by_phase,
    "not a number": not_a_number,
}
NEVER = 10**9
FEWER = {"at once": 50, "folders of images": 4}
FEWER |= dict.fromkeys(("kills", "refusals", "signals", "not a number"), NEVER)
"""By how much fewer tries a campaign has than --tries; of programs only by --only."""


def run(
    name: str, tries: int, seed: int, record: pathlib.Path | None = None
) -> collections.Counter[str]:
    """Returns how many tries of a campaign ended in which way.

    Those in the file `record` count; the others are added to it.
    """
    counts = collections.Counter(_recorded(name, seed, record))
    start = f" from {counts.total()}" if counts else ""
    choose = random.Random(f"{name} {seed}{start}")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="torture"))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            left = range(tries - counts.total())
            for _, ended in zip(left, CAMPAIGNS[name](folder, choose)):
                counts[ended] += 1
                if record is not None:
                    with open(record, "a") as file:
                        file.write(json.dumps([name, seed, ended]) + "\n")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return counts


def _recorded(name: str, seed: int, record: pathlib.Path | None) -> list[str]:
    if record is None or not record.exists():
        return []
    lines = map(json.loads, record.read_text().splitlines())
    return [ended for *which, ended in lines if which == [name, seed]]


def main() -> int:
    """Runs the campaigns and prints the table; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tries", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=CAMPAIGNS)
    parser.add_argument("--record", type=pathlib.Path)
    parser.add_argument("--runs", help=f"of {', '.join(kills.RUNS)}")
    arguments = parser.parse_args()
    if arguments.runs:
        ROUND[:] = arguments.runs.split(",")
    logging.set_verbosity(logging.ERROR)
    print("| campaign | tried | " + " | ".join(BAD) + " |", flush=True)
    print("|---|---|" + "---|" * len(BAD), flush=True)
    bad = 0
    for name in [arguments.only] if arguments.only else CAMPAIGNS:
        tries = arguments.tries
        if not arguments.only:
            tries = tries // FEWER.get(name, 1)
        if not tries:
            continue
        counts = run(name, tries, arguments.seed, arguments.record)
        numbers = [counts.total(), *(counts[kind] for kind in BAD)]
        print(f"| {name} | {' | '.join(map(str, numbers))} |", flush=True)
        bad += sum(numbers[1:])
    if signals.SEEN:
        print(f"\n{signals.table()}")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
