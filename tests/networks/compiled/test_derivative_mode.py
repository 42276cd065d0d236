"""The derivative mode is set within its scope, and nowhere else."""

from __future__ import annotations

import threading

import pytest

from darts_tf.networks.compiled import derivative_mode

SCOPES = [
    (derivative_mode.set_constant_in_weights, derivative_mode.is_constant_in_weights),
    (derivative_mode.set_directional_pass, derivative_mode.in_directional_pass),
    (derivative_mode.set_differentiated_once, derivative_mode.is_differentiated_once),
    (derivative_mode.set_differentiated_twice, derivative_mode.is_differentiated_twice),
]


@pytest.mark.parametrize("scope, there", SCOPES)
def test_a_scope_ends_with_its_body_also_by_an_error(scope, there):
    with pytest.raises(KeyError), scope():
        assert there()
        raise KeyError
    assert not there()
    assert not any(other() for _, other in SCOPES if other is not there)


@pytest.mark.parametrize("scope, there", SCOPES)
def test_other_threads_are_not_in_it(scope, there):
    """One traces ahead while another runs."""
    seen = []
    with scope():
        thread = threading.Thread(target=lambda: seen.append(there()))
        thread.start()
        thread.join()
    assert seen == [False]


def test_no_slope_of_what_is_differentiated_once():
    """Within a slope: a layer that says itself how directions go through."""
    with derivative_mode.set_directional_pass():
        with derivative_mode.set_differentiated_once():
            assert not derivative_mode.in_directional_pass()
        assert derivative_mode.in_directional_pass()
