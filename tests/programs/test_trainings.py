"""Estimators that train: what each does otherwise than --estimator=full."""

from __future__ import annotations

import numpy as np
import pytest

from darts_tf.config import SearchConfig
from darts_tf.config_rules import applicable
from darts_tf.errors import InputError
from darts_tf.estimation.learning_curve import extrapolate
from darts_tf.programs import weight_sharing
from darts_tf.programs.images import ImageProgramTask
from darts_tf.programs.parent_networks import ancestor, relative
from darts_tf.programs.trainings import Full, LearningCurve, LowFidelity
from darts_tf.programs.weight_inheritance import Inherit
from darts_tf.run.loop import checkpoints
from darts_tf.run.loop.metrics import read_metrics
from darts_tf.run.workdir import open_workdir
from darts_tf.space.architecture_string import from_string
from tests.programs.test_supernets import ONE, SHARING, left

CELL = from_string(
    "|nor_conv_1x1~0|+|skip_connect~0|none~1|+|skip_connect~0|none~1|avg_pool_3x3~2|"
)
TRAINED = SearchConfig(
    space="nasbench201",
    strategy="random",
    dataset="digits",
    examples=200,
    crop_padding=0,
    flip=False,
    seed=3,
    valid_fraction=0.5,
    drop_path=0.0,
    channels=2,
    layers=3,
    epochs=4,
    batch_size=16,
    learning_rate=0.1,
    weight_decay=0.0,
    checkpoint_every=0,
    auxiliary_weight=0.0,
)


def flags(estimator, **more):
    return TRAINED.replace(estimator=estimator, **more)


def epochs_of(folder) -> list[dict]:
    records = read_metrics(folder / "metrics.jsonl")
    return [r for r in records if r["kind"] == "epoch"]


@pytest.mark.slow
def test_a_training_that_is_measured_early_goes_on_exactly(full, tmp_path):
    """As strategy=asha has it: one epoch, then all."""
    estimator = Full(flags("full"), ONE)
    early = estimator(CELL, tmp_path, 1)
    assert [r["epoch"] for r in epochs_of(tmp_path)] == [1]
    whole = estimator(CELL, tmp_path, 4)
    assert [r["epoch"] for r in epochs_of(tmp_path)] == [1, 2, 3, 4]
    estimate, folder = full
    assert whole.worth == estimate.worth and whole.seconds >= early.seconds
    accuracies = [r["valid/accuracy"] for r in epochs_of(folder)]
    assert accuracies == [r["valid/accuracy"] for r in epochs_of(tmp_path)]


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """(estimate, folder) of the training that the others are a part of."""
    folder = tmp_path_factory.mktemp("full")
    return Full(flags("full"), ONE)(CELL, folder), folder


@pytest.mark.slow
def test_low_fidelity_is_full_with_less(tmp_path):
    less = {"epochs": 1, "examples": 160, "channels": 1, "layers": 3, "image_size": 6}
    given = {f"fidelity_{n}": value for n, value in less.items()}
    one = LowFidelity(flags("low_fidelity", **given), ONE)(CELL, tmp_path / "one")
    other = Full(flags("full", **less), ONE)(CELL, tmp_path / "other")
    assert one.worth == other.worth and one.valid == other.valid
    assert one.valid["images"] == 79
    assert len(epochs_of(tmp_path / "one")) == 1


@pytest.mark.slow
def test_a_curve_is_the_beginning_of_the_full_training(full, tmp_path):
    found = LearningCurve(flags("learning_curve", curve_epochs=3), ONE)(CELL, tmp_path)
    seen, whole = epochs_of(tmp_path), epochs_of(full[1])
    assert len(seen) == 3 and len(whole) == 4
    shares = [r["valid/accuracy"] for r in seen]
    assert shares == [r["valid/accuracy"] for r in whole[:3]]
    assert (found.worth, found.deviation) == extrapolate(shares, 4, 99)
    assert found.valid["measured"] == pytest.approx(shares[-1])
    assert found.valid["accuracy"] == found.worth != shares[-1]


@pytest.mark.slow
def test_a_curve_cut_in_two_is_the_same(tmp_path):
    estimator = LearningCurve(flags("learning_curve", curve_epochs=2), ONE)
    whole = estimator(CELL, tmp_path / "whole")
    again = tmp_path / "again"
    steps = sorted((tmp_path / "whole" / "checkpoints").glob("step-*"))
    (again / "checkpoints").mkdir(parents=True)
    for name in (f"checkpoints/{steps[0].name}", "metrics.jsonl"):
        (again / name).write_bytes((tmp_path / "whole" / name).read_bytes())
    found = estimator(CELL, again)
    assert (found.worth, found.deviation) == (whole.worth, whole.deviation)


def test_a_curve_of_perplexities_is_refused():
    with pytest.raises(InputError, match="darts_recurrent` give another"):
        LearningCurve(flags("learning_curve", space="darts_recurrent"), ONE)


@pytest.fixture(scope="module")
def supernet(tmp_path_factory):
    loop = weight_sharing.build(SHARING, ONE, ImageProgramTask().search_data(SHARING))
    folder = tmp_path_factory.mktemp("runs") / "supernet"
    return str(left(folder, SHARING, loop))


@pytest.mark.slow
def test_an_heir_starts_from_the_supernets_weights(supernet, tmp_path):
    given = flags("inherit", supernet=supernet, learning_rate=0.0, epochs=1)
    found = Inherit(given, ONE)(CELL, tmp_path)
    assert found.valid["supernet_step"] == 2
    # At a rate of 0 the weights are still those that were taken.
    _, arrays = checkpoints.load_latest(tmp_path / "checkpoints")
    _, trained = checkpoints.load_latest(f"{supernet}/checkpoints")
    mine = [a for n, a in sorted(arrays.items()) if n.startswith("w/")]
    row = trained["w/00000"]
    np.testing.assert_array_equal(mine[0].ravel(), row[: mine[0].size])
    last = mine[-1].size  # of the classifier, as the first is of the stem
    np.testing.assert_array_equal(mine[-1].ravel(), row[-last:])


@pytest.mark.slow
@pytest.mark.parametrize(
    "changed",
    [
        {"channels": 1},
        {"seed": 4},
        {"valid_fraction": 0.4},
        {"dataset": "cifar10"},
        {"examples": 0},
        {"image_size": 9},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_an_heir_of_other_size_or_data_is_refused(supernet, changed):
    ((name, value),) = changed.items()
    words = f"`{name}={value}`, but `supernet=.*` needs"
    with pytest.raises(InputError, match=words):
        Inherit(flags("inherit", supernet=supernet, **changed), ONE)


IDENTITY = from_string(
    "|nor_conv_1x1~0|+|nor_conv_1x1~0|none~1|+|skip_connect~0|none~1|avg_pool_3x3~2|"
)


@pytest.mark.slow
def test_an_heir_grows_out_of_a_smaller_supernet(supernet, tmp_path):
    """A learning rate of 0 shows what was taken."""
    given = {"supernet": supernet, "learning_rate": 0.0, "epochs": 1}
    more = {"channels": 3, "layers": 6}
    small, large = (
        Inherit(flags("inherit", **given, **size), ONE)(IDENTITY, folder)
        for size, folder in (({}, tmp_path / "a"), (more, tmp_path / "b"))
    )
    assert small.valid["supernet_step"] == large.valid["supernet_step"] == 2
    assert "preserved" not in small.valid and large.valid["preserved"]
    losses = [first_loss(tmp_path / name) for name in "ab"]
    assert losses[1] == pytest.approx(losses[0], rel=1e-4)


def first_loss(folder) -> float:
    """Returns the loss of the first step that was reported."""
    steps = [r for r in read_metrics(folder / "metrics.jsonl") if "train/loss" in r]
    return steps[0]["train/loss"]


def test_cells_of_darts_are_not_added(tmp_path):
    stored = applicable(SHARING) | {"space": "darts_conv"}
    open_workdir(tmp_path, stored, "").close()
    given = flags(
        "inherit", supernet=str(tmp_path), space="darts_conv", layers=4, network="cifar"
    )
    with pytest.raises(InputError, match="none can be the identity; give .*layers=3"):
        Inherit(given, ONE)


@pytest.mark.slow
def test_a_child_goes_on_where_its_parent_ended(tmp_path):
    """A learning rate of 0 shows what was taken."""
    string = "|nor_conv_1x1~0|+|skip_connect~0|{}~1|+|none~0|none~1|skip_connect~2|"
    family = [
        from_string(string.format(name)) for name in ("none", "nor_conv_3x3", "none")
    ]
    given = {"supernet": None, "inherit_from": "parent", "epochs": 1}
    found = [Inherit(flags("inherit", **given), ONE)(family[0], tmp_path / "0001")]
    still = Inherit(flags("inherit", learning_rate=0.0, **given), ONE)
    for number, cell in enumerate(family[1:], 2):
        found.append(still(cell, tmp_path / f"{number:04d}"))
    told = [(x.valid.get("parent"), x.valid.get("preserved")) for x in found]
    # The last one finds the newest relative, which has a convolution more.
    assert told == [(None, None), (1, True), (2, False)]
    kept = [
        checkpoints.load_latest(tmp_path / f"000{i}" / "network")[1] for i in (1, 2, 3)
    ]
    last = [max(n for n in x if n.startswith("w/")) for x in kept]
    for arrays, name in zip(kept[1:], last[1:]):
        np.testing.assert_array_equal(kept[0]["w/00000"], arrays["w/00000"])
        np.testing.assert_array_equal(kept[0][last[0]], arrays[name])
    assert relative(family[1], tmp_path / "0002") == tmp_path / "0001"
    assert relative(family[1], tmp_path / "0001") is None
    assert relative(CELL, tmp_path / "0009") is None


@pytest.mark.slow
def test_parents_of_an_earlier_and_smaller_search(tmp_path):
    string = "|{}~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|"
    cells = [
        from_string(string.format(name))
        for name in ("none", "nor_conv_1x1", "nor_conv_3x3")
    ]
    given = {"supernet": None, "inherit_from": "parent", "epochs": 1}
    early = flags("inherit", **given)
    stored = applicable(early)
    open_workdir(tmp_path / "early", stored, "").close()
    Inherit(early, ONE)(cells[0], tmp_path / "early/evaluations/0001")
    Inherit(early, ONE)(cells[1], tmp_path / "early/evaluations/0002")
    more = given | {
        "channels": 3,
        "layers": 6,
        "learning_rate": 0.0,
        "parents": str(tmp_path / "early"),
    }
    late = Inherit(flags("inherit", **more), ONE)
    told = [
        late(cell, tmp_path / "late" / f"{n:04d}").valid
        for n, cell in enumerate(cells[:2], 1)
    ]
    expected = {"parent": 1, "preserved": True, "earlier": True}
    assert expected.items() <= told[0].items()
    # Then its own networks are parents first; at a rate of 0 none has moved.
    assert [x["parent"] for x in told] == [1, 1]
    assert all(x["preserved"] for x in told) and "earlier" not in told[1]
    for n, cell in enumerate(cells[:2], 1):
        folder = tmp_path / "early/evaluations" / f"{n:04d}"
        assert ancestor(cell, tmp_path / "early") == folder
    assert ancestor(cells[2], tmp_path / "early").name == "0002"
    assert ancestor(CELL, tmp_path / "early") is None


@pytest.mark.parametrize(
    "changed, words",
    [
        ({"inherit_from": "supernet"}, "keeps no networks"),
        ({"space": "s1"}, "searched space 's1'"),
        ({"seed": 9}, "`seed=3`, but `parents=.*` needs `seed=9`; give that"),
        ({"channels": 9}, "needs at least `channels=9`"),
        ({"layers": 9}, "at least .*layers=9"),
    ],
)
def test_parents_that_do_not_fit(changed, words, tmp_path):
    given = flags(
        "inherit", inherit_from="parent", supernet=None, parents=str(tmp_path)
    )
    stored = applicable(given)
    open_workdir(tmp_path, stored | changed, "").close()
    with pytest.raises(InputError, match=words):
        Inherit(given, ONE)
    missing = given.replace(parents=str(tmp_path / "none"))
    with pytest.raises(InputError, match="`parents`: .* no folder of a run"):
        Inherit(missing, ONE)


def test_inheritance_is_for_images():
    with pytest.raises(InputError, match="give another one"):
        Inherit(flags("inherit", space="darts_recurrent"), ONE)
