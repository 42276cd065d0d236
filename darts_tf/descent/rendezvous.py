"""Waits until all workers of a cluster have been started, before TensorFlow does.

While TensorFlow waits for workers it holds Python's lock and takes SIGTERM for itself:
a scheduler could not end the process. So each worker first listens on its own port and
waits here, where signals do what they always do, until it has reached every other.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator

from darts_tf.descent.cluster import Cluster
from darts_tf.errors import InputError

WAIT_SECONDS = 3600.0
POLL_SECONDS = 0.2
CONNECT_SECONDS = 2.0


def meet(cluster: Cluster, seconds: float = WAIT_SECONDS) -> None:
    """Returns once every worker listens on its port, be it here or in TensorFlow.

    Args:
      cluster: the workers; this one's port is free again afterwards.
      seconds: the longest wait.

    Raises:
      InputError: this worker cannot listen, or others have not come in time.
    """
    present = cluster.workers[cluster.index]
    missing = [address for address in cluster.workers if address != present]
    end = time.monotonic() + seconds
    with _listening(cluster):
        while missing := [address for address in missing if not _reached(address)]:
            if time.monotonic() > end:
                raise InputError(
                    f"{describe(cluster)} has waited for {seconds:.0f} seconds, and "
                    f"{', '.join(missing)} cannot be reached; start all workers, in a "
                    "network in which they reach each other"
                )
            time.sleep(POLL_SECONDS)


def describe(cluster: Cluster) -> str:
    """Returns the number and the address of this worker."""
    address = cluster.workers[cluster.index]
    return f"worker {cluster.index} of {len(cluster.workers)} ({address})"


def cannot_listen(cluster: Cluster, reason: object) -> InputError:
    """Returns the error of a worker whose port is not to be had."""
    return InputError(
        f"{describe(cluster)} cannot listen there ({reason}); is the port free, "
        f"and the address in TF_CONFIG this machine's?"
    )


@contextlib.contextmanager
def _listening(cluster: Cluster) -> Iterator[None]:
    """Listens on this worker's port of all interfaces, as TensorFlow does."""
    _, port = _parts(cluster.workers[cluster.index])
    both = socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if both else socket.AF_INET
    try:
        server = socket.create_server(("", port), family=family, dualstack_ipv6=both)
    except OSError as error:
        raise cannot_listen(cluster, error.strerror) from error
    with server:
        yield


def _reached(address: str) -> bool:
    try:
        socket.create_connection(_parts(address), CONNECT_SECONDS).close()
    except OSError:  # nobody listens there yet, or its name is not known yet
        return False
    return True


def _parts(address: str) -> tuple[str, int]:
    """Returns (host, port) of "host:port"."""
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)
