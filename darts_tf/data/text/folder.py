"""Reads a user's own text: train.txt, valid.txt and test.txt in one folder.

UTF-8, words separated by white space, one sentence or paragraph a line. Penn
Treebank and WikiText-2 have this form.
"""

from __future__ import annotations

import codecs
import collections
import hashlib
import os
import pathlib
import re
from collections.abc import Iterable, Iterator

import numpy as np
from absl import logging

from darts_tf.data.text.dataset import TextData
from darts_tf.data.text.splitting import LINE_ENDS, split_words
from darts_tf.data.text.vocabulary import (
    EOS,
    UNKNOWN,
    Vocabulary,
    encode,
    read_training,
)
from darts_tf.errors import InputError, shorten
from darts_tf.reading import existing_folder, open_regular

LINE_LIMIT = 10_000_000  # bytes of one line, its end not counted
BYTE_ORDER_MARK = codecs.BOM_UTF8
_ODD = re.compile(f"[{LINE_ENDS}\ufeff]")


def load_text_folder(data_dir: str | None) -> TextData:
    """Reads the text in a user's folder; errors as in `load_text`.

    All three files are read, so that test.txt ends no training at its last step;
    its words are held by `load_test` alone. Logs what may be no end of a line.
    """
    root = _root(data_dir)
    train, valid, test = (root / f"{part}.txt" for part in ("train", "valid", "test"))
    for path in (train, valid, test):
        _require_file(path)
    vocabulary, train_tokens = read_training(_words(train))
    valid_tokens, unknown = encode(vocabulary, _words(valid))
    test_tokens, test_unknown = encode(vocabulary, _words(test))
    if np.array_equal(valid_tokens, train_tokens):
        logging.warning("%s has the words of train.txt: nothing is held out", valid)
    for other, tokens in ((train, train_tokens), (valid, valid_tokens)):
        if np.array_equal(test_tokens, tokens):
            logging.warning(
                "%s has the words of %s: its perplexity will be too low",
                test,
                other.name,
            )
    for path, missing, tokens in (
        (valid, unknown, valid_tokens),
        (test, test_unknown, test_tokens),
    ):
        if 2 * missing > len(tokens):
            logging.warning(
                "%s: %d of %d words are not in train.txt, and count as one word, %s",
                path,
                missing,
                len(tokens),
                UNKNOWN,
            )
    return TextData(
        "text_folder",
        vocabulary,
        train_tokens,
        valid_tokens,
        {"valid": unknown},
        lambda: encode(vocabulary, _words(test, warn=False)),
        _fingerprint(vocabulary, (train_tokens, valid_tokens, test_tokens)),
    )


def _fingerprint(vocabulary: Vocabulary, parts: Iterable[np.ndarray]) -> str:
    """Returns 16 hexadecimal digits that change with any word."""
    whole = hashlib.sha256(repr(vocabulary.words).encode())
    for tokens in parts:
        whole.update(repr(len(tokens)).encode())
        whole.update(np.ascontiguousarray(tokens).data)
    return whole.hexdigest()[:16]


def _root(data_dir: str | None) -> pathlib.Path:
    if data_dir is None:
        raise InputError(
            "'text_folder' needs `data_dir`, the folder of your train.txt, "
            "valid.txt and test.txt"
        )
    return existing_folder(data_dir, "data_dir")


def _require_file(path: pathlib.Path) -> None:
    """Refuses a file that is missing, unreadable or empty, without reading it."""
    if not path.is_file():
        raise InputError(
            f"{path} is missing or no file; the folder needs train.txt, "
            "valid.txt and test.txt"
        )
    if not os.access(path, os.R_OK):
        raise InputError(f"{path} cannot be read; allow reading it")
    if path.stat().st_size == 0:
        raise _no_words(path)


def _no_words(path: pathlib.Path) -> InputError:
    return InputError(f"{path} has no words; give text with words separated by spaces")


def _words(path: pathlib.Path, warn: bool = True) -> Iterator[list[str]]:
    """Yields the words of each line."""
    empty, odd, marked = True, _OddEnds(path), 0
    for number, line in enumerate(_lines(path), start=1):
        text = _decoded(path, number, line)
        odd.add(number, text)
        words = split_words(text)
        empty = empty and not words
        marked += words[-1:] == [EOS]
        yield words
    if empty:
        raise _no_words(path)
    if warn:
        odd.warn()
    if warn and marked:
        logging.warning(
            "%s: lines that end in a written %s: %d. Each end of a line is read as one "
            "more, which lowers the perplexity; remove the written ones",
            path,
            EOS,
            marked,
        )


def _decoded(path: pathlib.Path, number: int, line: bytes) -> str:
    """Returns the text of a line; refuses other encodings and NUL."""
    if number == 1 and line.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise InputError(f"{path} is UTF-16 or UTF-32; save the file as UTF-8")
    if (place := line.find(b"\0")) >= 0:
        raise InputError(
            f"{path}, line {number}: NUL at its byte {place + 1}, as UTF-16 without a "
            "mark has; save the file as UTF-8 text"
        )
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path}, line {number}: no valid UTF-8 ({error.reason} at "
            f"its byte {error.start + 1}); save the file as UTF-8"
        ) from error


class _OddEnds:
    """Counts what other programs take for ends of lines, and marks of byte order.

    All of them are read as blanks or letters; a file whose lines end in \\r alone
    is refused.
    """

    def __init__(self, path: pathlib.Path) -> None:
        self._path, self._counts, self._first = path, collections.Counter(), {}

    def add(self, number: int, text: str) -> None:
        inside = text.removesuffix("\n").removesuffix("\r")
        if number == 1 and not text.endswith("\n") and inside.count("\r") > 1:
            raise InputError(
                f"{self._path}, line 1: lines end in carriage returns alone; save "
                "the file with line feeds"
            )
        for letter in _ODD.findall(inside):
            self._counts[letter] += 1
            self._first.setdefault(letter, number)

    def warn(self) -> None:
        if not self._counts:
            return
        shown = ", ".join(
            f"{count} U+{ord(letter):04X} (first in line {self._first[letter]})"
            for letter, count in self._counts.most_common()
        )
        logging.warning(
            "%s: inside of lines are %s; none is read as the end of a line.",
            shorten(str(self._path)),
            shorten(shown, 150),
        )


def _lines(path: pathlib.Path) -> Iterator[bytes]:
    """Yields lines without byte order mark, one in memory at a time."""
    try:
        with open_regular(path) as file:
            if file.read(len(BYTE_ORDER_MARK)) != BYTE_ORDER_MARK:
                file.seek(0)
            number = 1
            while line := file.readline(LINE_LIMIT + 1):
                _require_short(path, number, line)
                yield line
                number += 1
    except OSError as error:
        raise InputError(
            f"{path} cannot be read: {error.strerror}; mend that or give another folder"
        ) from error


def _require_short(path: pathlib.Path, number: int, line: bytes) -> None:
    if len(line) > LINE_LIMIT and not line.endswith(b"\n"):
        raise InputError(
            f"{path}, line {number}: longer than {LINE_LIMIT:,} bytes, the "
            "most that is held in memory at once; break the text into lines, "
            "for example one a paragraph"
        )
