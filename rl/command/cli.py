"""The command line of every article: flags from its settings, errors of two lines, exit codes.

Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted, 143 terminated. `RL_TRACEBACK=1` in the
environment shows the traceback behind an error line.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import itertools
import json
import os
import re
import sys
from collections.abc import Callable
from typing import Any, TypeVar

from rl.command.errors import UsageError
from rl.command.settings import Settings
from rl.command.text import terminal_width, wrapped
from rl.command.threads import use_threads

S = TypeVar("S", bound=Settings)
NEWEST = "newest"
TAKES_OPTIONAL_FOLDER = ("--resume", "--play")


def main(
    article: str,
    settings_class: type[S],
    run: Callable[[S], Any],
    *,
    summary: str,
    examples: tuple[str, ...] = (),
    presets: dict[str, dict[str, Any]] | None = None,
    argv: list[str] | None = None,
    arguments: Callable[[list[str]], list[str]] | None = None,
) -> int:
    """Parse the flags, run the article, return the exit code.

    article   its module name, "dqn" for `python -m rl.dqn`
    run       called with the checked settings
    presets   {"test": {...}}: other defaults that the flag --test brings with it
    arguments  changes the arguments before they are parsed
    """
    program = f"python -m rl.{article}"

    def action() -> int:
        words = list(sys.argv[1:] if argv is None else argv)
        settings = parse(
            settings_class,
            arguments(words) if arguments else words,
            program,
            summary,
            examples,
            presets or {},
        )
        settings.validate()
        use_threads(settings.num_threads)
        run(settings)
        return 0

    return answered(action)


def answered(action: Callable[[], int]) -> int:
    """Do it and return its exit code; what stops it becomes an error line and the exit code of its kind."""
    prepare_streams()
    try:
        return action()
    except SystemExit as stop:  # --help
        return int(stop.code or 0)
    except KeyboardInterrupt as stop:  # 130; a run that SIGTERM stopped in good order says 143
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


def parse(
    settings_class: type[S],
    argv: list[str],
    program: str,
    summary: str,
    examples: tuple[str, ...],
    presets: dict[str, dict[str, Any]],
) -> S:
    """The settings that these arguments ask for; raises UsageError for a wrong flag or value, SystemExit(0)
    for --help.
    """
    import tyro

    argv = with_folders(argv)
    defaults = default_settings(settings_class, argv, presets)
    description = wrapped(summary, terminal_width()) + (
        "\n\nExamples:\n" + "\n".join(f"  {line}" for line in examples) if examples else ""
    )
    complaint = io.StringIO()
    try:
        with contextlib.redirect_stderr(complaint):
            return tyro.cli(
                settings_class,
                prog=program,
                description=description,
                args=argv,
                default=defaults,
                config=(tyro.conf.FlagCreatePairsOff, tyro.conf.OmitSubcommandPrefixes),
            )
    except SystemExit as stop:
        if stop.code in (0, None):
            raise
        raise UsageError(first_sentence(complaint.getvalue()), f"see {program} --help") from None


def with_folders(argv: list[str]) -> list[str]:
    """--play and --resume may stand alone: they then mean the newest run."""
    filled: list[str] = []
    for index, word in enumerate(argv):
        filled.append(word)
        alone = index + 1 == len(argv) or argv[index + 1].startswith("--")
        if word in TAKES_OPTIONAL_FOLDER and alone:
            filled.append(NEWEST)
    return filled


def default_settings(settings_class: type[S], argv: list[str], presets: dict[str, dict[str, Any]]) -> S:
    """The class's defaults, changed by the presets whose flags are given and by --config."""
    values: dict[str, Any] = {}
    for name, changes in presets.items():
        if f"--{name}" in argv:
            values |= changes
    path = value_of("--config", argv)
    if path:
        values |= read_config(path, settings_class)
    return settings_class(**values)


def read_config(path: str, settings_class: type[Settings]) -> dict[str, Any]:
    """The settings in a run's config.json; raises UsageError when it is no such file or belongs to something
    else.
    """
    try:
        with open(path, encoding="utf-8") as file:
            stored = json.load(file)
        stored = dict(stored.get("settings", stored))
    except FileNotFoundError:
        raise UsageError(f"there is no file {path}", "give the path of a run's config.json") from None
    except (ValueError, AttributeError, TypeError, RecursionError, OSError) as problem:
        raise UsageError(
            f"{path} is not a readable config.json: {problem}", "give the path of a run's config.json"
        ) from None
    known = {field.name: field for field in dataclasses.fields(settings_class)}
    unknown = sorted(set(stored) - set(known))
    if unknown:
        raise UsageError(
            f"{path} has settings that this article does not: {', '.join(unknown[:3])}",
            "use the article that wrote it",
        )
    defaults = settings_class()
    values = {}
    for name, value in stored.items():
        if name in ("config", "play", "resume"):
            continue
        values[name] = tuple(value) if isinstance(getattr(defaults, name), tuple) else value
        wanted = type(getattr(defaults, name))
        if not isinstance(values[name], (int, float) if wanted is float else wanted):
            raise UsageError(f"{path}: {name} is {value!r}", f"it must be of type {wanted.__name__}")
    return values


def first_sentence(box: str) -> str:
    """The message inside the frame that the flag parser draws, on one line; the frame's title and rules are
    left out.
    """
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in box.splitlines()]
    lines = [line.strip(" │|+") for line in lines if not re.match(r"^\W*[╭╰+]", line)]
    if "╭" not in box:  # a plain terminal: title, rule, message
        lines = lines[2:] if len(lines) > 2 and is_rule(lines[1]) else lines
    message = " ".join(line for line in itertools.takewhile(lambda line: not is_rule(line), lines) if line)
    hints = [line.split()[0] for line in lines if line.startswith("--") and not is_rule(line)]
    if not message or message.startswith("For full helptext"):
        return "the arguments are not understood"
    return message + (f" (did you mean {hints[0]}?)" if hints and "nrecognized" in message else "")


def is_rule(line: str) -> bool:
    """A line that the flag parser draws between two parts of its message."""
    return bool(line) and not line.strip("─-╌ ")


def report(problem: BaseException, code: int) -> int:
    """Print the error's lines on stderr; the traceback too, where it was asked for."""
    if os.environ.get("RL_TRACEBACK"):
        import traceback

        traceback.print_exception(type(problem), problem, problem.__traceback__)
    print(f"error: {explained(problem)}", file=sys.stderr)
    return code


def explained(problem: BaseException) -> str:
    """What went wrong; of the system's own refusals also what can be done."""
    if isinstance(problem, OSError) and problem.strerror:
        named = f"{problem.filename}: " if problem.filename is not None else ""
        return (
            f"{named}{problem.strerror}\n  see that the path is right, may be written to, and that its "
            "disk has room"
        )
    if isinstance(problem, MemoryError):
        return (
            f"{str(problem) or 'the memory is used up'}\n"
            "  make the run smaller: --buffer-size, --num-envs, --batch-size, --hidden"
        )
    return str(problem) or type(problem).__name__


def prepare_streams() -> None:
    """Never fail for a character that the terminal's encoding does not have."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def value_of(name: str, argv: list[str]) -> str:
    """What follows this flag among the arguments, "" when it is not there."""
    for index, word in enumerate(argv):
        if word == name and index + 1 < len(argv):
            return argv[index + 1]
        if word.startswith(name + "="):
            return word.split("=", 1)[1]
    return ""
