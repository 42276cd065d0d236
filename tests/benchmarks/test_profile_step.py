"""Reads a profiler's trace: operations of the host, kernels of a GPU."""

import pytest

from benchmarks.speed import profile_step
from benchmarks.speed.profile_step import xplane_pb2


def trace(folder, planes):
    """A file of planes {name: {line: [(event, seconds)]}}."""
    space = xplane_pb2.XSpace()
    for name, lines in planes.items():
        plane = space.planes.add(name=name)
        for line, events in lines.items():
            row = plane.lines.add(name=line)
            for event, seconds in events:
                number = len(plane.event_metadata) + 1
                plane.event_metadata[number].name = event
                row.events.add(metadata_id=number, duration_ps=int(seconds * 1e12))
    path = folder / "trace.xplane.pb"
    path.write_bytes(space.SerializeToString())
    return path


HOST = {
    "/host:CPU": {
        "thread 1": [("a:MatMul", 2.0), ("b:MatMul", 1.0), ("c:Process", 9.0)],
        "thread 2": [("d/e:Relu", 0.5), ("no operation", 9.0)],
    }
}
GPU = {
    "/device:GPU:0": {
        "Stream #13(Compute)": [
            ("void cudnn::bn_fw<float, 2>(float)", 2.0),
            ("void cudnn::bn_fw<float, 4>(float)", 1.0),
            ("MemcpyD2D", 0.5),
        ],
        "TensorFlow Ops": [("a:MatMul", 9.0)],
    }
}


def test_operations_of_the_host(tmp_path):
    found = profile_step.by_operation(trace(tmp_path, HOST))
    assert found == {"MatMul": (pytest.approx(3.0), 2), "Relu": (pytest.approx(0.5), 1)}


def test_with_a_gpu_its_kernels(tmp_path):
    found = profile_step.by_operation(trace(tmp_path, HOST | GPU))
    assert found == {
        "cudnn::bn_fw": (pytest.approx(3.0), 2),
        "MemcpyD2D": (pytest.approx(0.5), 1),
    }


def test_what_is_not_told_apart_is_one_row(tmp_path):
    found = profile_step.by_operation(trace(tmp_path, HOST))
    lines = profile_step.table(found, 4.0, 1).splitlines()
    assert lines[-2].startswith("| MatMul | 3.000 | 85.7 | 2 |")
    assert lines[-1] == "| all others | 0.500 | 14.3 | 1 |"
