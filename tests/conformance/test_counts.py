"""Parameter counts of full-size networks, against the authors' code."""

from __future__ import annotations

import json
import os
import pathlib
import re

import numpy as np
import pytest

from darts_tf.networks.conv import (
    EvaluationNetwork,
    MobileNetwork,
    Supernet,
)
from darts_tf.space import conv
from darts_tf.space.published import CONVOLUTIONAL

HERE = pathlib.Path(__file__).parent.parent / "goldens"
FOLDER = pathlib.Path(os.environ.get("DARTS_TF_GOLDENS", HERE))


def count_cases():
    counts = json.loads((FOLDER / "param_counts.json").read_text())
    kinds = {"cifar10", "imagenet", "ptb", "wt2"}
    assert all(key.split("/")[1] in kinds for key in counts)
    return [k for k in counts if re.search("cifar10|imagenet", k)], counts


@pytest.mark.slow
@pytest.mark.parametrize("key", count_cases()[0])
def test_parameter_count(key):
    genotype, data, channels, layers, auxiliary = key.split("/")
    kind, classes, size = {
        "cifar10": (EvaluationNetwork, 10, 32),
        "imagenet": (MobileNetwork, 1000, 224),
    }[data]
    model = kind(
        CONVOLUTIONAL[genotype],
        int(channels[1:]),
        int(layers[1:]),
        classes,
        auxiliary == "aux1",
    )
    model.build((None, size, size, 3))
    total = sum(np.prod(v.shape) for v in model.trainable_variables)
    assert total == count_cases()[1][key]


@pytest.mark.slow
def test_supernet_of_the_paper_has_1930618_weights():
    model = Supernet(conv.SPACE, 16, 8, 10)
    model.build((None, 32, 32, 3))
    total = sum(np.prod(v.shape) for v in model.trainable_variables)
    assert total == 1_930_618
