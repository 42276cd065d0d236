"""Numbers words, and encodes text as a row of such numbers.

A line is its words followed by EOS, so a blank line is EOS alone (as in the
authors' `line.split() + ["<eos>"]`).

Departures: words are taken from the training text only. The authors' code
numbers those of the validation and test text too, which it must not know.
For Penn Treebank both give the same words, in the same order.
"""

from __future__ import annotations

import dataclasses
from array import array
from collections.abc import Iterable, Sequence

import numpy as np

from darts_tf.errors import InputError

EOS = "<eos>"
UNKNOWN = "<unk>"
SPECIAL = (EOS, UNKNOWN)
FEWEST_WORDS = 2  # besides the special ones: else there is nothing to predict

Lines = Iterable[Sequence[str]]


@dataclasses.dataclass(frozen=True)
class Vocabulary:
    """A set of numbered words, with EOS and UNKNOWN.

    Attributes:
      words: the word of each number, without repetition.

    Raises:
      InputError: a word twice, EOS or UNKNOWN missing, or fewer than
        FEWEST_WORDS words besides them.
    """

    words: tuple[str, ...]
    _numbers: dict[str, int] = dataclasses.field(init=False, repr=False, compare=False)

    def __post_init__(self):
        numbers = {word: number for number, word in enumerate(self.words)}
        object.__setattr__(self, "_numbers", numbers)
        if len(numbers) < len(self.words):
            raise InputError(
                f"a vocabulary has every word once; received {self.size} "
                f"words, of which {len(numbers)} differ; remove the others"
            )
        if missing := [word for word in SPECIAL if word not in numbers]:
            raise InputError(
                f"a vocabulary has {EOS} and {UNKNOWN}; add {', '.join(missing)}"
            )
        if self.size < FEWEST_WORDS + len(SPECIAL):
            raise InputError(
                f"a vocabulary needs at least {FEWEST_WORDS} different words "
                f"besides {EOS} and {UNKNOWN}; received "
                f"{self.size - len(SPECIAL)}; give a longer training text"
            )

    @property
    def size(self) -> int:
        """Returns V, the number of words, EOS and UNKNOWN included."""
        return len(self.words)

    def __contains__(self, word: object) -> bool:
        return word in self._numbers

    def index(self, word: str) -> int:
        """Returns the number of `word`, 0 to V - 1, or UNKNOWN's if it has none."""
        return self._numbers.get(word, self._numbers[UNKNOWN])


def read_training(
    lines: Lines, minimum_count: int = 1
) -> tuple[Vocabulary, np.ndarray]:
    """Reads the vocabulary and the tokens of the training text, in one pass.

    Args:
      lines: the words of each line, without EOS.
      minimum_count: rarer words become UNKNOWN.

    Returns:
      (words in the order of their first appearance, with UNKNOWN last if
      the text does not have it; tokens int32 [N]).

    Raises:
      InputError: fewer than FEWEST_WORDS words.
    """
    numbers: dict[str, int] = {}
    tokens = array("i")
    for line in lines:
        tokens.extend(numbers.setdefault(w, len(numbers)) for w in line)
        tokens.append(numbers.setdefault(EOS, len(numbers)))
    numbers.setdefault(EOS, len(numbers))
    numbers.setdefault(UNKNOWN, len(numbers))
    return _without_rare(list(numbers), _as_array(tokens), minimum_count)


def _without_rare(
    words: list[str], tokens: np.ndarray, minimum_count: int
) -> tuple[Vocabulary, np.ndarray]:
    frequent = np.bincount(tokens, minlength=len(words)) >= minimum_count
    remaining = [w for w, f in zip(words, frequent) if f or w in SPECIAL]
    vocabulary = Vocabulary(tuple(remaining))
    table = np.array([vocabulary.index(word) for word in words], np.int32)
    return vocabulary, table[tokens]


def encode(vocabulary: Vocabulary, lines: Lines) -> tuple[np.ndarray, int]:
    """Encodes a text that is not the training text.

    Args:
      vocabulary: of the training text.
      lines: the words of each line, without EOS.

    Returns:
      (tokens int32 [N], the number of words that the vocabulary lacks; an
      UNKNOWN written in the text is not among those).
    """
    tokens, unknown = array("i"), 0
    for line in lines:
        tokens.extend(vocabulary.index(word) for word in line)
        tokens.append(vocabulary.index(EOS))
        unknown += sum(word not in vocabulary for word in line)
    return _as_array(tokens), unknown


def _as_array(tokens: array) -> np.ndarray:
    return np.array(tokens, np.int32)
