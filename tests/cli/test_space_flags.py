"""What a space makes of its flags."""

from __future__ import annotations

import pytest
from absl import flags
from darts_tf.cli.space_flags import FOREIGN_FLAGS, SPACES, check_space

from darts_tf.errors import InputError


def parsed(*given: str) -> flags.FlagValues:
    """Some flags of a program."""
    own = flags.FlagValues()
    flags.DEFINE_enum("space", SPACES[0], SPACES, "", flag_values=own)
    for name in ("channels", "layers", "hidden_size"):
        flags.DEFINE_integer(name, 7, "", flag_values=own)
    flags.DEFINE_enum("jit", "auto", ("auto", "on", "off"), "", flag_values=own)
    own(["program", *given])
    return own


@pytest.mark.parametrize(
    "given, name, value",
    [
        ((), "channels", 7),
        (("--space=nasbench201", "--layers=6"), "channels", 16),
        (("--space=nasbench201", "--layers=6"), "layers", 6),
        (("--space=darts_recurrent",), "jit", "off"),
        (("--space=s1",), "jit", "auto"),
    ],
)
def test_defaults_are_the_spaces_own_and_what_is_given_stays(given, name, value):
    own = parsed(*given)
    check_space(own)
    assert own[name].value == value


@pytest.mark.parametrize(
    "given, words",
    [
        (("--hidden_size=3",), "--hidden_size means nothing .*darts_conv"),
        (("--space=darts_recurrent", "--jit=on"), "XLA does not compile"),
        (("--space=nasbench201", "--layers=7"), "layers"),
    ],
)
def test_what_it_cannot_have_is_refused(given, words):
    with pytest.raises(InputError, match=words):
        check_space(parsed(*given))


def test_every_space_says_what_is_foreign_to_it():
    assert set(FOREIGN_FLAGS) == set(SPACES)
