"""Group runs that differ only in their seed, and label each group by the settings that differ."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from rl.command.settings import format_flag

IGNORED = {  # settings that do not change what a run learns
    "seed",
    "out",
    "num_threads",
    "config",
    "resume",
    "play",
    "save_freq",
    "test",
}
MOST_NAMES = 3  # settings in a label


class HasSettings(Protocol):
    """A run of an article."""

    @property
    def article(self) -> str: ...

    @property
    def settings(self) -> Mapping[str, Any]: ...


R = TypeVar("R", bound=HasSettings)


def group_by_settings(runs: Sequence[R], ignored: Container[str] = ()) -> list[tuple[str, list[R]]]:
    """Return (label, runs) of each group, in the order of the runs.

    label    the first settings that differ between the groups: "--gamma 0.9"; it may be empty
    ignored  more settings that may differ inside a group
    """
    groups: dict[Any, list[R]] = {}
    for run in runs:
        compared = {
            name: repr(plain_value(value))
            for name, value in run.settings.items()
            if name not in IGNORED and name not in ignored
        }
        groups.setdefault((run.article, *sorted(compared.items())), []).append(run)
    tables = [dict(settings) for _, *settings in groups]
    names = dict.fromkeys(name for table in tables for name in table)
    differing = [name for name in names if len({table.get(name) for table in tables}) > 1]
    several = len({run.article for run in runs}) > 1
    return [(_label(members[0], differing, several), members) for members in groups.values()]


def _label(run: HasSettings, differing: Sequence[str], several: bool) -> str:
    if several and not set(differing) <= set(run.settings):
        return ""  # the articles have different settings: their names tell more
    given = [name for name in differing if name in run.settings]
    words = [f"{format_flag(name)} {plain_value(run.settings[name])}" for name in given]
    return " ".join(words[:MOST_NAMES])


def plain_value(value: Any) -> Any:
    """Join the numbers of a tuple as flags take them: (64, 64) -> "64 64"; other values are unchanged."""
    return " ".join(map(str, value)) if isinstance(value, (list, tuple)) else value
