"""The command line of every article and tool: flags from a dataclass, errors of two lines, exit codes.

Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted, 141 the reader of the output has left, 143
terminated. With `RL_TRACEBACK=1` in the environment, a traceback is printed above the error.
"""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
import errno
import functools
import io
import os
import re
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ParamSpec, TypeVar

from nnlite import __version__
from rl.command.config import read_settings
from rl.command.errors import EnvironmentFault, UsageError, require
from rl.command.help import HELP_FLAGS, flags_of, make_help
from rl.command.notes import printed_notes
from rl.command.settings import NEWEST, RunName, Settings, format_flag
from rl.command.streams import whole_streams
from rl.command.text import terminal_width

S = TypeVar("S")
P = ParamSpec("P")
VERSION = f"nnlite-rl {__version__}"


def exit_codes(action: Callable[P, int | None]) -> Callable[P, int]:
    """Decorate a command: return its exit code, and print errors instead of raising them."""

    @functools.wraps(action)
    def command(*words: P.args, **options: P.kwargs) -> int:
        with whole_streams(), short_warnings():
            try:
                return judge(functools.partial(action, *words, **options))
            except BrokenPipeError:
                return 141

    return command


@contextlib.contextmanager
def short_warnings() -> Iterator[None]:
    """Print a warning as one line, without the place in the source that raised it."""
    before = warnings.formatwarning
    warnings.formatwarning = lambda message, *place, **more: f"warning: {message}\n"
    try:
        yield
    finally:
        warnings.formatwarning = before


def judge(action: Callable[[], int | None]) -> int:
    """Do the action, print its error, and return the exit code. Raises BrokenPipeError."""
    try:
        return finish(action)
    except KeyboardInterrupt as stop:  # 130; 143 when SIGTERM stopped a run
        complain(str(stop) or "interrupted")
        return getattr(stop, "code", 130)
    except (UsageError, FileNotFoundError) as problem:
        return report(problem, 2)
    except ValueError as problem:  # a second line is a remedy: wrong usage
        return report(problem, 2 if "\n  " in str(problem) else 1)
    except OSError as problem:
        if is_left(problem):
            raise BrokenPipeError from problem
        return report(problem, 1)
    except (EnvironmentFault, FloatingPointError, RuntimeError, MemoryError) as problem:
        return report(problem, 1)


def is_left(problem: OSError) -> bool:
    """Has the reader of a stream left? Windows calls it an invalid argument, of no file."""
    windows = os.name == "nt" and problem.errno == errno.EINVAL and problem.filename is None
    return windows or isinstance(problem, BrokenPipeError)


def finish(action: Callable[[], int | None]) -> int:
    """Do the action, print its last lines, and return its exit code."""
    try:
        with printed_notes():
            code = action() or 0
    except SystemExit as stop:  # --help
        code = int(stop.code or 0)
    sys.stdout.flush()  # a reader that has left and a full disk are noticed here
    return code


def parse(
    settings_class: type[S],
    program: str,
    summary: str,
    examples: tuple[str, ...] = (),
    *,
    presets: Mapping[str, Mapping[str, Any]] | None = None,
    argv: list[str] | None = None,
    defaults: S | None = None,
) -> S:
    """Parse the arguments into settings.

    The parser runs twice, because --config or a preset's flag changes the defaults of the other flags.

    program   as a user types it: "python -m rl.dqn"
    presets   {"test": {...}}: defaults that the flag --test sets
    argv      the arguments behind the program; None for those of this process
    defaults  values of flags that are not given; None for the class's own

    Raises UsageError for a wrong flag or value, SystemExit(0) for --help and --version.
    """
    words = split_lists(sys.argv[1:] if argv is None else argv, settings_class)
    defaults = settings_class() if defaults is None else defaults
    if "--version" in words:
        print(VERSION)
        raise SystemExit(0)
    helps = any(flag in words for flag in HELP_FLAGS)
    words = [word for word in words if word not in HELP_FLAGS]
    first, _ = _run_parser(settings_class, words, program, defaults)
    for name, preset in (presets or {}).items():
        if getattr(first, name):
            defaults = dataclasses.replace(defaults, **preset)  # type: ignore[type-var]
    if path := getattr(first, "config", ""):
        defaults = dataclasses.replace(defaults, **read_settings(path, settings_class))  # type: ignore[type-var]
    if helps:
        print(make_help(program, summary, examples, defaults, terminal_width()))
        raise SystemExit(0)
    settings, unknown = _run_parser(settings_class, words, program, defaults)
    if unknown:
        flags = flags_of(settings_class)
        near = difflib.get_close_matches(unknown[0], flags, 1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise UsageError(f"there is no flag {unknown[0]}", f"{hint}see {program} --help")
    return settings


def split_lists(words: list[str], settings_class: type[Any]) -> list[str]:
    """Split the values of an article's lists at commas: --hidden 64,64 is --hidden 64 64."""
    if not issubclass(settings_class, Settings):
        return words
    fields = dataclasses.fields(settings_class)
    lists = {format_flag(field.name) for field in fields if isinstance(field.default, tuple)}
    found, inside = [], False
    for word in words:
        flag, equals, value = word.partition("=")
        if word.startswith("--"):
            inside = flag.replace("_", "-") in lists
            found += [flag, *value.split(",")] if inside and equals else [word]
        else:
            found += [part for part in word.split(",") if part] if inside else [word]
    return found


def _run_parser(settings_class: type[S], words: list[str], program: str, defaults: S) -> tuple[S, list[str]]:
    """Return the settings, and the words that no flag takes."""
    import tyro  # takes 0.1 s; only the command line needs it

    complaint = io.StringIO()
    try:
        with contextlib.redirect_stderr(complaint):
            return tyro.cli(
                settings_class,
                prog=program,
                args=words,
                default=defaults,
                add_help=False,
                return_unknown_args=True,
                registry=_make_registry(),
                config=(tyro.conf.OmitSubcommandPrefixes,),
            )
    except SystemExit:
        raise UsageError(extract_message(complaint.getvalue()), f"see {program} --help") from None


def _make_registry() -> Any:
    """Return the rule that parses a RunName: --play alone means the newest run."""
    from tyro.constructors import ConstructorRegistry, PrimitiveConstructorSpec, PrimitiveTypeInfo

    def run_name(words: list[str]) -> RunName:
        require(len(words) <= 1, f"{' '.join(words)} are several runs", "name one")
        return RunName(words[0] if words else NEWEST)

    registry = ConstructorRegistry()

    @registry.primitive_rule
    def rule(info: PrimitiveTypeInfo) -> PrimitiveConstructorSpec[RunName] | None:
        if info.type is not RunName:
            return None
        return PrimitiveConstructorSpec(
            nargs=(0, 1),
            metavar="[RUN]",
            instance_from_str=run_name,
            is_instance=lambda value: isinstance(value, str),
            str_from_instance=lambda name: [name] if name else [],
        )

    return registry


def extract_message(box: str) -> str:
    """Return the message in the frame that the flag parser draws, on one line, without title and help."""
    unframed = re.sub("[│╭╮╰╯]", " ", box)
    parts = [" ".join(part.split()) for part in re.split("[─-]{4,}", unframed)]
    return next((part for part in parts[1:] if part), "the arguments are not understood")


def report(problem: BaseException, code: int) -> int:
    """Print an error on stderr; return the exit code."""
    if os.environ.get("RL_TRACEBACK"):
        import traceback

        complain("".join(traceback.format_exception(problem)).rstrip())
    complain(f"error: {explain(problem)}")
    return code


def complain(text: str) -> None:
    """Print on stderr; where that is full, the exit code says enough. Raises BrokenPipeError."""
    try:
        print(text, file=sys.stderr, flush=True)
    except BrokenPipeError:
        raise
    except OSError:
        pass


def explain(problem: BaseException) -> str:
    """Say what went wrong, and for errors of the operating system what to do."""
    if isinstance(problem, OSError) and problem.strerror:
        where = f"{problem.filename}: " if problem.filename is not None else ""
        remedy = "check that the path is right and writable, and that its disk has room"
        return f"{where}{problem.strerror}\n  {remedy}"
    if isinstance(problem, MemoryError):
        remedy = "make the run smaller: --buffer-size, --num-envs, --batch-size, --hidden"
        return f"{str(problem) or 'out of memory'}\n  {remedy}"
    return str(problem) or type(problem).__name__
