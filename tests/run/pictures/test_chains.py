"""The picture of a chain, and of the mixing weights of its layers."""

from __future__ import annotations

import numpy as np

from darts_tf.run.pictures import genotypes
from darts_tf.space.chain import SPACE
from darts_tf.space.published import any_genotype

MOBILENET = any_genotype("MobileNetV2")


def texts(figure, gid: str) -> list[str]:
    return [t.get_text() for t in figure.axes[0].texts if t.get_gid() == gid]


def test_a_chain_is_a_row_of_blocks():
    figure = genotypes.draw_genotype(MOBILENET)
    labels = texts(figure, "label")
    assert len(labels) == 3 + 21 and labels.count("skip") == 5
    assert labels.count("3x3\ne6") == 16
    assert texts(figure, "title") == ["mobile_chain: 16 of 21 layers"]
    notes = texts(figure, "stage")
    assert notes[0] == "32 channels\nstride 2" and notes[-2:] == ["320", "1280"]
    boxes = [p for p in figure.axes[0].patches if p.get_gid() == "block"]
    rights = [box.get_x() + box.get_width() for box in boxes]
    lefts = [box.get_x() for box in boxes]
    assert all(left > right for left, right in zip(lefts[1:], rights))
    assert rights[-1] < figure.get_figwidth()


def test_each_layer_has_a_chart_and_a_row():
    history = {
        spec.name: np.random.default_rng(0).dirichlet(
            np.ones(spec.alpha_shape[1]), (3, spec.alpha_shape[0])
        )
        for spec in SPACE.cells
    }
    charts = genotypes.draw_alpha_history(SPACE, history, MOBILENET)
    heads = texts(charts, "edge")
    assert sorted(heads) == sorted(f"layer {n}" for n in range(1, 22))
    now = {kind: curves[-1] for kind, curves in history.items()}
    genotypes.draw_alpha(SPACE, now, MOBILENET)
