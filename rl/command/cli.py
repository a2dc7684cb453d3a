"""The command line of every article and tool: flags from a dataclass, errors of two lines, exit codes.

Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted, 143 terminated. With `RL_TRACEBACK=1` in the
environment, a traceback is printed above the error.
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
from rl.command.errors import EnvironmentFault, UsageError, require
from rl.command.notes import printed_notes
from rl.command.settings import NEWEST, RunName, format_flag
from rl.command.text import terminal_width, wrap

S = TypeVar("S")
P = ParamSpec("P")


def exit_codes(action: Callable[P, int | None]) -> Callable[P, int]:
    """Decorate a command: return its exit code, and print errors instead of raising them."""

    @functools.wraps(action)
    def command(*words: P.args, **options: P.kwargs) -> int:
        replace_unwritable()
        try:
            with printed_notes():
                code = action(*words, **options) or 0
            sys.stdout.flush()  # a closed pipe is noticed here, not at the end of the process
            return code
        except SystemExit as stop:  # --help
            return int(stop.code or 0)
        except KeyboardInterrupt as stop:  # 130; 143 when SIGTERM stopped a run
            print(str(stop) or "interrupted", file=sys.stderr)
            return getattr(stop, "code", 130)
        except (UsageError, FileNotFoundError) as problem:
            return report(problem, 2)
        except ValueError as problem:  # a second line is a remedy: wrong usage
            return report(problem, 2 if "\n  " in str(problem) else 1)
        except BrokenPipeError:  # the reader, `| head` for example, has closed the pipe
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 141
        except (EnvironmentFault, OSError, FloatingPointError, RuntimeError, MemoryError) as problem:
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

    The parser runs twice, because --config or a preset's flag changes the defaults of the other flags.

    program   as a user types it: "python -m rl.dqn"
    presets   {"test": {...}}: defaults that the flag --test sets
    argv      the arguments behind the program; None for those of this process
    defaults  values of flags that are not given; None for the class's own

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
    """Return the settings, and the words that no flag takes."""
    import tyro  # takes 0.1 s; only the command line needs it

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
                config=(tyro.conf.OmitSubcommandPrefixes,),
            )
    except SystemExit as stop:
        if stop.code in (0, None):
            raise
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

        traceback.print_exception(type(problem), problem, problem.__traceback__)
    print(f"error: {explain(problem)}", file=sys.stderr)
    return code


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


def replace_unwritable() -> None:
    """Print ? for a character that the terminal's encoding does not have, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
