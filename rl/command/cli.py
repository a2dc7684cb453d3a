"""The command line of every article and tool: flags from a dataclass, errors of two lines, exit codes.

Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted, 143 terminated. With `RL_TRACEBACK=1` in the
environment the traceback stands above the error's line.
"""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
import functools
import io
import os
import re
import sys
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, TypeVar

from rl.command.config import read_settings
from rl.command.errors import UsageError, require
from rl.command.settings import NEWEST, RunName, format_flag
from rl.command.text import terminal_width, wrap

S = TypeVar("S")
P = ParamSpec("P")


def exit_codes(action: Callable[P, int | None]) -> Callable[P, int]:
    """Decorate a command: what stops it becomes an error line and the exit code of its kind."""

    @functools.wraps(action)
    def command(*words: P.args, **options: P.kwargs) -> int:
        replace_unwritable()
        try:
            return action(*words, **options) or 0
        except SystemExit as stop:  # --help
            return int(stop.code or 0)
        except KeyboardInterrupt as stop:  # 130; 143 for a run that SIGTERM stopped in good order
            print(str(stop) or "interrupted", file=sys.stderr)
            return getattr(stop, "code", 130)
        except (UsageError, FileNotFoundError) as problem:
            return report(problem, 2)
        except ValueError as problem:  # two lines are a message to the user, anything else a failure
            return report(problem, 2 if "\n  " in str(problem) else 1)
        except BrokenPipeError:  # the reader of `| head` has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 141
        except (OSError, FloatingPointError, RuntimeError, MemoryError) as problem:
            return report(problem, 1)

    return command


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

    The parser runs twice: once to see whether --config or a preset's flag asks for other defaults, once with
    them.

    program   as a user types it: "python -m rl.dqn"
    presets   {"test": {...}}: the defaults that the flag --test brings
    argv      the words behind the program; None for those of this process
    defaults  settings of the flags that are not given; None for the class's own

    Raises UsageError for a wrong flag or value, SystemExit(0) for --help.
    """
    words = sys.argv[1:] if argv is None else argv
    defaults = settings_class() if defaults is None else defaults
    shown = wrap(summary, terminal_width())
    if examples:
        shown += "\n\nExamples:\n" + "\n".join(f"  {line}" for line in examples)
    first, _ = _run_parser(settings_class, words, program, shown, defaults, helps=False)
    for name, preset in (presets or {}).items():
        if getattr(first, name):
            defaults = dataclasses.replace(defaults, **preset)  # type: ignore[type-var]
    if path := getattr(first, "config", ""):
        defaults = dataclasses.replace(defaults, **read_settings(path, settings_class))  # type: ignore[type-var]
    settings, unknown = _run_parser(settings_class, words, program, shown, defaults, helps=True)
    if unknown:
        flags = [format_flag(field.name) for field in dataclasses.fields(settings_class)]  # type: ignore[arg-type]
        near = difflib.get_close_matches(unknown[0], flags, 1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise UsageError(f"there is no flag {unknown[0]}", f"{hint}see {program} --help")
    return settings


def _run_parser(
    settings_class: type[S], words: list[str], program: str, shown: str, defaults: S, helps: bool
) -> tuple[S, list[str]]:
    """The settings, and the words that no flag takes."""
    import tyro  # 0.1 s, not needed by those who use rl from Python

    complaint = io.StringIO()
    try:
        with contextlib.redirect_stderr(complaint):
            return tyro.cli(
                settings_class,
                prog=program,
                description=shown,
                args=words,
                default=defaults,
                add_help=helps,
                return_unknown_args=True,
                registry=_make_registry(),
                config=(tyro.conf.FlagCreatePairsOff, tyro.conf.OmitSubcommandPrefixes),
            )
    except SystemExit as stop:
        if stop.code in (0, None):
            raise
        raise UsageError(extract_message(complaint.getvalue()), f"see {program} --help") from None


def _make_registry() -> Any:
    """How RunName is parsed: --play alone means the newest run."""
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
    """The message inside the frame that the flag parser draws, on one line, without title and help."""
    unframed = re.sub("[│╭╮╰╯]", " ", box)
    parts = [" ".join(part.split()) for part in re.split("[─-]{4,}", unframed)]
    return next((part for part in parts[1:] if part), "the arguments are not understood")


def report(problem: BaseException, code: int) -> int:
    """Print the error's lines on stderr, below the traceback where RL_TRACEBACK asks for it; returns the
    code.
    """
    if os.environ.get("RL_TRACEBACK"):
        import traceback

        traceback.print_exception(type(problem), problem, problem.__traceback__)
    print(f"error: {explain(problem)}", file=sys.stderr)
    return code


def explain(problem: BaseException) -> str:
    """Say what went wrong, and for errors of the operating system what to do."""
    if isinstance(problem, OSError) and problem.strerror:
        where = f"{problem.filename}: " if problem.filename is not None else ""
        remedy = "see that the path is right, may be written to, and that its disk has room"
        return f"{where}{problem.strerror}\n  {remedy}"
    if isinstance(problem, MemoryError):
        remedy = "make the run smaller: --buffer-size, --num-envs, --batch-size, --hidden"
        return f"{str(problem) or 'the memory is used up'}\n  {remedy}"
    return str(problem) or type(problem).__name__


def replace_unwritable() -> None:
    """Never fail on a character that the terminal's encoding does not have: print ? in its place."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
