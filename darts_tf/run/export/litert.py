"""Converts functions to LiteRT (TensorFlow Lite) and runs them by its interpreter.

Built-in operations only: no strings, no loops, no operations of TensorFlow
itself, so that a file runs wherever LiteRT does.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import tempfile
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from darts_tf.errors import InputError, shorten
from darts_tf.run.process import machine_errors

FILE = "model.tflite"
QUANTIZE = ("none", "float16", "dynamic", "int8")
INSTALL = "install the extra `litert`: pip install 'darts-tf[litert]'"
_REFUSED = re.compile(r"error: '([^']+)' op|custom op '(?:tf\.)?([^']+)'|\btf\.(\w+)\(")


class Unconvertible(InputError):
    """Refuses a network that LiteRT cannot convert or run.

    Args:
      reason: why, without a remedy.
      remedy: in place of the usual one, which is of a network's export.

    Attributes:
      reason: as given.
    """

    def __init__(
        self,
        reason: str,
        remedy: str = "export with `format=saved_model`, or search without the "
        "candidate operation that is made of it",
    ):
        super().__init__(f"{reason}; {remedy}")
        self.reason = reason


def convert(
    function,
    owner: tf.Module,
    quantize: str,
    samples: Iterable[Mapping[str, np.ndarray]] | None,
    interface: tf.DType | None = None,
) -> bytes:
    """Converts a function to the contents of a .tflite file.

    Args:
      function: a tf.function with an input signature and a dict of outputs.
      owner: holds the function's variables.
      quantize: "none" (float32), "float16" (weights), "dynamic" (weights of 8
        bits, computed in 8 bits where LiteRT can) or "int8" (weights and
        feature maps of 8 bits; inputs and outputs keep their types).
      samples: for "int8", inputs of the function by name, by which the ranges of
        feature maps are measured; None else.
      interface: for "int8", type of inputs and outputs in place of their own.

    Raises:
      InputError: this TensorFlow has no converter, or "int8" without samples.
      Unconvertible: an operation that LiteRT does not have, named, or what else it
        cannot convert.
    """
    if quantize == "int8" and samples is None:
        raise InputError(
            "`quantize=int8` measures ranges on training images, and there are "
            "none; give the data, or `quantize=dynamic`"
        )
    converter = _converter(function, owner)
    if quantize != "none":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if quantize == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if quantize == "int8" and samples is not None:
        converter.representative_dataset = lambda: iter(samples)
        if interface is not None:
            converter.inference_input_type = interface
            converter.inference_output_type = interface
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    try:
        with _quiet():
            return converter.convert()
    except Exception as error:  # the converter's own class has moved before
        if machine_errors.line(error):
            raise
        raise _refusal(error) from error


def _converter(function, owner: tf.Module) -> Any:
    try:
        make = tf.lite.TFLiteConverter.from_concrete_functions
    except AttributeError:
        raise InputError(
            f"TensorFlow {tf.__version__} has no LiteRT converter; use 2.18 to 2.21"
        ) from None
    return make([function.get_concrete_function()], owner)


def _refusal(error: Exception) -> Unconvertible:
    """Returns an error that names the operations, or else the converter's reason."""
    found = [next(filter(None, groups)) for groups in _REFUSED.findall(str(error))]
    names = sorted({name.removeprefix("tf.") for name in found})
    if not names:
        return Unconvertible(
            f"LiteRT cannot convert the network ({_first_line(error)})"
        )
    return Unconvertible(
        f"LiteRT has no operation {', '.join(names)}, which the network uses"
    )


def _first_line(error: Exception) -> str:
    return shorten(str(error).strip().partition("\n")[0], 130)


@contextlib.contextmanager
def _quiet():
    """Silences what LiteRT prints, warns of and logs in C++."""
    with (
        warnings.catch_warnings(),
        open(os.devnull, "w") as nowhere,
        contextlib.redirect_stdout(nowhere),
        _descriptor_closed(2),
    ):
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def _descriptor_closed(number: int):
    """Sends what is written to a file descriptor nowhere."""
    kept, nowhere = os.dup(number), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, number)
        yield
    finally:
        os.dup2(kept, number)
        os.close(kept)
        os.close(nowhere)


def interpreter_class() -> tuple[Any, str]:
    """Returns (class of interpreters, name and version of the runtime).

    That of ai-edge-litert, or TensorFlow's own, as long as it has one.

    Raises:
      InputError: neither is installed.
    """
    try:
        import ai_edge_litert  # pyright: ignore[reportMissingImports]
        from ai_edge_litert.interpreter import (  # pyright: ignore[reportMissingImports]
            Interpreter,
        )

        version = getattr(ai_edge_litert, "__version__", "")
        return Interpreter, f"ai-edge-litert {version}".strip()
    except ImportError:
        pass
    try:
        return tf.lite.Interpreter, f"tf.lite of TensorFlow {tf.__version__}"
    except AttributeError:
        raise InputError(
            f"`format=litert` runs the file once more to check it, and no "
            f"interpreter is installed; {INSTALL}"
        ) from None


def import_lines() -> str:
    """Returns the Python lines that import the interpreter found here."""
    make, _ = interpreter_class()
    if make.__module__.startswith("ai_edge_litert"):
        return "from ai_edge_litert.interpreter import Interpreter"
    return (
        "import tensorflow as tf\nInterpreter = tf.lite.Interpreter"
        "  # or: from ai_edge_litert.interpreter import Interpreter"
    )


class Runner:
    """Runs the only signature of a .tflite file.

    Attributes:
      runtime: name and version of the interpreter.

    Args:
      content: of the file.
      threads: of the interpreter.
    """

    def __init__(self, content: bytes, threads: int = 1):
        self.runtime = interpreter_class()[1]
        self._run = _signature(_interpreter(content, threads))

    def __call__(self, **inputs: np.ndarray) -> Mapping[str, np.ndarray]:
        """Computes the outputs by name; the batch size is free."""
        return self._run(**inputs)


def repeatable(
    content: bytes, inputs: Mapping[str, np.ndarray], threads: int = 1
) -> Callable[[], None]:
    """Returns a function that runs a .tflite file on the same inputs, copying nothing.

    Args:
      content: of the file.
      inputs: of its only signature, by name.
      threads: of the interpreter.
    """
    interpreter = _interpreter(content, threads)
    # The runner sets sizes and inputs; as long as it lives, `invoke` refuses.
    _signature(interpreter)(**inputs)
    return interpreter.invoke


def _interpreter(content: bytes, threads: int) -> Any:
    make, _ = interpreter_class()
    with _quiet():  # that tf.lite.Interpreter will go, and that XNNPACK is used
        interpreter = make(model_content=content, num_threads=threads)
        try:
            interpreter.allocate_tensors()
        except RuntimeError as error:
            if machine_errors.line(error):
                raise
            raise Unconvertible(
                f"LiteRT cannot run the converted network ({_first_line(error)})"
            ) from error
    return interpreter


def _signature(interpreter: Any) -> Any:
    """Returns the runner of a file's only signature.

    Raises:
      OSError: there is none: the converter leaves it out, and says nothing, where it
        cannot write its temporary files.
    """
    if not interpreter.get_signature_list():
        raise OSError(
            errno.ENOSPC,
            "the LiteRT converter cannot write its temporary files",
            tempfile.gettempdir(),
        )
    return interpreter.get_signature_runner()


def description(content: bytes, runner: Runner, quantize: str) -> dict[str, object]:
    """Returns what export.json says of a .tflite file beside its measures."""
    return {
        "format": "litert",
        "quantize": quantize,
        "file": FILE,
        "bytes": len(content),
        "runtime": runner.runtime,
    }
