"""A search on two workers of this machine, one of which is killed."""

from __future__ import annotations

import json
import socket
import time

import numpy as np

SEARCH = (
    "--dataset=digits",
    "--space=nasbench201",
    "--examples=400",
    "--channels=2",
    "--layers=3",
    "--batch_size=16",
    "--method=first_order",
    "--epochs=1",
    "--deterministic",
    "--checkpoint_every=2",
    "--report_every=2",
    "--alpha_learning_rate=0.1",
)
FILES = ("alpha.npz", "checkpoints/step-00000012.npz")


def start_two(programs, *flags) -> list:
    """The search's two workers, started by the same command."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    ports = [s.getsockname()[1] for s in sockets]
    for each in sockets:
        each.close()
    cluster = {"worker": [f"127.0.0.1:{port}" for port in ports]}
    tasks = [{"type": "worker", "index": index} for index in range(2)]
    return [
        programs.start(
            "search",
            *flags,
            "--distribute=multi_worker",
            TF_CONFIG=json.dumps({"cluster": cluster, "task": task}),
            CUDA_VISIBLE_DEVICES="-1",
        )
        for task in tasks
    ]


def ended(workers) -> list[str]:
    """Returns the output of each worker; one that does not end is killed."""
    try:
        return [process.communicate(timeout=300)[0] for process in workers]
    finally:
        for process in workers:
            process.kill()


def checkpoints(folder) -> list[str]:
    return sorted(p.name for p in folder.glob("checkpoints/step-*.npz"))


def lines(folder, step: int) -> list[str]:
    """The records up to a step, with their times."""
    rows = (folder / "metrics.jsonl").read_text().splitlines()
    return [row for row in rows if json.loads(row)["step"] <= step]


def timeless(folder) -> list[dict]:
    timed = ("seconds", "images_per_second")
    return [
        {k: v for k, v in json.loads(row).items() if k not in timed}
        for row in lines(folder, 12)
    ]


def test_one_is_killed_and_all_go_on(programs, tmp_path):
    """In the end all is as on two devices of one process, never killed."""
    alone, folder = tmp_path / "alone", tmp_path / "workers"
    flags = (*SEARCH, f"--workdir={folder}")
    workers = start_two(programs, *flags)
    try:
        while not checkpoints(folder) and workers[0].poll() is None:
            time.sleep(0.02)
    finally:
        workers[1].kill()
    chiefs, _ = ended(workers)
    assert [process.returncode for process in workers] == [1, -9], chiefs
    last = chiefs.rstrip().splitlines()[-1]
    assert last.startswith("error: another worker has ended"), chiefs
    assert "Traceback" not in chiefs
    assert checkpoints(folder) and not (folder / "genotype.json").exists()

    kept = lines(folder, int(checkpoints(folder)[-1][5:13]))
    workers = start_two(programs, *flags)
    said = ended(workers)
    assert [process.returncode for process in workers] == [0, 0], said
    assert "Search finished: 12 steps" in said[0]
    (line,) = said[1].splitlines()
    assert line.startswith("worker 1 of 2 ") and "waiting" in line
    assert kept and lines(folder, 12)[: len(kept)] == kept

    programs.run(
        "search", *SEARCH, f"--workdir={alone}", "--distribute=mirrored", devices=2
    )
    for name in FILES:
        with np.load(alone / name) as one, np.load(folder / name) as two:
            assert sorted(one.files) == sorted(two.files)
            for key in one.files:
                if "seconds" not in key:
                    np.testing.assert_allclose(
                        one[key], two[key], rtol=1e-5, atol=1e-7, err_msg=key
                    )
    assert timeless(folder) == timeless(alone)
    for name in ("genotype.json", "genotypes/epoch_0001.json"):
        assert (folder / name).read_text() == (alone / name).read_text()
