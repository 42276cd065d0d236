"""Sets TensorFlow up as the programs do, marks tests, and starts the longest first."""

from __future__ import annotations

from darts_tf.run.process import tensorflow_environment  # isort: skip  # noqa: F401

import gc
import signal
import threading

if threading.current_thread() is threading.main_thread():
    # Started in the background or by nohup, a shell has us ignore Ctrl-C or SIGHUP,
    # and so would the programs that the tests start and stop.
    for number, usual in (
        (signal.SIGINT, signal.default_int_handler),
        (signal.SIGHUP, signal.SIG_DFL),
    ):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, usual)

import pytest

from tests import savings

PROGRAMS = {"programs", "outcomes", "stub"}
"""Fixtures of tests/programs that start programs."""

DOTS = {"api", "programs", "protocol"}
"""Folders of tests whose pictures are dots (tests/savings.py).

Figures are drawn in tests/run and programs/test_report.py, by figure_to_array, and
where a program is `drawn`.
"""

LONGEST = (
    "strategy/darts/test_plain_search.py",
    "conformance/test_conv.py",
    "programs/test_newcomer.py",
    "api/test_documents.py",
    "strategy/diagnostics/test_instruments.py",
    "networks/compiled/test_directional_derivatives.py",
    "strategy/darts/test_search.py",
    "networks/test_build.py",
    "programs/test_kill.py",
    "examples/test_notebook.py",
    "programs/test_multi_worker.py",
    "programs/test_language.py",
    "programs/test_old_runs.py",
    "programs/test_experiment.py",
    "networks/compiled/test_private_tensorflow.py",
    "programs/test_pipeline.py",
    "programs/test_perturbation.py",
    "programs/test_end_to_end.py",
)
"""Files by their processor time; two workers then end at about the same time."""


@pytest.fixture(autouse=True, scope="session")
def one_stack_trace():
    """Walks Python's stack once, not at each operation of a graph."""
    savings.share_stack_trace()


@pytest.fixture(autouse=True, scope="session")
def no_grappler():
    """Switches Grappler off, as the programs do; it delays the first step."""
    import tensorflow as tf

    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})


@pytest.fixture(autouse=True, scope="module")
def pictures_as_dots(request):
    """Draws no PNG files in the folders whose tests do not look into them."""
    drawn = request.path.match("programs/test_report.py")
    if drawn or request.path.parent.name not in DOTS:
        yield
        return
    from matplotlib.figure import Figure

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Figure, "savefig", Figure.savefig)  # restored at the end
        savings.draw_dots()
        yield


@pytest.fixture(autouse=True, scope="module")
def little_garbage():
    """Collects a module's garbage; what is left is not looked through again.

    The graphs of a thousand tests would be, at each full collection.
    """
    gc.freeze()
    yield
    gc.collect()


def pytest_configure(config):
    """Lets xdist start the files in the order below, not by their number of tests."""
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False


def pytest_collection_modifyitems(items):
    """Marks programs and goldens; the longest files come first, then other programs."""
    for item in items:
        if PROGRAMS & set(item.fixturenames) and "programs" in item.path.parts:
            item.add_marker("program")
        if "conformance" in item.path.parts:
            item.add_marker("goldens")
    items.sort(key=_place)


def _place(item: pytest.Item) -> int:
    """Returns the place of an item's file among the others."""
    path = item.path.as_posix()
    for place, name in enumerate(LONGEST):
        if path.endswith(name):
            return place
    return len(LONGEST) + ("programs" not in item.path.parts)
