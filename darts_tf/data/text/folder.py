"""Reads a user's own text: train.txt, valid.txt and test.txt in one folder.

UTF-8, words separated by white space, one sentence or paragraph a line. Penn
Treebank and WikiText-2 have this form.
"""

from __future__ import annotations

import os
import pathlib
from collections.abc import Iterator

from darts_tf.data.text.dataset import TextData
from darts_tf.data.text.vocabulary import encode, read_training
from darts_tf.errors import InputError

LINE_LIMIT = 10_000_000  # bytes of one line, its end not counted
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def load_text_folder(data_dir: str | None) -> TextData:
    """Reads the text in a user's folder; errors as in `load_text`.

    All three files must be there; test.txt is not read yet.
    """
    root = _root(data_dir)
    train, valid, test = (root / f"{part}.txt" for part in ("train", "valid", "test"))
    for path in (train, valid, test):
        _require_file(path)
    vocabulary, train_tokens = read_training(_words(train))
    valid_tokens, unknown = encode(vocabulary, _words(valid))
    return TextData(
        "text_folder",
        vocabulary,
        train_tokens,
        valid_tokens,
        {"valid": unknown},
        lambda: encode(vocabulary, _words(test)),
    )


def _root(data_dir: str | None) -> pathlib.Path:
    if data_dir is None:
        raise InputError(
            "'text_folder' needs `data_dir`, the folder of your train.txt, "
            "valid.txt and test.txt"
        )
    root = pathlib.Path(data_dir)
    if not root.is_dir():
        raise InputError(f"`data_dir={data_dir}` is no folder; give one that is")
    return root


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


def _words(path: pathlib.Path) -> Iterator[list[str]]:
    """Yields the words of each line."""
    empty = True
    for number, line in enumerate(_lines(path), start=1):
        try:
            words = line.decode("utf-8").split()
        except UnicodeDecodeError as error:
            raise InputError(
                f"{path}, line {number}: no valid UTF-8 ({error.reason} at "
                f"its byte {error.start + 1}); save the file as UTF-8"
            ) from error
        empty = empty and not words
        yield words
    if empty:
        raise _no_words(path)


def _lines(path: pathlib.Path) -> Iterator[bytes]:
    """Yields lines without byte order mark, one in memory at a time."""
    try:
        with path.open("rb") as file:
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
