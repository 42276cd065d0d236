"""Proposes the command that evaluates what a search found; it works as printed."""

from __future__ import annotations

from pathlib import Path

from darts_tf.config import SearchConfig
from darts_tf.config_rules import is_text
from darts_tf.errors import InputError
from darts_tf.programs import pipeline_choices
from darts_tf.programs.commands import command, flagfile, quoted
from darts_tf.programs.data_facts import image_facts, text_facts, this_machine
from darts_tf.run.workdir import Workdir
from darts_tf.space.registry import is_chain

EMBEDDED = {"digits": "digits", "python_topics": "topics"}
"""Folders of configs of the sets that come with the package."""

FOLDERS_BY_DATASET = {
    **EMBEDDED,
    "cifar10": "cifar10",
    "cifar100": "cifar100",
    "svhn_cropped": "svhn",
}
FOLDERS_BY_SPACE = {"darts_recurrent": "ptb", "nasbench201": "nasbench201"}
"""Folders of configs with the papers' evaluations."""

IN_MEMORY = ("arrays", "dataset")
"""Names of data that only a Python program has."""

TRAINING = ("channels", "layers", "hidden_size", "batch_size", "epochs")
TRAINING_OF = {
    False: (
        *(*TRAINING, "learning_rate", "valid_fraction", "crop_padding"),
        "width_multiplier",
    ),
    True: (*TRAINING, "learning_rate", "bptt"),
}
"""Settings of a training that are chosen, by whether it is one of text."""


def evaluation_command(
    workdir: Workdir, config: SearchConfig, genotype: Path | None = None
) -> str:
    """Returns the command that evaluates the genotype of a search.

    Args:
      workdir: of the search.
      config: its settings.
      genotype: file of another genotype of the search; None: its genotype.json.

    Sizes are those of the flagfile of an embedded set or, on a GPU, of the paper;
    else they are chosen from the data and the machine, as by the pipeline.
    """
    genotype = genotype or workdir.genotype
    if config.dataset in IN_MEMORY:
        path = str(genotype)
        return f"in Python: darts_tf.evaluate({path!r}, data, workdir=...)"
    words = [command("evaluate"), *_sizes(config)]
    words.append(f"--genotype={quoted(genotype)}")
    if config.plugin:
        words.append(f"--plugin={quoted(config.plugin)}")
    if config.data_dir:
        words.append(f"--data_dir={quoted(config.data_dir)}")
    return " ".join([*words, f"--workdir={quoted(_free_folder(workdir.path))}"])


def _free_folder(search: Path) -> Path:
    """Returns a folder beside the search's that is not there yet."""
    names = ["evaluate", f"{search.name}_evaluate"]
    names += [f"{search.name}_evaluate_{number}" for number in range(2, 100)]
    folders = [search.parent / name for name in names]
    return next((path for path in folders if not path.exists()), folders[-1])


def _sizes(config: SearchConfig) -> list[str]:
    """Returns the flags of data and sizes."""
    machine = this_machine()
    folder = FOLDERS_BY_SPACE.get(config.space) or FOLDERS_BY_DATASET.get(
        config.dataset, "cifar10"
    )
    if _embedded(config):
        folder = EMBEDDED[config.dataset]
    has_own = _embedded(config) or config.space == "nasbench201"
    chain = is_chain(config.space)
    if chain or not (has_own or machine.gpus):
        try:
            return [*_chosen(config, machine), *_data(config)]
        except InputError:  # the data are gone: the paper's sizes remain
            pass
    if chain:
        return [f"--width_multiplier={config.width_multiplier:g}", *_data(config)]
    path = flagfile(f"{folder}/evaluate.flags")
    return [*([f"--flagfile={quoted(path)}"] if path else []), *_data(config)]


def _embedded(config: SearchConfig) -> bool:
    """Returns True where the set's own flagfile evaluates cells of the space."""
    cells = config.space != "nasbench201" and not is_chain(config.space)
    return config.dataset in EMBEDDED and cells


def _data(config: SearchConfig) -> list[str]:
    """Returns the flags of the data as the search read them."""
    words = [] if _embedded(config) else [f"--dataset={config.dataset}"]
    if config.space not in ("darts_conv", *FOLDERS_BY_SPACE):
        words.append(f"--space={config.space}")
    if is_text(config.space):
        return words
    if config.image_size:
        words.append(f"--image_size={config.image_size}")
    if not config.flip and not _embedded(config):
        words.append("--noflip")
    return [*words, *(["--stream"] if config.stream else [])]


def _chosen(config: SearchConfig, machine) -> list[str]:
    text = is_text(config.space)
    kind = "text" if text else "images"
    if text:
        facts = text_facts(config.dataset, config.data_dir)
        given = {}
    else:
        facts = image_facts(config.dataset, config.data_dir, config.download)
        given = {"image_size": config.image_size} if config.image_size else {}
    chain = is_chain(config.space)
    choices = pipeline_choices.choose(facts, machine, given, chain)
    values = {choice.name: choice.value for choice in choices}
    if chain:
        kind = "chain"
        values["width_multiplier"] = config.width_multiplier
    path = flagfile(f"pipeline/{kind}_evaluate.flags")
    flags = [f"--{name}={values[name]}" for name in TRAINING_OF[text] if name in values]
    return [*([f"--flagfile={quoted(path)}"] if path else []), *flags]
