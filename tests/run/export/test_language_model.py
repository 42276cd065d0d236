"""A language model's SavedModel, loaded where darts_tf is not."""

from __future__ import annotations

import json
import os
import subprocess
import sys

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
STRANGER = """
import sys, json
import numpy as np, tensorflow as tf
model = tf.saved_model.load(sys.argv[1])
texts = ["the value", "value unheard of x", ""]
out = model.signatures["serving_default"](text=tf.constant(texts))
step = model.signatures["step"]
state = tf.zeros([1, 4])
for ids in ([[0]], [[2]], [[3]]):  # <eos> the value, word by word
    got = step(ids=tf.constant(ids), state=state)
    state = got["state"]
print(json.dumps({
    "words": out["words"].numpy().astype(str).tolist(),
    "p": out["probabilities"].numpy().tolist(),
    "logs": got["log_probabilities"][0, -1].numpy().tolist(),
    "vocabulary": model.words.numpy().astype(str).tolist(),
    "metadata": json.loads(model.metadata.numpy()),
    "darts": "darts_tf" in sys.modules,
}))
"""


@pytest.fixture(scope="module")
def model():
    cell = load_genotype("DARTS_V2", "darts_recurrent").cells["recurrent"]
    model = LanguageModel(DerivedCell(cell, H), len(WORDS))
    model(tf.zeros((1, 1), tf.int32), tf.zeros((1, H)))
    for number, v in enumerate(model.trainable_variables):
        rng = np.random.default_rng(number)
        v.assign(rng.normal(0, 0.5, v.shape))
    return model


def export(model, folder, **more):
    given = {
        "state_size": H,
        "words": WORDS,
        "end": "<eos>",
        "unknown": "<unk>",
        "folder": folder,
        "metadata": {"seed": 3},
    }
    return export_language_model(
        lambda ids, state: model(ids, state)[:2], model, **given | more
    )


def test_a_stranger_gets_the_models_words(model, tmp_path):
    folder = export(model, tmp_path / "export")
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", STRANGER, str(folder)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout)
    assert not found["darts"] and found["metadata"] == {"seed": 3}
    assert found["vocabulary"] == list(WORDS)
    texts = [[0, 2, 3], [0, 3, 1, 4, 5], [0]]
    for ids, words, p in zip(texts, found["words"], found["p"]):
        logits, _, _ = model(tf.constant([ids]), tf.zeros([1, H]))
        wanted = tf.nn.softmax(logits[-1, 0]).numpy()
        order = np.argsort(-wanted)
        assert words == [WORDS[i] for i in order]
        np.testing.assert_allclose(p, wanted[order], rtol=1e-5)
    first = dict(zip(found["words"][0], found["p"][0]))
    by_step = {w: np.exp(x) for w, x in zip(WORDS, found["logs"])}
    for word, p in first.items():
        assert p == pytest.approx(by_step[word], rel=1e-5)


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
