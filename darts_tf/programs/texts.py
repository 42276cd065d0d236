"""Language: from flags to text, models, loops and measures."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from darts_tf.data.text import windows
from darts_tf.data.text.loading import EOS, UNKNOWN, TextData, load_text
from darts_tf.descent.replicas import Replicas
from darts_tf.estimation import scoring, text_training
from darts_tf.estimation.sampling import sample
from darts_tf.networks.language import Dropouts, LanguageModel
from darts_tf.networks.recurrent import DerivedCell, MixedCell
from darts_tf.programs import diagnostics, setup
from darts_tf.programs.text_data import Windows, far_from, require
from darts_tf.run.export import language_model
from darts_tf.space import recurrent
from darts_tf.strategy.darts import search as search_loop
from darts_tf.strategy.darts.joint import SEARCHES
from darts_tf.strategy.darts.search_settings import SearchSettings
from darts_tf.strategy.darts.text_task import TextTask


def search_data(flags) -> TextData:
    """The text of a search."""
    return load_text(flags.dataset, flags.data_dir)


def search(
    flags, replicas: Replicas, data: TextData | None = None
) -> search_loop.Search:
    """The search network and its search, as the flags say.

    On `search_data`, which is loaded where it is not given.
    """
    data = data or search_data(flags)
    joint = setup.joint(flags)
    learned = np.concatenate([data.train, data.valid]) if joint else data.train
    steps = windows.steps_per_epoch(len(learned), flags.batch_size, flags.bptt)
    model = build_model(
        flags,
        MixedCell(recurrent.SPACE, flags.hidden_size),
        data.vocabulary.size,
        replicas,
    )
    valid = Windows(flags, data.valid, replicas)
    require(valid.once, "measured_batch")
    require(lambda: valid.validation(0), "batch_size")
    task = TextTask(
        model,
        Windows(flags, learned, replicas).training,
        far_from(learned, steps, flags, replicas) if joint else valid.validation,
        valid.once,
        batch_size=flags.batch_size,
        measured_batch=flags.measured_batch,
        bptt=flags.bptt,
        slowness=flags.slowness,
        replicas=replicas,
        one_loss=joint,
    )
    settings = setup.settings(SearchSettings, flags, steps_per_epoch=steps)
    kind = SEARCHES[flags.optimization] if joint else search_loop.Search
    return kind(
        task, settings, replicas, **diagnostics.arguments(flags, task, replicas)
    )


def training_of(flags, genotype, replicas: Replicas, data=None):
    """(a genotype's model and its training, the data: loaded if None)."""
    data = data or load_text(flags.dataset, flags.data_dir)
    steps = windows.steps_per_epoch(len(data.train), flags.batch_size, flags.bptt)
    valid = Windows(flags, data.valid, replicas)
    require(valid.once, "measured_batch")
    cell = DerivedCell(genotype.cells["recurrent"], flags.hidden_size)
    model = build_model(flags, cell, data.vocabulary.size, replicas)
    loop = text_training.TextTraining(
        model,
        genotype,
        setup.settings(
            text_training.TextTrainingSettings, flags, steps_per_epoch=steps
        ),
        Windows(flags, data.train, replicas).training,
        valid.once,
        flags.measured_batch,
        replicas,
    )
    return loop, data


def build_model(flags, cell, words: int, replicas: Replicas) -> LanguageModel:
    """A language model around a cell, with random weights."""
    names = Dropouts.__dataclass_fields__
    chosen = {n: flags[f"dropout_{n}"].value for n in names}
    with replicas.scope():
        model = LanguageModel(cell, words, Dropouts(**chosen))
        more = {}
        if isinstance(cell, MixedCell):
            more = {"weights": tf.ones(cell.spec.alpha_shape)}
        hidden = tf.zeros((1, cell.state_size))
        model(tf.zeros((1, 1), tf.int32), hidden, **more)
    return model


def validated(loop, data: TextData, flags) -> dict:
    """What the validation text gave, up to the last epoch."""
    del flags
    best = int(np.argmin(loop.history))
    return {
        "perplexity": float(np.exp(loop.history[-1])),
        "best_perplexity": float(np.exp(loop.history[best])),
        "best_epoch": best + 1,
        "unknown_words": data.unknown["valid"],
    }


def chance(data: TextData) -> dict:
    """What guessing would give, in the words of `validated`."""
    return {"perplexity": float(data.vocabulary.size)}


def measured(loop, data: TextData, flags) -> dict:
    """Everything that is measured after the last step of a training."""
    tokens, unknown = data.load_test()
    test = Windows(flags, tokens, loop.replicas).once(loop.replicas.count)
    return {
        "valid": validated(loop, data, flags),
        "test": {
            "perplexity": loop.perplexity(test, loop.replicas.count),
            "words": len(tokens),
            "unknown_words": unknown,
        },
        "parameters": scoring.parameters(loop.model),
        "sample": _samples(loop, data, flags),
        "data": {"words": list(data.vocabulary.words)},
    }


def shown(loop, data: TextData, flags) -> dict[str, str]:
    """What TensorBoard shows after an epoch of a training: samples.

    The last epoch's are those of `measured`.
    """
    lines = _samples(loop, data, flags)
    return {"samples": "\n".join(f"    {line}" for line in lines)}


def _samples(loop, data: TextData, flags) -> list[str]:
    """A few sentences, drawn with the averaged weights."""
    return sample(
        loop.step_by_step,
        flags.hidden_size,
        data.vocabulary.words,
        EOS,
        UNKNOWN,
        sentences=4,
        longest=30,
        seed=flags.seed,
    )


def told(result: dict) -> list[tuple[str, str]]:
    """A result in (name, text) lines."""
    test, valid = result["test"], result["valid"]
    return [
        (
            "test perplexity",
            f"{test['perplexity']:.2f} of {test['words']:,} words, "
            f"{test['unknown_words']:,} unknown (last epoch)",
        ),
        (
            "validation",
            f"{valid['perplexity']:.2f} in the last epoch; best epoch "
            f"{valid['best_epoch']}: {valid['best_perplexity']:.2f}",
        ),
        ("parameters", f"{result['parameters']:,}"),
        ("vocabulary", f"{len(result['data']['words']):,} words"),
        *(("it writes", line) for line in result["sample"]),
    ]


def export_model(flags, genotype, result: dict, arrays, folder) -> str:
    """Writes the SavedModel; returns how it is used."""
    words = result["data"]["words"]
    cell = DerivedCell(genotype.cells["recurrent"], flags.hidden_size)
    model = LanguageModel(cell, len(words))
    model(tf.zeros((1, 1), tf.int32), tf.zeros((1, flags.hidden_size)))
    for index, variable in enumerate(model.trainable_variables):
        variable.assign(arrays[f"average/{index:05d}"])
    language_model.export_language_model(
        lambda ids, state: model(ids, state)[:2],
        model,
        state_size=flags.hidden_size,
        words=words,
        end=EOS,
        unknown=UNKNOWN,
        folder=folder,
        metadata={n: v for n, v in result.items() if n != "data"},
    )
    return language_model.usage_example(folder)
