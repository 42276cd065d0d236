"""Exports a language model as a SavedModel that needs nothing but TensorFlow.

Two signatures: "step" continues from a recurrent state; "serving_default" takes
strings and returns the words that may come next.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from darts_tf.errors import InputError
from darts_tf.run.export.saving import as_json, place

BEST = 10  # words that serving_default gives
TOLERANCE = 1e-5  # relative to the largest log probability

Forward = Callable[[tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor]]


def export_language_model(
    forward: Forward,
    model: keras.Model,
    *,
    state_size: int,
    words: Sequence[str],
    end: str,
    unknown: str,
    blanks: str,
    folder: str | Path,
    metadata: Mapping[str, object],
) -> Path:
    """Writes a SavedModel, reads it back and compares it with `forward`.

    Signatures:
    - "step": ids int32 [B, T], state float32 [B, H] to {"log_probabilities":
      [B, T, V] of the word after each, "state": [B, H]}; a text starts with
      the state 0.
    - "serving_default": text string [B], UTF-8, words separated by `blanks`, to
      {"words": string [B, K], "probabilities": [B, K]} of the K most
      probable next words. A line's end is the word `end`; every text is read
      as if it came after one.

    A loaded export has `words` (string [V]) and `metadata` (JSON text).

    Args:
      forward: (ids, state) to (logits [T, B, V], state), in inference mode.
      model: owner of the variables.
      state_size: H.
      words: the vocabulary, V words.
      end, unknown: the words for a line's end and for unknown words.
      blanks: the characters between words, as the training's text was split.
      folder: the SavedModel's folder; an earlier export is replaced.
      metadata: values for JSON.

    Raises:
      InputError: metadata that JSON cannot hold, a vocabulary without `end`
        or `unknown`, or a folder that holds something else.
      RuntimeError: the SavedModel does not compute what `forward` does.
    """
    if len(set(words)) != len(words) or not {end, unknown} <= set(words):
        raise InputError(f"`words` must be distinct and hold {end!r} and {unknown!r}")
    text = as_json(metadata)

    def write(scratch: Path, new: Path) -> None:
        assets = scratch / "vocabulary.txt", scratch / "metadata.json"
        lines = "".join(f"{word}\n" for word in words)
        assets[0].write_text(lines, encoding="utf-8", newline="\n")
        assets[1].write_text(text, encoding="utf-8")
        module = _Exported(forward, state_size, words, end, unknown, blanks)
        module.network = [variable.value for variable in model.variables]
        module.files = [tf.saved_model.Asset(str(path)) for path in assets]
        module.metadata = tf.Variable(tf.constant(text), trainable=False)
        signatures = {"serving_default": module.serve, "step": module.step}
        tf.saved_model.save(module, str(new), signatures=signatures)
        _compare(new, forward, state_size, len(words))

    return place(Path(folder), write)


class _Exported(tf.Module):
    """The exported module: vocabulary, network and softmax."""

    network: list
    files: list
    metadata: tf.Variable

    def __init__(
        self, forward: Forward, size: int, words, end: str, unknown: str, blanks: str
    ):
        super().__init__(name="exported")
        with tf.device("CPU:0"):
            self.words = tf.Variable(tf.constant(list(words)), trainable=False)
        numbers = tf.range(len(words), dtype=tf.int32)
        self.table = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(list(words), numbers),
            default_value=words.index(unknown),
        )

        def step(ids, state):
            logits, state = forward(ids, state)
            logs = tf.nn.log_softmax(tf.transpose(logits, [1, 0, 2]))
            return {"log_probabilities": logs, "state": state}

        def serve(text):
            # tf.strings.split knows the blanks of ASCII alone.
            text = tf.strings.regex_replace(text, f"[{blanks}]", " ")
            ids = self.table.lookup(tf.strings.split(text))
            ids = ids.with_row_splits_dtype(tf.int64)
            first = tf.fill([ids.nrows(), 1], words.index(end))
            ids = tf.concat([first, ids], 1)
            lengths = ids.row_lengths()
            state = tf.zeros([ids.nrows(), size])
            logs = step(ids.to_tensor(), state)["log_probabilities"]
            # Padding after a text's end cannot change the words before.
            last = tf.gather(logs, lengths - 1, batch_dims=1)
            best, places = tf.math.top_k(last, min(BEST, len(words)))
            return {
                "words": tf.gather(self.words, places),
                "probabilities": tf.exp(best),
            }

        ids = tf.TensorSpec([None, None], tf.int32, name="ids")
        state = tf.TensorSpec([None, size], tf.float32, name="state")
        texts = tf.TensorSpec([None], tf.string, name="text")
        self.step = tf.function(step, input_signature=[ids, state])
        self.serve = tf.function(serve, input_signature=[texts])


def _compare(new: Path, forward: Forward, size: int, words: int) -> None:
    """Compares the written model with `forward` on random words."""
    step = tf.saved_model.load(str(new)).signatures["step"]
    generator = np.random.default_rng(0)
    ids = tf.constant(generator.integers(0, words, (3, 7)), tf.int32)
    state = tf.constant(generator.normal(0, 0.1, (3, size)), tf.float32)
    logits, after = forward(ids, state)
    wanted = tf.nn.log_softmax(tf.transpose(logits, [1, 0, 2])).numpy()
    got = step(ids=ids, state=state)
    error = max(
        np.abs(got["log_probabilities"] - wanted).max() / np.abs(wanted).max(),
        np.abs(got["state"] - after).max(),
    )
    if not error <= TOLERANCE:
        raise RuntimeError(
            f"the SavedModel differs from the network by {error:.3g} on "
            f"random words; nothing was exported"
        )


def usage_example(folder: str | Path) -> str:
    """Returns Python lines that use the export."""
    return f"""\
import tensorflow as tf
model = tf.saved_model.load({str(folder)!r})
output = model.signatures["serving_default"](text=tf.constant(["the value"]))
print(output["words"][0], output["probabilities"][0])
"""
