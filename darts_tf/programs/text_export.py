"""Exports language models in each format."""

from __future__ import annotations

from collections.abc import Sequence

from darts_tf.data.text.loading import EOS, UNKNOWN, TextData, load_text
from darts_tf.data.text.splitting import BLANKS
from darts_tf.errors import InputError
from darts_tf.networks.language import LanguageModel
from darts_tf.programs.export_request import ExportRequest, lines
from darts_tf.run.export import language_litert, language_model, litert

HELD_OUT = 1000
"""Words of the validation text by which perplexity is measured again."""


def write(model: LanguageModel, request: ExportRequest, words: Sequence[str]) -> str:
    """Writes the export that was asked for; returns a summary.

    Raises:
      InputError: a format or quantisation that language models do not have.
    """
    _check(request)
    metadata = {n: v for n, v in request.result.items() if n != "data"}
    if request.config.format == "litert":
        return _write_litert(model, request, words, metadata)
    language_model.export_language_model(
        lambda ids, state: model(ids, state)[:2],
        model,
        state_size=request.trained.hidden_size,
        words=words,
        end=EOS,
        unknown=UNKNOWN,
        blanks=BLANKS,
        folder=request.folder,
        metadata=metadata,
    )
    rows = [("takes", "texts (words separated by blanks), or ids and a state")]
    usage = language_model.usage_example(request.folder)
    return lines(f"SavedModel: {request.folder}", rows, usage)


def _check(request: ExportRequest) -> None:
    if request.config.format == "onnx":
        raise InputError(
            "`format=onnx` is for networks of images (the converter has no loop over "
            "time); for a language model give `format=saved_model` or `format=litert`"
        )
    if request.config.quantize == "int8":
        raise InputError(
            "`quantize=int8` is for networks of images; for a language model give "
            "`quantize=dynamic` (weights of 8 bits)"
        )


def _write_litert(model, request: ExportRequest, words, metadata: dict) -> str:
    size = request.trained.hidden_size
    text = request.divided_data(
        lambda config, data: data or load_text(config.dataset, config.data_dir)
    )
    values = language_litert.export_litert(
        model.step,
        model,
        state_size=size,
        words=words,
        folder=request.folder,
        metadata=metadata,
        quantize=request.config.quantize,
        held_out=None if text is None else _held_out(text, words),
    )
    rows = [
        ("takes", "ids int32 [batch] of words and a state, and gives the next state")
    ]
    rows += language_litert.summary(values)
    usage = language_litert.usage_example(request.folder, size, EOS, UNKNOWN)
    path = request.folder / litert.FILE
    return lines(f"LiteRT, quantize={request.config.quantize}: {path}", rows, usage)


def _held_out(text: TextData, words: Sequence[str]):
    if tuple(text.vocabulary.words) != tuple(words):
        raise InputError(
            "the vocabulary of the training text is another now than when the model "
            "was trained; put the old text back"
        )
    return text.valid[:HELD_OUT]
