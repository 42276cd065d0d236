"""Flagfiles that do not fit their use are refused in one line."""

from __future__ import annotations

import pytest

from darts_tf.errors import InputError
from darts_tf.protocol import folder
from tests.protocol.running import claim, write


def test_a_missing_flagfile(values, stub):
    values["evaluate_flags"] += "x"
    with pytest.raises(InputError) as error:
        claim(values)
    (line,) = str(error.value).splitlines()
    assert line.startswith(f"`evaluate_flags={values['evaluate_flags']}` ")
    assert not stub.calls()


@pytest.mark.parametrize("text", ["", "--valid_fraction=0\n", "--valid_fraction=x\n"])
def test_a_short_training_needs_a_validation_part(values, stub, text):
    write(values, "short_flags", text)
    with pytest.raises(InputError, match="`short_flags=.*` holds out no"):
        folder.make_plan(values)


@pytest.mark.parametrize(
    "search, training",
    [
        ("", "--space=s1\n--valid_fraction=0.1\n"),
        ("--space=darts_recurrent\n", "--valid_fraction=0.1\n"),
        ("--space=what\n", "--valid_fraction=0.1\n"),
    ],
)
def test_spaces_that_do_not_fit(values, stub, search, training):
    write(values, "search_flags", search)
    write(values, "short_flags", training)
    with pytest.raises(InputError, match="space"):
        folder.make_plan(values)
