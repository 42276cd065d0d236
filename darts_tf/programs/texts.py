"""The task of language: text, models, loops and measures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tensorflow as tf

from darts_tf.config import SearchConfig, TrainingConfig
from darts_tf.data.text import windows
from darts_tf.data.text.loading import EOS, UNKNOWN, TextData, load_text
from darts_tf.descent.replicas import Replicas
from darts_tf.errors import InputError
from darts_tf.estimation import text_training
from darts_tf.estimation.sampling import sample
from darts_tf.networks.footprint import counts
from darts_tf.networks.language import Dropouts, LanguageModel
from darts_tf.networks.recurrent import DerivedCell, MixedCell
from darts_tf.programs import diagnostics, setup, text_export
from darts_tf.programs.export_request import ExportRequest
from darts_tf.programs.images import search_settings
from darts_tf.programs.text_data import Windows, far_from, require
from darts_tf.space import recurrent
from darts_tf.space.genotype import Genotype
from darts_tf.strategy.darts import search_loop
from darts_tf.strategy.darts.joint import SEARCHES
from darts_tf.strategy.darts.text_task import TextTask

AnyConfig = SearchConfig | TrainingConfig


class TextProgramTask:
    """Implements `darts_tf.programs.task.Task` for language; its data is `TextData`."""

    def search_data(self, config: AnyConfig, data: TextData | None = None) -> TextData:
        """Returns the text."""
        return data or load_text(config.dataset, config.data_dir)

    training_data = search_data

    def search(
        self, config: SearchConfig, replicas: Replicas, data: TextData
    ) -> search_loop.Search:
        """Returns the search loop of the recurrent supernet."""
        joint = setup.joint(config)
        learned = np.concatenate([data.train, data.valid]) if joint else data.train
        steps = _steps_per_epoch(learned, config)
        cell = MixedCell(recurrent.SPACE, config.hidden_size)
        model = build_model(config, cell, data.vocabulary.size, replicas)
        valid = Windows(config, data.valid, replicas)
        require(valid.once, "measured_batch")
        require(lambda: valid.validation(0), "batch_size")
        task = TextTask(
            model,
            Windows(config, learned, replicas).training,
            far_from(learned, steps, config, replicas) if joint else valid.validation,
            valid.once,
            batch_size=config.batch_size,
            measured_batch=config.measured_batch,
            bptt=config.bptt,
            slowness=config.slowness,
            replicas=replicas,
            one_loss=joint,
            relaxed=config.relaxation != "softmax",
        )
        kind = SEARCHES[config.optimization] if joint else search_loop.Search
        return kind(
            task,
            search_settings(config, steps),
            replicas,
            instruments=diagnostics.instruments(config, task, replicas),
            early_stopping=diagnostics.early_stopping(config, task.space),
        )

    def training(
        self,
        config: AnyConfig,
        genotype: Genotype,
        replicas: Replicas,
        data: TextData,
    ) -> text_training.TextTraining:
        """Returns the training loop of a genotype's model."""
        steps = _steps_per_epoch(data.train, config)
        valid = Windows(config, data.valid, replicas)
        require(valid.once, "measured_batch")
        cell = DerivedCell(genotype.cells["recurrent"], config.hidden_size)
        return text_training.TextTraining(
            build_model(config, cell, data.vocabulary.size, replicas),
            genotype,
            training_settings(config, steps),
            Windows(config, data.train, replicas).training,
            valid.once,
            config.measured_batch,
            replicas,
        )

    def check_limits(
        self, config: TrainingConfig, genotype: Genotype, data: TextData | None = None
    ) -> None:
        """Refuses nothing: `max_multiply_adds` is for images."""
        del config, genotype, data

    def validated(self, loop, data: TextData, config: AnyConfig) -> dict:
        """Returns perplexities of the validation text, up to the last epoch."""
        del config
        best = int(np.argmin(loop.history))
        return {
            "perplexity": float(np.exp(loop.history[-1])),
            "best_perplexity": float(np.exp(loop.history[best])),
            "best_epoch": best + 1,
            "unknown_words": data.unknown["valid"],
        }

    def chance(self, data: TextData) -> dict:
        """Returns the perplexity of guessing."""
        return {"perplexity": float(data.vocabulary.size)}

    def measured(self, loop, data: TextData, config: TrainingConfig) -> dict:
        """Returns the test perplexity, counts, and what an export needs."""
        tested = _tested(loop, data, config) if config.test else {}
        return {
            "valid": self.validated(loop, data, config),
            **tested,
            "parameters": counts.parameters(loop.model),
            "sample": _samples(loop, data, config),
            "data": {"words": list(data.vocabulary.words)},
        }

    def texts_for_tensorboard(
        self, loop, data: TextData, config: TrainingConfig
    ) -> dict[str, str]:
        """Returns sampled sentences; the last epoch's are those of `measured`."""
        lines = _samples(loop, data, config)
        return {"samples": "\n".join(f"    {line}" for line in lines)}

    def summary(self, result: dict) -> list[tuple[str, str]]:
        """Returns a result as (name, text) lines."""
        valid = result["valid"]
        return [
            ("test perplexity", _format_test(result.get("test"))),
            (
                "validation",
                f"{valid['perplexity']:.2f} in the last epoch; best epoch "
                f"{valid['best_epoch']}: {valid['best_perplexity']:.2f}",
            ),
            ("parameters", f"{result['parameters']:,}"),
            ("vocabulary", f"{len(result['data']['words']):,} words"),
            *(("it writes", line) for line in result["sample"]),
        ]

    def write_example(self, data: TextData, path: Path) -> None:
        """Writes nothing: an export is shown with any words."""
        del data, path

    def export(self, request: ExportRequest) -> str:
        """Writes the model in the format asked for; returns a summary."""
        config, words = request.trained, request.result["data"]["words"]
        setup.hide_integer_notice(config.space)
        cell = DerivedCell(request.genotype.cells["recurrent"], config.hidden_size)
        model = LanguageModel(cell, len(words))
        model(tf.zeros((1, 1), tf.int32), tf.zeros((1, config.hidden_size)))
        for index, variable in enumerate(model.trainable_variables):
            variable.assign(request.arrays[f"average/{index:05d}"])
        return text_export.write(model, request, words)


def _steps_per_epoch(tokens: np.ndarray, config: AnyConfig) -> int:
    """Returns the windows of an epoch; an error names the part of the text."""
    try:
        return windows.steps_per_epoch(len(tokens), config.batch_size, config.bptt)
    except InputError as error:
        raise InputError(f"training text: {error}") from error


def _guessing(data: TextData, test: np.ndarray) -> dict[str, float]:
    """Returns test perplexities of guessing evenly, and by how often words occur.

    The latter counts every word of the vocabulary once more than the training part
    has it.
    """
    counts = np.bincount(data.train, minlength=data.vocabulary.size) + 1
    unigram = np.exp(-np.mean(np.log(counts[test] / counts.sum())))
    return {
        "perplexity": float(data.vocabulary.size),
        "unigram_perplexity": float(unigram),
    }


def training_settings(
    config: AnyConfig, steps_per_epoch: int
) -> text_training.TextTrainingSettings:
    """Returns the protocol of a language model's training."""
    return text_training.TextTrainingSettings(
        epochs=config.epochs,
        steps_per_epoch=steps_per_epoch,
        batch_size=config.batch_size,
        bptt=config.bptt,
        learning_rate=config.learning_rate,
        weight_decay=config.weight_decay,
        clip_norm=config.clip_norm,
        slowness=config.slowness,
        patience=config.patience,
        seed=config.seed,
    )


def build_model(
    config: AnyConfig, cell, words: int, replicas: Replicas
) -> LanguageModel:
    """Returns a language model around a cell, with random weights."""
    dropouts = Dropouts(
        words=config.dropout_words,
        embedding=config.dropout_embedding,
        x=config.dropout_x,
        hidden=config.dropout_hidden,
        output=config.dropout_output,
    )
    with replicas.scope():
        model = LanguageModel(cell, words, dropouts)
        ids, hidden = tf.zeros((1, 1), tf.int32), tf.zeros((1, cell.state_size))
        if isinstance(cell, MixedCell):
            model(ids, hidden, weights=tf.ones(cell.spec.alpha_shape))
        else:
            model(ids, hidden)
    return model


def _tested(loop, data: TextData, config: TrainingConfig) -> dict:
    """Reads the test text and measures it as one stream, on however many replicas.

    And what guessing gives. "words" are those that are predicted: all but the first.
    """
    tokens, unknown = data.load_test()
    count = loop.replicas.count
    windows = Windows(config, tokens, loop.replicas).alike()
    measured = {
        "perplexity": loop.perplexity(windows, count),
        "words": len(tokens) - 1,
        "unknown_words": unknown,
    }
    return {"test": measured, "chance": _guessing(data, tokens)}


def _format_test(test: dict | None) -> str:
    """Returns the perplexity of the test text in words."""
    if test is None:
        return "not measured (--notest)"
    return (
        f"{test['perplexity']:.2f} of {test['words']:,} words, "
        f"{test['unknown_words']:,} unknown (last epoch)"
    )


def _samples(loop, data: TextData, config: TrainingConfig) -> list[str]:
    """Returns a few sentences, drawn with the averaged weights."""
    return sample(
        loop.step_by_step,
        config.hidden_size,
        data.vocabulary.words,
        EOS,
        UNKNOWN,
        sentences=4,
        longest=30,
        seed=config.seed,
    )
