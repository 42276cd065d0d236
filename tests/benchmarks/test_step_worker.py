"""The age of a process, to much less than a second."""

import subprocess
import sys
import time

import pytest

SAYS = """
import time
from benchmarks.speed.step_worker import age
print(age(), time.time())
"""


def test_the_age_of_a_process():
    start = time.time()
    said = subprocess.check_output([sys.executable, "-c", SAYS], text=True)
    age, now = map(float, said.split())
    assert now - age == pytest.approx(start, abs=0.2)
