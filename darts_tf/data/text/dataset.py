"""What a set of text is: numbered words in three parts."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from darts_tf.data.text.vocabulary import Vocabulary


@dataclasses.dataclass(frozen=True, eq=False)
class TextData:
    """A text: training and validation part, and its test part on demand.

    Attributes:
      name: what it was asked for by.
      vocabulary: the words of the training part.
      train: int32 [N], tokens: numbers of words.
      valid: int32 [M], tokens.
      unknown: how many words of a part ("valid") the vocabulary lacks.
      read_test: reads the test part; called by `load_test` only.
    """

    name: str
    vocabulary: Vocabulary = dataclasses.field(repr=False)
    train: np.ndarray = dataclasses.field(repr=False)
    valid: np.ndarray = dataclasses.field(repr=False)
    unknown: dict[str, int]
    read_test: Callable[[], tuple[np.ndarray, int]] = dataclasses.field(repr=False)

    def load_test(self) -> tuple[np.ndarray, int]:
        """Reads the test part, now: it is for the last number only.

        Returns:
          (tokens int32 [K], how many of its words the vocabulary lacks).

        Raises:
          InputError: the file is not fit for use, as in `load_text`.
        """
        return self.read_test()
