"""Errors about the division of images name the flag and the part."""

from __future__ import annotations

import numpy as np
import pytest

from darts_tf.config import SearchConfig, TrainingConfig
from darts_tf.data.images.dataset import ImageData, Part
from darts_tf.errors import InputError
from darts_tf.programs.image_data import load_data


def data(count: int, rare: int = 0) -> ImageData:
    """Images of two classes, and some of a third."""
    labels = np.array([i % 2 for i in range(count)] + [2] * rare, np.int32)
    part = Part(np.zeros((len(labels), 4, 4, 1), np.uint8), labels)
    names = ("cats", "dogs", "mice")[: 3 if rare else 2]
    return ImageData("arrays", names, part, lambda: part)


@pytest.mark.parametrize(
    "config, fractions, words",
    [
        (
            SearchConfig(batch_size=30, train_portion=0.8),
            [0.8, 0.2],
            "`batch_size=30` is larger than the part for alpha, which has 8 of 40 "
            "training images (`train_portion=0.8`); give at most `batch_size=8`",
        ),
        (
            TrainingConfig(genotype="-", batch_size=30, valid_fraction=0.5),
            [0.5, 0.5],
            "`batch_size=30` is larger than the part for training, which has 20 of 40 "
            "training images (`valid_fraction=0.5`); give at most `batch_size=20`",
        ),
        (
            SearchConfig(
                batch_size=30, strategy="random", budget_evaluations=2, epochs=1
            ),
            [0.5, 0.5],
            "`batch_size=30` is larger than the part for training, which has 20 of 40 "
            "training images (`valid_fraction=0.5`); give at most `batch_size=20`",
        ),
    ],
)
def test_a_batch_larger_than_a_part(config, fractions, words):
    with pytest.raises(InputError) as error:
        load_data(config, fractions, data(40))
    assert str(error.value) == words


def test_a_folder_that_is_not_given_is_not_read(capsys):
    config = TrainingConfig(genotype="-", dataset="folder")
    with pytest.raises(InputError, match="^`dataset=folder` needs `data_dir`"):
        load_data(config, [1.0])
    assert not capsys.readouterr().out


def test_a_class_too_small_for_two_parts():
    words = "^`train_portion=0.5`: class 'mice' has 1 examples, too few for parts of"
    with pytest.raises(InputError, match=words):
        load_data(SearchConfig(batch_size=4), [0.5, 0.5], data(40, rare=1))
