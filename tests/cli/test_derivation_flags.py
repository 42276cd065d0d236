"""Which flags mean nothing with which --method of train.derive."""

from __future__ import annotations

import pytest
from absl import flags

from darts_tf.cli import derivation_flags
from darts_tf.errors import InputError


def parsed(*given: str) -> flags.FlagValues:
    """The values of these arguments; flags of the same names, all strings."""
    values = flags.FlagValues()
    names = (*derivation_flags.OWN, *derivation_flags.FOREIGN)
    for name in names:
        flags.DEFINE_string(name, None, "", flag_values=values)
    flags.DEFINE_enum(
        "method",
        "magnitude",
        derivation_flags.DERIVATIONS,
        "",
        flag_values=values,
    )
    values(["program", *given])
    return values


@pytest.mark.parametrize(
    "method, names",
    [
        ("magnitude", derivation_flags.FOREIGN),
        ("perturbation", derivation_flags.OWN),
    ],
)
def test_a_methods_own_flags_are_taken(method, names):
    given = [f"--{name}=1" for name in names]
    derivation_flags.check_perturbation(parsed(f"--method={method}", *given))


@pytest.mark.parametrize(
    "method, names",
    [
        ("magnitude", derivation_flags.OWN),
        ("perturbation", derivation_flags.FOREIGN),
    ],
)
def test_the_others_are_refused_in_one_line(method, names):
    for name in names:
        values = parsed(f"--method={method}", f"--{name}=1")
        with pytest.raises(InputError) as found:
            derivation_flags.check_perturbation(values)
        (line,) = str(found.value).splitlines()
        assert line.startswith(f"--{name} means nothing with --method={method}")
