"""The plan of a sweep: every combination of settings with every seed, checked before anything starts.

The plan is stored in sweep.json of the sweep's folder, with every setting of every combination. A resumed
sweep therefore continues with the same settings, even if defaults have changed since.
"""

from __future__ import annotations

import dataclasses
import difflib
import itertools
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rl.articles import module_of, program_of
from rl.command.cli import parse
from rl.command.errors import UsageError, require
from rl.command.settings import AgentSettings, format_flag
from rl.envs.given import defaults_for
from rl.envs.make import make_vector
from rl.runs.run_folder import make_safe, write_json
from rl.sweeps.subject import find_subject

NAME = "sweep.json"
MOST_SEEDS = 1_000_000
SEEDS_AT_ONCE = 1_000  # for articles that measure many seeds in one compiled call
LONGEST_NAME = 60  # characters of the settings in a folder's name
OF_THE_RUN = ("seed", "out", "config", "resume", "play")  # not stored in the plan
OF_THE_SWEEP = (*OF_THE_RUN, "num_threads", "test")  # chosen by the sweep, not by --set
TRUTH = {"true": True, "false": False}


@dataclasses.dataclass(frozen=True)
class Job:
    """A run, or many seeds in one call; done by one process at a time.

    key       name of its folder inside the sweep's
    settings  every setting of the article, without the seed
    """

    key: str
    settings: dict[str, Any]
    seeds: tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class Plan:
    """The article, the settings that vary, and the jobs in their order."""

    article: str
    varied: tuple[str, ...]
    jobs: tuple[Job, ...]

    def write(self, folder: Path) -> None:
        write_json(folder / NAME, dataclasses.asdict(self))


def read(folder: Path) -> Plan:
    """Read the plan in a sweep's folder; raises UsageError when there is none."""
    try:
        stored = json.loads((folder / NAME).read_text(encoding="utf-8"))
        jobs = [
            Job(str(job["key"]), dict(job["settings"]), tuple(map(int, job["seeds"])))
            for job in stored["jobs"]
        ]
        find_subject(stored["article"])
        if all(re.fullmatch(r"[A-Za-z0-9._-]+", job.key) for job in jobs):
            return Plan(stored["article"], tuple(stored["varied"]), tuple(jobs))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        pass
    raise UsageError(
        f"{folder} is no sweep: it has no readable {NAME}", "name the folder that python -m rl sweep made"
    )


def make(article: str, seeds: str, changes: Sequence[str], test: bool = False) -> Plan:
    """Make the plan of these flags.

    seeds    "0:20", "3", or "0:5,7"; an article with `measure_seeds` does many seeds in one job
    changes  "NAME=V1,V2": every value of a name is combined with every value of the others

    Raises UsageError for everything that would make a run fail at its start.
    """
    require(bool(article), "no article is named", "python -m rl sweep dqn --seeds 0:10, for example")
    subject = find_subject(article)
    article, settings_class, preset = subject.article, subject.settings_class, {}
    if test:
        require(subject.test is not None, f"{module_of(article)} has no --test", "leave it away")
        preset = {**(subject.test or {}), "test": True}
    numbers = read_seeds(seeds)
    values = dict(read_change(text, settings_class, preset, article) for text in changes)
    require(
        len(values) == len(changes),
        "--set names a setting twice",
        "give all its values after one name: gamma=0.9,0.99",
    )
    combinations = [dict(zip(values, combination)) for combination in itertools.product(*values.values())]
    size = SEEDS_AT_ONCE if subject.measures_seeds else 1
    chunks = [tuple(numbers[first : first + size]) for first in range(0, len(numbers), size)]
    threads = 0 if len(combinations) * len(chunks) == 1 else 1  # one call may have all cores
    jobs = []
    for index, changed in enumerate(combinations):
        settings = check_settings(settings_class, preset | changed | {"num_threads": threads})
        where = folder_name(index, changed) if len(values) else ""
        jobs += [Job(where + seed_name(chunk), settings, chunk) for chunk in chunks]
    return Plan(article, tuple(values), tuple(jobs))


def read_seeds(text: str) -> list[int]:
    """Parse "0:3,7" to 0, 1, 2, 7; raises UsageError unless they are whole numbers >= 0, once each."""
    found: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,18})(?::(\d{1,18}))?\s*", part)
        if match is None:
            raise UsageError(
                f"--seeds is {text!r}",
                "give a range or numbers, 0:20 or 0,1,5 for example; the end is not included",
            )
        first, end = int(match[1]), int(match[2] or int(match[1]) + 1)
        require(
            first < end <= first + MOST_SEEDS,
            f"--seeds has the range {part}",
            f"give 1 to {MOST_SEEDS:,} seeds, 0:20 for example",
        )
        found += range(first, end)
    require(len(set(found)) == len(found), f"--seeds names a seed twice: {text}", "name each once")
    return found


def read_change(
    text: str, settings_class: type[Any], preset: dict[str, Any], article: str
) -> tuple[str, list[Any]]:
    """Parse NAME=V1,V2 to the name and its values, of the setting's type."""
    name, sign, listed = text.partition("=")
    name = name.strip().lstrip("-").replace("-", "_")
    words = [word.strip() for word in listed.split(",")]
    require(
        bool(sign) and all(words),
        f"--set {text!r} is no NAME=VALUE,...",
        "learning-rate=1e-4,3e-4 for example",
    )
    known = [field.name for field in dataclasses.fields(settings_class) if field.name not in OF_THE_SWEEP]
    what = f"--set: {module_of(article)} has no setting {name!r}"
    require(name in known, what, suggest(name, known, article))
    default = getattr(settings_class(**preset), name)
    values = [parse_value(word, name, default, settings_class, article) for word in words]
    require(len(set(values)) == len(values), f"--set {text!r} names a value twice", "name each once")
    return name, values


def parse_value(word: str, name: str, default: Any, settings_class: type[Any], article: str) -> Any:
    """Parse one value; the numbers of a tuple are separated by blanks: hidden="64 64"."""
    if isinstance(default, bool):
        require(word.lower() in TRUTH, f"--set: {name} is {word!r}", "give true or false")
        return TRUTH[word.lower()]
    words = [format_flag(name), *(word.split() if isinstance(default, tuple) else [word])]
    settings = parse(settings_class, program_of(article), "", argv=words)
    return getattr(settings, name)


def suggest(name: str, known: Sequence[str], article: str) -> str:
    """Suggest the setting with the most similar name."""
    close = difflib.get_close_matches(name, known, 1)
    return (f"did you mean {close[0]}? " if close else "") + f"{program_of(article)} --help shows them"


def check_settings(settings_class: type[Any], changed: dict[str, Any]) -> dict[str, Any]:
    """Return all settings of a run; raises UsageError for those that the article refuses."""
    if issubclass(settings_class, AgentSettings):  # the defaults that the command has on this environment
        changed = defaults_for(settings_class, changed.get("env_id", settings_class().env_id)) | changed
    settings = settings_class(**changed)
    settings.validate()
    if isinstance(settings, AgentSettings):
        make_vector(settings.env_id, 1).close()
    return {name: value for name, value in dataclasses.asdict(settings).items() if name not in OF_THE_RUN}


def folder_name(index: int, changed: dict[str, Any]) -> str:
    """Begin the name of a job's folder: 1__gamma-0.9__"""
    words = "__".join(
        make_safe(f"{name}-{value}".replace("e+", "e")).strip("-") for name, value in changed.items()
    )
    return f"{index + 1}__{words[:LONGEST_NAME]}__"


def seed_name(seeds: tuple[int, ...]) -> str:
    """End the name of a job's folder: seed-3, seeds-0-999"""
    return f"seed-{seeds[0]}" if len(seeds) == 1 else f"seeds-{seeds[0]}-{seeds[-1]}"
