"""Workers meet on their ports; one that waits alone can be ended by signals."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from darts_tf.descent import rendezvous
from darts_tf.descent.cluster import Cluster
from darts_tf.errors import InputError


def addresses(count: int) -> tuple[str, ...]:
    """Returns addresses of this machine whose ports are free now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for each in sockets:
        each.close()
    return tuple(f"127.0.0.1:{port}" for port in ports)


def test_all_leave_once_all_are_there():
    workers, left = addresses(3), []

    def worker(index):
        rendezvous.meet(Cluster(workers, index), 30)
        left.append(index)
        with socket.create_server(("", int(workers[index].split(":")[1]))):
            time.sleep(1)  # as TensorFlow's server, which the others may reach too

    threads = [threading.Thread(target=worker, args=(index,)) for index in range(3)]
    for number, thread in enumerate(threads):
        assert not left
        thread.start()
        time.sleep(0.3 * (number < 2))
    for thread in threads:
        thread.join()
    assert sorted(left) == [0, 1, 2]


def test_who_is_missing_is_named():
    workers = addresses(2)
    with pytest.raises(InputError) as caught:
        rendezvous.meet(Cluster(workers, 0), 0.1)
    assert f"{workers[1]} cannot be reached" in str(caught.value)
    assert f"worker 0 of 2 ({workers[0]})" in str(caught.value)


def test_a_port_in_use():
    workers = addresses(2)
    taken = socket.create_server(("", int(workers[0].split(":")[1])))
    with taken, pytest.raises(InputError, match="cannot listen there .*in use"):
        rendezvous.meet(Cluster(workers, 0), 1)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_one_that_waits(number):
    script = (
        "from darts_tf.descent import cluster, rendezvous\n"
        "print('waits', flush=True)\n"
        f"rendezvous.meet(cluster.Cluster({addresses(2)}, 0))\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with process:
        process.stdout.readline()
        time.sleep(0.1)
        process.send_signal(number)
        assert process.wait(5) == -number
