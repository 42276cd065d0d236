"""The flags of an experiment and of a comparison of several."""

from __future__ import annotations

from absl import flags

from darts_tf.cli import flag_values, space_flags
from darts_tf.cli import flags as run_flags
from darts_tf.errors import InputError

FLAGFILES = ("search_flags", "short_flags", "evaluate_flags")
COUNTS = ("search_seeds", "evaluate_seeds")
"""May be raised when an experiment is resumed."""

FREE_FLAGS = (
    *flag_values.PLACE_FLAGS,
    *FLAGFILES,
    "name",
    "snapshots",
    "processes",
    "gpus",
    "stage",
    "task",
)
"""May differ when an experiment is resumed (of flagfiles, what they say may
not)."""

STAGES = ("search", "short", "full", "snapshots", "report")
PUBLISHED = {
    "none": None,
    "cifar10": ("error", "cifar10"),
    "cifar10_later": ("error", "cifar10"),
    "cifar100": ("error", "cifar100"),
    "imagenet": ("error", "imagenet2012"),
    "ptb": ("perplexity", "text_folder"),
    "wikitext2": ("perplexity", "text_folder"),
}
"""What each published table is measured by, and on which data set."""

_integer, _string = flags.DEFINE_integer, flags.DEFINE_string


def define_experiment() -> None:
    """All that an experiment has."""
    run_flags.define_workdir("experiment")
    _string("name", None, "of the architecture in tables (default: what searched)")
    _string("search_flags", None, "flagfile of the searches")
    flags.DEFINE_enum(
        "random_genotypes",
        None,
        space_flags.SPACES,
        "in the place of "
        "--search_flags: no search, but random genotypes of this space, one "
        "a seed",
    )
    _string(
        "short_flags",
        None,
        "flagfile of the short trainings, which choose the best cell by validation",
        required=True,
    )
    _string(
        "evaluate_flags",
        None,
        "flagfile of the full trainings of the best cell",
        required=True,
    )
    _integer("search_seeds", 4, "number of searches; may be raised")
    _integer("evaluate_seeds", 10, "number of full trainings; may be raised")
    _integer(
        "snapshots",
        0,
        "epochs of each search whose cells get a short "
        "training too, for the picture of its progress (0: none; it "
        "shows what the searches measured themselves)",
    )
    _string("data_dir", None, "folder of the data, for all")
    run_flags.define_truth()
    _define_pace()


def _define_pace() -> None:
    _integer(
        "processes",
        None,
        "at a time on this machine (default: one a GPU that is named, or one)",
    )
    flags.DEFINE_list(
        "gpus",
        None,
        "numbers of the GPUs that the processes share out "
        "among themselves, as in CUDA_VISIBLE_DEVICES, which is the default",
    )
    flags.DEFINE_enum("stage", None, STAGES, "only this one (default: all in turn)")
    _integer(
        "task",
        None,
        "with --stage: only this task of it, counted from 0, for array jobs",
    )


def check_experiment(parsed: flags.FlagValues) -> None:
    """Refuses what is no experiment.

    Raises:
      InputError: a count below 1, both kinds of search or none, or a task
        of no stage.
    """
    for name in (*COUNTS, "processes"):
        if parsed[name].value is not None and parsed[name].value < 1:
            raise InputError(f"--{name}={parsed[name].value}: give at least 1")
    for name in ("snapshots", "task"):
        if (parsed[name].value or 0) < 0:
            raise InputError(f"--{name}={parsed[name].value}: give at least 0")
    if (parsed.search_flags is None) == (parsed.random_genotypes is None):
        raise InputError(
            "give either --search_flags=FILE, the flagfile of the searches, "
            "or --random_genotypes=SPACE, for no search"
        )
    if parsed.task is not None and parsed.stage in (None, "report"):
        raise InputError(
            "--task means something with --stage="
            f"{' or '.join(STAGES[:-1])} only; leave it out"
        )


def define_comparison() -> None:
    """All that a comparison has."""
    flags.DEFINE_list(
        "experiments",
        None,
        "folders of experiments, or of searches by a strategy that asks an estimator",
        required=True,
    )
    _string("out", None, "folder of the tables and the picture", required=True)
    flags.DEFINE_enum(
        "published",
        "none",
        list(PUBLISHED),
        "published numbers that are "
        "put beside them: cifar10: the DARTS paper's; cifar10_later: of "
        "methods since; the others: both, as far as they are known",
    )
