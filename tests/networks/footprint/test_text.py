"""Sizes of language models, against the loop's graph and real weights."""

from __future__ import annotations

import math

import pytest
import tensorflow as tf

from darts_tf.networks.footprint import text
from darts_tf.networks.language import Dropouts, LanguageModel, window_loss
from darts_tf.networks.recurrent import DerivedCell, MixedCell
from darts_tf.space.cell import CellSpec, SearchSpace
from darts_tf.space.published import RECURRENT
from darts_tf.space.recurrent import CANDIDATES
from darts_tf.strategy.darts import bilevel
from darts_tf.strategy.darts.text_task import search_loss

B, T, H, V = 60, 4, 5, 7
DROPOUTS = Dropouts(0.1, 0.2, 0.75, 0.25, 0.75)
SPEC = CellSpec("recurrent", 1, 3, (CANDIDATES,) * 6, 1, (1, 2, 3))
SPACE = SearchSpace("darts_recurrent", (SPEC,), CANDIDATES, "identity")
DERIVED = RECURRENT["DARTS_V2"].cells["recurrent"]


def kept(loss, w, alpha) -> float:
    """Multiples of H that the forward loop keeps for a word, beside inputs.

    What it pushes to lists for the backward loop, and what it gives.
    """
    ids = tf.zeros((B, T), tf.int32)
    batch = ids, ids, tf.zeros([B], tf.bool), tf.zeros((B, H))
    graph = (
        tf.function(bilevel.grad_w_alpha)
        .get_concrete_function(loss, w, alpha, batch, tf.constant([0, 0]))
        .graph
    )
    loops = [o for o in graph.get_operations() if o.type.endswith("While")]
    forward = min(loops, key=lambda o: "gradient_tape" in o.name)
    body = graph._get_function(forward.get_attr("body").name).graph
    lists = ("TensorListPushBack", "TensorListSetItem")
    pushed = [o for o in body.get_operations() if o.type in lists]
    return sum(math.prod(o.inputs[-1].shape) for o in pushed) / (B * H)


@pytest.mark.slow
def test_search():
    model = LanguageModel(MixedCell(SPACE, H), V, DROPOUTS)
    alpha = tf.zeros(SPEC.alpha_shape)
    model(tf.zeros((1, 1), tf.int32), tf.zeros((1, H)), weights=alpha)
    w = [tf.zeros(v.shape) for v in model.trainable_variables]
    counted = kept(search_loss(model, 1e-3), w, [alpha])
    assert text.mixed_cell(SPEC) == pytest.approx(counted, rel=0.02)
    sizes = text.search(SPEC, H, V, T)
    assert sizes.weights == sum(math.prod(v.shape) for v in w)
    assert sizes.operations == 6 * 5


def test_training():
    model = LanguageModel(DerivedCell(DERIVED, H), V, DROPOUTS)
    model(tf.zeros((1, 1), tf.int32), tf.zeros((1, H)))
    w = [tf.zeros(v.shape) for v in model.trainable_variables]

    def loss(w, alpha, batch, seed):
        return window_loss(model, w, batch, seed, 1e-3)

    counted = kept(loss, w, [])
    found = text.derived_cell(DERIVED)
    assert found == pytest.approx(counted, rel=0.02)
    sizes = text.training(DERIVED, H, V, T)
    assert sizes.weights == sum(math.prod(v.shape) for v in w)
    assert sizes.operations == 8


def test_a_window_grows_with_words_and_vocabulary():
    one = text.search(SPEC, H, V, 1)
    # Six edges of 4 + 4; four nodes; node 0, the mean and the output: 7.
    assert one.kept() == (6 * 8 + 4 + 7 + 5) * H + 2 * V
    assert text.search(SPEC, H, V, 9).kept() == 9 * one.kept()
    wider = text.search(SPEC, H, V + 10, 1)
    assert wider.kept() == one.kept() + 2 * 10
    assert wider.weights == one.weights + 10 * (H + 1)
