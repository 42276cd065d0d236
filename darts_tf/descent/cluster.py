"""Reads the workers of a run on several machines from TF_CONFIG.

Every worker is one process, and all are started by the same command, each
with its own number in the environment variable TF_CONFIG:

    {"cluster": {"worker": ["host0:12345", "host1:12345"]},
     "task": {"type": "worker", "index": 0}}
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping

from darts_tf.errors import InputError

VARIABLE = "TF_CONFIG"
EXAMPLE = (
    '{"cluster": {"worker": ["host0:12345", "host1:12345"]}, "task": '
    '{"type": "worker", "index": 0}}'
)


@dataclasses.dataclass(frozen=True)
class Cluster:
    """The workers of a run, and the index of this process among them.

    Attributes:
      workers: their addresses, "host:port"; the first is the chief.
      index: this process's, from 0.
    """

    workers: tuple[str, ...]
    index: int


def read_cluster(environment: Mapping[str, str]) -> Cluster:
    """Reads the cluster that TF_CONFIG describes.

    Raises:
      InputError: it is missing, is no JSON, lists no workers or others than
        workers, an address is not host:port, or the index is not that of a worker.
    """
    text = environment.get(VARIABLE, "")
    if not text.strip():
        raise _refused("it is not set")
    try:
        config = json.loads(text)
    except ValueError as error:
        raise _refused(f"it is no JSON ({error})") from error
    workers = _workers(_part(config, "cluster"))
    return Cluster(workers, _index(_part(config, "task"), len(workers)))


def _part(config, name: str) -> dict:
    part = config.get(name) if isinstance(config, dict) else None
    if not isinstance(part, dict):
        raise _refused(f'it has no "{name}" object')
    return part


def _workers(cluster: dict) -> tuple[str, ...]:
    """Returns the addresses; the first worker is the chief, so there is one."""
    if others := sorted(cluster.keys() - {"worker"}):
        raise _refused(
            f'its cluster has "{others[0]}"; list all processes as '
            f'"worker", the first of which is the chief'
        )
    workers = cluster.get("worker")
    if not isinstance(workers, list) or not workers:
        raise _refused('its cluster lists no "worker", and the first one is the chief')
    for address in workers:
        if not _is_address(address):
            raise _refused(f"worker {address!r} is no host:port")
        if workers.count(address) > 1:
            raise _refused(f"worker {address!r} is listed twice")
    return tuple(workers)


def _is_address(address) -> bool:
    if not isinstance(address, str):
        return False
    host, _, port = address.rpartition(":")
    return bool(host) and port.isdecimal() and 0 < int(port) < 2**16


def _index(task: dict, count: int) -> int:
    """Returns this worker's index; digits in quotes will do, as for TensorFlow."""
    if task.get("type") != "worker":
        raise _refused(f'its task type is {task.get("type")!r}, not "worker"')
    index = task.get("index")
    if isinstance(index, str) and index.isdecimal():
        index = int(index)
    if type(index) is not int or not 0 <= index < count:
        raise _refused(
            f"its task index is {index!r}; the {count} workers are 0 to {count - 1}"
        )
    return index


def _refused(reason: str) -> InputError:
    return InputError(
        f"`distribute=multi_worker` reads the environment variable "
        f"{VARIABLE}: {reason}; give, for example, {VARIABLE}='{EXAMPLE}'"
    )
