"""A step is traced in the background of its own first run."""

from __future__ import annotations

import threading
import time

import pytest
import tensorflow as tf

from darts_tf.descent.replicas import Replicas
from darts_tf.strategy.darts.execution import Execution, Piece
from darts_tf.strategy.darts.primitives import arithmetic
from tests.strategy.small_search import small_search


class Notes:
    """Marked functions that note in which threads they are traced."""

    def __init__(self):
        self.traced = []

    def function(self, name: str, work=lambda: None):
        def body(x):
            self.traced.append((name, threading.current_thread()))
            work()
            return {"doubled": 2 * x}, None

        return arithmetic(body)

    def wait(self, count: int) -> None:
        """Until so many were traced."""
        end = time.monotonic() + 10
        while len(self.traced) < count and time.monotonic() < end:
            time.sleep(0.01)

    def names(self):
        return [name for name, _ in self.traced]


def execution() -> Execution:
    return Execution(Replicas("one_device"))


def test_in_order_in_another_thread_and_on_shapes_alone():
    notes = Notes()
    first, second = notes.function("first"), notes.function("second")

    def algorithm(x):
        result, _ = first(x)
        return second(result["doubled"])[0]["doubled"]

    run = execution()
    x = tf.constant([1.0, 2.0])
    with run.active(), run.traced_ahead(lambda: algorithm(x)):
        notes.wait(2)
        assert list(algorithm(x)) == [4, 8]
    assert notes.names() == ["first", "second"]
    assert threading.main_thread() not in [thread for _, thread in notes.traced]


def test_if_the_body_fails_nothing_more_is_traced():
    failed, notes = threading.Event(), Notes()
    first = notes.function("first", lambda: failed.wait(10))
    second = notes.function("second")
    x, run = tf.constant(1.0), execution()
    with pytest.raises(ArithmeticError):
        with run.traced_ahead(lambda: second(first(x)[0]["doubled"])):
            notes.wait(1)
            threading.Timer(0.2, failed.set).start()
            raise ArithmeticError
    assert notes.names() == ["first"]


def test_an_error_in_the_background_is_not_lost():
    notes, run = Notes(), execution()

    def fail():
        raise ValueError("cannot be traced")

    first = notes.function("first", fail)
    with pytest.raises(ValueError, match="cannot be traced"):
        with run.traced_ahead(lambda: first(tf.constant(1.0))):
            notes.wait(1)


def traced_counts(loop) -> dict[str, int]:
    """Counts how often each function of a search was traced, by its marked name."""
    return {
        key[0].__name__: piece.function.experimental_get_tracing_count()
        for key, piece in loop.execution._functions.items()
        if isinstance(piece, Piece)
    }


@pytest.mark.slow
@pytest.mark.parametrize("method", ["finite_difference", "exact"])
def test_each_piece_of_a_search_is_traced_once(method):
    loop = small_search(method)
    for _ in range(2):
        loop.advance()
    counts = traced_counts(loop)
    large = {"grad_w", "grad_alpha", "grad_w_alpha", "forward_over_reverse"}
    assert len(large & counts.keys()) == 3
    assert set(counts.values()) == {1}, counts


@pytest.mark.slow
def test_nothing_is_traced_for_later_while_w_warms_up():
    loop = small_search("first_order", warmup_epochs=1)
    known = []
    for _ in range(4):
        loop.advance()
        known.append(len(traced_counts(loop)))
    counts = traced_counts(loop)
    assert known == [1, 1, 2, 2] and set(counts.values()) == {1}, counts
