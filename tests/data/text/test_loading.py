"""Text by name."""

from __future__ import annotations

import numpy as np
import pytest

from darts_tf.data.text.loading import EOS, load_text
from darts_tf.errors import InputError


def test_a_folder_by_its_name(tmp_path):
    for part in ("train", "valid", "test"):
        (tmp_path / f"{part}.txt").write_text("a b\n")
    data = load_text("text_folder", data_dir=str(tmp_path))
    assert data.name == "text_folder"
    assert data.vocabulary.words[:3] == ("a", "b", EOS)
    np.testing.assert_array_equal(data.train, [0, 1, 2])


@pytest.mark.parametrize("name", ["ptb", "", "Python_Topics"])
def test_an_unknown_name(name):
    names = "python_topics, text_folder"
    with pytest.raises(InputError, match=names) as found:
        load_text(name)
    assert repr(name) in str(found.value)
