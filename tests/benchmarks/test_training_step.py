"""The benchmark of a derived network's training step."""

import json

import pytest

from tests.scripts import output_of

pytestmark = pytest.mark.program

SMALL = {
    "darts_conv": ("--channels=2", "--layers=3"),
    "darts_recurrent": ("--hidden_size=8", "--words=20", "--bptt=4"),
}


@pytest.mark.slow
@pytest.mark.parametrize("space", SMALL)
def test_its_line_names_what_was_timed(space):
    output = output_of(
        "--steps=2",
        "--batch_size=2",
        f"--space={space}",
        *SMALL[space],
        module="benchmarks.speed.training_step",
    )
    found = json.loads(output.splitlines()[-1])
    given = dict(flag.strip("-").split("=") for flag in SMALL[space])
    assert {n: str(found[n]) for n in given} == given
    assert found["space"] == space and found["batch_size"] == 2
    assert found["built"] < found["first_step"]
    assert 0 < found["step"] <= found["slowest_step"]
    assert found["built_gb"] <= found["peak_gb"]
