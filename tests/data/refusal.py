"""Helper for tests of refused input."""

from __future__ import annotations

import pytest

from darts_tf.errors import InputError


def refusal(call) -> str:
    """Returns the one line with which a call is refused."""
    with pytest.raises(InputError) as caught:
        call()
    message = str(caught.value)
    assert "\n" not in message
    return message
