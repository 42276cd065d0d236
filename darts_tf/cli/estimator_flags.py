"""Whom a search asks what genotypes are worth, and what each one needs."""

from __future__ import annotations

from collections.abc import Iterable

from absl import flags

from darts_tf.errors import InputError

FIDELITY = ("epochs", "examples", "channels", "layers", "image_size")
"""What --estimator=low_fidelity may have less of, by the flags' names."""

FIDELITY_FLAGS = tuple(f"fidelity_{name}" for name in FIDELITY)
IMAGE_FLAGS = FIDELITY_FLAGS[1:]
"""Mean nothing for language."""

OWN_FLAGS = {
    "full": (),
    "table": (),
    "one_shot": ("supernet", "measured_batches"),
    "low_fidelity": FIDELITY_FLAGS,
    "learning_curve": ("curve_epochs",),
    "inherit": ("supernet", "inherit_from", "parents"),
}
"""What some estimators have and others have not."""

ESTIMATORS = tuple(OWN_FLAGS)

READ = {
    "table": ("nasbench201_table",),
    "one_shot": ("nasbench201_table", "data_dir", "distribute"),
}
"""Those that train nothing, with the only other flags that they read."""

INHERIT_FROM = ("supernet", "parent")

_integer = flags.DEFINE_integer


def define_estimator() -> None:
    """The estimator and its own flags."""
    flags.DEFINE_enum(
        "estimator",
        "full",
        ESTIMATORS,
        "what a genotype is worth. full: its network is trained from scratch "
        "as train.evaluate does it, by the flags of this search, and "
        "measured on the held out part of the training data; low_fidelity: "
        "the same with less of what --fidelity_... say; learning_curve: the "
        "same for the first --curve_epochs, its accuracy after --epochs "
        "extrapolated; inherit: the same, from the weights of "
        "--inherit_from and not from random ones; one_shot: the accuracy of "
        "--supernet with only the genotype's operations; table: nasbench201 "
        "only, CIFAR-10 validation accuracy after 12 epochs, of "
        "--nasbench201_table",
    )
    flags.DEFINE_string(
        "supernet",
        None,
        "folder of a search, whose supernet --estimator="
        "one_shot or inherit uses (the newest checkpoint)",
    )
    flags.DEFINE_enum(
        "inherit_from",
        "supernet",
        INHERIT_FROM,
        "inherit: supernet: of --supernet, what the genotype has of it; "
        "parent: of the newest network of this search that differs in one "
        "edge; where there is none, of --parents, then of --supernet, if "
        "given. Both may have fewer --channels, and fewer --layers where new "
        "cells can be the identity (nasbench201)",
    )
    flags.DEFINE_string(
        "parents",
        None,
        "--inherit_from=parent: folder of an earlier such "
        "search, of whose networks one with the same genotype, or else one "
        "that differs in one edge, is a parent",
    )
    _integer(
        "measured_batches",
        0,
        "one_shot, and the end of "
        "--strategy=random_weight_sharing: validation batches of the "
        "supernet's search on which accuracy is measured (0: all)",
        lower_bound=0,
    )
    what = (
        "epochs",
        "training images, of which the share held out is taken",
        "channels",
        "cells",
        "pixels, to which images are scaled",
    )
    for name, unit in zip(FIDELITY, what):
        _integer(
            f"fidelity_{name}",
            None,
            f"low_fidelity: {unit} (unset: --{name})",
            lower_bound=1,
        )
    _integer(
        "curve_epochs",
        None,
        "learning_curve: epochs that are trained, of --epochs",
        lower_bound=2,
    )


def foreign(
    parsed: flags.FlagValues, every: Iterable[str], needed: Iterable[str]
) -> dict[str, str]:
    """What means nothing with the estimator given: why, by the flag's name.

    Args:
      parsed: the flags.
      every: the names of all of this project's flags.
      needed: those that every estimator's search reads.
    """
    own = OWN_FLAGS[parsed.estimator]
    unread = {n for names in OWN_FLAGS.values() for n in names} - {*own}
    if parsed.estimator in READ:
        read = READ[parsed.estimator]
        unread |= {*every} - {*needed, *own, *read, "estimator"}
    return dict.fromkeys(unread, f"--estimator={parsed.estimator}")


def check_estimator(parsed: flags.FlagValues) -> None:
    """Refuses what an estimator cannot do without, or cannot be.

    Raises:
      InputError: --supernet is missing; --parents of no parent's child;
        nothing is of low fidelity, or more than full; a curve without a
        beginning or a rest.
    """
    name = parsed.estimator
    needed = name == "one_shot" or (
        name == "inherit" and parsed.inherit_from == "supernet"
    )
    if needed and not parsed.supernet:
        raise InputError(
            f"--estimator={name} needs a trained supernet: give --supernet="
            f"WORKDIR of a search, for example one with "
            f"--strategy=random_weight_sharing"
        )
    if name == "inherit" and parsed.parents and needed:
        raise InputError(
            f"--parents={parsed.parents} means nothing with --inherit_from="
            f"{parsed.inherit_from}; give --inherit_from=parent"
        )
    if name == "low_fidelity":
        _check_fidelity(parsed)
    if name == "learning_curve":
        _check_curve(parsed)


def _check_fidelity(parsed: flags.FlagValues) -> None:
    given = {n: parsed[f"fidelity_{n}"].value for n in FIDELITY}
    given = {n: value for n, value in given.items() if value is not None}
    # 0 examples and no image size stand for all that there is.
    full = {n: parsed[n].value or float("inf") for n in given}
    for name, value in given.items():
        if value > full[name]:
            raise InputError(
                f"--fidelity_{name}={value} is more than the full "
                f"--{name}={full[name]}; give less"
            )
    if all(value == full[name] for name, value in given.items()):
        raise InputError(
            "--estimator=low_fidelity with nothing reduced is "
            "--estimator=full; give fewer --fidelity_epochs or less by "
            f"another of --{', --'.join(FIDELITY_FLAGS[1:])}"
        )


def _check_curve(parsed: flags.FlagValues) -> None:
    if parsed.curve_epochs is None or parsed.curve_epochs >= parsed.epochs:
        raise InputError(
            f"--estimator=learning_curve trains the first --curve_epochs of "
            f"--epochs={parsed.epochs} and extrapolates the rest; received "
            f"--curve_epochs={parsed.curve_epochs}: give at least 2 and "
            f"fewer than --epochs"
        )
