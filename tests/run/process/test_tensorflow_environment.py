"""Variables set before TensorFlow is imported, unless the user set them."""

import os

import pytest

from darts_tf.run.process import tensorflow_environment
from tests.scripts import check_says

SHOWN = """
import os, sys
for name in {names}:
    if {unset}:
        os.environ.pop(name, None)
from darts_tf.run.process import tensorflow_environment
assert "tensorflow" not in sys.modules
print([os.environ.get(name) for name in {names}])
"""
NAMES = "TF_CPP_MIN_LOG_LEVEL", "TF_ENABLE_ONEDNN_OPTS"


def test_what_is_not_set_is_set():
    x86 = tensorflow_environment.platform.machine() in (tensorflow_environment.X86)
    script = SHOWN.format(names=NAMES, unset=True)
    check_says(script, str(["2", "1" if x86 else None]))


@pytest.mark.parametrize("given", [("0", "0"), ("1", "1")])
def test_what_the_user_set_stays(given):
    script = SHOWN.format(names=NAMES, unset=False)
    check_says(script, str([*given]), **dict(zip(NAMES, given)))


def test_python_looks_for_garbage_less_often():
    script = "import gc\nfrom darts_tf.run.process import tensorflow_environment\n"
    threshold = f"{tensorflow_environment.GARBAGE_AFTER},"
    check_says(script + "print(gc.get_threshold())", threshold)


@pytest.mark.parametrize("given, after", [(False, "0"), (True, "1")])
def test_onednn_goes_where_determinism_asks_for_it(monkeypatch, given, after):
    monkeypatch.setenv(tensorflow_environment.ONEDNN, "1")
    monkeypatch.setattr(tensorflow_environment, "_given", given)
    tensorflow_environment.without_onednn()
    assert os.environ[tensorflow_environment.ONEDNN] == after
