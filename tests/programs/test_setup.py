"""What the entry points share: which steps XLA compiles, and threads."""

import pytest

from darts_tf.programs import setup


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
    monkeypatch.setattr(setup.space_flags, "check_space", lambda flags: None)
    flags = setup.StoredFlags(
        {
            "seed": 0,
            "deterministic": False,
            "distribute": "one_device",
            "jit": jit,
            "space": space,
        }
    )
    setup.prepare(flags, supernet=supernet)
    assert seen == [("one_device", given)]


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
