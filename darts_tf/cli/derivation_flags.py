"""The flags of a derivation by perturbation (cli/flags.py has all others)."""

from __future__ import annotations

from absl import flags

from darts_tf.errors import InputError

DERIVATIONS = ("magnitude", "perturbation")
OWN = (
    "out",
    "seed",
    "tune_epochs",
    "measured_batches",
    "data_dir",
    "report_every",
    "checkpoint_every",
)
"""What only a derivation by perturbation has."""

FOREIGN = ("genotype", "random", "epoch")
"""What it has not."""

_integer = flags.DEFINE_integer


def define_perturbation(max_seed: int) -> None:
    """How operations are chosen, and all that --method=perturbation has."""
    flags.DEFINE_enum(
        "method",
        "magnitude",
        DERIVATIONS,
        "magnitude: the largest mixing weights; perturbation: what costs the "
        "supernet most accuracy when it is left out, with tuning in between "
        "(images only; long; the same command resumes it)",
    )
    flags.DEFINE_string(
        "out",
        None,
        "perturbation: folder of what is derived (default: "
        "'perturbation' in --workdir)",
    )
    _integer(
        "seed",
        None,
        "perturbation: of the order in which edges are decided (default: the search's)",
        0,
        max_seed,
    )
    _integer(
        "tune_epochs",
        5,
        "perturbation: passes over the training data between two decisions (0: none)",
        lower_bound=0,
    )
    _integer(
        "measured_batches",
        0,
        "perturbation: validation batches on which accuracy is measured (0: all)",
        lower_bound=0,
    )
    flags.DEFINE_string(
        "data_dir",
        None,
        "perturbation: folder of the data (default: the search's)",
    )


def check_perturbation(parsed: flags.FlagValues) -> None:
    """Refuses flags that mean nothing with the --method given.

    Raises:
      InputError: one was given.
    """
    by_magnitude = parsed.method == "magnitude"
    for name in OWN if by_magnitude else FOREIGN:
        if parsed[name].present:
            raise InputError(
                f"--{name} means nothing with --method={parsed.method}; leave it out"
            )
