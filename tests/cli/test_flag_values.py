"""The values of a run's flags as a flagfile and as a hash."""

from __future__ import annotations

import pytest
from absl import flags

from darts_tf.cli import flag_values, space_flags

GIVEN = {
    "epochs": 3,
    "rate": 1e-05,
    "flip": False,
    "download": True,
    "batches": ["8", "32"],
    "none": [],
    "name": "a b",
    "data_dir": None,
}


def defined() -> flags.FlagValues:
    """Flags of the kinds of GIVEN, with other values."""
    own = flags.FlagValues()
    flags.DEFINE_integer("epochs", 1, "", flag_values=own)
    flags.DEFINE_float("rate", 1.0, "", flag_values=own)
    flags.DEFINE_bool("flip", True, "", flag_values=own)
    flags.DEFINE_bool("download", False, "", flag_values=own)
    flags.DEFINE_list("batches", [], "", flag_values=own)
    flags.DEFINE_list("none", ["some"], "", flag_values=own)
    flags.DEFINE_string("name", "", "", flag_values=own)
    flags.DEFINE_string("data_dir", None, "", flag_values=own)
    return own


def test_a_flagfile_gives_the_values_again(tmp_path):
    path, own = tmp_path / "flags.txt", defined()
    path.write_text(flag_values.as_flagfile(GIVEN))
    own(["program", f"--flagfile={path}"])
    assert {name: own[name].value for name in GIVEN} == GIVEN


def test_its_lines_are_sorted_and_leave_out_what_is_not_set():
    text = flag_values.as_flagfile({"b": 2, "c": None, "a": True})
    assert text == "--a\n--b=2\n"


@pytest.mark.parametrize("name", flag_values.PLACE_FLAGS)
def test_the_hash_does_not_know_where_things_lie(name):
    usual = {"epochs": 3, name: "x"}
    first = flag_values.digest(usual)
    assert len(first) == 16
    assert flag_values.digest(usual | {name: "y"}) == first
    assert flag_values.digest({name: "x", "epochs": 3}) == first
    assert flag_values.digest(usual | {"epochs": 4}) != first


def test_values_are_those_of_this_project_that_mean_something(monkeypatch):
    own = flags.FlagValues()
    for name in ("channels", "hidden_size", "strange"):
        flags.DEFINE_integer(name, 1, "", flag_values=own)
    flags.DEFINE_enum("space", "darts_conv", space_flags.SPACES, "", flag_values=own)
    here = own.find_module_defining_flag("channels")
    for name in ("channels", "hidden_size", "space"):
        own.register_flag_by_module("ours", own[name])
    monkeypatch.setattr(flag_values, "OWN_MODULES", ("ours",))
    monkeypatch.setattr(flag_values.strategy_flags, "foreign", lambda parsed: {})
    assert here != "ours"
    own(["program"])
    assert flag_values.values(own) == {"channels": 1, "space": "darts_conv"}
    own(["program", "--space=darts_recurrent"])
    assert flag_values.values(own) == {"hidden_size": 1, "space": "darts_recurrent"}
    assert flag_values.defaults(own) == {"hidden_size": 1, "space": "darts_conv"}
