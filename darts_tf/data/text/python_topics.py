"""Loads real text that needs no network: Python's own help.

The language reference as `help("topics")` shows it: `pydoc_data.topics` of
the Python that runs. Python 3.10 to 3.13 carry 79 topics each, of 460 to 510
thousand characters together. THE TEXT DIFFERS BETWEEN PYTHON VERSIONS, so
perplexities compare within one version only.

Words are lower-case; punctuation marks are words of their own, and a run of
the same mark is one word. A line is a sentence, or a block of program text. Topics
quote each other (`compound` contains `with`), therefore every line stays
once, in the shortest topic that has it, and only then whole topics are divided
among the parts: no line of one part is in another. Words that occur fewer than
MINIMUM_COUNT times in the training part are UNKNOWN.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

from darts_tf.data.text.dataset import TextData
from darts_tf.data.text.vocabulary import encode, read_training
from darts_tf.errors import InputError

MINIMUM_COUNT = 2
PART_SHARE = 0.1  # of all words, for validation and test part each

Line = tuple[str, ...]

_UNDERLINING = re.compile(r"^\s*([*=~^\-])\1{2,}\s*$", re.MULTILINE)
_PARAGRAPH_END = re.compile(r"\n\s*\n")
_SENTENCE_END = re.compile(r"(?<=[.?!:;])\s+")
_WORD = re.compile(r"\w+|([^\w\s])\1*")


def load_python_topics() -> TextData:
    """Loads the text; errors as in `load_text`."""
    parts = divide(distinct_lines(_topics()))
    vocabulary, train = read_training(parts["train"], MINIMUM_COUNT)
    valid, unknown = encode(vocabulary, parts["valid"])
    return TextData(
        "python_topics",
        vocabulary,
        train,
        valid,
        {"valid": unknown},
        lambda: encode(vocabulary, parts["test"]),
    )


def _topics() -> dict[str, str]:
    try:
        from pydoc_data.topics import topics
    except ImportError as error:
        raise InputError(
            "'python_topics' needs pydoc_data, which this Python is installed "
            "without; install it or give text_folder"
        ) from error
    return topics


def distinct_lines(topics: dict[str, str]) -> dict[str, list[Line]]:
    """Returns the lines of each topic, every line once altogether.

    Args:
      topics: text by name.

    Returns:
      lines by name, from the shortest text to the longest; a line that
      several have is the first one's. A topic may be left with none.
    """
    seen: set[Line] = set()
    distinct: dict[str, list[Line]] = {}
    for name in sorted(topics, key=lambda name: (len(topics[name]), name)):
        distinct[name] = []
        for line in _lines(topics[name]):
            if line not in seen:
                seen.add(line)
                distinct[name].append(line)
    return distinct


def _lines(text: str) -> Iterator[Line]:
    for paragraph in _PARAGRAPH_END.split(_UNDERLINING.sub("", text.lower())):
        for sentence in _SENTENCE_END.split(paragraph):
            words = tuple(word[0] for word in _WORD.finditer(sentence))
            if words:
                yield words


def divide(topics: dict[str, list[Line]]) -> dict[str, list[Line]]:
    """Divides whole topics among "train", "valid" and "test".

    Args:
      topics: lines by name.

    Returns:
      lines by part. The topics come in the order of a checksum of their
      names; each goes to the test part, else to the validation part, where
      it stays within PART_SHARE of all words, else to the training part.
    """
    lengths = {name: sum(map(len, topics[name])) for name in topics}
    limit = PART_SHARE * sum(lengths.values())
    parts: dict[str, list[Line]] = {"test": [], "valid": [], "train": []}
    room = {"test": limit, "valid": limit, "train": float("inf")}
    for name in sorted(topics, key=lambda name: zlib.crc32(name.encode())):
        part = next(part for part in parts if lengths[name] <= room[part])
        parts[part] += topics[name]
        room[part] -= lengths[name]
    return parts
