"""What bad input is told, in tests of texts."""

from __future__ import annotations

import pytest

from darts_tf.errors import InputError


def refusal(call) -> str:
    """The one line that a call is refused with."""
    with pytest.raises(InputError) as caught:
        call()
    message = str(caught.value)
    assert "\n" not in message
    return message
