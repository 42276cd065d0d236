"""Sets of text: numbered words in a training, validation and test part."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from darts_tf.data.text.vocabulary import Vocabulary


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class TextData:
    """A text: its training and validation part, and its test part on demand.

    Attributes:
      name: as given to `load`.
      vocabulary: the words of the training part.
      train: int32 [N], tokens: numbers of words.
      valid: int32 [M], tokens.
      unknown: number of words of a part ("valid") that the vocabulary lacks.
      read_test: reads the test part; called by `load_test` only.
      fingerprint: a hash of all words of a user's own text, by which a run
        recognises its data; None for texts of others.
    """

    name: str
    vocabulary: Vocabulary
    train: np.ndarray
    valid: np.ndarray
    unknown: dict[str, int]
    read_test: Callable[[], tuple[np.ndarray, int]]
    fingerprint: str | None = None

    def __repr__(self) -> str:
        return (
            f"TextData({self.name!r}, {len(self.train):,} training and "
            f"{len(self.valid):,} validation words, vocabulary of "
            f"{self.vocabulary.size:,})"
        )

    def load_test(self) -> tuple[np.ndarray, int]:
        """Reads the test part, which is for the final result only.

        Returns:
          (tokens int32 [K], number of its words that the vocabulary lacks).

        Raises:
          InputError: the file is not fit for use, as in `load_text`.
        """
        return self.read_test()
