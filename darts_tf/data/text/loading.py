"""Loads text for language models by name: Python's own help, or a user's folder."""

from __future__ import annotations

from darts_tf.data.text.dataset import TextData
from darts_tf.data.text.folder import load_text_folder
from darts_tf.data.text.python_topics import load_python_topics
from darts_tf.data.text.vocabulary import EOS, UNKNOWN, Vocabulary
from darts_tf.errors import InputError

__all__ = ["EOS", "UNKNOWN", "TextData", "Vocabulary", "load_text"]

NAMES = ("python_topics", "text_folder")


def load_text(name: str, data_dir: str | None = None) -> TextData:
    """Loads the text called `name`; its test part is not read yet.

    Args:
      name: "python_topics" (comes with Python; another text in each Python
        version) or "text_folder" (the user's own, in `data_dir`).
      data_dir: the folder of train.txt, valid.txt and test.txt; None for
        "python_topics".

    Raises:
      InputError: an unknown name; a folder or one of its files that is not
        there; a file that has no words, cannot be read, is not UTF-8 or has
        a line beyond LINE_LIMIT bytes; a training text of one word.
    """
    if name not in NAMES:
        raise InputError(f"no text is called {name!r}; give one of {', '.join(NAMES)}")
    if name == "text_folder":
        return load_text_folder(data_dir)
    if data_dir is not None:
        raise InputError(
            f"'python_topics' comes with Python and reads no folder; leave "
            f"`data_dir` out; received {data_dir}"
        )
    return load_python_topics()
