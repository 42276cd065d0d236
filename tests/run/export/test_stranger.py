"""Both exports, used as their examples say where darts_tf is not.

One process loads both: to start TensorFlow takes longer than all else.
"""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from darts_tf.data.images.resize import resize
from darts_tf.networks.conv import EvaluationNetwork
from darts_tf.run.export import image_model, language_model
from darts_tf.space.published import load_genotype
from tests.run.export import test_image_model as images
from tests.run.export import test_language_model as texts

# Like a user's program: isolated from this folder, nothing but TensorFlow.
STRANGER = """
import json, sys
import numpy as np
sys.modules["darts_tf"] = None  # importing it raises
sys.modules["keras"] = None
answers = sys.argv[1]
{image_example}
images = np.load("images.npy", allow_pickle=False)
output = model.signatures["serving_default"](images=tf.constant(images))
np.savez("images.npz", names=names, **{{k: v.numpy() for k, v in output.items()}})
try:  # here with TensorFlow's own optimisations of graphs
    model.signatures["serving_default"](images=tf.zeros([1, 16, 16, 3], tf.uint8))
    print("taken")
except tf.errors.InvalidArgumentError as error:
    print("refused" if "takes images of 32 x 32 pixels" in str(error) else error)
{text_example}
out = model.signatures["serving_default"](
    text=tf.constant(["the value", "value unheard of x", ""]))
step = model.signatures["step"]
state = tf.zeros([1, 4])
for ids in ([[0]], [[2]], [[3]]):  # <eos> the value, word by word
    next_word = step(ids=tf.constant(ids), state=state)
    state = next_word["state"]
with open(answers, "w") as stream:
    json.dump({{
        "words": out["words"].numpy().astype(str).tolist(),
        "p": out["probabilities"].numpy().tolist(),
        "logs": next_word["log_probabilities"][0, -1].numpy().tolist(),
        "vocabulary": model.words.numpy().astype(str).tolist(),
        "metadata": json.loads(model.metadata.numpy()),
    }}, stream)
"""


@pytest.fixture(scope="module")
def network() -> EvaluationNetwork:
    genotype = load_genotype("DARTS_V2")
    network = EvaluationNetwork(
        genotype, channels=4, layers=3, classes=10, auxiliary=True
    )
    assert any("aux" in v.path for v in images.built(network, size=32).variables)
    return network


@pytest.fixture(scope="module")
def model():
    return texts.built()


@pytest.fixture(scope="module")
def answers(network, model, tmp_path_factory):
    """The folder with the answers of both exports."""
    exports = tmp_path_factory.mktemp("exports")
    folder = tmp_path_factory.mktemp("elsewhere")
    sent = images.network(
        network, size=32, scaling="whole", example=str(folder / "photo.png")
    )
    image = image_model.export_saved_model(sent, exports / "image")
    photo = np.random.default_rng(1).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    Image.fromarray(photo).save(folder / "photo.png")
    text = texts.export(model, exports / "text")
    np.save(folder / "images.npy", images.random_images(7, 32))
    script = exports / "stranger.py"
    script.write_text(
        STRANGER.format(
            image_example=image_model.usage_example(image, sent.takes),
            text_example=language_model.usage_example(text),
        )
    )
    done = subprocess.run(
        [sys.executable, "-I", script, "texts.json"],
        check=True,
        cwd=folder,
        timeout=120,
        stdout=subprocess.PIPE,
        text=True,
    )
    (folder / "printed.txt").write_text(done.stdout)
    return folder


@pytest.mark.slow
def test_it_gets_the_networks_outputs(answers, network):
    answer = np.load(answers / "images.npz", allow_pickle=False)
    wanted = images.expected(network, images.random_images(7, 32))
    scale = np.abs(wanted).max()
    np.testing.assert_allclose(answer["logits"], wanted, atol=1e-5 * scale)
    np.testing.assert_allclose(
        answer["probabilities"], tf.nn.softmax(wanted), atol=1e-5
    )
    assert list(answer["names"]) == images.NAMES


@pytest.mark.slow
def test_the_printed_example_names_the_class_of_a_file(answers, network):
    photo = np.asarray(Image.open(answers / "photo.png"))
    scaled = resize(photo, 32).numpy()[np.newaxis]  # as data/images/folder.py does
    probabilities = tf.nn.softmax(images.expected(network, scaled)).numpy()[0]
    name, p = (answers / "printed.txt").read_text().splitlines()[0].rsplit(" ", 1)
    assert name == images.NAMES[probabilities.argmax()]
    assert float(p) == pytest.approx(probabilities.max(), rel=1e-4)
    assert (answers / "printed.txt").read_text().splitlines()[1] == "refused"


def test_it_gets_the_models_words(answers, model):
    answer = json.loads((answers / "texts.json").read_text())
    assert answer["metadata"] == {"seed": 3}
    assert answer["vocabulary"] == list(texts.WORDS)
    sentences = [[0, 2, 3], [0, 3, 1, 4, 5], [0]]
    for ids, words, p in zip(sentences, answer["words"], answer["p"]):
        logits, _, _ = model(tf.constant([ids]), tf.zeros([1, texts.H]))
        wanted = tf.nn.softmax(logits[-1, 0]).numpy()
        order = np.argsort(-wanted)
        assert words == [texts.WORDS[i] for i in order]
        np.testing.assert_allclose(p, wanted[order], rtol=1e-5)
    first = dict(zip(answer["words"][0], answer["p"][0]))
    by_step = {w: np.exp(x) for w, x in zip(texts.WORDS, answer["logs"])}
    for word, p in first.items():
        assert p == pytest.approx(by_step[word], rel=1e-5)
