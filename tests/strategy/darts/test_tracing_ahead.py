"""What is traced in the background is what the first step calls."""

from __future__ import annotations

import threading

import pytest

from darts_tf.strategy.darts import bilevel, search
from darts_tf.strategy.darts.tracing_ahead import traced_ahead
from tests.strategy.small_search import small_search


class Compiled:
    """Notes when it is traced."""

    def __init__(self, noted: list, name: str):
        self.noted, self.name = noted, name

    def get_concrete_function(self, *arguments):
        self.noted.append((self.name, *arguments, threading.current_thread()))


def test_in_order_in_another_thread_and_only_what_is_compiled():
    noted = []
    calls = [
        (Compiled(noted, "first"), (1, 2)),
        (lambda: noted.append("never"), ()),
        (Compiled(noted, "second"), ()),
    ]
    with traced_ahead(calls):
        while len(noted) < 2:
            pass
    assert [row[:-1] for row in noted] == [("first", 1, 2), ("second",)]
    assert threading.main_thread() not in [row[-1] for row in noted]


def test_where_the_body_fails_nothing_more_is_traced():
    noted, failed = [], threading.Event()

    class Waiting(Compiled):
        def get_concrete_function(self, *arguments):
            super().get_concrete_function(*arguments)
            assert failed.wait(10)

    calls = [(Waiting(noted, "first"), ()), (Compiled(noted, "second"), ())]
    with pytest.raises(ArithmeticError):
        with traced_ahead(calls):
            while not noted:
                pass
            threading.Timer(0.2, failed.set).start()
            raise ArithmeticError
    assert [row[0] for row in noted] == ["first"]


def test_what_fails_in_the_background_is_not_lost():
    noted = []

    class Failing(Compiled):
        def get_concrete_function(self, *arguments):
            super().get_concrete_function(*arguments)
            raise ValueError("cannot be traced")

    with pytest.raises(ValueError, match="cannot be traced"):
        with traced_ahead([(Failing(noted, "first"), ())]):
            while not noted:
                pass


@pytest.mark.slow
@pytest.mark.parametrize("method", bilevel.METHODS)
def test_each_piece_of_a_search_is_traced_once(method, monkeypatch):
    known = []

    def noting(calls):
        known.extend(calls)
        return traced_ahead(calls)

    monkeypatch.setattr(search, "traced_ahead", noting)
    loop = small_search(method)
    for _ in range(2):
        loop.advance()
    pieces = [piece for piece, _ in known]
    assert len(pieces) == (2 if method == "first_order" else 3)
    counts = [piece.experimental_get_tracing_count() for piece in pieces]
    assert counts == [1] * len(pieces)


@pytest.mark.slow
def test_nothing_is_traced_for_later_while_w_warms_up(monkeypatch):
    known = []
    monkeypatch.setattr(
        search,
        "traced_ahead",
        lambda calls: known.append(len(calls)) or traced_ahead(calls),
    )
    loop = small_search("first_order", warmup_epochs=1)
    for _ in range(4):
        loop.advance()
    assert known == [0, 0, 2, 0]
