"""Steps that XLA compiles, and TensorFlow's options."""

import pytest
import tensorflow as tf

from darts_tf.config import DerivationConfig, SearchConfig, TrainingConfig
from darts_tf.config_rules import applicable, settle
from darts_tf.descent.replicas import Replicas
from darts_tf.errors import InputError
from darts_tf.programs import derive, evaluate, search, setup
from darts_tf.run.lock import FolderInUse, FolderLock
from darts_tf.run.workdir import open_workdir, read_settings
from tests.traced_sums import longest_sum


@pytest.mark.parametrize(
    ("jit", "space", "supernet", "given"),
    [
        ("auto", "s1", True, "off"),
        ("off", "s1", True, "off"),
        ("on", "s1", True, "off"),
        ("on", "nasbench201", True, "on"),
        ("auto", "nasbench201", True, "off"),
        ("auto", "s1", False, "auto"),
        ("on", "s1", False, "on"),
    ],
)
def test_steps_that_xla_compiles(monkeypatch, jit, space, supernet, given):
    seen = []
    monkeypatch.setattr(setup, "replicas_for", lambda *values: seen.append(values))
    config = SearchConfig(distribute="one_device", jit=jit, space=space)
    with setup.restored_options():
        setup.prepare(config, space, supernet=supernet)
    assert seen == [("one_device", given)]


NO_DATA = {"dataset": "folder", "data_dir": "missing"}


@pytest.mark.parametrize(
    ("program", "config"),
    [
        (search, SearchConfig(**NO_DATA)),
        (search, SearchConfig(strategy="random_weight_sharing", **NO_DATA)),
        (search, SearchConfig(strategy="random", budget_evaluations=1, **NO_DATA)),
        (evaluate, TrainingConfig(genotype="DARTS_V2", **NO_DATA)),
    ],
)
def test_a_held_folder_is_told_before_data_are_read(program, config, tmp_path):
    with pytest.raises(InputError, match="missing"):
        program.run(config, tmp_path)
    holder = FolderLock(tmp_path)
    with pytest.raises(FolderInUse):
        program.run(config, tmp_path)
    holder.release()


def test_a_derivation_is_told_too(tmp_path):
    open_workdir(tmp_path, applicable(SearchConfig(**NO_DATA)), "").close()
    (tmp_path / "perturbation").mkdir()
    holder = FolderLock(tmp_path / "perturbation")
    with pytest.raises(FolderInUse):
        derive.run(DerivationConfig(method="perturbation"), tmp_path)
    holder.release()


def test_flags_txt_repeats_the_whole_run(tmp_path):
    """And not one start of it, that stopped early."""
    config = settle(TrainingConfig(genotype="DARTS_V2", stop_after_epochs=2, epochs=9))
    with setup.open_run("evaluate", config, tmp_path, Replicas("one_device")):
        pass
    flags = (tmp_path / "flags.txt").read_text()
    assert "--epochs=9" in flags and "stop_after" not in flags
    assert read_settings(tmp_path)["stop_after_epochs"] == 2


@pytest.mark.parametrize("deterministic", [False, True])
def test_sums_are_ordered_in_deterministic_runs(monkeypatch, deterministic):
    experimental = tf.config.experimental
    monkeypatch.setattr(experimental, "enable_op_determinism", lambda: None)
    with setup.restored_options():
        setup.prepare(
            TrainingConfig(distribute="one_device", deterministic=deterministic),
            "darts_recurrent",
        )
        sums = tf.function(lambda x: tf.add_n([x, x, x]))
        assert longest_sum(sums, tf.TensorSpec([2])) == (2 if deterministic else 3)


@pytest.mark.parametrize(
    "space, images",
    [
        ("darts_conv", True),
        ("nasbench201", True),
        ("darts_recurrent", False),
    ],
)
def test_options_are_for_supernets_of_images(monkeypatch, space, images):
    called = []
    monkeypatch.setattr(setup, "_owns_process", True)
    for name in ("divide_by_kernels", "disable_grappler"):
        monkeypatch.setattr(setup, name, lambda name=name: called.append(name))
    setup.supernet_options(space)
    assert bool(called) == images and len(called) == 2 * images


@pytest.mark.parametrize(
    "exact, recompute, does",
    [
        ([], True, False),
        (["method"], False, False),
        (["method"], True, True),
        (["lambda_gradient"], False, True),
    ],
)
def test_which_searches_differentiate_gradients(exact, recompute, does):
    assert setup.differentiates_gradients(exact, recompute) == does


def test_a_library_leaves_the_callers_options_as_they_were(monkeypatch):
    options = setup.tf.config.optimizer
    monkeypatch.setattr(
        setup, "divide_by_kernels", lambda: pytest.fail("threads stay divided")
    )
    options.set_experimental_options({"disable_meta_optimizer": False})
    setup.keras.config.enable_traceback_filtering()  # as it is for a caller
    try:
        with setup.restored_options():
            setup.supernet_options("darts_conv")
            setup.keras.config.disable_traceback_filtering()
            assert options.get_experimental_options()["disable_meta_optimizer"]
        assert not options.get_experimental_options()["disable_meta_optimizer"]
        assert setup.keras.config.is_traceback_filtering_enabled()
    finally:
        options.set_experimental_options({"disable_meta_optimizer": True})
