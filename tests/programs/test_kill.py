"""A search killed with SIGKILL and restarted is as if left alone."""

from __future__ import annotations

import json
import random
import time

import numpy as np


def newest_step(folder) -> int:
    """Returns the step of the newest finished checkpoint."""
    paths = (folder / "checkpoints").glob("step-*.npz")
    return max((int(p.stem.split("-")[1]) for p in paths), default=0)


def killed(programs, flags, folder, delay: float) -> int:
    """The step of the newest checkpoint when the search was killed."""
    start = newest_step(folder)
    with programs.start("search", *flags) as process:
        try:
            while newest_step(folder) == start and process.poll() is None:
                time.sleep(0.01)
            time.sleep(delay)
        finally:
            process.kill()
        output = process.stdout.read()
    assert process.returncode == -9, output
    return newest_step(folder)


def timeless(folder) -> list[dict]:
    rows = (folder / "metrics.jsonl").read_text().splitlines()
    timed = ("seconds", "images_per_second")
    return [
        {k: v for k, v in json.loads(row).items() if k not in timed} for row in rows
    ]


def arrays(path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as loaded:
        return {name: loaded[name] for name in loaded.files if "seconds" not in name}


def test_killed_twice_is_as_left_alone(programs, searched, tmp_path):
    folder = tmp_path / "killed"
    flags = (*programs.search, f"--workdir={folder}")
    delays = [random.uniform(0, 0.05) for _ in range(2)]
    print("seconds from a checkpoint to the kill:", delays)
    steps = [killed(programs, flags, folder, delay) for delay in delays]
    assert 0 < steps[0] < steps[1] < 24
    programs.run("search", *flags)
    for name in ("alpha.npz", "checkpoints/step-00000024.npz"):
        alone, other = arrays(searched / name), arrays(folder / name)
        assert alone.keys() == other.keys()
        for key, value in alone.items():
            np.testing.assert_array_equal(value, other[key], err_msg=key)
    assert timeless(folder) == timeless(searched)
    for name in ("genotype.json", "genotypes/epoch_0001.json"):
        assert (folder / name).read_text() == (searched / name).read_text()
