"""Refusals of the export of a language model; its use: test_stranger.py."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

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
