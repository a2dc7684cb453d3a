"""The settings that articles share. Each article adds its own settings in a subclass.

One dataclass defines the flags, the help, the keywords in Python and the content of `config.json`. The
docstring below a setting is its help text.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, ClassVar

from nnlite_ext._threads import MOST_THREADS

from rl.command.elsewhere import Elsewhere
from rl.command.errors import require

NEWEST = "newest"
OTHERS = "How to learn"
GROUPS: Mapping[str, tuple[str, ...]] = {  # titles of --help, and the settings below each
    "What to learn": tuple(
        "env_id test total_timesteps keep_going max_episode_steps num_envs action_repeat frame_stack".split()
    ),
    OTHERS: (),  # all that no other title has
    "When to judge and to save": ("eval_freq", "eval_episodes", "save_freq"),
    "Ray": ("actors", "ray_address", "segment", "broadcast"),
    "This run": ("seed", "out", "num_threads", "config", "resume", "play"),
}


class RunName(str):
    """A run: its folder, its name inside `out`, or NEWEST. A flag of this type may stand without a value."""


@dataclass(frozen=True)
class Settings:
    """Settings of every article."""

    seed: int = 0
    """seed of all random numbers of the run"""
    out: str = "runs"
    """folder in which the run makes its own folder"""
    num_threads: int = 0
    """threads of the kernels; 0 = one per core"""
    config: str = ""
    """read the settings from this config.json; flags override them"""

    def validate(self) -> None:
        """Convert the values to the types of the settings: NumPy's numbers, a list for a tuple.

        Raises UsageError for a value of another type, and for one that cannot work.
        """
        names = [field.name for field in dataclasses.fields(self)]
        values = check_values(type(self), {name: getattr(self, name) for name in names})
        for name, value in values.items():
            object.__setattr__(self, name, value)  # frozen: a value set later would have no effect
        require(self.seed >= 0, f"--seed is {self.seed}", "give a whole number >= 0")
        threads = f"give 0 (all cores) or a number of threads up to {MOST_THREADS}"
        require(0 <= self.num_threads <= MOST_THREADS, f"--num-threads is {self.num_threads}", threads)
        require(self.out != "", "--out is empty", "name a folder, or leave --out away for runs/")


@dataclass(frozen=True)
class AgentSettings(Settings):
    """Settings of every article with an agent and an environment.

    elsewhere  defaults that differ on other environments than the article's own, by what is observed
    """

    elsewhere: ClassVar[Elsewhere] = Elsewhere()

    env_id: str = "CartPole-v0"
    """Gymnasium id; module:ID imports your own module first"""
    total_timesteps: int = 50_000
    """environment steps, over all parallel games"""
    num_envs: int = 1
    """parallel games"""
    max_episode_steps: int = 0
    """steps after which a game is truncated; 0 = the environment's own limit"""
    action_repeat: int = 1
    """steps of the game that one action lasts; rewards are summed"""
    frame_stack: int = 0
    """observations that the network sees at once; 0 = 4 screens, or 1 vector"""
    gamma: float = 0.99
    """discount per step, 0 to 1"""
    learning_rate: float = 1e-3
    """step size of Adam"""
    eval_freq: int = 5_000
    """environment steps between evaluations; 0 = only at the end"""
    eval_episodes: int = 20
    """greedy games per evaluation"""
    save_freq: int = 50_000
    """environment steps between checkpoints, of which there is one a minute too; 0 = only at the end"""
    keep_going: bool = False
    """train to the last step, even if the environment is solved before"""
    test: bool = False
    """run the article's short test on CartPole-v0"""
    resume: RunName = RunName("")
    """continue a run: the newest, or this folder"""
    play: RunName = RunName("")
    """show a trained agent: of the newest run, or of this folder"""

    def validate(self) -> None:
        super().validate()
        for name in ("total_timesteps", "num_envs", "action_repeat", "eval_episodes"):
            require_at_least(self, name, 1)
        for name in ("max_episode_steps", "frame_stack", "eval_freq", "save_freq"):
            require_at_least(self, name, 0)
        require_fraction(self, "gamma")
        require_positive(self, "learning_rate")


@dataclass(frozen=True)
class ActorSettings(AgentSettings):
    """Settings of articles that can train with Ray actors, on any number of machines."""

    actors: int = 0
    """Ray actors, each with its own parallel games; 0 = train without Ray"""
    ray_address: str = ""
    """a running Ray cluster (auto, or host:port); empty = start one on this machine"""
    segment: int = 16
    """steps of each game that an actor sends at once"""
    broadcast: int = 8
    """updates after which the actors get new weights"""

    def validate(self) -> None:
        super().validate()
        for name, least in (("actors", 0), ("segment", 1), ("broadcast", 1)):
            require_at_least(self, name, least)
        consistent = self.actors > 0 or not self.ray_address
        require(consistent, "--ray-address without --actors", "say how many actors play: --actors 4")

    @property
    def games(self) -> int:
        """Parallel games of the whole run."""
        return self.num_envs * max(self.actors, 1)

    def for_actor(self) -> ActorSettings:
        """Return the settings of an actor process: no actors of its own, a replay for one segment."""
        raise NotImplementedError(f"{type(self).__name__} has no actors")


def require_at_least(settings: Any, name: str, least: int) -> None:
    """Raise UsageError unless the setting is >= least."""
    value = getattr(settings, name)
    kind = "whole number" if isinstance(value, int) else "number"
    require(value >= least, f"{format_flag(name)} is {value}", f"give a {kind} >= {least}")


def require_fraction(settings: Any, name: str) -> None:
    """Raise UsageError unless the setting is from 0 to 1."""
    value = getattr(settings, name)
    require(0 <= value <= 1, f"{format_flag(name)} is {value}", "give a number from 0 to 1")


def require_positive(settings: Any, name: str) -> None:
    """Raise UsageError unless the setting is a finite number > 0."""
    value = getattr(settings, name)
    require(0 < value < float("inf"), f"{format_flag(name)} is {value}", "give a number > 0")


def format_flag(name: str) -> str:
    """Return the flag of a setting: learning_rate -> --learning-rate."""
    return "--" + name.replace("_", "-")


def check_values(settings_class: type[Any], values: Mapping[str, Any], where: str = "") -> dict[str, Any]:
    """Convert values, from keywords or a config.json, to the types of the settings.

    where  put before the message of an error: the name of the file and a colon

    Raises UsageError for an unknown name and for a value of another type.
    """
    defaults = {field.name: field.default for field in dataclasses.fields(settings_class)}
    for name in values:
        near = difflib.get_close_matches(name, defaults, 1)
        hint = (
            f"did you mean {near[0]}?"
            if near
            else f"{settings_class.__module__}.{settings_class.__qualname__} lists them"
        )
        require(name in defaults, f"{where}there is no setting {name!r}", hint)
    return {name: _convert(name, values[name], defaults[name], where) for name in values}


def _convert(name: str, value: Any, default: Any, where: str) -> Any:
    """Convert a value to the type of the default; NumPy numbers and JSON lists are accepted."""
    if isinstance(default, tuple):
        like = default[0] if default else ""
        good = isinstance(value, (list, tuple)) and all(_fits(one, like) for one in value)
        require(good, f"{where}{name} is {value!r}", f"give a list of {type(like).__name__}s")
        return tuple(type(like)(one) for one in value)
    wanted = "str" if isinstance(default, str) else type(default).__name__
    require(_fits(value, default), f"{where}{name} is {value!r}", f"it must be of type {wanted}")
    return type(default)(value)


def _fits(value: Any, like: Any) -> bool:
    """Return whether the value has the type of `like`, or one that converts to it."""
    if isinstance(like, (bool, str)) or isinstance(value, bool):
        return isinstance(value, bool if isinstance(like, bool) else str)
    return isinstance(value, Integral if isinstance(like, int) else Real)
