"""Parses flags, calls a main function, and prints errors as one line.

Import this module before anything that imports TensorFlow
(tensorflow_environment.py).
"""

from __future__ import annotations

from darts_tf.run.process import tensorflow_environment  # isort: skip  # noqa: F401

import logging as standard_logging
import re
import signal
import sys
import textwrap
import threading
from collections.abc import Callable, Sequence

from absl import app, flags, logging

from darts_tf import config as configs
from darts_tf.cli import flagfiles
from darts_tf.cli import flags as config_flags
from darts_tf.errors import LONGEST, DivergedError, InputError, shorten
from darts_tf.run.process import machine_errors, output, parent_watch

USAGE_CODE, FAILURE_CODE, INTERRUPT_CODE = 2, 1, 130
_HELP = ("--help", "-help", "--helpshort", "-helpshort", "-h", "-?")
_HELP_FULL = ("--helpfull", "-helpfull")
_WIDTH = 80
_REQUIRED = re.compile(r"^flag --(\w+)=None: .*other than None", re.MULTILINE)
_NEGATED = re.compile(r"--?no(\w+)=.* does not take an argument")
_ARGUMENT = re.compile(r"`([a-z]\w*)(=[^`]*| --\w+)?`")
_GIVE = {
    "workdir": "give the folder of the run, for example --workdir=runs/search",
    "genotype": "give a JSON file or a published name, for example --genotype=DARTS_V2",
}


class _Sentences(standard_logging.Formatter):
    """Formats what is logged as "warning: sentence", without its place in the code."""

    def formatMessage(self, record: standard_logging.LogRecord) -> str:
        """Returns the line."""
        return f"{record.levelname.lower()}: {record.message}"


def run(
    main: Callable[[list[str]], object],
    check: Callable[[flags.FlagValues], None] | None = None,
    doc: str | None = None,
    help_texts: tuple[str, str] | None = None,
) -> None:
    """Parses the flags, calls `main(argv)` and exits.

    Args:
      main: the program; an integer that it returns is the exit code.
      check: may refuse flags that do not fit together (InputError), also
        with --only_check_args.
      doc: opens the help (default: the docstring of __main__).
      help_texts: all that --help and --helpfull print; None: made of the flags.

    Exit codes: 0, also after SIGTERM in a long run, which has saved; 2 with
    one line on stderr for flags that do not parse and for InputError; 1 with
    one line for DivergedError, for want of memory, for a disk that is full or
    may not be written, where another worker has ended, and where standard output
    could not be written; 130 after Ctrl-C, 129 after SIGHUP. Any other error is a
    bug and shows its traceback.

    A child of another program of this project ends with it, as by SIGTERM.
    """
    output.tolerate()
    _quiet_threads()
    parent_watch.watch_parent()
    try:
        app.run(
            lambda argv: _guarded(lambda: main(argv)),
            flags_parser=lambda argv: _checked(argv, check, doc, help_texts),
        )
    except KeyboardInterrupt:
        sys.exit(_say("interrupted", INTERRUPT_CODE))


def _guarded(main: Callable[[], object]) -> int | None:
    """Returns the exit code of `main`, whose known errors are one line."""
    logging.set_verbosity(logging.WARNING)  # what libraries have to tell
    logging.get_absl_handler().setFormatter(_Sentences())
    try:
        code = main()
        code = code if isinstance(code, int) else None
    except InputError as error:
        return _say(error, USAGE_CODE)
    except DivergedError as error:
        return _say(error, FAILURE_CODE)
    except KeyboardInterrupt:
        return _say("interrupted", INTERRUPT_CODE)
    except Exception as error:
        line = machine_errors.line(error)
        if line is None:
            raise
        return _say(line, FAILURE_CODE)
    if not code and (reason := output.lost()):
        reason = f"standard output cannot be written ({reason}); all files are whole"
        return _say(reason, FAILURE_CODE)
    return code


def _quiet_threads() -> None:
    """Hides tracebacks of errors that a thread hands on to the main one.

    TensorBoard does; the main thread ends with one line. Others are shown.
    """
    usual = threading.excepthook

    def hook(failure) -> None:
        if machine_errors.line(failure.exc_value) is None:
            usual(failure)

    threading.excepthook = hook


def _parse(argv: list[str], doc: str | None, help_texts) -> list[str]:
    """Parses for absl's app: the program's name is all that is left."""
    if _asks_for(_HELP, argv[1:]):
        _print_help(help_texts[0] if help_texts else _help_text(doc))
    if help_texts and _asks_for(_HELP_FULL, argv[1:]):
        _print_help(help_texts[1])
    try:
        left = flags.FLAGS(argv)
    except (flags.Error, ValueError, RecursionError) as error:
        sys.exit(_say(_flag_error(error), USAGE_CODE))
    except SystemExit:  # --helpfull and its like have printed their text
        sys.exit(0)
    if "workdir" in flags.FLAGS and flags.FLAGS.workdir == "":
        sys.exit(_say(_missing("workdir"), USAGE_CODE))  # not: the current one
    if left[1:]:
        sys.exit(
            _say(
                f"unexpected argument {left[1]!r}; only flags are "
                "allowed: --name=value",
                USAGE_CODE,
            )
        )
    return left


def _print_help(text: str) -> None:
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # as `--help | head` expects
    print(text)
    sys.exit(0)


def _checked(argv: list[str], check, doc: str | None, help_texts) -> list[str]:
    if not _asks_for((*_HELP, *_HELP_FULL), argv[1:]):
        _exit_unless_good(lambda: flagfiles.check(argv[1:]))
    left = _parse(argv, doc, help_texts)
    if check is not None:
        _exit_unless_good(lambda: check(flags.FLAGS))
    return left


def _exit_unless_good(part: Callable[[], object]) -> None:
    if code := _guarded(part):
        sys.exit(code)


def _say(error: object, code: int) -> int:
    """Prints the error as one line, in the words of flags; returns the code."""
    sys.stdout.flush()
    line = shorten(in_flags(shorten(str(error))), LONGEST + 60)  # flags are longer
    print(f"error: {line}", file=sys.stderr, flush=True)
    return code


def in_flags(text: str) -> str:
    """Turns the library's `name` and `name=value` into --name and --name=value."""
    kinds = [k for k in vars(configs).values() if isinstance(k, type)]
    known = {"flagfile", "workdir", *flags.FLAGS}
    known.update(*(getattr(kind, "__dataclass_fields__", ()) for kind in kinds))

    def replaced(match: re.Match) -> str:
        return f"--{match[1]}{match[2] or ''}" if match[1] in known else match[0]

    return _ARGUMENT.sub(replaced, text)


def _flag_error(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"--flagfile is no text file ({error.reason})"
    if isinstance(error, RecursionError):  # absl looks for flags of similar names
        return "a flag with a name so long does not exist; see --helpfull"
    text = str(error).removeprefix("ERROR:: ")
    if match := _NEGATED.match(text):
        return f"{match[0]}; give --{match[1]} or --no{match[1]} alone"
    if missing := _REQUIRED.findall(text):
        return "; ".join(map(_missing, missing))
    if isinstance(error, flags.UnrecognizedFlagError):
        text += "" if text.endswith("?") else "; see --helpfull"
    return text


def _missing(name: str) -> str:
    return f"--{name} is missing: {_GIVE.get(name, 'see --helpfull')}"


def _asks_for(names: Sequence[str], arguments: Sequence[str]) -> bool:
    before = list(arguments)
    if "--" in before:
        before = before[: before.index("--")]
    return any(argument in names for argument in before)


def _help_text(doc: str | None) -> str:
    """Returns the program's description and flags, in order of definition."""
    doc = doc or sys.modules["__main__"].__doc__ or ""
    key_flags = flags.FLAGS.get_key_flags_for_module(sys.argv[0])
    key_flags += flags.FLAGS.get_key_flags_for_module(config_flags.__name__)
    lines = [textwrap.dedent(doc).strip(), "", "Flags:"]
    for flag in key_flags:
        lines += _flag_lines(flag)
    lines += [
        "",
        "A file of flags, one a line: --flagfile=PATH. Flags after it override it.",
        "Every flag of every library: --helpfull",
    ]
    return "\n".join(lines)


def _flag_lines(flag: flags.Flag) -> list[str]:
    usual = (flag.default_as_str or "").strip("'")
    head = f"  --[no]{flag.name}" if flag.boolean else f"  --{flag.name}"
    default = f" (default: {usual})" if usual else ""
    text = textwrap.fill(
        " ".join((flag.help or "").split()) + default,
        _WIDTH,
        initial_indent=" " * 6,
        subsequent_indent=" " * 6,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [head, text]
