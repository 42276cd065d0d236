"""Exports one step of a language model as a LiteRT file, with proof.

A step has neither a loop nor strings, which LiteRT's built-in operations do not
have: a caller looks words up in vocabulary.txt and hands the state on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from darts_tf.run.export import litert, measures
from darts_tf.run.export.saving import as_json, place

Step = Callable[[tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor]]


def export_litert(
    step: Step,
    model: keras.Model,
    *,
    state_size: int,
    words: Sequence[str],
    folder: str | Path,
    metadata: Mapping[str, object],
    quantize: str = "none",
    held_out: np.ndarray | None = None,
) -> dict:
    """Writes model.tflite, runs it by the interpreter and measures it.

    The signature takes ids int32 [B] and state float32 [B, H], and gives
    {"log_probabilities": [B, V] of the word after, "state": [B, H]}; a text
    starts with the state 0. Beside the file: vocabulary.txt (a word a line, in
    the order of the ids), metadata.json, and export.json with what was measured.

    Args:
      step: (ids [B], state [B, H]) to (logits [B, V], state), in inference mode.
      model: owner of the variables.
      state_size: H.
      words: the vocabulary, V words.
      folder: of the export; an earlier one is replaced at the end.
      metadata: values for JSON.
      quantize: "none", "float16" or "dynamic".
      held_out: int32 [N], a text by which perplexity is measured; None if not
        at hand.

    Returns:
      what export.json holds.

    Raises:
      InputError: see litert.convert, or a folder that is no export.
      RuntimeError: the file does not compute what the model does.
    """
    litert.interpreter_class()
    text, values = as_json(metadata), {}

    def write(scratch: Path, new: Path) -> None:
        del scratch
        module = _Exported(step, model, state_size)
        content = litert.convert(module.step, module, quantize, None)
        runner = litert.Runner(content)
        values.update(
            **litert.description(content, runner, quantize),
            state_size=state_size,
            words=len(words),
            **_measured(module.step, runner, quantize, held_out, len(words)),
        )
        new.mkdir()
        (new / litert.FILE).write_bytes(content)
        lines = "".join(f"{word}\n" for word in words)
        (new / "vocabulary.txt").write_text(lines, encoding="utf-8", newline="\n")
        (new / "metadata.json").write_text(text, encoding="utf-8")
        (new / "export.json").write_text(as_json(values), encoding="utf-8")

    place(Path(folder), write)
    return values


class _Exported(tf.Module):
    """The exported module: one step and a softmax."""

    def __init__(self, step: Step, model: keras.Model, size: int):
        super().__init__(name="exported")
        self.network = [variable.value for variable in model.variables]

        def function(ids, state):
            logits, state = step(ids, state)
            return {"log_probabilities": tf.nn.log_softmax(logits), "state": state}

        self.size = size
        self.step = tf.function(
            function,
            input_signature=[
                tf.TensorSpec([None], tf.int32, name="ids"),
                tf.TensorSpec([None, size], tf.float32, name="state"),
            ],
        )


def _measured(step, runner, quantize: str, held_out, words: int) -> dict:
    """Runs a text word by word through both; without one, random words."""
    if held_out is None:
        ids = np.random.default_rng(0).integers(0, words, 64).astype(np.int32)
    else:
        ids = np.asarray(held_out, np.int32)
    size = step.input_signature[1].shape[1]
    first = {"ids": ids[:1], "state": np.zeros((1, size), np.float32)}
    both = {"ids": ids[:2], "state": np.zeros((2, size), np.float32)}
    assert len(runner(**both)["state"]) == 2  # the batch size is free

    def theirs(ids, state):
        return step(tf.constant(ids), tf.constant(state))

    wanted, after = _read(theirs, ids, size), _read(runner, ids, size)
    difference, largest = np.abs(after - wanted).max(), np.abs(wanted).max()
    if not difference <= measures.BOUNDS[quantize] * largest:
        raise RuntimeError(
            f"the exported file's log probabilities differ from the model's by "
            f"{difference:.3g}, more than `quantize={quantize}` explains; nothing "
            "was exported"
        )
    values = {
        "words_compared": len(ids),
        "log_probabilities": {
            "largest_difference": float(difference),
            "largest": float(largest),
        },
        "perplexity": None,
        "milliseconds": measures.median_milliseconds(lambda: runner(**first)),
        "milliseconds_of": f"one word, one thread, median of {measures.REPEATS}",
    }
    if held_out is not None:
        values["perplexity"] = {
            "part": "valid",
            "words": len(ids) - 1,
            "before": _perplexity(wanted, ids),
            "after": _perplexity(after, ids),
        }
    return values


def _read(step, ids: np.ndarray, size: int) -> np.ndarray:
    """Returns the log probabilities [T, V] after each word of a text."""
    state, rows = np.zeros((1, size), np.float32), []
    for word in ids:
        output = step(ids=np.array([word], np.int32), state=state)
        state = np.asarray(output["state"])
        rows.append(np.asarray(output["log_probabilities"])[0])
    return np.stack(rows)


def _perplexity(rows: np.ndarray, ids: np.ndarray) -> float:
    """Returns the perplexity of all words but the first."""
    return float(np.exp(-np.mean(rows[np.arange(len(ids) - 1), ids[1:]])))


def summary(values: dict) -> list[tuple[str, str]]:
    """Returns measures as (name, text) lines."""
    logs, perplexity = values["log_probabilities"], values["perplexity"]
    lines = [
        *measures.size_and_time(values, values["bytes"]),
        (
            "difference",
            f"at most {logs['largest_difference']:.2g} of a log probability (the "
            f"largest is {logs['largest']:.3g})",
        ),
    ]
    if perplexity is None:
        return [*lines, ("perplexity", "not measured: the text is not at hand")]
    text = (
        f"{perplexity['after']:.2f}, before {perplexity['before']:.2f} (on "
        f"{perplexity['words']:,} words of the validation text)"
    )
    return [*lines, ("perplexity", text)]


def usage_example(folder: str | Path, state_size: int, end: str, unknown: str) -> str:
    """Returns Python lines that guess the next word by the export."""
    folder = Path(folder)
    return f"""\
from pathlib import Path
import numpy as np
{litert.import_lines()}
folder = Path({str(folder)!r})
words = (folder / "vocabulary.txt").read_text("utf-8").splitlines()
run = Interpreter(str(folder / {litert.FILE!r})).get_signature_runner()
state = np.zeros((1, {state_size}), np.float32)
for word in [{end!r}, *"the value".split()]:
    number = words.index(word if word in words else {unknown!r})
    output = run(ids=np.array([number], np.int32), state=state)
    state = output["state"]
best = output["log_probabilities"][0].argsort()[::-1][:10]
print([words[i] for i in best], np.exp(output["log_probabilities"][0, best]))
"""
