"""--estimator=one_shot on the supernets of both kinds of search."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.config import SearchConfig, TrainingConfig
from darts_tf.config_rules import applicable
from darts_tf.descent.replicas import Replicas
from darts_tf.errors import InputError
from darts_tf.networks.compiled.flat_weights import FlatWeights
from darts_tf.networks.transfer.inheritance import from_supernet
from darts_tf.programs import black_box_search, weight_sharing
from darts_tf.programs.estimators import OneShot
from darts_tf.programs.images import ImageProgramTask, build_evaluation_network
from darts_tf.programs.supernets import trained_supernet
from darts_tf.run.loop import checkpoints
from darts_tf.run.workdir import Workdir, open_workdir
from darts_tf.space.nasbench201 import SPACE
from darts_tf.strategy.black_box.random_choice import random_genotype
from darts_tf.strategy.darts.discretisation import genotype_weights

USUAL = SearchConfig(
    space="nasbench201",
    dataset="digits",
    examples=200,
    crop_padding=0,
    flip=False,
    seed=3,
    channels=2,
    layers=3,
    epochs=1,
    batch_size=16,
    learning_rate=0.1,
    learning_rate_min=0.0,
    weight_decay=0.0,
)
SHARING = USUAL.replace(
    strategy="random_weight_sharing", final_evaluations=3, measured_batches=2
)
DARTS = USUAL.replace(method="first_order", instruments=())
ONE = Replicas("one_device")
CELLS = [random_genotype(SPACE, seed) for seed in range(3)]


def left(folder, config, loop):
    """The folder of a search that stopped after two steps."""
    open_workdir(folder, applicable(config), "").close()
    for _ in range(2):
        loop.advance()
    checkpoints.save(folder / "checkpoints", 2, loop.state())
    return folder


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """(its loop, its folder)."""
    loop = weight_sharing.build(SHARING, ONE, ImageProgramTask().search_data(SHARING))
    folder = tmp_path_factory.mktemp("runs") / "shared"
    return loop, left(folder, SHARING, loop)


def asking(supernet, **more):
    values = {
        "space": "nasbench201",
        "strategy": "random",
        "estimator": "one_shot",
        "supernet": str(supernet),
        "measured_batches": 2,
    }
    return SearchConfig(**values | more)


def test_the_next_command_is_for_the_images_of_the_supernet(tmp_path):
    folder = tmp_path / "shared"
    open_workdir(folder, applicable(SHARING), "").close()
    workdir = Workdir(tmp_path / "asking")
    assert "--dataset=digits" in black_box_search._next(workdir, asking(folder), {})


@pytest.mark.slow
def test_says_what_the_search_itself_would_measure(shared, tmp_path):
    loop, folder = shared
    estimator = OneShot(asking(folder), ONE)
    for cell in CELLS:
        found = estimator(cell, tmp_path / "unused")
        assert found.worth == loop.accuracy(cell)
        assert found.valid == {
            "accuracy": found.worth,
            "images": 32,
            "supernet_step": 2,
        }
        share = found.worth
        assert found.deviation == pytest.approx(np.sqrt(share * (1 - share) / 32))
    assert len({estimator(cell, tmp_path).worth for cell in CELLS}) > 1
    assert not (tmp_path / "unused").exists()
    every = OneShot(asking(folder, measured_batches=0), ONE)(CELLS[0], "")
    assert every.valid["images"] == 96


@pytest.mark.slow
def test_a_supernet_that_alpha_was_learnt_on(tmp_path):
    task = ImageProgramTask()
    loop = task.search(DARTS, ONE, task.search_data(DARTS))
    folder = left(tmp_path / "darts", DARTS, loop)
    net = trained_supernet(asking(folder), ONE)
    row = loop.state()["w/00000"]
    mine = [v.numpy().ravel() for v in net.model.trainable_variables]
    np.testing.assert_array_equal(np.concatenate(mine), row)
    assert not np.array_equal(FlatWeights(loop.task.model).packed(), row)
    found = OneShot(asking(folder), ONE)(CELLS[1], "")
    rows = np.zeros((6, 5), np.float32)
    targets = [1, 2, 2, 3, 3, 3]  # of the cell's edges, in its own order
    for (name, source), target in zip(CELLS[1].cells["cell"].edges, targets):
        row = {(0, 1): 0, (0, 2): 1, (1, 2): 2, (0, 3): 3, (1, 3): 4, (2, 3): 5}[
            source, target
        ]
        rows[row, SPACE.cells[0].candidates[0].index(name)] = 1
    hits = [
        net.model(pixels, [tf.constant(rows)] * 3, training=True).numpy().argmax(-1)
        == labels.numpy()
        for pixels, labels in loop.task.valid_batches(2)
    ]
    assert found.worth == pytest.approx(np.mean(hits))


@pytest.mark.slow
def test_a_plain_supernet_gives_its_weights_to_an_heir(tmp_path):
    config, task = DARTS.replace(compiled=False), ImageProgramTask()
    loop = task.search(config, ONE, task.search_data(config))
    for variable in loop.task.w:  # as if it had been trained
        variable.assign_add(tf.ones_like(variable))
    open_workdir(tmp_path, applicable(config), "").close()
    checkpoints.save(tmp_path / "checkpoints", 1, loop.state())
    net = trained_supernet(asking(tmp_path), ONE).model
    assert net.plain_edges
    for mine, its in zip(net.trainable_variables, loop.task.w, strict=True):
        np.testing.assert_array_equal(mine, its)
    heir = build_evaluation_network(
        TrainingConfig(space="nasbench201", channels=2, layers=3, flip=False),
        CELLS[1],
        net.classifier.kernel.shape[-1],
        (8, 8, 1),
        ONE,
    )
    from_supernet(net, heir)
    rows = tf.constant(genotype_weights(SPACE, CELLS[1])["cell"])
    (images, _), _ = loop.task.fixed_batches()
    wanted = net(images, [rows] * 3, training=True)
    np.testing.assert_allclose(heir(images, training=True), wanted, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize(
    "changed, words",
    [
        ({"space": "darts_conv"}, "searched space 'darts_conv'"),
        ({"genotype": "DARTS_V2"}, "is an evaluation"),
        ({"strategy": "evolution"}, "evolution`, which trains none"),
        ({"partial_channels": 2}, "no operation on all channels"),
        ({"optimization": "joint_alternating"}, "have seen all images"),
        ({}, "has no checkpoint in"),
    ],
)
def test_a_folder_that_has_no_such_supernet(changed, words, tmp_path):
    open_workdir(tmp_path, applicable(SHARING) | changed, "").close()
    with pytest.raises(InputError, match=words):
        OneShot(asking(tmp_path), ONE)


@pytest.mark.slow
def test_other_bad_input(shared, tmp_path):
    _, folder = shared
    with pytest.raises(InputError, match="`supernet`: .* is no folder"):
        OneShot(asking(tmp_path / "missing"), ONE)
    with pytest.raises(InputError, match="supernet of images"):
        OneShot(asking(folder, space="darts_recurrent"), ONE)
    with pytest.raises(InputError, match="`measured_batches=7`"):
        OneShot(asking(folder, measured_batches=7), ONE)


@pytest.mark.slow
def test_what_is_left_of_a_finished_search(shared, tmp_path):
    loop, _ = shared
    before = loop.state()
    while loop.step < loop.total_steps:
        loop.advance()
    lines = map(json.loads, weight_sharing.ranking(loop).splitlines())
    found = list(lines)
    assert [line["worth"] for line in found] == loop.worths
    assert [line["step"] for line in found] == [1, 2, 3]
    best = int(np.argmax(loop.worths))
    assert found[best]["genotype"] == json.loads(loop.best_genotype().to_json())
    loop.restore(before)
