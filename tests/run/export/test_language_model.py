"""Refusals of the export of a language model; its use: test_stranger.py."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.data.text.splitting import BLANKS, split_words
from darts_tf.data.text.vocabulary import Vocabulary
from darts_tf.errors import InputError
from darts_tf.networks.language import LanguageModel
from darts_tf.networks.recurrent import DerivedCell
from darts_tf.run.export.language_model import export_language_model
from darts_tf.space.published import load_genotype

WORDS = ("<eos>", "<unk>", "the", "value", "of", "x")
H = 4


def built(cell=None) -> LanguageModel:
    if cell is None:
        cell = load_genotype("DARTS_V2", "darts_recurrent").cells["recurrent"]
    model = LanguageModel(DerivedCell(cell, H), len(WORDS))
    model(tf.zeros((1, 1), tf.int32), tf.zeros((1, H)))
    for number, v in enumerate(model.trainable_variables):
        rng = np.random.default_rng(number)
        v.assign(rng.normal(0, 0.5, v.shape))
    return model


@pytest.fixture(scope="module")
def model() -> LanguageModel:
    return built()


def export(model, folder, **more):
    arguments = {
        "state_size": H,
        "words": WORDS,
        "end": "<eos>",
        "unknown": "<unk>",
        "blanks": BLANKS,
        "folder": folder,
        "metadata": {"seed": 3},
    }
    return export_language_model(
        lambda ids, state: model(ids, state)[:2], model, **arguments | more
    )


def test_what_cannot_be_exported(model, tmp_path):
    with pytest.raises(InputError, match="<unk>"):
        export(model, tmp_path / "a", words=("<eos>", "b"))
    with pytest.raises(InputError, match="JSON"):
        export(model, tmp_path / "b", metadata={"x": object()})
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "mine.txt").write_text("keep me")
    with pytest.raises(InputError, match="is no export"):
        export(model, tmp_path / "c")
    assert [p.name for p in tmp_path.iterdir()] == ["c"]


@pytest.mark.slow
def test_an_export_splits_and_looks_up_as_training_does(model, tmp_path):
    """Its logits say which word came last, so each text shows its last word."""
    words = ("<eos>", "<unk>", "the", "The", "\ufeffx", "\u200bx", "e\u0301", "\xe9")
    vocabulary = Vocabulary(words)

    def forward(ids, state):
        return tf.transpose(100.0 * tf.one_hot(ids, len(words)), [1, 0, 2]), state

    folder = tmp_path / "export"
    export_language_model(
        forward,
        model,
        state_size=H,
        words=words,
        end="<eos>",
        unknown="<unk>",
        blanks=BLANKS,
        folder=folder,
        metadata={},
    )
    serve = tf.saved_model.load(str(folder)).signatures["serving_default"]
    texts = [f"a{chr(code)}the" for code in _all_code_points()]
    texts += _random_texts(np.random.default_rng(0), words)
    output = serve(text=tf.constant(texts))["words"][:, 0].numpy()
    for text, word in zip(texts, output, strict=True):
        last = split_words(text)[-1:] or ["<eos>"]
        expected = words[vocabulary.index(last[0])]
        assert word.decode() == expected, ascii(text)


def _all_code_points() -> list[int]:
    """Returns all but halves of surrogate pairs, which no UTF-8 text has."""
    few = range(1, 0x3100)  # beyond are no blanks: test_splitting
    return [code for code in (*few, 0xFEFF, 0x10FFFF) if not 0xD800 <= code < 0xE000]


def _random_texts(random, words) -> list[str]:
    parts = [*words, *BLANKS, "unknown", "\u200b", "\ufeff", "\U0001f600"]
    return ["".join(random.choice(parts, random.integers(0, 12))) for _ in range(500)]
